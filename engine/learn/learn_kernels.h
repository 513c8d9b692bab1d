// The elementwise loops of training, forward and backward, one table per instruction set.
#ifndef TRIMSCOPE_LEARN_LEARN_KERNELS_H
#define TRIMSCOPE_LEARN_LEARN_KERNELS_H

#include "engine/learn/real.h"
#include "engine/math/variant.h"

#include <stddef.h>

enum { LEARN_WIDTH = 1024 }; // of a row at most: kernels keep some on the stack

struct adamw_step {
    real rate, beta1, beta2, epsilon, decay;
    real correction1, correction2; // 1 / (1 - beta^t)
};

struct learn_kernels {
    // y = erf-GELU(x); dx = dy * GELU'(x). Likewise x * sigmoid(1.702 x) and tanh (from its own result y).
    void (*gelu)(real *y, const real *x, int n);
    void (*gelu_back)(real *dx, const real *dy, const real *x, int n);
    void (*quick_gelu)(real *y, const real *x, int n);
    void (*quick_gelu_back)(real *dx, const real *dy, const real *x, int n);

    // y = normal * gamma + beta, normal = (x - mean) * inverse; normal (rows, width) and inverse (rows) are kept.
    void (*norm)(real *y, real *normal, real *inverse, const real *x, const real *gamma, const real *beta, int rows,
                 int width, real epsilon);
    // dx += ..., dgamma += ..., dbeta += ...; both NULL: not wanted
    void (*norm_back)(real *dx, real *dgamma, real *dbeta, const real *dy, const real *normal, const real *inverse,
                      const real *gamma, int rows, int width);

    // In place, rows of n numbers with stride `stride`, each first multiplied by `scale`.
    void (*softmax)(real *x, int rows, int n, int stride, real scale);
    // out_ij = a_ij g_ij / sum_k a_ik g_ik with g_ij = mask[j], 1 on the diagonal when `diagonal` (DESIGN.md).
    void (*mask_attention)(real *out, const real *a, const real *mask, int rows, int n, int diagonal);
    // From d = dL/dout to dL/dscores (in place in d), and dmask[j] += ...; mask NULL: plain softmax. The
    // denominator is floored at `floor` (0: the true gradient).
    void (*attention_back)(real *d, const real *a, const real *mask, real *dmask, int rows, int n, int diagonal,
                           real scale, real floor);

    void (*fill_rows)(real *y, const real *row, int rows, int width); // y[r] = row
    void (*add_row)(real *y, const real *x, const real *row, int rows, int width); // y[r] = x[r] + row
    void (*add_rows)(real *sum, const real *x, int rows, int width);  // sum += column sums of x
    void (*add)(real *y, const real *x, int n);                       // y += x

    // Depthwise 5x5 convolution, padding 2, channels last: y (side, side, width); w (width, 25).
    void (*depthwise)(real *y, const real *x, const real *w, const real *bias, int side, int width);
    void (*depthwise_back)(real *dx, real *dw, const real *dy, const real *x, const real *w, int side, int width);

    double (*square_sum)(const real *x, size_t n);
    void (*adamw)(real *value, real *m, real *v, const real *gradient, size_t n, const struct adamw_step *step,
                  real gradient_scale);
};

#ifdef LEARN_DOUBLE
extern const struct learn_kernels learn_kernels_double;
#define learn_kernels_get() (&learn_kernels_double)
#else
// The table for this processor.
const struct learn_kernels *learn_kernels_get(void);
#endif

#endif
