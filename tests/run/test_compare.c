// Which patches are alive in which run.
#include "tests/support/cmocka_all.h"

#include "engine/run/compare.h"
#include "tests/support/sample_trace.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void make_three(struct trace traces[3], struct comparison *comparison)
{
    struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = 5, .stream = 0, .token = 1};
    sample_trace(&traces[0], "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    sample_trace(&traces[1], "what is it?", "learned", 0.9, NULL, 0, SAMPLE_STAGES);
    sample_trace(&traces[2], "what color is the apple left of the lemon?", "learned", 0.5, &drop, 1, 9);
    *comparison = (struct comparison){3, {&traces[0], &traces[1], &traces[2]}};
}

static void free_three(struct trace traces[3])
{
    for (int i = 0; i < 3; i++)
        trace_free(&traces[i]);
}

static bool alive_in(const struct trace *trace, int stage, int token)
{
    const struct trace_tokens *tokens = NULL;
    for (int s = 0; s <= stage && s < trace->stage_count; s++)
        if (trace->stages[s].tokens[0].count)
            tokens = &trace->stages[s].tokens[0];
    return !tokens || tokens->alive[token];
}

// Counted anew, patch by patch, from the masks.
static void test_sets_of_patches(void **state)
{
    (void)state;
    struct trace traces[3];
    struct comparison c;
    make_three(traces, &c);
    assert_int_equal(compare_stages(&c), 9);
    bool differs = false;
    for (int stage = 0; stage < SAMPLE_STAGES; stage++) {
        struct compare_sets patches;
        int sets[8] = {0}, sum = 0;
        compare_patches(&c, stage, &patches);
        for (int i = 1; i <= SAMPLE_GRID * SAMPLE_GRID; i++) {
            unsigned set = 0;
            for (int r = 0; r < 3; r++)
                set |= (unsigned)alive_in(&traces[r], stage, i) << r;
            assert_int_equal(compare_alive(&c, stage, 0, i), set);
            sets[set]++;
        }
        assert_int_equal(patches.count, SAMPLE_GRID * SAMPLE_GRID);
        for (int s = 0; s < 8; s++) {
            assert_int_equal(patches.sets[s], sets[s]);
            sum += patches.sets[s];
        }
        assert_int_equal(sum, patches.count);
        assert_int_equal(patches.all, sets[7]);
        assert_int_equal(patches.only[1], sets[2]);
        assert_int_equal(patches.alive[0], sets[1] + sets[3] + sets[5] + sets[7]);
        differs |= patches.only[1] > 0;
    }
    assert_true(differs); // or nothing has been tested
    free_three(traces);
}

static void test_marks(void **state)
{
    (void)state;
    assert_int_equal(compare_mark(0x1, 0), COMPARE_ONLY);
    assert_int_equal(compare_mark(0x1, 1), COMPARE_ELSEWHERE);
    assert_int_equal(compare_mark(0x5, 2), COMPARE_SHARED);
    assert_int_equal(compare_mark(0, 2), COMPARE_NOWHERE);
}

// A word that only the longer question has is not alive in the shorter one.
static void test_words_that_a_run_lacks(void **state)
{
    (void)state;
    struct trace traces[3];
    struct comparison c;
    make_three(traces, &c);
    assert_true(traces[0].token_count > traces[1].token_count);
    assert_int_equal(compare_alive(&c, 0, TRACE_TEXT_STREAM, traces[0].token_count - 1) & 2, 0);
    assert_int_equal(compare_alive(&c, 0, TRACE_TEXT_STREAM, 0), 7);
    free_three(traces);
}

// Heads by set, counted anew; a stage that a run has not come to has none.
static void test_sets_of_heads(void **state)
{
    (void)state;
    struct trace traces[3];
    struct comparison c;
    make_three(traces, &c);
    int counted = 0;
    for (int stage = 0; stage < 9; stage++) {
        struct compare_sets heads;
        int only_b = 0, all = 0, count = 0;
        compare_heads(&c, stage, &heads);
        for (int s = 0; s < TRACE_STREAMS; s++)
            for (int m = 0; m < MODULES; m++)
                for (int h = 0; h < traces[0].stages[stage].heads[s][m].count; h++, count++) {
                    bool on[3];
                    for (int r = 0; r < 3; r++)
                        on[r] = traces[r].stages[stage].heads[s][m].on[h];
                    only_b += !on[0] && on[1] && !on[2];
                    all += on[0] && on[1] && on[2];
                }
        assert_int_equal(heads.count, count);
        assert_int_equal(heads.only[1], only_b);
        assert_int_equal(heads.all, all);
        counted += only_b;
    }
    assert_true(counted > 0);
    struct compare_sets none;
    compare_heads(&c, 9, &none); // the third run has nine stages
    assert_int_equal(none.count, 0);
    free_three(traces);
}

// "is" is the second word of one question and the third of the other; the second "the" is the other's second, or none.
static void test_words_by_name(void **state)
{
    (void)state;
    struct trace traces[3];
    struct comparison c;
    make_three(traces, &c);
    unsigned having;
    for (int t = 0; t < traces[0].token_count; t++) {
        int there = compare_word_in(&c, 0, t, 1);
        assert_int_equal(compare_word_in(&c, 0, t, 2), t); // the same question
        if (there >= 0) {
            assert_string_equal(traces[0].tokens[t].text, traces[1].tokens[there].text);
            assert_int_equal(compare_word_in(&c, 1, there, 0), t);
        } else {
            compare_word(&c, 0, 0, t, &having);
            assert_int_equal(having, 5);
        }
    }
    int found = 0;
    for (int t = 0; t < traces[0].token_count; t++)
        found += !strcmp(traces[0].tokens[t].text, "apple") && compare_word_in(&c, 0, t, 1) == -1;
    assert_int_equal(found, 1);
    assert_int_equal(compare_word_in(&c, 0, -1, 1), -1);
    assert_int_equal(compare_word_in(&c, 0, traces[0].token_count, 1), -1);
    struct comparison twice = {2, {&traces[0], &traces[0]}};
    const struct trace_tokens *words = trace_tokens_at(&traces[0], SAMPLE_STAGES - 1, TRACE_TEXT_STREAM);
    int alive = 0;
    for (int t = 0; t < words->count; t++)
        alive += words->alive[t] != 0;
    assert_int_equal(compare_words_in_all(&twice, SAMPLE_STAGES - 1), alive);
    free_three(traces);
}

// The traces in it are those that they write themselves.
static void test_json(void **state)
{
    (void)state;
    struct trace traces[3];
    struct comparison c;
    make_three(traces, &c);
    char *text = compare_to_json(&c), *own = trace_to_json(&traces[1]);
    json_t *root = json_loads(text, 0, NULL), *alone = json_loads(own, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "trimscope_compare")), 1);
    assert_int_equal(json_array_size(json_object_get(root, "runs")), 3);
    assert_true(json_equal(json_array_get(json_object_get(root, "runs"), 1), alone));
    json_t *stages = json_object_get(root, "stages"), *last = json_object_get(json_array_get(stages, 8), "patches");
    assert_int_equal(json_array_size(stages), 9);
    struct compare_sets patches;
    compare_patches(&c, 8, &patches);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(last, "only"), 1)), patches.only[1]);
    assert_int_equal(json_integer_value(json_object_get(last, "none")), patches.sets[0]);
    json_decref(root);
    json_decref(alone);
    free(text);
    free(own);
    free_three(traces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_of_patches),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_words_that_a_run_lacks),
        cmocka_unit_test(test_sets_of_heads),
        cmocka_unit_test(test_words_by_name),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
