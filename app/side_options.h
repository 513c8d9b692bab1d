// Several runs from one command line: the first as it is, and what each further one differs in.
//
//   --with-question Q   a further run that differs from the first in this
//   --and-budget B      and the run added last in this, too
//
// The same names with "with" and "and" for policies, budgets, pictures and changes by hand. A run that asks the same of the
// same pictures has the first one's changes by hand, unless it is --with-unchanged (or --and-unchanged).
#ifndef TRIMSCOPE_APP_SIDE_OPTIONS_H
#define TRIMSCOPE_APP_SIDE_OPTIONS_H

#include "app/prepare.h"
#include "app/sides.h"

enum side_field {
    SIDE_QUESTION,
    SIDE_POLICY,
    SIDE_BUDGET,
    SIDE_PICTURE,
    SIDE_PICTURE2,
    SIDE_UNCHANGED,
    SIDE_CHANGE,   // and the kind of the intervention behind it
    SIDE_AND = 64, // to the run added last
};

struct side_options {
    struct side first;       // its changes by hand are OPTION_ROWS_CHANGES
    struct option_list more; // OPTION_ROWS_SIDES, in the order given
};

// Rows of a command's table.
#define OPTION_SIDE_CHANGE(id, name, argument, help)                                                           \
    {"with-" name, OPTION_LIST, OPTION_SIDES, argument, N_("a run with this change by hand"), SIDE_CHANGE + id, 0},
#define OPTION_SIDE_CHANGE_TOO(id, name, argument, help)                                                       \
    {"and-" name, OPTION_LIST, OPTION_SIDES, argument, N_("this change by hand in the run added last, too"),  \
     (SIDE_CHANGE + id) | SIDE_AND, 0},
#define OPTION_SIDE(name, argument, with, field)                                                               \
    {"with-" name, OPTION_LIST, OPTION_SIDES, argument, with, field, 0},                                       \
        {"and-" name, OPTION_LIST, OPTION_SIDES, argument, N_("the same for the run added last"), field | SIDE_AND, 0},
// OPTION_SIDES must be the address of a struct option_list where they are used.
#define OPTION_ROWS_SIDES                                                                                      \
    OPTION_SIDE("question", "QUESTION", N_("a run with another question"), SIDE_QUESTION)                     \
    OPTION_SIDE("policy", "NAME", N_("a run with another policy"), SIDE_POLICY)                               \
    OPTION_SIDE("budget", "SHARE", N_("a run with another budget (as-trained: none)"), SIDE_BUDGET)           \
    OPTION_SIDE("picture", "FILE", N_("a run with another (first) picture"), SIDE_PICTURE)                    \
    OPTION_SIDE("picture2", "FILE", N_("a run with another second picture"), SIDE_PICTURE2)                   \
    OPTION_SIDE("unchanged", NULL, N_("a run without the changes by hand of the first"), SIDE_UNCHANGED)      \
    INTERVENTION_OPTIONS(OPTION_SIDE_CHANGE) INTERVENTION_OPTIONS(OPTION_SIDE_CHANGE_TOO)

// The runs that were asked for, the first one first; the strings are borrowed. False and one sentence on bad input.
bool side_options_make(const struct side_options *options, struct side list[COMPARE_RUNS], int *count, struct error *err);

// Whether nothing but further questions was asked for.
bool side_options_only_questions(const struct side_options *options);

#endif
