#include "tests/support/cmocka_all.h"
#include "ui/prompt.h"

#include <locale.h>
#include <string.h>

static struct prompt prompt;

static void type(const char *text)
{
    for (; *text; text++)
        assert_int_equal(prompt_key(&prompt, (unsigned char)*text, false), PROMPT_EDITED);
}

static void expect(const char *text)
{
    char got[PROMPT_BYTES];
    prompt_text(&prompt, got);
    assert_string_equal(got, text);
}

static int set_up(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C.UTF-8");
    prompt_free(&prompt);
    prompt_open(&prompt, PROMPT_QUESTION, "");
    return 0;
}

static void test_editing(void **state)
{
    (void)state;
    type("what colr");
    prompt_key(&prompt, KEY_LEFT, true);
    type("o");
    expect("what color");
    prompt_key(&prompt, 1, false); // ^A
    type("so ");
    expect("so what color");
    prompt_key(&prompt, KEY_END, true);
    prompt_key(&prompt, 23, false); // ^W
    expect("so what ");
    prompt_key(&prompt, KEY_BACKSPACE, true);
    prompt_key(&prompt, KEY_HOME, true);
    prompt_key(&prompt, KEY_DC, true);
    expect("o what");
    prompt_key(&prompt, KEY_RIGHT, true);
    prompt_key(&prompt, 11, false); // ^K
    expect("o");
    prompt_key(&prompt, 21, false); // ^U
    expect("");
    prompt_key(&prompt, KEY_BACKSPACE, true); // nothing to take away
    prompt_key(&prompt, KEY_LEFT, true);
    expect("");
    assert_int_equal(prompt_key(&prompt, '\r', false), PROMPT_DONE);
    assert_int_equal(prompt_key(&prompt, 27, false), PROMPT_CLOSED);
    assert_int_equal(prompt_key(&prompt, KEY_F(5), true), PROMPT_IGNORED);
}

static void test_suggestion(void **state)
{
    (void)state;
    prompt_open(&prompt, PROMPT_QUESTION, "is it red?");
    type("why");
    expect("why"); // instead of what was proposed
    prompt_suggest(&prompt, "is it red?");
    prompt_key(&prompt, KEY_BACKSPACE, true);
    type("!");
    expect("is it red!"); // it had become one's own
    static const wint_t codes[] = {KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END};
    for (int i = 0; i < 4; i++) {
        prompt_suggest(&prompt, "ab");
        prompt_key(&prompt, codes[i], true);
        type("x");
        assert_int_equal(prompt.length, 3);
    }
    prompt_suggest(&prompt, "ab");
    assert_int_equal(prompt_key(&prompt, '\t', false), PROMPT_COMPLETE);
    type("c");
    expect("abc");
    prompt_suggest(&prompt, "ab");
    assert_int_equal(prompt_key(&prompt, '\r', false), PROMPT_DONE);
    expect("ab");
    prompt_open(&prompt, PROMPT_PATH, "pictures/");
    type("a");
    expect("pictures/a");
}

static void test_unicode(void **state)
{
    (void)state;
    prompt_key(&prompt, 0xFC, false);
    prompt_key(&prompt, 0x732B, false);
    type("x");
    expect("ü猫x");
    prompt_key(&prompt, KEY_LEFT, true);
    prompt_key(&prompt, KEY_BACKSPACE, true);
    expect("üx");
    prompt_set(&prompt, "a\xff\xfe"
                        "b"); // not UTF-8
    expect("ab");
    assert_int_equal(prompt_key(&prompt, 0x9B, false), PROMPT_IGNORED); // a C1 control
}

static void test_length_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < PROMPT_LENGTH * 2; i++)
        prompt_key(&prompt, 0x1F600, false); // four bytes each
    char got[PROMPT_BYTES];
    prompt_text(&prompt, got);
    assert_int_equal(strlen(got), PROMPT_LENGTH * 4);
}

static void test_history(void **state)
{
    (void)state;
    static const char *const lines[] = {"one", "two", "two", "three"};
    for (int i = 0; i < 4; i++) {
        prompt_open(&prompt, PROMPT_QUESTION, lines[i]);
        prompt_remember(&prompt);
    }
    prompt_open(&prompt, PROMPT_QUESTION, "");
    type("new");
    prompt_key(&prompt, KEY_UP, true);
    expect("three");
    prompt_key(&prompt, KEY_UP, true);
    expect("two"); // once, though it was asked twice in a row
    prompt_key(&prompt, KEY_UP, true);
    expect("one");
    prompt_key(&prompt, KEY_UP, true);
    expect("one");
    for (int i = 0; i < 3; i++)
        prompt_key(&prompt, KEY_DOWN, true);
    expect("new"); // what was being typed is not lost
    prompt_open(&prompt, PROMPT_PATH, "");
    prompt_key(&prompt, KEY_UP, true);
    expect(""); // each kind has its own
    for (int i = 0; i < PROMPT_HISTORY * 2; i++) {
        char line[8] = {(char)('a' + i % 26), (char)('a' + i / 26), 0};
        prompt_open(&prompt, PROMPT_PATH, line);
        prompt_remember(&prompt);
    }
    assert_int_equal(prompt.history[PROMPT_PATH].count, PROMPT_HISTORY);
}

static void test_words(void **state)
{
    (void)state;
    char word[PROMPT_BYTES];
    type("where is the App");
    prompt_word(&prompt, word);
    assert_string_equal(word, "app");
    prompt_replace_word(&prompt, "apple");
    expect("where is the apple");
    type("?");
    prompt_word(&prompt, word);
    assert_string_equal(word, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_editing, set_up),
        cmocka_unit_test_setup(test_suggestion, set_up),
        cmocka_unit_test_setup(test_unicode, set_up),
        cmocka_unit_test_setup(test_length_is_bounded, set_up),
        cmocka_unit_test_setup(test_history, set_up),
        cmocka_unit_test_setup(test_words, set_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    prompt_free(&prompt);
    return failed;
}
