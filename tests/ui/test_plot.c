// Plots in characters: where marks, bars and numbers stand.
#include "tests/support/cmocka_all.h"
#include "ui/plot.h"
#include "ui/redundancy_figure.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *text_at(const struct plot_sheet *sheet, int row, int column)
{
    return sheet->cells[row * sheet->columns + column].text;
}

static int find_in_column(const struct plot_sheet *sheet, int column, const char *text)
{
    for (int r = 0; r < sheet->rows; r++)
        if (!strcmp(text_at(sheet, r, column), text))
            return r;
    return -1;
}

static int find_column(const struct plot_sheet *sheet, int row, const char *text, int from)
{
    for (int c = from; c < sheet->columns; c++)
        if (!strcmp(text_at(sheet, row, c), text))
            return c;
    return -1;
}

static void test_places(void **state)
{
    (void)state;
    static const struct plot_point solid[] = {{0, 0, 0}, {1, 0.5F, 1}, {0.5F, NAN, NAN}, {NAN, NAN, NAN}};
    static const struct plot_point dotted[] = {{0.5F, NAN, NAN}, {0.5F, 0.25F, 0.75F}, {0, NAN, NAN}, {1, NAN, NAN}};
    static const char *const labels[] = {"a", "b", "c", "d"};
    struct plot plot = {"Title", labels, 4, {solid, dotted}, 0, 1};
    struct plot_sheet sheet;
    char row[61 * 8];
    enum { ROWS = 16, FIELD = ROWS - 5 };
    assert_true(plot_sheet_init(&sheet, ROWS, 60, true));
    plot_draw(&sheet, &plot, 0, 0, ROWS, 60);
    plot_row_text(&sheet, 0, row);
    assert_string_equal(row, "Title");
    int axis = FIELD + 1, at[4];
    for (int i = 0, from = 0; i < 4; i++, from = at[i - 1] + 1)
        assert_true((at[i] = find_column(&sheet, axis, "┴", from)) > from);
    assert_int_equal(find_in_column(&sheet, at[0], "●"), FIELD);        // 0 is the lowest row
    assert_int_equal(find_in_column(&sheet, at[1], "●"), 1);            // 1 the highest
    assert_int_equal(find_in_column(&sheet, at[2], "●"), 1 + FIELD / 2); // 0.5 in the middle
    assert_int_equal(find_in_column(&sheet, at[3], "●"), -1);           // unknown
    assert_int_equal(find_in_column(&sheet, at[1] + 1, "○"), 1 + FIELD / 2);
    for (int r = 2; r <= 1 + FIELD / 2; r++) // the bar below the mark, from 1 to 0.5
        assert_string_equal(text_at(&sheet, r, at[1]), "│");
    assert_string_not_equal(text_at(&sheet, 2 + FIELD / 2, at[1]), "│");
    assert_int_equal(find_in_column(&sheet, at[0], "│"), -1); // no spread, no bar
    plot_row_text(&sheet, axis + 1, row);
    assert_non_null(strstr(row, "a "));
    plot_row_text(&sheet, axis + 2, row);
    assert_non_null(strstr(row, "●─"));
    assert_non_null(strstr(row, ".00"));
    assert_non_null(strstr(row, "1.00"));
    assert_non_null(strstr(row, ".50"));
    plot_sheet_free(&sheet);
}

static void test_ascii_has_no_other_bytes(void **state)
{
    (void)state;
    static const struct plot_point points[] = {{0.1F, 0, 0.4F}, {0.9F, 0.3F, 1}};
    static const char *const labels[] = {"x", "y"};
    struct plot plot = {"T", labels, 2, {points, points}, -0.2F, 1};
    struct plot_sheet sheet;
    assert_true(plot_sheet_init(&sheet, 14, 30, false));
    plot_draw(&sheet, &plot, 0, 0, 14, 30);
    for (int i = 0; i < sheet.rows * sheet.columns; i++)
        for (const char *c = sheet.cells[i].text; *c; c++)
            assert_true(*c > 0 && *c < 127);
    assert_true(find_in_column(&sheet, find_column(&sheet, 14 - 4, "+", 7), "*") > 0);
    plot_sheet_free(&sheet);
}

// A figure of made-up numbers in every size: nothing is written beside the sheet (the sanitizers watch).
static void test_sizes(void **state)
{
    (void)state;
    struct redundancy_layer layers[3] = {{.name = "embed image", .kind = STAGE_EMBED, .layer = -1},
                                         {.name = "image 1", .kind = STAGE_IMAGE, .layer = 0},
                                         {.name = "fusion 1", .kind = STAGE_FUSION, .layer = 0}};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < REDUNDANCY_SERIES; k++)
            layers[i].of[k] = (struct redundancy_spread){i > 0 || k < 2, 0.2F * (float)i, -2, 0, 0.1F, 0.2F, 2};
    struct redundancy r = {7, 3, layers};
    const struct redundancy *lines[PLOT_LINES] = {&r, &r};
    for (int rows = 1; rows < 40; rows += 3)
        for (int columns = 1; columns < 130; columns += 7) {
            struct plot_sheet sheet;
            assert_true(plot_sheet_init(&sheet, rows, columns, columns % 2));
            redundancy_figure_draw(&sheet, lines, rows % 2 ? REDUNDANCY_PATCHES : REDUNDANCY_PATCH_HEADS, rows % 2 ? 4 : 2);
            plot_sheet_free(&sheet);
        }
    const struct redundancy *none[PLOT_LINES] = {NULL, NULL};
    struct plot_sheet sheet;
    char said[REDUNDANCY_SENTENCE] = "x";
    assert_true(plot_sheet_init(&sheet, 4, 4, true));
    redundancy_figure_draw(&sheet, none, REDUNDANCY_PATCHES, 4);
    redundancy_figure_say(none, said);
    assert_string_equal(said, "");
    plot_sheet_free(&sheet);
}

static void test_sentence_follows_the_numbers(void **state)
{
    (void)state;
    struct redundancy_layer layers[2] = {{.name = "a", .kind = STAGE_FUSION, .layer = 0},
                                         {.name = "b", .kind = STAGE_FUSION, .layer = 1}};
    struct redundancy r = {9, 2, layers};
    const struct redundancy *lines[PLOT_LINES] = {&r, NULL};
    char said[REDUNDANCY_SENTENCE];
    layers[0].of[REDUNDANCY_PATCHES] = (struct redundancy_spread){9, 0.3F, 0.2F, 0, 0, 0, 0.4F};
    layers[1].of[REDUNDANCY_PATCHES] = (struct redundancy_spread){9, 0.75F, 0.61F, 0, 0, 0, 0.83F};
    layers[0].of[REDUNDANCY_WORD_HEADS] = (struct redundancy_spread){9, 0.05F, 0, 0, 0, 0, 0};
    redundancy_figure_say(lines, said);
    assert_non_null(strstr(said, "Patches grow more alike with depth: 0.30 to 0.75."));
    assert_non_null(strstr(said, "between 0.61 and 0.83"));
    assert_non_null(strstr(said, "hardly alike (0.05 to 0.05)"));
    layers[1].of[REDUNDANCY_PATCHES].mean = 0.1F;
    layers[0].of[REDUNDANCY_WORD_HEADS].mean = 0.5F;
    redundancy_figure_say(lines, said);
    assert_non_null(strstr(said, "less alike"));
    assert_null(strstr(said, "hardly"));
}

static int use_locale(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C.UTF-8");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_ascii_has_no_other_bytes),
                                       cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_sentence_follows_the_numbers)};
    return cmocka_run_group_tests(tests, use_locale, NULL);
}
