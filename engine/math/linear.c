#include "engine/math/math.h"

#include <cblas.h>
#include <string.h>

bool linear_init(struct linear *linear, const float *w, const float *b, int out, int in, int out_block, int in_block)
{
    *linear = (struct linear){.in = in, .out = out, .out_block = out_block, .in_block = in_block};
    linear->packed = memory_alloc((size_t)out * (size_t)in, sizeof(float));
    linear->bias = memory_alloc((size_t)out, sizeof(float));
    if (!linear->packed || !linear->bias) {
        linear_free(linear);
        return false;
    }
    memcpy(linear->packed, w, (size_t)out * (size_t)in * sizeof(float));
    if (b)
        memcpy(linear->bias, b, (size_t)out * sizeof(float));
    return true;
}

void linear_free(struct linear *linear)
{
    memory_free(linear->packed);
    memory_free(linear->bias);
    *linear = (struct linear){0};
}

size_t linear_scratch(int in, int rows, int workers)
{
    return ((size_t)in * (size_t)rows + 1024) * sizeof(float) * (size_t)workers;
}

// One block of columns from..from + count of y.
static uint64_t apply_columns(const struct linear *l, const float *x, int ldx, int rows, float *y, int ldy, int from,
                              int count, const uint8_t *in_live)
{
    uint64_t macs = 0;
    for (int r = 0; r < rows; r++)
        memcpy(y + (size_t)r * (size_t)ldy + from, l->bias + from, (size_t)count * sizeof(float));
    int block = in_live && l->in_block ? l->in_block : l->in;
    for (int k = 0; k < l->in; k += block) {
        if (in_live && l->in_block && !in_live[k / block])
            continue;
        int depth = k + block < l->in ? block : l->in - k;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, count, depth, 1, x + k, ldx,
                    l->packed + (size_t)from * (size_t)l->in + k, l->in, 1, y + from, ldy);
        macs += (uint64_t)rows * (uint64_t)count * (uint64_t)depth;
    }
    return macs;
}

void linear_apply(struct math *math, const struct linear *linear, const float *x, int ldx, int rows, float *y, int ldy,
                  enum activation activation, const float *residual, int ldr, const uint8_t *out_live,
                  const uint8_t *in_live, uint64_t *macs)
{
    size_t mark = math->scratch.used;
    int block = linear->out_block ? linear->out_block : linear->out;
    bool aliased = residual == y;
    float *keep = aliased ? memory_alloc((size_t)rows * (size_t)linear->out, sizeof(float)) : NULL;
    for (int from = 0; from < linear->out; from += block) {
        if (out_live && linear->out_block && !out_live[from / block])
            continue;
        int count = from + block < linear->out ? block : linear->out - from;
        for (int r = 0; keep && r < rows; r++)
            memcpy(keep + (size_t)r * (size_t)count, residual + (size_t)r * (size_t)ldr + from,
                   (size_t)count * sizeof(float));
        *macs += apply_columns(linear, x, ldx, rows, y, ldy, from, count, in_live);
        for (int r = 0; r < rows; r++) {
            float *row = y + (size_t)r * (size_t)ldy + from;
            activate(row, count, activation);
            const float *add = keep ? keep + (size_t)r * (size_t)count
                                    : residual ? residual + (size_t)r * (size_t)ldr + from : NULL;
            for (int c = 0; add && c < count; c++)
                row[c] += add[c];
        }
    }
    memory_free(keep);
    arena_rewind(&math->scratch, mark);
}
