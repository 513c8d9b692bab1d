// METER's answer head: Linear, LayerNorm, GELU, Linear, on the poolers' outputs, or (retrieval) one Linear alone; with the
// option answer_words also the similarity of what it makes to the answers' words (engine/model/names.md).
#ifndef TRIMSCOPE_LEARN_ANSWER_HEAD_H
#define TRIMSCOPE_LEARN_ANSWER_HEAD_H

#include "engine/learn/ops.h"

struct answer_head_refs {
    struct linear_ref first, last, words; // first.out == 0: `last` alone
    struct norm_ref norm;
    const int *answer_words; // labels; token id or -1; NULL without the option
    size_t word_table;
};
struct answer_head_state {
    const real *input;
    struct norm_state norm;
    real *hidden, *normed, *active, *word;
    real *logits; // (n, labels)
};

// Fills *state from input (n, what the first of its layers takes), which must stay; logits are the answer.
void answer_head(struct tape *tape, const struct answer_head_refs *refs, struct answer_head_state *state,
                 const real *input, int n);
// dinput, of the input's shape, is overwritten.
void answer_head_back(struct tape *tape, const struct answer_head_refs *refs, const struct answer_head_state *state,
                      const real *dlogits, real *dinput, int n);

#endif
