// The manual page, in the language of man(7).
#include "app/manual.h"

#include "app/commands.h"
#include "app/options.h"
#include "ui/config.h"
#include "ui/keys.h"
#include "ui/words.h"

#include <string.h>

// Text that means nothing to roff: no escapes, no requests at the start of a line, hyphens that can be copied.
static void put(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool first = c == text || c[-1] == '\n';
        if (first && (*c == '.' || *c == '\''))
            fputs("\\&", out);
        if (*c == '\\')
            fputs("\\e", out);
        else if (*c == '-')
            fputs("\\-", out);
        else
            fputc(*c, out);
    }
}

static void put_line(FILE *out, const char *text)
{
    put(out, text);
    fputc('\n', out);
}

static void put_term(FILE *out, const char *name, const char *argument)
{
    fputs(".TP\n\\fB", out);
    put(out, name);
    fputs("\\fR", out);
    if (argument) {
        fputs(" \\fI", out);
        put(out, argument);
        fputs("\\fR", out);
    }
    fputc('\n', out);
}

static void put_section(FILE *out, const char *title)
{
    fputs(".SH \"", out);
    put(out, title);
    fputs("\"\n", out);
}

static void put_options(FILE *out, const struct option_command *command)
{
    for (const struct option_row *row = command->rows; row->name; row++) {
        char name[64];
        snprintf(name, sizeof name, row->kind == OPTION_WORD ? "%s" : "--%s", row->name);
        put_term(out, name, row->argument);
        put_line(out, _(row->help));
    }
}

static void put_screen(const struct option_command *command, void *context)
{
    FILE *out = context;
    put_section(out, _("DESCRIPTION"));
    put_line(out, _(command->about));
    put_section(out, _("OPTIONS"));
    put_options(out, command);
    put_term(out, "--lang", "NAME");
    put_line(out, _("en, zh_CN or auto, which asks the environment (default auto)"));
    put_term(out, "--help", NULL);
    put_line(out, _("this text"));
    put_term(out, "--version", NULL);
    put_line(out, _("the version"));
}

static void put_command(const struct option_command *command, void *context)
{
    FILE *out = context;
    fputs(".SS \"trimscope ", out);
    put(out, _(command->usage));
    fputs("\"\n", out);
    put_line(out, _(command->about));
    put_options(out, command);
}

static void put_keys(FILE *out)
{
    put_section(out, _("KEYS"));
    put_line(out, _("As they are before the configuration changes them. A key may mean something else on another page; ? "
                    "shows what works where."));
    for (int group = 0; group < KEY_GROUPS; group++) {
        fputs(".SS ", out);
        put_line(out, _(key_group_title((enum key_group)group)));
        for (int a = 0; a < ACTIONS; a++) {
            const struct key_row *row = key_row((enum action)a);
            if ((int)row->group != group)
                continue;
            char name[96];
            snprintf(name, sizeof name, "%s", row->written);
            put_term(out, name, NULL);
            put(out, _(row->help));
            fputs(" (", out);
            put(out, action_name((enum action)a));
            fputs(")\n", out);
        }
    }
}

static void put_configuration(FILE *out)
{
    put_section(out, _("CONFIGURATION"));
    put_line(out, _("A file of lines: 'option = value', 'key action = keys' and 'color style = colours'. What stands "
                    "behind # is a comment. The page of options (O) changes it and leaves comments alone. What is unknown "
                    "or wrong is named with its line and otherwise ignored."));
    for (int i = 0; i < CONFIG_COUNT; i++) {
        const struct config_row *row = config_row((enum config_option)i);
        char range[160];
        if (row->kind == CONFIG_CHOICE)
            snprintf(range, sizeof range, "%s", row->values);
        else
            snprintf(range, sizeof range, row->values[0] ? "%g .. %g, %s" : "%g .. %g", row->low, row->high, row->values);
        put_term(out, row->name, range);
        put(out, _(row->help));
        fputs(" (", out);
        put(out, row->standard);
        fputs(")\n", out);
    }
    put_term(out, "key", "ACTION = KEY ...");
    put_line(out, _("A key is a character, ^A and so on, F1 to F20, or one of Left Right Up Down Home End PgUp PgDn Tab S-Tab "
                    "Enter Esc Space Delete Insert Backspace S-Left S-Right Hash. The actions stand in brackets under KEYS."));
    put_term(out, "color", "STYLE = [FRONT] [on BACK] [bold] [underline]");
    put(out, _("FRONT, BACK: 0 .. 255, default. STYLE:"));
    for (int s = 0; s < STYLE_COUNT; s++) {
        fputc(' ', out);
        put(out, style_name((enum style)s));
    }
    fputc('\n', out);
}

static void put_end(FILE *out)
{
    static const char *const environment[][2] = {
        {"TRIMSCOPE_GRAPHICS", N_("as --graphics")},
        {"TRIMSCOPE_THEME", N_("as --theme")},
        {"NO_COLOR", N_("when set and not empty: no colours")},
        {"XDG_DATA_HOME", N_("where RoBERTa's vocabulary may lie: trimscope/roberta below it, or below ~/.local/share")},
        {"XDG_CONFIG_HOME", N_("where the configuration is: trimscope/config below it, or below ~/.config")},
        {"LANGUAGE, LC_ALL, LC_MESSAGES, LANG", N_("the language")},
    };
    static const char *const statuses[][2] = {
        {"0", N_("all went well")},
        {"1", N_("the input was bad: a picture, a question, a file")},
        {"2", N_("the command line was wrong")},
        {"3", N_("the machine failed: no memory, a full disk")},
        {"4", N_("it was stopped before its end")},
    };
    put_section(out, _("ENVIRONMENT"));
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++) {
        put_term(out, environment[i][0], NULL);
        put_line(out, _(environment[i][1]));
    }
    put_section(out, _("FILES"));
    fputs(".TP\n.I ~/.config/trimscope/config\n", out);
    put_line(out, _("the configuration"));
    put_section(out, _("EXIT STATUS"));
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        put_term(out, statuses[i][0], NULL);
        put_line(out, _(statuses[i][1]));
    }
}

void manual_write(FILE *out)
{
    fputs(".\\\" Made by `trimscope help man` from the program's own tables.\n", out);
    fputs(".TH TRIMSCOPE 1 \"\" \"trimscope\" \"\"\n.ad l\n", out); // names and Chinese make bad blocks
    put_section(out, _("NAME"));
    fputs("trimscope \\- ", out);
    put_line(out, _("steps through a vision-language model that prunes itself, layer by layer"));
    put_section(out, _("SYNOPSIS"));
    fprintf(out, ".B trimscope\n.RI [ PICTURE \" [\" QUESTION ]]\n%s\n.br\n.B trimscope\n.I COMMAND\n%s\n", _("[options]"),
            _("[options]"));
    options_visit(cmd_screen, "", put_screen, out);
    put_section(out, _("COMMANDS"));
    for (const struct command *c = command_list(); c->name; c++)
        options_visit(c->run, c->name, put_command, out);
    put_section(out, _("POLICIES"));
    for (int p = 0; p < POLICY_COUNT; p++) {
        put_term(out, policy_name((enum policy)p), NULL);
        put_line(out, _(policy_help((enum policy)p)));
    }
    put_keys(out);
    put_configuration(out);
    put_end(out);
}
