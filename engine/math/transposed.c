#include "engine/math/transposed.h"

#include "engine/math/kernels.h"

#include <assert.h>
#include <string.h>

void linear_apply_transposed(struct math *math, const struct linear *linear, const float *y, int rows, float *x,
                             uint64_t *macs)
{
    int columns = ((const struct math_kernels *)linear->kernel)->gemm->columns;
    size_t n = (size_t)rows, mark = math->scratch.used;
    assert(!linear->out_block);
    float *turned = arena_alloc(&math->scratch, (size_t)linear->out * n, sizeof *turned); // (out, rows)
    for (int o = 0; o < linear->out; o++)
        for (size_t r = 0; r < n; r++)
            turned[(size_t)o * n + r] = y[r * (size_t)linear->out + (size_t)o];
    memset(x, 0, (size_t)linear->in * n * sizeof *x);
    float *room = linear->packed ? NULL : arena_alloc(&math->scratch, (size_t)linear->in * (size_t)columns, sizeof *room);
    for (int from = 0; from < linear->out; from += columns) {
        const float *panel = linear_panel(linear, from / columns, room);
        int width = linear->out - from < columns ? linear->out - from : columns;
        for (int k = 0; k < linear->in; k++)
            for (int j = 0; j < width; j++) {
                float weight = panel[(size_t)k * (size_t)columns + (size_t)j];
                const float *row = turned + (size_t)(from + j) * n;
                for (size_t r = 0; r < n; r++)
                    x[(size_t)k * n + r] += weight * row[r];
            }
    }
    arena_rewind(&math->scratch, mark);
    *macs += (uint64_t)rows * (uint64_t)linear->in * (uint64_t)linear->out;
}
