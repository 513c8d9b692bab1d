// trimscope help: the overview, a command's help, and what packagers install.
#include "app/commands.h"
#include "app/manual.h"
#include "app/options.h"
#include "engine/base/error.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

static int show_help(int (*command)(int argc, char **argv), const char *name)
{
    char own[32], option[] = "--help";
    snprintf(own, sizeof own, "%s", name);
    char *arguments[] = {own, option, NULL};
    return command(2, arguments);
}

int cmd_help(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(FILE *out);
    } papers[] = {{"man", manual_write},
                  {"bash", completions_write_bash},
                  {"zsh", completions_write_zsh},
                  {"fish", completions_write_fish}};
    const struct option_row rows[] = {OPTION_ROW_END};
    const struct option_command command = {
        "help", N_("help [COMMAND | man | bash | zsh | fish]"),
        N_("Explains a command, or all in short. man writes the manual page, bash, zsh and fish write completions for "
           "these shells; `make install` puts them where they belong."),
        rows, 0, 1};
    const char *arguments[1];
    int count, status;
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    if (count == 0) {
        status = show_help(cmd_screen, "trimscope");
        putchar('\n');
        command_print_all(stdout);
        return status;
    }
    for (size_t i = 0; i < sizeof papers / sizeof *papers; i++)
        if (!strcmp(papers[i].name, arguments[0])) {
            papers[i].write(stdout);
            return 0;
        }
    const struct command *asked = command_find(arguments[0]);
    if (asked)
        return show_help(asked->run, asked->name);
    struct error err;
    error_set(&err, ERROR_USAGE, N_("there is no command %s"), arguments[0]);
    fprintf(stderr, "trimscope help: %s\n", err.text);
    command_print_all(stderr);
    return ERROR_USAGE;
}
