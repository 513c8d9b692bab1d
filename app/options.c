#include "app/options.h"

#include "engine/base/error.h"
#include "ui/measure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80, HELP_COLUMN = 22 };

// Prints `text` in lines of at most COLUMNS; the first starts where the caller has got to, column `indent`, and the
// others are brought there.
static void print_wrapped(const char *text, int indent)
{
    for (bool all = false, first = true; !all; first = false) {
        int length = measure_row(text, COLUMNS - indent, &all);
        printf("%*s%.*s\n", first ? 0 : indent, "", length, text);
        text += length;
        text += strspn(text, " ");
    }
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
        putchar('\n');
        column = 0;
    }
    printf("%*s", HELP_COLUMN - column, "");
    print_wrapped(help, HELP_COLUMN);
}

static void print_word(const char *name, const char *help)
{
    printf("  %-*s", HELP_COLUMN - 2, name);
    print_wrapped(help, HELP_COLUMN);
}

static void print_help(const struct option_command *command)
{
    printf(_("usage: trimscope %s\n\n"), _(command->usage));
    print_wrapped(_(command->about), 0);
    putchar('\n');
    bool words = false;
    for (const struct option_row *row = command->rows; row->name; row++)
        if (row->kind == OPTION_WORD)
            words = true;
        else
            print_row(row->name, row->argument, _(row->help));
    print_row("lang", "NAME", _("en, zh_CN or auto, which asks the environment (default auto)"));
    print_row("help", NULL, _("this text"));
    if (words)
        puts(_("\nArguments:"));
    for (const struct option_row *row = command->rows; row->name; row++)
        if (row->kind == OPTION_WORD)
            print_word(row->name, _(row->help));
    if (!has_policy(command->rows))
        return;
    puts(_("\nPolicies:"));
    for (int p = 0; p < POLICY_COUNT; p++)
        print_word(policy_name((enum policy)p), _(policy_help((enum policy)p)));
}

static bool complain(const struct option_command *command, int *status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool complain(const struct option_command *command, int *status, const char *format, ...)
{
    struct error err;
    va_list arguments;
    va_start(arguments, format);
    error_set_list(&err, ERROR_USAGE, format, arguments); // makes harmless what was given
    va_end(arguments);
    char name[64];
    snprintf(name, sizeof name, *command->name ? "trimscope %s" : "trimscope", command->name); // the screen has none
    fprintf(stderr, _("%s: %s; `%s --help` explains\n"), name, err.text, name);
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
    switch (row->kind) {
    case OPTION_FLAG: *(bool *)row->value = true; return true;
    case OPTION_TEXT: *(const char **)row->value = text; return true;
    case OPTION_NUMBER:
        if (parse_number(text, row))
            return true;
        return complain(command, status, "--%s takes a number from %ld to %ld, not %s", row->name, row->low, row->high,
                        text);
    case OPTION_SHARE:
        return parse_share(text, row->value) ||
               complain(command, status, "--%s takes a share above 0 and at most 1, not %s", row->name, text);
    case OPTION_SEED:
        return parse_seed(text, row->value) ||
               complain(command, status, "--%s takes a number from 0 to 2^64 - 1, not %s", row->name, text);
    case OPTION_LIST:
        return add_to_list(row->value, row->low, text) ||
               complain(command, status, "--%s may be given %d times at most; too many with %s", row->name,
                        OPTION_LIST_MOST, text);
    case OPTION_WORD: break;
    case OPTION_POLICY:
        return policy_find(text, row->value) || complain(command, status, "there is no policy %s", text);
    }
    return false;
}

// The row that argv[*i] names, and its value, which may be behind a "=" or in the next argument.
static bool parse_option(const struct option_command *command, int argc, char **argv, int *i, int *status)
{
    const char *given = argv[*i] + 2, *equals = strchr(given, '=');
    size_t length = equals ? (size_t)(equals - given) : strlen(given);
    for (const struct option_row *row = command->rows; row->name; row++) {
        if (row->kind == OPTION_WORD || strlen(row->name) != length || strncmp(row->name, given, length))
            continue;
        if (!row->argument)
            return !equals ? parse_value(command, row, NULL, status)
                           : complain(command, status, "this option takes no value: %s", argv[*i]);
        if (!equals && *i + 1 >= argc)
            return complain(command, status, "there is no value after %s", argv[*i]);
        return parse_value(command, row, equals ? equals + 1 : argv[++*i], status);
    }
    return complain(command, status, "there is no option %s", argv[*i]);
}

// Who wants to see tables at present. Commands keep theirs in their functions, where the values are.
static struct {
    void (*visit)(const struct option_command *command, void *context);
    void *context;
} visitor;

void options_visit(int (*command)(int argc, char **argv), const char *name,
                   void (*visit)(const struct option_command *command, void *context), void *context)
{
    char own[32];
    char *arguments[] = {own, NULL};
    snprintf(own, sizeof own, "%s", name);
    visitor.visit = visit;
    visitor.context = context;
    command(1, arguments);
    visitor.visit = NULL;
}

bool options_parse(const struct option_command *command, int argc, char **argv, const char *arguments[], int *count,
                   int *status)
{
    bool options = true;
    *count = 0;
    *status = 0;
    if (visitor.visit) {
        visitor.visit(command, visitor.context);
        return false;
    }
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
            return complain(command, status, "there is no option %s", argv[i]);
        } else if (*count == command->most) {
            return complain(command, status, "one argument too many: %s", argv[i]);
        } else {
            arguments[(*count)++] = argv[i];
        }
    }
    if (*count < command->least)
        return complain(command, status, "an argument is missing, usage: trimscope %s", _(command->usage));
    return true;
}
