// What benchmarks ask of the stepper: runs that compute the answer alone, start again, or keep planned counts.
#include "tests/support/cmocka_all.h"

#include "engine/model/model.h"
#include "engine/prune/budget.h"
#include "engine/run/run.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct model *model;

static int open_model(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    model = tiny_model(&tiny);
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    model_free(model);
    return 0;
}

// The same answer for the same work, and nothing of what only the screen needs.
static void test_bare(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct run_options options = run_options_default();
        struct run *full = tiny_run(model, &options, seed);
        options.bare = true;
        struct run *bare = tiny_run(model, &options, seed);
        tiny_finish(full);
        tiny_finish(bare);
        const struct trace *x = run_trace(full), *y = run_trace(bare);
        assert_int_equal(x->stage_count, y->stage_count);
        int measured = 0;
        assert_string_equal(x->answer.text, y->answer.text);
        assert_true(x->answer.p == y->answer.p);
        for (int i = 0; i < x->stage_count; i++) {
            const struct stage *p = &x->stages[i], *q = &y->stages[i];
            assert_memory_equal(&p->macs, &q->macs, sizeof p->macs);
            assert_true(isnan(q->redundancy_image) && isnan(q->redundancy_text) && isnan(q->redundancy_heads));
            assert_int_equal(q->answer_count, q->kind == STAGE_ANSWER ? p->answer_count : 0);
            assert_true(p->kind != STAGE_FUSION || p->answer_count > 0);
            measured += !isnan(p->redundancy_image); // where more than CLS is left
        }
        assert_true(measured > 0);
        run_free(full);
        run_free(bare);
    }
}

static void test_restart(void **state)
{
    (void)state;
    struct run_options options = run_options_default();
    struct run *run = tiny_run(model, &options, 3), *fresh = tiny_run(model, &options, 3);
    tiny_finish(run);
    tiny_finish(fresh);
    run_restart(run);
    assert_int_equal(run_trace(run)->stage_count, 0);
    assert_false(run_finished(run));
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), run_trace(fresh));
    run_free(run);
    run_free(fresh);
}

static int alive(const struct stage *stage, int stream)
{
    int count = 0;
    for (int t = 0; t < stage->tokens[stream].count; t++)
        count += stage->tokens[stream].alive[t];
    return count;
}

static int live(const struct trace_heads *heads)
{
    int count = 0;
    for (int h = 0; h < heads->count; h++)
        count += heads->on[h];
    return count;
}

// Every layer keeps what was planned, and the work is what the formulas say of the plan.
static void test_counts(void **state)
{
    (void)state;
    struct run_options options = run_options_default();
    options.policy = POLICY_NONE;
    struct run *run = tiny_run(model, &options, 5);
    tiny_finish(run);
    int words = run_trace(run)->token_count;
    for (int patches = 5; patches <= 25; patches += 10) {
        struct budget_counts counts = {{{0}}, {{0}}, {{0}}};
        for (int s = 0; s < STACK_COUNT; s++)
            for (int l = 0; l < model_stack_layers(&model->config, (enum model_stack)s); l++) {
                counts.tokens[s][l] = model_stack_is_text((enum model_stack)s) ? words - 2 : patches;
                counts.msa[s][l] = 3;
                counts.mca[s][l] = 2;
            }
        run_set_counts(run, POLICY_LEARNED_FIXED, &counts);
        assert_int_equal(run_trace(run)->stage_count, 0);
        tiny_finish(run);
        const struct trace *trace = run_trace(run);
        int layers = 0;
        for (int i = 0; i < trace->stage_count; i++) {
            const struct stage *stage = &trace->stages[i];
            for (int s = 0; s < TRACE_STREAMS; s++) {
                if (stage->kind == STAGE_EMBED || stage->kind == STAGE_ANSWER || !stage->tokens[s].count)
                    continue;
                assert_int_equal(alive(stage, s), s == TRACE_TEXT_STREAM ? words - 2 : patches);
                assert_int_equal(live(&stage->heads[s][MODULE_MSA]), 3);
                if (stage->kind == STAGE_FUSION)
                    assert_int_equal(live(&stage->heads[s][MODULE_MCA]), 2);
                layers++;
            }
        }
        assert_int_equal(layers, 2 + 2 + 2 * 3);
        struct macs macs = {0};
        struct budget_request request = {POLICY_LEARNED_FIXED, (double)NAN, words, true, true, {0}};
        budget_cost(&model->config, &request, &counts, &macs);
        assert_true(trace->spent_macs == (double)flops_total(&macs));
    }
    run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
