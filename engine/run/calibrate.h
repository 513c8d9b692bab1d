// Making the metadata `calibration` of a weights file (format: engine/prune/budget.h) from a question set.
#ifndef TRIMSCOPE_RUN_CALIBRATE_H
#define TRIMSCOPE_RUN_CALIBRATE_H

#include "engine/base/error.h"

#include <stdatomic.h>

struct model;
struct picture;
struct thread_pool;

struct calibration_sample {
    const struct picture *pictures[2]; // as many as the task needs
    const char *question;
};

// Runs every sample under fifty to a hundred threshold shifts, with and without cross-modal guidance, and says what share of the
// dense multiply-adds each shift spends on average, and how many tokens and heads it leaves in each layer. The shifts
// are quantiles of the scores that the samples get, 0, and more where the share changes fast. The JSON is malloc'ed; NULL and *err when the model has no
// token trimmers, a sample cannot be run, there is no memory, or `stop` (may be NULL) has been set.
char *calibrate(const struct model *model, const struct calibration_sample *samples, int count,
                struct thread_pool *pool, const atomic_bool *stop, struct error *err);

#endif
