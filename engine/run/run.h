// One picture (or two) and one question passing through a model, stage by stage.
#ifndef TRIMSCOPE_RUN_RUN_H
#define TRIMSCOPE_RUN_RUN_H

#include "engine/base/error.h"
#include "engine/prune/policy.h"
#include "engine/run/trace.h"

#include <stdbool.h>

struct model;
struct picture;
struct run;
struct thread_pool;

struct run_options {
    enum policy policy;
    double budget;          // share of the dense multiply-adds, on average over the calibration set; NaN: as trained
    bool trim_tokens, trim_heads;
    uint64_t seed;          // of POLICY_RANDOM
    struct thread_pool *pool;
};
struct run_options run_options_default(void);

// Prepares a run; computes nothing yet. The model must outlive the run; pictures are copied (as many as the task
// needs). A word that the vocabulary lacks is no error. NULL and *err on bad input.
struct run *run_new(const struct model *model, const struct picture *const pictures[], int picture_count,
                    const char *question, const struct run_options *options, struct error *err);
void run_free(struct run *run);

// Computes exactly one stage and appends it to the trace. False when all are done (or on error: *err is set).
// Once warm (a run of the same shape has been made with this struct run) it allocates nothing but trace memory.
bool run_step(struct run *run, struct error *err);
bool run_finished(const struct run *run);

// Owned by the run, changed by run_step() and interventions only.
const struct trace *run_trace(const struct run *run);

// Records an intervention, drops the stages it changes (see DESIGN.md) and leaves them to run_step(). Returns the
// index of the first stage to be computed again. run_undo() takes the last intervention back likewise, -1 if none.
int run_intervene(struct run *run, const struct intervention *intervention);
int run_undo(struct run *run);

// Other question, policy or budget on the same picture: keeps the stages that cannot change.
bool run_ask(struct run *run, const char *question, struct error *err);
bool run_set_policy(struct run *run, enum policy policy, double budget, struct error *err);

// Attention probabilities of one head in a finished stage, averaged over nothing: out[queries * keys], rows and
// columns over the ORIGINAL tokens of the query and key streams, NaN where a token was dropped. Recomputed on
// demand from the snapshots. `module` MSA: keys are the same stream.
bool run_attention(struct run *run, int stage, int stream, enum attention_module module, int head, float *out,
                   int *queries, int *keys, struct error *err);

#endif
