#include "tests/support/cmocka_all.h"
#include "ui/layout.h"

#include <string.h>

static struct layout_request request(int rows, int columns, double aspect, int stages)
{
    return (struct layout_request){.rows = rows,
                                   .columns = columns,
                                   .cell_width = 10,
                                   .cell_height = 20,
                                   .aspect = aspect,
                                   .stages = stages,
                                   .head_rows = 2,
                                   .question_columns = 60};
}

// Every cell belongs to one rectangle at most, and all lie inside the terminal.
static void check(const struct layout_request *r)
{
    static unsigned char owner[300][400];
    struct layout layout;
    layout_compute(&layout, r);
    assert_int_equal(layout.too_small, r->rows < 24 || r->columns < 80);
    if (layout.too_small)
        return;
    const struct rect *rects[] = {&layout.header, &layout.picture, &layout.legend, &layout.words,
                                  &layout.heads,  &layout.cost,    &layout.answer, &layout.inspect,
                                  &layout.story,  &layout.strip,   &layout.note,   &layout.hints};
    memset(owner, 0, sizeof owner);
    for (size_t i = 0; i < sizeof rects / sizeof *rects; i++) {
        assert_true(rects[i]->rows >= 1 && rects[i]->columns >= 1);
        assert_true(rects[i]->row >= 0 && rects[i]->row + rects[i]->rows <= r->rows);
        assert_true(rects[i]->column >= 0 && rects[i]->column + rects[i]->columns <= r->columns);
        for (int row = 0; row < rects[i]->rows; row++)
            for (int column = 0; column < rects[i]->columns; column++)
                assert_int_equal(owner[rects[i]->row + row][rects[i]->column + column]++, 0);
    }
    // Images never reach the last row.
    assert_true(layout.picture.row + layout.picture.rows < r->rows);
    assert_true(layout.strip.row + layout.strip.rows < r->rows);
    // Whole thumbnails, at least one stage, never more than there are.
    assert_true(layout.strip_shown >= 1 && layout.strip_shown <= r->stages);
    assert_true(layout.strip_shown * layout.strip_column_width <= layout.strip.columns + 1);
    // A title and something below it.
    assert_true(layout.words.rows >= 2 && layout.heads.rows >= 2 && layout.cost.rows >= 3 &&
                layout.answer.rows >= 3);
}

static void test_every_size(void **state)
{
    (void)state;
    for (int rows = 1; rows < 120; rows++)
        for (int columns = 1; columns < 300; columns += columns < 100 ? 1 : 7) {
            struct layout_request one = request(rows, columns, 1, 13);
            check(&one);
        }
}

static void test_unusual_runs(void **state)
{
    (void)state;
    static const double aspects[] = {0.2, 1, 2, 5, 8};
    static const int stages[] = {1, 2, 5, 33, 90, 2000};
    for (size_t a = 0; a < sizeof aspects / sizeof *aspects; a++)
        for (size_t s = 0; s < sizeof stages / sizeof *stages; s++)
            for (int rows = 24; rows < 80; rows += 3)
                for (int heads = 1; heads <= 3; heads++) {
                    struct layout_request one = request(rows, 80 + rows * 2, aspects[a], stages[s]);
                    one.head_rows = heads;
                    one.question_columns = stages[s];
                    one.wider = rows % 2 ? 0.3 * heads : 0; // a border around the picture
                    one.higher = rows % 4 ? 0.24 : 0;
                    check(&one);
                }
}

static void test_picture_is_square_in_pixels(void **state)
{
    (void)state;
    static const int cells[][2] = {{10, 20}, {8, 16}, {9, 17}, {7, 15}, {12, 24}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        struct layout_request one = request(48, 160, 1, 13);
        struct layout layout;
        one.cell_width = cells[i][0];
        one.cell_height = cells[i][1];
        layout_compute(&layout, &one);
        int width = layout.picture.columns * one.cell_width, height = layout.picture.rows * one.cell_height;
        assert_true(width >= height && width < height + 2 * one.cell_width);
    }
}

// Two pictures beside each other are low: in a small terminal the answer goes below them, so that nothing is cut short.
static void test_two_pictures(void **state)
{
    (void)state;
    for (int columns = 80; columns < 85; columns++) {
        struct layout_request one = request(24, columns, 2, 16);
        struct layout layout;
        one.head_rows = 3;
        one.question_columns = 30;
        layout_compute(&layout, &one);
        assert_true(layout.heads.rows >= 4 && layout.answer.rows >= 4 && layout.inspect.rows >= 4);
        check(&one);
    }
}

// A border makes the picture's place wider where there is room, and what the model sees hardly smaller.
static void test_border(void **state)
{
    (void)state;
    for (int columns = 80; columns < 220; columns += 5)
        for (int rows = 24; rows < 60; rows += 4) {
            struct layout_request plain = request(rows, columns, 1, 13), wide = plain, high = plain;
            struct layout without, with, above;
            wide.wider = 0.5;
            high.higher = 0.24;
            layout_compute(&without, &plain);
            layout_compute(&with, &wide);
            layout_compute(&above, &high);
            assert_true(with.picture.columns >= without.picture.columns);
            assert_true(with.picture.columns <= without.picture.columns * 3 / 2 + 2);
            assert_int_equal(with.picture.rows, without.picture.rows);
            assert_true(with.words.columns >= 46);
            assert_true(above.picture.columns <= without.picture.columns);
            if (columns >= 160 && rows < 40)
                assert_true(with.picture.columns > without.picture.columns + 4);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_unusual_runs),
        cmocka_unit_test(test_border),
        cmocka_unit_test(test_two_pictures),
        cmocka_unit_test(test_picture_is_square_in_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
