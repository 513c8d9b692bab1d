#include "engine/learn/learn_kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define VECTORIZE _Pragma("omp simd")

#ifdef LEARN_DOUBLE
#define real_exp  exp
#define real_sqrt sqrt
static inline double real_erf(double x)
{
    return erf(x);
}
#else
#define real_sqrt sqrtf

// exp(x) for float: x = n ln2 + r, a degree-6 polynomial on |r| <= ln2/2 (Cephes), 2^n through the exponent bits.
// Branch-free, so that loops around it vectorise; below -87 the result is a tiny positive number.
static inline float real_exp(float x)
{
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    union {
        int32_t i;
        float f;
    } power = {.i = ((int32_t)n + 127) << 23};
    return p * power.f;
}

// Abramowitz and Stegun 7.1.26: |error| <= 1.5e-7.
static inline float real_erf(float x)
{
    float a = x < 0 ? -x : x, t = 1.0f / (1.0f + 0.3275911f * a);
    float p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    float y = 1.0f - p * real_exp(-a * a);
    return x < 0 ? -y : y;
}
#endif

static void gelu(real *restrict y, const real *restrict x, int n)
{
    VECTORIZE
    for (int i = 0; i < n; i++)
        y[i] = x[i] * (real)0.5 * (1 + real_erf(x[i] * (real)0.70710678118654752));
}

static void gelu_back(real *restrict dx, const real *restrict dy, const real *restrict x, int n)
{
    VECTORIZE
    for (int i = 0; i < n; i++) {
        real cumulative = (real)0.5 * (1 + real_erf(x[i] * (real)0.70710678118654752));
        real density = (real)0.39894228040143268 * real_exp((real)-0.5 * x[i] * x[i]);
        dx[i] = dy[i] * (cumulative + x[i] * density);
    }
}

static void quick_gelu(real *restrict y, const real *restrict x, int n)
{
    VECTORIZE
    for (int i = 0; i < n; i++)
        y[i] = x[i] / (1 + real_exp((real)-1.702 * x[i]));
}

static void quick_gelu_back(real *restrict dx, const real *restrict dy, const real *restrict x, int n)
{
    VECTORIZE
    for (int i = 0; i < n; i++) {
        real s = 1 / (1 + real_exp((real)-1.702 * x[i]));
        dx[i] = dy[i] * (s + (real)1.702 * x[i] * s * (1 - s));
    }
}

static void norm(real *restrict y, real *restrict normal, real *restrict inverse, const real *restrict x,
                 const real *restrict gamma, const real *restrict beta, int rows, int width, real epsilon)
{
    for (int r = 0; r < rows; r++) {
        const real *in = x + (size_t)r * width;
        real *z = normal + (size_t)r * width, *out = y + (size_t)r * width, sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
        for (int i = 0; i < width; i++)
            sum += in[i];
        real mean = sum / (real)width;
#pragma omp simd reduction(+ : squares)
        for (int i = 0; i < width; i++)
            squares += (in[i] - mean) * (in[i] - mean);
        real scale = 1 / real_sqrt(squares / (real)width + epsilon);
        inverse[r] = scale;
        VECTORIZE
        for (int i = 0; i < width; i++) {
            z[i] = (in[i] - mean) * scale;
            out[i] = z[i] * gamma[i] + beta[i];
        }
    }
}

static void norm_back(real *restrict dx, real *restrict dgamma, real *restrict dbeta, const real *restrict dy,
                      const real *restrict normal, const real *restrict inverse, const real *restrict gamma, int rows,
                      int width)
{
    for (int r = 0; r < rows; r++) {
        const real *d = dy + (size_t)r * width, *z = normal + (size_t)r * width;
        real *out = dx + (size_t)r * width, sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
        for (int i = 0; i < width; i++) {
            real g = d[i] * gamma[i];
            sum += g;
            dot += g * z[i];
        }
        sum /= (real)width;
        dot /= (real)width;
        real scale = inverse[r];
        VECTORIZE
        for (int i = 0; i < width; i++)
            out[i] += scale * (d[i] * gamma[i] - sum - z[i] * dot);
        if (!dgamma)
            continue;
        VECTORIZE
        for (int i = 0; i < width; i++) {
            dgamma[i] += d[i] * z[i];
            dbeta[i] += d[i];
        }
    }
}

enum { LANES = 16 };

// The largest of `body` numbers (a multiple of LANES) and of LANES more. Running maxima side by side: a reduction of
// `>` would not vectorise where NaN must be honoured.
static real row_max(const real *restrict row, int body, const real *restrict last)
{
    real top[LANES];
    memcpy(top, last, sizeof top);
    for (int i = 0; i < body; i += LANES) {
        VECTORIZE
        for (int k = 0; k < LANES; k++)
            top[k] = row[i + k] > top[k] ? row[i + k] : top[k];
    }
    for (int k = 1; k < LANES; k++)
        top[0] = top[k] > top[0] ? top[k] : top[0];
    return top[0];
}

// A row is seldom whole vectors long, and what is left over, done one by one, would take longer than the rest: the last
// LANES numbers, some of them a second time, are done in a copy.
static void softmax_row(real *restrict row, int n, real scale)
{
    int body = n & ~(LANES - 1), first = LANES - (n - body); // of the copy's numbers: the first that is new
    real last[LANES], top, sum = 0;
    if (n >= LANES) {
        memcpy(last, row + n - LANES, sizeof last);
    } else {
        for (int i = 0; i < LANES; i++)
            last[i] = row[0];
        memcpy(last + first, row, (size_t)n * sizeof *row);
    }
    top = row_max(row, body, last);
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < body; i++) {
        row[i] = real_exp((row[i] - top) * scale);
        sum += row[i];
    }
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < LANES; i++) {
        last[i] = real_exp((last[i] - top) * scale);
        sum += i >= first ? last[i] : 0;
    }
    real inverse = 1 / sum;
    VECTORIZE
    for (int i = 0; i < body; i++)
        row[i] *= inverse;
    VECTORIZE
    for (int i = 0; i < LANES; i++)
        last[i] *= inverse;
    if (n >= LANES)
        memcpy(row + n - LANES, last, sizeof last);
    else
        memcpy(row, last + first, (size_t)n * sizeof *row);
}

static void softmax(real *restrict x, int rows, int n, int stride, real scale)
{
    for (int r = 0; r < rows; r++)
        softmax_row(x + (size_t)r * stride, n, scale);
}

static real masked_sum(const real *restrict a, const real *restrict mask, int n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int j = 0; j < n; j++)
        sum += a[j] * mask[j];
    return sum;
}

static void mask_attention(real *restrict out, const real *restrict a, const real *restrict mask, int rows, int n,
                           int diagonal)
{
    for (int r = 0; r < rows; r++) {
        const real *from = a + (size_t)r * n;
        real *to = out + (size_t)r * n, sum = masked_sum(from, mask, n);
        if (diagonal)
            sum += from[r] * (1 - mask[r]);
        real inverse = 1 / sum;
        VECTORIZE
        for (int j = 0; j < n; j++)
            to[j] = from[j] * mask[j] * inverse;
        if (diagonal)
            to[r] = from[r] * inverse;
    }
}

// Softmax backward of one row: ds_j = scale * a_j (da_j - sum_k a_k da_k).
static void softmax_row_back(real *restrict d, const real *restrict a, int n, real scale)
{
    real dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int j = 0; j < n; j++)
        dot += a[j] * d[j];
    VECTORIZE
    for (int j = 0; j < n; j++)
        d[j] = scale * a[j] * (d[j] - dot);
}

static void attention_back(real *restrict d, const real *restrict a, const real *restrict mask, real *restrict dmask,
                           int rows, int n, int diagonal, real scale, real floor)
{
    for (int r = 0; r < rows; r++) {
        real *g = d + (size_t)r * n;
        const real *row = a + (size_t)r * n;
        if (mask) {
            real sum = masked_sum(row, mask, n), dot = 0, own = g[r < n ? r : 0];
#pragma omp simd reduction(+ : dot)
            for (int j = 0; j < n; j++)
                dot += g[j] * row[j] * mask[j];
            if (diagonal) {
                sum += row[r] * (1 - mask[r]);
                dot += own * row[r] * (1 - mask[r]);
            }
            real inverse = 1 / (sum > floor ? sum : floor);
            real shift = sum > floor ? dot * inverse * inverse : 0;
            VECTORIZE
            for (int j = 0; j < n; j++) {
                real db = g[j] * inverse - shift;
                dmask[j] += row[j] * db;
                g[j] = mask[j] * db;
            }
            if (diagonal) {
                real db = own * inverse - shift;
                dmask[r] -= row[r] * db; // the diagonal is 1 whatever the mask says
                g[r] = db;
            }
        }
        softmax_row_back(g, row, n, scale);
    }
}

static void fill_rows(real *restrict y, const real *restrict row, int rows, int width)
{
    for (int r = 0; r < rows; r++)
        memcpy(y + (size_t)r * width, row, (size_t)width * sizeof *y);
}

static void add_row(real *restrict y, const real *restrict x, const real *restrict row, int rows, int width)
{
    for (int r = 0; r < rows; r++) {
        const real *from = x + (size_t)r * width;
        real *to = y + (size_t)r * width;
        VECTORIZE
        for (int i = 0; i < width; i++)
            to[i] = from[i] + row[i];
    }
}

static void add_rows(real *restrict sum, const real *restrict x, int rows, int width)
{
    for (int r = 0; r < rows; r++) {
        const real *row = x + (size_t)r * width;
        VECTORIZE
        for (int i = 0; i < width; i++)
            sum[i] += row[i];
    }
}

static void add(real *restrict y, const real *restrict x, int n)
{
    VECTORIZE
    for (int i = 0; i < n; i++)
        y[i] += x[i];
}

// Taps of the 5x5 window that fall inside the grid for an output at `at`: first and one past the last.
static void window(int at, int side, int *first, int *end)
{
    *first = at < 2 ? 2 - at : 0;
    *end = at > side - 3 ? side + 2 - at : 5;
}

static void depthwise(real *restrict y, const real *restrict x, const real *restrict w, const real *restrict bias,
                      int side, int width)
{
    real taps[25 * LEARN_WIDTH]; // transposed to (25, width): the inner loop runs over channels
    for (int c = 0; c < width; c++)
        for (int t = 0; t < 25; t++)
            taps[t * width + c] = w[c * 25 + t];
    for (int oy = 0; oy < side; oy++)
        for (int ox = 0; ox < side; ox++) {
            real *out = y + (size_t)(oy * side + ox) * width;
            memcpy(out, bias, (size_t)width * sizeof *out);
            int y0, y1, x0, x1;
            window(oy, side, &y0, &y1);
            window(ox, side, &x0, &x1);
            for (int ky = y0; ky < y1; ky++)
                for (int kx = x0; kx < x1; kx++) {
                    const real *in = x + (size_t)((oy + ky - 2) * side + ox + kx - 2) * width;
                    const real *tap = taps + (ky * 5 + kx) * width;
                    VECTORIZE
                    for (int c = 0; c < width; c++)
                        out[c] += in[c] * tap[c];
                }
        }
}

static void depthwise_back(real *restrict dx, real *restrict dw, const real *restrict dy, const real *restrict x,
                           const real *restrict w, int side, int width)
{
    real taps[25 * LEARN_WIDTH], dtaps[25 * LEARN_WIDTH];
    for (int c = 0; c < width; c++)
        for (int t = 0; t < 25; t++)
            taps[t * width + c] = w[c * 25 + t];
    memset(dtaps, 0, (size_t)(25 * width) * sizeof *dtaps);
    for (int oy = 0; oy < side; oy++)
        for (int ox = 0; ox < side; ox++) {
            const real *d = dy + (size_t)(oy * side + ox) * width;
            int y0, y1, x0, x1;
            window(oy, side, &y0, &y1);
            window(ox, side, &x0, &x1);
            for (int ky = y0; ky < y1; ky++)
                for (int kx = x0; kx < x1; kx++) {
                    size_t at = (size_t)((oy + ky - 2) * side + ox + kx - 2) * width;
                    const real *in = x + at, *tap = taps + (ky * 5 + kx) * width;
                    real *din = dx + at, *dtap = dtaps + (ky * 5 + kx) * width;
                    VECTORIZE
                    for (int c = 0; c < width; c++) {
                        din[c] += d[c] * tap[c];
                        dtap[c] += d[c] * in[c];
                    }
                }
        }
    for (int c = 0; c < width; c++)
        for (int t = 0; t < 25; t++)
            dw[c * 25 + t] += dtaps[t * width + c];
}

static double square_sum(const real *x, size_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void adamw(real *restrict value, real *restrict m, real *restrict v, const real *restrict gradient, size_t n,
                  const struct adamw_step *step, real gradient_scale)
{
    const struct adamw_step s = *step; // a copy: the stores below cannot change it
    VECTORIZE
    for (size_t i = 0; i < n; i++) {
        real g = gradient[i] * gradient_scale;
        m[i] = s.beta1 * m[i] + (1 - s.beta1) * g;
        v[i] = s.beta2 * v[i] + (1 - s.beta2) * g * g;
        real update = m[i] * s.correction1 / (real_sqrt(v[i] * s.correction2) + s.epsilon);
        value[i] -= s.rate * (update + s.decay * value[i]);
    }
}

const struct learn_kernels VARIANT_NAME(learn_kernels) = {
    .gelu = gelu,
    .gelu_back = gelu_back,
    .quick_gelu = quick_gelu,
    .quick_gelu_back = quick_gelu_back,
    .norm = norm,
    .norm_back = norm_back,
    .softmax = softmax,
    .mask_attention = mask_attention,
    .attention_back = attention_back,
    .fill_rows = fill_rows,
    .add_row = add_row,
    .add_rows = add_rows,
    .add = add,
    .depthwise = depthwise,
    .depthwise_back = depthwise_back,
    .square_sum = square_sum,
    .adamw = adamw,
};
