// Inside the trainer: its state, and the steps that its files share.
#ifndef TRIMSCOPE_LEARN_TRAINER_PRIVATE_H
#define TRIMSCOPE_LEARN_TRAINER_PRIVATE_H

#include "engine/learn/checkpoint.h"
#include "engine/learn/learn_set.h"
#include "engine/learn/trainer.h"
#include "engine/learn/upkeep.h"

enum { MEMORY_STEPS = 2, WORKERS_LIMIT = 64 };
// In logits: with thresholds this much looser a trained trimmer drops nothing, this much tighter a fifth less is spent.
#define LOOSEST_SHIFT ((real)8)
#define TIGHTEST_SHIFT ((real)-2)

// Statistics that a step sums over its scenes.
struct step_sums {
    struct objective_sums objective;
    double share, alive[NET_LAYERS];
    double measured; // questions in them and in the upkeep: those that count
    struct upkeep upkeep;
    double needed_alive, needed_all, other_alive, other_all; // patches, for the relevance lift
};

struct worker {
    struct tape tape;
    real *gradient;
    struct sample *sample;         // of the world; two where there are pairs of pictures
    struct set_sample set_sample;  // of a set
    bool failed;
    struct error error;
    real *teacher_logits;
    struct step_sums sums;
};

// The full model that the student learns from, with a shape of its own.
struct teacher {
    struct params params;
    struct net net;
    const real *value; // of its parameters; a frozen backbone is its own teacher; NULL: there is none
};

struct trainer {
    struct train_settings settings;
    struct model_config config;
    struct params params;
    struct teacher teacher;
    struct language language;
    struct net net;
    struct objective objective;
    const struct world *world;  // NULL: pictures and questions of a set
    struct learn_set set, held_out;
    const struct tensor_list *base; // of a set: the file that training began with
    int *set_answer_words;      // of a model with that option that learns from a set
    struct thread_pool *pool;
    const atomic_bool *stop;
    struct error broken;        // why no further step is possible
    struct sample *fixed; // fixed_scenes of them, NULL: always new ones
    int fixed_scenes, workers;
    struct worker *worker;
    real *moment1, *moment2;
    long steps;
    struct train_position at;
    double seconds;                  // of training since this process started
    struct train_progress window;    // sums since the last report
    long window_steps, window_questions, session_questions;
    struct objective_sums window_sums;
    double window_share, window_measured, window_alive[NET_LAYERS];
    // What the running step asks of its workers.
    uint64_t eval_seed;
    bool eval_trim;
    int eval_scenes;
};


// Whether the model takes two pictures a question, each in a pass of its own: then all there is are pairs (trainer_pair.c).
static inline bool trainer_pairs_alone(const struct trainer *t)
{
    return t->config.pictures == 2 && t->net.pictures == 1;
}

static inline double trainer_done(const struct trainer *t)
{
    return (double)t->at.step / (double)t->steps;
}

// What one worker makes of a scene or of a picture with its questions; it stays the worker's until the next one.
struct trainer_material {
    struct net_batch batch;
    struct objective_target target;
};

// trainer_scene.c. Scene `index` of the world, where the trainer has one (`fixed` ones excepted).
void trainer_make_scene(const struct trainer *t, struct sample *sample, uint64_t index, struct random *random);
// A picture of a set with its questions as it stands in w->set_sample.
struct trainer_material trainer_set_material(struct worker *w);
// Whether the full model is asked in a step: it may be there for the mean of the weights alone.
static inline bool trainer_taught(const struct trainer *t)
{
    return t->teacher.value && t->settings.distill > 0;
}

// The full model's logits of the material in w->teacher_logits; where it writes, it first writes the answers that nobody gave.
void trainer_teach(const struct trainer *t, struct worker *w, struct trainer_material *material);
// Adds what the masks of a pass of all patches keep and cost.
// `weight`: of this pass among those of a question.
void trainer_measure(const struct trainer *t, const struct trainer_material *material, const struct net_state *state,
                     double weight, struct step_sums *sums);
// trainer_pair.c. Scenes of a step, the last ones, that are pairs of pictures with a pass each.
int trainer_pair_scenes(const struct trainer *t);
// What trainer_scene() does, with pair `index` of the run.
void trainer_pair(struct trainer *t, struct worker *w, uint64_t index);
// Judges the statements of pair `index` of the world eval_seed, or of the held-out set; false when there is no such pair, and
// w->failed when a picture cannot be read.
bool trainer_evaluate_pair(const struct trainer *t, struct worker *w, int index, const struct net_trimming *trimming);
// How masks are drawn at this point of the run.
struct net_trimming trainer_trimming(const struct trainer *t, struct random *random);
// Whether what a pass keeps is measured and costs: none with other thresholds, which would be held to a target that is not
// theirs.
bool trainer_counts(const struct trainer *t, const struct net_trimming *trimming);
// How many patches enter the fusion layers, by lot.
int trainer_patches(const struct trainer *t, struct random *random);
// What the cost objective and the layer budgets say to the masks of a pass.
void trainer_push_costs(const struct trainer *t, const struct net_batch *batch, struct net_state *state,
                        double question_scale);
// Forward and backward pass of scene `index` of the run; w->failed when its picture cannot be read.
void trainer_scene(struct trainer *t, struct worker *w, uint64_t index);

#endif
