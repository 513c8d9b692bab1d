#include "app/side_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool read_budget(const char *text, double *budget, struct error *err)
{
    char *end;
    if (!strcmp(text, "as-trained")) {
        *budget = (double)NAN;
        return true;
    }
    *budget = strtod(text, &end);
    return (end > text && !*end && *budget > 0 && *budget <= 1) ||
           error_set(err, ERROR_USAGE, "the budget of a further run is a share above 0 and at most 1, or as-trained, not %s",
                     text);
}

// Where an intervention points hangs on the words and on what was read: another input starts without.
static void set_input(struct side *side, const char **field, const char *value)
{
    *field = value;
    side->changes.count = 0;
}

static bool apply(struct side *side, long field, const char *value, struct error *err)
{
    switch (field) {
    case SIDE_QUESTION: set_input(side, &side->question, value); return true;
    case SIDE_PICTURE: set_input(side, &side->pictures[0], value); return true;
    case SIDE_PICTURE2: set_input(side, &side->pictures[1], value); return true;
    case SIDE_BUDGET: return read_budget(value, &side->budget, err);
    case SIDE_UNCHANGED: side->changes.count = 0; return true;
    case SIDE_POLICY:
        return policy_find(value, &side->policy) ||
               error_set(err, ERROR_USAGE, "there is no policy %s; --help lists them", value);
    default:
        if (side->changes.count == OPTION_LIST_MOST)
            return error_set(err, ERROR_USAGE, "too many changes by hand with %s", value);
        side->changes.ids[side->changes.count] = field - SIDE_CHANGE;
        side->changes.values[side->changes.count++] = value;
        return true;
    }
}

bool side_options_make(const struct side_options *options, struct side list[COMPARE_RUNS], int *count, struct error *err)
{
    list[0] = options->first;
    *count = 1;
    for (int i = 0; i < options->more.count; i++) {
        long id = options->more.ids[i];
        bool too = id & SIDE_AND;
        if (too && *count == 1)
            return error_set(err, ERROR_USAGE, "an option --and-... is about the run that a --with-... before it adds");
        if (!too && *count == COMPARE_RUNS)
            return error_set(err, ERROR_USAGE, "more than %d runs do not fit side by side; leave some --with-... out",
                             COMPARE_RUNS);
        if (!too)
            list[(*count)++] = options->first;
        if (!apply(&list[*count - 1], id & ~(long)SIDE_AND, options->more.values[i], err))
            return false;
    }
    return true;
}

bool side_options_only_questions(const struct side_options *options)
{
    for (int i = 0; i < options->more.count; i++)
        if (options->more.ids[i] != SIDE_QUESTION)
            return false;
    return options->first.changes.count == 0;
}
