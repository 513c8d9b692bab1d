// The table that stem_kernels.c fills per instruction set.
#ifndef TRIMSCOPE_MODEL_STEM_KERNELS_H
#define TRIMSCOPE_MODEL_STEM_KERNELS_H

#include "engine/math/variant.h"

struct stem_kernels {
    // y = x + depthwise(x) + bias over a side x side picture, channels last; y is not x.
    void (*depthwise5)(const float *x, int side, int width, const float *taps, const float *bias, float *y);
};
VARIANT_DECLARE(struct stem_kernels, stem_kernels);

#endif
