// Forward and backward steps of the layers, on rows of a flat parameter array. Everything runs on the calling thread.
// Naming: x input, y output, dx and dy their gradients; P parameters, G their gradients (same offsets).
#ifndef TRIMSCOPE_LEARN_OPS_H
#define TRIMSCOPE_LEARN_OPS_H

#include "engine/base/memory.h"
#include "engine/learn/learn_kernels.h"

#include <stdbool.h>

// One thread's view of the work: where numbers live and where gradients are summed.
struct tape {
    const struct learn_kernels *kernels;
    const real *P; // parameters
    real *G;        // gradient sums; NULL: forward only
    size_t trained; // G has so many numbers: what lies beyond in P is not trained
    struct arena arena;
    real mask_floor; // of the masked attention's denominator in the backward pass; 0: the true gradient
};

// Zeroed / uninitialised numbers from the arena; the arena was sized for the worst case, running out is a
// programmer's error and aborts.
real *tape_zeros(struct tape *tape, size_t n);
real *tape_alloc(struct tape *tape, size_t n);
int *tape_ints(struct tape *tape, int n);
// Where gradients of the parameters from `offset` on are summed; NULL where they are not trained.
static inline real *tape_gradient(const struct tape *tape, size_t offset)
{
    return offset < tape->trained ? tape->G + offset : NULL;
}
// Gradient of one row of parameters += row.
static inline void tape_give(const struct tape *tape, size_t offset, const real *row, int n)
{
    if (offset < tape->trained)
        tape->kernels->add(tape->G + offset, row, n);
}

struct linear_ref {
    size_t w, b; // offsets; b == NO_BIAS where there is none
    int in, out;
};
#define NO_BIAS ((size_t)-1)

void op_linear(struct tape *tape, struct linear_ref ref, real *y, const real *x, int rows);
// y = base + x Wᵀ + b: a residual connection without a pass of its own. The linear layer must have a bias.
void op_linear_onto(struct tape *tape, struct linear_ref ref, real *y, const real *x, const real *base, int rows);
// dx = (add: +=) dy W; G gets its sums. dx NULL: not wanted.
void op_linear_back(struct tape *tape, struct linear_ref ref, real *dx, bool add, const real *dy, const real *x,
                    int rows);

struct norm_ref {
    size_t gamma, beta;
    int width;
    real epsilon;
};
struct norm_state {
    real *normal, *inverse;
};
void op_norm(struct tape *tape, struct norm_ref ref, struct norm_state *state, real *y, const real *x, int rows);
// dx += ...
void op_norm_back(struct tape *tape, struct norm_ref ref, const struct norm_state *state, real *dx, const real *dy,
                  int rows);

// A batch of sequences. Sample i has the rows from rows_first() on, of which it uses rows_count(): either every sample
// takes `stride` rows and uses count[i] of them (NULL: all), or they lie one after the other without gaps, sample i from
// row first[i] to first[i + 1], none longer than `stride`.
struct rows {
    int n, stride;
    const int *count, *first;
};
static inline int rows_first(struct rows rows, int i) { return rows.first ? rows.first[i] : i * rows.stride; }
static inline int rows_total(struct rows rows) { return rows_first(rows, rows.n); }
static inline int rows_count(struct rows rows, int i)
{
    return rows.first ? rows.first[i + 1] - rows.first[i] : rows.count ? rows.count[i] : rows.stride;
}

// Attention of a batch: sample by sample, heads side by side in a row. key_mask (rows of k) or NULL: multiplicative and
// renormalised, the diagonal always 1 when `self`. head_gate (n, heads) or NULL multiplies each head's context.
struct attention_op {
    int heads, size;
    struct rows q_rows, k_rows;
    const real *q, *k, *v;        // row strides ldq, ldk
    int ldq, ldk;
    const real *key_mask, *head_gate;
    bool self, causal; // causal: row i attends to the keys 0 .. i
    real *ctx;  // (rows of q, heads * size), gated
    real *open; // the same before gating; equals ctx where there is no gate
    real *a;    // softmax probabilities before masking, (n, heads, stride of q * stride of k)
};
// Fills ctx, open and a from the arena.
void op_attention(struct tape *tape, struct attention_op *op);
// dq, dk, dv (same layout as q, k, v) are overwritten on used rows and zeroed elsewhere; dmask (rows of k) and
// dgate (n, heads) get += where the op has masks and gates.
void op_attention_back(struct tape *tape, const struct attention_op *op, const real *dctx, real *dq, real *dk, real *dv,
                       real *dmask, real *dgate);

#endif
