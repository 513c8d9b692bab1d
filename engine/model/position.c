#include "engine/model/position.h"

#include <math.h>
#include <string.h>

// Source index (clamped) and weight of the four taps that make output index i.
static void taps(int i, int from_grid, int to_grid, int index[4], float weight[4])
{
    const double a = -0.75;
    double x = (double)from_grid / to_grid * (i + 0.5) - 0.5, floor_x = floor(x), t = x - floor_x;
    double distance[4] = {t + 1, t, 1 - t, 2 - t};
    for (int k = 0; k < 4; k++) {
        double u = distance[k];
        int j = (int)floor_x - 1 + k;
        index[k] = j < 0 ? 0 : j >= from_grid ? from_grid - 1 : j;
        weight[k] = (float)(k == 1 || k == 2 ? ((a + 2) * u - (a + 3)) * u * u + 1
                                             : ((a * u - 5 * a) * u + 8 * a) * u - 4 * a);
    }
}

void position_resize(const float *from, int from_grid, float *to, int to_grid, int width)
{
    size_t row = (size_t)width;
    memcpy(to, from, row * sizeof(float));
    if (from_grid == to_grid) {
        memcpy(to + row, from + row, (size_t)(to_grid * to_grid) * row * sizeof(float));
        return;
    }
    for (int y = 0; y < to_grid; y++)
        for (int x = 0; x < to_grid; x++) {
            int iy[4], ix[4];
            float wy[4], wx[4], *out = to + (size_t)(y * to_grid + x + 1) * row;
            taps(y, from_grid, to_grid, iy, wy);
            taps(x, from_grid, to_grid, ix, wx);
            memset(out, 0, row * sizeof(float));
            for (int k = 0; k < 16; k++) {
                const float *in = from + (size_t)(iy[k / 4] * from_grid + ix[k % 4] + 1) * row;
                float weight = wy[k / 4] * wx[k % 4];
                for (int i = 0; i < width; i++)
                    out[i] += weight * in[i];
            }
        }
}
