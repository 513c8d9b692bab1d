// Completions for bash, zsh and fish, from the tables of commands and options.
#include "app/manual.h"

#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "ui/config.h"
#include "ui/export.h"
#include "ui/words.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

// What may stand behind an option.
enum value_kind { VALUE_NONE, VALUE_FILE, VALUE_WORDS, VALUE_ANY };

#define EXPORT_WORD(id, name, ...) name " "

static const char *words_of(const struct option_row *row)
{
    static const struct {
        const char *name, *values;
    } own[] = {{"what", EXPORT_WHATS(EXPORT_WORD)}, {"show", "survivors self cross total"}, {"over", "patches words heads"}};
    if (row->kind == OPTION_POLICY || !strcmp(row->name, "with-policy"))
        return config_row(CONFIG_POLICY)->values;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strcmp(own[i].name, row->name))
            return own[i].values;
    for (int i = 0; i < CONFIG_COUNT; i++) // the configuration knows the words of the screen's options
        if (config_row((enum config_option)i)->kind == CONFIG_CHOICE && row->kind == OPTION_TEXT &&
            !strcmp(config_row((enum config_option)i)->name, row->name))
            return config_row((enum config_option)i)->values;
    return NULL;
}

static enum value_kind value_of(const struct option_row *row)
{
    static const char *const files[] = {"FILE", "DIR", "PICTURE", "SET", "TRACE", "MODEL", "OUT", "FOLDER"};
    if (!row->argument)
        return VALUE_NONE;
    if (words_of(row))
        return VALUE_WORDS;
    for (size_t i = 0; row->argument && i < sizeof files / sizeof *files; i++)
        if (!strncmp(row->argument, files[i], strlen(files[i])))
            return VALUE_FILE;
    return VALUE_ANY;
}

// What stands where a picture may be: the files, and the names of the bundled ones, which every command finds.
static bool takes_picture(const struct option_command *command)
{
    return strstr(command->usage, "PICTURE") != NULL;
}

static int is_picture(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && !strcmp(dot, ".jpg");
}

static void put_pictures(FILE *out)
{
    char folder[ASSETS_PATH], path[ASSETS_PATH + 16];
    struct dirent **list = NULL;
    int count = 0;
    if (assets_find(folder, NULL)) {
        snprintf(path, sizeof path, "%s/pictures", folder);
        count = scandir(path, &list, is_picture, alphasort);
    }
    for (int i = 0; i < count; i++) {
        fprintf(out, "%s%s", i > 0 ? " " : "", list[i]->d_name);
        free(list[i]);
    }
    free(list);
}

static bool has_words(const struct option_command *command)
{
    for (const struct option_row *row = command->rows; row->name; row++)
        if (row->kind == OPTION_WORD)
            return true;
    return false;
}

// The words that an argument of the command may be.
static void put_words(FILE *out, const struct option_command *command)
{
    const char *between = "";
    for (const struct option_row *row = command->rows; row->name; row++)
        if (row->kind == OPTION_WORD) {
            fprintf(out, "%s%s", between, row->name);
            between = " ";
        }
}

static void put_names(const struct option_command *command, void *context)
{
    for (const struct option_row *row = command->rows; row->name; row++)
        if (row->kind != OPTION_WORD)
            fprintf(context, "--%s ", row->name);
}

static void put_commands(FILE *out, const char *between)
{
    for (const struct command *c = command_list(); c->name; c++)
        fprintf(out, "%s%s", c == command_list() ? "" : between, c->name);
}

// ---- bash -------------------------------------------------------------------------------------------------------

static void put_bash_values(const struct option_command *command, void *context)
{
    FILE *out = context;
    for (const struct option_row *row = command->rows; row->name; row++) {
        if (row->kind == OPTION_WORD)
            continue;
        enum value_kind kind = value_of(row);
        if (kind == VALUE_WORDS)
            fprintf(out, "        %s:--%s) words='%s' ;;\n", command->name, row->name, words_of(row));
        else if (kind == VALUE_FILE)
            fprintf(out, "        %s:--%s) files=yes ;;\n", command->name, row->name);
        else if (kind == VALUE_ANY)
            fprintf(out, "        %s:--%s) return ;;\n", command->name, row->name);
    }
}

static void put_bash_options(const struct option_command *command, void *context)
{
    FILE *out = context;
    fprintf(out, "        %s) words='", command->name[0] ? command->name : "''");
    put_names(command, out);
    fputs("--lang --help' ;;\n", out);
}

static void put_bash_arguments(const struct option_command *command, void *context)
{
    FILE *out = context;
    if (!has_words(command) && !takes_picture(command))
        return;
    fprintf(out, "            %s) words+=' ", command->name[0] ? command->name : "''");
    if (has_words(command))
        put_words(out, command);
    else
        put_pictures(out);
    fprintf(out, "'%s ;;\n", has_words(command) ? " files=" : "");
}

void completions_write_bash(FILE *out)
{
    fputs("# Completion of trimscope for bash; made by `trimscope help bash`.\n"
          "_trimscope() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= files=\n"
          "    COMPREPLY=()\n"
          "    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    if ((COMP_CWORD > 1)); then\n"
          "        case ${COMP_WORDS[1]} in\n"
          "        ",
          out);
    put_commands(out, "|");
    fputs(") command=${COMP_WORDS[1]} ;;\n        esac\n    fi\n"
          "    case $command:$prev in\n"
          "        *:--lang) words='en zh_CN auto' ;;\n"
          "        help:help) words='man bash zsh fish ",
          out);
    put_commands(out, " ");
    fputs("' ;;\n", out);
    options_visit(cmd_screen, "", put_bash_values, out);
    for (const struct command *c = command_list(); c->name; c++)
        options_visit(c->run, c->name, put_bash_values, out);
    fputs("    esac\n"
          "    if [[ -z $words && -z $files ]]; then\n"
          "        if [[ $cur == -* ]]; then\n"
          "            case $command in\n",
          out);
    options_visit(cmd_screen, "", put_bash_options, out);
    for (const struct command *c = command_list(); c->name; c++)
        options_visit(c->run, c->name, put_bash_options, out);
    fputs("            esac\n"
          "        else\n"
          "            files=yes\n"
          "            ((COMP_CWORD == 1)) && words='",
          out);
    put_commands(out, " ");
    fputs("'\n            case $command in\n", out);
    options_visit(cmd_screen, "", put_bash_arguments, out);
    for (const struct command *c = command_list(); c->name; c++)
        options_visit(c->run, c->name, put_bash_arguments, out);
    fputs("            esac\n        fi\n    fi\n"
          "    [[ -n $words ]] && mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
          "    if [[ -n $files ]]; then\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        local found\n"
          "        mapfile -t found < <(compgen -f -- \"$cur\")\n"
          "        COMPREPLY+=(\"${found[@]}\")\n"
          "    fi\n"
          "}\n"
          "complete -F _trimscope trimscope\n",
          out);
}

// ---- zsh --------------------------------------------------------------------------------------------------------

// Within '...' and [...] of _arguments.
static void put_zsh_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void put_zsh_command(const struct option_command *command, void *context)
{
    FILE *out = context;
    fprintf(out, "    %s)\n        _arguments \\\n", command->name[0] ? command->name : "*");
    for (const struct option_row *row = command->rows; row->name; row++) {
        if (row->kind == OPTION_WORD)
            continue;
        enum value_kind kind = value_of(row);
        fprintf(out, "            '%s--%s%s[", row->kind == OPTION_LIST ? "*" : "", row->name,
                kind == VALUE_NONE ? "" : "=");
        put_zsh_text(out, _(row->help));
        fputc(']', out);
        if (kind != VALUE_NONE) {
            fputc(':', out);
            put_zsh_text(out, row->argument ? row->argument : "");
            fputc(':', out);
        }
        if (kind == VALUE_FILE)
            fputs("_files", out);
        else if (kind == VALUE_WORDS)
            fprintf(out, "(%s)", words_of(row));
        fputs("' \\\n", out);
    }
    fputs("            '--lang=[language]:NAME:(en zh_CN auto)' '--help[help]' \\\n", out);
    if (!strcmp(command->name, "help")) {
        fputs("            '1:about:(man bash zsh fish ", out);
        put_commands(out, " ");
        fputs(")'\n        ;;\n", out);
    } else if (has_words(command)) {
        fputs("            '*:word:(", out);
        put_words(out, command);
        fputs(")'\n        ;;\n", out);
    } else {
        fprintf(out, "            '*:file:%s'\n        ;;\n", takes_picture(command) ? "_trimscope_pictures" : "_files");
    }
}

void completions_write_zsh(FILE *out)
{
    fputs("#compdef trimscope\n# Made by `trimscope help zsh`.\n_trimscope_pictures() {\n    compadd -- ", out);
    put_pictures(out);
    fputs("\n    _files\n}\n_trimscope() {\n    local -a commands\n    commands=(\n", out);
    for (const struct command *c = command_list(); c->name; c++) {
        fprintf(out, "        '%s:", c->name);
        put_zsh_text(out, _(c->summary));
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n"
          "        _describe -t commands command commands\n"
          "        _trimscope_pictures\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    case $command in\n    ",
          out);
    put_commands(out, "|");
    fputs(") shift words; ((CURRENT--)) ;;\n    esac\n    case $command in\n", out);
    for (const struct command *c = command_list(); c->name; c++)
        options_visit(c->run, c->name, put_zsh_command, out);
    options_visit(cmd_screen, "", put_zsh_command, out);
    fputs("    esac\n}\n_trimscope \"$@\"\n", out);
}

// ---- fish -------------------------------------------------------------------------------------------------------

static void put_fish_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++)
        fprintf(out, strchr("'\\", *text) ? "\\%c" : "%c", *text);
    fputc('\'', out);
}

static void put_fish_condition(FILE *out, const struct option_command *command)
{
    if (command->name[0])
        fprintf(out, "complete -c trimscope -n '__fish_seen_subcommand_from %s'", command->name);
    else
        fputs("complete -c trimscope -n '__trimscope_screen'", out);
}

static void put_fish_command(const struct option_command *command, void *context)
{
    FILE *out = context;
    for (const struct option_row *row = command->rows; row->name; row++) {
        if (row->kind == OPTION_WORD)
            continue;
        enum value_kind kind = value_of(row);
        put_fish_condition(out, command);
        fprintf(out, " -l %s%s", row->name, kind == VALUE_NONE ? "" : kind == VALUE_FILE ? " -rF" : " -x");
        if (kind == VALUE_WORDS)
            fprintf(out, " -a '%s'", words_of(row));
        fputs(" -d ", out);
        put_fish_text(out, _(row->help));
        fputc('\n', out);
    }
    if (!has_words(command) && !takes_picture(command))
        return;
    put_fish_condition(out, command);
    fprintf(out, "%s -a '", has_words(command) ? " -f" : "");
    if (has_words(command))
        put_words(out, command);
    else
        put_pictures(out);
    fputs(has_words(command) ? "'\n" : "' -d ", out);
    if (!has_words(command)) {
        put_fish_text(out, _("bundled picture"));
        fputc('\n', out);
    }
}

void completions_write_fish(FILE *out)
{
    fputs("# Completion of trimscope for fish; made by `trimscope help fish`.\n"
          "function __trimscope_screen\n    not __fish_seen_subcommand_from ",
          out);
    put_commands(out, " ");
    fputs("\nend\n", out);
    for (const struct command *c = command_list(); c->name; c++) {
        fprintf(out, "complete -c trimscope -n '__fish_use_subcommand' -a %s -d ", c->name);
        put_fish_text(out, _(c->summary));
        fputc('\n', out);
    }
    fputs("complete -c trimscope -n '__fish_seen_subcommand_from help' -x -a 'man bash zsh fish ", out);
    put_commands(out, " ");
    fputs("'\ncomplete -c trimscope -l lang -x -a 'en zh_CN auto' -d 'language'\n"
          "complete -c trimscope -l help -d 'help'\n",
          out);
    options_visit(cmd_screen, "", put_fish_command, out);
    for (const struct command *c = command_list(); c->name; c++)
        options_visit(c->run, c->name, put_fish_command, out);
}
