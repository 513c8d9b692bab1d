// Messages are one printable line, whatever is in the names and texts that they tell about.
#include "tests/support/cmocka_all.h"

#include "engine/base/error.h"
#include "engine/base/text.h"

#include <stdlib.h>
#include <string.h>

static void check_clean(const char *from, const char *expected)
{
    char text[64];
    strcpy(text, from);
    text_clean(text);
    assert_string_equal(text, expected);
}

static void test_control_characters_become_harmless(void **state)
{
    (void)state;
    check_clean("a\033]0;title\a b\033[2J", "a?]0;title? b?[2J");
    check_clean("two\nlines\tand\r\x7f", "two lines and ?");
    check_clean("C1: \xc2\x9b" "31m, next line \xc2\x85", "C1: ?31m, next line ?");
    check_clean("\xe2\x80\xaegnp.exe \xe2\x81\xa6 \xe2\x80\xa8", "?gnp.exe ? ?"); // RLO, LRI, line separator
}

static void test_good_text_stays(void **state)
{
    (void)state;
    check_clean("Größe 図 \xf0\x9f\x90\x95 é", "Größe 図 \xf0\x9f\x90\x95 é");
    check_clean("", "");
}

static void test_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    check_clean("\xff\xfe a\x80", "?? a?");
    check_clean("\xc0\xaf", "??");           // overlong
    check_clean("\xe0\x80\x80", "???");      // overlong
    check_clean("\xed\xa0\x80", "???");      // a surrogate
    check_clean("\xf4\x90\x80\x80", "????"); // above U+10FFFF
    check_clean("cut \xe5\x9b", "cut ??");   // a character's first bytes
}

static void test_long_text_loses_its_middle(void **state)
{
    (void)state;
    char out[16];
    assert_string_equal(text_fit(out, sizeof out, "0123456789abcde"), "0123456789abcde");
    assert_string_equal(text_fit(out, sizeof out, "0123456789abcdef"), "012345...abcdef");
    // Characters are not cut in two.
    assert_string_equal(text_fit(out, sizeof out, "0123456789ééééé"), "012345...ééé");
    assert_string_equal(text_fit(out, sizeof out, "01234ééééééxéé"), "01234...xéé");
}

static void test_messages(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(error_set(&err, ERROR_INPUT, "cannot open %s: %s", "bad\033[31m\nname", "No such file"));
    assert_string_equal(err.text, "cannot open bad?[31m name: No such file");
    assert_false(error_prefix(&err, "line\007 %d", 3));
    assert_string_equal(err.text, "line? 3: cannot open bad?[31m name: No such file");
    assert_int_equal(err.code, ERROR_INPUT);
}

// What went wrong stands at the end, and the thing it is about at the beginning.
static void test_long_messages_keep_both_ends(void **state)
{
    (void)state;
    struct error err = {0};
    size_t size = 200000;
    char *name = malloc(size + 1);
    memset(name, 'n', size);
    name[size] = 0;
    error_set(&err, ERROR_INPUT, "cannot open %s: %s", name, "File name too long");
    assert_memory_equal(err.text, "cannot open nnn", 15);
    assert_non_null(strstr(err.text, "nnn: File name too long"));
    error_prefix(&err, "in %s", name);
    assert_memory_equal(err.text, "in nnn", 6);
    assert_non_null(strstr(err.text, "nnn: File name too long"));
    assert_true(strlen(err.text) < sizeof err.text);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_characters_become_harmless),
        cmocka_unit_test(test_good_text_stays),
        cmocka_unit_test(test_bytes_that_are_no_utf8),
        cmocka_unit_test(test_long_text_loses_its_middle),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_long_messages_keep_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
