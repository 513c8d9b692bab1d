#include "app/options.h"

#include "engine/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80, HELP_COLUMN = 22 };

// Prints `text` in lines of at most COLUMNS, starting at `column`; further lines are indented to HELP_COLUMN.
static void print_wrapped(const char *text, int column, int indent)
{
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column > indent && column + 1 + word > COLUMNS) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        printf("%.*s", word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static bool has_policy(const struct option_row *rows)
{
    for (; rows->name; rows++)
        if (rows->kind == OPTION_POLICY)
            return true;
    return false;
}

static void print_row(const char *name, const char *argument, const char *help)
{
    int column = printf("  --%s%s%s", name, argument ? " " : "", argument ? argument : "");
    if (column >= HELP_COLUMN) {
        printf("\n");
        column = 0;
    }
    printf("%*s", HELP_COLUMN - column, "");
    print_wrapped(help, HELP_COLUMN, HELP_COLUMN);
}

static void print_help(const struct option_command *command)
{
    printf("usage: trimscope %s\n\n", command->usage);
    print_wrapped(command->about, 0, 0);
    putchar('\n');
    for (const struct option_row *row = command->rows; row->name; row++)
        print_row(row->name, row->argument, row->help);
    print_row("lang", "NAME", "en, zh_CN or auto, which asks the environment (default auto)");
    print_row("help", NULL, "this text");
    if (!has_policy(command->rows))
        return;
    puts("\nPolicies:");
    for (int p = 0; p < POLICY_COUNT; p++) {
        printf("  %-*s", HELP_COLUMN - 2, policy_name((enum policy)p));
        print_wrapped(policy_help((enum policy)p), HELP_COLUMN, HELP_COLUMN);
    }
}

static bool complain(const struct option_command *command, int *status, const char *what, const char *which)
{
    struct error err;
    error_set(&err, ERROR_USAGE, "%s%s", what, which); // makes harmless what was given
    const char *space = *command->name ? " " : ""; // the screen has no name
    fprintf(stderr, "trimscope%s%s: %s; `trimscope%s%s --help` explains\n", space, command->name, err.text, space,
            command->name);
    *status = ERROR_USAGE;
    return false;
}

static bool parse_number(const char *text, const struct option_row *row)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < row->low || value > row->high)
        return false;
    *(long *)row->value = value;
    return true;
}

static bool parse_share(const char *text, double *share)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value > 0 && value <= 1))
        return false;
    *share = value;
    return true;
}

static bool parse_seed(const char *text, uint64_t *seed)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end || errno || strchr(text, '-'))
        return false;
    *seed = value;
    return true;
}

static bool add_to_list(struct option_list *list, long id, const char *text)
{
    if (list->count == OPTION_LIST_MOST)
        return false;
    list->ids[list->count] = id;
    list->values[list->count++] = text;
    return true;
}

static bool parse_value(const struct option_command *command, const struct option_row *row, const char *text,
                        int *status)
{
    char message[160];
    switch (row->kind) {
    case OPTION_FLAG: *(bool *)row->value = true; return true;
    case OPTION_TEXT: *(const char **)row->value = text; return true;
    case OPTION_NUMBER:
        if (parse_number(text, row))
            return true;
        snprintf(message, sizeof message, "--%s takes a number from %ld to %ld, not ", row->name, row->low, row->high);
        return complain(command, status, message, text);
    case OPTION_SHARE:
        snprintf(message, sizeof message, "--%s takes a share above 0 and at most 1, not ", row->name);
        return parse_share(text, row->value) || complain(command, status, message, text);
    case OPTION_SEED:
        snprintf(message, sizeof message, "--%s takes a number from 0 to 2^64 - 1, not ", row->name);
        return parse_seed(text, row->value) || complain(command, status, message, text);
    case OPTION_LIST:
        snprintf(message, sizeof message, "--%s may be given %d times at most; too many with ", row->name,
                 OPTION_LIST_MOST);
        return add_to_list(row->value, row->low, text) || complain(command, status, message, text);
    case OPTION_POLICY: return policy_find(text, row->value) || complain(command, status, "there is no policy ", text);
    }
    return false;
}

// The row that argv[*i] names, and its value, which may be behind a "=" or in the next argument.
static bool parse_option(const struct option_command *command, int argc, char **argv, int *i, int *status)
{
    const char *given = argv[*i] + 2, *equals = strchr(given, '=');
    size_t length = equals ? (size_t)(equals - given) : strlen(given);
    for (const struct option_row *row = command->rows; row->name; row++) {
        if (strlen(row->name) != length || strncmp(row->name, given, length))
            continue;
        if (row->kind == OPTION_FLAG)
            return !equals ? parse_value(command, row, NULL, status)
                           : complain(command, status, "this option takes no value: ", argv[*i]);
        if (!equals && *i + 1 >= argc)
            return complain(command, status, "there is no value after ", argv[*i]);
        return parse_value(command, row, equals ? equals + 1 : argv[++*i], status);
    }
    return complain(command, status, "there is no option ", argv[*i]);
}

bool options_parse(const struct option_command *command, int argc, char **argv, const char *arguments[], int *count,
                   int *status)
{
    bool options = true;
    *count = 0;
    *status = 0;
    for (int i = 1; i < argc; i++) {
        if (options && !strcmp(argv[i], "--")) {
            options = false;
        } else if (options && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
            print_help(command);
            return false;
        } else if (options && argv[i][0] == '-' && argv[i][1] == '-') {
            if (!parse_option(command, argc, argv, &i, status))
                return false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            return complain(command, status, "there is no option ", argv[i]);
        } else if (*count == command->most) {
            return complain(command, status, "one argument too many: ", argv[i]);
        } else {
            arguments[(*count)++] = argv[i];
        }
    }
    if (*count < command->least)
        return complain(command, status, "an argument is missing, usage: trimscope ", command->usage);
    return true;
}
