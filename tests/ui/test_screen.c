// The whole screen on a made-up run, through a terminal emulator we did not write (libvterm), its pictures
// decoded by libsixel: scripted keys, then what stands where.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/sample_trace.h"
#include "tests/support/screen_test.h"
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct child {
    enum graphics graphics;
    enum theme_kind theme;
    int stages_per_poll;
    double seconds_per_stage;
    const char *note, *error, *suggestion;
    double least;
};

static int run_screen(void *context)
{
    const struct child *child = context;
    static struct fake_backend fake;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    fake_backend_init(&fake);
    options.graphics = child->graphics;
    options.theme = child->theme;
    fake.stages_per_poll = child->stages_per_poll;
    fake.seconds_per_stage = child->seconds_per_stage;
    if (child->note) {
        fake.new_note = true;
        snprintf(fake.note, sizeof fake.note, "%s", child->note);
        snprintf(fake.suggestion, sizeof fake.suggestion, "%s", child->suggestion ? child->suggestion : "");
        fake.least = child->least;
    }
    if (child->error)
        snprintf(fake.error, sizeof fake.error, "%s", child->error);
    bool fine = screen_run(&fake.backend, &options, &err);
    fake_backend_free(&fake);
    return fine ? 0 : (int)err.code;
}

static void start(int rows, int columns, bool sixel)
{
    static struct child child = {.graphics = GRAPHICS_AUTO, .theme = THEME_AUTO};
    screen_term_start_xterm(&term, rows, columns, sixel, run_screen, &child);
    assert_true(screen_term_wait(&term, "'red'")); // below the last stage: all are there
    screen_term_settle(&term, 150);
}

// Everything sent so far has been seen and drawn: keys are answered in their order.
static void synchronize(void)
{
    screen_term_type(&term, "m");
    expect("Mouse off");
    screen_term_type(&term, "m");
    expect("Mouse on.");
    screen_term_settle(&term, 100);
}

// Steps to "fusion 2", stage 8.
static void go_to_fusion_2(void)
{
    for (int i = 0; i < 7; i++)
        screen_term_type(&term, "l");
    expect("stage 8 of 13");
    screen_term_settle(&term, 100);
}

// ---- pictures
// -------------------------------------------------------------------------------------------------

// The picture's place on the plane: the painted rectangle that starts below the header at column 1.
struct place {
    int x, y, side;
};

static struct place find_picture(void)
{
    unsigned char rgb[3];
    struct place place = {.x = TERM_CELL_WIDTH};
    while (place.y < term.rows * TERM_CELL_HEIGHT && !screen_term_pixel(&term, place.x, place.y, rgb))
        place.y++;
    while (place.x + place.side < term.columns * TERM_CELL_WIDTH &&
           screen_term_pixel(&term, place.x + place.side, place.y, rgb))
        place.side++;
    return place;
}

// Mean colour of the inner part of a patch on the screen (borders and marks left out).
static void patch_on_screen(struct place place, int patch, double mean[3], bool corner)
{
    int size = place.side / SAMPLE_GRID, x0 = place.x + patch % SAMPLE_GRID * size,
        y0 = place.y + patch / SAMPLE_GRID * size, count = 0;
    int from = corner ? size / 6 : size / 4,
        to = corner ? size / 3 : size * 3 / 4; // crosses are in the middle
    mean[0] = mean[1] = mean[2] = 0;
    for (int y = from; y < to; y++)
        for (int x = from; x < to; x++) {
            unsigned char rgb[3];
            assert_true(screen_term_pixel(&term, x0 + x, y0 + y, rgb));
            count++;
            for (int i = 0; i < 3; i++)
                mean[i] += rgb[i];
        }
    for (int i = 0; i < 3; i++)
        mean[i] /= count;
}

static void patch_in_picture(const unsigned char *picture, int patch, double mean[3], bool corner)
{
    int size = SAMPLE_SIDE / SAMPLE_GRID, x0 = patch % SAMPLE_GRID * size, y0 = patch / SAMPLE_GRID * size,
        count = 0;
    int from = corner ? size / 6 : size / 4, to = corner ? size / 3 : size * 3 / 4;
    mean[0] = mean[1] = mean[2] = 0;
    for (int y = from; y < to; y++)
        for (int x = from; x < to; x++) {
            count++;
            for (int i = 0; i < 3; i++)
                mean[i] += picture[((y0 + y) * SAMPLE_SIDE + x0 + x) * 3 + i];
        }
    for (int i = 0; i < 3; i++)
        mean[i] /= count;
}

// Every patch that the trace calls alive shows the picture; every dropped one is far darker than it was.
static void check_picture(int stage)
{
    static unsigned char picture[SAMPLE_SIDE * SAMPLE_SIDE * 3];
    struct trace trace;
    struct place place = find_picture();
    sample_picture(picture);
    sample_trace(&trace, "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0,
                 SAMPLE_STAGES);
    assert_int_equal(place.side % SAMPLE_GRID, 0);
    assert_true(place.side >= 200);
    for (int patch = 0; patch < SAMPLE_GRID * SAMPLE_GRID; patch++) {
        const struct trace_tokens *tokens = &trace.stages[stage].tokens[0];
        bool alive = tokens->count == 0 || tokens->alive[patch + 1];
        double shown[3], real[3];
        patch_on_screen(place, patch, shown, !alive);
        patch_in_picture(picture, patch, real, !alive);
        for (int i = 0; i < 3; i++)
            if (alive && !(shown[i] > real[i] - 14 && shown[i] < real[i] + 14))
                fail_msg("patch %d channel %d: %.1f on the screen, %.1f in the picture", patch, i, shown[i],
                         real[i]);
        if (!alive)
            assert_true(shown[0] + shown[1] + shown[2] < 0.62 * (real[0] + real[1] + real[2]) + 24);
    }
    trace_free(&trace);
}

// No pixel inside the picture and the film strip is unpainted.
static void check_no_debris(void)
{
    struct place place = find_picture();
    unsigned char rgb[3];
    int row, column;
    for (int y = 0; y < place.side; y++)
        for (int x = 0; x < place.side; x++)
            assert_true(screen_term_pixel(&term, place.x + x, place.y + y, rgb));
    assert_true(screen_term_find(&term, "text 1", &row, &column) ||
                screen_term_find(&term, "txt1", &row, &column));
    for (int x = 0; x < 30; x++) // thumbnails stand right above their names
        for (int y = 1; y <= 2 * TERM_CELL_HEIGHT; y++)
            assert_true(
                screen_term_pixel(&term, column * TERM_CELL_WIDTH + x, row * TERM_CELL_HEIGHT - y, rgb));
}

static void check_sizes(int rows, int columns)
{
    start(rows, columns, true);
    check_no_debris();
    check_picture(0);
    go_to_fusion_2();
    check_no_debris();
    check_picture(7);
    screen_term_type(&term, "h");
    expect("stage 7 of 13");
    screen_term_settle(&term, 100);
    check_picture(6);
    // Whatever opens beside the picture leaves it alone.
    screen_term_type(&term, "?");
    expect("HELP");
    screen_term_type(&term, "\033");
    reject("HELP");
    screen_term_type(&term, "p");
    expect("learned-self");
    screen_term_type(&term, "\033");
    reject("learned-self");
    check_no_debris();
    check_picture(6);
    // Nothing of an image touches the last row: the terminal would scroll.
    unsigned char rgb[3];
    for (int x = 0; x < columns * TERM_CELL_WIDTH; x++)
        assert_false(screen_term_pixel(&term, x, rows * TERM_CELL_HEIGHT - TERM_CELL_HEIGHT, rgb));
    finish("q");
}

static void test_pictures_80x24(void **state)
{
    (void)state;
    check_sizes(24, 80);
}

static void test_pictures_100x30(void **state)
{
    (void)state;
    check_sizes(30, 100);
}

static void test_pictures_160x48(void **state)
{
    (void)state;
    check_sizes(48, 160);
}

// Text that turns up in other rows makes curses scroll a region, images and all, whatever idlok() says.
static void test_nothing_scrolls(void **state)
{
    (void)state;
    start(30, 100, true);
    go_to_fusion_2();
    screen_term_type(&term, "\t4ll\t");
    expect("WORD");
    for (int i = 0; i < 12; i++) {
        screen_term_type(&term, "?");
        expect("HELP");
        for (int k = 0; k < i; k++)
            screen_term_type(&term, k % 2 ? "k" : "jjj");
        screen_term_settle(&term, 20);
        check_no_debris();
        screen_term_type(&term, "?");
        reject("HELP");
    }
    check_no_debris();
    assert_false(term.scrolled);
    finish("q");
}

// A terminal that is not known to draw deltas rightly gets whole frames, and the same picture.
static void test_whole_frames(void **state)
{
    (void)state;
    static struct child child = {.graphics = GRAPHICS_AUTO};
    struct screen_term_options options = {
        .rows = 30, .columns = 100, .sixel = true, .version = "mlterm(3.9.0)"};
    screen_term_start(&term, &options, run_screen, &child);
    assert_true(screen_term_wait(&term, "'red'")); // below the last stage: all are there
    screen_term_settle(&term, 150);
    go_to_fusion_2();
    size_t before = term.image_bytes;
    screen_term_type(&term, "h");
    expect("stage 7 of 13");
    screen_term_settle(&term, 100);
    assert_true(term.image_bytes - before > 8000);
    check_picture(6);
    finish("q");
}

static void test_deltas_are_small(void **state)
{
    (void)state;
    start(30, 100, true);
    size_t whole = term.image_bytes;
    go_to_fusion_2();
    size_t before = term.image_bytes;
    int images = term.images;
    screen_term_type(&term, "l");
    expect("stage 9 of 13");
    screen_term_settle(&term, 100);
    assert_int_equal(term.images - images, 1); // the film strip did not change
    if (term.image_bytes - before >= whole / 3)
        fail_msg("%zu bytes for one step, %zu for the first screen", term.image_bytes - before, whole);
    finish("q");
}

// ---- words, heads, numbers
// ------------------------------------------------------------------------------------

static void test_words_are_struck(void **state)
{
    (void)state;
    int row, column;
    start(24, 80, false);
    assert_true(screen_term_find(&term, "what color is", &row, &column));
    assert_int_equal(screen_term_cell(&term, row, column).chars[1], 0);
    go_to_fusion_2();
    // libvterm keeps combining characters beside the letter: U+0336 strikes it through.
    VTermScreenCell what = screen_term_cell(&term, row, column),
                    color = screen_term_cell(&term, row, column + 5);
    assert_int_equal(what.chars[0], 'w');
    assert_int_equal(what.chars[1], 0x336);
    assert_int_equal(color.chars[0], 'c');
    assert_int_equal(color.chars[1], 0);
    assert_false(vterm_color_is_equal(&what.fg, &color.fg));
    assert_true(color.attrs.bold);
    finish("q");
}

static void test_heads_are_cells(void **state)
{
    (void)state;
    struct trace trace;
    int row, column;
    sample_trace(&trace, "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0,
                 SAMPLE_STAGES);
    start(30, 100, false);
    go_to_fusion_2();
    assert_true(screen_term_find(&term, "picture   self", &row, &column));
    for (int h = 0; h < SAMPLE_HEADS; h++) {
        bool on = trace.stages[7].heads[0][MODULE_MSA].on[h];
        assert_int_equal(screen_term_cell(&term, row, column + 15 + 2 * h).chars[0], on ? 0x25A0 : 0x25A1);
    }
    trace_free(&trace);
    finish("q");
}

static void test_cursor_shows_scores(void **state)
{
    (void)state;
    struct trace trace;
    char text[64];
    sample_trace(&trace, "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0,
                 SAMPLE_STAGES);
    start(30, 100, false);
    go_to_fusion_2();
    screen_term_type(&term, "\t");
    expect("PATCH row");
    for (int i = 0; i < 12; i++)
        screen_term_type(&term, "hk"); // to the upper left corner
    expect("PATCH row 1, column 1");
    expect("dropped in image 2");
    const struct trace_tokens *tokens = &trace.stages[5].tokens[0];
    snprintf(text, sizeof text, "self      %+.2f", (double)tokens->self_score[1]);
    expect(text);
    snprintf(text, sizeof text, "cross  %+.2f", (double)tokens->cross_score[1]);
    expect(text);
    snprintf(text, sizeof text, "keep  %.0f %%", 100 * (double)tokens->keep[1]);
    expect(text);
    screen_term_type(&term, "\t");
    expect("WORD 'apple'");
    screen_term_type(&term, "\t");
    expect("HEAD 1 of 4");
    reject("by hand");
    reject("a look-up");
    screen_term_type(&term, "x");
    expect("dropped by hand: not computed");
    screen_term_type(&term, "f");
    expect("live by hand");
    screen_term_type(&term, "\033");
    reject("HEAD 1 of 4");
    screen_term_type(&term, "0");
    expect("a look-up: no FLOPs"); // of the words, so that there is no share of it
    trace_free(&trace);
    finish("q");
}

static void click(int row, int column, int button)
{
    char text[32];
    snprintf(text, sizeof text, "\033[<%d;%d;%dM", button, column + 1, row + 1); // SGR mouse reports
    screen_term_type(&term, text);
    snprintf(text, sizeof text, "\033[<%d;%d;%dm", button, column + 1, row + 1);
    if (button < 64)
        screen_term_type(&term, text);
}

static void test_mouse(void **state)
{
    (void)state;
    int row, column;
    start(30, 100, true);
    assert_true(term.mouse);
    assert_true(screen_term_find(&term, "fus2", &row, &column));
    click(row, column, 0); // its name
    expect("stage 8 of 13");
    click(row - 2, column - 6, 0); // a thumbnail
    expect("stage 7 of 13");
    click(10, 50, 65); // wheel down
    expect("stage 8 of 13");
    click(10, 50, 64); // wheel up
    expect("stage 7 of 13");
    struct place place = find_picture();
    int patch = place.side / SAMPLE_GRID;
    click((place.y + 7 * patch / 2) / TERM_CELL_HEIGHT, (place.x + 11 * patch / 2) / TERM_CELL_WIDTH, 0);
    expect("PATCH row 4, column 6");
    assert_true(screen_term_find(&term, "apple", &row, &column));
    click(row, column + 2, 0);
    expect("WORD 'apple'");
    assert_true(screen_term_find(&term, "picture   self", &row, &column));
    click(row, column + 15 + 2 * 2, 0);
    expect("HEAD 3 of 4");
    click(29, 99, 0); // nothing there
    click(0, 0, 0);
    screen_term_type(&term, "m");
    expect("Mouse off");
    screen_term_settle(&term, 100);
    assert_false(term.mouse);
    finish("q");
}

static void test_forcing_changes_the_answer(void **state)
{
    (void)state;
    start(30, 100, false);
    go_to_fusion_2();
    screen_term_type(&term, "f");
    expect("Choose a patch, a word or a head first");
    screen_term_type(&term, "\tx");
    expect("forced to go: the answer stays 'red'");
    expect("1 change by hand");
    screen_term_type(&term, "f");
    expect("forced to stay");
    screen_term_type(&term, "uu");
    reject("by hand");
    screen_term_type(&term, "u");
    expect("There is nothing to undo.");
    finish("q");
}

static void test_asking(void **state)
{
    (void)state;
    start(24, 80, false);
    screen_term_type(&term, "awhe\t");
    expect("Question: where");
    screen_term_type(&term, " is the zzebra?\r");
    expect("does not know the word 'zzebra'.");
    reject("Question:");
    screen_term_type(&term, "a");
    expect("Question:");
    screen_term_type(&term, "\033[A"); // history
    expect("Question: where is the zzebra?");
    screen_term_type(&term, "\033");
    reject("Question:");
    expect("q quit");
    finish("q");
}

static void test_opening_says_what_is_wrong(void **state)
{
    (void)state;
    start(24, 80, false);
    screen_term_type(&term, "o/no/such/file.png\r");
    expect("/no/such/file.png: no such file");
    screen_term_type(&term, "l");
    reject("no such file");
    finish("q");
}

// What was probably meant is a Tab away, the question asked before an Up; a budget that cannot be kept is not tried.
static void test_offers(void **state)
{
    (void)state;
    static struct child child = {.graphics = GRAPHICS_AUTO,
                                 .note = "did you mean 'apple'?",
                                 .suggestion = "is the apple red?",
                                 .least = 0.2951};
    struct screen_term_options options = {.rows = 24, .columns = 80};
    screen_term_start(&term, &options, run_screen, &child);
    expect("did you mean 'apple'?");
    expect("a ask");
    expect("o open");
    screen_term_type(&term, "a");
    expect("Tab: is the apple red?");
    screen_term_type(&term, "\t");
    expect("Question: is the apple red?");
    screen_term_type(&term, "\r");
    reject("Question:");
    screen_term_type(&term, "a\033[A\033[A");
    expect("Question: what color is the apple");
    screen_term_type(&term, "\025is th");
    screen_term_type(&term, "\033");
    screen_term_type(&term, "b10\r");
    expect("spends 0.296 of the unpruned FLOPs at least");
    reject("budget 10 %");
    screen_term_type(&term, "b");
    expect("Budget on average, 0.296 to 1 ");
    screen_term_type(&term, "31\r");
    expect("budget 31 %");
    screen_term_type(&term, "[");
    expect("budget 30 %");
    screen_term_type(&term, "[");
    expect("spends 0.296 of the unpruned FLOPs at least");
    finish("q");
}

static void test_policy_and_budget(void **state)
{
    (void)state;
    start(24, 80, false);
    screen_term_type(&term, "p");
    expect("cross-attention");
    screen_term_type(&term, "jj\r");
    expect("policy learned-fixed");
    screen_term_type(&term, "b30\r");
    expect("budget 30 %");
    screen_term_type(&term, "]");
    expect("budget 35 %");
    screen_term_type(&term, "bnonsense\r");
    expect("not 'nonsense'");
    finish("q");
}

static void test_notes_and_errors(void **state)
{
    (void)state;
    static struct child child = {.graphics = GRAPHICS_AUTO,
                                 .note = "This picture is unlike the training world.",
                                 .error = "The model is away."};
    struct screen_term_options options = {.rows = 24, .columns = 80};
    screen_term_start(&term, &options, run_screen, &child);
    expect("The model is away.");
    screen_term_type(&term, "l");
    expect("This picture is unlike the training world.");
    finish("q");
}

// ---- sizes
// ----------------------------------------------------------------------------------------------------

// Keys typed before the screen is up are not lost, nor taken for answers of the terminal.
static void test_typed_ahead(void **state)
{
    (void)state;
    static struct child child = {.graphics = GRAPHICS_AUTO};
    screen_term_start_xterm(&term, 24, 80, true, run_screen, &child);
    screen_term_type(&term, "ll\033OC"); // the last is an arrow
    expect("stage 4 of 13");
    finish("q");
}

// A question of three rows in the least window: the scores give way to the story below them.
static void test_long_question_in_a_small_window(void **state)
{
    (void)state;
    int row, column;
    char text[400];
    start(24, 80, false);
    screen_term_type(&term, "awhat color is the apple that is left of the lemon and of the other lemon and not "
                            "above or below any of the large red things?\r");
    screen_term_type(&term, "$");
    expect("The answer is");
    screen_term_type(&term, "\t\t");
    expect("WORD '");
    expect("(limit ");
    assert_true(screen_term_find(&term, "The answer is", &row, &column));
    assert_int_equal(column, 1);
    screen_term_row(&term, row, text, sizeof text);
    assert_null(strstr(text, "margin"));
    screen_term_row(&term, row - 1, text, sizeof text);
    assert_non_null(strstr(text, "(limit "));
    finish("q");
}

static void test_too_small(void **state)
{
    (void)state;
    start(24, 80, true);
    screen_term_resize(&term, 23, 80);
    expect("trimscope needs 80 x 24 cells, please; this window has 80 x 23.");
    reject("QUESTION");
    screen_term_resize(&term, 5, 20);
    expect("this window has 20 x"); // all of it, in four rows
    screen_term_resize(&term, 1, 1);
    screen_term_settle(&term, 150);
    screen_term_resize(&term, 30, 100);
    expect("QUESTION");
    synchronize();
    check_no_debris();
    check_picture(0);
    finish("q");
}

static void test_resize_storm(void **state)
{
    (void)state;
    start(30, 100, true);
    for (int i = 0; i < 40; i++) {
        screen_term_resize(&term, 1 + i * 7 % 60, 1 + i * 31 % 200);
        screen_term_type(&term, i % 2 ? "l" : "\t");
        if (i % 5 == 0)
            screen_term_settle(&term, 10);
    }
    screen_term_resize(&term, 48, 160);
    screen_term_type(&term, "\033\0330");
    expect("stage 1 of 13");
    synchronize();
    check_no_debris();
    check_picture(0);
    finish("q");
}

// ---- other terminals
// ------------------------------------------------------------------------------------------

static void run_in(const struct screen_term_options *options, const struct child *child, const char *expected)
{
    screen_term_start(&term, options, run_screen, (void *)(uintptr_t)child);
    expect("stage 1 of 13");
    screen_term_settle(&term, 150);
    go_to_fusion_2();
    expect(expected);
    finish("q");
}

static void test_blocks(void **state)
{
    (void)state;
    static const struct child child = {.graphics = GRAPHICS_AUTO};
    struct screen_term_options options = {.rows = 24, .columns = 80, .version = "XTerm(379)"};
    run_in(&options, &child, "fusion 2");
    screen_term_start(&term, &options, run_screen, (void *)(uintptr_t)&child);
    expect("stage 1 of 13");
    screen_term_settle(&term, 150);
    assert_int_equal(term.images, 0);
    // The apple's middle, in its colour: 24-bit colour was sent.
    VTermScreenCell cell = screen_term_cell(&term, 1 + 62 * 14 / 192, 1 + 52 * 28 / 192);
    VTermColor color = cell.chars[0] == ' ' ? cell.bg : cell.fg;
    vterm_screen_convert_color_to_rgb(term.screen, &color);
    assert_true(color.rgb.red > 150 && color.rgb.green < 110 && color.rgb.blue < 110);
    finish("q");
}

static void test_ascii_without_colors(void **state)
{
    (void)state;
    static const struct child child = {.graphics = GRAPHICS_ASCII};
    struct screen_term_options options = {.rows = 24, .columns = 80, .no_color = true, .locale = "C"};
    screen_term_start(&term, &options, run_screen, (void *)(uintptr_t)&child);
    expect("stage 1 of 13");
    go_to_fusion_2();
    expect("w--- color i- t-- apple left o- the lemon"); // dropped words keep their place
    for (int row = 0; row < 24; row++)
        for (int column = 0; column < 80; column++) {
            VTermScreenCell cell = screen_term_cell(&term, row, column);
            assert_true(cell.chars[0] < 127);
            assert_true(VTERM_COLOR_IS_DEFAULT_FG(&cell.fg));
            assert_true(VTERM_COLOR_IS_DEFAULT_BG(&cell.bg));
        }
    finish("q");
}

static void test_eight_colors(void **state)
{
    (void)state;
    static const struct child child = {.graphics = GRAPHICS_AUTO};
    struct screen_term_options options = {.rows = 24, .columns = 80, .term = "xterm"};
    run_in(&options, &child, "fusion 2");
}

static void test_silent_terminal(void **state)
{
    (void)state;
    static const struct child child = {.graphics = GRAPHICS_AUTO};
    struct screen_term_options options = {.rows = 24, .columns = 80, .silent = true};
    run_in(&options, &child, "fusion 2");
}

// A line that takes a second for a frame: the next one waits for the answer, however many keys are pressed, and shows
// what all of them came to.
static void test_slow_line(void **state)
{
    (void)state;
    start(30, 100, true);
    term.hold = true;
    screen_term_type(&term, "l");
    screen_term_settle(&term, 1000);
    screen_term_release(&term);
    screen_term_type(&term, "l"); // this one is quick, which does not make the line a quick one
    screen_term_settle(&term, 200);
    int before = term.frames;
    term.hold = true;
    for (int i = 0; i < 4; i++) {
        screen_term_type(&term, "l");
        screen_term_settle(&term, 300);
    }
    assert_in_range(term.frames - before, 0, 1);
    screen_term_release(&term);
    expect("stage 7 of 13");
    assert_in_range(term.frames - before, 1, 3);
    screen_term_type(&term, "q");
    assert_int_equal(screen_term_finish(&term), 0);
    screen_term_free(&term);
}

static void test_slow_backend(void **state)
{
    (void)state;
    static const struct child child = {.graphics = GRAPHICS_AUTO, .stages_per_poll = 1};
    struct screen_term_options options = {
        .rows = 24, .columns = 80, .sixel = true, .version = "foot(1.13.1)"};
    run_in(&options, &child, "fusion 2");
}

// Keys work while the model computes; ^C stops it for good, stepping on goes on.
static void test_cancel(void **state)
{
    (void)state;
    static const struct child child = {
        .graphics = GRAPHICS_AUTO, .stages_per_poll = 1, .seconds_per_stage = 0.15};
    struct screen_term_options options = {.rows = 24, .columns = 80};
    screen_term_start(&term, &options, run_screen, (void *)(uintptr_t)&child);
    expect("stage 1 of 13");
    expect("^C stops it");
    screen_term_type(&term, "?");
    expect("HELP");
    screen_term_type(&term, "\033");
    screen_term_type(&term, "\003");
    expect("Stopped.");
    screen_term_settle(&term, 700);
    assert_true(screen_term_wait_gone(&term, " ans "));
    screen_term_type(&term, "$");
    expect("stage 13 of 13");
    finish("q");
}

// A message longer than a row goes on where the key hints are, until the next key.
static void test_long_message(void **state)
{
    (void)state;
    start_fake_screen(24, 80, true, NULL);
    expect("? help");
    screen_term_type(&term, ":policy of-a-name-that-is-too-long-to-be-told-in-one-row\r");
    expect("There is no policy");
    expect("lists them.");
    reject("? help");
    screen_term_type(&term, "l");
    expect("? help");
    reject("lists them.");
    finish("q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_pictures_80x24),
        cmocka_unit_test(test_pictures_100x30),
        cmocka_unit_test(test_pictures_160x48),
        cmocka_unit_test(test_nothing_scrolls),
        cmocka_unit_test(test_whole_frames),
        cmocka_unit_test(test_deltas_are_small),
        cmocka_unit_test(test_words_are_struck),
        cmocka_unit_test(test_heads_are_cells),
        cmocka_unit_test(test_cursor_shows_scores),
        cmocka_unit_test(test_mouse),
        cmocka_unit_test(test_forcing_changes_the_answer),
        cmocka_unit_test(test_asking),
        cmocka_unit_test(test_opening_says_what_is_wrong),
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_policy_and_budget),
        cmocka_unit_test(test_notes_and_errors),
        cmocka_unit_test(test_typed_ahead),
        cmocka_unit_test(test_long_question_in_a_small_window),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_resize_storm),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_ascii_without_colors),
        cmocka_unit_test(test_eight_colors),
        cmocka_unit_test(test_silent_terminal),
        cmocka_unit_test(test_slow_line),
        cmocka_unit_test(test_slow_backend),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
