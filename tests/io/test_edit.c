// Changes to a picture, pixel by pixel.
#include "tests/support/cmocka_all.h"

#include "engine/io/edit.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 11, HEIGHT = 9 };

static struct picture make(int channels)
{
    struct picture picture;
    assert_true(picture_alloc(&picture, WIDTH, HEIGHT, channels, NULL));
    for (int i = 0; i < WIDTH * HEIGHT * channels; i++)
        picture.pixels[i] = (unsigned char)(i * 37 + i / 5);
    return picture;
}

static const unsigned char *at(const struct picture *picture, int x, int y)
{
    return picture->pixels + (y * picture->width + x) * picture->channels;
}

static bool inside(int x, int y, int x0, int y0, int x1, int y1)
{
    return x >= x0 && x < x1 && y >= y0 && y < y1;
}

static void test_blank(void **state)
{
    (void)state;
    for (int channels = 3; channels <= 4; channels++) {
        struct picture before = make(channels), after = make(channels);
        assert_true(
            edit_apply(&after, &(struct edit){EDIT_BLANK, 8, 2, 100, 3, 0, 0}, NULL)); // over the edge
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                const unsigned char *was = at(&before, x, y), *is = at(&after, x, y);
                bool blank = inside(x, y, 8, 2, WIDTH, 5);
                for (int c = 0; c < 3; c++)
                    assert_int_equal(is[c], blank ? 128 : was[c]);
                assert_true(channels == 3 || is[3] == was[3]); // alpha stays
            }
        picture_free(&before);
        picture_free(&after);
    }
}

static void test_mean(void **state)
{
    (void)state;
    struct picture before = make(3), after = make(3);
    int sum = 0, count = 0;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            if (!inside(x, y, 0, 0, 4, 4)) {
                sum += at(&before, x, y)[1];
                count++;
            }
    assert_true(edit_apply(&after, &(struct edit){EDIT_MEAN, -2, -2, 6, 6, 0, 0}, NULL));
    assert_int_equal(at(&after, 0, 0)[1], (sum + count / 2) / count);
    assert_int_equal(at(&after, 3, 3)[1], (sum + count / 2) / count);
    assert_memory_equal(at(&after, 4, 3), at(&before, 4, 3), 3);
    assert_true(
        edit_apply(&after, &(struct edit){EDIT_MEAN, 0, 0, WIDTH, HEIGHT, 0, 0}, NULL)); // nothing is left
    assert_int_equal(at(&after, 5, 5)[0], 128);
    picture_free(&before);
    picture_free(&after);
}

static int range_of(const struct picture *picture, int c, int x0, int y0, int x1, int y1)
{
    int low = 255, high = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            int value = at(picture, x, y)[c];
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    return high - low;
}

static void test_blur(void **state)
{
    (void)state;
    struct picture before = make(3), after = make(3);
    assert_true(edit_apply(&after, &(struct edit){EDIT_BLUR, 1, 1, 8, 6, 0, 0}, NULL));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            if (!inside(x, y, 1, 1, 9, 7))
                assert_memory_equal(at(&after, x, y), at(&before, x, y), 3);
    for (int c = 0; c < 3; c++)
        assert_true(range_of(&after, c, 1, 1, 9, 7) * 4 < range_of(&before, c, 1, 1, 9, 7));
    // One colour stays that colour, and what surrounds it does not bleed in.
    struct edit grey = {EDIT_BLANK, 2, 2, 5, 5, 0, 0}, smear = {EDIT_BLUR, 2, 2, 5, 5, 0, 0};
    assert_true(edit_apply(&after, &grey, NULL) && edit_apply(&after, &smear, NULL));
    assert_int_equal(range_of(&after, 0, 2, 2, 7, 7), 0);
    assert_int_equal(at(&after, 4, 4)[0], 128);
    assert_true(edit_apply(&after, &(struct edit){EDIT_BLUR, 10, 8, 1, 1, 0, 0}, NULL));
    assert_memory_equal(at(&after, 10, 8), at(&before, 10, 8), 3);
    picture_free(&before);
    picture_free(&after);
}

static void test_move(void **state)
{
    (void)state;
    struct picture before = make(3), after = make(3);
    assert_true(
        edit_apply(&after, &(struct edit){EDIT_MOVE, 2, 3, 4, 3, 2, -1}, NULL)); // onto a part of itself
    unsigned sum = 0, count = 0;
    for (int y = 1; y < 8; y++) // two pixels around it
        for (int x = 0; x < 8; x++)
            if (!inside(x, y, 2, 3, 6, 6)) {
                sum += at(&before, x, y)[2];
                count++;
            }
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            if (inside(x, y, 4, 2, 8, 5))
                assert_memory_equal(at(&after, x, y), at(&before, x - 2, y + 1), 3);
            else if (inside(x, y, 2, 3, 6, 6))
                assert_int_equal(at(&after, x, y)[2], (sum + count / 2) / count);
            else
                assert_memory_equal(at(&after, x, y), at(&before, x, y), 3);
        }
    // Out of the picture: only the hole is left; far away is not an overflow.
    assert_true(
        edit_apply(&after, &(struct edit){EDIT_MOVE, 0, 0, 2, 2, -EDIT_LIMIT + 1, EDIT_LIMIT - 1}, NULL));
    picture_free(&before);
    picture_free(&after);
}

static void test_refuses(void **state)
{
    (void)state;
    struct picture picture = make(3);
    struct error err = {0};
    assert_false(edit_apply(&picture, &(struct edit){EDIT_BLUR, WIDTH, 0, 5, 5, 0, 0}, &err));
    assert_int_equal(err.code, ERROR_INPUT);
    assert_non_null(strstr(err.text, "11 x 9 pixels"));
    picture_free(&picture);
    struct edit edit;
    static const char *const bad[] = {"",
                                      "1,2,3",
                                      "1,2,3,4,",
                                      "1,2,3,4:5",
                                      "1, 2,3,4",
                                      "a,2,3,4",
                                      "1,2,0,4",
                                      "1,2,3,-4",
                                      "1,2,3,4x",
                                      "1,2,3,99999999999999999999",
                                      "1,2,3,1048576",
                                      "+1,2,3,4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct error){0};
        assert_false(edit_parse(bad[i], EDIT_BLUR, &edit, &err));
        assert_int_equal(err.code, ERROR_USAGE);
    }
    assert_false(edit_parse("1,2,3,4", EDIT_MOVE, &edit, &err));
    assert_non_null(strstr(err.text, "X,Y,W,H:DX,DY"));
    assert_true(edit_parse("-1,2,3,4:5,-6", EDIT_MOVE, &edit, &err));
    assert_true(edit.x == -1 && edit.y == 2 && edit.width == 3 && edit.height == 4 && edit.dx == 5 &&
                edit.dy == -6);
    assert_false(edit_parse("1,2,3,4:5,6", EDIT_BLANK, &edit, &err));
    struct edit twice = edit_scale(&edit, 2.5);
    assert_true(twice.x == -3 && twice.y == 5 && twice.width == 8 && twice.height == 10 && twice.dx == 13);
    assert_int_equal(edit_scale(&(struct edit){.x = 1, .width = 1, .height = 1}, 0.1).width, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blank), cmocka_unit_test(test_mean),
                                       cmocka_unit_test(test_blur), cmocka_unit_test(test_move),
                                       cmocka_unit_test(test_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
