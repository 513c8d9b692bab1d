// Reading the metadata `calibration` (format: budget.h).
#ifndef TRIMSCOPE_PRUNE_CALIBRATION_H
#define TRIMSCOPE_PRUNE_CALIBRATION_H

#include "engine/model/model.h"
#include "engine/prune/policy.h"

// The threshold shift of a policy for a share, interpolated between calibrated points. From a share of 1 on everything
// stays. False and one sentence when the model has no such curve or it does not go down to that share.
bool calibration_shift(const struct model *model, enum policy policy, double share, double *shift, struct error *err);

// The least share that a policy's curve goes down to. False and one sentence when the model has no such curve.
bool calibration_least(const struct model *model, enum policy policy, double *share, struct error *err);

// The share that the learned policy had on the calibration set with this shift; false where there is no curve.
bool calibration_share(const struct model *model, double shift, double *share);

// The fractions of learned-fixed for a share: profile[budget_profile_size()].
bool calibration_profile(const struct model *model, double share, float *profile, struct error *err);

#endif
