// Text on its way to cells: every byte of a file's name has a width.
#include "tests/support/cmocka_all.h"
#include "ui/draw.h"

static void test_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    assert_int_equal(draw_width("a\xff\xfe\x80"), 4); // the sanitizer watches the decoding
    assert_int_equal(draw_width("\xc0\xaf"), 2);
    assert_int_equal(draw_width("cut \xe5\x9b"), 6);
    assert_int_equal(draw_width("\x1b[31m"), 5);
    assert_int_equal(draw_width(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes_that_are_no_utf8)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
