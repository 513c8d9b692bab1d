// Pillow's bicubic and the two published models' transforms, to the bit.
#include "engine/io/npy.h"
#include "engine/io/picture.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREPROC "tests/fixtures/preproc/"
#define FOLDER  "tests/fixtures/picture/"

static struct picture load(const char *path)
{
    struct picture picture;
    struct error err;
    if (!picture_load(&picture, path, (struct picture_reading){0}, NULL, &err))
        fail_msg("%s", err.text);
    return picture;
}

static struct npy open_array(const char *path, enum npy_type type)
{
    struct npy npy;
    struct error err;
    if (!npy_open(&npy, path, &err))
        fail_msg("%s", err.text);
    assert_int_equal(npy.type, type);
    return npy;
}

enum transform { METER, BLIP };

// Compares bits: what a published model saw is what this program sees.
static void check_transform(const char *name, enum transform transform)
{
    char picture_path[128], npy_path[128];
    float *out = malloc(3 * 64 * 64 * sizeof *out);
    snprintf(picture_path, sizeof picture_path, PREPROC "%s.png", name);
    snprintf(npy_path, sizeof npy_path, PREPROC "%s_%s64.npy", name, transform == METER ? "meter" : "blip");
    struct picture picture = load(picture_path), small;
    assert_true(picture_fit(&small, &picture, 64, transform == METER ? PICTURE_CROP : PICTURE_SQUASH, NULL));
    picture_normalize_clip(&small, out);
    struct npy npy = open_array(npy_path, NPY_F32);
    assert_int_equal(npy.elements, 3 * 64 * 64);
    if (memcmp(npy.data, out, 3 * 64 * 64 * sizeof *out) != 0)
        fail_msg("%s differs", npy_path);
    npy_close(&npy);
    picture_free(&picture);
    picture_free(&small);
    free(out);
}

static void test_meter(void **state)
{
    (void)state;
    static const char *const names[] = {"img0", "img1", "img2", "img3", "img4", "img5", "img6", "alpha"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_transform(names[i], METER);
}

static void test_blip(void **state)
{
    (void)state;
    static const char *const names[] = {"img0", "img1", "img2", "img3", "img4", "img5", "img6"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_transform(names[i], BLIP);
}

// Larger, smaller, one side unchanged, one pixel, the size it has; with alpha, which Pillow multiplies in
// first.
static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int width, height;
    } cases[] = {{"source", 97, 31}, {"source", 41, 5}, {"source", 7, 29}, {"source", 1, 1},
                 {"rgba", 9, 30},    {"rgba", 23, 40},  {"rgba", 60, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char from[128], path[128];
        snprintf(from, sizeof from, FOLDER "%s.png", cases[i].name);
        snprintf(path, sizeof path, FOLDER "%s_%dx%d.npy", cases[i].name, cases[i].width, cases[i].height);
        struct picture picture = load(from), resized;
        assert_true(picture_resize(&resized, &picture, cases[i].width, cases[i].height, NULL));
        struct npy npy = open_array(path, NPY_U8);
        size_t size = (size_t)resized.width * (size_t)resized.height * (size_t)resized.channels;
        assert_int_equal(npy.elements, size);
        assert_memory_equal(npy.data, resized.pixels, size);
        npy_close(&npy);
        picture_free(&picture);
        picture_free(&resized);
    }
}

static void test_same_size_is_a_copy(void **state)
{
    (void)state;
    struct picture picture = load(FOLDER "rgba.png"), resized;
    assert_true(picture_resize(&resized, &picture, picture.width, picture.height, NULL));
    assert_ptr_not_equal(picture.pixels, resized.pixels);
    assert_memory_equal(picture.pixels, resized.pixels, (size_t)(picture.width * picture.height * 4));
    picture_free(&picture);
    picture_free(&resized);
}

// Only the crop is computed: the whole would be 192 x 192,000,000 pixels.
static void test_extreme_shape(void **state)
{
    (void)state;
    struct picture line, fit;
    assert_true(picture_alloc(&line, 1, 1000000, 3, NULL));
    memset(line.pixels, 77, 3000000);
    assert_true(picture_fit(&fit, &line, 192, PICTURE_CROP, NULL));
    assert_int_equal(fit.width, 192);
    assert_int_equal(fit.height, 192);
    for (int i = 0; i < 192 * 192 * 3; i++)
        assert_int_equal(fit.pixels[i], 77);
    picture_free(&line);
    picture_free(&fit);
}

static void test_refuses_impossible_sizes(void **state)
{
    (void)state;
    struct picture picture = load(FOLDER "source.png"), out;
    static const int sizes[][2] = {{0, 5}, {5, 0}, {-1, 5}, {2147483647, 2147483647}, {2147483647, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct error err = {0};
        assert_false(picture_resize(&out, &picture, sizes[i][0], sizes[i][1], &err));
        assert_int_equal(err.code, ERROR_INPUT);
        assert_null(out.pixels);
    }
    static const struct picture_part parts[] = {{0, 0, 0, 5}, {0, 0, 5, 0}, {-1, 0, 5, 5}, {0, 18, 5, 5}, {2147483647, 0, 5, 5}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_false(picture_resize_part(&out, &picture, 20, 20, parts[i], NULL));
    assert_false(picture_fit(&out, &picture, 0, PICTURE_CROP, NULL));
    assert_false(picture_fit(&out, &picture, 2147483647, PICTURE_CROP, NULL));
    picture_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meter),         cmocka_unit_test(test_blip),
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_same_size_is_a_copy),
        cmocka_unit_test(test_extreme_shape), cmocka_unit_test(test_refuses_impossible_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
