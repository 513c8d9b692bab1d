#include "app/commands.h"
#include "engine/base/error.h"

#include <stdio.h>
#include <string.h>

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
        if (!strcmp(name, c->name))
            return c->run(argc - 1, argv + 1);
    print_help(stderr);
    return ERROR_USAGE;
}
