// The rows of a question set: sorted by each column, filtered; and what the figures count.
#include "tests/support/cmocka_all.h"

#include "ui/set_figures.h"
#include "ui/set_rows.h"
#include "ui/set_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6 };

#define T(text) (char[]){text}
static struct question questions[ROWS] = {
    {.pictures = {T("/a/dog.jpg")}, .text = T("is it red?"), .answer = T("yes"), .type = T("color")},
    {.pictures = {T("/a/cat.jpg")}, .text = T("how many?"), .answer = T("2"), .type = T("count")},
    {.pictures = {T("/b/cat.jpg")}, .text = T("a cat?"), .answer = T("yes"), .type = T("exist")},
    {.pictures = {T("ant.jpg")}, .text = T("how many?"), .answer = T("3"), .type = T("count")},
    {.pictures = {T("/z.jpg")}, .text = T("what?"), .answer = T("dog"), .type = T("")},
    {.pictures = {T("/z.jpg")}, .text = T("not asked yet"), .answer = T("dog"), .type = T("color")},
};
static struct evaluation evaluations[ROWS] = {
    {.done = true, .correct = true, .answer = "yes", .p = 0.9F, .share = 0.55, .ms = 3},
    {.done = true, .correct = false, .answer = "3", .p = 0.5F, .share = 0.3, .ms = 9},
    {.done = true, .correct = true, .answer = "yes", .p = 0.7F, .share = 0.9, .ms = 1},
    {.done = true, .correct = true, .answer = "3", .p = 0.6F, .share = 0.3, .ms = 2},
    {.done = true, .correct = false, .answer = "Doge", .share = 0.4, .ms = 8},
    {.done = false},
};
static int ids[ROWS] = {0, 1, 2, 3, 4, 5};

static struct results results_of_all(void)
{
    evaluations[4].p = NAN;
    return (struct results){.set = {questions, ROWS, ROWS}, .evaluations = evaluations, .ids = ids};
}

static void check_order(enum set_column column, bool descending, const int expected[5])
{
    struct results results = results_of_all();
    struct set_rows rows = {.column = column, .descending = descending};
    assert_true(set_rows_update(&rows, &results));
    assert_int_equal(rows.count, 5); // what has no answer yet is not shown
    assert_int_equal(rows.right, 3);
    for (int i = 0; i < 5; i++) {
        if (rows.order[i] != expected[i])
            fail_msg("column %d%s, row %d: %d, not %d", column, descending ? " descending" : "", i, rows.order[i],
                     expected[i]);
        assert_int_equal(set_rows_find(&rows, expected[i]), i);
    }
    assert_int_equal(set_rows_find(&rows, 5), -1);
    set_rows_free(&rows);
}

static void test_sorting(void **state)
{
    (void)state;
    static const struct {
        enum set_column column;
        int up[5], down[5];
    } orders[] = {
        {SET_ID, {0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}},
        {SET_PICTURE, {3, 1, 2, 0, 4}, {4, 0, 1, 2, 3}}, // by name without folder; equal ones in the set's order
        {SET_QUESTION, {2, 1, 3, 0, 4}, {4, 0, 1, 3, 2}},
        {SET_TYPE, {4, 0, 1, 3, 2}, {2, 1, 3, 0, 4}},
        {SET_TRUTH, {1, 3, 4, 0, 2}, {0, 2, 4, 3, 1}},
        {SET_ANSWER, {1, 3, 4, 0, 2}, {0, 2, 4, 1, 3}},
        {SET_OTHER, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}, // no other run: nothing tells them apart
        {SET_RIGHT, {1, 4, 0, 2, 3}, {0, 2, 3, 1, 4}},
        {SET_P, {1, 3, 2, 0, 4}, {4, 0, 2, 3, 1}},
        {SET_SHARE, {1, 3, 4, 0, 2}, {2, 0, 4, 1, 3}},
        {SET_MS, {2, 3, 0, 4, 1}, {1, 4, 0, 3, 2}},
    };
    assert_int_equal(sizeof orders / sizeof *orders, SET_COLUMN_COUNT);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        check_order(orders[i].column, false, orders[i].up);
        check_order(orders[i].column, true, orders[i].down);
    }
}

static int count_of(struct set_filter filter)
{
    struct results results = results_of_all();
    struct set_rows rows = {.filter = filter};
    assert_true(set_rows_update(&rows, &results));
    int count = rows.count;
    set_rows_free(&rows);
    return count;
}

static void test_filter(void **state)
{
    (void)state;
    assert_int_equal(count_of((struct set_filter){.text = "dog"}), 2);  // a picture; truth and answer
    assert_int_equal(count_of((struct set_filter){.text = "DOGE"}), 1); // whatever the case
    assert_int_equal(count_of((struct set_filter){.text = "/a/"}), 0);  // not in the folder
    assert_int_equal(count_of((struct set_filter){.type = "count"}), 2);
    assert_int_equal(count_of((struct set_filter){.type = "count", .right = SET_ONLY_WRONG}), 1);
    assert_int_equal(count_of((struct set_filter){.right = SET_ONLY_RIGHT}), 3);
    assert_int_equal(count_of((struct set_filter){.right = SET_ONLY_WRONG, .text = "many"}), 1);
    struct results results = results_of_all();
    int types[8];
    assert_int_equal(set_rows_types(&results, types, 8), 3);
    assert_true(types[0] == 0 && types[1] == 1 && types[2] == 2);
    assert_int_equal(set_rows_types(&results, types, 2), 2);
}

// Another run that answered three of these questions and one that is not asked here.
static struct results *other_run(void)
{
    static const struct {
        int id;
        bool correct;
        const char *answer;
    } rows[] = {{0, false, "no"}, {1, true, "2"}, {2, true, "yes"}, {7, true, "x"}};
    struct results *other = calloc(1, sizeof *other);
    int count = sizeof rows / sizeof *rows;
    assert_non_null(other);
    other->ids = calloc((size_t)count, sizeof *other->ids);
    other->evaluations = calloc((size_t)count, sizeof *other->evaluations);
    other->set.questions = calloc((size_t)count, sizeof *other->set.questions);
    other->set.count = other->set.capacity = count;
    for (int i = 0; i < count; i++) {
        other->ids[i] = rows[i].id;
        other->evaluations[i] = (struct evaluation){.done = true, .correct = rows[i].correct};
        strcpy(other->evaluations[i].answer, rows[i].answer);
    }
    return other;
}

static void check_side(struct set_rows *rows, enum set_side side, const char *expected)
{
    struct results results = results_of_all();
    char found[16] = "";
    rows->filter.side = side;
    assert_true(set_rows_update(rows, &results));
    for (int i = 0; i < rows->count; i++)
        snprintf(found + i, sizeof found - (size_t)i, "%d", rows->order[i]);
    assert_string_equal(found, expected);
}

static void test_another_run_beside(void **state)
{
    (void)state;
    struct results results = results_of_all();
    struct set_rows rows = {.column = SET_ID};
    struct error err = {0};
    assert_true(set_rows_put_beside(&rows, &results, other_run(), &err));
    assert_string_equal(set_rows_other(&rows, 1)->answer, "2");
    assert_null(set_rows_other(&rows, 3)); // it has not answered that
    struct set_pairs pairs = set_rows_count_pairs(&rows, &results);
    assert_true(pairs.all == 3 && pairs.both == 1 && pairs.only_this == 1 && pairs.only_other == 1 && pairs.neither == 0);
    check_side(&rows, SET_EITHER, "01234");
    check_side(&rows, SET_ONE_SIDE, "01");
    check_side(&rows, SET_THIS_SIDE, "0");
    check_side(&rows, SET_OTHER_SIDE, "1");
    check_side(&rows, SET_NO_SIDE, "");
    rows.column = SET_OTHER;
    check_side(&rows, SET_EITHER, "10234"); // "2" < "no" < "yes"; what has none comes last
    struct results *stranger = other_run();
    strcpy(stranger->header.set_digest, "another");
    assert_false(set_rows_put_beside(&rows, &results, stranger, &err));
    assert_non_null(strstr(err.text, "another question set"));
    assert_non_null(set_rows_other(&rows, 1)); // the one before stays
    assert_true(set_rows_put_beside(&rows, &results, NULL, &err));
    check_side(&rows, SET_EITHER, "01234");
    check_side(&rows, SET_ONE_SIDE, "");
    set_rows_free(&rows);
}

static void test_bins(void **state)
{
    (void)state;
    struct results results = results_of_all();
    int bins[3];
    double low, high;
    assert_int_equal(set_figures_bins(&results, bins, 3, &low, &high), 3);
    assert_true(low == 0.3 && high == 0.9);
    assert_true(bins[0] == 3 && bins[1] == 1 && bins[2] == 1); // 0.3 0.3 0.4, 0.55, and the highest in the last
    results.set.count = 1;
    assert_int_equal(set_figures_bins(&results, bins, 3, &low, &high), 1);
    assert_true(bins[0] + bins[1] + bins[2] == 1);
    results.set.count = 0;
    assert_int_equal(set_figures_bins(&results, bins, 3, &low, &high), 0);
}

static void test_bar(void **state)
{
    (void)state;
    static const char expected[] = "FFFFLLHHEE";
    static const char letters[] = "FLHE";
    for (int i = 0; i < 10; i++)
        assert_int_equal(letters[set_figures_cell((struct estimate){0.6, 0.4, 0.8}, i, 10)], expected[i]);
    // Without an interval the bar ends at the value; without a value there is none.
    assert_int_equal(set_figures_cell((struct estimate){0.6, (double)NAN, (double)NAN}, 5, 10), SET_CELL_FULL);
    assert_int_equal(set_figures_cell((struct estimate){0.6, (double)NAN, (double)NAN}, 6, 10), SET_CELL_EMPTY);
    assert_int_equal(set_figures_cell((struct estimate){(double)NAN, (double)NAN, (double)NAN}, 0, 10), SET_CELL_EMPTY);
}

static void test_scrolling(void **state)
{
    (void)state;
    struct set_table table = {.rect = {5, 1, 13, 78}}; // ten rows, between the titles and the row in full
    assert_int_equal(set_table_page(&table), 10);
    table.selected = 9999;
    set_table_scroll(&table, 1000);
    assert_true(table.selected == 999 && table.first == 990);
    table.selected = 992;
    set_table_scroll(&table, 1000);
    assert_int_equal(table.first, 990);
    table.selected = 100;
    set_table_scroll(&table, 1000);
    assert_int_equal(table.first, 100);
    set_table_scroll(&table, 3);
    assert_true(table.selected == 2 && table.first == 0);
    set_table_scroll(&table, 0);
    assert_true(table.selected == 0 && table.first == 0);
    int index;
    enum set_column title = SET_MS;
    table.first = 50;
    assert_true(set_table_hit(&table, 6, 30, &index, &title));
    assert_int_equal(index, 50);
    assert_false(set_table_hit(&table, 16, 30, &index, &title)); // the row in full
    assert_true(set_table_hit(&table, 5, 1, &index, &title));
    assert_true(index == -1 && title == SET_ID);
    assert_true(set_table_hit(&table, 5, 78, &index, &title));
    assert_int_equal(title, SET_MS);
    assert_false(set_table_hit(&table, 4, 30, &index, &title));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sorting), cmocka_unit_test(test_filter), cmocka_unit_test(test_another_run_beside),
                                       cmocka_unit_test(test_bins), cmocka_unit_test(test_bar),
                                       cmocka_unit_test(test_scrolling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
