// Linear layers backwards.
#ifndef TRIMSCOPE_MATH_TRANSPOSED_H
#define TRIMSCOPE_MATH_TRANSPOSED_H

#include "engine/math/math.h"

// x (in, rows) = (y W)ᵀ for y (rows, out): back through the first `out` outputs of a layer without its bias, one column for
// each row of y. For few rows. Takes out * rows floats of the scratch, and those of a panel where linear_narrow() has halved
// the weights.
void linear_apply_transposed(struct math *math, const struct linear *linear, const float *y, int rows, int out, float *x,
                             uint64_t *macs);

#endif
