// A trace from JSON that anybody may have written. Each member is read through a struct place, which knows its way
// from the root, so that an error names the member that is wrong.
#include "engine/run/trace.h"

#include <float.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// What a large real trace needs many times over. The last two bound the memory that the JSON library can take.
enum { TEXT_LIMIT = 16 << 20, VALUE_LIMIT = 4 << 20, CONTAINER_LIMIT = 256 << 10 };
enum { GRID_LIMIT = 1024, QUESTION_LIMIT = 1 << 16, TOKEN_LIMIT = 1 << 14, INTERVENTION_LIMIT = 1 << 14 };

struct place {
    const struct place *parent;
    const char *key; // NULL: an element of a list
    size_t index;
    const json_t *value; // NULL: missing
};

static struct place member(const struct place *parent, const char *key)
{
    return (struct place){parent, key, 0, json_object_get(parent->value, key)};
}

static struct place element(const struct place *parent, size_t index)
{
    return (struct place){parent, NULL, index, json_array_get(parent->value, index)};
}

static size_t write_path(const struct place *place, char *out, size_t size)
{
    if (!place->parent)
        return 0;
    size_t at = write_path(place->parent, out, size);
    int n = place->key ? snprintf(out + at, size - at, "%s%s", at ? "." : "", place->key)
                       : snprintf(out + at, size - at, "[%zu]", place->index);
    return n > 0 && (size_t)n < size - at ? at + (size_t)n : size - 1;
}

static const char *describe(const json_t *value)
{
    if (!value)
        return "nothing";
    static const char *const names[] = {"an object", "a list", "a string", "a whole number", "a number",
                                        "true",      "false",  "null"};
    return names[json_typeof(value)];
}

static bool refuse_found(const struct place *place, struct error *err, const char *expected, const char *found)
{
    char path[160] = "";
    write_path(place, path, sizeof path);
    return error_set(err, ERROR_INPUT, "the trace's member \"%s\" should be %s; found %s", path, expected, found);
}

static bool refuse(const struct place *place, struct error *err, const char *expected)
{
    return refuse_found(place, err, expected, describe(place->value));
}

static bool refuse_range(const struct place *place, struct error *err, const char *kind, double low, double high)
{
    char expected[120], found[40];
    snprintf(expected, sizeof expected, "%s from %g to %g", kind, low, high);
    snprintf(found, sizeof found, "%g", json_number_value(place->value));
    return refuse_found(place, err, expected, json_is_number(place->value) ? found : describe(place->value));
}

static bool refuse_length(const struct place *place, struct error *err, const char *expected)
{
    char found[60];
    snprintf(found, sizeof found, "a list of %zu", json_array_size(place->value));
    return refuse_found(place, err, expected, json_is_array(place->value) ? found : describe(place->value));
}

static bool read_int(struct place place, int low, int high, int *out, struct error *err)
{
    json_int_t value = json_integer_value(place.value);
    *out = low;
    if (!json_is_integer(place.value) || value < low || value > high)
        return refuse_range(&place, err, "a whole number", low, high);
    *out = (int)value;
    return true;
}

// null or nothing is NaN.
static bool read_number(struct place place, double low, double high, double *out, struct error *err)
{
    *out = (double)NAN;
    if (!place.value || json_is_null(place.value))
        return true;
    double value = json_number_value(place.value);
    if (!json_is_number(place.value) || !(value >= low && value <= high))
        return refuse_range(&place, err, "null or a number", low, high);
    *out = value;
    return true;
}

static bool read_float(struct place place, float low, float high, float *out, struct error *err)
{
    double value;
    bool ok = read_number(place, (double)low, (double)high, &value, err);
    *out = (float)value;
    return ok;
}

static bool read_bool(struct place place, bool *out, struct error *err)
{
    *out = json_is_true(place.value);
    return json_is_boolean(place.value) || refuse(&place, err, "true or false");
}

static bool refuse_string(const struct place *place, struct error *err, size_t limit)
{
    char expected[60], found[60];
    const char *text = json_string_value(place->value);
    snprintf(expected, sizeof expected, "a string of at most %zu bytes", limit);
    snprintf(found, sizeof found, "a string of %zu", text ? strlen(text) : 0);
    return refuse_found(place, err, expected, text ? found : describe(place->value));
}

static bool read_text(struct place place, char *out, size_t size, struct error *err)
{
    const char *text = json_string_value(place.value);
    if (!text || strlen(text) >= size)
        return refuse_string(&place, err, size - 1);
    strcpy(out, text);
    return true;
}

static bool read_string(struct place place, char **out, struct error *err)
{
    const char *text = json_string_value(place.value);
    if (!text || strlen(text) > QUESTION_LIMIT)
        return refuse_string(&place, err, QUESTION_LIMIT);
    *out = strdup(text);
    return *out || error_no_memory(err, "the trace");
}

// The names come from a function that gives NULL for what is no value of the enum.
static bool read_name(struct place place, const char *(*name)(int value), int *out, struct error *err)
{
    const char *text = json_string_value(place.value);
    char expected[120] = "one of";
    for (int i = 0; name(i); i++) {
        *out = i;
        if (text && !strcmp(text, name(i)))
            return true;
        strncat(expected, i > 0 ? ", " : " ", sizeof expected - strlen(expected) - 1);
        strncat(expected, name(i), sizeof expected - strlen(expected) - 1);
    }
    return refuse(&place, err, expected);
}

static const char *name_kind(int value)
{
    return stage_kind_name((enum stage_kind)value);
}

static const char *name_module(int value)
{
    return attention_module_name((enum attention_module)value);
}

static const char *name_intervention(int value)
{
    return intervention_kind_name((enum intervention_kind)value);
}

// null or nothing is -1.
static bool read_stream(struct place place, int *out, struct error *err)
{
    *out = -1;
    return !place.value || json_is_null(place.value) || read_name(place, trace_stream_name, out, err);
}

// How many elements a list has; refused when it is no list or longer than `limit`.
static bool read_length(const struct place *place, size_t limit, size_t *length, struct error *err)
{
    *length = json_array_size(place->value);
    if (json_is_array(place->value) && *length <= limit)
        return true;
    char expected[60];
    snprintf(expected, sizeof expected, "a list of at most %zu elements", limit);
    return refuse_length(place, err, expected);
}

static bool check_length(const struct place *place, int length, struct error *err)
{
    if (json_is_array(place->value) && json_array_size(place->value) == (size_t)length)
        return true;
    char expected[60];
    snprintf(expected, sizeof expected, "a list of %d elements", length);
    return refuse_length(place, err, expected);
}

static bool read_flags(struct place place, int count, uint8_t *out, struct error *err)
{
    if (!check_length(&place, count, err))
        return false;
    for (int i = 0; i < count; i++) {
        int flag;
        if (!read_int(element(&place, (size_t)i), 0, 1, &flag, err))
            return false;
        out[i] = (uint8_t)flag;
    }
    return true;
}

static bool read_floats(struct place place, int count, float low, float high, float *out, struct error *err)
{
    if (!check_length(&place, count, err))
        return false;
    for (int i = 0; i < count; i++)
        if (!read_float(element(&place, (size_t)i), low, high, &out[i], err))
            return false;
    return true;
}

// A token cannot have been dropped at a stage that is still to come.
static bool read_drops(struct place place, int count, int stage, int16_t *out, struct error *err)
{
    if (!check_length(&place, count, err))
        return false;
    for (int i = 0; i < count; i++) {
        struct place item = element(&place, (size_t)i);
        int dropped_at = -1;
        if (!json_is_null(item.value) && !read_int(item, 0, stage, &dropped_at, err))
            return false;
        out[i] = (int16_t)dropped_at;
    }
    return true;
}

static bool read_tokens(struct place place, int count, int stage, struct trace_tokens *tokens, struct error *err)
{
    if (json_is_null(place.value))
        return true;
    if (!json_is_object(place.value))
        return refuse(&place, err, "null or an object");
    // Before memory is taken: the file has to hold as many elements as the input promises.
    struct place alive = member(&place, "alive");
    if (!check_length(&alive, count, err))
        return false;
    if (!trace_tokens_alloc(tokens, count))
        return error_no_memory(err, "the trace");
    return count == 0 || (read_flags(alive, count, tokens->alive, err) &&
                          read_floats(member(&place, "self"), count, -FLT_MAX, FLT_MAX, tokens->self_score, err) &&
                          read_floats(member(&place, "cross"), count, -FLT_MAX, FLT_MAX, tokens->cross_score, err) &&
                          read_floats(member(&place, "score"), count, -FLT_MAX, FLT_MAX, tokens->score, err) &&
                          read_floats(member(&place, "keep"), count, 0, 1, tokens->keep, err) &&
                          read_drops(member(&place, "dropped_at"), count, stage, tokens->dropped_at, err));
}

static bool read_heads(struct place place, struct trace_heads heads[MODULES], struct error *err)
{
    if (!place.value || json_is_null(place.value))
        return true;
    if (!json_is_object(place.value))
        return refuse(&place, err, "null or an object");
    for (int m = 0; m < MODULES; m++) {
        struct place module = member(&place, name_module(m));
        if (!module.value || json_is_null(module.value))
            continue;
        if (!json_is_object(module.value))
            return refuse(&module, err, "null or an object");
        struct place on = member(&module, "on");
        size_t count;
        if (!read_length(&on, TRACE_HEADS, &count, err))
            return false;
        heads[m].count = (int)count;
        if (!read_flags(on, heads[m].count, heads[m].on, err) ||
            !read_floats(member(&module, "score"), heads[m].count, -FLT_MAX, FLT_MAX, heads[m].score, err))
            return false;
    }
    return true;
}

static int patch_tokens(const struct trace_picture *picture)
{
    return picture->grid_rows * picture->grid_columns + 1;
}

// One picture stands as it is, two as a list of two.
static bool read_streams(const struct place *stage_place, const struct trace *trace, struct stage *stage, int index,
                         struct error *err)
{
    struct place image = member(stage_place, "image"), heads = member(stage_place, "heads");
    if (!json_is_object(heads.value))
        return refuse(&heads, err, "an object");
    struct place image_heads = member(&heads, "image");
    bool two = trace->picture_count > 1;
    if (two && (!check_length(&image, 2, err) || !check_length(&image_heads, 2, err)))
        return false;
    for (int i = 0; i < trace->picture_count; i++) {
        size_t at = (size_t)i;
        if (!read_tokens(two ? element(&image, at) : image, patch_tokens(&trace->pictures[i]), index,
                         &stage->tokens[i], err) ||
            !read_heads(two ? element(&image_heads, at) : image_heads, stage->heads[i], err))
            return false;
    }
    return read_tokens(member(stage_place, "text"), trace->token_count, index, &stage->tokens[TRACE_TEXT_STREAM],
                       err) &&
           read_heads(member(&heads, "text"), stage->heads[TRACE_TEXT_STREAM], err);
}

static bool read_macs(struct place place, struct trace_macs *macs, struct error *err)
{
    struct place by = member(&place, "by");
    if (!json_is_object(place.value))
        return refuse(&place, err, "an object");
    if (!json_is_object(by.value))
        return refuse(&by, err, "an object");
    for (int i = 0; i < MAC_KINDS; i++)
        if (!read_number(member(&by, mac_kind_name((enum mac_kind)i)), 0, DBL_MAX, &macs->by[i], err))
            return false;
    return read_number(member(&place, "dense"), 0, DBL_MAX, &macs->dense, err) &&
           read_number(member(&place, "spent"), 0, DBL_MAX, &macs->spent, err) &&
           read_number(member(&place, "cumulative_dense"), 0, DBL_MAX, &macs->cumulative_dense, err) &&
           read_number(member(&place, "cumulative_spent"), 0, DBL_MAX, &macs->cumulative_spent, err);
}

static bool read_answer(struct place place, struct trace_answer *answer, struct error *err)
{
    if (!json_is_object(place.value))
        return refuse(&place, err, "an object");
    return read_text(member(&place, "text"), answer->text, sizeof answer->text, err) &&
           read_float(member(&place, "p"), 0, 1, &answer->p, err);
}

static bool read_results(const struct place *place, struct stage *stage, struct error *err)
{
    struct place redundancy = member(place, "redundancy"), answers = member(place, "answers");
    size_t count;
    if (!read_number(member(place, "ms"), 0, DBL_MAX, &stage->ms, err) ||
        !read_float(member(&redundancy, "image"), -1.001f, 1.001f, &stage->redundancy_image, err) ||
        !read_float(member(&redundancy, "text"), -1.001f, 1.001f, &stage->redundancy_text, err) ||
        !read_float(member(&redundancy, "heads"), -1.001f, 1.001f, &stage->redundancy_heads, err) ||
        !read_float(member(&redundancy, "image_heads"), -1.001f, 1.001f, &stage->redundancy_heads_of[0], err) ||
        !read_float(member(&redundancy, "text_heads"), -1.001f, 1.001f, &stage->redundancy_heads_of[1], err) ||
        !read_length(&answers, TRACE_ANSWERS, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_answer(element(&answers, i), &stage->answers[i], err))
            return false;
    stage->answer_count = (int)count;
    return true;
}

static bool read_stage(struct place place, struct trace *trace, struct error *err)
{
    if (!json_is_object(place.value))
        return refuse(&place, err, "an object");
    struct stage *stage = trace_add_stage(trace);
    if (!stage)
        return error_no_memory(err, "the trace");
    struct place layer = member(&place, "layer");
    int kind;
    if (!read_text(member(&place, "name"), stage->name, sizeof stage->name, err) ||
        !read_name(member(&place, "kind"), name_kind, &kind, err) ||
        !read_stream(member(&place, "stream"), &stage->stream, err))
        return false;
    stage->kind = (enum stage_kind)kind;
    if (!json_is_null(layer.value) && !read_int(layer, 0, TRACE_STAGES - 1, &stage->layer, err))
        return false;
    return read_streams(&place, trace, stage, trace->stage_count - 1, err) &&
           read_macs(member(&place, "macs"), &stage->macs, err) && read_results(&place, stage, err);
}

static bool read_stages(const struct place *root, struct trace *trace, struct error *err)
{
    struct place stages = member(root, "stages"), total = member(root, "stage_total");
    size_t count;
    if (!read_length(&stages, TRACE_STAGES, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_stage(element(&stages, i), trace, err))
            return false;
    trace->stage_total = (int)count;
    return !total.value || read_int(total, (int)count, TRACE_STAGES, &trace->stage_total, err);
}

static bool read_picture(struct place place, struct trace_picture *picture, struct error *err)
{
    struct place grid = member(&place, "grid");
    return read_string(member(&place, "path"), &picture->path, err) &&
           read_int(member(&place, "width"), 1, INT_MAX, &picture->width, err) &&
           read_int(member(&place, "height"), 1, INT_MAX, &picture->height, err) && check_length(&grid, 2, err) &&
           read_int(element(&grid, 0), 1, GRID_LIMIT, &picture->grid_rows, err) &&
           read_int(element(&grid, 1), 1, GRID_LIMIT, &picture->grid_columns, err);
}

static bool read_token(struct place place, int question_length, struct trace_token *token, struct error *err)
{
    struct place unknown = member(&place, "unknown");
    return read_text(member(&place, "text"), token->text, sizeof token->text, err) &&
           read_int(member(&place, "from"), 0, question_length, &token->from, err) &&
           read_int(member(&place, "to"), token->from, question_length, &token->to, err) &&
           (!unknown.value || read_bool(unknown, &token->unknown, err));
}

static bool read_input(struct place place, struct trace *trace, struct error *err)
{
    struct place pictures = member(&place, "pictures"), tokens = member(&place, "tokens");
    size_t count;
    if (!read_length(&pictures, TRACE_PICTURES, &count, err))
        return false;
    if (count == 0)
        return refuse(&pictures, err, "a list of one or two pictures");
    trace->picture_count = (int)count;
    for (size_t i = 0; i < count; i++)
        if (!read_picture(element(&pictures, i), &trace->pictures[i], err))
            return false;
    if (!read_string(member(&place, "question"), &trace->question, err) ||
        !read_length(&tokens, TOKEN_LIMIT, &count, err))
        return false;
    trace->tokens = calloc(count ? count : 1, sizeof *trace->tokens);
    if (!trace->tokens)
        return error_no_memory(err, "the trace");
    trace->token_count = (int)count;
    for (size_t i = 0; i < count; i++)
        if (!read_token(element(&tokens, i), (int)strlen(trace->question), &trace->tokens[i], err))
            return false;
    return true;
}

static bool read_intervention(struct place place, const struct trace *trace, struct intervention *out,
                              struct error *err)
{
    int kind, module = 0;
    if (!read_name(member(&place, "kind"), name_intervention, &kind, err) ||
        !read_int(member(&place, "stage"), 0, TRACE_STAGES - 1, &out->stage, err) ||
        !read_stream(member(&place, "stream"), &out->stream, err))
        return false;
    out->kind = (enum intervention_kind)kind;
    if (out->kind == INTERVENE_REOPEN)
        return true;
    if (out->stream < 0 || (out->stream < TRACE_PICTURES && out->stream >= trace->picture_count)) {
        struct place stream = member(&place, "stream");
        return refuse(&stream, err, "a stream that the input has");
    }
    if (out->kind == INTERVENE_TOKEN_KEEP || out->kind == INTERVENE_TOKEN_DROP) {
        int tokens = out->stream == TRACE_TEXT_STREAM ? trace->token_count : patch_tokens(&trace->pictures[out->stream]);
        return read_int(member(&place, "token"), 0, tokens - 1, &out->token, err);
    }
    if (!read_name(member(&place, "module"), name_module, &module, err))
        return false;
    out->module = (enum attention_module)module;
    return read_int(member(&place, "head"), 0, TRACE_HEADS - 1, &out->head, err);
}

static bool read_policy(struct place place, struct trace *trace, struct error *err)
{
    struct place interventions = member(&place, "interventions");
    size_t count;
    if (!read_text(member(&place, "name"), trace->policy, sizeof trace->policy, err) ||
        !read_number(member(&place, "budget"), 0, 1, &trace->budget, err) ||
        !read_number(member(&place, "shift"), -DBL_MAX, DBL_MAX, &trace->shift, err) ||
        !read_bool(member(&place, "tokens"), &trace->trim_tokens, err) ||
        !read_bool(member(&place, "heads"), &trace->trim_heads, err) ||
        !read_length(&interventions, INTERVENTION_LIMIT, &count, err))
        return false;
    if (count == 0)
        return true;
    trace->interventions = calloc(count, sizeof *trace->interventions);
    if (!trace->interventions)
        return error_no_memory(err, "the trace");
    trace->intervention_count = (int)count;
    for (size_t i = 0; i < count; i++)
        if (!read_intervention(element(&interventions, i), trace, &trace->interventions[i], err))
            return false;
    return true;
}

static bool read_model(struct place place, struct trace *trace, struct error *err)
{
    return read_text(member(&place, "name"), trace->model_name, sizeof trace->model_name, err) &&
           read_text(member(&place, "architecture"), trace->architecture, sizeof trace->architecture, err) &&
           read_text(member(&place, "task"), trace->task, sizeof trace->task, err) &&
           read_number(member(&place, "parameters"), 0, DBL_MAX, &trace->parameters, err);
}

static bool read_trace(const json_t *json, struct trace *trace, struct error *err)
{
    struct place root = {.value = json}, version = member(&root, "trimscope");
    struct place answer = member(&root, "answer"), macs = member(&root, "macs");
    if (!json_is_integer(version.value))
        return error_set(err, ERROR_INPUT, "not a trimscope trace: the member \"trimscope\", its version, is missing");
    if (json_integer_value(version.value) != 1)
        return error_set(err, ERROR_INPUT, "the trace has version %lld; this program reads version 1",
                         json_integer_value(version.value));
    return read_model(member(&root, "model"), trace, err) && read_input(member(&root, "input"), trace, err) &&
           read_policy(member(&root, "policy"), trace, err) && read_stages(&root, trace, err) &&
           (!answer.value || json_is_null(answer.value) || read_answer(answer, &trace->answer, err)) &&
           read_number(member(&macs, "dense"), 0, DBL_MAX, &trace->dense_macs, err) &&
           read_number(member(&macs, "spent"), 0, DBL_MAX, &trace->spent_macs, err) &&
           read_number(member(&root, "ms"), 0, DBL_MAX, &trace->ms, err);
}

// Counts what would become values, without parsing: an upper bound of what the JSON library will allocate.
static bool check_size(const char *text, size_t size, struct error *err)
{
    size_t values = 0, containers = 0;
    if (size > TEXT_LIMIT)
        return error_set(err, ERROR_INPUT, "the trace has %zu bytes; the limit is %d", size, TEXT_LIMIT);
    for (size_t i = 0; i < size; i++) {
        values += text[i] == ',';
        containers += text[i] == '[' || text[i] == '{';
    }
    if (values > VALUE_LIMIT || containers > CONTAINER_LIMIT)
        return error_set(err, ERROR_INPUT, "the trace holds more values than any run makes");
    return true;
}

bool trace_from_json(struct trace *trace, const char *text, size_t size, struct error *err)
{
    json_error_t problem;
    trace_init(trace);
    if (!check_size(text, size, err))
        return false;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!json && json_error_code(&problem) == json_error_out_of_memory)
        return error_no_memory(err, "the trace");
    if (!json)
        return error_set(err, ERROR_INPUT, "the trace is not valid JSON: line %d, column %d: %s", problem.line,
                         problem.column, problem.text);
    bool ok = read_trace(json, trace, err);
    json_decref(json);
    if (!ok)
        trace_free(trace);
    return ok;
}
