// The table of sub-commands: main(), the help and the tests read it.
#ifndef TRIMSCOPE_APP_COMMANDS_H
#define TRIMSCOPE_APP_COMMANDS_H

#include "ui/words.h"

#include <stdio.h>

// name, function, one line for the help. Each function gets its own arguments with argv[0] = the command's name,
// and returns an exit status (enum error_code).
// clang-format off
#define COMMANDS(X)                                                                                            \
    X(lessons, cmd_lessons, N_("a guided tour, bound to live runs"))                                               \
    X(run, cmd_run, N_("asks one question about a picture, without a screen"))                                     \
    X(why, cmd_why, N_("says why something was dropped, and what must come back"))                                 \
    X(compare, cmd_compare, N_("runs side by side: questions, policies, budgets, pictures"))                       \
    X(eval, cmd_eval, N_("asks a question set: accuracy, cost, relevance"))                                        \
    X(sweep, cmd_sweep, N_("policies times budgets over a set: accuracy against FLOPs and time"))                  \
    X(browse, cmd_browse, N_("results on the screen: figures, the table of questions, Pareto front"))              \
    X(redundancy, cmd_redundancy, N_("how alike tokens and heads are in each layer, over inputs"))                 \
    X(merge, cmd_merge, N_("puts the results of parts of a set together, or compares two runs"))                   \
    X(verify, cmd_verify, N_("compares a model with the tensors of another implementation"))                       \
    X(world, cmd_world, N_("makes pictures of the procedural world, and questions about them"))                    \
    X(compose, cmd_compose, N_("draws a scene of the world from its description"))                                 \
    X(edit, cmd_edit, N_("blanks, blurs or moves a part of a picture in a copy"))                                  \
    X(train, cmd_train, N_("trains the bundled model on the procedural world"))                                    \
    X(import, cmd_import, N_("makes a weights file of a published METER or BLIP checkpoint"))                      \
    X(replay, cmd_replay, N_("shows a saved run, no model needed"))                                                \
    X(export, cmd_export, N_("writes a run as a page, a picture, a figure or a table"))                            \
    X(help, cmd_help, N_("explains a command; the manual page, completions for shells"))                            \
    X(doctor, cmd_doctor, N_("says what this terminal and machine can do"))                                        \
    X(bench, cmd_bench, N_("speed on this machine, as ratios"))
// clang-format on

#define COMMAND_DECLARE(name, function, summary) int function(int argc, char **argv);
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary; // marked by N_()
};

// All of them; the last one has no name.
const struct command *command_list(void);
const struct command *command_find(const char *name); // NULL: none
// Names and summaries, below a line that says how to go on.
void command_print_all(FILE *out);

// The screen, which has no name of its own.
int cmd_screen(int argc, char **argv);

#endif
