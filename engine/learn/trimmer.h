// The trimmers in training: scores, straight-through binary masks, and their gradients (DESIGN.md, "The method").
#ifndef TRIMSCOPE_LEARN_TRIMMER_H
#define TRIMSCOPE_LEARN_TRIMMER_H

#include "engine/base/random.h"
#include "engine/learn/blocks.h"

// How masks are made from scores: m = 1[(score + shift + noise * logistic) > 0] forward, gradient of the sigmoid backward.
struct mask_sampling {
    struct random *random; // NULL: no noise
    real noise;            // scale of the logistic noise; annealed towards 0
    real shift;            // added to every score: thresholds that much looser, or tighter below 0
    real temperature;
    bool relaxed; // forward with the sigmoid itself: what central differences can follow
};

struct token_trimmer_refs {
    int hidden, rank; // 0: absent
    struct norm_ref norm, context_norm; // of the own width, of the other stream's
    struct linear_ref self, out, query, key;
    bool concat;    // the cross-modal part is mix(GELU(query + key)) instead of a scalar product times alpha
    struct linear_ref mix;
    size_t alpha;
};
struct token_trimmer_state {
    struct norm_state norm, context_norm;
    real *z, *hidden, *active, *query, *context_z, *key, *score;
    real *cosine;         // query . key / (|key| + eps)
    real *both, *excited; // with concat: query + key, (rows, rank), and its GELU
    real *slope; // dm/dscore, straight through
};

// mask (rows) gets 1 for CLS (row 0 of each sample) and kept tokens, 0 for dropped ones and rows beyond the count.
// context: the other stream, of which row 0 of each sample guides; NULL without guidance.
void trimmer_tokens(struct tape *tape, const struct token_trimmer_refs *refs, struct token_trimmer_state *state,
                    const real *x, struct rows rows, const real *context, struct rows context_rows,
                    const struct mask_sampling *sampling, real *mask);
// dx and dcontext (rows as in the forward) += from dmask.
void trimmer_tokens_back(struct tape *tape, const struct token_trimmer_refs *refs,
                         const struct token_trimmer_state *state, real *dx, struct rows rows, real *dcontext,
                         struct rows context_rows, const real *dmask);

struct head_trimmer_refs {
    int heads; // 0: absent
    int width; // of the own stream; norm.width is that and the other's
    struct norm_ref norm;
    struct linear_ref out;
};
struct head_trimmer_state {
    struct norm_state norm;
    real *input, *z, *slope;
};
// gate (n, heads) from the CLS rows of one (other NULL) or both streams.
void trimmer_heads(struct tape *tape, const struct head_trimmer_refs *refs, struct head_trimmer_state *state,
                   const real *own, struct rows own_rows, const real *other, struct rows other_rows,
                   const struct mask_sampling *sampling, real *gate);
void trimmer_heads_back(struct tape *tape, const struct head_trimmer_refs *refs, const struct head_trimmer_state *state,
                        real *down, struct rows own_rows, real *dother, struct rows other_rows, const real *dgate);

#endif
