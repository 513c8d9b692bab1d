#include "engine/math/math.h"

#include <math.h>
#include <string.h>

void layer_norm(const float *x, int ldx, int rows, int width, const float *gamma, const float *beta, float eps, float *y,
                int ldy)
{
    for (int r = 0; r < rows; r++) {
        const float *from = x + (size_t)r * (size_t)ldx;
        float *to = y + (size_t)r * (size_t)ldy;
        double sum = 0, squares = 0;
        for (int i = 0; i < width; i++)
            sum += (double)from[i];
        double mean = sum / width;
        for (int i = 0; i < width; i++)
            squares += ((double)from[i] - mean) * ((double)from[i] - mean);
        double scale = 1 / sqrt(squares / width + (double)eps);
        for (int i = 0; i < width; i++)
            to[i] = (float)(((double)from[i] - mean) * scale) * gamma[i] + beta[i];
    }
}

static float activate_one(float x, enum activation activation)
{
    switch (activation) {
    case ACTIVATION_GELU: return 0.5f * x * (1 + erff(x * 0.70710678f));
    case ACTIVATION_QUICK_GELU: return x / (1 + expf(-1.702f * x));
    case ACTIVATION_TANH: return tanhf(x);
    case ACTIVATION_RELU: return x > 0 ? x : 0;
    case ACTIVATION_NONE: break;
    }
    return x;
}

void activate(float *x, int n, enum activation activation)
{
    for (int i = 0; activation != ACTIVATION_NONE && i < n; i++)
        x[i] = activate_one(x[i], activation);
}

void softmax_rows(float *x, int rows, int n, int ldx)
{
    for (int r = 0; r < rows; r++) {
        float *row = x + (size_t)r * (size_t)ldx;
        float top = row[0], sum = 0;
        for (int i = 1; i < n; i++)
            top = row[i] > top ? row[i] : top;
        for (int i = 0; i < n; i++)
            sum += row[i] = expf(row[i] - top);
        for (int i = 0; i < n; i++)
            row[i] /= sum;
    }
}

void gather_rows(float *to, const float *from, const int *rows, int count, int width)
{
    for (int i = 0; i < count; i++)
        memmove(to + (size_t)i * (size_t)width, from + (size_t)rows[i] * (size_t)width,
                (size_t)width * sizeof(float));
}
