// What the training-free policies look at, against attention probabilities that are computed another way, and what the
// policies do with scores.
#include "tests/support/cmocka_all.h"

#include "engine/model/model.h"
#include "engine/prune/policy.h"
#include "engine/run/run.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEADS = 4, PATCHES = 37, TOKENS = 64 };

static struct run *run_policy(const struct model *model, enum policy policy, double budget, uint64_t seed)
{
    struct run_options options = run_options_default();
    options.policy = policy;
    options.budget = budget;
    options.seed = seed;
    struct run *run = tiny_run(model, &options, 2);
    tiny_finish(run);
    return run;
}

// Mean over heads of what query row 0 (all: the mean over queries) gave to each key in an earlier stage.
static void mean_attention(struct run *run, int stage, int stream, enum attention_module module, bool all, double *out)
{
    static float probs[TOKENS * TOKENS];
    int queries, keys;
    memset(out, 0, TOKENS * sizeof *out);
    for (int h = 0; h < HEADS; h++) {
        struct error err = {0};
        if (!run_attention(run, stage, stream, module, h, probs, &queries, &keys, &err))
            fail_msg("%s", err.text);
        for (int q = 0; q < (all ? queries : 1); q++)
            for (int k = 0; k < keys; k++)
                out[k] += (double)probs[q * keys + k] / HEADS / (all ? queries : 1);
    }
}

// In every stage that scores: the scores are what `mean_attention` says of the stage before, and the kept are the best.
static void check_scores(struct run *run, bool cls, int least)
{
    const struct trace *trace = run_trace(run);
    int compared = 0, stages = 0;
    for (int i = 1; i < trace->stage_count; i++) {
        const struct trace_tokens *t = &trace->stages[i].tokens[0];
        double expected[TOKENS], worst_kept = 9, best_dropped = -9;
        bool scored = false;
        for (int k = 1; k < t->count; k++)
            scored = scored || !isnan(t->score[k]);
        if (!scored)
            continue;
        stages++;
        if (cls)
            mean_attention(run, i - 1, 0, MODULE_MSA, false, expected);
        else
            mean_attention(run, i - 1, TRACE_TEXT_STREAM, MODULE_MCA, true, expected);
        for (int k = 1; k < t->count; k++) {
            bool here = t->dropped_at[k] < 0 || t->dropped_at[k] == i;
            assert_int_equal(here, !isnan(t->score[k]));
            assert_true(isnan(t->keep[k]) && isnan(t->self_score[k]) && isnan(t->cross_score[k]));
            if (!here)
                continue;
            if (fabs((double)t->score[k] - expected[k]) > 1e-5)
                fail_msg("stage %d, patch %d: %g, expected %g", i, k, (double)t->score[k], expected[k]);
            compared++;
            if (t->alive[k])
                worst_kept = fmin(worst_kept, (double)t->score[k]);
            else
                best_dropped = fmax(best_dropped, (double)t->score[k]);
        }
        assert_true(worst_kept >= best_dropped);
    }
    assert_int_equal(stages, least);
    assert_true(compared > 36);
}

static void test_cls_attention(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run *run = run_policy(model, POLICY_CLS_ATTENTION, 0.8, 0);
    check_scores(run, true, 4); // image 2 and the three fusion layers
    run_free(run);
    model_free(model);
}

static void test_cross_attention(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run *run = run_policy(model, POLICY_CROSS_ATTENTION, 0.85, 0);
    check_scores(run, false, 2); // fusion 2 and 3
    run_free(run);
    model_free(model);
}

static int count_alive(const struct run *run, int stream)
{
    const struct trace_tokens *t = &run_trace(run)->stages[run_trace(run)->stage_count - 1].tokens[stream];
    int alive = 0;
    for (int k = 0; k < t->count; k++)
        alive += t->alive[k];
    return alive;
}

// The lot is the same for the same seed, another for another; words are left alone.
static void test_random(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run *a = run_policy(model, POLICY_RANDOM, 0.75, 1), *b = run_policy(model, POLICY_RANDOM, 0.75, 1);
    struct run *c = run_policy(model, POLICY_RANDOM, 0.75, 2);
    int last = run_trace(a)->stage_count - 1;
    tiny_check_same_trace(run_trace(a), run_trace(b));
    assert_memory_not_equal(run_trace(a)->stages[last].tokens[0].alive, run_trace(c)->stages[last].tokens[0].alive,
                            PATCHES);
    assert_int_equal(count_alive(a, 0), count_alive(c, 0));
    assert_true(count_alive(a, 0) < PATCHES);
    assert_int_equal(count_alive(a, TRACE_TEXT_STREAM), run_trace(a)->token_count);
    run_free(a);
    run_free(b);
    run_free(c);
    model_free(model);
}

// A model without trimmers (the published ones) can be pruned by the policies that need no training.
static void test_without_trimmers(void **state)
{
    (void)state;
    struct tiny_options tiny = {.task = TASK_VQA, .published = true, .seed = 3};
    struct model *model = tiny_model(&tiny);
    for (int p = POLICY_CLS_ATTENTION; p <= POLICY_RANDOM; p++) {
        struct run *run = run_policy(model, (enum policy)p, 0.8, 0);
        double share = run_trace(run)->spent_macs / run_trace(run)->dense_macs;
        assert_true(share <= 0.8 && share > 0.79);
        run_free(run);
    }
    struct run *run = run_policy(model, POLICY_LEARNED, (double)NAN, 0); // nothing to trim with: the unpruned model
    assert_true(run_trace(run)->spent_macs == run_trace(run)->dense_macs);
    run_free(run);
    model_free(model);
}

// learned-self scores without the cross part; the switches leave tokens or heads alone.
static void test_switches(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run *self = run_policy(model, POLICY_LEARNED_SELF, (double)NAN, 0);
    for (int i = 0; i < run_trace(self)->stage_count; i++)
        for (int k = 1; k < run_trace(self)->stages[i].tokens[0].count; k++) {
            const struct trace_tokens *t = &run_trace(self)->stages[i].tokens[0];
            assert_true(isnan(t->cross_score[k]));
            assert_true(isnan(t->score[k]) || t->score[k] == t->self_score[k]);
        }
    run_free(self);
    for (int which = 0; which < 2; which++) {
        struct run_options options = run_options_default();
        options.trim_tokens = which == 0;
        options.trim_heads = which == 1;
        struct run *run = tiny_run(model, &options, 2);
        tiny_finish(run);
        int off = 0;
        for (int i = 0; i < run_trace(run)->stage_count; i++)
            for (int m = 0; m < MODULES; m++)
                for (int h = 0; h < run_trace(run)->stages[i].heads[0][m].count; h++)
                    off += !run_trace(run)->stages[i].heads[0][m].on[h];
        assert_int_equal(off > 0, which == 1);
        assert_int_equal(count_alive(run, 0) < PATCHES, which == 0);
        run_free(run);
    }
    model_free(model);
}

static void test_names(void **state)
{
    (void)state;
    for (int p = 0; p < POLICY_COUNT; p++) {
        enum policy found = POLICY_COUNT;
        assert_true(policy_find(policy_name((enum policy)p), &found));
        assert_int_equal(found, p);
        assert_true(strlen(policy_help((enum policy)p)) > 10);
    }
    enum policy found = POLICY_NONE;
    assert_false(policy_find("top-k", &found));
    assert_int_equal(found, POLICY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cls_attention),    cmocka_unit_test(test_cross_attention), cmocka_unit_test(test_random),
        cmocka_unit_test(test_without_trimmers), cmocka_unit_test(test_switches),        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
