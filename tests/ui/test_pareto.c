// The plot of accuracy against cost: where marks and labels stand, with and without Unicode.
#include "tests/support/cmocka_all.h"

#include "ui/pareto.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 14, COLUMNS = 60 };

static const struct pareto_point points[] = {
    {'b', "0.5", 0.5, 0.9, true, false},
    {'b', "0.3", 0.3, 0.6, true, false},
    {'a', "", 1.0, 0.88, false, false},
    {'g', "0.5", 0.5, 0.7, false, false},
};

// The sheet as rows of text.
static void draw(bool unicode, const struct pareto *pareto, char rows[ROWS][COLUMNS * 8 + 1], int columns)
{
    struct plot_sheet sheet;
    assert_true(plot_sheet_init(&sheet, ROWS, COLUMNS, unicode));
    pareto_draw(&sheet, pareto, 0, 0, ROWS, columns);
    for (int r = 0; r < ROWS; r++)
        plot_row_text(&sheet, r, rows[r]);
    plot_sheet_free(&sheet);
}

static int row_of(char rows[ROWS][COLUMNS * 8 + 1], const char *text)
{
    for (int r = 0; r < ROWS; r++)
        if (strstr(rows[r], text))
            return r;
    return -1;
}

static void test_ascii(void **state)
{
    (void)state;
    char rows[ROWS][COLUMNS * 8 + 1];
    const struct pareto pareto = {"share", "accuracy, %", points, 4};
    draw(false, &pareto, rows, COLUMNS);
    for (int r = 0; r < ROWS; r++)
        for (const char *c = rows[r]; *c; c++)
            assert_true(*c >= ' ' && *c < 127);
    assert_non_null(strstr(rows[0], "accuracy, %"));
    assert_non_null(strstr(rows[ROWS - 1], "share"));
    int top = row_of(rows, "B"), low = row_of(rows, "g 0.5");
    assert_true(top > 0 && low > top);
    // The same cost stands in the same column, and the less accurate of the front further left and lower.
    char *high = strchr(rows[top], 'B');
    assert_int_equal(high - rows[top], strchr(rows[low], 'g') - rows[low]);
    int second = -1;
    for (int r = top + 1; r < ROWS - 3; r++)
        if (strchr(rows[r], 'B'))
            second = r;
    assert_true(second > low);
    assert_true(strchr(rows[second], 'B') - rows[second] < high - rows[top]);
    assert_non_null(strstr(rows[second], ".")); // the line of the front
    assert_int_equal(row_of(rows, "A"), -1);   // beaten: a small letter
}

static void test_unicode_and_small(void **state)
{
    (void)state;
    char rows[ROWS][COLUMNS * 8 + 1];
    const struct pareto pareto = {"share", "accuracy, %", points, 4};
    setlocale(LC_CTYPE, "C.UTF-8");
    draw(true, &pareto, rows, COLUMNS);
    assert_true(row_of(rows, "\xE2\xA0") > 0 || row_of(rows, "\xE2\xA1") > 0 || row_of(rows, "\xE2\xA2") > 0 ||
                row_of(rows, "\xE2\xA3") > 0); // braille
    draw(true, &pareto, rows, PARETO_LEAST_COLUMNS - 1);
    for (int r = 0; r < ROWS; r++)
        assert_string_equal(rows[r], ""); // too small: nothing rather than nonsense
    // One point, or all in one place, still has axes around it.
    const struct pareto one = {"share", "accuracy, %", points, 1};
    draw(true, &one, rows, COLUMNS);
    assert_true(row_of(rows, "B") > 0);
    const struct pareto none = {"share", "accuracy, %", points, 0};
    draw(true, &none, rows, COLUMNS);
    assert_int_equal(row_of(rows, "B"), -1);
}

// Wherever points are, nothing is written outside, and each mark or one that hides it is there.
static void test_many(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 200; round++) {
        struct pareto_point many[40];
        char rows[ROWS][COLUMNS * 8 + 1];
        int count = 1 + rand() % 40;
        for (int i = 0; i < count; i++)
            many[i] = (struct pareto_point){(char)('a' + rand() % 7), "0.123", rand() % 100 / (round % 2 ? 7.0 : 99.0),
                                            rand() % 101 / 100.0, rand() % 2, rand() % 9 == 0};
        const struct pareto pareto = {"ms", "accuracy", many, count};
        draw(round % 2, &pareto, rows, COLUMNS);
        int marks = 0;
        for (int r = 1; r < ROWS - 3; r++)
            for (const char *c = rows[r] + 6; strlen(rows[r]) > 6 && *c; c++)
                marks += (*c >= 'a' && *c <= 'g') || (*c >= 'A' && *c <= 'G');
        assert_true(marks >= 1 && marks <= count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ascii), cmocka_unit_test(test_unicode_and_small),
                                       cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
