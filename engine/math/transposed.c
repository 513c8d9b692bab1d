#include "engine/math/transposed.h"

#include "engine/math/kernels.h"

#include <string.h>

void linear_apply_transposed(struct math *math, const struct linear *linear, const float *y, int rows, int out, float *x,
                             uint64_t *macs)
{
    const struct math_kernels *kernels = linear->kernel;
    const struct row_kernels *row = kernels->row;
    int columns = kernels->gemm->columns, first, width;
    size_t n = (size_t)rows, mark = math->scratch.used;
    float *turned = arena_alloc(&math->scratch, (size_t)out * n, sizeof *turned); // (out, rows)
    float *room = linear->packed ? NULL : arena_alloc(&math->scratch, (size_t)linear->in * (size_t)columns, sizeof *room);
    for (int o = 0; o < out; o++)
        for (size_t r = 0; r < n; r++)
            turned[(size_t)o * n + r] = y[r * (size_t)out + (size_t)o];
    memset(x, 0, (size_t)linear->in * n * sizeof *x);
    for (int p = 0; (width = linear_panel_columns(linear, p, &first)) >= 0 && first < out; p++) {
        const float *panel = linear_panel(linear, p, room);
        width = out - first < width ? out - first : width;
        for (int k = 0; k < linear->in && n == 1; k++)
            x[k] += row->dot(panel + (size_t)k * (size_t)columns, turned + first, width);
        for (int k = 0; k < linear->in && n > 1; k++)
            for (int j = 0; j < width; j++) {
                float weight = panel[(size_t)k * (size_t)columns + (size_t)j];
                const float *from = turned + (size_t)(first + j) * n;
                for (size_t r = 0; r < n; r++)
                    x[(size_t)k * n + r] += weight * from[r];
            }
    }
    arena_rewind(&math->scratch, mark);
    *macs += (uint64_t)rows * (uint64_t)linear->in * (uint64_t)out;
}
