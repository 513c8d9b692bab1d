// The plot of a sweep as characters on stdout.
#ifndef TRIMSCOPE_APP_SWEEP_FIGURE_H
#define TRIMSCOPE_APP_SWEEP_FIGURE_H

#include "engine/run/sweep.h"

// Accuracy against the share of the dense FLOPs, with what the letters mean. Prints nothing without a point that is done.
bool sweep_figure_print(const struct sweep_point *points, int count, struct error *err);

#endif
