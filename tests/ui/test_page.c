// Pages above the stepper, through a terminal emulator: they come and go without leaving anything behind, their keys
// are theirs, and the page of options changes the file and the screen.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_test.h"
#include "ui/config.h"
#include "ui/page.h"
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

// ---- a page of its own, with an image where the stepper has one too
// -----------------------------------------------------------------

struct probe {
    struct image image;
    struct palette palette;
    int ticks;
    char heard[40];
};

static int probe_images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct probe *probe = page->state;
    unsigned char colors[2][3] = {{200, 30, 40}, {0, 0, 0}};
    if (!canvas_resize(&probe->image.canvas, 10 * TERM_CELL_WIDTH, 5 * TERM_CELL_HEIGHT))
        return -1;
    canvas_fill(&probe->image.canvas, (struct area){0, 0, 10 * TERM_CELL_WIDTH, 5 * TERM_CELL_HEIGHT}, colors[0]);
    if (probe->palette.count == 0 &&
        !palette_make(&probe->palette, probe->image.canvas.rgb, 10, 5, (const unsigned char(*)[3])colors, 2, PALETTE_MOST))
        return -1;
    probe->image.cells = (struct rect){page->body.row + 2, page->body.column + 2, 5, 10};
    out[0] = (struct page_image){&probe->image, &probe->palette, 1};
    return 1;
}

static void probe_draw(struct page *page, const struct pane *pane)
{
    const struct probe *probe = page->state;
    draw_format(pane, STYLE_TEXT, page->body.row, page->body.column, 60, "A probe. Ticked %d times. Heard %s.",
                probe->ticks, probe->heard[0] ? probe->heard : "nothing");
}

static double probe_tick(struct page *page, double now)
{
    struct probe *probe = page->state;
    if (probe->ticks == 3)
        return 0;
    probe->ticks++;
    page_changed(page);
    return now + 0.01;
}

static bool probe_act(struct page *page, enum action action)
{
    struct probe *probe = page->state;
    struct backend_job job = {.kind = JOB_RUN};
    if (action == ACTION_VALUE_CHANGE)
        page_prompt(page, 2, "Say: ", "well ");
    else if (action == ACTION_VALUE_RESET && page_start_job(page, &job))
        snprintf(probe->heard, sizeof probe->heard, "no job yet");
    return action == ACTION_VALUE_CHANGE || action == ACTION_VALUE_RESET;
}

static void probe_typed(struct page *page, int which, const char *text)
{
    struct probe *probe = page->state;
    snprintf(probe->heard, sizeof probe->heard, "%d '%.20s'", which, text);
}

static void probe_job(struct page *page, struct backend_job_news *news)
{
    struct probe *probe = page->state;
    if (news->state == JOB_DONE)
        snprintf(probe->heard, sizeof probe->heard, "a run of %d stages", news->run.stage_count);
}

static void probe_close(struct page *page)
{
    image_free(&((struct probe *)page->state)->image);
}

static const struct page_kind probe_kind = {.id = PAGE_OPTIONS,
                                            .size = sizeof(struct probe),
                                            .close = probe_close,
                                            .draw = probe_draw,
                                            .images = probe_images,
                                            .tick = probe_tick,
                                            .act = probe_act,
                                            .typed = probe_typed,
                                            .job = probe_job};

// ---- the screen
// -----------------------------------------------------------------------------------------------

struct child {
    const struct page_kind *page;
    bool configured;
};

static int run_screen(void *context)
{
    const struct child *child = context;
    static struct fake_backend fake;
    static struct config config;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    fake_backend_init(&fake);
    options.page = child->page;
    if (child->configured) {
        config_load(&config);
        options.config = &config;
    }
    bool fine = screen_run(&fake.backend, &options, &err);
    fake_backend_free(&fake);
    return fine ? 0 : (int)err.code;
}

static void start(struct child *child, int rows, int columns, bool sixel)
{
    screen_term_start_xterm(&term, rows, columns, sixel, run_screen, child);
}

// How many pixels have been painted with something like the probe's red, inside and outside of its cells.
static void count_red(int *inside, int *outside)
{
    *inside = *outside = 0;
    for (int y = 0; y < term.rows * TERM_CELL_HEIGHT; y++)
        for (int x = 0; x < term.columns * TERM_CELL_WIDTH; x++) {
            unsigned char rgb[3];
            if (!screen_term_pixel(&term, x, y, rgb) || rgb[0] < 190 || rgb[0] > 210 || rgb[1] > 45 || rgb[2] > 55)
                continue;
            bool in = x >= 3 * TERM_CELL_WIDTH && x < 13 * TERM_CELL_WIDTH && y >= 3 * TERM_CELL_HEIGHT &&
                      y < 8 * TERM_CELL_HEIGHT;
            ++*(in ? inside : outside);
        }
}

static int painted_outside_probe(void)
{
    int painted = 0;
    unsigned char rgb[3];
    for (int y = 0; y < term.rows * TERM_CELL_HEIGHT; y++)
        for (int x = 0; x < term.columns * TERM_CELL_WIDTH; x++)
            if (screen_term_pixel(&term, x, y, rgb))
                painted += x < 3 * TERM_CELL_WIDTH || x >= 13 * TERM_CELL_WIDTH || y < 3 * TERM_CELL_HEIGHT ||
                           y >= 8 * TERM_CELL_HEIGHT;
    return painted;
}

static void test_images_come_and_go(void **state)
{
    (void)state;
    struct child child = {.page = &probe_kind};
    int inside, outside;
    start(&child, 40, 120, true);
    expect("Ticked 3 times");
    screen_term_settle(&term, 200);
    count_red(&inside, &outside);
    assert_int_equal(inside, 10 * TERM_CELL_WIDTH * 5 * TERM_CELL_HEIGHT);
    assert_int_equal(painted_outside_probe(), 0); // nothing of the stepper's pictures
    screen_term_type(&term, "q");                 // back, not out
    expect("stage 1 of 13");
    expect("'red'");
    screen_term_settle(&term, 200);
    count_red(&inside, &outside);
    int red_before = inside + outside;
    unsigned char rgb[3];
    for (int y = 0; y < 100; y++) // the picture stands where the probe's image was, whole
        for (int x = 0; x < 100; x++)
            assert_true(screen_term_pixel(&term, 4 * TERM_CELL_WIDTH + x, 4 * TERM_CELL_HEIGHT + y, rgb));
    assert_true(red_before < 10 * TERM_CELL_WIDTH * 5 * TERM_CELL_HEIGHT); // the apple's own red may be there
    assert_false(term.scrolled);
    finish("q");
}

static void test_help_covers_images_and_gives_them_back(void **state)
{
    (void)state;
    struct child child = {.page = &probe_kind};
    int inside, outside;
    start(&child, 40, 100, true);
    expect("Ticked 3 times");
    screen_term_type(&term, "?");
    expect("HELP");
    expect("back to the page before");
    assert_true(screen_term_wait_gone(&term, "play the stages")); // the stepper's keys are not explained here
    screen_term_settle(&term, 200);
    count_red(&inside, &outside);
    assert_int_equal(inside + outside, 0);
    screen_term_type(&term, "?");
    expect("A probe.");
    screen_term_settle(&term, 200);
    count_red(&inside, &outside);
    assert_int_equal(inside, 10 * TERM_CELL_WIDTH * 5 * TERM_CELL_HEIGHT);
    finish("qq");
}

static void test_prompts_and_jobs_of_a_page(void **state)
{
    (void)state;
    struct child child = {.page = &probe_kind};
    start(&child, 30, 100, false);
    expect("Ticked 3 times");
    screen_term_type(&term, "\r");
    expect("Say: well");
    screen_term_type(&term, "\005done\r"); // ^E: what is proposed is to be gone on with
    expect("Heard 2 'well done'");
    screen_term_type(&term, "d");
    expect("Heard a run of 13 stages.");
    finish("qq");
}

// ---- the page of options
// ------------------------------------------------------------------------------------------

static char *file_text(void)
{
    static char text[4000];
    char path[CONFIG_PATH];
    assert_true(config_find_path(path));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static void write_file(const char *text)
{
    char path[CONFIG_PATH];
    snprintf(path, sizeof path, "%s/trimscope", getenv("XDG_CONFIG_HOME"));
    mkdir(getenv("XDG_CONFIG_HOME"), 0700);
    mkdir(path, 0700);
    assert_true(config_find_path(path));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_options_are_changed_and_kept(void **state)
{
    (void)state;
    struct child child = {.configured = true};
    setenv("XDG_CONFIG_HOME", scratch_path("options"), 1);
    write_file("# mine\nthme = dark\nmouse = on # at home\n");
    start(&child, 40, 120, false);
    expect("'red'");
    screen_term_type(&term, "O");
    expect("CONFIGURATION");
    expect("1 fault in the file");
    expect("line 2: There is no option 'thme'; 'theme' is probably meant.");
    screen_term_type(&term, "jjj\r"); // from the fault to the mouse
    expect("Saved in ");
    assert_string_equal(file_text(), "# mine\nthme = dark\nmouse = off # at home\n");
    screen_term_type(&term, "j\r"); // a number is typed
    expect("Value: 0.8");
    screen_term_type(&term, "\x15" "99\r");
    expect("play-seconds is a number from 0.1 to 10; not '99'.");
    screen_term_type(&term, "\r\x15" "0.3\r");
    expect("Saved in ");
    assert_non_null(strstr(file_text(), "\nplay-seconds = 0.3\n"));
    screen_term_type(&term, "d"); // and back
    screen_term_type(&term, "q");
    expect("stage 1 of 13");
    assert_null(strstr(file_text(), "play-seconds"));
    finish("q");
}

// Another key for help: at once, in the footer, in the file, and after the next start.
static void test_keys_are_changed(void **state)
{
    (void)state;
    struct child child = {.configured = true};
    setenv("XDG_CONFIG_HOME", scratch_path("keys"), 1);
    write_file("key options = F7\n");
    start(&child, 40, 120, false);
    expect("'red'");
    screen_term_type(&term, "O");        // is nothing any more
    screen_term_type(&term, "\x1b[18~"); // F7
    expect("CONFIGURATION");
    screen_term_type(&term, "G");
    for (int i = 0; i < STYLE_COUNT + ACTIONS - 1 - ACTION_BACK; i++)
        screen_term_type(&term, "k"); // up from the last style to the action that goes back
    expect("back to the page before");
    screen_term_type(&term, "\r");
    expect("Press the key");
    screen_term_type(&term, "Z");
    expect("Saved in ");
    expect("Z back");
    assert_non_null(strstr(file_text(), "key back = Z\n"));
    screen_term_type(&term, "q"); // nothing on this page now
    screen_term_type(&term, "Z");
    expect("stage 1 of 13");
    finish("q");
}

// ---- the palette
// ----------------------------------------------------------------------------------------------

static void test_palette(void **state)
{
    (void)state;
    struct child child = {.configured = true};
    setenv("XDG_CONFIG_HOME", scratch_path("palette"), 1);
    start(&child, 40, 120, true);
    expect("'red'");
    screen_term_type(&term, ":");
    expect("COMMANDS");
    expect("previous stage");
    screen_term_type(&term, "lastst");
    expect("▸ last");
    screen_term_type(&term, "\r");
    expect("stage 13 of 13");
    assert_true(screen_term_wait_gone(&term, "COMMANDS"));
    screen_term_type(&term, "\x10" "budget 0.35\r"); // ^P, with what it would ask for
    expect("Budget 35 %");
    screen_term_type(&term, ":policy nonsense\r");
    expect("There is no policy 'nonsense'");
    screen_term_type(&term, ":budget 7000\r");
    expect("not '7000'");
    screen_term_type(&term, ":zzzz");
    expect("Nothing here is called like this.");
    screen_term_type(&term, "\r\x1b"); // Enter on nothing does nothing
    expect("stage 13 of 13");
    screen_term_type(&term, ":options\r");
    expect("CONFIGURATION");
    screen_term_type(&term, ":back\r");
    expect("stage 13 of 13");
    finish("q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images_come_and_go),
        cmocka_unit_test(test_help_covers_images_and_gives_them_back),
        cmocka_unit_test(test_prompts_and_jobs_of_a_page),
        cmocka_unit_test(test_options_are_changed_and_kept),
        cmocka_unit_test(test_keys_are_changed),
        cmocka_unit_test(test_palette),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
