// The last act of the SmartTrim stage: what each threshold shift of the finished model spends.
#ifndef TRIMSCOPE_APP_TRAIN_CALIBRATION_H
#define TRIMSCOPE_APP_TRAIN_CALIBRATION_H

#include "engine/base/error.h"

#include <stdatomic.h>

struct world;

// Runs the weights file on up to `count` questions about held-out scenes of the world, TRAIN_CALIBRATION_MOST at most, and
// returns its `calibration` (engine/prune/budget.h), malloc'ed; NULL and *err on failure. `stop` set: ERROR_CANCELLED.
enum { TRAIN_CALIBRATION_MOST = 256 };
char *train_calibration(const char *weights, const struct world *world, int count, int threads, const atomic_bool *stop,
                        struct error *err);

// The same of a model's task for two pictures, on statements about pairs of the world.
char *train_pair_calibration(const char *weights, const struct world *world, int count, int threads, const atomic_bool *stop,
                             struct error *err);

// The same on up to `count` questions of a question set.
char *train_calibration_on_set(const char *weights, const char *set, int count, int threads, const atomic_bool *stop,
                               struct error *err);

// What the world's pictures look like (engine/run/familiar.h), as `familiarity` metadata, malloc'ed; NULL and *err on
// failure.
char *train_familiarity(const struct world *world, int threads, struct error *err);

#endif
