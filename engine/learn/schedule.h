// How settings change in the course of a run; `done` is the share of its steps that lie behind.
#ifndef TRIMSCOPE_LEARN_SCHEDULE_H
#define TRIMSCOPE_LEARN_SCHEDULE_H

#include "engine/learn/settings.h"

// Share of the dense multiply-adds asked for: falls from 1 in a straight line (the curriculum), then stays.
double schedule_target(const struct train_settings *settings, double done);

// A share that may stay before it costs: falls from 1 to `keep` with the curriculum.
double schedule_keep(const struct train_settings *settings, double done, double keep);

// Share of a layer's patches that may stay before it costs; tightens with the curriculum.
double schedule_budget(const struct train_settings *settings, double done, int layer);

// Factor on the peak learning rates: rises, stays, then falls as a cosine. The first of `steps` steps is not lost to 0.
double schedule_rate(const struct train_settings *settings, double done, long steps);

// Scale of the logistic noise: falls in a straight line until 80 % of the run.
double schedule_noise(const struct train_settings *settings, double done);

#endif
