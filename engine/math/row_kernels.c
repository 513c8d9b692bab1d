// Loops over one row of numbers: activations, LayerNorm, softmax.
#include "engine/math/kernels.h"
#include "engine/math/variant.h"
#include "engine/math/vectors.h"

#include <math.h>

#define MAP(function)                                                                                        \
    do {                                                                                                     \
        for (; i + LANES <= n; i += LANES)                                                                   \
            vec_store(x + i, function(vec_load(x + i)));                                                     \
        if (i < n)                                                                                           \
            vec_store_part(x + i, function(vec_load_part(x + i, n - i, 0)), n - i);                          \
    } while (0)

static void activate_row(float *x, int n, enum activation activation)
{
    int i = 0;
    switch (activation) {
    case ACTIVATION_GELU:
        MAP(vec_gelu);
        break;
    case ACTIVATION_QUICK_GELU:
        MAP(vec_quick_gelu);
        break;
    case ACTIVATION_TANH:
        MAP(vec_tanh);
        break;
    case ACTIVATION_RELU:
        MAP(vec_relu);
        break;
    case ACTIVATION_NONE:
        break;
    }
}

// Sum of x - shift and, where squares is given, of its squares.
INLINE float sum_shifted(const float *x, int n, float shift, float *squares)
{
    vec sum[2] = {{0}}, square[2] = {{0}};
    int i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        for (int j = 0; j < 2; j++) {
            vec d = vec_load(x + i + j * LANES) - shift;
            sum[j] += d;
            square[j] += d * d;
        }
    for (; i < n; i += LANES) {
        int left = n - i < LANES ? n - i : LANES;
        vec d = vec_load_part(x + i, left, shift) - shift;
        sum[0] += d;
        square[0] += d * d;
    }
    if (squares)
        *squares = vec_sum(square[0] + square[1]);
    return vec_sum(sum[0] + sum[1]);
}

// Two passes; the second is taken around the rounded mean and corrects it (what the mean lost in rounding
// matters where the variance is as small as METER's eps of 1e-12).
static void layer_norm_row(const float *x, int width, const float *gamma, const float *beta, float eps,
                           float *y)
{
    float count = (float)width, squares;
    float near = sum_shifted(x, width, 0, NULL) / count;
    float rest = sum_shifted(x, width, near, &squares) / count;
    float scale = 1 / sqrtf(fmaxf(squares / count - rest * rest, 0) + eps);
    int i = 0;
    for (; i + LANES <= width; i += LANES)
        vec_store(y + i, (vec_load(x + i) - near - rest) * scale * vec_load(gamma + i) + vec_load(beta + i));
    for (; i < width; i++)
        y[i] = (x[i] - near - rest) * scale * gamma[i] + beta[i];
}

INLINE float top_of(const float *x, int n, float top)
{
    vec best = vec_splat(top);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        best = vec_max(best, vec_load(x + i));
    if (i < n)
        best = vec_max(best, vec_load_part(x + i, n - i, top));
    return vec_top(best);
}

INLINE void scale_row(float *to, const float *from, int n, float factor)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(to + i, vec_load(from + i) * factor);
    for (; i < n; i++)
        to[i] = from[i] * factor;
}

static void softmax_row(float *x, int n)
{
    float top = top_of(x, n, x[0]);
    vec sum = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec e = vec_exp(vec_load(x + i) - top);
        sum += e;
        vec_store(x + i, e);
    }
    if (i < n) {
        vec e = vec_exp(vec_load_part(x + i, n - i, -INFINITY) - top);
        sum += e;
        vec_store_part(x + i, e, n - i);
    }
    scale_row(x, x, n, 1 / vec_sum(sum));
}

// Vectors are folded into doubles every SUMMED numbers, so that a vocabulary's worth of small terms is not lost in floats.
static double log_sum_exp_row(const float *x, int n, double *sum)
{
    enum { SUMMED = 32 * LANES };
    float top = top_of(x, n, x[0]);
    double exponentials = 0, all = 0;
    for (int from = 0; from < n; from += SUMMED) {
        int end = n - from < SUMMED ? n : from + SUMMED, i = from;
        vec e = {0}, s = {0};
        for (; i + LANES <= end; i += LANES) {
            vec v = vec_load(x + i);
            e += vec_exp(v - top);
            s += v;
        }
        if (i < end) {
            e += vec_exp(vec_load_part(x + i, end - i, -INFINITY) - top);
            s += vec_load_part(x + i, end - i, 0);
        }
        exponentials += (double)vec_sum(e);
        all += (double)vec_sum(s);
    }
    if (sum)
        *sum = all;
    return (double)top + log(exponentials);
}

// x is stored up to whole vectors; lanes beyond n are taken as `rest`.
INLINE vec load_last(const float *x, int i, int n, float rest)
{
    return vec_select(vec_lanes() < (uint32_t)(n - i), vec_load(x + i), vec_splat(rest));
}

INLINE float exponentials_row(float *x, int n, float factor)
{
    vec best[2] = {vec_splat(x[0]), vec_splat(x[0])}, sum[2] = {{0}, {0}};
    int whole = n / (2 * LANES) * (2 * LANES);
    for (int i = 0; i < whole; i += 2 * LANES)
        for (int j = 0; j < 2; j++)
            best[j] = vec_max(best[j], vec_load(x + i + j * LANES));
    for (int i = whole; i < n; i += LANES)
        best[0] = vec_max(best[0], load_last(x, i, n, x[0]));
    float shift = vec_top(vec_max(best[0], best[1])) * factor; // its rounding is the same for all of the row
    for (int i = 0; i < whole; i += 2 * LANES)
        for (int j = 0; j < 2; j++) {
            vec e = vec_exp2(vec_load(x + i + j * LANES) * factor - shift);
            sum[j] += e;
            vec_store(x + i + j * LANES, e);
        }
    for (int i = whole; i < n; i += LANES) {
        vec e = vec_exp2(load_last(x, i, n, -INFINITY) * factor - shift);
        sum[0] += e;
        vec_store(x + i, e);
    }
    return 1 / vec_sum(sum[0] + sum[1]);
}

static void exponentials(float *x, int ldx, int rows, int n, float factor, float *inverse)
{
    for (int r = 0; r < rows; r++)
        inverse[r] = exponentials_row(x + (ptrdiff_t)r * ldx, n, factor);
}

static void scale(float *to, size_t ldto, const float *from, size_t ldfrom, int rows, int n,
                  const float *factors)
{
    for (int r = 0; r < rows; r++)
        scale_row(to + (size_t)r * ldto, from + (size_t)r * ldfrom, n, factors[r]);
}

static float dot(const float *x, const float *y, int n)
{
    vec sum[4] = {{0}};
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int j = 0; j < 4; j++)
            sum[j] += vec_load(x + i + j * LANES) * vec_load(y + i + j * LANES);
    for (; i < n; i += LANES) {
        int left = n - i < LANES ? n - i : LANES;
        sum[0] += vec_load_part(x + i, left, 0) * vec_load_part(y + i, left, 0);
    }
    return vec_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static void add_scaled(float *to, const float *from, int n, float factor)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(to + i, vec_load(to + i) + vec_load(from + i) * factor);
    for (; i < n; i++)
        to[i] += from[i] * factor;
}

static bool narrow(const float *from, uint16_t *to, size_t n)
{
    bits changed = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec v = vec_load(from + i);
        vec_narrow(to + i, v);
        changed |= (bits)v ^ (bits)vec_widen(to + i);
    }
    bool same = true;
    for (int lane = 0; lane < LANES; lane++)
        same = same && !changed[lane];
    for (; i < n; i++) {
        to[i] = half_from_float(from[i]);
        same = same && half_to_float(to[i]) == from[i];
    }
    return same;
}

enum { AHEAD = 2048 }; // numbers fetched ahead (4 KiB): the hardware stops at each page's end

static void widen(const uint16_t *from, float *to, size_t n)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __builtin_prefetch(from + i + AHEAD);
        UNROLL
        for (int j = 0; j < 32; j += LANES)
            vec_store(to + i + j, vec_widen(from + i + j));
    }
    for (; i < n; i++)
        to[i] = half_to_float(from[i]);
}

const struct row_kernels VARIANT_NAME(row_kernels) = {
    .activate = activate_row,
    .layer_norm = layer_norm_row,
    .softmax = softmax_row,
    .log_sum_exp = log_sum_exp_row,
    .exponentials = exponentials,
    .scale = scale,
    .dot = dot,
    .add_scaled = add_scaled,
    .narrow = narrow,
    .widen = widen,
};
