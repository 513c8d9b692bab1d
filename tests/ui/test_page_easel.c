// Composing a scene and editing a copy of the picture on the screen: each key and what it makes, and the files.
#include "tests/support/cmocka_all.h"
#include "tests/support/sample_trace.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_test.h"

#include "engine/world/picture_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void press(const char *keys, const char *then)
{
    screen_term_type(&term, keys);
    expect(then);
}

static struct world *world;
static struct compose_file file;

static void test_compose(void **state)
{
    (void)state;
    char keys[4200];
    const char *path = scratch_path("made.jpg");
    start_fake_screen(48, 160, true, "look 192 x 192 what is there?");
    int images = term.images;
    press("c", "red heart           60, 122  size 46");
    expect("3 objects on meadow");
    expect("what is over the heart");
    screen_term_settle(&term, 200);
    assert_true(term.images > images); // the picture stands
    expect("whole run"); // and no stage
    reject("this stage");
    press("l", "red heart           68, 122");
    press("LK", "red heart           69, 121");
    press("+", "size 50");
    press("uuuu", "red heart           60, 122  size 46");
    press("u", "nothing to undo");
    press("U", "red heart           68, 122");
    press("y", "orange heart");
    press("nred", "red apple"); // a colour alone: what comes in it
    press("x", "the world has nothing of this name");
    press("\025red b", "red book"); // found while it is typed
    press("\n", "red butterfly       96,  96  size 48");
    expect("4 objects");
    press("\tf", "airplane            60,  58  size 58"); // round to the first, which comes to the front
    press("x", "3 objects");
    press("b", "objects on blotches");
    press("awhat is there?\n", "what is there");
    press("z", "true answer: '");
    press("aIS there a HEART\n", "true answer: '"); // typed, and still a question of the world
    expect("patches kept");
    press("awhat is there?\n", "what is there");
    reject("true answer");
    press(":budget 0.4", "budget does not work on this page, but on: Stepper, Side by side"); // where it does
    screen_term_type(&term, "\033");
    reject("COMMANDS");
    press("q", "not saved");
    snprintf(keys, sizeof keys, "w\025%s\n", path); // ^U clears the line
    press(keys, "and its description beside it");
    struct error err = {0};
    if (!picture_file_load_scene(world, path, &file, &err))
        fail_msg("%s", err.text);
    assert_int_equal(file.scene.count, 3);
    assert_string_equal(compose_background_name(file.scene.background), "blotches");
    assert_int_equal(file.question_count, 1);
    press("xx", "1 object on");
    snprintf(keys, sizeof keys, "o%s\n", path);
    press(keys, "3 objects on blotches");
    press("o/no/such.json\n", "/no/such.json");
    press("q", "HEADS");
    finish("q");
}

static void test_edit(void **state)
{
    (void)state;
    char keys[4200];
    start_fake_screen(30, 100, false, "look 192 x 192 is it blue?");
    press("e", "ORIGINAL");
    expect("'red'");
    press("\t", "patches alive at the end"); // around what survives
    press("b", " at ");
    expect("$ trimscope edit --blank ");
    press("u", "0 changes");
    press("\n", "Save the copy first");
    screen_term_type(&term, "\033[<0;10;10M\033[<0;20;14m"); // drawn with the mouse, from patch to patch
    press("b", "64×48 at 16, 48 blanked");
    press("u", "0 changes");
    press("b", " at ");
    expect("1 change");
    expect("the answer stays");
    press("r", "2 changes");
    press("u", "1 change ");
    press("U", "2 changes");
    press("c", "Taken up");
    press("\033[C", "Enter put down");
    press("\n", "moved by +16, +0"); // one patch to the right
    press("u", "2 changes");
    press("u", "1 change ");
    press("ais it blue?\n", "is it blue");
    // The original is a file that does not exist here: nothing is written, and that is said.
    press("w", "sample-changed.png"); // without loss: asked from the file, the answer is that of the page
    snprintf(keys, sizeof keys, "\025%s\n", scratch_path("copy.jpg"));
    press(keys, "sample.png");
    assert_int_not_equal(access(scratch_path("copy.jpg"), F_OK), 0);
    press("q", "not saved");
    press("q", "HEADS");
    finish("q");
}

// In the least window, in characters: everything named is there.
static void test_small(void **state)
{
    (void)state;
    start_fake_screen(24, 80, false, "look 192 x 192 what is over the heart?");
    press("c", "red heart");
    expect("OBJECTS");
    expect("ANSWER");
    press("s", "the picture alone");
    press(",", "the picture alone");
    press("s", "patches alive after");
    finish("qq");
}

static int open_world(void **state)
{
    (void)state;
    world = world_open("assets", &WORLD_DEFAULT, NULL);
    return world ? 0 : -1;
}

static int close_world(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

// In the least window sentences are wrapped or shortened, not cut: no row beside the picture ends in an ellipsis.
static void check_whole(void)
{
    screen_term_settle(&term, 200);
    for (int row = 1; row < 22; row++) {
        char text[400];
        screen_term_row(&term, row, text, sizeof text);
        if (strstr(text, "…")) {
            screen_term_dump(&term);
            fail_msg("row %d is cut", row);
        }
    }
}

static void test_whole_in_the_least_window(void **state)
{
    (void)state;
    start_fake_screen(24, 80, true, NULL);
    press("c", "x, y size ");
    press("awhat is over the heart?\n", "is over");
    press("z", " is "); // right or wrong
    check_whole();
    press("q", "ALIVE");
    press("e", "ORIGINAL");
    press("b", "blanked");
    press("n", "filled with the mean");
    expect("changed: ");
    check_whole();
    finish("qqq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_compose), cmocka_unit_test(test_edit),
                                       cmocka_unit_test(test_small), cmocka_unit_test(test_whole_in_the_least_window)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
