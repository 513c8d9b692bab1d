// The building blocks of every layer of the model, forward and backward: attention and FFN with their residual and
// LayerNorm, in pre-LN order (CLIP's ViT, `fusion_norm: pre`) or post-LN order (RoBERTa, METER's fusion).
// A backward step takes the gradient of its output in `d` and leaves the gradient of its input there.
#ifndef TRIMSCOPE_LEARN_BLOCKS_H
#define TRIMSCOPE_LEARN_BLOCKS_H

#include "engine/learn/ops.h"

enum norm_order { NORM_PRE, NORM_POST };

struct attention_refs {
    enum norm_order order;
    int heads;
    bool fused;                    // q is in_proj: Q, K and V of 3 * width outputs
    bool causal;                   // self-attention that looks back only
    struct linear_ref q, k, v, out; // in cross-attention K and V may be of another width
    struct norm_ref norm, context; // context: of the other stream, pre-LN cross-attention only
};
struct attention_state {
    const real *input, *query_in, *key_in; // x; what Q and what K, V are made of
    real *q, *k, *v, *sum;                 // sum: x + out, kept in post order
    bool remembers;                        // K and V stay those of the pass before: the other stream is the same
    struct norm_state norm, context;
    struct attention_op op;
};

// y = the block's output, from the arena; *state was zeroed before its first pass. other NULL: self-attention. mask (keys),
// gate: see struct attention_op.
real *block_attention(struct tape *tape, const struct attention_refs *refs, struct attention_state *state,
                      const real *x, struct rows rows, const real *other, struct rows other_rows, const real *mask,
                      const real *gate);
// dother += (cross-attention); dmask, dgate += (where the forward had them).
void block_attention_back(struct tape *tape, const struct attention_refs *refs, const struct attention_state *state,
                          real *d, struct rows rows, real *dother, struct rows other_rows, real *dmask, real *dgate);

// Beside a cross-attention to one picture, that to a second one of the same width and in post order: what both project is
// merged, and behind one residual and LayerNorm, the first's (BLIP's NLVR2, vlm_spec §4.7).
struct twin_refs {
    struct attention_refs cross; // out.out 0: there is none
    struct linear_ref merge;     // of both side by side; out 0: their mean
};
struct twin_state {
    struct attention_state cross;
    real *both; // (rows, 2 width), where they are merged by a linear map
};
// What one of the two attends to, as block_attention() gets it, and for the way back the gradients of that.
struct twin_memory {
    const real *other;
    struct rows rows;
    const real *mask, *gate;
    real *dother, *dmask, *dgate;
};
// As block_attention() and block_attention_back(); both states were zeroed before their first pass.
real *block_twins(struct tape *tape, const struct attention_refs *first, const struct twin_refs *twin,
                  struct attention_state *first_state, struct twin_state *state, const real *x, struct rows rows,
                  const struct twin_memory memory[2]);
void block_twins_back(struct tape *tape, const struct attention_refs *first, const struct twin_refs *twin,
                      const struct attention_state *first_state, const struct twin_state *state, real *d,
                      struct rows rows, const struct twin_memory memory[2]);

struct ffn_refs {
    enum norm_order order;
    bool quick; // quick-GELU instead of GELU
    struct linear_ref in, out;
    struct norm_ref norm;
};
struct ffn_state {
    const real *input;
    real *hidden, *active;
    struct norm_state norm;
};
real *block_ffn(struct tape *tape, const struct ffn_refs *refs, struct ffn_state *state, const real *x, int rows);
void block_ffn_back(struct tape *tape, const struct ffn_refs *refs, const struct ffn_state *state, real *d, int rows);

#endif
