// The redundancy figure on the screen: opened by its key, switched to a set, at several sizes.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/screen_term.h"
#include "ui/screen.h"

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
    bool asked = strstr(fake.log, "run none\n") && strstr(fake.log, "redundancy bundled\n") &&
                 strstr(fake.log, "redundancy my/set.jsonl\n");
    fake_backend_free(&fake);
    return !fine ? 1 : asked ? 0 : 2;
}

static void expect(const char *text)
{
    if (!screen_term_wait(&term, text)) {
        screen_term_dump(&term);
        fail_msg("not on the screen: %s", text);
    }
}

static void look(int rows, int columns, const char *locale, const char *mark)
{
    struct screen_term_options options = {.rows = rows, .columns = columns, .locale = locale};
    screen_term_start(&term, &options, run_screen, NULL);
    expect("'red'");
    screen_term_type(&term, "r");
    expect("this input");
    expect(mark);
    expect("Patches");
    expect("f6");
    expect(".74"); // 0.62 + 0.02 for each stage, in the last layer
    expect("Pruned, the patches"); // both lines are there
    if (rows < 36)
        screen_term_type(&term, "j");
    expect("Heads of the picture");
    screen_term_type(&term, "\t");
    expect("bundled questions");
    screen_term_type(&term, "omy/set.jsonl\n");
    expect("set.jsonl");
    screen_term_type(&term, "q");
    expect("HEADS"); // the stepper again
    screen_term_type(&term, "q");
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    screen_term_free(&term);
}

static void test_large(void **state)
{
    (void)state;
    look(48, 160, "C.UTF-8", "●─");
}

static void test_small(void **state)
{
    (void)state;
    look(24, 80, "C.UTF-8", "○┄");
}

static void test_ascii(void **state)
{
    (void)state;
    look(30, 100, "C", "*-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_large), cmocka_unit_test(test_small),
                                       cmocka_unit_test(test_ascii)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
