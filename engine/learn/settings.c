#include "engine/learn/settings.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct setting {
    const char *name;
    size_t at;
    bool whole; // an int
    double dense, trim, low, high;
} settings_table[] = {
#define is_int_int    true
#define is_int_double false
#define SETTING_ROW(type, member, dense, trim, low, high, text)                                                \
    {#member, offsetof(struct train_settings, member), is_int_##type, dense, trim, low, high},
    TRAIN_SETTINGS(SETTING_ROW)
#undef SETTING_ROW
};
enum { SETTING_COUNT = sizeof settings_table / sizeof *settings_table };

static void store(struct train_settings *settings, const struct setting *row, double value)
{
    char *at = (char *)settings + row->at;
    if (row->whole) {
        int whole = (int)value;
        memcpy(at, &whole, sizeof whole);
    } else {
        memcpy(at, &value, sizeof value);
    }
}

static double fetch(const struct train_settings *settings, const struct setting *row)
{
    const char *at = (const char *)settings + row->at;
    int whole;
    double value;
    if (!row->whole) {
        memcpy(&value, at, sizeof value);
        return value;
    }
    memcpy(&whole, at, sizeof whole);
    return whole;
}

struct train_settings train_settings_default(bool trim)
{
    struct train_settings settings = {.trim = trim};
    for (int i = 0; i < SETTING_COUNT; i++)
        store(&settings, &settings_table[i], trim ? settings_table[i].trim : settings_table[i].dense);
    // Dropping spread over depth, early layers included (training.md, "What failed").
    static const double keep[] = {0.62, 0.45, 0.32, 0.22, 0.16, 0.12}; // the last one for all that follow
    enum { GIVEN = sizeof keep / sizeof *keep };
    for (int l = 0; l < SETTINGS_BUDGETS; l++)
        settings.budgets[l] = trim ? keep[l < GIVEN ? l : GIVEN - 1] : 1;
    return settings;
}

static bool put(struct train_settings *settings, const char *name, double value, struct error *err)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *row = &settings_table[i];
        if (strcmp(row->name, name))
            continue;
        if (!(value >= row->low && value <= row->high) || (row->whole && value != floor(value)))
            return error_set(err, ERROR_INPUT, "setting %s must be %s from %g to %g, not %g", name,
                             row->whole ? "a whole number" : "a number", row->low, row->high, value);
        store(settings, row, value);
        return true;
    }
    return error_set(err, ERROR_INPUT, "there is no training setting \"%s\"; `trimscope train --help` lists them", name);
}

static bool refuse_budgets(struct error *err)
{
    return error_set(err, ERROR_INPUT, "budgets is a list, a share of the patches for each fusion layer: write \"budgets\": "
                                       "[0.6, 0.4, 0.3] into a file of settings (--config)");
}

static bool read_budgets(struct train_settings *settings, const json_t *list, struct error *err)
{
    size_t count = json_array_size(list);
    if (count > SETTINGS_BUDGETS)
        return error_set(err, ERROR_INPUT, "there are %zu budgets; at most %d are possible, one a fusion layer", count,
                         SETTINGS_BUDGETS);
    for (size_t l = 0; l < count; l++) {
        double value = json_number_value(json_array_get(list, l));
        if (!(value > 0 && value <= 1))
            return error_set(err, ERROR_INPUT, "budgets[%zu] must be a share above 0, at most 1", l);
        settings->budgets[l] = value;
    }
    settings->budget_count = (int)count;
    return true;
}

// Asks for trimmers, which the dense stage does not have.
static bool check_dense(const struct train_settings *s, struct error *err)
{
    const char *name = s->freeze ? "freeze" : s->image_trimmers ? "image_trimmers" : s->text_trimmers ? "text_trimmers"
                     : s->decoder_trimmers ? "decoder_trimmers"
                     : s->concat ? "concat" : s->hidden         ? "hidden"         : s->rank          ? "rank"
                                                                                                      : NULL;
    return !name || error_set(err, ERROR_INPUT, "%s is a setting of trimmers, which the dense stage has none of", name);
}

bool train_settings_check(const struct train_settings *s, int fusion_layers, struct error *err)
{
    if (s->patches_low > s->patches_high)
        return error_set(err, ERROR_INPUT, "patches_low (%d) is above patches_high (%d)", s->patches_low,
                         s->patches_high);
    if (s->size_low > s->size_high)
        return error_set(err, ERROR_INPUT, "size_low (%d) is above size_high (%d)", s->size_low, s->size_high);
    if (s->budget_count > fusion_layers)
        return error_set(err, ERROR_INPUT, "there are %d budgets, but the model has %d fusion layers", s->budget_count,
                         fusion_layers);
    if (!s->trim)
        return check_dense(s, err);
    if (!s->tokens && !s->heads)
        return error_set(err, ERROR_INPUT, "tokens = 0 and heads = 0 leave nothing to trim");
    if (s->decoder_trimmers && !s->tokens)
        return error_set(err, ERROR_INPUT, "decoder_trimmers drops words that the decoder reads, and tokens = 0 says to drop none");
    if (s->concat && !s->cross)
        return error_set(err, ERROR_INPUT, "concat says how to look at the other modality, and cross = 0 says not to");
    if (s->freeze && s->trimmer_rate <= 0)
        return error_set(err, ERROR_INPUT, "freeze leaves the trimmers alone to be trained, and trimmer_rate is 0");
    if (s->freeze && (s->patch > 0 || s->color > 0 || s->ground > 0 || s->where > 0 || s->count > 0))
        return error_set(err, ERROR_INPUT, "patch, color, ground, where and count train heads beside the backbone, which "
                                           "freeze holds: leave them at 0");
    if (s->freeze && s->blend > 0)
        return error_set(err, ERROR_INPUT, "blend is a mean with the backbone that training began with, and freeze leaves that as it is");
    if (s->answer <= 0 && s->distill <= 0)
        return error_set(err, ERROR_INPUT, "there is nothing to learn from: answer and distill are both 0");
    // The cost objective is a share of the dense multiply-adds, which are those of all patches.
    if (s->full_tail < 1 && s->patches_low < 144)
        return error_set(err, ERROR_INPUT,
                         "the SmartTrim stage needs every patch: leave full_tail at 1 or patches_low at 144");
    return true;
}

static const char *stage_name(const struct train_settings *settings)
{
    return settings->trim ? "trim" : "dense";
}

// A file of settings says which stage it is for.
static bool check_stage(const struct train_settings *settings, const json_t *value, struct error *err)
{
    const char *stage = json_string_value(value);
    return (stage && !strcmp(stage, stage_name(settings))) ||
           error_set(err, ERROR_INPUT, "these are settings of the %.20s stage, and the %s stage is to run",
                     stage ? stage : "?", stage_name(settings));
}

bool train_settings_read(struct train_settings *settings, const char *json, struct error *err)
{
    json_error_t where;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where), *value;
    if (!json_is_object(root)) {
        bool json_at_all = root != NULL;
        json_decref(root);
        return json_at_all ? error_set(err, ERROR_INPUT, "training settings are JSON, but not an object")
                           : error_set(err, ERROR_INPUT, "training settings are not JSON: %s (line %d)", where.text, where.line);
    }
    const char *name;
    bool ok = true;
    json_object_foreach(root, name, value)
    {
        if (!strcmp(name, "budgets"))
            ok = ok && (json_is_array(value) ? read_budgets(settings, value, err) : refuse_budgets(err));
        else if (!strcmp(name, "stage"))
            ok = ok && check_stage(settings, value, err);
        else if (!json_is_number(value))
            ok = ok && error_set(err, ERROR_INPUT, "training setting \"%.40s\" is not a number", name);
        else
            ok = ok && put(settings, name, json_number_value(value), err);
    }
    json_decref(root);
    return ok;
}

bool train_settings_set(struct train_settings *settings, const char *name, const char *value, struct error *err)
{
    char *end;
    if (!strcmp(name, "budgets"))
        return refuse_budgets(err);
    errno = 0;
    double number = strtod(value, &end);
    if (!*value || *end || errno)
        return error_set(err, ERROR_USAGE, "setting %s: \"%s\" is not a number", name, value);
    return put(settings, name, number, err);
}

char *train_settings_json(const struct train_settings *settings)
{
    json_t *root = json_object(), *budgets = json_array();
    json_object_set_new(root, "stage", json_string(stage_name(settings)));
    for (int i = 0; i < SETTING_COUNT; i++) {
        double value = fetch(settings, &settings_table[i]);
        json_object_set_new(root, settings_table[i].name,
                            settings_table[i].whole ? json_integer((json_int_t)value) : json_real(value));
    }
    for (int l = 0; l < settings->budget_count; l++)
        json_array_append_new(budgets, json_real(settings->budgets[l]));
    if (settings->budget_count)
        json_object_set_new(root, "budgets", budgets);
    else
        json_decref(budgets);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(root);
    return text;
}

const char *train_settings_difference(const struct train_settings *settings, const struct train_settings *before)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *row = &settings_table[i];
        double now = fetch(settings, row), then = fetch(before, row);
        if (strcmp(row->name, "total") && fabs(now - then) > 1e-5 * fabs(now)) // the JSON has six digits
            return row->name;
    }
    bool same = settings->trim == before->trim && settings->budget_count == before->budget_count;
    for (int l = 0; same && l < settings->budget_count; l++)
        same = fabs(settings->budgets[l] - before->budgets[l]) < 1e-5;
    return same ? NULL : "budgets";
}
