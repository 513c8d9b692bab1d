// The bootstrap over pictures, for summaries and for comparisons.
#ifndef TRIMSCOPE_RUN_EVALUATE_PRIVATE_H
#define TRIMSCOPE_RUN_EVALUATE_PRIVATE_H

#include "engine/run/evaluate.h"

enum { EVALUATE_RESAMPLES = 1000 };

// 2.5th and 97.5th percentile of what is finite in values[EVALUATE_RESAMPLES], which is sorted.
struct estimate evaluate_interval(double value, double *values);

// Questions about one picture, which follow each other, are resampled together.
bool evaluate_same_picture(const struct question *a, const struct question *b);

#endif
