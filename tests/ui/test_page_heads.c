// Where heads look, on the screen: heads, streams and tokens are stepped through; what is said and drawn are the weights.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/screen_term.h"
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct screen_term term;

static int run_screen(void *context)
{
    static struct fake_backend fake;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    (void)context;
    fake_backend_init(&fake);
    bool fine = screen_run(&fake.backend, &options, &err);
    fake_backend_free(&fake);
    return fine ? 0 : 1;
}

static void expect(const char *text)
{
    if (!screen_term_wait(&term, text)) {
        screen_term_dump(&term);
        fail_msg("not on the screen: %s", text);
    }
}

static void press(const char *keys, const char *then)
{
    screen_term_type(&term, keys);
    expect(then);
}

static void look(int rows, int columns, bool sixel)
{
    struct screen_term_options options = {.rows = rows, .columns = columns, .sixel = sixel, .version = "XTerm(379)"};
    screen_term_start(&term, &options, run_screen, NULL);
    expect("'red'");
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
    screen_term_type(&term, "q");
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    screen_term_free(&term);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_large), cmocka_unit_test(test_characters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
