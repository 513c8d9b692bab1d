#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/run/trace.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/schema.h"

#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Any float but NaN and infinity, of any size: what has to survive being written in decimal.
static float any_float(struct random *random)
{
    float value;
    do {
        uint32_t bits = (uint32_t)random_bits(random);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return value;
}

static void fill_tokens(struct trace_tokens *tokens, int count, int stage, struct random *random)
{
    assert_true(trace_tokens_alloc(tokens, count));
    for (int i = 0; i < count; i++) {
        if (random_chance(random, 0.3f)) {
            tokens->alive[i] = 0;
            tokens->dropped_at[i] = (int16_t)random_below(random, (uint32_t)stage + 1);
        }
        if (random_chance(random, 0.7f)) {
            tokens->self_score[i] = any_float(random);
            tokens->cross_score[i] = any_float(random);
            tokens->score[i] = any_float(random);
            tokens->keep[i] = random_unit(random);
        }
    }
}

static void fill_stage(struct trace *trace, int index, struct random *random)
{
    struct stage *stage = trace_add_stage(trace);
    assert_non_null(stage);
    snprintf(stage->name, sizeof stage->name, "stage %d", index);
    stage->kind = (enum stage_kind)(index % STAGE_KINDS);
    stage->layer = index % 4 - 1;
    stage->stream = index % 2 ? TRACE_TEXT_STREAM : -1;
    for (int p = 0; p < trace->picture_count && index % 3; p++)
        fill_tokens(&stage->tokens[p], trace->pictures[p].grid_rows * trace->pictures[p].grid_columns + 1, index,
                    random);
    fill_tokens(&stage->tokens[TRACE_TEXT_STREAM], trace->token_count, index, random);
    for (int s = 0; s < TRACE_STREAMS; s++)
        for (int m = 0; m < MODULES && (s >= TRACE_PICTURES || s < trace->picture_count); m++) {
            struct trace_heads *heads = &stage->heads[s][m];
            heads->count = (int)random_below(random, 13);
            for (int h = 0; h < heads->count; h++) {
                heads->score[h] = random_chance(random, 0.2f) ? NAN : random_normal(random);
                heads->on[h] = random_chance(random, 0.5f);
            }
        }
    stage->macs = (struct trace_macs){1e9 * index, 7.5e8 * index + 1, {1, 2, 3, 4, 5, (double)NAN}, 123456789012345.0, 0.1};
    stage->ms = 1.0 / 3.0 * index;
    stage->redundancy_image = random_unit(random);
    stage->redundancy_heads = -random_unit(random);
    stage->redundancy_heads_of[index % 2] = random_unit(random);
    stage->answer_count = index % (TRACE_ANSWERS + 1);
    for (int i = 0; i < stage->answer_count; i++) {
        snprintf(stage->answers[i].text, TRACE_TEXT, "answer %d", i);
        stage->answers[i].p = random_unit(random);
    }
}

static void fill_trace(struct trace *trace, int pictures, int stages)
{
    static const struct trace_token tokens[] = {
        {"<s>", 0, 0, false}, {"is", 0, 2, false}, {"<unk>", 3, 13, true}, {"\xc3\xa9\"\\\n", 13, 15, false}};
    static const struct intervention interventions[] = {
        {INTERVENE_TOKEN_DROP, 2, 0, 6, MODULE_MSA, 0, false},
        {INTERVENE_TOKEN_KEEP, 5, TRACE_TEXT_STREAM, 3, MODULE_MSA, 0, false},
        {INTERVENE_HEAD_OFF, 1, TRACE_TEXT_STREAM, 0, MODULE_MCA2, 63, false},
        {INTERVENE_HEAD_ON, 1, 0, 0, MODULE_MSA, 2, false},
        {INTERVENE_REOPEN, 4, -1, 0, MODULE_MSA, 0, false},
    };
    struct random random;
    random_init(&random, 11, (uint64_t)pictures);
    trace_init(trace);
    strcpy(trace->model_name, "small \"meter\"");
    strcpy(trace->architecture, "meter");
    strcpy(trace->task, "vqa");
    strcpy(trace->policy, "learned");
    trace->parameters = 3456789;
    trace->picture_count = pictures;
    for (int i = 0; i < pictures && i < TRACE_PICTURES; i++)
        trace->pictures[i] = (struct trace_picture){.path = strdup("a\tb/\xe6\x97\xa5.jpg"), .width = 640 + i,
                                                      .height = 480, .grid_rows = 2, .grid_columns = 3 + i,
                                                      .squashed = i == 1, .as_stored = i == 1, .reduced = i == 0};
    trace->question = strdup("is zebracorn\x01\xc3\xa9?");
    trace->token_count = 4;
    trace->tokens = malloc(sizeof tokens);
    assert_non_null(trace->tokens);
    memcpy(trace->tokens, tokens, sizeof tokens);
    trace->budget = 0.5;
    trace->shift = -0.1;
    trace->trim_tokens = true;
    trace->intervention_count = 5;
    trace->interventions = malloc(sizeof interventions);
    assert_non_null(trace->interventions);
    memcpy(trace->interventions, interventions, sizeof interventions);
    for (int i = 0; i < stages; i++)
        fill_stage(trace, i, &random);
    trace->stage_total = stages + 2;
    strcpy(trace->answer.text, "yes");
    trace->answer.p = 0.875f;
    trace->dense_macs = 2e9;
    trace->spent_macs = 1e9;
    trace->ms = 12.25;
}

static bool same_floats(const float *a, const float *b, int count)
{
    for (int i = 0; i < count; i++)
        if (isnan(a[i]) ? !isnan(b[i]) : memcmp(&a[i], &b[i], sizeof *a) != 0)
            return false;
    return true;
}

static bool same_double(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b;
}

static void assert_same_tokens(const struct trace_tokens *a, const struct trace_tokens *b)
{
    assert_int_equal(a->count, b->count);
    if (a->count == 0)
        return;
    assert_memory_equal(a->alive, b->alive, (size_t)a->count);
    assert_memory_equal(a->dropped_at, b->dropped_at, (size_t)a->count * sizeof *a->dropped_at);
    assert_true(same_floats(a->self_score, b->self_score, a->count));
    assert_true(same_floats(a->cross_score, b->cross_score, a->count));
    assert_true(same_floats(a->score, b->score, a->count));
    assert_true(same_floats(a->keep, b->keep, a->count));
}

static void assert_same_stage(const struct stage *a, const struct stage *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->layer, b->layer);
    assert_int_equal(a->stream, b->stream);
    for (int s = 0; s < TRACE_STREAMS; s++) {
        assert_same_tokens(&a->tokens[s], &b->tokens[s]);
        for (int m = 0; m < MODULES; m++) {
            assert_int_equal(a->heads[s][m].count, b->heads[s][m].count);
            assert_true(same_floats(a->heads[s][m].score, b->heads[s][m].score, a->heads[s][m].count));
            assert_memory_equal(a->heads[s][m].on, b->heads[s][m].on, (size_t)a->heads[s][m].count);
        }
    }
    for (int i = 0; i < MAC_KINDS; i++)
        assert_true(same_double(a->macs.by[i], b->macs.by[i]));
    assert_true(same_double(a->macs.dense, b->macs.dense) && same_double(a->macs.spent, b->macs.spent));
    assert_true(same_double(a->macs.cumulative_dense, b->macs.cumulative_dense));
    assert_true(same_double(a->macs.cumulative_spent, b->macs.cumulative_spent));
    assert_true(same_double(a->ms, b->ms));
    assert_true(same_floats(&a->redundancy_image, &b->redundancy_image, 1));
    assert_true(same_floats(&a->redundancy_text, &b->redundancy_text, 1));
    assert_true(same_floats(&a->redundancy_heads, &b->redundancy_heads, 1));
    assert_true(same_floats(a->redundancy_heads_of, b->redundancy_heads_of, 2));
    assert_int_equal(a->answer_count, b->answer_count);
    for (int i = 0; i < a->answer_count; i++) {
        assert_string_equal(a->answers[i].text, b->answers[i].text);
        assert_true(same_floats(&a->answers[i].p, &b->answers[i].p, 1));
    }
}

static void assert_same_input(const struct trace *a, const struct trace *b)
{
    assert_int_equal(a->picture_count, b->picture_count);
    for (int i = 0; i < a->picture_count; i++) {
        assert_string_equal(a->pictures[i].path, b->pictures[i].path);
        assert_int_equal(a->pictures[i].width, b->pictures[i].width);
        assert_int_equal(a->pictures[i].height, b->pictures[i].height);
        assert_int_equal(a->pictures[i].grid_rows, b->pictures[i].grid_rows);
        assert_int_equal(a->pictures[i].grid_columns, b->pictures[i].grid_columns);
        assert_int_equal(a->pictures[i].squashed, b->pictures[i].squashed);
        assert_int_equal(a->pictures[i].as_stored, b->pictures[i].as_stored);
        assert_int_equal(a->pictures[i].reduced, b->pictures[i].reduced);
    }
    assert_string_equal(a->question, b->question);
    assert_int_equal(a->token_count, b->token_count);
    for (int i = 0; i < a->token_count; i++) {
        assert_string_equal(a->tokens[i].text, b->tokens[i].text);
        assert_int_equal(a->tokens[i].from, b->tokens[i].from);
        assert_int_equal(a->tokens[i].to, b->tokens[i].to);
        assert_int_equal(a->tokens[i].unknown, b->tokens[i].unknown);
    }
}

static void assert_same_trace(const struct trace *a, const struct trace *b)
{
    assert_string_equal(a->model_name, b->model_name);
    assert_string_equal(a->architecture, b->architecture);
    assert_string_equal(a->task, b->task);
    assert_true(same_double(a->parameters, b->parameters));
    assert_same_input(a, b);
    assert_string_equal(a->policy, b->policy);
    assert_true(same_double(a->budget, b->budget) && same_double(a->shift, b->shift));
    assert_int_equal(a->trim_tokens, b->trim_tokens);
    assert_int_equal(a->trim_heads, b->trim_heads);
    assert_int_equal(a->intervention_count, b->intervention_count);
    for (int i = 0; i < a->intervention_count; i++) {
        const struct intervention *x = &a->interventions[i], *y = &b->interventions[i];
        assert_true(x->kind == y->kind && x->stage == y->stage && x->stream == y->stream && x->token == y->token &&
                    x->module == y->module && x->head == y->head);
    }
    assert_int_equal(a->stage_count, b->stage_count);
    assert_int_equal(a->stage_total, b->stage_total);
    for (int i = 0; i < a->stage_count; i++)
        assert_same_stage(&a->stages[i], &b->stages[i]);
    assert_string_equal(a->answer.text, b->answer.text);
    assert_true(same_floats(&a->answer.p, &b->answer.p, 1));
    assert_true(same_double(a->dense_macs, b->dense_macs) && same_double(a->spent_macs, b->spent_macs));
    assert_true(same_double(a->ms, b->ms));
}

static json_t *load_schema(void)
{
    json_t *schema = json_load_file("assets/trace.schema.json", JSON_REJECT_DUPLICATES, NULL);
    if (!schema)
        fail_msg("assets/trace.schema.json cannot be read: run the tests from the project's folder");
    return schema;
}

static void test_round_trip(void **state)
{
    (void)state;
    json_t *schema = load_schema();
    for (int pictures = 1; pictures <= TRACE_PICTURES; pictures++) {
        struct trace trace, back;
        fill_trace(&trace, pictures, 20);
        char *text = trace_to_json(&trace), problem[300];
        assert_non_null(text);
        assert_int_equal(text[strlen(text) - 1], '\n');
        struct error err = {0};
        if (!trace_from_json(&back, text, strlen(text), &err))
            fail_msg("%s", err.text);
        assert_same_trace(&trace, &back);
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        if (!schema_validate(schema, json, problem, sizeof problem))
            fail_msg("%s", problem);
        json_decref(json);
        free(text);
        trace_free(&trace);
        trace_free(&back);
    }
    json_decref(schema);
}

static void test_unfinished(void **state)
{
    (void)state;
    struct trace trace, back;
    trace_init(&trace);
    trace.picture_count = trace.stage_total = 1;
    trace.pictures[0] = (struct trace_picture){.path = NULL, .width = 1, .height = 1, .grid_rows = 1, .grid_columns = 1};
    struct stage *stage = trace_add_stage(&trace);
    assert_non_null(stage);
    stage->answer_count = 2;
    stage->answers[0].p = 1.0000002f; // what a softmax may give
    stage->answers[1].p = -0.0f;
    stage->ms = (double)INFINITY;
    char *text = trace_to_json(&trace), problem[300];
    struct error err = {0};
    assert_non_null(text);
    if (!trace_from_json(&back, text, strlen(text), &err))
        fail_msg("%s", err.text);
    assert_true(isnan(back.answer.p) && isnan(back.budget) && isnan(back.stages[0].macs.by[MAC_FFN]));
    assert_true(isnan(back.stages[0].ms));
    assert_true(back.stages[0].answers[0].p == 1 && back.stages[0].answers[1].p == 0);
    assert_string_equal(back.question, "");
    json_t *schema = load_schema(), *json = json_loads(text, 0, NULL);
    if (!schema_validate(schema, json, problem, sizeof problem))
        fail_msg("%s", problem);
    json_decref(schema);
    json_decref(json);
    free(text);
    trace_free(&trace);
    trace_free(&back);
}

static void test_bad_utf8_keeps_positions(void **state)
{
    (void)state;
    // Each byte that is not part of a well-formed character becomes '?': overlong, surrogate, too large, cut short.
    static const char in[] = "a\xff\xc0\xaf\xed\xa0\x80\xf5\xe2\x82\xe2\x82\xac\xf0\x9f\x98\x80z\xe2";
    static const char out[] = "a????????\?\xe2\x82\xac\xf0\x9f\x98\x80z?";
    struct trace trace, back;
    fill_trace(&trace, 1, 0);
    free(trace.question);
    trace.question = strdup(in);
    char *text = trace_to_json(&trace);
    struct error err = {0};
    assert_non_null(text);
    if (!trace_from_json(&back, text, strlen(text), &err))
        fail_msg("%s", err.text);
    assert_string_equal(back.question, out);
    assert_int_equal(strlen(in), strlen(out));
    free(text);
    trace_free(&trace);
    trace_free(&back);
}

// Screen programs call setlocale(); the decimal point of a file must not follow.
static void test_decimal_comma(void **state)
{
    (void)state;
    static const char *const candidates[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    const char *chosen = NULL;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates && !chosen; i++)
        chosen = setlocale(LC_ALL, candidates[i]);
    if (!chosen)
        skip();
    struct trace trace, back;
    struct error err = {0};
    fill_trace(&trace, 1, 4);
    char *text = trace_to_json(&trace);
    assert_non_null(text);
    assert_true(trace_from_json(&back, text, strlen(text), &err));
    setlocale(LC_ALL, "C");
    assert_same_trace(&trace, &back);
    free(text);
    trace_free(&trace);
    trace_free(&back);
}

static void test_copy_and_truncate(void **state)
{
    (void)state;
    struct trace trace, copy;
    fill_trace(&trace, 2, 20);
    assert_true(trace_copy(&copy, &trace));
    assert_same_trace(&trace, &copy);
    trace.stages[7].tokens[0].alive[0] ^= 1; // the copy is deep
    trace.question[0] = 'I';
    assert_int_not_equal(copy.stages[7].tokens[0].alive[0], trace.stages[7].tokens[0].alive[0]);
    assert_string_equal(copy.question, "is zebracorn\x01\xc3\xa9?");
    trace_truncate(&trace, 25);
    assert_int_equal(trace.stage_count, 20);
    trace_truncate(&trace, 5);
    assert_int_equal(trace.stage_count, 5);
    assert_same_stage(&trace.stages[4], &copy.stages[4]);
    struct stage *stage = trace_add_stage(&trace);
    assert_non_null(stage);
    assert_int_equal(stage->tokens[0].count, 0);
    assert_true(isnan(stage->ms) && stage->layer == -1 && stage->answer_count == 0);
    assert_non_null(trace_add_stage(&copy));
    trace_free(&trace);
    assert_int_equal(trace.stage_count, 0);
    assert_true(trace_copy(&trace, &copy));
    trace_free(&trace);
    trace_free(&copy);
    trace_free(&copy);
}

// DESIGN.md's layout as another program would write it, without the members that this one adds.
static const char plain_trace[] =
    "{\"trimscope\": 1, \"model\": {\"name\": \"m\", \"architecture\": \"meter\", \"task\": \"vqa\","
    " \"parameters\": 10}, \"input\": {\"pictures\": [{\"path\": \"p.png\", \"width\": 9, \"height\": 8,"
    " \"grid\": [1, 2]}], \"question\": \"a dog\", \"tokens\": [{\"text\": \"<s>\", \"from\": 0, \"to\": 0},"
    " {\"text\": \"dog\", \"from\": 2, \"to\": 5}]}, \"policy\": {\"name\": \"learned\", \"budget\": null, \"shift\": 0,"
    " \"tokens\": true, \"heads\": false, \"interventions\": [{\"kind\": \"token-keep\", \"stage\": 0,"
    " \"stream\": \"image\", \"token\": 2}]}, \"stages\": [{\"name\": \"fusion 1\", \"kind\": \"fusion\", \"layer\": 0,"
    " \"image\": {\"alive\": [1, 0, 1], \"self\": [null, -1.5, 2], \"cross\": [null, 0.5, 0.25],"
    " \"score\": [null, -1, 2.25], \"keep\": [1, 0.25, 0.75], \"dropped_at\": [null, 0, null]}, \"text\": null,"
    " \"heads\": {\"image\": {\"msa\": {\"score\": [1, null], \"on\": [1, 0]}, \"mca\": null}, \"text\": null},"
    " \"macs\": {\"dense\": 100, \"spent\": 60, \"by\": {\"qkv\": 10, \"attention\": 10, \"projection\": 10,"
    " \"ffn\": 20, \"trimmer\": 5, \"other\": 5}, \"cumulative_spent\": 60, \"cumulative_dense\": 100}, \"ms\": 1.5,"
    " \"redundancy\": {\"image\": 0.5, \"text\": null, \"heads\": null},"
    " \"answers\": [{\"text\": \"yes\", \"p\": 0.75}]}], \"answer\": {\"text\": \"yes\", \"p\": 0.75},"
    " \"macs\": {\"dense\": 100, \"spent\": 60}, \"speedup\": 1.6666666666666667, \"ms\": 1.5}";

// Tokens as a person reads them, and what of the question no token covers.
static void test_token_texts(void **state)
{
    (void)state;
    static struct trace_token tokens[] = {{"<s>", 0, 0, false},    {"what", 0, 6, false},  {"is", 0, 6, false},
                                          {"mouse", 7, 11, false}, {"##s", 7, 11, false},  {"dog", 12, 15, false},
                                          {"##s", 15, 16, false},  {"<unk>", 17, 19, true}, {"</s>", 28, 28, false}};
    static const char *const expected[] = {"<s>", "what's", "+is", "mice", "+s", "dog", "s", "?", "</s>"};
    struct trace trace;
    char text[16];
    trace_init(&trace);
    trace.question = strdup("what's mice dogs \xc2\x9b, then.");
    trace.tokens = tokens;
    trace.token_count = 9;
    for (int i = 0; i < 9; i++)
        assert_string_equal(trace_token_text(&trace, i, text, sizeof text), expected[i]);
    assert_int_equal(trace_unread(&trace), 19);
    trace.question[19] = '\0';
    assert_int_equal(trace_unread(&trace), -1);
    assert_string_equal(trace_token_text(&trace, 8, text, sizeof text), "</s>");
    tokens[7].to = 400; // whoever fills a trace by hand may be wrong
    assert_string_equal(trace_token_text(&trace, 7, text, sizeof text), "<unk>");
    trace.tokens = NULL;
    trace_free(&trace);
}

static void test_reads_the_plain_layout(void **state)
{
    (void)state;
    struct trace trace;
    struct error err = {0};
    if (!trace_from_json(&trace, plain_trace, strlen(plain_trace), &err))
        fail_msg("%s", err.text);
    assert_string_equal(trace.tokens[1].text, "dog");
    assert_false(trace.tokens[1].unknown);
    assert_true(isnan(trace.budget) && trace.shift == 0 && trace.trim_tokens && !trace.trim_heads);
    assert_int_equal(trace.interventions[0].token, 2);
    assert_int_equal(trace.stage_total, 1);
    const struct stage *stage = &trace.stages[0];
    assert_int_equal(stage->kind, STAGE_FUSION);
    assert_int_equal(stage->stream, -1);
    assert_int_equal(stage->tokens[0].count, 3);
    assert_int_equal(stage->tokens[0].alive[1], 0);
    assert_int_equal(stage->tokens[0].dropped_at[0], -1);
    assert_int_equal(stage->tokens[0].dropped_at[1], 0);
    assert_true(stage->tokens[0].self_score[1] == -1.5f && isnan(stage->tokens[0].cross_score[0]));
    assert_true(stage->tokens[0].score[2] == 2.25f && stage->tokens[0].keep[2] == 0.75f);
    assert_int_equal(stage->tokens[TRACE_TEXT_STREAM].count, 0);
    assert_int_equal(stage->heads[0][MODULE_MSA].count, 2);
    assert_int_equal(stage->heads[0][MODULE_MSA].on[1], 0);
    assert_int_equal(stage->heads[0][MODULE_MCA].count, 0);
    assert_true(stage->macs.by[MAC_TRIMMER] == 5 && stage->macs.cumulative_dense == 100);
    assert_true(stage->redundancy_image == 0.5f && isnan(stage->redundancy_text));
    assert_true(isnan(stage->redundancy_heads_of[0]) && isnan(stage->redundancy_heads_of[1]));
    assert_string_equal(trace.answer.text, "yes");
    json_t *schema = load_schema(), *json = json_loads(plain_trace, 0, NULL);
    char problem[300];
    if (!schema_validate(schema, json, problem, sizeof problem))
        fail_msg("%s", problem);
    json_decref(schema);
    json_decref(json);
    trace_free(&trace);
}

// Replaces the member at a path like "stages.0.image.alive" by JSON text, or removes it when that is NULL.
static void replace(json_t *root, const char *path, const char *text)
{
    char copy[128], *rest = copy, *key;
    snprintf(copy, sizeof copy, "%s", path);
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    for (json_t *at = root; (key = strsep(&rest, "."));) {
        bool list = json_is_array(at);
        if (rest) {
            at = list ? json_array_get(at, (size_t)atoi(key)) : json_object_get(at, key);
            assert_non_null(at);
        } else if (!text) {
            assert_int_equal(json_object_del(at, key), 0);
        } else {
            assert_non_null(value);
            assert_int_equal(list ? json_array_set_new(at, (size_t)atoi(key), value)
                                  : json_object_set_new(at, key, value), 0);
        }
    }
}

// `schema`: this mistake can be expressed in the schema too, which then has to refuse it.
static const struct {
    const char *path, *text, *says;
    bool schema;
} mistakes[] = {
    {"trimscope", "2", "version 2", true},
    {"trimscope", NULL, "version", true},
    {"model", "[]", "\"model.name\" should be a string", true},
    {"model.name", "5", "\"model.name\" should be a string of at most 63 bytes; found a whole number", true},
    {"model.task", "\"a task name that is much too long\"", "at most 23 bytes", true},
    {"model.parameters", "-1", "\"model.parameters\"", true},
    {"input.pictures", "[]", "one or two pictures", true},
    {"input.pictures", "[1, 2, 3]", "at most 2 elements", true},
    {"input.pictures.0.width", "0", "\"input.pictures[0].width\" should be a whole number from 1", true},
    {"input.pictures.0.height", "1.5", "\"input.pictures[0].height\"", true},
    {"input.pictures.0.grid", "[1]", "a list of 2 elements; found a list of 1", true},
    {"input.pictures.0.grid", "[1, 3]", "\"stages[0].image.alive\" should be a list of 4 elements; found a list of 3", false},
    {"input.pictures.0.grid.1", "100000", "\"input.pictures[0].grid[1]\"", true},
    {"input.question", "null", "\"input.question\"", true},
    {"input.tokens.1.to", "6", "\"input.tokens[1].to\" should be a whole number from 2 to 5; found 6", false},
    {"input.tokens.1.to", "1", "\"input.tokens[1].to\"", false},
    {"input.tokens.1.from", "-1", "\"input.tokens[1].from\"", true},
    {"input.tokens.0.unknown", "0", "true or false", true},
    {"policy.budget", "1.5", "\"policy.budget\"", true},
    {"policy.tokens", "1", "\"policy.tokens\" should be true or false", true},
    {"policy.interventions.0.kind", "\"token\"", "one of token-keep, token-drop, head-on, head-off, reopen", true},
    {"policy.interventions.0.token", "3", "\"policy.interventions[0].token\" should be a whole number from 0 to 2", false},
    {"policy.interventions.0.stream", "\"image2\"", "a stream that the input has", false},
    {"policy.interventions.0.stream", "null", "a stream that the input has", false},
    {"policy.interventions.0.stage", "-1", "\"policy.interventions[0].stage\"", true},
    {"stages", "{}", "\"stages\" should be a list", true},
    {"stages.0", "null", "\"stages[0]\" should be an object; found null", true},
    {"stages.0.kind", "\"fusio\"", "one of embed, image", true},
    {"stages.0.layer", "-1", "\"stages[0].layer\"", true},
    {"stages.0.layer", NULL, "\"stages[0].layer\"", true},
    {"stages.0.image", "3", "\"stages[0].image\" should be null or an object", true},
    {"stages.0.image", NULL, "\"stages[0].image\"", true},
    {"stages.0.image.alive", "[1, 0, 1, 1]", "\"stages[0].image.alive\"", false},
    {"stages.0.image.alive.1", "2", "\"stages[0].image.alive[1]\" should be a whole number from 0 to 1; found 2", true},
    {"stages.0.image.alive.1", "true", "found true", true},
    {"stages.0.image.self", "[1]", "\"stages[0].image.self\" should be a list of 3 elements; found a list of 1", false},
    {"stages.0.image.score.0", "1e300", "\"stages[0].image.score[0]\"", false},
    {"stages.0.image.cross.0", "\"x\"", "\"stages[0].image.cross[0]\"", true},
    {"stages.0.image.keep.1", "1.01", "\"stages[0].image.keep[1]\"", true},
    {"stages.0.image.dropped_at.1", "1", "\"stages[0].image.dropped_at[1]\" should be a whole number from 0 to 0", false},
    {"stages.0.image.dropped_at.1", "-1", "\"stages[0].image.dropped_at[1]\"", true},
    {"stages.0.text", "{\"alive\": [1, 1, 1]}", "\"stages[0].text.alive\"", true},
    {"stages.0.heads", "null", "\"stages[0].heads\"", true},
    {"stages.0.heads.image", "[]", "\"stages[0].heads.image\"", true},
    {"stages.0.heads.image.msa.on", "[1]", "\"stages[0].heads.image.msa.score\"", false},
    {"stages.0.heads.image.msa.on",
     "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
     "1,1,1,1,1,1,1,1]",
     "at most 64 elements", true},
    {"stages.0.macs", "1", "\"stages[0].macs\"", true},
    {"stages.0.macs.by", "null", "\"stages[0].macs.by\"", true},
    {"stages.0.macs.by.ffn", "\"many\"", "\"stages[0].macs.by.ffn\"", true},
    {"stages.0.macs.spent", "-5", "\"stages[0].macs.spent\"", true},
    {"stages.0.ms", "-1", "\"stages[0].ms\"", true},
    {"stages.0.redundancy.image", "2", "\"stages[0].redundancy.image\"", true},
    {"stages.0.redundancy.text_heads", "-2", "\"stages[0].redundancy.text_heads\"", true},
    {"stages.0.answers", "[1,2,3,4,5,6]", "at most 5 elements", true},
    {"stages.0.answers.0.p", "-0.5", "\"stages[0].answers[0].p\"", true},
    {"stages.0.answers.0.text", "{}", "\"stages[0].answers[0].text\"", true},
    {"stage_total", "0", "\"stage_total\" should be a whole number from 1 to 1024; found 0", false},
    {"answer", "\"yes\"", "\"answer\" should be an object; found a string", true},
    {"macs.dense", "[]", "\"macs.dense\"", true},
};

static void test_names_the_mistake(void **state)
{
    (void)state;
    json_t *schema = load_schema();
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        json_t *json = json_loads(plain_trace, 0, NULL);
        replace(json, mistakes[i].path, mistakes[i].text);
        char *text = json_dumps(json, JSON_COMPACT), problem[300];
        struct trace trace;
        struct error err = {0};
        bool accepted = trace_from_json(&trace, text, strlen(text), &err);
        if (accepted || !strstr(err.text, mistakes[i].says) || err.code != ERROR_INPUT)
            fail_msg("%s = %s: %s", mistakes[i].path, mistakes[i].text ? mistakes[i].text : "(removed)",
                     accepted ? "accepted" : err.text);
        assert_int_equal(trace.stage_count, 0);
        assert_null(trace.stages);
        if (schema_validate(schema, json, problem, sizeof problem) == mistakes[i].schema)
            fail_msg("the schema and %s = %s", mistakes[i].path, mistakes[i].text ? mistakes[i].text : "(removed)");
        free(text);
        json_decref(json);
    }
    json_decref(schema);
}

static void test_two_pictures_need_lists(void **state)
{
    (void)state;
    struct trace trace, back;
    struct error err = {0};
    fill_trace(&trace, 2, 2);
    char *text = trace_to_json(&trace);
    assert_non_null(text);
    json_t *json = json_loads(text, 0, NULL);
    free(text);
    json_t *list = json_object_get(json_array_get(json_object_get(json, "stages"), 1), "image");
    assert_int_equal(json_array_size(list), 2);
    json_array_remove(list, 1);
    text = json_dumps(json, 0);
    assert_false(trace_from_json(&back, text, strlen(text), &err));
    assert_string_equal(err.text, "the trace's member \"stages[1].image\" should be a list of 2 elements; found "
                                  "a list of 1");
    free(text);
    json_decref(json);
    trace_free(&trace);
}

static void refuse_text(const char *text, size_t size, const char *says)
{
    struct trace trace;
    struct error err = {0};
    if (trace_from_json(&trace, text, size, &err) || !strstr(err.text, says))
        fail_msg("expected \"%s\", got \"%s\"", says, err.text);
}

static void test_refuses_what_is_no_trace(void **state)
{
    (void)state;
    for (size_t size = 0; size + 1 < sizeof plain_trace; size++)
        refuse_text(plain_trace, size, "not valid JSON");
    refuse_text("[]", 2, "not a trimscope trace");
    refuse_text("{\"trimscope\": 1}", 16, "\"model.name\"");
    refuse_text("{\"trimscope\": 1, \"trimscope\": 1}", 32, "duplicate");
    size_t size = (16u << 20) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '[', size);
    refuse_text(text, size, "limit");
    refuse_text(text, size - 1, "more values");
    refuse_text(text, 100000, "not valid JSON"); // deep, but within bounds
    memset(text, ',', size);
    refuse_text(text, size - 1, "more values");
    free(text);
}

// What a square grid leaves of a picture; all of it where it is squashed.
static void test_cut_off(void **state)
{
    (void)state;
    bool sides;
    struct trace_picture picture = {.width = 600, .height = 400, .grid_rows = 36, .grid_columns = 36};
    assert_true(fabs(trace_cut_off(&picture, &sides) - 1.0 / 3) < 1e-9);
    assert_true(sides);
    picture.width = 300;
    assert_true(fabs(trace_cut_off(&picture, &sides) - 0.25) < 1e-9);
    assert_false(sides);
    picture.squashed = true;
    assert_true(trace_cut_off(&picture, &sides) <= 0);
    picture = (struct trace_picture){.width = 2, .height = 2, .grid_rows = 12, .grid_columns = 12};
    assert_true(trace_cut_off(&picture, &sides) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_bad_utf8_keeps_positions),
        cmocka_unit_test(test_decimal_comma),
        cmocka_unit_test(test_copy_and_truncate),
        cmocka_unit_test(test_token_texts), cmocka_unit_test(test_reads_the_plain_layout),
        cmocka_unit_test(test_names_the_mistake),
        cmocka_unit_test(test_two_pictures_need_lists),
        cmocka_unit_test(test_refuses_what_is_no_trace),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
