// The list of a sweep's points, and which of them nothing else beats.
#include "tests/support/cmocka_all.h"

#include "engine/run/sweep.h"

#include <math.h>

static struct sweep_point point(double accuracy, double share, double ms)
{
    struct sweep_point p = {.policy = POLICY_LEARNED, .budget = share, .done = true};
    p.summary.questions = 1;
    p.summary.accuracy.value = accuracy;
    p.summary.share.value = share;
    p.summary.ms = ms;
    return p;
}

static void test_list(void **state)
{
    (void)state;
    static struct sweep_point points[SWEEP_POINTS];
    const enum policy policies[] = {POLICY_NONE, POLICY_RANDOM, POLICY_LEARNED};
    const double budgets[] = {0.5, (double)NAN};
    double many[SWEEP_POINTS];
    assert_int_equal(sweep_list(points, policies, 3, budgets, 2), 5); // without pruning there is no budget
    assert_true(points[0].policy == POLICY_NONE && isnan(points[0].budget));
    assert_true(points[1].policy == POLICY_RANDOM && points[1].budget == 0.5);
    assert_true(points[4].policy == POLICY_LEARNED && isnan(points[4].budget) && !points[4].done);
    for (int i = 0; i < SWEEP_POINTS; i++)
        many[i] = 0.5;
    assert_int_equal(sweep_list(points, policies + 1, 1, many, SWEEP_POINTS), SWEEP_POINTS);
    assert_int_equal(sweep_list(points, policies, 2, many, SWEEP_POINTS), -1);
}

static void test_fronts(void **state)
{
    (void)state;
    struct sweep_point points[] = {
        point(0.9, 0.5, 20), // front of both
        point(0.8, 0.4, 30), // cheaper in FLOPs, but slower
        point(0.8, 0.45, 10), // the same accuracy for more FLOPs, but the fastest
        point(0.9, 0.6, 25), // the same as the first for more
        point(0.95, 1, 50),  // the most accurate
        point(0.9, 0.5, 20), // a twin of the first: neither beats the other
        point(1, 0.1, 1),    // not done: in nobody's way
    };
    static const bool flops[] = {true, true, false, false, true, true, false};
    static const bool ms[] = {true, false, true, false, true, true, false};
    points[6].done = false;
    sweep_mark_fronts(points, 7);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(points[i].front_flops, flops[i]);
        assert_int_equal(points[i].front_ms, ms[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_fronts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
