// Forcing tokens and heads: what it changes, from where, and that it can be taken back.
#include "tests/support/cmocka_all.h"

#include "engine/model/model.h"
#include "engine/run/run.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <string.h>

static struct model *model;

static int make_model(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.seed = 20;
    model = tiny_model(&tiny);
    return 0;
}

static int drop_model(void **state)
{
    (void)state;
    model_free(model);
    return 0;
}

static struct run *finished_run(uint64_t seed)
{
    struct run *run = tiny_run(model, NULL, seed);
    tiny_finish(run);
    return run;
}

// Some patch that was dropped in a stage that scores; its stage in *stage.
static int find_dropped(const struct trace *trace, int stream, int *stage)
{
    const struct trace_tokens *end = &trace->stages[trace->stage_count - 1].tokens[stream];
    for (int t = 1; t < end->count; t++)
        if (end->dropped_at[t] > 0) {
            *stage = end->dropped_at[t];
            return t;
        }
    fail_msg("the run dropped nothing");
    return -1;
}

// Some token that is alive after `stage`.
static int find_alive(const struct trace *trace, int stream, int stage)
{
    const struct trace_tokens *tokens = &trace->stages[stage].tokens[stream];
    for (int t = tokens->count - 1; t > 0; t--)
        if (tokens->alive[t])
            return t;
    fail_msg("nothing but CLS is left");
    return -1;
}

static int find_stage(const struct trace *trace, const char *name)
{
    for (int i = 0; i < trace->stage_count; i++)
        if (!strcmp(trace->stages[i].name, name))
            return i;
    fail_msg("no stage %s", name);
    return -1;
}

// The same interventions on a fresh run, made before its first step, lead to the same trace.
static void check_against_fresh(const struct run *run, uint64_t seed)
{
    struct run *fresh = tiny_run(model, NULL, seed);
    const struct trace *trace = run_trace(run);
    for (int i = 0; i < trace->intervention_count; i++)
        assert_true(run_intervene(fresh, &trace->interventions[i]) >= 0);
    tiny_finish(fresh);
    tiny_check_same_trace(trace, run_trace(fresh));
    run_free(fresh);
}

static void test_keep_acts_where_the_token_was_dropped(void **state)
{
    (void)state;
    struct run *run = finished_run(1), *before = finished_run(1);
    int stage, token = find_dropped(run_trace(run), 0, &stage), last = run_trace(run)->stage_count - 1;
    // Asked at the end, where the person looks.
    struct intervention keep = {.kind = INTERVENE_TOKEN_KEEP, .stage = last, .stream = 0, .token = token};
    assert_int_equal(run_intervene(run, &keep), stage);
    assert_int_equal(run_trace(run)->stage_count, stage);
    tiny_finish(run);
    for (int i = stage; i <= last; i++) {
        const struct trace_tokens *tokens = &run_trace(run)->stages[i].tokens[0];
        if (tokens->count) {
            assert_int_equal(tokens->alive[token], 1);
            assert_int_equal(tokens->dropped_at[token], -1);
        }
    }
    check_against_fresh(run, 1);
    assert_int_equal(run_undo(run), stage);
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), run_trace(before));
    assert_int_equal(run_undo(run), -1);
    run_free(run);
    run_free(before);
}

static void test_drop_acts_where_it_is_asked(void **state)
{
    (void)state;
    struct run *run = finished_run(2), *before = finished_run(2);
    int stage = find_stage(run_trace(run), "fusion 1"), token = find_alive(run_trace(run), 0, stage);
    struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = stage, .stream = 0, .token = token};
    assert_int_equal(run_intervene(run, &drop), stage);
    tiny_finish(run);
    assert_int_equal(run_trace(run)->stages[stage].tokens[0].dropped_at[token], stage);
    assert_int_equal(run_trace(run)->stages[stage - 1].tokens[0].alive[token], 1);
    check_against_fresh(run, 2);
    // The stages before are untouched: not computed again.
    for (int i = 0; i < stage; i++)
        assert_true(run_trace(run)->stages[i].macs.spent == run_trace(before)->stages[i].macs.spent);
    // A later wish wins.
    struct intervention keep = {.kind = INTERVENE_TOKEN_KEEP, .stage = stage, .stream = 0, .token = token};
    assert_int_equal(run_intervene(run, &keep), stage);
    tiny_finish(run);
    assert_int_equal(run_trace(run)->stages[run_trace(run)->stage_count - 1].tokens[0].alive[token], 1);
    check_against_fresh(run, 2);
    run_undo(run);
    run_undo(run);
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), run_trace(before));
    run_free(run);
    run_free(before);
}

// A patch forced out while a text stage is looked at goes in the next stage that has patches; a word in the embed stage.
static void test_drop_of_another_stream(void **state)
{
    (void)state;
    struct run *run = finished_run(3);
    int text = find_stage(run_trace(run), "text 1"), embed = find_stage(run_trace(run), "embed image");
    struct intervention patch = {.kind = INTERVENE_TOKEN_DROP, .stage = text, .stream = 0, .token = 9};
    assert_int_equal(run_intervene(run, &patch), embed);
    tiny_finish(run);
    assert_int_equal(run_trace(run)->stages[embed].tokens[0].dropped_at[9], embed);
    struct intervention word = {.kind = INTERVENE_TOKEN_DROP, .stage = 0, .stream = TRACE_TEXT_STREAM, .token = 2};
    assert_int_equal(run_intervene(run, &word), 0);
    tiny_finish(run);
    assert_int_equal(run_trace(run)->stages[0].tokens[TRACE_TEXT_STREAM].alive[2], 0);
    check_against_fresh(run, 3);
    run_free(run);
}

static void test_heads(void **state)
{
    (void)state;
    struct run *run = finished_run(1), *before = finished_run(1);
    int stage = find_stage(run_trace(run), "fusion 2");
    for (int m = MODULE_MSA; m <= MODULE_MCA; m++)
        for (int head = 0; head < 4; head++) {
            bool on = run_trace(before)->stages[stage].heads[0][m].on[head];
            struct intervention turn = {.kind = on ? INTERVENE_HEAD_OFF : INTERVENE_HEAD_ON, .stage = stage,
                                        .stream = 0, .module = (enum attention_module)m, .head = head};
            assert_int_equal(run_intervene(run, &turn), stage);
            tiny_finish(run);
            assert_int_equal(run_trace(run)->stages[stage].heads[0][m].on[head], !on);
            check_against_fresh(run, 1);
            double a = run_trace(run)->stages[stage].macs.by[MAC_QKV];
            double b = run_trace(before)->stages[stage].macs.by[MAC_QKV];
            assert_true(on ? a < b : a > b);
            run_undo(run);
        }
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), run_trace(before));
    run_free(run);
    run_free(before);
}

// With all heads of both modules off, attention adds its output bias only and the run goes on.
static void test_no_head_left(void **state)
{
    (void)state;
    struct run *run = finished_run(1);
    int stage = find_stage(run_trace(run), "fusion 1");
    for (int s = 0; s < TRACE_STREAMS; s += TRACE_TEXT_STREAM)
        for (int m = MODULE_MSA; m <= MODULE_MCA; m++)
            for (int head = 0; head < 4; head++) {
                struct intervention off = {.kind = INTERVENE_HEAD_OFF, .stage = stage, .stream = s,
                                           .module = (enum attention_module)m, .head = head};
                assert_int_equal(run_intervene(run, &off), stage);
            }
    tiny_finish(run);
    const struct stage *fusion = &run_trace(run)->stages[stage];
    assert_true(fusion->macs.by[MAC_QKV] == 0);
    assert_true(fusion->macs.by[MAC_ATTENTION] == 0);
    assert_true(fusion->macs.by[MAC_PROJECTION] == 0);
    assert_true(fusion->macs.by[MAC_FFN] > 0);
    assert_true(isfinite(run_trace(run)->answer.p));
    check_against_fresh(run, 1);
    run_free(run);
}

// Reopening everything is the unpruned model, but for the trimmers' own cost.
static void test_reopen(void **state)
{
    (void)state;
    struct run_options options = run_options_default();
    struct run *run = finished_run(1), *before = finished_run(1);
    options.policy = POLICY_NONE;
    struct run *dense = tiny_run(model, &options, 1);
    tiny_finish(dense);
    struct intervention reopen = {.kind = INTERVENE_REOPEN, .stage = run_trace(run)->stage_count - 1};
    assert_true(run_intervene(run, &reopen) >= 0);
    tiny_finish(run);
    const struct trace *a = run_trace(run), *b = run_trace(dense);
    assert_true(a->answer.p == b->answer.p);
    assert_string_equal(a->answer.text, b->answer.text);
    for (int i = 0; i < a->stage_count; i++)
        assert_true(a->stages[i].macs.spent - a->stages[i].macs.by[MAC_TRIMMER] == b->stages[i].macs.spent);
    run_undo(run);
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), run_trace(before));
    run_free(run);
    run_free(before);
    run_free(dense);
}

static void test_what_cannot_be(void **state)
{
    (void)state;
    struct run *run = finished_run(1);
    int embed = find_stage(run_trace(run), "embed image"), count = run_trace(run)->stage_count;
    const struct intervention wrong[] = {
        {.kind = INTERVENE_TOKEN_DROP, .stage = embed, .stream = 0, .token = 0}, // CLS
        {.kind = INTERVENE_TOKEN_DROP, .stage = embed, .stream = 0, .token = 37},
        {.kind = INTERVENE_TOKEN_DROP, .stage = embed, .stream = 1, .token = 3}, // no second picture
        {.kind = INTERVENE_TOKEN_DROP, .stage = embed, .stream = -1, .token = 3},
        {.kind = INTERVENE_TOKEN_DROP, .stage = count - 1, .stream = 0, .token = 3}, // the answer touches no stream
        {.kind = INTERVENE_TOKEN_KEEP, .stage = -1, .stream = 0, .token = 3},
        {.kind = INTERVENE_TOKEN_KEEP, .stage = count, .stream = 0, .token = 3},
        {.kind = INTERVENE_HEAD_OFF, .stage = embed, .stream = 0, .module = MODULE_MSA, .head = 0},
        {.kind = INTERVENE_HEAD_OFF, .stage = embed + 1, .stream = 0, .module = MODULE_MCA, .head = 0},
        {.kind = INTERVENE_HEAD_OFF, .stage = embed + 1, .stream = 0, .module = MODULE_MSA, .head = 4},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(run_intervene(run, &wrong[i]), -1);
    assert_int_equal(run_trace(run)->intervention_count, 0);
    assert_int_equal(run_trace(run)->stage_count, count);
    run_free(run);
}

// Attention on demand: rows of what is alive sum to 1, the rest is NaN, and a fusion layer's differ from head to head.
static void test_attention(void **state)
{
    (void)state;
    struct run *run = finished_run(1);
    struct error err = {0};
    static float out[64 * 64], other[64 * 64];
    int queries, keys, rows = 0, stage = find_stage(run_trace(run), "fusion 1");
    const struct stage *fusion = &run_trace(run)->stages[stage];
    for (int s = 0; s < TRACE_STREAMS; s += TRACE_TEXT_STREAM)
        for (int m = MODULE_MSA; m <= MODULE_MCA; m++)
            for (int h = 0; h < 4; h++) {
                int to = m == MODULE_MSA ? s : TRACE_TEXT_STREAM - s;
                assert_true(run_attention(run, stage, s, (enum attention_module)m, h, out, &queries, &keys, &err));
                assert_int_equal(queries, fusion->tokens[s].count);
                assert_int_equal(keys, fusion->tokens[to].count);
                bool on = fusion->heads[s][m].on[h];
                for (int q = 0; q < queries; q++) {
                    double sum = 0;
                    for (int k = 0; k < keys; k++) {
                        bool live = on && fusion->tokens[s].alive[q] && fusion->tokens[to].alive[k];
                        assert_int_equal(!isnan(out[q * keys + k]), live);
                        sum += live ? (double)out[q * keys + k] : 0;
                    }
                    if (on && fusion->tokens[s].alive[q]) {
                        assert_true(fabs(sum - 1) < 1e-5);
                        rows++;
                    }
                }
            }
    assert_true(rows > 20);
    // Of the MSA of an encoder layer, and refusals.
    int image = find_stage(run_trace(run), "image 1"), first = -1;
    for (int h = 0; h < 4; h++)
        if (run_trace(run)->stages[image].heads[0][MODULE_MSA].on[h]) {
            assert_true(run_attention(run, image, 0, MODULE_MSA, h, first < 0 ? out : other, &queries, &keys, &err));
            float most = 0;
            for (int i = 0; first >= 0 && i < queries * keys; i++)
                most = fmaxf(most, fabsf(out[i] - other[i])); // fmaxf leaves NaN out
            assert_true(first < 0 || most > 1e-5f);
            first = h;
        }
    assert_false(run_attention(run, image, 0, MODULE_MCA, 0, out, &queries, &keys, &err));
    assert_false(run_attention(run, image, TRACE_TEXT_STREAM, MODULE_MSA, 0, out, &queries, &keys, &err));
    assert_false(run_attention(run, 99, 0, MODULE_MSA, 0, out, &queries, &keys, &err));
    run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_acts_where_the_token_was_dropped),
        cmocka_unit_test(test_drop_acts_where_it_is_asked),
        cmocka_unit_test(test_drop_of_another_stream),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_no_head_left),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_what_cannot_be),
        cmocka_unit_test(test_attention),
    };
    return cmocka_run_group_tests(tests, make_model, drop_model);
}
