// formula_checkpoint KEYS.txt SEED OUT.safetensors: the weights of a fixture model.
#include "tests/support/formula.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s KEYS.txt SEED OUT.safetensors\n", argv[0]);
        return 2;
    }
    return formula_checkpoint(argv[1], strtoull(argv[2], NULL, 10), argv[3]) ? 0 : 1;
}
