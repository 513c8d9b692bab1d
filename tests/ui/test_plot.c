// Plots in characters: where marks, bars and numbers stand.
#include "tests/support/cmocka_all.h"
#include "ui/plot.h"
#include "ui/plot_paint.h"
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

// The dots of a cell, rows of two from above; 0: none.
static unsigned dots_at(const struct plot_sheet *sheet, int row, int column)
{
    const unsigned char *text = (const unsigned char *)text_at(sheet, row, column);
    return text[0] == 0xE2 && text[1] >= 0xA0 && text[1] <= 0xA3 ? (text[1] & 3U) << 6 | (text[2] & 0x3FU) : 0;
}

// The highest row of dots in a column of cells, counted in dots; -1: there are none.
static int highest_dot(const struct plot_sheet *sheet, int column)
{
    static const unsigned rows[4] = {0x09, 0x12, 0x24, 0xC0};
    for (int y = 0; y < 4 * sheet->rows; y++)
        if (dots_at(sheet, y / 4, column) & rows[y % 4])
            return y;
    return -1;
}

static int count_dots(const struct plot_sheet *sheet, int column)
{
    int count = 0;
    for (int r = 0; r < sheet->rows; r++)
        for (unsigned dots = dots_at(sheet, r, column); dots; dots &= dots - 1)
            count++;
    return count;
}

static void test_places(void **state)
{
    (void)state;
    static const struct plot_point solid[] = {{0, 0, 0}, {1, 0.5F, 1}, {0.5F, NAN, NAN}, {NAN, NAN, NAN}};
    static const struct plot_point dotted[] = {{0.5F, NAN, NAN}, {0.5F, 0.25F, 0.75F}, {0, NAN, NAN}, {1, NAN, NAN}};
    static const char *const labels[] = {"a", "b", "c", "d"};
    struct plot plot = {"Title", labels, 4, {solid, NULL}, 0, 1};
    struct plot_sheet sheet;
    char row[61 * 8];
    enum { ROWS = 16, FIELD = ROWS - 4 };
    assert_true(plot_sheet_init(&sheet, ROWS, 60, true));
    plot_draw(&sheet, &plot, 0, 0, ROWS, 60);
    plot_row_text(&sheet, 0, row);
    assert_string_equal(row, "Title");
    int axis = FIELD + 1, at[4];
    for (int i = 0, from = 0; i < 4; i++, from = at[i - 1] + 1)
        assert_true((at[i] = find_column(&sheet, axis, "┴", from)) > from);
    assert_true(highest_dot(&sheet, at[0]) / 4 >= FIELD - 1);        // 0 is the lowest row, and the line leaves it at once
    assert_int_equal(highest_dot(&sheet, at[1]) / 4, 1);             // 1 the highest
    int middle = highest_dot(&sheet, at[2]);
    assert_true(middle / 4 == FIELD / 2 || middle / 4 == 1 + FIELD / 2); // 0.5 between the middle rows
    assert_int_equal(highest_dot(&sheet, at[3]), -1);                // unknown
    assert_true(dots_at(&sheet, 1 + FIELD / 4, at[1]));              // the spread, from 1 to 0.5
    assert_false(dots_at(&sheet, 3 + FIELD / 2, at[1]));
    plot_row_text(&sheet, axis + 1, row);
    assert_non_null(strstr(row, "a "));
    plot_row_text(&sheet, axis + 2, row);
    assert_non_null(strstr(row, plot_mark(true, 0)));
    assert_non_null(strstr(row, ".00"));
    assert_non_null(strstr(row, "1.00"));
    assert_non_null(strstr(row, ".50"));
    int thick = count_dots(&sheet, at[0] + 4);
    plot_sheet_free(&sheet);
    plot.lines[0] = NULL; // the second line alone: thin, with gaps
    plot.lines[1] = dotted;
    assert_true(plot_sheet_init(&sheet, ROWS, 60, true));
    plot_draw(&sheet, &plot, 0, 0, ROWS, 60);
    assert_true(count_dots(&sheet, at[0] + 4) < thick);
    assert_true(count_dots(&sheet, at[1] + 1) > 8); // the spread stands beside the point
    plot_sheet_free(&sheet);
}

// A point is told to a quarter of a row, not to a row.
static void test_fine_places(void **state)
{
    (void)state;
    static const char *const labels[] = {"a"};
    int seen[5];
    for (int i = 0; i < 5; i++) {
        // FIELD rows of 0.1 each: a quarter is 0.025
        enum { ROWS = 15 };
        const struct plot_point point = {0.5F + 0.025F * (float)i, NAN, NAN};
        struct plot plot = {"T", labels, 1, {&point, NULL}, 0, 1};
        struct plot_sheet sheet;
        assert_true(plot_sheet_init(&sheet, ROWS, 30, true));
        plot_draw(&sheet, &plot, 0, 0, ROWS, 30);
        seen[i] = highest_dot(&sheet, find_column(&sheet, ROWS - 3, "┴", 7));
        plot_sheet_free(&sheet);
        assert_true(i == 0 || seen[i] == seen[i - 1] - 1);
    }
}

// Where pixels take the place of characters, the field is handed over and stays blank.
static void note_field(void *context, const struct plot_field *field)
{
    struct plot_field *noted = context;
    *noted = *field;
}

static void test_painted(void **state)
{
    (void)state;
    static const struct plot_point points[] = {{0.1F, 0, 0.4F}, {0.9F, 0.3F, 1}};
    static const char *const labels[] = {"x", "y"};
    struct plot plot = {"T", labels, 2, {points, NULL}, 0, 1};
    struct plot_sheet sheet;
    struct plot_field field = {0};
    assert_true(plot_sheet_init(&sheet, 14, 40, true));
    sheet.paint = note_field;
    sheet.context = &field;
    plot_draw(&sheet, &plot, 0, 0, 14, 40);
    assert_true(field.rows == 10 && field.columns == 34 && field.row == 1);
    for (int r = field.row; r < field.row + field.rows; r++)
        for (int c = field.column; c < field.column + field.columns; c++)
            assert_string_equal(text_at(&sheet, r, c), "");
    assert_true(plot_row(&field, 0.1F) > plot_row(&field, 0.9F));
    assert_string_equal(text_at(&sheet, field.row + field.rows, field.column + plot_point_column(&field, 1)), "┴");
    plot_sheet_free(&sheet);
}

// The pixels of a curve: its colour where the value is, the background elsewhere, and two lines that differ in stroke.
static void test_pixels(void **state)
{
    (void)state;
    static const struct plot_point flat[] = {{0.5F, NAN, NAN}, {0.5F, NAN, NAN}};
    static const char *const labels[] = {"x", "y"};
    enum { CELL_W = 10, CELL_H = 20, ROWS = 11, COLUMNS = 40 };
    struct theme theme = {.kind = THEME_DARK, .dark = true, .background = {10, 20, 30}, .ink = {200, 200, 200}};
    int covered[2] = {0, 0};
    for (int line = 0; line < 2; line++) {
        struct plot plot = {"T", labels, 2, {line == 0 ? flat : NULL, line == 1 ? flat : NULL}, 0, 1};
        const struct plot_field field = {.plot = &plot, .rows = ROWS, .columns = COLUMNS, .low = 0, .step = 0.2F};
        struct canvas canvas = {0};
        assert_true(canvas_resize(&canvas, COLUMNS * CELL_W, ROWS * CELL_H));
        plot_paint(&canvas, &field, CELL_W, CELL_H, &theme);
        int y = (int)((plot_row(&field, 0.5F) + 0.5F) * CELL_H), from = plot_point_column(&field, 0) * CELL_W + 20;
        for (int x = from; x < plot_point_column(&field, 1) * CELL_W; x++)
            covered[line] += canvas.rgb[(y * canvas.width + x) * 3 + 2] > 100 || canvas.rgb[(y * canvas.width + x) * 3] > 100;
        assert_int_equal(canvas.rgb[2], 30);
        canvas_free(&canvas);
    }
    assert_true(covered[0] > 150);
    assert_true(covered[1] > covered[0] / 4 && covered[1] < 3 * covered[0] / 4); // dashes
    static struct palette palette;
    assert_true(plot_paint_palette(&palette, &theme));
    assert_true(palette.count > 30);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_fine_places),
                                       cmocka_unit_test(test_painted), cmocka_unit_test(test_pixels),
                                       cmocka_unit_test(test_ascii_has_no_other_bytes),
                                       cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_sentence_follows_the_numbers)};
    return cmocka_run_group_tests(tests, use_locale, NULL);
}
