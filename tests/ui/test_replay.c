// `trimscope replay`: a saved run on the screen, its picture found beside it.
#include "app/commands.h"
#include "app/screen_picture.h"
#include "app/screen_replay.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/sample_trace.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char trace_path[600], picture_path[600];

static void write_run(void)
{
    struct trace trace;
    sample_trace(&trace, "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0,
                 SAMPLE_STAGES);
    char *json = trace_to_json(&trace);
    snprintf(trace_path, sizeof trace_path, "%s", scratch_write("run.json", json, strlen(json)));
    free(json);
    trace_free(&trace);
    struct picture picture;
    assert_true(picture_alloc(&picture, SAMPLE_SIDE, SAMPLE_SIDE, 3, NULL));
    sample_picture(picture.pixels);
    snprintf(picture_path, sizeof picture_path, "%.*ssample.png",
             (int)(strrchr(trace_path, '/') - trace_path) + 1, trace_path);
    assert_true(picture_save_png(&picture, picture_path, NULL));
    picture_free(&picture);
}

static int run_replay(void *context)
{
    char *arguments[] = {(char[]){"replay"}, context, NULL};
    return cmd_replay(2, arguments);
}

static void test_replay(void **state)
{
    (void)state;
    struct screen_term term;
    unsigned char rgb[3];
    write_run();
    screen_term_start_xterm(&term, 30, 100, true, run_replay, trace_path);
    assert_true(screen_term_wait(&term, "A saved run"));
    assert_true(screen_term_wait(&term, "stage 1 of 13"));
    screen_term_settle(&term, 150);
    // The apple's middle is red.
    assert_true(screen_term_pixel(&term, 10 + 52 * 360 / 192, 20 + 62 * 360 / 192, rgb));
    assert_true(rgb[0] > 150 && rgb[1] < 90 && rgb[2] < 90);
    screen_term_type(&term, "a");
    assert_true(screen_term_wait(&term, "A saved run cannot do that"));
    screen_term_type(&term, "$");
    assert_true(screen_term_wait(&term, "stage 13 of 13"));
    assert_true(screen_term_wait(&term, "The answer is 'red'"));
    screen_term_type(&term, "q");
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    screen_term_free(&term);
}

static void test_missing_picture(void **state)
{
    (void)state;
    struct replay replay;
    write_run();
    unlink(picture_path);
    assert_true(replay_open(&replay, trace_path, NULL));
    assert_non_null(strstr(replay.note, "sample.png was not found: a grey board stands for it."));
    replay_close(&replay);
}

static void test_bad_traces(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[]", "{\"trimscope\": 1}", "{\"trimscope\": 99}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct replay replay;
        struct error err = {0};
        const char *path = scratch_write("bad.json", texts[i], strlen(texts[i]));
        assert_false(replay_open(&replay, path, &err));
        assert_int_equal(err.code, ERROR_INPUT);
        assert_non_null(strstr(err.text, "bad.json"));
    }
    struct replay replay;
    struct error err = {0};
    assert_false(replay_open(&replay, "/no/such/trace.json", &err));
    assert_non_null(strstr(err.text, "/no/such/trace.json"));
}

// The crop is what the model's own transform keeps: the middle, in the shape of the grid.
static void test_crop(void **state)
{
    (void)state;
    static const int sizes[][4] = {{300, 100, 12, 12}, {100, 300, 12, 12}, {64, 64, 4, 8},
                                   {1, 1, 12, 12},     {1, 2000, 3, 1},    {3000, 2000, 2, 2}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct picture picture;
        struct backend_picture crop;
        struct trace_picture shape = {.grid_rows = sizes[s][2], .grid_columns = sizes[s][3]};
        assert_true(picture_alloc(&picture, sizes[s][0], sizes[s][1], 4, NULL));
        for (int y = 0; y < picture.height; y++)
            for (int x = 0; x < picture.width; x++) {
                unsigned char *p = picture.pixels + ((size_t)y * picture.width + x) * 4;
                p[0] = (unsigned char)(x * 255 / picture.width),
                p[1] = (unsigned char)(y * 255 / picture.height);
            }
        assert_true(screen_picture_make(&crop, &picture, &shape, NULL));
        assert_true(crop.width >= 1 && crop.height >= 1 && crop.width * crop.height <= 2100 * 1100);
        int middle = crop.height / 2 * crop.width + crop.width / 2;
        if (crop.width > 10 && crop.height > 10) {
            assert_in_range(crop.rgb[middle * 3], 120, 135);
            assert_in_range(crop.rgb[middle * 3 + 1], 120, 135);
            double aspect = (double)crop.width / crop.height, wanted = (double)sizes[s][3] / sizes[s][2];
            assert_true(aspect > wanted * 0.97 && aspect < wanted * 1.03);
        }
        // What was cut off goes on where the crop ends: no further than the picture, and as much again at most.
        bool sides = (long)sizes[s][0] * sizes[s][2] > (long)sizes[s][1] * sizes[s][3];
        int across = crop.rim_sides ? crop.rim : crop.width, down = crop.rim_sides ? crop.height : crop.rim;
        const unsigned char *one = crop.rgb + (size_t)crop.width * (size_t)crop.height * 3,
                            *two = one + (size_t)across * (size_t)down * 3;
        if (sizes[s][0] == sizes[s][1] && sizes[s][2] == sizes[s][3])
            assert_int_equal(crop.rim, 0);
        if (crop.rim > 10) {
            int channel = sides ? 0 : 1, last = (across * down - 1) * 3, own = (crop.width * crop.height - 1) * 3;
            assert_int_equal(crop.rim_sides, sides);
            assert_true(crop.rim <= (sides ? crop.width : crop.height));
            assert_true(one[channel] < one[last + channel] && two[channel] < two[last + channel]);
            assert_true(abs(one[last + channel] - crop.rgb[channel]) < 12);
            assert_true(abs(two[channel] - crop.rgb[own + channel]) < 12);
        }
        // Squashed, the same size shows all of it.
        struct backend_picture all;
        shape.squashed = true;
        assert_true(screen_picture_make(&all, &picture, &shape, NULL));
        assert_true(all.width == crop.width && all.height == crop.height && all.rim == 0);
        if (all.width > 10 && all.height > 10) {
            assert_true(all.rgb[0] < 30 && all.rgb[1] < 30);
            assert_true(all.rgb[all.width * all.height * 3 - 3] > 225 && all.rgb[all.width * all.height * 3 - 2] > 225);
        }
        free(all.rgb);
        free(crop.rgb);
        picture_free(&picture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_missing_picture),
        cmocka_unit_test(test_bad_traces),
        cmocka_unit_test(test_crop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
