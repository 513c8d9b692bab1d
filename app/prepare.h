// From a command line to a run that is ready to be stepped: weights, pictures, question, policy, and changes by hand.
#ifndef TRIMSCOPE_APP_PREPARE_H
#define TRIMSCOPE_APP_PREPARE_H

#include "app/options.h"
#include "engine/run/intervention_text.h"
#include "app/writing_options.h"
#include "engine/run/run.h"

struct prepare_settings {
    const char *model; // NULL: the bundled one
    struct run_options options;
    struct writing_settings writing;
    long threads;
    struct option_list changes; // OPTION_ROWS_CHANGES
};
struct prepare_settings prepare_settings_default(void);

// What is opened; prepare_close() takes whatever prepare_run() left.
struct prepared {
    struct model *model;
    struct thread_pool *pool;
    struct run *run;
};

// arguments: as many pictures as the model takes, then the question; a caption may be asked for without one. What is out of the ordinary about them goes to
// stderr. False and one sentence on bad input; then too *prepared is to be closed.
bool prepare_run(struct prepared *prepared, const struct prepare_settings *settings, const char *const arguments[],
                 int count, struct error *err);
// Steps to the end.
bool prepare_finish(struct prepared *prepared, struct error *err);
void prepare_close(struct prepared *prepared);

// The changes of a list made to a run, as one; false and one sentence that names the option.
bool prepare_changes(struct run *run, const struct option_list *changes, struct error *err);

// Rows of a command's table. OPTION_CHANGES must be the address of a struct option_list where they are used.
#define OPTION_ROW_CHANGE(id, name, argument, help) {name, OPTION_LIST, OPTION_CHANGES, argument, help, id, 0},
#define OPTION_ROWS_CHANGES INTERVENTION_OPTIONS(OPTION_ROW_CHANGE)

// The rows that every command about one run takes: `settings` is a struct prepare_settings.
#define OPTION_ROWS_RUN(settings)                                                                              \
    OPTION_ROW_MODEL(&(settings).model), OPTION_ROW_POLICY(&(settings).options.policy),                        \
        OPTION_ROW_BUDGET(&(settings).options.budget), OPTION_ROW_SEED(&(settings).options.seed),              \
        OPTION_ROW_EXACT(&(settings).options.exact), OPTION_ROWS_WRITING((settings).writing),                  \
        OPTION_ROW_THREADS(&(settings).threads)

#endif
