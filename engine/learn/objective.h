// What training minimises: the answer, distillation from the full model, and auxiliary targets that the procedural
// world knows (kind and colour of each patch, which patches a question needs, where they are, how many there are).
#ifndef TRIMSCOPE_LEARN_OBJECTIVE_H
#define TRIMSCOPE_LEARN_OBJECTIVE_H

#include "engine/learn/net.h"
#include "engine/learn/sample.h"

struct objective_weights {
    real answer, distill, temperature;
    real patch, color, ground, where, count; // auxiliary
};

// The auxiliary heads' parameters.
struct objective {
    struct objective_weights weights;
    const struct language *language;
    struct linear_ref patch, background, color, where, count, ground[NET_LAYERS];
};

enum objective_term { TERM_ANSWER, TERM_DISTILL, TERM_PATCH, TERM_COLOR, TERM_GROUND, TERM_WHERE, TERM_COUNT, TERMS };
const char *objective_term_name(enum objective_term term);

void objective_init(struct objective *objective, const struct params *params, const struct model_config *config,
                    const struct language *language, struct objective_weights weights);

// Sums of losses over the questions of a scene (patch and colour: means over its patches, once a scene).
struct objective_sums {
    double loss[TERMS];
    int questions, right, scenes;
    int statements, statements_right; // about two pictures, which are not among the questions
    int family_questions[WORLD_FAMILY_COUNT], family_right[WORLD_FAMILY_COUNT];
};

// What a pass of questions should have answered.
struct objective_target {
    int questions;
    const int *answers;          // label of each row of logits (net_state.answer_rows), -1: unknown, no answer loss
    const struct sample *sample; // what only the world knows, for auxiliary losses and families of questions; NULL: nothing
};

// Adds the scene's losses to *sums and leaves their gradients, times question_scale (per question) and scene_scale
// (per scene), in *gradients (from the tape's arena) and in the tape's G for the auxiliary heads.
// teacher: logits of the full model, NULL without distillation.
void objective_apply(struct tape *tape, const struct net *net, const struct objective *objective,
                     const struct objective_target *target, const struct net_batch *batch,
                     const struct net_state *state, const real *teacher, real question_scale, real scene_scale, struct net_gradients *gradients,
                     struct objective_sums *sums);

// The same of statements about two pictures, whose answers are the truth (0, 1): the samples of both in a world, their
// batches and states, what the head for them said; teacher: its logits of the full model. Only a world's are told apart from
// questions in the sums.
struct objective_pair {
    struct objective_target target;
    const struct sample *samples[2];
    const struct net_batch *batches[2];
    const struct net_state *states;
    const struct answer_head_state *head;
};
void objective_apply_pair(struct tape *tape, const struct net *net, const struct objective *objective,
                          const struct objective_pair *pair, const real *teacher, real question_scale, real scene_scale,
                          struct net_gradients gradients[2], struct objective_sums *sums);
void objective_score_pair(const struct objective_pair *pair, const real *teacher, struct objective_sums *sums);

// Counts right answers only (of `state`), of which every row's best is right; where none is known, those that agree with the
// teacher (NULL: those are wrong).
void objective_score(const struct objective_target *target, const struct net_state *state, const real *teacher, int labels,
                     struct objective_sums *sums);

// The label that a row of logits gives.
int objective_best(const real *logits, int labels);

void objective_sums_add(struct objective_sums *to, const struct objective_sums *from);

#endif
