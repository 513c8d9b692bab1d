#include "engine/run/familiar_private.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Beyond this many standard deviations a feature says no more than that it is far.
static const float FAR = 6;

void familiarity_standard(const struct familiarity *familiarity, const float features[FAMILIAR_FEATURES],
                          float out[2 * FAMILIAR_FEATURES])
{
    for (int f = 0; f < FAMILIAR_FEATURES; f++) {
        float z = (features[f] - familiarity->mean[f]) / familiarity->scale[f];
        z = z < -FAR ? -FAR : z > FAR ? FAR : z;
        out[f] = z;
        out[FAMILIAR_FEATURES + f] = z * z;
    }
}

double familiarity_score(const struct familiarity *familiarity, const float features[FAMILIAR_FEATURES])
{
    float terms[2 * FAMILIAR_FEATURES];
    familiarity_standard(familiarity, features, terms);
    double sum = familiarity->bias;
    for (int t = 0; t < 2 * FAMILIAR_FEATURES; t++)
        sum += (double)familiarity->weight[t] * (double)terms[t];
    return sum;
}

double familiarity_distance(const struct familiarity *familiarity, const struct picture *fitted)
{
    float features[FAMILIAR_FEATURES];
    if (fitted->width != familiarity->side || fitted->height != familiarity->side || fitted->channels != 3 ||
        !familiarity_features(fitted, features))
        return (double)NAN;
    return (familiarity_score(familiarity, features) - familiarity->median) /
           (familiarity->threshold - familiarity->median);
}

bool familiarity_unlike(const struct familiarity *familiarity, const struct picture *fitted)
{
    return familiarity_distance(familiarity, fitted) > 1;
}

// Six digits: what a float in the statistics is good for.
static json_t *number(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    return json_real(strtod(text, NULL));
}

static json_t *numbers(const float *values, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, number((double)values[i]));
    return list;
}

char *familiarity_to_json(const struct familiarity *familiarity)
{
    json_t *root = json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", 1, "side",
                             familiarity->side, "pictures", familiarity->pictures, "share", number(familiarity->share),
                             "median", number(familiarity->median), "threshold", number(familiarity->threshold), "bias",
                             number(familiarity->bias), "mean", numbers(familiarity->mean, FAMILIAR_FEATURES), "scale",
                             numbers(familiarity->scale, FAMILIAR_FEATURES), "weight",
                             numbers(familiarity->weight, 2 * FAMILIAR_FEATURES));
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(7)) : NULL;
    json_decref(root);
    return text;
}

static bool read_numbers(const json_t *root, const char *key, float *values, int count)
{
    const json_t *list = json_object_get(root, key);
    bool ok = json_array_size(list) == (size_t)count;
    for (int i = 0; ok && i < count; i++) {
        const json_t *item = json_array_get(list, (size_t)i);
        values[i] = (float)json_number_value(item);
        ok = json_is_number(item) && isfinite(values[i]);
    }
    return ok;
}

static bool read_statistics(struct familiarity *f, json_t *root)
{
    int version = 0;
    if (json_unpack(root, "{s:i, s:i, s:i, s:F, s:F, s:F, s:F}", "version", &version, "side", &f->side, "pictures",
                    &f->pictures, "share", &f->share, "median", &f->median, "threshold", &f->threshold, "bias",
                    &f->bias) != 0)
        return false;
    bool ok = version == 1 && f->side >= 2 * FAMILIAR_PATCH && f->side <= FAMILIAR_SIDE_MOST &&
              f->side % FAMILIAR_PATCH == 0 && f->pictures > 0 && f->share >= 0 && f->share < 1 &&
              f->threshold > f->median && read_numbers(root, "mean", f->mean, FAMILIAR_FEATURES) &&
              read_numbers(root, "scale", f->scale, FAMILIAR_FEATURES) &&
              read_numbers(root, "weight", f->weight, 2 * FAMILIAR_FEATURES);
    for (int i = 0; ok && i < FAMILIAR_FEATURES; i++)
        ok = f->scale[i] > 0;
    return ok;
}

bool familiarity_from_json(struct familiarity *familiarity, const char *text, struct error *err)
{
    *familiarity = (struct familiarity){0};
    json_error_t where;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return error_set(err, ERROR_INPUT, "the metadata familiarity is not JSON: %s", where.text);
    bool ok = read_statistics(familiarity, root);
    json_decref(root);
    if (ok)
        return true;
    *familiarity = (struct familiarity){0};
    return error_set(err, ERROR_INPUT,
                     "the metadata familiarity is damaged or of another version; expected version 1 with side, "
                     "pictures, share, median, threshold, bias, %d means and scales and %d weights",
                     FAMILIAR_FEATURES, 2 * FAMILIAR_FEATURES);
}
