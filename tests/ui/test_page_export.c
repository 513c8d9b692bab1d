// The export chooser on the screen, typed through a terminal.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/sample_trace.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_test.h"
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// E, `downs` rows down, Enter, this name instead of the suggested one, Enter.
static void type_export(int downs, const char *path)
{
    screen_term_type(&term, "E");
    expect("EXPORT");
    for (int i = 0; i < downs; i++)
        screen_term_type(&term, "j");
    screen_term_type(&term, "\r");
    expect("Write to (no ending: ");
    screen_term_type(&term, "\025"); // ^U
    screen_term_type(&term, path);
    screen_term_type(&term, "\r");
}

static void check_begins(const char *path, const char *begins)
{
    char bytes[64] = "";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_true(fread(bytes, 1, sizeof bytes - 1, file) > strlen(begins));
    assert_memory_equal(bytes, begins, strlen(begins));
    fclose(file);
}

static bool file_holds(const char *path, const char *wanted)
{
    static char text[1 << 22];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return strstr(text, wanted) != NULL;
}

// The frame is that of the page below the chooser, at the stage shown, with its picture.
static void test_frame(void **state)
{
    (void)state;
    const char *path = scratch_path("frame.svg");
    start_fake_screen(40, 120, true, NULL);
    for (int i = 0; i < 7; i++)
        screen_term_type(&term, "l");
    expect("stage 8 of 13");
    type_export(1, path);
    expect("Written to ");
    expect("stage 8 of 13"); // the page is back
    finish("q");
    check_begins(path, "<?xml");
    assert_true(file_holds(path, "stage 8 of 13"));
    assert_true(file_holds(path, "data:image/png;base64,"));
    assert_false(file_holds(path, "EXPORT"));
}

// Without sixel the file has the picture in pixels nevertheless, and the screen goes on in blocks.
static void test_frame_without_sixel(void **state)
{
    (void)state;
    const char *path = scratch_path("blocks.svg");
    start_fake_screen(40, 120, false, NULL);
    type_export(1, path);
    expect("Written to ");
    finish("q");
    assert_true(file_holds(path, "data:image/png;base64,"));
    assert_false(file_holds(path, "pixelated\""));
}

static void test_overwriting(void **state)
{
    (void)state;
    const char *path = scratch_write("there.json", "old", 3);
    struct stat status;
    start_fake_screen(40, 120, true, NULL);
    type_export(4, path);
    expect("there.json exists. Type yes");
    screen_term_type(&term, "no\r");
    expect("Nothing was written");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 3);
    screen_term_type(&term, "\r");
    expect("Write to (no ending: ");
    screen_term_type(&term, "\025");
    screen_term_type(&term, path);
    screen_term_type(&term, "\r");
    expect("exists. Type yes");
    screen_term_type(&term, "yes\r");
    expect("Written to ");
    finish("q");
    check_begins(path, "{ \"trimscope\": 1");
}

// A name without an ending gets that of the format; one that exists so is asked about.
static void test_no_ending(void **state)
{
    (void)state;
    char ending[4200];
    const char *path = scratch_path("nameless");
    snprintf(ending, sizeof ending, "%s.svg", path);
    start_fake_screen(40, 120, true, NULL);
    type_export(1, path);
    expect("nameless.svg (");
    check_begins(ending, "<?xml");
    type_export(1, path);
    expect("nameless.svg exists. Type yes");
    screen_term_type(&term, "no\r");
    expect("Nothing was written");
    screen_term_type(&term, "q");
    finish("q");
}

static void test_failure(void **state)
{
    (void)state;
    start_fake_screen(40, 120, true, NULL);
    type_export(3, "/nowhere/at/all.html");
    expect("cannot write /nowhere/at/all.html");
    finish("q");
}

// The screen goes on while the file is written; who quits meanwhile gets it whole.
static void test_quit_while_writing(void **state)
{
    (void)state;
    const char *path = scratch_path("quit.png");
    start_fake_screen(40, 120, true, NULL);
    type_export(0, path);
    finish("q");
    check_begins(path, "\x89PNG");
    static unsigned char bytes[1 << 22];
    FILE *file = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 1000 && !memcmp(bytes + size - 8, "IEND", 4));
}

// The ending typed decides, where what is exported can have that format.
static void test_ending(void **state)
{
    (void)state;
    const char *path = scratch_path("ending.ansi");
    start_fake_screen(40, 120, true, NULL);
    type_export(0, path);
    expect("Written to ");
    finish("q");
    check_begins(path, "\033[0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),   cmocka_unit_test(test_frame_without_sixel), cmocka_unit_test(test_overwriting),
        cmocka_unit_test(test_no_ending), cmocka_unit_test(test_failure), cmocka_unit_test(test_ending), cmocka_unit_test(test_quit_while_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
