#include "engine/learn/params.h"

#include "engine/base/memory.h"
#include "engine/io/safetensors.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARAM_ALIGN = 16, POSITION_FEATURES = 10 };

static bool add_param(struct params *params, const struct parameter *info, bool aux)
{
    if ((params->count & (params->count - 1)) == 0) {
        size_t capacity = params->count ? 2 * (size_t)params->count : 1;
        struct param *items = realloc(params->items, capacity * sizeof *items);
        if (!items)
            return false;
        params->items = items;
    }
    params->items[params->count++] = (struct param){.info = *info, .offset = params->total, .aux = aux};
    params->total += ((size_t)info->elements + PARAM_ALIGN - 1) / PARAM_ALIGN * PARAM_ALIGN;
    return true;
}

// Trimmers and the backbone one after the other: what is trained has to come first.
struct walk {
    struct params *params;
    bool trimmers, backbone;
};

static bool visit(void *context, const struct parameter *info)
{
    const struct walk *walk = context;
    return !(info->trimmer ? walk->trimmers : walk->backbone) || add_param(walk->params, info, false);
}

static bool add_backbone_and_trimmers(struct params *params, const struct model_config *config,
                                      enum params_trained trained)
{
    struct walk all = {params, true, true}, trimmers = {params, true, false}, backbone = {params, false, true};
    if (trained == PARAMS_ALL)
        return model_parameters(config, visit, &all);
    bool ok = model_parameters(config, visit, &trimmers);
    params->trained = params->total;
    return ok && model_parameters(config, visit, &backbone);
}

static bool add_aux(struct params *params, const char *name, int rows, int columns)
{
    struct parameter info = {.rank = columns ? 2 : 1, .shape = {rows, columns}, .decay = columns > 0};
    info.elements = (int64_t)rows * (columns ? columns : 1);
    snprintf(info.name, sizeof info.name, "aux.%s", name);
    return add_param(params, &info, true);
}

static bool add_aux_linear(struct params *params, const char *name, int out, int in)
{
    char full[PARAMETER_NAME - 8];
    snprintf(full, sizeof full, "%s.weight", name);
    bool ok = add_aux(params, full, out, in);
    snprintf(full, sizeof full, "%s.bias", name);
    return ok && add_aux(params, full, out, 0);
}

bool params_init(struct params *params, const struct model_config *config, enum params_trained trained, int kinds,
                 int colors)
{
    *params = (struct params){0};
    int width = config->width;
    bool ok = add_backbone_and_trimmers(params, config, trained);
    if (kinds > 0 && trained == PARAMS_ALL) {
        ok = ok && add_aux_linear(params, "patch", width, width) && add_aux_linear(params, "background", 1, width) &&
             add_aux_linear(params, "color", colors, width) && add_aux_linear(params, "where", 6, 2 * width) &&
             add_aux_linear(params, "count", 16, 2 * width);
        for (int l = 0; ok && l < config->fusion_layers; l++) {
            char name[32];
            snprintf(name, sizeof name, "ground.%d", l);
            ok = add_aux_linear(params, name, 1, width);
        }
    }
    if (trained == PARAMS_ALL)
        params->trained = params->total;
    params->value = ok ? memory_alloc(params->total, sizeof *params->value) : NULL;
    if (!params->value)
        params_free(params);
    return params->value != NULL;
}

void params_free(struct params *params)
{
    free(params->items);
    memory_free(params->value);
    *params = (struct params){0};
}

const struct param *params_find(const struct params *params, const char *name)
{
    for (int i = 0; i < params->count; i++)
        if (!strcmp(params->items[i].info.name, name))
            return &params->items[i];
    return NULL;
}

size_t params_offset(const struct params *params, const char *name)
{
    const struct param *param = params_find(params, name);
    assert(param);
    return param->offset;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

// Coordinates are not learnt from a weak signal (training.md: `side` stayed at chance): x, y, their signs and the
// first sines and cosines, mixed at random, make a table that later layers can read positions from at once.
static void position_features(real *table, int grid, int width, struct random *random)
{
    float *weights = malloc((size_t)(2 * POSITION_FEATURES * width) * sizeof *weights);
    if (!weights)
        return;
    for (int i = 0; i < 2 * POSITION_FEATURES * width; i++)
        weights[i] = random_normal(random) * 0.12f;
    for (int p = 0; p < grid * grid; p++) {
        float features[2 * POSITION_FEATURES];
        for (int axis = 0; axis < 2; axis++) {
            float u = ((float)(axis ? p / grid : p % grid) + 0.5f) / (float)grid * 2 - 1;
            float *f = features + axis * POSITION_FEATURES;
            f[0] = u;
            f[1] = u < 0 ? -0.7f : 0.7f;
            for (int k = 1; k <= 4; k++) {
                f[2 * k] = sinf(u * (float)k * 1.57079633f);
                f[2 * k + 1] = cosf(u * (float)k * 1.57079633f);
            }
        }
        for (int d = 0; d < width; d++) {
            float sum = 0;
            for (int k = 0; k < 2 * POSITION_FEATURES; k++)
                sum += features[k] * weights[k * width + d];
            table[(size_t)(p + 1) * width + d] = (real)sum;
        }
    }
    free(weights);
}

static float start_deviation(const struct param *param)
{
    const char *name = param->info.name;
    if (strstr(name, "stem.") || strstr(name, "visual.conv1")) {
        // Convolutions and the stem's MLP: variance kept from layer to layer.
        int64_t fan_in = param->info.elements / param->info.shape[0];
        return sqrtf((strstr(name, "fc2") ? 0.1f : 1.6f) / (float)fan_in);
    }
    if (strstr(name, "word_embeddings"))
        return 0.09f;
    if (strstr(name, "embedding") || strstr(name, "position"))
        return 0.04f;
    if (ends_with(name, "output.dense.weight") || strstr(name, "out_proj") || strstr(name, "c_proj"))
        return 0.02f;
    if (param->info.trimmer && strstr(name, ".out."))
        return 0.02f;
    return sqrtf(1.0f / (float)param->info.shape[1]);
}

void params_randomize(struct params *params, const struct model_config *config, uint64_t seed)
{
    for (int i = 0; i < params->count; i++) {
        const struct param *param = &params->items[i];
        const char *name = param->info.name;
        real *value = params->value + param->offset;
        struct random random;
        // Each parameter has a stream of its own: adding one leaves the others as they were.
        uint64_t stream = 1469598103934665603u;
        for (const char *c = name; *c; c++)
            stream = (stream ^ (unsigned char)*c) * 1099511628211u;
        random_init(&random, seed, stream);
        float constant = 0, deviation = 0;
        if (strstr(name, "token.alpha"))
            constant = 1.0f;
        else if (param->info.trimmer && (ends_with(name, "token.out.bias") || ends_with(name, "a.out.bias")))
            constant = 4.0f;
        else if (param->info.rank >= 2 || strstr(name, "embedding"))
            deviation = start_deviation(param);
        else if (ends_with(name, "weight"))
            constant = 1.0f; // LayerNorm
        bool norm = strstr(name, "LayerNorm") != NULL;
        for (int64_t k = 0; k < param->info.elements; k++)
            value[k] = (real)(norm ? (ends_with(name, "weight") ? 1.0f : 0.0f)
                                   : constant + (deviation > 0 ? deviation * random_normal(&random) : 0));
        if (!strcmp(name, "cross_modal_image_position"))
            position_features(value, config->position_grid, config->width, &random);
    }
}

static bool no_larger(const struct parameter *info, const struct tensor *tensor)
{
    bool fits = tensor->rank == info->rank;
    for (int i = 0; fits && i < info->rank; i++)
        fits = tensor->shape[i] <= info->shape[i];
    return fits;
}

static bool same_shape(const struct parameter *info, const struct tensor *tensor)
{
    return no_larger(info, tensor) && tensor->elements == (size_t)info->elements;
}

// The tensor's numbers, spread over a parameter of at least its size in every axis.
static void grow(real *value, const struct parameter *info, const struct tensor *tensor, const float *from)
{
    for (int64_t k = 0; k < info->elements; k++) {
        int64_t rest = k, at = 0, size = 1, index = 0;
        bool inside = true;
        for (int axis = info->rank - 1; axis >= 0; axis--) {
            index = rest % info->shape[axis];
            rest /= info->shape[axis];
            inside = inside && index < tensor->shape[axis];
            at += index * size;
            size *= tensor->shape[axis];
        }
        if (inside)
            value[k] = (real)from[at];
        else if (index < tensor->shape[0]) // the last axis visited is that of the units
            value[k] = 0;
    }
}

static bool load_one(struct params *params, const struct param *param, const struct tensor *tensor, enum params_load what,
                     float *buffer, struct error *err)
{
    const struct parameter *info = &param->info;
    real *value = params->value + param->offset;
    bool same = same_shape(info, tensor);
    if (!same && !(what == PARAMS_LOAD_GROWN && no_larger(info, tensor)))
        return error_set(err, ERROR_INPUT, "tensor %s has %zu numbers in %d axes; the model to be trained has %lld in %d",
                         info->name, tensor->elements, tensor->rank, (long long)info->elements, info->rank);
    tensor_floats(tensor, buffer);
    for (size_t k = 0; k < tensor->elements; k++) {
        if (!isfinite(buffer[k]))
            return error_set(err, ERROR_INPUT, "tensor %s holds a number that is not finite", info->name);
        if (same)
            value[k] = (real)buffer[k];
    }
    if (!same)
        grow(value, info, tensor, buffer);
    return true;
}

bool params_load(struct params *params, const struct tensor_list *file, enum params_load what, struct error *err)
{
    int64_t largest = 1;
    for (int i = 0; i < params->count; i++)
        largest = params->items[i].info.elements > largest ? params->items[i].info.elements : largest;
    float *buffer = malloc((size_t)largest * sizeof *buffer);
    if (!buffer)
        return error_no_memory(err, "reading weights");
    bool ok = true;
    for (int i = 0; ok && i < params->count; i++) {
        const struct param *param = &params->items[i];
        const struct tensor *tensor = tensor_list_find(file, param->info.name);
        if (what == PARAMS_LOAD_TRAINED && param->offset >= params->trained)
            continue;
        if (tensor) {
            ok = load_one(params, param, tensor, what, buffer, err);
            tensor_list_forget(file, tensor); // of a gigabyte of weights one copy is enough
        } else if (what == PARAMS_LOAD_TRAINED || (what == PARAMS_LOAD_START && !(param->aux || param->info.trimmer))) {
            ok = error_set(err, ERROR_INPUT, "there is no tensor %s, which the model to be trained has",
                           param->info.name);
        }
    }
    free(buffer);
    return ok;
}
