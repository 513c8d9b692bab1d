// Every allocation of the JSON library fails in turn: each reader and the writer must end in one sentence, with
// nothing leaked (the sanitizer looks) and nothing half made.
#include "engine/io/safetensors.h"
#include "engine/run/trace.h"
#include "engine/text/tokenizer.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static long remaining; // allocations that still succeed

static void *fail_in_turn(size_t size)
{
    return remaining-- > 0 ? malloc(size) : NULL;
}

// Runs `attempt` with 0, 1, 2 ... allocations until it succeeds.
static void exhaust(bool (*attempt)(struct error *err))
{
    bool ok = false;
    long allowed = 0;
    for (; !ok; allowed++) {
        struct error err = {0};
        remaining = allowed;
        json_set_alloc_funcs(fail_in_turn, free);
        ok = attempt(&err);
        json_set_alloc_funcs(malloc, free);
        if (!ok && (!err.text[0] || err.code == ERROR_NONE))
            fail_msg("after %ld allocations there was no error message", allowed);
        assert_true(allowed < 100000);
    }
    assert_true(allowed > 5); // the hook was really used
}

static const char *weights_path;

static bool write_weights(struct error *err)
{
    static const float data[6];
    const struct tensor_source sources[] = {{"a", TENSOR_F32, 2, {2, 3}, data}, {"b", TENSOR_F16, 1, {6}, data}};
    const struct metadata_pair metadata[] = {{"config", "{}"}, {"answers", "[]"}};
    struct stat st;
    bool ok = safetensors_write(weights_path, sources, 2, metadata, 2, err);
    assert_int_equal(stat(weights_path, &st) == 0, ok);
    return ok;
}

static bool read_weights(struct error *err)
{
    struct tensor_list *file = safetensors_open(weights_path, err);
    if (!file)
        return false;
    assert_int_equal(tensor_list_count(file), 2);
    tensor_list_close(file);
    return true;
}

static void test_weights(void **state)
{
    (void)state;
    weights_path = scratch_path("weights.safetensors");
    exhaust(write_weights);
    exhaust(read_weights);
}

static bool read_tokenizer(const char *json, struct error *err)
{
    struct tokenizer *tokenizer = tokenizer_from_json(json, err);
    tokenizer_free(tokenizer);
    return tokenizer != NULL;
}

static bool read_words(struct error *err)
{
    return read_tokenizer("{\"kind\": \"words\", \"tokens\": [\"<s>\", \"<pad>\", \"</s>\", \"<unk>\", \"a\", \"b\"],"
                          " \"forms\": {\"c\": [\"a\", \"b\"]}}",
                          err);
}

static bool read_pieces(struct error *err)
{
    return read_tokenizer("{\"kind\": \"roberta\", \"vocab\": {\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3,"
                          " \"a\": 4, \"aa\": 5}, \"merges\": [\"a a\", \"aa a\", \"a aa\"]}",
                          err);
}

static void test_tokenizers(void **state)
{
    (void)state;
    exhaust(read_words);
    exhaust(read_pieces);
}

static char *trace_text;

static bool read_trace(struct error *err)
{
    struct trace trace;
    bool ok = trace_from_json(&trace, trace_text, strlen(trace_text), err);
    assert_int_equal(trace.stage_count, ok ? 2 : 0);
    trace_free(&trace);
    return ok;
}

static void test_trace(void **state)
{
    (void)state;
    struct trace trace;
    trace_init(&trace);
    trace.picture_count = 1;
    trace.pictures[0] = (struct trace_picture){.path = strdup("p.png"), .width = 1, .height = 1, .grid_rows = 1, .grid_columns = 1};
    trace.stage_total = 2;
    for (int i = 0; i < 2; i++) {
        struct stage *stage = trace_add_stage(&trace);
        assert_non_null(stage);
        assert_true(trace_tokens_alloc(&stage->tokens[0], 2));
    }
    trace_text = trace_to_json(&trace);
    assert_non_null(trace_text);
    exhaust(read_trace);
    free(trace_text);
    trace_free(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_weights), cmocka_unit_test(test_tokenizers),
                                       cmocka_unit_test(test_trace)};
    return cmocka_run_group_tests_name("json memory", tests, NULL, NULL);
}
