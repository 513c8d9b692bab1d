// Where heads look, on the screen: heads, streams and tokens are stepped through; what is said and drawn are the weights.
#include "tests/support/cmocka_all.h"
#include "tests/support/screen_test.h"

#include <string.h>

static void press(const char *keys, const char *then)
{
    screen_term_type(&term, keys);
    expect(then);
}

static void look(int rows, int columns, bool sixel)
{
    start_fake_screen(rows, columns, sixel, NULL);
    press("A", "HEADS OF THE PICTURE"); // and to a stage where both see each other
    expect("fusion 1");
    expect("Self head 1 of the picture looks");
    expect("(60 %)");
    expect("OVER THE WORDS");
    press("l", "Self head 2 of the picture");
    expect("Cross head 2 of the picture looks from CLS at 'the' (60 %), 'apple' (30 %)");
    expect("60.0 %");
    expect("60.0 % a patch (self); CLS 0.0 %");
    press("\t", "HEADS OF THE WORDS");
    expect("Self head 2 of the words looks from CLS at 'the' (60 %)");
    press("]", "looking from 'what'");
    press("c", "looking from CLS");
    press("hh", "Self heads of the words together look from CLS at"); // beyond the first: all
    press(".", "fusion 2");
    press("q", "HEADS");
    finish("q");
}

static void test_large(void **state)
{
    (void)state;
    look(48, 220, true);
}

static void test_characters(void **state)
{
    (void)state;
    look(30, 200, false);
}

// In the least window a head looks at fewer, in whole sentences.
static void test_least_window(void **state)
{
    (void)state;
    start_fake_screen(24, 80, true, NULL);
    press("A", "HEADS OF THE PICTURE");
    expect("OVER THE WORDS");
    expect("%).");
    screen_term_settle(&term, 200);
    for (int row = 1; row < 22; row++) {
        char text[400];
        screen_term_row(&term, row, text, sizeof text);
        if (strstr(text, "…")) {
            screen_term_dump(&term);
            fail_msg("row %d is cut", row);
        }
    }
    finish("qq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_large), cmocka_unit_test(test_characters),
                                       cmocka_unit_test(test_least_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
