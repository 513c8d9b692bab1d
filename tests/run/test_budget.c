// Budgets: every policy spends what it was asked to.
#include "tests/support/cmocka_all.h"

#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/prune/budget.h"
#include "engine/run/calibrate.h"
#include "engine/run/run.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 24 };

static struct {
    struct picture pictures[2 * SAMPLES];
    struct calibration_sample samples[SAMPLES];
    char *json;
} set;

static int make_set(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * SAMPLES; i++)
        set.pictures[i] = tiny_picture((uint64_t)i);
    for (int i = 0; i < SAMPLES; i++)
        set.samples[i] = (struct calibration_sample){{&set.pictures[i], &set.pictures[SAMPLES + i]},
                                                     tiny_questions[i % 8]};
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct thread_pool *pool = thread_pool_new(2);
    struct error err = {0};
    set.json = calibrate(model, set.samples, SAMPLES, pool, NULL, &err);
    if (!set.json)
        fail_msg("%s", err.text);
    thread_pool_free(pool);
    model_free(model);
    return 0;
}

static int free_set(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * SAMPLES; i++)
        picture_free(&set.pictures[i]);
    free(set.json);
    return 0;
}

static struct model *calibrated(void)
{
    struct tiny_options tiny = tiny_everything();
    tiny.calibration = set.json;
    return tiny_model(&tiny);
}

// Mean share over the set, and the least and most of single inputs.
static double mean_share(const struct model *model, enum policy policy, double budget, double *low, double *high)
{
    struct run_options options = run_options_default();
    double sum = 0;
    options.policy = policy;
    options.budget = budget;
    *low = 9;
    *high = 0;
    for (int i = 0; i < SAMPLES; i++) {
        struct error err = {0};
        struct run *run = run_new(model, set.samples[i].pictures, 1, set.samples[i].question, &options, &err);
        if (!run)
            fail_msg("%s", err.text);
        tiny_finish(run);
        double share = run_trace(run)->spent_macs / run_trace(run)->dense_macs;
        sum += share;
        *low = fmin(*low, share);
        *high = fmax(*high, share);
        run_free(run);
    }
    return sum / SAMPLES;
}

// Threshold policies meet the budget on average and differ from input to input.
static void test_threshold_policies(void **state)
{
    (void)state;
    struct model *model = calibrated();
    const enum policy policies[] = {POLICY_LEARNED, POLICY_LEARNED_SELF};
    const double budgets[] = {0.65, 0.75, 0.85};
    for (int p = 0; p < 2; p++)
        for (int b = 0; b < 3; b++) {
            double low, high, share = mean_share(model, policies[p], budgets[b], &low, &high);
            printf("  %s %.2f: %.4f, single inputs %.3f to %.3f\n", policy_name(policies[p]), budgets[b], share, low, high);
            assert_true(fabs(share - budgets[b]) < 0.01);
            assert_true(high - low > 0.01);
        }
    model_free(model);
}

// Policies that keep counts meet it on every input: never above, and below by less than a token's worth.
static void test_count_policies(void **state)
{
    (void)state;
    struct model *model = calibrated();
    const enum policy policies[] = {POLICY_LEARNED_FIXED, POLICY_CLS_ATTENTION, POLICY_CROSS_ATTENTION, POLICY_TEXT_SIMILARITY,
                                    POLICY_MERGING, POLICY_RANDOM};
    const double budgets[] = {0.8, 0.9};
    for (int p = 0; p < 6; p++)
        for (int b = 0; b < 2; b++) {
            double low, high, share = mean_share(model, policies[p], budgets[b], &low, &high);
            assert_true(high <= budgets[b] + 1e-12);
            assert_true(low > budgets[b] - 0.006);
            assert_true(fabs(share - budgets[b]) < 0.005);
        }
    model_free(model);
}

// Another question, or a budget changed in between, makes the run that a new one would be.
static void test_asking_again(void **state)
{
    (void)state;
    struct model *model = calibrated();
    const double budgets[] = {0.65, 0.85, (double)NAN, 0.75};
    struct run_options options = run_options_default();
    options.budget = 0.7;
    struct error err = {0};
    struct run *run = run_new(model, set.samples[0].pictures, 1, set.samples[0].question, &options, &err);
    assert_non_null(run);
    for (int i = 0; i < 8; i++) {
        if (i % 2)
            assert_true(run_set_policy(run, i == 5 ? POLICY_RANDOM : POLICY_LEARNED, budgets[i / 2], &err));
        assert_true(run_ask(run, set.samples[i].question, &err));
        tiny_finish(run);
        options.policy = i == 5 || i == 6 ? POLICY_RANDOM : POLICY_LEARNED;
        options.budget = i == 0 ? 0.7 : budgets[(i - 1) / 2];
        struct run *fresh = run_new(model, set.samples[0].pictures, 1, set.samples[i].question, &options, &err);
        assert_non_null(fresh);
        tiny_finish(fresh);
        tiny_check_same_trace(run_trace(run), run_trace(fresh));
        run_free(fresh);
    }
    run_free(run);
    model_free(model);
}

// What cannot be spent is refused with the least that can.
static void test_least_share(void **state)
{
    (void)state;
    struct model *model = calibrated();
    const enum policy policies[] = {POLICY_LEARNED, POLICY_LEARNED_FIXED, POLICY_CROSS_ATTENTION, POLICY_RANDOM};
    struct run_options options = run_options_default();
    for (int p = 0; p < 4; p++) {
        struct error err = {0};
        options.policy = policies[p];
        options.budget = 0.01;
        assert_null(run_new(model, set.samples[0].pictures, 1, "the dog", &options, &err));
        assert_int_equal(err.code, ERROR_INPUT);
        assert_non_null(strstr(err.text, "at least"));
    }
    model_free(model);
}

// What budget_least() promises can be spent, and a little less cannot.
static void test_least_is_reachable(void **state)
{
    (void)state;
    struct model *model = calibrated();
    const enum policy policies[] = {POLICY_LEARNED, POLICY_LEARNED_SELF, POLICY_LEARNED_FIXED, POLICY_CLS_ATTENTION,
                                    POLICY_RANDOM};
    for (int p = 0; p < 5; p++) {
        struct budget_request request = {policies[p], (double)NAN, 7, true, true, {0}};
        struct budget budget;
        struct error err = {0};
        double least = 0;
        assert_true(budget_least(model, &request, &least, &err));
        assert_true(least > 0.01 && least < 0.9);
        request.share = least;
        assert_true(budget_make(&budget, model, &request, &err));
        request.share = budget_told(least);
        assert_true(request.share >= least && request.share < least + 0.001);
        assert_true(budget_make(&budget, model, &request, &err));
        char told[16];
        snprintf(told, sizeof told, "%.3f ", request.share);
        request.share = least - 0.001;
        assert_false(budget_make(&budget, model, &request, &err));
        if (!strstr(err.text, told))
            fail_msg("%s: not %s", err.text, told);
        request.share = strtod(told, NULL); // as a person types it in
        assert_true(budget_make(&budget, model, &request, &err));
    }
    struct budget_request none = {POLICY_NONE, (double)NAN, 7, true, true, {0}};
    double least = 0;
    assert_true(budget_least(model, &none, &least, NULL));
    assert_true(least >= 1 && least <= 1);
    model_free(model);
}

// A share that is in thousandths is told as it is, though no float is; any other by the next one up.
static void test_told_share(void **state)
{
    (void)state;
    for (int i = 1; i <= 1000; i++) {
        assert_int_equal(lround(1e6 * budget_told(i / 1000.0)), 1000 * i);
        assert_true(budget_told(i / 1000.0) >= i / 1000.0);
        assert_int_equal(lround(1e6 * budget_told(i / 1000.0 - 0.0004)), 1000 * i);
    }
}

// More budget never drops a token that less budget kept, as far as nothing was dropped before: the shift only rises.
static void test_shift_rises_with_the_budget(void **state)
{
    (void)state;
    struct model *model = calibrated();
    double before = -(double)INFINITY;
    for (double budget = 0.6; budget < 0.99; budget += 0.05) {
        struct run_options options = run_options_default();
        options.budget = budget;
        struct run *run = run_new(model, set.samples[0].pictures, 1, "the dog", &options, NULL);
        assert_non_null(run);
        assert_true(run_trace(run)->shift > before);
        before = run_trace(run)->shift;
        run_free(run);
    }
    model_free(model);
}

static void test_without_calibration(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct error err = {0};
    struct run_options options = run_options_default();
    options.budget = 0.7;
    const enum policy learned[] = {POLICY_LEARNED, POLICY_LEARNED_SELF, POLICY_LEARNED_FIXED};
    for (int p = 0; p < 3; p++) {
        options.policy = learned[p];
        struct run *run = run_new(model, set.samples[0].pictures, 1, "the dog", &options, &err);
        assert_non_null(run);
        tiny_finish(run);
        const struct trace *trace = run_trace(run);
        double share = trace->spent_macs / trace->dense_macs;
        assert_true(share <= 0.7 && share > 0.69);
        assert_true(isnan(trace->shift));
        assert_true(run_ask(run, "is there a cat left of the cup?", &err)); // more words, other counts
        tiny_finish(run);
        share = trace->spent_macs / trace->dense_macs;
        assert_true(share <= 0.7 && share > 0.69);
        run_free(run);
    }
    options.budget = 1; // nothing is pruned for a budget that nothing exceeds
    struct run *whole = run_new(model, set.samples[0].pictures, 1, "the dog", &options, &err);
    assert_non_null(whole);
    run_free(whole);
    model_free(model);
    tiny = (struct tiny_options){.task = TASK_VQA, .published = true, .seed = 3};
    model = tiny_model(&tiny);
    options.policy = POLICY_LEARNED;
    options.budget = 0.7;
    assert_null(run_new(model, set.samples[0].pictures, 1, "the dog", &options, &err));
    assert_non_null(strstr(err.text, "no trimmers"));
    model_free(model);
}

static void test_stopped_calibration(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct error err = {0};
    const atomic_bool stop = true;
    assert_null(calibrate(model, set.samples, 3, NULL, &stop, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    model_free(model);
}

static void test_hostile_calibration(void **state)
{
    (void)state;
    static const char *const bad[] = {"{", "[]", "{\"learned\": 3}", "{\"learned\": []}", "{\"learned\": [[0.5]]}",
                                      "{\"learned\": [[0.9, 1], [0.2, 0]]}", "{\"learned\": [[\"x\", 1]]}",
                                      "{\"learned\": [[0.2, null], [0.9, 1]]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tiny_options tiny = tiny_everything();
        struct error err = {0};
        struct run_options options = run_options_default();
        tiny.calibration = bad[i];
        struct model *model = tiny_model(&tiny);
        options.budget = 0.7;
        assert_null(run_new(model, set.samples[0].pictures, 1, "the dog", &options, &err));
        assert_int_equal(err.code, ERROR_INPUT);
        model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threshold_policies),    cmocka_unit_test(test_count_policies),
        cmocka_unit_test(test_least_share),           cmocka_unit_test(test_least_is_reachable),
        cmocka_unit_test(test_told_share),
                  cmocka_unit_test(test_shift_rises_with_the_budget),
        cmocka_unit_test(test_asking_again),          cmocka_unit_test(test_without_calibration),   cmocka_unit_test(test_hostile_calibration), cmocka_unit_test(test_stopped_calibration),
    };
    return cmocka_run_group_tests(tests, make_set, free_set);
}
