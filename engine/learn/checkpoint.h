// Weights files that training writes: a model that everything reads, and resumable states.
#ifndef TRIMSCOPE_LEARN_CHECKPOINT_H
#define TRIMSCOPE_LEARN_CHECKPOINT_H

#include "engine/learn/language.h"
#include "engine/learn/net.h"
#include "engine/learn/settings.h"

#include <stdbool.h>

struct world;
struct tensor_list;

// Where a run stands.
struct train_position {
    long step, questions;
    double share, heads, words, alive[NET_LAYERS]; // running means that the cost objective looks at
};

// What was measured of finished weights and goes into their metadata; NULL: nothing.
struct checkpoint_measures {
    const char *calibration;      // JSON (engine/prune/budget.h)
    const char *pair_calibration; // the same of statements about two pictures
    const char *familiarity; // JSON (engine/run/familiar.h)
};

struct checkpoint {
    const struct model_config *config;
    const struct params *params;
    const struct language *language;
    const struct world *world;
    const struct tensor_list *base; // where there is no world: the file that words, answers and storage are taken from
    const char *training;          // JSON of the settings
    // Of AdamW, over params->trained; NULL: a model without the means to go on. A state holds what is trained, and of a
    // frozen backbone a digest.
    const real *moment1, *moment2;
    struct train_position position;
    bool half, aux; // store fp16; keep the auxiliary heads
    struct checkpoint_measures measures;
};

// Writes `path` whole or not at all.
bool checkpoint_write(const struct checkpoint *checkpoint, const char *path, struct error *err);

// Reads the state of an interrupted run of the same model; params, moments and *position are overwritten. Settings that
// differ from the state's are an error (train_settings_difference()); NULL: they may.
bool checkpoint_resume(const char *path, const struct train_settings *settings, struct params *params, real *moment1,
                       real *moment2, struct train_position *position, struct error *err);

// Whether a weights file speaks the world's language: the same vocabulary and the same answers in the same order; with
// `grow` the world may have more words after those.
bool checkpoint_check_language(const struct tensor_list *file, const struct language *language,
                               const struct world *world, bool grow, struct error *err);

#endif
