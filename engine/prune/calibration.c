#include "engine/prune/calibration.h"

#include "engine/prune/budget.h"

#include <jansson.h>
#include <math.h>

enum { POINTS = 256 };
static const double KEEP_ALL = 1e6; // a shift that no score outweighs

// The points of one policy, by rising share. `values` are JSON numbers or lists.
struct curve {
    json_t *root;
    int count;
    double shares[POINTS];
    const json_t *values[POINTS];
};

static bool curve_open(struct curve *curve, const struct model *model, enum policy policy, struct error *err)
{
    *curve = (struct curve){0};
    if (!model->calibration)
        return error_set(err, ERROR_INPUT,
                         "this model carries no calibration, so a budget for the policy %s cannot be kept; leave the "
                         "budget out to prune as trained",
                         policy_name(policy));
    curve->root = json_loads(model->calibration, 0, NULL);
    const json_t *list = json_object_get(curve->root, policy_name(policy));
    size_t size = json_array_size(list);
    bool ok = size > 0 && size <= POINTS;
    for (size_t i = 0; ok && i < size; i++) {
        const json_t *point = json_array_get(list, i), *share = json_array_get(point, 0);
        curve->values[i] = json_array_get(point, 1);
        curve->shares[i] = json_number_value(share);
        ok = json_is_number(share) && curve->values[i] && (i == 0 || curve->shares[i] > curve->shares[i - 1]);
    }
    curve->count = (int)size;
    if (ok)
        return true;
    json_decref(curve->root);
    return error_set(err, ERROR_INPUT,
                     list ? "the calibration of the policy %s is damaged: expected [share, value] pairs by rising share"
                          : "this model carries no calibration for the policy %s; leave the budget out to prune as "
                            "trained",
                     policy_name(policy));
}

// Interval [*low, *low + 1] and position in it; below the first point false.
static bool curve_locate(const struct curve *curve, enum policy policy, double share, int *low, double *t,
                         struct error *err)
{
    int last = curve->count - 1;
    if (share < curve->shares[0] - 1e-9)
        return error_set(err, ERROR_INPUT,
                         "the policy %s can spend %.3f of the dense multiply-adds at least; %g was asked for",
                         policy_name(policy), budget_told(curve->shares[0]), share);
    *low = last > 0 ? last - 1 : 0;
    *t = last > 0 ? 1 : 0;
    for (int i = 0; i < last; i++)
        if (share < curve->shares[i + 1]) {
            *low = i;
            *t = fmax(0, (share - curve->shares[i]) / (curve->shares[i + 1] - curve->shares[i]));
            break;
        }
    return true;
}

static const json_t *curve_high(const struct curve *curve, int low)
{
    return curve->values[low + 1 < curve->count ? low + 1 : low];
}

bool calibration_shift(const struct model *model, enum policy policy, double share, double *shift, struct error *err)
{
    struct curve curve;
    int low;
    double t;
    if (share >= 1) {
        *shift = KEEP_ALL;
        return true;
    }
    if (!curve_open(&curve, model, policy, err))
        return false;
    bool ok = curve_locate(&curve, policy, share, &low, &t, err);
    if (ok && !(json_is_number(curve.values[low]) && json_is_number(curve_high(&curve, low))))
        ok = error_set(err, ERROR_INPUT, "the calibration of the policy %s is damaged: a threshold is not a number",
                       policy_name(policy));
    if (ok)
        *shift = (1 - t) * json_number_value(curve.values[low]) + t * json_number_value(curve_high(&curve, low));
    json_decref(curve.root);
    return ok;
}

bool calibration_least(const struct model *model, enum policy policy, double *share, struct error *err)
{
    struct curve curve;
    if (!curve_open(&curve, model, policy, err))
        return false;
    *share = fmin(curve.shares[0], 1);
    json_decref(curve.root);
    return true;
}

bool calibration_share(const struct model *model, double shift, double *share)
{
    struct curve curve;
    if (!curve_open(&curve, model, POLICY_LEARNED, NULL))
        return false;
    *share = curve.shares[curve.count - 1];
    double before = json_number_value(curve.values[0]);
    if (shift <= before)
        *share = curve.shares[0];
    for (int i = 1; i < curve.count; i++) {
        double value = json_number_value(curve.values[i]);
        if (shift >= before && shift < value) {
            *share = curve.shares[i - 1] + (curve.shares[i] - curve.shares[i - 1]) * (shift - before) / (value - before);
            break;
        }
        before = value;
    }
    json_decref(curve.root);
    return true;
}

bool calibration_profile(const struct model *model, double share, float *profile, struct error *err)
{
    struct curve curve;
    int low, size = budget_profile_size(&model->config);
    double t;
    if (!curve_open(&curve, model, POLICY_LEARNED_FIXED, err))
        return false;
    // Below the least calibrated share its profile still says where to save; budget_make() scales it.
    if (share < curve.shares[0])
        share = curve.shares[0];
    bool ok = curve_locate(&curve, POLICY_LEARNED_FIXED, share, &low, &t, err);
    const json_t *a = ok ? curve.values[low] : NULL, *b = ok ? curve_high(&curve, low) : NULL;
    if (ok && (json_array_size(a) != (size_t)size || json_array_size(b) != (size_t)size))
        ok = error_set(err, ERROR_INPUT, "the calibration of learned-fixed has %zu fractions; this model needs %d",
                       json_array_size(a), size);
    for (int i = 0; ok && i < size; i++) {
        const json_t *x = json_array_get(a, (size_t)i), *y = json_array_get(b, (size_t)i);
        if (!json_is_number(x) || !json_is_number(y))
            ok = error_set(err, ERROR_INPUT, "the calibration of learned-fixed is damaged: fraction %d is not a number", i);
        double value = (1 - t) * json_number_value(x) + t * json_number_value(y);
        profile[i] = (float)fmin(1, fmax(0, value));
    }
    json_decref(curve.root);
    return ok;
}
