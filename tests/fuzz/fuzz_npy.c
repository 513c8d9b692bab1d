// Any bytes as a .npy file: a sentence, or an array that can be read to its last element.
#include "engine/base/memory.h"
#include "engine/io/npy.h"
#include "tests/support/memory_file.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy npy;
    struct error err = {0};
    if (!npy_open(&npy, memory_file(data, size), &err)) {
        check(err.code == ERROR_INPUT && err.text[0] && !npy.data);
        return 0;
    }
    check(npy.elements <= size && npy.rank <= NPY_RANK);
    float *out = memory_alloc(npy.elements, sizeof *out);
    check(out != NULL);
    npy_floats(&npy, out);
    for (size_t i = 0; i < npy.elements; i++) {
        double value = npy_value(&npy, i);
        check(out[i] == (float)value || value != value);
    }
    memory_free(out);
    npy_close(&npy);
    return 0;
}
