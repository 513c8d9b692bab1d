// What a few letters find, and in which order.
#include "tests/support/cmocka_all.h"
#include "ui/finder.h"

#include <string.h>

enum { EVERYTHING = -1 };

static struct found found[ACTIONS];

static int search(enum page_id page, const char *text)
{
    return finder_search(page, (unsigned)EVERYTHING, text, found);
}

static void expect_first(const char *text, enum action action)
{
    int count = search(PAGE_STEPPER, text);
    if (count == 0 || found[0].action != action)
        fail_msg("'%s' finds %s, not %s", text, count ? action_name(found[0].action) : "nothing", action_name(action));
}

static void test_letters_find_names(void **state)
{
    (void)state;
    for (int a = 0; a < ACTIONS; a++) // the whole name finds itself
        if (key_works_on((enum action)a, PAGE_STEPPER) && a != ACTION_PALETTE)
            expect_first(action_name((enum action)a), (enum action)a);
    expect_first("bud", ACTION_BUDGET);
    expect_first("shcr", ACTION_SHOW_CROSS);
    expect_first("pol", ACTION_POLICY);
    expect_first("graph", ACTION_GRAPHICS);
    expect_first("QUIT", ACTION_QUIT);
    expect_first("another question", ACTION_ASK); // by what it does
    expect_first("dimmed", ACTION_SHOW_SURVIVORS);
    assert_int_equal(search(PAGE_STEPPER, "xyzzy"), 0);
    assert_int_equal(search(PAGE_STEPPER, "budget xyzzy") && found[0].action != ACTION_BUDGET, 0);
}

static void test_better_matches_come_first(void **state)
{
    (void)state;
    assert_true(finder_score("show-cross", "cross") > finder_score("show-cross", "shoss"));
    assert_true(finder_score("reopen", "open") < finder_score("open", "open"));
    assert_true(finder_score("ask another", "aa") > finder_score("banana", "aa"));
    assert_int_equal(finder_score("abc", "abcd"), 0);
    assert_int_equal(finder_score("abc", "cb"), 0);
    assert_int_equal(finder_score("", "a"), 0);
    assert_int_equal(finder_score("abc", ""), 0);
    int count = search(PAGE_STEPPER, "s");
    for (int i = 1; i < count; i++)
        assert_true(found[i - 1].score >= found[i].score);
}

static void test_only_what_works_here(void **state)
{
    (void)state;
    int all = search(PAGE_STEPPER, "");
    for (int i = 0; i < all; i++)
        assert_true(key_works_on(found[i].action, PAGE_STEPPER) && !found[i].elsewhere);
    assert_true(search(PAGE_STEPPER, "value-reset") == 0 || found[0].action != ACTION_VALUE_RESET);
    assert_true(search(PAGE_OPTIONS, "value-reset") > 0 && found[0].action == ACTION_VALUE_RESET);
    int possible = finder_search(PAGE_STEPPER, 0, "", found); // a replay
    assert_true(possible < all);
    for (int i = 0; i < possible; i++)
        assert_int_equal(key_row(found[i].action)->needs, 0);
}

static void test_arguments(void **state)
{
    (void)state;
    const char *argument;
    assert_int_equal(search(PAGE_STEPPER, "budget 0.4"), 1);
    assert_int_equal(found[0].action, ACTION_BUDGET);
    assert_true(finder_argument(ACTION_BUDGET, "budget  0.4", &argument));
    assert_string_equal(argument, "0.4");
    assert_true(finder_argument(ACTION_ASK, "ask", &argument));
    assert_string_equal(argument, "");
    assert_false(finder_argument(ACTION_PLAY, "play 3", &argument));
    assert_int_equal(finder_opener(PAGE_OPTIONS), ACTION_OPTIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_find_names),
        cmocka_unit_test(test_better_matches_come_first),
        cmocka_unit_test(test_only_what_works_here),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
