// What the files of the familiarity share.
#ifndef TRIMSCOPE_RUN_FAMILIAR_PRIVATE_H
#define TRIMSCOPE_RUN_FAMILIAR_PRIVATE_H

#include "engine/run/familiar.h"

// The standardised features and their squares: what the weights are of.
void familiarity_standard(const struct familiarity *familiarity, const float features[FAMILIAR_FEATURES],
                          float out[2 * FAMILIAR_FEATURES]);

double familiarity_score(const struct familiarity *familiarity, const float features[FAMILIAR_FEATURES]);

#endif
