// The stepper: pruning changes what it should and nothing else.
#include "tests/support/cmocka_all.h"

#include "engine/base/memory.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/prune/flops.h"
#include "engine/run/run.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct stage *last_stage(const struct run *run)
{
    const struct trace *trace = run_trace(run);
    return &trace->stages[trace->stage_count - 1];
}

static int alive_count(const struct stage *stage, int stream)
{
    int alive = 0;
    for (int t = 0; t < stage->tokens[stream].count; t++)
        alive += stage->tokens[stream].alive[t];
    return alive;
}

// Largest difference of the answers' probabilities between two finished runs, stage by stage from fusion on.
static void check_same_answers(const struct run *a, const struct run *b, float tolerance)
{
    const struct trace *x = run_trace(a), *y = run_trace(b);
    int compared = 0;
    assert_int_equal(x->stage_count, y->stage_count);
    for (int i = 0; i < x->stage_count; i++) {
        const struct stage *p = &x->stages[i], *q = &y->stages[i];
        assert_int_equal(p->answer_count, q->answer_count);
        for (int k = 0; k < p->answer_count; k++) {
            assert_true(fabsf(p->answers[k].p - q->answers[k].p) <= tolerance);
            assert_string_equal(p->answers[k].text, q->answers[k].text);
            compared++;
        }
    }
    assert_true(compared >= 8);
}

// With every mask open nothing but the trimmers' own work differs from the unpruned model.
static void check_open_equals_dense(const struct tiny_options *tiny)
{
    struct model *model = tiny_model(tiny);
    struct run_options options = run_options_default();
    options.budget = 1;
    struct run *open = tiny_run(model, &options, 3);
    tiny_finish(open);
    options = run_options_default();
    options.policy = POLICY_NONE;
    struct run *dense = tiny_run(model, &options, 3);
    tiny_finish(dense);
    check_same_answers(open, dense, 0);
    assert_true(run_trace(dense)->spent_macs == run_trace(dense)->dense_macs);
    double trimmer = 0;
    for (int i = 0; i < run_trace(open)->stage_count; i++)
        trimmer += run_trace(open)->stages[i].macs.by[MAC_TRIMMER];
    assert_true(trimmer > 0);
    assert_true(run_trace(open)->spent_macs == run_trace(dense)->spent_macs + trimmer);
    run_free(open);
    run_free(dense);
    model_free(model);
}

static void test_open_equals_dense(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    check_open_equals_dense(&tiny);
    tiny.published = true;
    check_open_equals_dense(&tiny);
    tiny.task = TASK_NLVR2;
    check_open_equals_dense(&tiny);
}

// What is dropped stays dropped, CLS stays, and the decision is the sign of score + shift.
static void check_decisions(const struct run *run)
{
    const struct trace *trace = run_trace(run);
    int dropped = 0, decided = 0;
    for (int i = 0; i < trace->stage_count; i++)
        for (int s = 0; s < TRACE_STREAMS; s++) {
            const struct trace_tokens *t = &trace->stages[i].tokens[s];
            for (int k = 0; k < t->count; k++) {
                assert_true(k > 0 || t->alive[k]);
                assert_true(t->alive[k] == (t->dropped_at[k] < 0));
                assert_true(t->dropped_at[k] <= i);
                dropped += t->dropped_at[k] == i;
                if (isnan(t->score[k]) || k == 0)
                    continue;
                decided++;
                assert_int_equal(t->alive[k], (double)t->score[k] + trace->shift >= 0);
                float sum = t->self_score[k] + (isnan(t->cross_score[k]) ? 0 : t->cross_score[k]);
                assert_true(t->score[k] == sum);
                assert_true(fabsf(t->keep[k] - 1 / (1 + expf(-t->score[k] - (float)trace->shift))) < 1e-6f);
            }
        }
    assert_true(dropped > 5);
    assert_true(decided > 50);
}

static void test_decisions(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    double first = 0;
    bool differ = false;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct run *run = tiny_run(model, NULL, seed);
        tiny_finish(run);
        check_decisions(run);
        // The amount differs from input to input.
        double share = run_trace(run)->spent_macs / run_trace(run)->dense_macs;
        differ = differ || (seed > 0 && fabs(share - first) > 0.001);
        first = share;
        run_free(run);
    }
    assert_true(differ);
    model_free(model);
}

// The ledger, counted where the products are made, equals the formulas on the counts that the trace shows.
static void expect_encoder(const struct model_config *c, const struct trace *trace, int i, struct macs *macs)
{
    const struct stage *stage = &trace->stages[i];
    bool text = stage->stream == TRACE_TEXT_STREAM;
    enum model_stack stack = text ? STACK_TEXT : STACK_IMAGE;
    const struct trace_tokens *tokens = &stage->tokens[stage->stream];
    int rows = alive_count(stage, stage->stream), before = 0, heads = 0;
    for (int t = 0; t < tokens->count; t++)
        before += tokens->dropped_at[t] < 0 || tokens->dropped_at[t] == i;
    for (int h = 0; h < c->heads; h++)
        heads += stage->heads[stage->stream][MODULE_MSA].on[h];
    struct flops_layer layer = {stack, rows, 0, heads, 0};
    flops_layer(c, &layer, macs);
    if (stage->layer == model_stack_layers(c, stack) - 1)
        flops_finish(c, rows, macs);
    flops_token_trimmer(c, stack, stage->layer, before, true, macs);
    flops_head_trimmer(c, stack, false, macs);
}

static void expect_fusion(const struct model_config *c, const struct trace *trace, int i, struct macs *macs)
{
    const struct stage *stage = &trace->stages[i];
    for (int p = 0; p < c->pictures; p++)
        for (int side = 0; side < 2; side++) {
            int own = side ? p : TRACE_TEXT_STREAM, other = side ? TRACE_TEXT_STREAM : p;
            enum model_stack stack = side ? STACK_FUSION_IMAGE : STACK_FUSION_TEXT;
            const struct trace_tokens *tokens = &stage->tokens[own];
            int before = 0, heads[2] = {0};
            for (int t = 0; t < tokens->count; t++)
                before += tokens->dropped_at[t] < 0 || tokens->dropped_at[t] == i;
            for (int m = 0; m < 2; m++)
                for (int h = 0; h < c->heads; h++)
                    heads[m] += stage->heads[own][m].on[h];
            struct flops_layer layer = {stack, alive_count(stage, own), alive_count(stage, other), heads[0], heads[1]};
            flops_layer(c, &layer, macs);
            flops_token_trimmer(c, stack, stage->layer, before, true, macs);
            flops_head_trimmer(c, stack, false, macs);
            flops_head_trimmer(c, stack, true, macs);
        }
}

static void check_ledger(const struct tiny_options *tiny, uint64_t seed)
{
    struct model *model = tiny_model(tiny);
    struct run *run = tiny_run(model, NULL, seed);
    tiny_finish(run);
    const struct trace *trace = run_trace(run);
    struct macs all_dense = {0};
    int heads_off = 0;
    for (int i = 0; i < trace->stage_count; i++) {
        const struct stage *stage = &trace->stages[i];
        struct macs macs = {0};
        if (stage->kind == STAGE_EMBED && stage->stream != TRACE_TEXT_STREAM)
            flops_embed_image(&model->config, &macs);
        if (stage->kind == STAGE_TEXT || stage->kind == STAGE_IMAGE)
            expect_encoder(&model->config, trace, i, &macs);
        if (stage->kind == STAGE_FUSION)
            expect_fusion(&model->config, trace, i, &macs);
        if (stage->kind == STAGE_ANSWER)
            flops_answer(&model->config, &macs);
        const double expected[MAC_KINDS] = {[MAC_QKV] = (double)macs.qkv,
                                            [MAC_ATTENTION] = (double)macs.attention,
                                            [MAC_PROJECTION] = (double)macs.projection,
                                            [MAC_FFN] = (double)macs.ffn,
                                            [MAC_TRIMMER] = (double)macs.trimmer,
                                            [MAC_OTHER] = (double)macs.other};
        for (int k = 0; k < MAC_KINDS; k++)
            if (expected[k] != stage->macs.by[k])
                fail_msg("%s, component %d: formula %.0f, counted %.0f", stage->name, k, expected[k],
                         stage->macs.by[k]);
        for (int s = 0; s < TRACE_STREAMS; s++)
            for (int m = 0; m < MODULES; m++)
                for (int h = 0; h < stage->heads[s][m].count; h++)
                    heads_off += !stage->heads[s][m].on[h];
    }
    flops_dense(&model->config, NULL, trace->token_count, &all_dense);
    assert_true(trace->dense_macs == (double)flops_total(&all_dense));
    assert_true(trace->spent_macs < trace->dense_macs);
    assert_true(heads_off > 3);
    run_free(run);
    model_free(model);
}

static void test_ledger(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    for (uint64_t seed = 0; seed < 3; seed++)
        check_ledger(&tiny, seed);
    tiny.task = TASK_NLVR2;
    check_ledger(&tiny, 4);
    tiny.published = true;
    check_ledger(&tiny, 5);
}

static void test_warm_steps_allocate_nothing(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run *run = tiny_run(model, NULL, 1);
    tiny_finish(run);
    struct picture other = tiny_picture(9);
    const struct picture *list[] = {&other};
    assert_true(run_show(run, list, 1, NULL));
    assert_true(run_ask(run, "how many red cups are there", NULL));
    size_t before = memory_alloc_calls();
    tiny_finish(run);
    assert_int_equal(memory_alloc_calls(), before);
    assert_true(last_stage(run)->answer_count > 0);
    picture_free(&other);
    run_free(run);
    model_free(model);
}

// A run that has been used for another picture and question says what a fresh one says.
static void test_reuse_equals_fresh(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run *used = tiny_run(model, NULL, 1), *fresh = tiny_run(model, NULL, 6);
    tiny_finish(used);
    assert_true(run_intervene(used, &(struct intervention){.kind = INTERVENE_TOKEN_DROP, .stage = 4, .token = 7}) >= 0);
    tiny_finish(used);
    struct picture other = tiny_picture(6);
    const struct picture *list[] = {&other};
    assert_true(run_show(used, list, 1, NULL));
    assert_true(run_ask(used, tiny_questions[6], NULL));
    tiny_finish(used);
    tiny_finish(fresh);
    tiny_check_same_trace(run_trace(used), run_trace(fresh));
    picture_free(&other);
    run_free(used);
    run_free(fresh);
    model_free(model);
}

// Another question keeps the image encoder's stages where nothing in them looks at the words.
static void test_ask_keeps_the_image(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.image_trimmers = false;
    struct model *model = tiny_model(&tiny);
    struct run *run = tiny_run(model, NULL, 2), *fresh = tiny_run(model, NULL, 2);
    tiny_finish(run);
    double ms[4];
    for (int i = 3; i < 6; i++)
        ms[i - 3] = run_trace(run)->stages[i].ms;
    assert_string_equal(run_trace(run)->stages[3].name, "embed image");
    assert_true(run_ask(run, tiny_questions[5], NULL));
    tiny_finish(run);
    for (int i = 3; i < 6; i++)
        assert_true(run_trace(run)->stages[i].ms == ms[i - 3]); // the very same computation, not a new one
    assert_true(run_ask(fresh, tiny_questions[5], NULL));
    tiny_finish(fresh);
    tiny_check_same_trace(run_trace(run), run_trace(fresh));
    run_free(run);
    run_free(fresh);
    model_free(model);
}

static void test_set_policy_equals_fresh(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    const enum policy policies[] = {POLICY_NONE, POLICY_LEARNED_SELF, POLICY_CLS_ATTENTION, POLICY_CROSS_ATTENTION,
                                    POLICY_RANDOM, POLICY_LEARNED};
    struct run *run = tiny_run(model, NULL, 2);
    tiny_finish(run);
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct run_options options = run_options_default();
        bool learned = policies[i] == POLICY_LEARNED || policies[i] == POLICY_LEARNED_SELF;
        options.policy = policies[i];
        options.budget = learned ? (double)NAN : 0.8;
        assert_true(run_set_policy(run, options.policy, options.budget, NULL));
        struct run *fresh = tiny_run(model, &options, 2);
        tiny_finish(run);
        tiny_finish(fresh);
        tiny_check_same_trace(run_trace(run), run_trace(fresh));
        run_free(fresh);
    }
    run_free(run);
    model_free(model);
}

// Two pictures: the trace has both, and the same words serve both.
static void test_two_pictures(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.task = TASK_NLVR2;
    struct model *model = tiny_model(&tiny);
    struct run *run = tiny_run(model, NULL, 1);
    tiny_finish(run);
    const struct stage *fusion = &run_trace(run)->stages[run_trace(run)->stage_count - 2];
    assert_int_equal(fusion->kind, STAGE_FUSION);
    assert_int_equal(fusion->tokens[0].count, 37);
    assert_int_equal(fusion->tokens[1].count, 37);
    // Two different pictures: what the trimmers thought of them differs.
    const struct stage *first = &run_trace(run)->stages[run_trace(run)->stage_count - 4];
    assert_string_equal(first->name, "fusion 1");
    assert_memory_not_equal(first->tokens[0].score, first->tokens[1].score, 37 * sizeof(float));
    assert_true(!strcmp(run_trace(run)->answer.text, "True") || !strcmp(run_trace(run)->answer.text, "False"));
    run_free(run);
    model_free(model);
}

// Weights that are no numbers: under every policy the run ends before its answer, and says why.
static void check_weights_of_nan(struct tiny_options tiny)
{
    struct model *model = tiny_model(&tiny);
    float *words = (float *)(size_t)model->embedding.words;
    for (int i = 0; i < model->config.vocabulary * 32; i++)
        words[i] = NAN;
    for (int p = 0; p < POLICY_COUNT; p++) {
        struct run_options options = run_options_default();
        options.policy = (enum policy)p;
        if (p == POLICY_LEARNED_FIXED)
            continue; // needs a calibration
        struct run *run = tiny_run(model, &options, 1);
        struct error err = {0};
        while (run_step(run, &err))
            continue;
        assert_false(run_finished(run));
        assert_int_equal(err.code, ERROR_INPUT);
        assert_non_null(strstr(err.text, "not a number"));
        char *json = trace_to_json(run_trace(run));
        assert_non_null(json);
        free(json);
        run_free(run);
    }
    model_free(model);
}

static void test_weights_of_nan(void **state)
{
    (void)state;
    struct tiny_options captioner = {.task = TASK_CAPTION, .blip = true, .seed = 5};
    check_weights_of_nan(tiny_everything());
    check_weights_of_nan(captioner);
}

// One patch that is no number: the first layer that attends to it ends the run.
static void test_a_patch_of_nan(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run_options options = run_options_default();
    struct error err = {0};
    options.trim_tokens = false;
    ((float *)(size_t)model->image_positions)[3 * model_image_width(&model->config)] = NAN;
    struct run *run = tiny_run(model, &options, 1);
    while (run_step(run, &err))
        continue;
    assert_false(run_finished(run));
    assert_int_equal(err.code, ERROR_INPUT);
    assert_non_null(strstr(err.text, "image 1 gives what is not a number"));
    run_free(run);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_equals_dense),
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_ledger),
        cmocka_unit_test(test_warm_steps_allocate_nothing),
        cmocka_unit_test(test_reuse_equals_fresh),
        cmocka_unit_test(test_ask_keeps_the_image),
        cmocka_unit_test(test_set_policy_equals_fresh),
        cmocka_unit_test(test_two_pictures),
        cmocka_unit_test(test_weights_of_nan),
        cmocka_unit_test(test_a_patch_of_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
