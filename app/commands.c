#include "app/commands.h"

#include "ui/words.h"

#include <stddef.h>
#include <string.h>

static const struct command commands[] = {
#define COMMAND_ROW(name, function, summary) {#name, function, summary},
    COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
    {NULL, NULL, NULL},
};

const struct command *command_list(void)
{
    return commands;
}

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (!strcmp(name, c->name))
            return c;
    return NULL;
}

void command_print_all(FILE *out)
{
    fputs(_("commands (`trimscope COMMAND --help` explains each):\n"), out);
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  %-11s %s\n", c->name, _(c->summary));
}
