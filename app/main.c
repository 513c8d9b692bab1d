#include "app/commands.h"
#include "engine/base/error.h"
#include "engine/math/blas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
#define COMMAND_ROW(name, function, summary) {#name, function, summary},
    COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
    {NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
    fputs("trimscope: step through a vision-language model with adaptive pruning\n\n"
          "  trimscope [PICTURE [QUESTION]]   the screen; what is left out comes bundled\n",
          out);
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  trimscope %-22s %s\n", c->name, c->summary);
    fputs("\n`trimscope COMMAND --help` explains a command.\n", out);
}

// What OpenBLAS decides when it is loaded can only be changed before (blas.h). The commands that live on it start the
// program anew; where that fails, they go on as they are.
static void restart_for_blas(const char *command, char **argv)
{
    if ((!strcmp(command, "train") || !strcmp(command, "bench")) && blas_wants_restart() &&
        setenv(BLAS_CORE_VARIABLE, BLAS_CORE_VALUE, 0) == 0)
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        print_help(stdout);
        return 0;
    }
    if (!strcmp(name, "--version")) {
        puts("trimscope " TRIMSCOPE_VERSION);
        return 0;
    }
    for (const struct command *c = commands; c->name; c++)
        if (!strcmp(name, c->name)) {
            restart_for_blas(name, argv);
            return c->run(argc - 1, argv + 1);
        }
    print_help(stderr);
    return ERROR_USAGE;
}
