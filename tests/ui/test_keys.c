#include "tests/support/cmocka_all.h"
#include "ui/keys.h"
#include "ui/layout.h"

#include <ncurses.h>
#include <string.h>

static void test_no_key_twice(void **state)
{
    (void)state;
    for (int p = 0; p < PAGE_COUNT; p++)
        for (int a = 0; a < ACTIONS; a++)
            for (int k = 0; k < KEYS_PER_ACTION; k++) {
                int key = key_row((enum action)a)->keys[k];
                if (key && key_works_on((enum action)a, (enum page_id)p)) // the first row with this key would win
                    assert_int_equal(key_action((enum page_id)p, key), a);
            }
    assert_int_equal(key_action(PAGE_STEPPER, 0), ACTION_NONE);
    assert_int_equal(key_action(PAGE_STEPPER, -1), ACTION_NONE);
    assert_int_equal(key_action(PAGE_STEPPER, 'z'), ACTION_NONE);
}

static void test_the_promised_keys(void **state)
{
    (void)state;
    static const struct {
        int key;
        enum action action;
    } promised[] = {
        {'h', ACTION_LEFT},      {'j', ACTION_DOWN},        {'k', ACTION_UP},         {'l', ACTION_RIGHT},
        {KEY_LEFT, ACTION_LEFT}, {KEY_RIGHT, ACTION_RIGHT}, {KEY_HOME, ACTION_FIRST}, {KEY_END, ACTION_LAST},
        {' ', ACTION_PLAY},      {'\t', ACTION_FOCUS_NEXT}, {'/', ACTION_ASK},        {'a', ACTION_ASK},
        {'o', ACTION_OPEN},      {'p', ACTION_POLICY},      {'b', ACTION_BUDGET},     {'f', ACTION_KEEP},
        {'x', ACTION_DROP},      {'u', ACTION_UNDO},        {'R', ACTION_REOPEN},     {'g', ACTION_GRAPHICS},
        {'?', ACTION_HELP},      {'q', ACTION_QUIT},        {26, ACTION_SUSPEND},     {12, ACTION_REDRAW}};
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
        assert_int_equal(key_action(PAGE_STEPPER, promised[i].key), promised[i].action);
}

// What the help and the footer say must fit, and exist.
static void test_every_row_is_explained(void **state)
{
    (void)state;
    for (int a = 0; a < ACTIONS; a++) {
        const struct key_row *row = key_row((enum action)a);
        assert_true(row->keys[0] != 0);
        assert_in_range(strlen(row->help), 4, 70);
        assert_in_range(strlen(row->written), 1, 12);
        assert_true(row->group < KEY_GROUPS);
        assert_int_equal(row->hint != HINT_NONE, row->word[0] != 0);
        assert_true(key_group_title(row->group)[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_key_twice),
        cmocka_unit_test(test_the_promised_keys),
        cmocka_unit_test(test_every_row_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
