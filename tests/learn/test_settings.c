// Settings of training: what is refused, what is read back, and the schedules that follow from them.
#include "tests/support/cmocka_all.h"

#include "engine/learn/schedule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_bad(const char *name, const char *value)
{
    struct error err = {0};
    struct train_settings settings = train_settings_default(false), before = settings;
    if (train_settings_set(&settings, name, value, &err))
        fail_msg("%s=%s was taken", name, value);
    assert_non_null(strstr(err.text, name));
    assert_memory_equal(&settings, &before, sizeof settings);
}

static void test_every_range(void **state)
{
    (void)state;
    char text[64];
    struct error err = {0};
#define CHECK_RANGE(type, member, dense, trim, low, high, help)                                                \
    {                                                                                                          \
        struct train_settings s = train_settings_default(true);                                                \
        snprintf(text, sizeof text, "%.17g", (double)(low) - 1);                                               \
        check_bad(#member, text);                                                                              \
        snprintf(text, sizeof text, "%.17g", (double)(high) * 1.1 + 1);                                        \
        check_bad(#member, text);                                                                              \
        check_bad(#member, "nan");                                                                             \
        check_bad(#member, "");                                                                                \
        check_bad(#member, "1x");                                                                              \
        if ((type)1.5 < 1.25)                                                                                  \
            check_bad(#member, "1.5"); /* a whole number is asked for */                                       \
        snprintf(text, sizeof text, "%.17g", (double)(high));                                                  \
        assert_true(train_settings_set(&s, #member, text, &err));                                              \
        assert_true((double)s.member == (double)(high));                                                       \
        assert_true((double)(dense) >= (low) && (double)(dense) <= (high));                                    \
        assert_true((double)(trim) >= (low) && (double)(trim) <= (high));                                      \
    }
    TRAIN_SETTINGS(CHECK_RANGE)
#undef CHECK_RANGE
    check_bad("learning_rate", "0.1");
    check_bad("", "1");
}

static void check_json(const char *json, const char *what)
{
    struct error err = {0};
    struct train_settings settings = train_settings_default(true);
    if (train_settings_read(&settings, json, &err))
        fail_msg("%s was taken", json);
    if (!strstr(err.text, what))
        fail_msg("%s: \"%s\" does not say \"%s\"", json, err.text, what);
    assert_int_equal(err.code, ERROR_INPUT);
}

static void test_bad_json(void **state)
{
    (void)state;
    check_json("", "not JSON");
    check_json("{\"rate\": 0.1", "not JSON");
    check_json("[1]", "not an object");
    check_json("{\"rate\": 0.1, \"rate\": 0.2}", "not JSON");
    check_json("{\"rate\": \"0.1\"}", "rate");
    check_json("{\"rate\": 2}", "rate");
    check_json("{\"scenes\": 2.5}", "whole number");
    check_json("{\"rates\": 0.1}", "rates");
    check_json("{\"stage\": \"dense\"}", "dense stage"); // the SmartTrim stage is to run
    check_json("{\"stage\": 2}", "stage");
    check_json("{\"budgets\": 0.5}", "budgets");
    check_json("{\"budgets\": [0.5, 0]}", "budgets[1]");
    check_json("{\"budgets\": [\"a\"]}", "budgets[0]");
    check_json("{\"budgets\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", "25 budgets");
}

static void test_round_trip(void **state)
{
    (void)state;
    struct error err = {0};
    struct train_settings from = train_settings_default(true), to = train_settings_default(true);
    assert_true(train_settings_read(&from, "{\"stage\": \"trim\", \"rate\": 0.0025, \"scenes\": 3, \"budgets\": [0.5, 0.25]}",
                                    &err));
    assert_true(from.rate == 0.0025 && from.scenes == 3);
    assert_int_equal(from.budget_count, 2);
    assert_true(from.budgets[0] == 0.5 && from.budgets[1] == 0.25 && from.budgets[2] == to.budgets[2]);
    char *json = train_settings_json(&from);
    assert_true(train_settings_read(&to, json, &err));
    free(json);
    assert_memory_equal(&from, &to, sizeof from);
}

static void check_near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-12))
        fail_msg("%.15g instead of %.15g", value, expected);
}

static void test_schedules(void **state)
{
    (void)state;
    struct train_settings s = train_settings_default(true);
    s.target = 0.4;
    s.curriculum = 0.5;
    s.budgets[1] = 0.3;
    s.noise_first = 0.6;
    s.noise_last = 0.1;
    s.warmup = 0.1;
    s.hold = 0.6;
    s.final_rate = 0.05;
    check_near(schedule_target(&s, 0), 1);
    check_near(schedule_target(&s, 0.25), 0.7);
    check_near(schedule_target(&s, 0.5), 0.4);
    check_near(schedule_target(&s, 1), 0.4);
    check_near(schedule_budget(&s, 0, 1), 1);
    check_near(schedule_budget(&s, 0.25, 1), 0.65);
    check_near(schedule_budget(&s, 0.9, 1), 0.3);
    check_near(schedule_noise(&s, 0), 0.6);
    check_near(schedule_noise(&s, 0.4), 0.35);
    check_near(schedule_noise(&s, 0.8), 0.1);
    check_near(schedule_noise(&s, 1), 0.1);
    check_near(schedule_rate(&s, 0, 1000), 0.01);
    check_near(schedule_rate(&s, 0.05, 1000), 0.51);
    check_near(schedule_rate(&s, 0.1, 1000), 1);
    check_near(schedule_rate(&s, 0.59, 1000), 1);
    check_near(schedule_rate(&s, 0.8, 1000), 0.525); // half way down the cosine
    check_near(schedule_rate(&s, 1, 1000), 0.05);
    s.curriculum = 0;
    check_near(schedule_target(&s, 0), 0.4);
    check_near(schedule_budget(&s, 0, 1), 0.3);
    s.warmup = 0;
    check_near(schedule_rate(&s, 0, 1000), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_range),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
