// Pictures on their way to the terminal: the sixel writer against libsixel's decoder, the palette against a
// search of all its colours, block characters against what the terminal emulator shows.
#include "engine/base/random.h"
#include "tests/support/cmocka_all.h"
#include "ui/blocks.h"
#include "ui/image.h"
#include "ui/palette.h"
#include "ui/sixel.h"

#include <sixel.h>
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

static struct palette some_palette(struct random *random, int count)
{
    static unsigned char rgb[64 * 64 * 3];
    static const unsigned char fixed[2][3] = {{16, 16, 20}, {250, 250, 250}};
    struct palette palette;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (unsigned char)(random_bits(random) & 255);
    assert_true(palette_make(&palette, rgb, 64, 64, fixed, 2, count));
    return palette;
}

// Decodes one image; pixels that are not set have index 0 or 255, which are never used.
static unsigned char *decode(const struct bytes *bytes, int *width, int *height)
{
    unsigned char *indices, *palette;
    int colors;
    assert_false(bytes->failed);
    assert_false(SIXEL_FAILED(sixel_decode_raw((unsigned char *)bytes->data, (int)bytes->used, &indices,
                                               width, height, &palette, &colors, NULL)));
    free(palette);
    return indices;
}

static void test_sixel_whole(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1},   {1, 7},   {7, 1},     {3, 5},   {6, 6},
                                   {17, 13}, {64, 36}, {200, 121}, {999, 30}};
    struct random random;
    random_init(&random, 1, 0);
    struct palette palette = some_palette(&random, PALETTE_MOST);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int width = sizes[s][0], height = sizes[s][1], got_width, got_height;
        unsigned char *now = malloc((size_t)width * height);
        for (int i = 0; i < width * height; i++) // runs and noise
            now[i] = (unsigned char)(random_chance(&random, 0.3F) || i == 0
                                         ? random_below(&random, (uint32_t)palette.count)
                                         : now[i - 1]);
        struct bytes bytes = {0};
        assert_int_equal(sixel_write(&bytes, &palette, now, NULL, width, 0, width, height), width * height);
        unsigned char *got = decode(&bytes, &got_width, &got_height);
        assert_true(got_width >= width && got_height >= height);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                assert_int_equal(got[y * got_width + x], now[y * width + x] + 1);
        free(got);
        free(now);
        bytes_free(&bytes);
    }
}

static void test_sixel_delta_and_pieces(void **state)
{
    (void)state;
    enum { WIDTH = 240, HEIGHT = 97 };
    static unsigned char before[WIDTH * HEIGHT], now[WIDTH * HEIGHT];
    struct random random;
    random_init(&random, 2, 0);
    struct palette palette = some_palette(&random, 64);
    for (int round = 0; round < 20; round++) {
        int changed = 0, got_width, got_height;
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            before[i] = (unsigned char)random_below(&random, (uint32_t)palette.count);
            now[i] = before[i];
        }
        for (int i = 0; i < round * 50; i++)
            now[random_below(&random, WIDTH * HEIGHT)] =
                (unsigned char)random_below(&random, (uint32_t)palette.count);
        int left = round * 7, width = WIDTH - left - round;
        for (int y = 0; y < HEIGHT; y++)
            for (int x = left; x < left + width; x++)
                changed += now[y * WIDTH + x] != before[y * WIDTH + x];
        struct bytes bytes = {0};
        assert_int_equal(sixel_write(&bytes, &palette, now, before, WIDTH, left, width, HEIGHT), changed);
        assert_memory_equal(bytes.data, "\033P0;1q", 6); // P2 = 1: what is not set stays
        unsigned char *got = decode(&bytes, &got_width, &got_height);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < width; x++) {
                int at = y * WIDTH + left + x;
                int index = got[y * got_width + x];
                assert_int_equal(index == 255 ? 0 : index, now[at] == before[at] ? 0 : now[at] + 1);
            }
        free(got);
        bytes_free(&bytes);
    }
}

static int distance(const unsigned char *a, const unsigned char *b)
{
    int sum = 0;
    for (int i = 0; i < 3; i++)
        sum += abs(a[i] - b[i]);
    return sum;
}

static void test_palette(void **state)
{
    (void)state;
    enum { SIDE = 64 };
    static unsigned char rgb[SIDE * SIDE * 3], out[SIDE * SIDE];
    struct random random;
    random_init(&random, 3, 0);
    struct palette palette = some_palette(&random, PALETTE_MOST);
    assert_true(palette.count > 100 && palette.count <= PALETTE_MOST);
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (unsigned char)(random_bits(&random) & 255);
    memcpy(rgb, palette.rgb[0], 3);
    memcpy(rgb + 30, palette.rgb[1], 3);
    palette_map(&palette, rgb, SIDE, SIDE, out);
    assert_int_equal(out[0], 0); // fixed colours stay exact
    assert_int_equal(out[10], 1);
    double chosen = 0, best_sum = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        int best = 1000;
        for (int c = 0; c < palette.count; c++) {
            int d = distance(palette.rgb[c], rgb + i * 3);
            best = d < best ? d : best;
        }
        chosen += distance(palette.rgb[out[i]], rgb + i * 3);
        best_sum += best;
    }
    // The table's step and the dither cost something, but little.
    assert_true(chosen / (SIDE * SIDE) < best_sum / (SIDE * SIDE) + 14);
    // The dither depends on the place alone: the same picture gives the same pixels.
    static unsigned char again[SIDE * SIDE];
    palette_map(&palette, rgb, SIDE, SIDE, again);
    assert_memory_equal(out, again, sizeof out);
}

static void test_palette_of_one_color(void **state)
{
    (void)state;
    static unsigned char rgb[32 * 32 * 3];
    static const unsigned char fixed[1][3] = {{9, 9, 9}};
    struct palette palette;
    memset(rgb, 200, sizeof rgb);
    assert_true(palette_make(&palette, rgb, 32, 32, fixed, 1, PALETTE_MOST));
    unsigned char out[32 * 32];
    palette_map(&palette, rgb, 32, 32, out);
    assert_true(distance(palette.rgb[out[500]], rgb) < 24);
}

// ---- what changes little by little
// ------------------------------------------------------------------------------------------------

static void scribble(struct random *random, unsigned char *rgb, int width, int x, int y, int columns, int rows)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < columns * 3; i++)
            rgb[((y + r) * width + x) * 3 + i] = (unsigned char)(random_bits(random) & 255);
}

// Larger, smaller, the same size, the edges: what was not scaled again is as it would be.
static void test_scale_change(void **state)
{
    (void)state;
    enum { WIDTH = 40, HEIGHT = 30 };
    static const int sizes[][2] = {{40, 30}, {157, 119}, {150, 11}, {13, 97}, {7, 5}, {1, 1}, {40, 64}};
    unsigned char before[WIDTH * HEIGHT * 3], now[WIDTH * HEIGHT * 3];
    struct random random;
    random_init(&random, 6, 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct canvas canvas = {0}, whole = {0};
        assert_true(canvas_resize(&canvas, sizes[s][0], sizes[s][1]) && canvas_resize(&whole, sizes[s][0], sizes[s][1]));
        scribble(&random, now, WIDTH, 0, 0, WIDTH, HEIGHT);
        assert_true(canvas_scale(&canvas, now, WIDTH, HEIGHT));
        for (int round = 0; round < 60; round++) {
            int x = (int)random_below(&random, WIDTH), y = (int)random_below(&random, HEIGHT);
            int columns = (int)random_below(&random, (uint32_t)(WIDTH - x)) + (round > 0), rows = 1 + round % 5;
            memcpy(before, now, sizeof now);
            scribble(&random, now, WIDTH, x, y, columns, rows < HEIGHT - y ? rows : HEIGHT - y);
            assert_true(canvas_scale_change(&canvas, before, now, WIDTH, HEIGHT));
            assert_true(canvas_scale(&whole, now, WIDTH, HEIGHT));
            assert_memory_equal(canvas.rgb, whole.rgb, (size_t)whole.width * (size_t)whole.height * 3);
        }
        canvas_free(&canvas);
        canvas_free(&whole);
    }
}

// Frames in which little changes, with another palette and another size between them: what stands on the screen is each
// time what mapping the whole frame would give.
static void test_image_maps_what_changed(void **state)
{
    (void)state;
    struct terminal terminal = {.cell_width = 10, .cell_height = 20, .most_width = 1000, .most_height = 1000, .deltas = true};
    struct image image = {0};
    struct random random;
    random_init(&random, 7, 0);
    struct palette palettes[2] = {some_palette(&random, PALETTE_MOST), some_palette(&random, 20)};
    for (int round = 0; round < 120; round++) {
        int width = round / 40 == 1 ? 53 : 64, height = round / 40 == 1 ? 64 : 48, which = round / 10 % 2;
        unsigned char expected[64 * 64];
        bool fresh = round % 40 == 0;
        if (fresh)
            image_forget(&image);
        assert_true(canvas_resize(&image.canvas, width, height));
        int x = fresh ? 0 : (int)random_below(&random, (uint32_t)width), y = fresh ? 0 : (int)random_below(&random, (uint32_t)height);
        if (round % 7 != 6) // or nothing changes
            scribble(&random, image.canvas.rgb, width, x, y, width - x, fresh ? height : (height - y + 3) / 4);
        struct image_output output = {GRAPHICS_SIXEL, &terminal, &palettes[which], (unsigned)which + 1, true};
        struct bytes bytes = {0};
        image_write(&image, &output, &bytes);
        palette_map(&palettes[which], image.canvas.rgb, width, height, expected);
        assert_memory_equal(image.before, expected, (size_t)width * (size_t)height);
        bytes_free(&bytes);
    }
    image_free(&image);
}

// ---- blocks
// ---------------------------------------------------------------------------------------------------

// The two halves of each character that can be sent, as the fonts draw them (Unicode, Block Elements): bits
// as in blocks.h.
static int pattern_of(uint32_t character)
{
    static const struct {
        uint32_t character;
        int pattern;
    } all[] = {{0, 0},       {' ', 0},     {0x2598, 1},  {0x259D, 2},  {0x2580, 3}, {0x2596, 4},
               {0x258C, 5},  {0x259E, 6},  {0x259B, 7},  {0x2597, 8},  {0x259A, 9}, {0x2590, 10},
               {0x259C, 11}, {0x2584, 12}, {0x2599, 13}, {0x259F, 14}, {0x2588, 15}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].character == character)
            return all[i].pattern;
    fail_msg("U+%04X is no block", (unsigned)character);
    return 0;
}

static void test_blocks_show_the_picture(void **state)
{
    (void)state;
    enum { ROWS = 8, COLUMNS = 20 };
    static unsigned char rgb[ROWS * 2 * COLUMNS * 2 * 3];
    static struct block_cell cells[ROWS * COLUMNS], other[ROWS * COLUMNS];
    struct random random;
    random_init(&random, 4, 0);
    VTerm *vterm = vterm_new(ROWS + 4, COLUMNS + 10);
    vterm_set_utf8(vterm, 1);
    VTermScreen *screen = vterm_obtain_screen(vterm);
    vterm_screen_reset(screen, 1);
    for (int round = 0; round < 12; round++) {
        // Each cell has two colours in a random pattern: nothing is lost.
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < COLUMNS; c++) {
                unsigned char two[2][3];
                int pattern = (int)random_below(&random, 16);
                for (int i = 0; i < 6; i++)
                    two[i / 3][i % 3] = (unsigned char)(random_bits(&random) & 255);
                for (int i = 0; i < 4; i++)
                    memcpy(rgb + ((r * 2 + i / 2) * COLUMNS * 2 + c * 2 + i % 2) * 3, two[pattern >> i & 1],
                           3);
            }
        blocks_choose(rgb, ROWS, COLUMNS, cells);
        struct bytes bytes = {0};
        blocks_write(&bytes, cells, round % 2 ? other : NULL, ROWS, COLUMNS, 2, 5, BLOCKS_TRUE, false);
        vterm_input_write(vterm, bytes.data, bytes.used);
        bytes_free(&bytes);
        memcpy(other, cells, sizeof other);
        for (int r = 0; r < ROWS * 2; r++)
            for (int c = 0; c < COLUMNS * 2; c++) {
                VTermPos at = {2 + r / 2, 5 + c / 2};
                VTermScreenCell cell;
                vterm_screen_get_cell(screen, at, &cell);
                VTermColor color = pattern_of(cell.chars[0]) >> (r % 2 * 2 + c % 2) & 1 ? cell.fg : cell.bg;
                vterm_screen_convert_color_to_rgb(screen, &color);
                const unsigned char shown[3] = {color.rgb.red, color.rgb.green, color.rgb.blue};
                assert_true(distance(shown, rgb + (r * COLUMNS * 2 + c) * 3) <=
                            24); // nearly equal colours may merge
            }
    }
    vterm_free(vterm);
}

static void test_blocks_256(void **state)
{
    (void)state;
    VTerm *vterm = vterm_new(4, 4);
    VTermScreen *screen = vterm_obtain_screen(vterm);
    vterm_screen_reset(screen, 1);
    struct random random;
    random_init(&random, 5, 0);
    for (int round = 0; round < 300; round++) {
        unsigned char rgb[12];
        struct block_cell cell;
        for (int i = 0; i < 12; i++)
            rgb[i] = i < 3 ? (unsigned char)(random_bits(&random) & 255) : rgb[i - 3];
        blocks_choose(rgb, 1, 1, &cell);
        struct bytes bytes = {0};
        blocks_write(&bytes, &cell, NULL, 1, 1, 0, 0, BLOCKS_256, false);
        vterm_input_write(vterm, bytes.data, bytes.used);
        bytes_free(&bytes);
        VTermPos at = {0, 0};
        VTermScreenCell shown;
        vterm_screen_get_cell(screen, at, &shown);
        assert_true(VTERM_COLOR_IS_INDEXED(&shown.bg));
        int index = shown.bg.indexed.idx, chosen, best = 1000;
        // xterm's palette: a 6 x 6 x 6 cube and 24 greys.
        for (int i = 16; i < 256; i++) {
            static const unsigned char levels[6] = {0, 95, 135, 175, 215, 255};
            unsigned char color[3] = {(unsigned char)(8 + 10 * (i - 232)),
                                      (unsigned char)(8 + 10 * (i - 232)),
                                      (unsigned char)(8 + 10 * (i - 232))};
            if (i < 232)
                color[0] = levels[(i - 16) / 36], color[1] = levels[(i - 16) / 6 % 6],
                color[2] = levels[(i - 16) % 6];
            int d = distance(color, rgb);
            best = d < best ? d : best;
            if (i == index)
                chosen = d;
        }
        assert_true(index >= 16);
        assert_true(chosen <= best + 24);
    }
    vterm_free(vterm);
}

static void test_ascii_ramp(void **state)
{
    (void)state;
    unsigned char rgb[10 * 3];
    struct block_cell cells[10], light[10];
    for (int i = 0; i < 10; i++)
        memset(rgb + i * 3, i * 255 / 9, 3);
    blocks_choose_ascii(rgb, 1, 10, true, cells);
    blocks_choose_ascii(rgb, 1, 10, false, light);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(cells[i].pattern, " .:-=+*#%@"[i]);
        assert_int_equal(light[i].pattern, " .:-=+*#%@"[9 - i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sixel_whole),
        cmocka_unit_test(test_sixel_delta_and_pieces),
        cmocka_unit_test(test_palette),
        cmocka_unit_test(test_palette_of_one_color),
        cmocka_unit_test(test_scale_change),
        cmocka_unit_test(test_image_maps_what_changed),
        cmocka_unit_test(test_blocks_show_the_picture),
        cmocka_unit_test(test_blocks_256),
        cmocka_unit_test(test_ascii_ramp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
