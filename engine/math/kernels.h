// The hot loops of engine/math, once per instruction set. Internal to engine/math and its tests.
#ifndef TRIMSCOPE_MATH_KERNELS_H
#define TRIMSCOPE_MATH_KERNELS_H

#include "engine/math/math.h"

enum {
    TILE_ROWS_MAX = 14, // largest tile of any variant
    TILE_COLUMNS_MAX = 32,
};

// A stretch of the inner dimension: `depth` columns of the left operand, and rows of the panel, from `from` on.
struct span {
    int from, depth;
};

// What a tile fetches into the second-level cache on its way, `step` bytes further for each column of the
// left operand: its share of the panel that comes next, so that memory works while the tiles of this one are
// computed.
struct ahead {
    const char *from;
    int step;
};

// A stride of at least `floats` that is an odd number of cache lines: the rows of a tile do not compete for one cache set.
static inline int odd_lines(int floats)
{
    const int line = MEMORY_ALIGNMENT / sizeof(float);
    return ((floats + line - 1) / line | 1) * line;
}

struct gemm_kernels {
    int rows, columns; // a tile is at most rows x columns; a panel has `columns` columns

    // c (rows, columns; stride ldc) = A B. A: (rows, depth; stride lda). panel: (depth, columns) without gaps, 64-byte
    // aligned. Each element is one chain of multiply-adds in the order of the spans, so that it does not depend on how many
    // rows the tile has.
    void (*tile)(int rows, const float *a, int lda, const float *panel, const struct span *spans, int span_count, float *c,
                 int ldc);
    void (*tile_ahead)(int rows, const float *a, int lda, const float *panel, const struct span *spans, int span_count,
                       float *c, int ldc, struct ahead ahead);
    // The same of a panel of halves, which are widened on their way.
    void (*tile_halves)(int rows, const float *a, int lda, const uint16_t *panel, const struct span *spans, int span_count,
                        float *c, int ldc, struct ahead ahead);

    // y (rows, width; stride ldy) = act(tile (rows, columns) + bias) [+ residual]; width <= columns; bias has
    // `columns` numbers; the tile is overwritten. residual may be y.
    void (*finish)(float *tile, int rows, int width, const float *bias, enum activation activation,
                   const float *residual, int ldr, float *y, int ldy);

    // panels of Kᵀ: K (keys, size; stride ldk) to (ceil(keys / columns), size, columns), missing keys 0.
    void (*pack_keys)(const float *k, int ldk, int keys, int size, float *panels);
    // panels of V (keys, size; stride ldv): (ceil(size / columns), keys, columns), missing columns 0.
    void (*pack_values)(const float *v, int ldv, int keys, int size, float *panels);
};

struct row_kernels {
    void (*activate)(float *x, int n, enum activation activation);
    void (*layer_norm)(const float *x, int width, const float *gamma, const float *beta, float eps, float *y);
    void (*softmax)(float *x, int n);
    double (*log_sum_exp)(const float *x, int n, double *sum); // as in math.h

    // The first half of softmax, for rows of n scores (stride ldx): x = 2^((x - max) factor) in place, factor > 0;
    // inverse[row] = 1 / sum. Rows are stored up to whole vectors; what follows the n numbers in the last one becomes 0.
    void (*exponentials)(float *x, int ldx, int rows, int n, float factor, float *inverse);
    // to (rows, n; stride ldto) = from (rows, n; stride ldfrom), each row times its factor.
    void (*scale)(float *to, size_t ldto, const float *from, size_t ldfrom, int rows, int n,
                  const float *factors);

    float (*dot)(const float *x, const float *y, int n);
    void (*add_scaled)(float *to, const float *from, int n, float factor); // to += factor from

    // n numbers to binary16, rounded to nearest, and whether none of them changed by that; and back.
    bool (*narrow)(const float *from, uint16_t *to, size_t n);
    void (*widen)(const uint16_t *from, float *to, size_t n);
};

struct math_kernels {
    const char *name; // "avx512", "avx2" or "base"
    const struct gemm_kernels *gemm;
    const struct row_kernels *row;
};

// The best that this processor can run.
const struct math_kernels *math_kernels_best(void);
// All that it can run, best first; returns their number (at most `limit`). For tests and measurements.
int math_kernels_usable(const struct math_kernels **list, int limit);

// linear_init() and attention_apply() with chosen kernels.
bool linear_init_with(const struct math_kernels *kernels, struct linear *linear, const float *w,
                      const float *b, int out, int in, int out_block, int in_block)
    __attribute__((warn_unused_result));
// How many columns of y a panel fills, and the first of them: 0 where a last block leaves nothing for it, -1 behind the last
// panel.
int linear_panel_columns(const struct linear *linear, int panel, int *first);
// The weights of one panel: (in, columns). Where they are kept as halves they are widened into `room`, of as many floats.
const float *linear_panel(const struct linear *linear, int panel, float *room);
void attention_apply_with(const struct math_kernels *kernels, struct math *math,
                          const struct attention *attention, uint64_t *macs);
void attention_apply_ragged_with(const struct math_kernels *kernels, struct math *math, const struct attention *attention,
                                 const int *first, const int *keys, uint64_t *macs);

// Work below which waking another thread costs more than it gives (20 microseconds of one AVX-512 core).
enum { THREADS_PAY_MACS = 1 << 22 };
// Multiply-adds that take as long as fetching a number that is multiplied once.
enum { FETCHED_MACS = 16 };
// The same for work that reads each number once or twice.
enum { THREADS_PAY_FLOATS = 1 << 17 };

#endif
