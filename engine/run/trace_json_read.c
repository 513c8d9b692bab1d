// A trace from JSON that anybody may have written.
#include "engine/run/trace.h"

#include "engine/io/json_place.h"

#include <float.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// What a large real trace needs many times over. The last two bound the memory that the JSON library can take.
enum { TEXT_LIMIT = 16 << 20, VALUE_LIMIT = 4 << 20, CONTAINER_LIMIT = 256 << 10 };
enum { GRID_LIMIT = 1024, TOKEN_LIMIT = 1 << 14, INTERVENTION_LIMIT = 1 << 14 };

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
    return !place.value || json_is_null(place.value) || place_read_name(place, trace_stream_name, out, err);
}

static bool read_flags(struct place place, int count, uint8_t *out, struct error *err)
{
    if (!place_check_length(&place, count, err))
        return false;
    for (int i = 0; i < count; i++) {
        int flag;
        if (!place_read_int(place_element(&place, (size_t)i), 0, 1, &flag, err))
            return false;
        out[i] = (uint8_t)flag;
    }
    return true;
}

static bool read_floats(struct place place, int count, float low, float high, float *out, struct error *err)
{
    if (!place_check_length(&place, count, err))
        return false;
    for (int i = 0; i < count; i++)
        if (!place_read_float(place_element(&place, (size_t)i), low, high, &out[i], err))
            return false;
    return true;
}

// A token cannot have been dropped at a stage that is still to come.
static bool read_drops(struct place place, int count, int stage, int16_t *out, struct error *err)
{
    if (!place_check_length(&place, count, err))
        return false;
    for (int i = 0; i < count; i++) {
        struct place item = place_element(&place, (size_t)i);
        int dropped_at = -1;
        if (!json_is_null(item.value) && !place_read_int(item, 0, stage, &dropped_at, err))
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
        return place_refuse(&place, err, "null or an object");
    // Before memory is taken: the file has to hold as many elements as the input promises.
    struct place alive = place_member(&place, "alive");
    if (!place_check_length(&alive, count, err))
        return false;
    if (!trace_tokens_alloc(tokens, count))
        return error_no_memory(err, "the trace");
    return count == 0 || (read_flags(alive, count, tokens->alive, err) &&
                          read_floats(place_member(&place, "self"), count, -FLT_MAX, FLT_MAX, tokens->self_score, err) &&
                          read_floats(place_member(&place, "cross"), count, -FLT_MAX, FLT_MAX, tokens->cross_score, err) &&
                          read_floats(place_member(&place, "score"), count, -FLT_MAX, FLT_MAX, tokens->score, err) &&
                          read_floats(place_member(&place, "keep"), count, 0, 1, tokens->keep, err) &&
                          read_drops(place_member(&place, "dropped_at"), count, stage, tokens->dropped_at, err));
}

static bool read_heads(struct place place, struct trace_heads heads[MODULES], struct error *err)
{
    if (!place.value || json_is_null(place.value))
        return true;
    if (!json_is_object(place.value))
        return place_refuse(&place, err, "null or an object");
    for (int m = 0; m < MODULES; m++) {
        struct place module = place_member(&place, name_module(m));
        if (!module.value || json_is_null(module.value))
            continue;
        if (!json_is_object(module.value))
            return place_refuse(&module, err, "null or an object");
        struct place on = place_member(&module, "on");
        size_t count;
        if (!place_read_length(&on, TRACE_HEADS, &count, err))
            return false;
        heads[m].count = (int)count;
        if (!read_flags(on, heads[m].count, heads[m].on, err) ||
            !read_floats(place_member(&module, "score"), heads[m].count, -FLT_MAX, FLT_MAX, heads[m].score, err))
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
    struct place image = place_member(stage_place, "image"), heads = place_member(stage_place, "heads");
    if (!json_is_object(heads.value))
        return place_refuse(&heads, err, "an object");
    struct place image_heads = place_member(&heads, "image");
    bool two = trace->picture_count > 1;
    if (two && (!place_check_length(&image, 2, err) || !place_check_length(&image_heads, 2, err)))
        return false;
    for (int i = 0; i < trace->picture_count; i++) {
        size_t at = (size_t)i;
        if (!read_tokens(two ? place_element(&image, at) : image, patch_tokens(&trace->pictures[i]), index,
                         &stage->tokens[i], err) ||
            !read_heads(two ? place_element(&image_heads, at) : image_heads, stage->heads[i], err))
            return false;
    }
    return read_tokens(place_member(stage_place, "text"), trace->token_count, index, &stage->tokens[TRACE_TEXT_STREAM],
                       err) &&
           read_heads(place_member(&heads, "text"), stage->heads[TRACE_TEXT_STREAM], err);
}

static bool read_macs(struct place place, struct trace_macs *macs, struct error *err)
{
    struct place by = place_member(&place, "by");
    if (!json_is_object(place.value))
        return place_refuse(&place, err, "an object");
    if (!json_is_object(by.value))
        return place_refuse(&by, err, "an object");
    for (int i = 0; i < MAC_KINDS; i++)
        if (!place_read_number(place_member(&by, mac_kind_name((enum mac_kind)i)), 0, DBL_MAX, &macs->by[i], err))
            return false;
    return place_read_number(place_member(&place, "dense"), 0, DBL_MAX, &macs->dense, err) &&
           place_read_number(place_member(&place, "spent"), 0, DBL_MAX, &macs->spent, err) &&
           place_read_number(place_member(&place, "cumulative_dense"), 0, DBL_MAX, &macs->cumulative_dense, err) &&
           place_read_number(place_member(&place, "cumulative_spent"), 0, DBL_MAX, &macs->cumulative_spent, err);
}

static bool read_answer(struct place place, struct trace_answer *answer, struct error *err)
{
    if (!json_is_object(place.value))
        return place_refuse(&place, err, "an object");
    return place_read_text(place_member(&place, "text"), answer->text, sizeof answer->text, err) &&
           place_read_float(place_member(&place, "p"), 0, 1, &answer->p, err);
}

static bool read_results(const struct place *place, struct stage *stage, struct error *err)
{
    struct place redundancy = place_member(place, "redundancy"), answers = place_member(place, "answers");
    size_t count;
    if (!place_read_number(place_member(place, "ms"), 0, DBL_MAX, &stage->ms, err) ||
        !place_read_float(place_member(&redundancy, "image"), -1.001f, 1.001f, &stage->redundancy_image, err) ||
        !place_read_float(place_member(&redundancy, "text"), -1.001f, 1.001f, &stage->redundancy_text, err) ||
        !place_read_float(place_member(&redundancy, "heads"), -1.001f, 1.001f, &stage->redundancy_heads, err) ||
        !place_read_float(place_member(&redundancy, "image_heads"), -1.001f, 1.001f, &stage->redundancy_heads_of[0], err) ||
        !place_read_float(place_member(&redundancy, "text_heads"), -1.001f, 1.001f, &stage->redundancy_heads_of[1], err) ||
        !place_read_float(place_member(place, "rank"), -FLT_MAX, FLT_MAX, &stage->rank, err) ||
        !place_read_float(place_member(place, "similarity"), -2, 2, &stage->similarity, err) ||
        !place_read_length(&answers, TRACE_ANSWERS, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_answer(place_element(&answers, i), &stage->answers[i], err))
            return false;
    stage->answer_count = (int)count;
    return true;
}

static bool read_stage(struct place place, struct trace *trace, struct error *err)
{
    if (!json_is_object(place.value))
        return place_refuse(&place, err, "an object");
    struct stage *stage = trace_add_stage(trace);
    if (!stage)
        return error_no_memory(err, "the trace");
    struct place layer = place_member(&place, "layer");
    int kind;
    if (!place_read_text(place_member(&place, "name"), stage->name, sizeof stage->name, err) ||
        !place_read_name(place_member(&place, "kind"), name_kind, &kind, err) ||
        !read_stream(place_member(&place, "stream"), &stage->stream, err))
        return false;
    stage->kind = (enum stage_kind)kind;
    if (!json_is_null(layer.value) && !place_read_int(layer, 0, TRACE_STAGES - 1, &stage->layer, err))
        return false;
    return read_streams(&place, trace, stage, trace->stage_count - 1, err) &&
           read_macs(place_member(&place, "macs"), &stage->macs, err) && read_results(&place, stage, err);
}

static bool read_stages(const struct place *root, struct trace *trace, struct error *err)
{
    struct place stages = place_member(root, "stages"), total = place_member(root, "stage_total");
    size_t count;
    if (!place_read_length(&stages, TRACE_STAGES, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_stage(place_element(&stages, i), trace, err))
            return false;
    trace->stage_total = (int)count;
    return !total.value || place_read_int(total, (int)count, TRACE_STAGES, &trace->stage_total, err);
}

static bool read_picture(struct place place, struct trace_picture *picture, struct error *err)
{
    struct place grid = place_member(&place, "grid");
    struct {
        const char *name;
        bool *value;
    } flags[] = {{"squashed", &picture->squashed}, {"as_stored", &picture->as_stored}, {"reduced", &picture->reduced}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct place flag = place_member(&place, flags[i].name);
        if (flag.value && !place_read_bool(flag, flags[i].value, err))
            return false;
    }
    return place_read_string(place_member(&place, "path"), TRACE_QUESTION, &picture->path, err) &&
           place_read_int(place_member(&place, "width"), 1, INT_MAX, &picture->width, err) &&
           place_read_int(place_member(&place, "height"), 1, INT_MAX, &picture->height, err) && place_check_length(&grid, 2, err) &&
           place_read_int(place_element(&grid, 0), 1, GRID_LIMIT, &picture->grid_rows, err) &&
           place_read_int(place_element(&grid, 1), 1, GRID_LIMIT, &picture->grid_columns, err);
}

static bool read_token(struct place place, int question_length, struct trace_token *token, struct error *err)
{
    struct place unknown = place_member(&place, "unknown");
    return place_read_text(place_member(&place, "text"), token->text, sizeof token->text, err) &&
           place_read_int(place_member(&place, "from"), 0, question_length, &token->from, err) &&
           place_read_int(place_member(&place, "to"), token->from, question_length, &token->to, err) &&
           (!unknown.value || place_read_bool(unknown, &token->unknown, err));
}

static bool read_input(struct place place, struct trace *trace, struct error *err)
{
    struct place pictures = place_member(&place, "pictures"), tokens = place_member(&place, "tokens");
    size_t count;
    if (!place_read_length(&pictures, TRACE_PICTURES, &count, err))
        return false;
    if (count == 0)
        return place_refuse(&pictures, err, "a list of one or two pictures");
    trace->picture_count = (int)count;
    for (size_t i = 0; i < count; i++)
        if (!read_picture(place_element(&pictures, i), &trace->pictures[i], err))
            return false;
    if (!place_read_string(place_member(&place, "question"), TRACE_QUESTION, &trace->question, err) ||
        !place_read_length(&tokens, TOKEN_LIMIT, &count, err))
        return false;
    trace->tokens = calloc(count ? count : 1, sizeof *trace->tokens);
    if (!trace->tokens)
        return error_no_memory(err, "the trace");
    trace->token_count = (int)count;
    for (size_t i = 0; i < count; i++)
        if (!read_token(place_element(&tokens, i), (int)strlen(trace->question), &trace->tokens[i], err))
            return false;
    return true;
}

static bool read_intervention(struct place place, const struct trace *trace, struct intervention *out,
                              struct error *err)
{
    int kind, module = 0;
    if (!place_read_name(place_member(&place, "kind"), name_intervention, &kind, err) ||
        !place_read_int(place_member(&place, "stage"), 0, TRACE_STAGES - 1, &out->stage, err) ||
        !read_stream(place_member(&place, "stream"), &out->stream, err))
        return false;
    out->kind = (enum intervention_kind)kind;
    if (out->kind == INTERVENE_REOPEN)
        return true;
    if (out->stream < 0 || (out->stream < TRACE_PICTURES && out->stream >= trace->picture_count)) {
        struct place stream = place_member(&place, "stream");
        return place_refuse(&stream, err, "a stream that the input has");
    }
    if (out->kind == INTERVENE_TOKEN_KEEP || out->kind == INTERVENE_TOKEN_DROP) {
        int tokens = out->stream == TRACE_TEXT_STREAM ? trace->token_count : patch_tokens(&trace->pictures[out->stream]);
        return place_read_int(place_member(&place, "token"), 0, tokens - 1, &out->token, err);
    }
    if (!place_read_name(place_member(&place, "module"), name_module, &module, err))
        return false;
    out->module = (enum attention_module)module;
    return place_read_int(place_member(&place, "head"), 0, TRACE_HEADS - 1, &out->head, err);
}

static bool read_policy(struct place place, struct trace *trace, struct error *err)
{
    struct place interventions = place_member(&place, "interventions");
    size_t count;
    if (!place_read_text(place_member(&place, "name"), trace->policy, sizeof trace->policy, err) ||
        !place_read_number(place_member(&place, "budget"), 0, 1, &trace->budget, err) ||
        !place_read_number(place_member(&place, "shift"), -DBL_MAX, DBL_MAX, &trace->shift, err) ||
        !place_read_bool(place_member(&place, "tokens"), &trace->trim_tokens, err) ||
        !place_read_bool(place_member(&place, "heads"), &trace->trim_heads, err) ||
        !place_read_length(&interventions, INTERVENTION_LIMIT, &count, err))
        return false;
    if (count == 0)
        return true;
    trace->interventions = calloc(count, sizeof *trace->interventions);
    if (!trace->interventions)
        return error_no_memory(err, "the trace");
    trace->intervention_count = (int)count;
    for (size_t i = 0; i < count; i++)
        if (!read_intervention(place_element(&interventions, i), trace, &trace->interventions[i], err))
            return false;
    return true;
}

static bool read_writing(struct place place, struct trace_writing *writing, struct error *err)
{
    const struct {
        const char *name;
        int *value;
    } numbers[] = {{"candidates", &writing->candidates}, {"beams", &writing->beams}, {"min_length", &writing->min_length},
                   {"max_length", &writing->max_length}};
    if (!place.value)
        return true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct place number = place_member(&place, numbers[i].name);
        if (number.value && !place_read_int(number, 1, 65536, numbers[i].value, err))
            return false;
    }
    struct place answers = place_member(&place, "answers");
    return place_read_bool(place_member(&place, "generate"), &writing->generate, err) &&
           place_read_bool(place_member(&place, "cls"), &writing->cls, err) &&
           (!answers.value || place_read_string(answers, TRACE_QUESTION, &writing->answers, err));
}

static bool read_model(struct place place, struct trace *trace, struct error *err)
{
    return place_read_text(place_member(&place, "name"), trace->model_name, sizeof trace->model_name, err) &&
           place_read_text(place_member(&place, "architecture"), trace->architecture, sizeof trace->architecture, err) &&
           place_read_text(place_member(&place, "task"), trace->task, sizeof trace->task, err) &&
           place_read_number(place_member(&place, "parameters"), 0, DBL_MAX, &trace->parameters, err);
}

static bool read_trace(const json_t *json, struct trace *trace, struct error *err)
{
    struct place root = {.subject = "the trace", .value = json}, version = place_member(&root, "trimscope");
    struct place answer = place_member(&root, "answer"), macs = place_member(&root, "macs");
    if (!json_is_integer(version.value))
        return error_set(err, ERROR_INPUT, "not a trimscope trace: the member \"trimscope\", its version, is missing");
    if (json_integer_value(version.value) != 1)
        return error_set(err, ERROR_INPUT, "the trace has version %lld; this program reads version 1",
                         json_integer_value(version.value));
    return read_model(place_member(&root, "model"), trace, err) && read_input(place_member(&root, "input"), trace, err) &&
           read_policy(place_member(&root, "policy"), trace, err) &&
           read_writing(place_member(&root, "writing"), &trace->writing, err) && read_stages(&root, trace, err) &&
           (!answer.value || json_is_null(answer.value) || read_answer(answer, &trace->answer, err)) &&
           place_read_number(place_member(&macs, "dense"), 0, DBL_MAX, &trace->dense_macs, err) &&
           place_read_number(place_member(&macs, "spent"), 0, DBL_MAX, &trace->spent_macs, err) &&
           place_read_number(place_member(&root, "ms"), 0, DBL_MAX, &trace->ms, err);
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
