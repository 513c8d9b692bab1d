#include "engine/math/kernels.h"

#include <string.h>

void layer_norm(const float *x, int ldx, int rows, int width, const float *gamma, const float *beta,
                float eps, float *y, int ldy)
{
    const struct row_kernels *row = math_kernels_best()->row;
    for (int r = 0; r < rows; r++)
        row->layer_norm(x + (size_t)r * (size_t)ldx, width, gamma, beta, eps, y + (size_t)r * (size_t)ldy);
}

void activate(float *x, int n, enum activation activation)
{
    math_kernels_best()->row->activate(x, n, activation);
}

void softmax_rows(float *x, int rows, int n, int ldx)
{
    const struct row_kernels *row = math_kernels_best()->row;
    for (int r = 0; r < rows && n > 0; r++)
        row->softmax(x + (size_t)r * (size_t)ldx, n);
}

double log_sum_exp(const float *x, int n, double *sum)
{
    return math_kernels_best()->row->log_sum_exp(x, n, sum);
}

void gather_rows(float *to, const float *from, const int *rows, int count, int width)
{
    for (int i = 0; i < count; i++)
        memmove(to + (size_t)i * (size_t)width, from + (size_t)rows[i] * (size_t)width,
                (size_t)width * sizeof(float));
}
