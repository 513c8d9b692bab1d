// Depthwise 5x5 convolution over channel-last rows, compiled per instruction set.
#include "engine/math/variant.h"
#include "engine/model/stem_kernels.h"

// y (side*side, width) = x + bias + Σ taps; x the same shape; taps (25, width). Outside the picture counts as 0.
static void depthwise5(const float *x, int side, int width, const float *taps, const float *bias, float *y)
{
    for (int py = 0; py < side; py++)
        for (int px = 0; px < side; px++) {
            const float *centre = x + (py * side + px) * width;
            float *restrict out = y + (py * side + px) * width;
            for (int c = 0; c < width; c++)
                out[c] = centre[c] + bias[c];
            for (int dy = -2; dy <= 2; dy++)
                for (int dx = -2; dx <= 2; dx++) {
                    if (py + dy < 0 || py + dy >= side || px + dx < 0 || px + dx >= side)
                        continue;
                    const float *restrict from = x + ((py + dy) * side + px + dx) * width;
                    const float *restrict tap = taps + ((dy + 2) * 5 + dx + 2) * width;
                    for (int c = 0; c < width; c++)
                        out[c] += from[c] * tap[c];
                }
        }
}

const struct stem_kernels VARIANT_NAME(stem_kernels) = {depthwise5};
