// The redundancy figure on the screen: opened by its key, switched to a set, at several sizes.
#include "tests/support/cmocka_all.h"
#include "tests/support/screen_test.h"

#include <stdint.h>

static const char needed[] = "run none\nredundancy bundled\nredundancy my/set.jsonl\n";

static void look(int rows, int columns, const char *locale, const char *mark)
{
    struct screen_term_options options = {.rows = rows, .columns = columns, .locale = locale};
    screen_term_start(&term, &options, run_fake_screen, (void *)(uintptr_t)needed);
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
    screen_term_type(&term, "y");
    expect("trimscope redundancy --budget ");
    expect("my/set.jsonl");
    screen_term_type(&term, "q\ty");
    expect("trimscope redundancy --picture sample.png --question ");
    screen_term_type(&term, "q");
    expect("this input");
    screen_term_type(&term, "q");
    expect("HEADS"); // the stepper again
    finish("q");
}

static void test_large(void **state)
{
    (void)state;
    look(48, 160, "C.UTF-8", "⠶⠶");
}

static void test_small(void **state)
{
    (void)state;
    look(24, 80, "C.UTF-8", "⠂⠂");
}

// With sixel the curves come in pixels: an image between the axes of each plot.
static void test_pixels(void **state)
{
    (void)state;
    unsigned char rgb[3];
    int row, column, curve = 0;
    screen_term_start_xterm(&term, 48, 160, true, run_fake_screen, (void *)(uintptr_t) "run none\n");
    expect("'red'");
    screen_term_type(&term, "r");
    expect("i0, t0: embeddings");
    expect("Pruned, the patches");
    screen_term_settle(&term, 200);
    assert_true(screen_term_find(&term, " 1.0 ", &row, &column));
    for (int y = row * TERM_CELL_HEIGHT; y < (row + 8) * TERM_CELL_HEIGHT; y++) {
        assert_true(screen_term_pixel(&term, 40 * TERM_CELL_WIDTH, y, rgb));
        curve += rgb[2] > 150;
    }
    assert_true(curve > 0 && curve < 20);
    assert_true(screen_term_pixel(&term, 120 * TERM_CELL_WIDTH, (row + 4) * TERM_CELL_HEIGHT, rgb)); // the words' beside it
    finish("qq");
}

static void test_ascii(void **state)
{
    (void)state;
    look(30, 100, "C", "*-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_large), cmocka_unit_test(test_small),
                                       cmocka_unit_test(test_pixels), cmocka_unit_test(test_ascii)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
