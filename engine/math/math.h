// Dense math of inference: linear layers with weights packed once, attention, norms, activations.
// All matrices are row-major fp32. Every function adds the multiply-adds that it really executes to *macs:
// this is the ledger's source of truth (prune/flops.h holds the formulas that tests compare it with).
#ifndef TRIMSCOPE_MATH_MATH_H
#define TRIMSCOPE_MATH_MATH_H

#include "engine/base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread_pool;

// What a computation needs besides its operands: threads and scratch memory. One per run; not shared by
// threads. The scratch must hold, at the time of a call, what linear_scratch() or attention_scratch() say for
// its largest case (they take and give back, so the maximum over all calls is enough, not the sum); less is a
// programming error.
struct math {
    struct thread_pool *pool; // NULL: this thread alone
    struct arena scratch;     // sized by whoever makes it; functions rewind what they take
    const atomic_bool *stop;  // NULL: nobody can stop it. Once true, products that are still to come are left out
    atomic_bool stopped;      // some were: what has been computed since this was false is not to be used
};

// Asked between pieces of a product that take milliseconds. `stopped` stays, so that no half a result passes for a whole
// one when the wish is taken back.
static inline bool math_stops(struct math *math)
{
    if (math->stop && atomic_load_explicit(math->stop, memory_order_relaxed))
        atomic_store_explicit(&math->stopped, true, memory_order_relaxed);
    return atomic_load_explicit(&math->stopped, memory_order_relaxed);
}

enum activation { ACTIVATION_NONE, ACTIVATION_GELU, ACTIVATION_QUICK_GELU, ACTIVATION_TANH, ACTIVATION_RELU };

// y = act(x Wᵀ + b): W (out, in) as PyTorch's Linear stores it, packed once into panels that the kernels
// stream.
struct linear {
    int in, out;
    int out_block, in_block; // sizes of blocks (head size) that may be skipped; 0 where none is ever skipped
    float *packed, *bias;    // in the order of the kernels' panels
    uint16_t *halves;        // binary16, in the place of packed, which is then NULL
    const void *kernel;      // struct math_kernels: whose layout that is
};

// Packs W (out, in) and b (out; NULL: zeros). The originals may go away. False when there is no memory.
bool linear_init(struct linear *linear, const float *w, const float *b, int out, int in, int out_block,
                 int in_block) __attribute__((warn_unused_result));
void linear_free(struct linear *linear);

// Keeps the weights as half-precision numbers where not one of them changes by that (a file that stores them so) and the
// layer is too large to stay in a cache. For layers that few rows go through at a time: there fetching the weights takes
// longer than multiplying with them, and now half as long; with many rows, widening them again for every block of rows
// would cost more than it gives. False when there is no memory.
bool linear_narrow(struct linear *linear) __attribute__((warn_unused_result));
size_t linear_bytes(const struct linear *linear); // that its weights take

// y (rows, out; stride ldy) = act(x (rows, in; stride ldx) Wᵀ + b) [+ residual (rows, out; stride ldr)].
// out_live, in_live: NULL (all), or a byte for each block. Columns of dropped out-blocks are left untouched
// and not computed; columns of x in dropped in-blocks are not read (they count as 0) and not multiplied.
// residual may be y.
void linear_apply(struct math *math, const struct linear *linear, const float *x, int ldx, int rows, float *y,
                  int ldy, enum activation activation, const float *residual, int ldr,
                  const uint8_t *out_live, const uint8_t *in_live, uint64_t *macs);

// The stride (in floats) at which linear_apply() reads rows of `in` numbers fastest: an odd number of cache lines, so that the
// rows of a tile do not compete for one cache set, and one number more, so that they come to the ends of their lines one
// after the other (a twentieth of the time).
int linear_stride(int in);

// ctx (queries, heads * size; stride ldc) = softmax(Q Kᵀ / sqrt(size)) V, head by head.
// Dropped heads (live[h] == 0) leave their columns of ctx as zeros and cost nothing. probs: NULL, or (heads,
// queries, keys), filled with the probabilities of live heads and NaN for dropped ones.
struct attention {
    const float *q, *k, *v; // (queries, heads*size), (keys, heads*size) twice
    int ldq, ldk, ldv;
    int queries, keys, heads, size;
    const uint8_t *live; // NULL: all
    float *ctx;
    int ldc;
    float *probs;
};
void attention_apply(struct math *math, const struct attention *attention, uint64_t *macs);
// The same where query r attends to keys[r] keys of its own, which begin at first[r]; `keys` of *attention is not read, and
// probs is NULL. For few keys a query.
void attention_apply_ragged(struct math *math, const struct attention *attention, const int *first, const int *keys,
                            uint64_t *macs);

// Bytes of math->scratch that linear_apply() with `in` input columns and attention_apply(), ragged or not, with up to `keys`
// keys take at most, for any number of rows (queries) and `workers` threads (thread_pool_workers()). Both grow with every
// argument.
size_t linear_scratch(int in, int workers);
size_t attention_scratch(int keys, int size, int workers);

// y = (x - mean) / sqrt(variance + eps) * gamma + beta over the last axis; biased variance, two passes, so
// that a small eps (1e-12 in METER's fusion layers) is exact too. y may be x. The threads of `pool` (NULL: this one
// alone) share many rows.
void layer_norm(struct thread_pool *pool, const float *x, int ldx, int rows, int width, const float *gamma, const float *beta,
                float eps, float *y, int ldy);

// y (rows) = x (rows, width) v (width). Threads as in layer_norm().
void dot_rows(struct thread_pool *pool, const float *x, int rows, int width, const float *v, float *y);

// In place over n numbers. gelu is the exact erf form; quick_gelu is x * sigmoid(1.702 x).
void activate(float *x, int n, enum activation activation);

// In place over `rows` rows of `n` numbers, the row maximum subtracted first.
void softmax_rows(float *x, int rows, int n, int ldx);

// log(sum of e^x) over n >= 1 numbers, and, where wanted (not NULL), their sum: what a loss over a vocabulary needs. To about
// 1e-7.
double log_sum_exp(const float *x, int n, double *sum);

// The instruction set that the kernels use on this machine: "avx512", "avx2" or "base". For people to read.
const char *math_variant(void);

// to[i] = from[rows[i]], each `width` floats; to may be from when rows is increasing. Otherwise the threads of
// `pool` (NULL: this one alone) share many rows.
void gather_rows(struct thread_pool *pool, float *to, const float *from, const int *rows, int count, int width);

#endif
