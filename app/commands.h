// The table of sub-commands: main(), the help and the tests read it.
#ifndef TRIMSCOPE_APP_COMMANDS_H
#define TRIMSCOPE_APP_COMMANDS_H

// name, function, one line for the help. Each function gets its own arguments with argv[0] = the command's name,
// and returns an exit status (enum error_code).
// clang-format off
#define COMMANDS(X)                                                                                            \
    X(run, cmd_run, "asks one question about a picture, without a screen")                                     \
    X(why, cmd_why, "says why something was dropped, and what must come back")                                 \
    X(compare, cmd_compare, "runs side by side: questions, policies, budgets, pictures")                       \
    X(eval, cmd_eval, "asks a question set: accuracy, cost, relevance")                                        \
    X(sweep, cmd_sweep, "policies times budgets over a set: accuracy against FLOPs and time")                  \
    X(browse, cmd_browse, "results on the screen: figures, the table of questions, Pareto front")              \
    X(redundancy, cmd_redundancy, "how alike tokens and heads are in each layer, over inputs")                 \
    X(merge, cmd_merge, "puts the results of parts of a set together, or compares two runs")                   \
    X(verify, cmd_verify, "compares a model with the tensors of another implementation")                       \
    X(world, cmd_world, "makes pictures of the procedural world, and questions about them")                    \
    X(compose, cmd_compose, "draws a scene of the world from its description")                                 \
    X(edit, cmd_edit, "blanks, blurs or moves a part of a picture in a copy")                                  \
    X(train, cmd_train, "trains the bundled model on the procedural world")                                    \
    X(replay, cmd_replay, "shows a saved run, no model needed")                                                \
    X(export, cmd_export, "writes a run as a page, a picture, a figure or a table")                            \
    X(doctor, cmd_doctor, "says what this terminal and machine can do")                                        \
    X(bench, cmd_bench, "speed on this machine, as ratios")
// clang-format on

#define COMMAND_DECLARE(name, function, summary) int function(int argc, char **argv);
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

// The screen, which has no name of its own.
int cmd_screen(int argc, char **argv);

#endif
