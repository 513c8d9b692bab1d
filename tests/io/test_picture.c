// Decoding, against the pixels of Pillow (tests/fixtures/picture/make.py), and writing.
#include "engine/io/npy.h"
#include "engine/io/picture.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FOLDER "tests/fixtures/picture/"

static struct picture load(const char *path, int least_side)
{
    struct picture picture;
    struct error err;
    if (!picture_load(&picture, path, (struct picture_reading){.least_side = least_side}, NULL, &err))
        fail_msg("%s", err.text);
    return picture;
}

static void check_pixels(const struct picture *picture, const char *npy_path)
{
    struct npy npy;
    struct error err;
    if (!npy_open(&npy, npy_path, &err))
        fail_msg("%s", err.text);
    assert_int_equal(npy.type, NPY_U8);
    int64_t shape[3] = {picture->height, picture->width, picture->channels};
    if (npy.rank != 3 || memcmp(npy.shape, shape, sizeof shape) != 0)
        fail_msg("%s has another shape than %lld x %lld x %lld", npy_path, (long long)shape[0], (long long)shape[1],
                 (long long)shape[2]);
    for (size_t i = 0; i < npy.elements; i++)
        if (npy_value(&npy, i) != picture->pixels[i])
            fail_msg("%s: value %zu should be %g, is %d", npy_path, i, npy_value(&npy, i), picture->pixels[i]);
    npy_close(&npy);
}

// Grey, YCbCr in each subsampling, progressive, CMYK, eight orientations; every PNG depth and kind; WebP.
static void test_pixels_are_pillows(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob(FOLDER "*.*.npy", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 38);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char path[256];
        snprintf(path, sizeof path, "%.*s", (int)(strlen(found.gl_pathv[i]) - strlen(".npy")),
                 found.gl_pathv[i]);
        struct picture picture = load(path, 0);
        check_pixels(&picture, found.gl_pathv[i]);
        picture_free(&picture);
    }
    globfree(&found);
}

static void test_original_size_is_upright(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        char path[64];
        struct picture picture;
        struct picture_origin origin;
        snprintf(path, sizeof path, FOLDER "orientation%d.jpg", orientation);
        assert_true(picture_load(&picture, path, (struct picture_reading){0}, &origin, NULL));
        assert_int_equal(origin.width, orientation < 5 ? 19 : 12);
        assert_int_equal(origin.height, orientation < 5 ? 12 : 19);
        assert_int_equal(origin.orientation, orientation);
        assert_false(origin.as_stored);
        picture_free(&picture);
        // As the published models' own code reads it: EXIF is not looked at.
        assert_true(picture_load(&picture, path, (struct picture_reading){.as_stored = true}, &origin, NULL));
        assert_int_equal(picture.width, 19);
        assert_int_equal(picture.height, 12);
        assert_int_equal(origin.width, 19);
        assert_true(origin.as_stored);
        struct picture stored = picture, upright;
        assert_true(picture_load(&upright, path, (struct picture_reading){0}, NULL, NULL));
        if (orientation == 1)
            assert_memory_equal(stored.pixels, upright.pixels, 19 * 12 * 3);
        else if (orientation == 3) // turned by half
            for (int i = 0; i < 19 * 12; i++)
                assert_memory_equal(stored.pixels + 3 * i, upright.pixels + 3 * (19 * 12 - 1 - i), 3);
        picture_free(&stored);
        picture_free(&upright);
    }
}

// A smooth picture of any size, which survives JPEG nearly unchanged.
static struct picture make_slope(int width, int height, int channels)
{
    struct picture picture;
    assert_true(picture_alloc(&picture, width, height, channels, NULL));
    unsigned char *p = picture.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *p++ = (unsigned char)(40 + (c == 0 ? 170 * x / width : c == 1 ? 170 * y / height : 90));
    return picture;
}

static void check_near(const struct picture *a, const struct picture *b, int tolerance)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    size_t count = (size_t)a->width * (size_t)a->height * (size_t)a->channels;
    for (size_t i = 0; i < count; i++)
        if (abs(a->pixels[i] - b->pixels[i]) > tolerance)
            fail_msg("value %zu: %d and %d", i, a->pixels[i], b->pixels[i]);
}

static void test_large_jpeg_is_reduced_and_looks_the_same(void **state)
{
    (void)state;
    struct picture slope = make_slope(2600, 1700, 3), small;
    const char *path = scratch_path("large.jpg");
    assert_true(picture_save_jpeg(&slope, path, 95, NULL));
    struct picture_origin origin;
    assert_true(picture_load(&small, path, (struct picture_reading){.least_side = 192}, &origin, NULL));
    assert_int_equal(origin.width, 2600);
    assert_int_equal(origin.height, 1700);
    assert_true(origin.reduced);
    assert_true(small.height >= 192 && small.height < 1700 / 3);
    struct picture fit_large, fit_small;
    assert_true(picture_fit(&fit_large, &slope, 192, PICTURE_CROP, NULL));
    assert_true(picture_fit(&fit_small, &small, 192, PICTURE_CROP, NULL));
    check_near(&fit_large, &fit_small, 2);
    picture_free(&small);
    // Too little would be left: whole.
    small = load(path, 1600);
    assert_int_equal(small.width, 2600);
    picture_free(&small);
    picture_free(&fit_large);
    picture_free(&fit_small);
    picture_free(&slope);
}

static void test_small_jpeg_is_never_reduced(void **state)
{
    (void)state;
    struct picture picture = load(FOLDER "s420.jpg", 4);
    check_pixels(&picture, FOLDER "s420.jpg.npy");
    picture_free(&picture);
}

// What would take much memory as a whole is averaged over squares while it is read, edges and transparency included.
static void test_huge_png_is_reduced(void **state)
{
    (void)state;
    enum { WIDTH = 8191, HEIGHT = 2050, STEP = 4 };
    for (int channels = 3; channels <= 4; channels++) {
        struct picture huge, small;
        struct picture_origin origin;
        const char *path = scratch_path("huge.png");
        assert_true(picture_alloc(&huge, WIDTH, HEIGHT, channels, NULL));
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                unsigned char *p = huge.pixels + ((size_t)y * WIDTH + (size_t)x) * (size_t)channels;
                p[0] = (unsigned char)(x % STEP * 40);     // the mean over a square is 60
                p[1] = (unsigned char)(y / STEP % 200);    // the same in all of a square
                p[2] = (unsigned char)(x % 2 ? 200 : 100); // the odd ones are seen through
                if (channels == 4)
                    p[3] = x % 2 ? 0 : 255;
            }
        assert_true(picture_save_png(&huge, path, NULL));
        picture_free(&huge);
        assert_true(picture_load(&small, path, (struct picture_reading){.least_side = 512}, &origin, NULL));
        assert_int_equal(origin.width, WIDTH);
        assert_int_equal(origin.height, HEIGHT);
        assert_true(origin.reduced);
        assert_int_equal(small.width, (WIDTH + STEP - 1) / STEP);
        assert_int_equal(small.height, (HEIGHT + STEP - 1) / STEP);
        assert_int_equal(small.channels, channels);
        for (int y = 0; y < small.height; y++)
            for (int x = 0; x < small.width - 1; x++) { // the last square lacks a column
                const unsigned char *p = small.pixels + ((size_t)y * small.width + x) * (size_t)channels;
                bool right = p[0] == (channels == 4 ? 40 : 60) && p[1] == y % 200 &&
                             p[2] == (channels == 4 ? 100 : 150) && (channels == 3 || p[3] == 128);
                if (!right)
                    fail_msg("channels %d, pixel %d, %d: %d %d %d", channels, x, y, p[0], p[1], p[2]);
            }
        const unsigned char *last = small.pixels + (size_t)(small.width - 1) * (size_t)channels;
        assert_int_equal(last[0], 40); // of 0, 40 and 80, or of 0 and 80
        picture_free(&small);
        assert_true(picture_load(&small, path, (struct picture_reading){0}, &origin, NULL)); // nobody said that less would do
        assert_int_equal(small.width, WIDTH);
        assert_false(origin.reduced);
        picture_free(&small);
    }
}

static void test_very_wide(void **state)
{
    (void)state;
    struct picture wide = make_slope(20000, 3, 3), again;
    const char *jpeg = scratch_path("wide.jpg"), *png = scratch_path("wide.png");
    assert_true(picture_save_jpeg(&wide, jpeg, 95, NULL));
    assert_true(picture_save_png(&wide, png, NULL));
    again = load(png, 0);
    check_near(&wide, &again, 0);
    picture_free(&again);
    again = load(jpeg, 192);
    assert_int_equal(again.width, 20000);
    struct picture fit;
    assert_true(picture_fit(&fit, &again, 192, PICTURE_CROP, NULL));
    assert_int_equal(fit.width, 192);
    assert_int_equal(fit.height, 192);
    picture_free(&fit);
    picture_free(&again);
    picture_free(&wide);
}

// The same options as Pillow's give a file with the same pixels.
static void test_saved_jpeg_is_pillows(void **state)
{
    (void)state;
    struct picture source = load(FOLDER "source.png", 0);
    const char *path = scratch_path("saved.jpg");
    assert_true(picture_save_jpeg(&source, path, 83, NULL));
    struct picture saved = load(path, 0);
    check_pixels(&saved, FOLDER "s420.jpg.npy");
    picture_free(&saved);
    picture_free(&source);
}

static void test_saved_png_keeps_alpha(void **state)
{
    (void)state;
    struct picture source = load(FOLDER "rgba.png", 0);
    const char *png = scratch_path("alpha.png"), *jpeg = scratch_path("alpha.jpg");
    assert_true(picture_save_png(&source, png, NULL));
    struct picture saved = load(png, 0);
    check_pixels(&saved, FOLDER "rgba.png.npy");
    picture_free(&saved);
    assert_true(picture_save_jpeg(&source, jpeg, 95, NULL));
    saved = load(jpeg, 0);
    assert_int_equal(saved.channels, 3);
    picture_free(&saved);
    picture_free(&source);
}

// A full disk, played by a limit on the size of files: an error, the old file as it was, nothing left behind.
static void test_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    static const char old[] = "the old file";
    struct picture slope = make_slope(1500, 1500, 3);
    struct rlimit before, tight;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    for (int png = 0; png < 2; png++) {
        struct error err = {0};
        char text[sizeof old] = "";
        const char *path = scratch_write(png ? "full.png" : "full.jpg", old, sizeof old);
        tight = (struct rlimit){6000, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &tight);
        bool ok = png ? picture_save_png(&slope, path, &err) : picture_save_jpeg(&slope, path, 90, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_false(ok);
        assert_int_equal(err.code, ERROR_MACHINE);
        assert_non_null(strstr(err.text, path));
        FILE *stream = fopen(path, "rb");
        assert_int_equal(fread(text, 1, sizeof text, stream), sizeof old);
        fclose(stream);
        assert_string_equal(text, old);
    }
    glob_t found;
    assert_int_equal(glob(scratch_path("full.*.??????"), 0, NULL, &found), GLOB_NOMATCH);
    globfree(&found);
    picture_free(&slope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_are_pillows),
        cmocka_unit_test(test_original_size_is_upright),
        cmocka_unit_test(test_large_jpeg_is_reduced_and_looks_the_same),
        cmocka_unit_test(test_small_jpeg_is_never_reduced),
        cmocka_unit_test(test_huge_png_is_reduced),
        cmocka_unit_test(test_very_wide),
        cmocka_unit_test(test_saved_jpeg_is_pillows),
        cmocka_unit_test(test_saved_png_keeps_alpha),
        cmocka_unit_test(test_failed_save_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
