// Position tables at another resolution.
#ifndef TRIMSCOPE_MODEL_POSITION_H
#define TRIMSCOPE_MODEL_POSITION_H

// Resizes the patch rows of a position table from a from_grid square to a to_grid square: PyTorch's bicubic
// interpolation, align_corners=False, no antialias, A = -0.75 (vlm_spec §2.4). Row 0 (class) is copied.
// from: (from_grid² + 1, width), to: (to_grid² + 1, width).
void position_resize(const float *from, int from_grid, float *to, int to_grid, int width);

#endif
