// The training loop: scenes from the world, gradients on every thread, AdamW, curriculum, evaluation.
// The same settings, start and number of threads give the same weights on the same machine.
#ifndef TRIMSCOPE_LEARN_TRAINER_H
#define TRIMSCOPE_LEARN_TRAINER_H

#include "engine/learn/objective.h"
#include "engine/learn/settings.h"

#include <stdatomic.h>

struct trainer;
struct checkpoint_measures;
struct tensor_list;

struct trainer_options {
    struct model_config config; // for training from nothing, or of `init` with trimmers added
    struct train_settings settings;
    const struct world *world; // to learn from; NULL: the set below
    const char *set, *held_out; // paths of question sets; held_out may be NULL. `init` must outlive the trainer then
    const struct tensor_list *init;    // start weights; NULL: random
    bool grow;                         // they may have fewer or more layers, less width, or be of a world with fewer words
    const struct tensor_list *teacher; // frozen full model for distillation, of any shape; NULL: a frozen backbone itself
    int threads;
    int fixed_scenes; // train on these first scenes again and again, made once; 0: always new ones
    const atomic_bool *stop; // set by a signal or another thread: a step or an evaluation ends after the scenes at hand
};

struct train_progress {
    long step, steps, questions;
    double loss[TERMS], accuracy; // over the steps since the last report
    double statement_accuracy; // about two pictures; NaN where there were none
    double family_accuracy[WORLD_FAMILY_COUNT]; // NaN where no question was asked
    double share, target;         // multiply-adds spent on average, and asked for
    double alive[NET_LAYERS];     // share of patches alive in each fusion layer,
    double budget[NET_LAYERS];    // and what may stay there before it costs
    double heads, words;          // shares on and alive lately, over all fusion layers
    double rate, gradient_norm, questions_per_second, seconds_left;
};

// NULL and a sentence in *err when settings, model or memory do not fit.
struct trainer *trainer_new(const struct trainer_options *options, struct error *err);
void trainer_free(struct trainer *trainer);

// Questions of the whole run: the setting `total`, or where that is 0 as many as the set is worth.
int trainer_total(const struct trainer *trainer);

// One optimizer step. False when the run is complete, or when it cannot go on (trainer_broken()), or was stopped: nothing
// has changed then.
bool trainer_step(struct trainer *trainer);
bool trainer_stopped(const struct trainer *trainer);

// Why no further step is possible: a picture that cannot be read. NULL: nothing is wrong. Owned by the trainer.
const struct error *trainer_broken(const struct trainer *trainer);

// What happened since the last call.
struct train_progress trainer_progress(struct trainer *trainer);

// At the end of a run: makes the weights their mean with the full model's, as the setting `blend` says, in memory alone (a
// state goes on from what was trained). Averages of fine-tuned weights and their start are often better than both
// (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
void trainer_blend(struct trainer *trainer);

// Accuracy on `scenes` scenes of the world `seed`, or pictures of the held-out set, where the full model's answer is right if
// none is given; all patches, deterministic masks if `trim`. *share (may be NULL)
// gets the mean share of dense multiply-adds, *lift the relevance lift (needed / other patches alive at the end).
struct objective_sums trainer_evaluate(struct trainer *trainer, uint64_t seed, int scenes, bool trim, double *share,
                                       double *lift);

// Writes a state to go on from, or a model: `keep` fp16 without auxiliary heads, else as it is. measures: metadata that
// was measured of these weights, NULL for none.
bool trainer_save_state(struct trainer *trainer, const char *path, struct error *err);
bool trainer_save_model(struct trainer *trainer, const char *path, bool keep,
                        const struct checkpoint_measures *measures, struct error *err);
// A state of a run with other settings (but a longer or shorter one) is an error, unless `change`.
bool trainer_resume(struct trainer *trainer, const char *path, bool change, struct error *err);

// Seconds that the whole run takes on this machine, from `steps` steps at its beginning and as many in its tail. Trimmers
// of a run that has just begun keep everything: a SmartTrim stage takes less. The trainer is of no use afterwards.
double trainer_estimate(struct trainer *trainer, int steps);

#endif
