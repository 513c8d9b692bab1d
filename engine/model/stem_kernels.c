// Depthwise 5x5 convolution over channel-last rows, compiled per instruction set.
#include "engine/math/variant.h"
#include "engine/math/vectors.h"
#include "engine/model/stem_kernels.h"

enum { VECTORS = 4 }; // of channels at a time: their sums stay in registers over all taps

// The taps of one pixel that lie inside the picture.
struct window {
    const float *x, *taps; // of the first of them
    int side, width, rows, columns; // rows, columns: how many
};

INLINE void add_taps(const struct window *w, int channel, vec sum[VECTORS])
{
    for (int r = 0; r < w->rows; r++)
        for (int c = 0; c < w->columns; c++) {
            const float *x = w->x + (r * w->side + c) * w->width + channel;
            const float *tap = w->taps + (r * 5 + c) * w->width + channel;
            UNROLL for (int v = 0; v < VECTORS; v++)
                sum[v] += vec_load(x + v * LANES) * vec_load(tap + v * LANES);
        }
}

INLINE float add_taps_one(const struct window *w, int channel, float sum)
{
    for (int r = 0; r < w->rows; r++)
        for (int c = 0; c < w->columns; c++)
            sum += w->x[(r * w->side + c) * w->width + channel] * w->taps[(r * 5 + c) * w->width + channel];
    return sum;
}

static void one_pixel(const struct window *w, const float *centre, const float *bias, float *y)
{
    int c = 0;
    for (; c + VECTORS * LANES <= w->width; c += VECTORS * LANES) {
        vec sum[VECTORS];
        UNROLL for (int v = 0; v < VECTORS; v++)
            sum[v] = vec_load(centre + c + v * LANES) + vec_load(bias + c + v * LANES);
        add_taps(w, c, sum);
        UNROLL for (int v = 0; v < VECTORS; v++)
            vec_store(y + c + v * LANES, sum[v]);
    }
    for (; c < w->width; c++)
        y[c] = add_taps_one(w, c, centre[c] + bias[c]);
}

// y (side*side, width) = x + bias + Σ taps; x the same shape; taps (25, width). Outside the picture counts as 0.
static void depthwise5(const float *x, int side, int width, const float *taps, const float *bias, float *y)
{
    for (int py = 0; py < side; py++)
        for (int px = 0; px < side; px++) {
            int top = py < 2 ? py : 2, left = px < 2 ? px : 2;
            int bottom = side - 1 - py < 2 ? side - 1 - py : 2, right = side - 1 - px < 2 ? side - 1 - px : 2;
            const float *centre = x + (py * side + px) * width;
            const struct window w = {.x = centre - (top * side + left) * width,
                                     .taps = taps + ((2 - top) * 5 + 2 - left) * width,
                                     .side = side,
                                     .width = width,
                                     .rows = top + 1 + bottom,
                                     .columns = left + 1 + right};
            one_pixel(&w, centre, bias, y + (py * side + px) * width);
        }
}

const struct stem_kernels VARIANT_NAME(stem_kernels) = {depthwise5};
