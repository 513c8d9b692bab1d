// A model that compares two pictures, on the screen of a terminal and line by line: both are there, and the cursor, `o`,
// Why and the comparison know them apart.
#include "tests/support/cmocka_all.h"

#include "app/scenes.h"
#include "app/session.h"
#include "engine/io/picture.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_test.h"
#include "tests/support/tiny.h"
#include "ui/plain.h"
#include "ui/screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *model_path, *single_path, *paths[4];

static int make_files(void **state)
{
    (void)state;
    static const char *const names[4] = {"left.png", "right.png", "third.png", "fourth.png"};
    struct tiny_options tiny = tiny_everything();
    single_path = tiny_write("single.safetensors", &tiny);
    tiny.task = TASK_NLVR2;
    model_path = tiny_write("pair.safetensors", &tiny);
    for (int i = 0; i < 4; i++) {
        struct picture picture = tiny_picture((uint64_t)i);
        paths[i] = scratch_path(names[i]);
        assert_true(picture_save_png(&picture, paths[i], NULL));
        picture_free(&picture);
    }
    return 0;
}

struct child {
    const char *model, *second;
};

static struct session *open_session(const struct child *child)
{
    struct error err = {0};
    struct session_options options = {.model = child->model, .pictures = {paths[0], child->second},
                                      .question = tiny_questions[1], .policy = POLICY_LEARNED, .budget = (double)NAN,
                                      .threads = 1};
    return session_new(&options, &err);
}

static int run_screen(void *context)
{
    struct error err = {0};
    struct screen_options options = screen_options_default();
    options.graphics = GRAPHICS_BLOCKS;
    struct session *session = open_session(context);
    struct backend backend = session_backend(session);
    bool fine = screen_run(&backend, &options, &err);
    session_free(session);
    return fine ? 0 : 1;
}

static void start(int rows, int columns, const char *model, const char *second)
{
    static struct child child;
    child = (struct child){model, second};
    screen_term_start_xterm(&term, rows, columns, false, run_screen, &child);
}

// Text 1 + 2, two pictures of 1 + 2, three fusion layers and the answer.
static void test_cursor_and_why(void **state)
{
    (void)state;
    start(48, 160, model_path, paths[1]);
    expect("stage 1 of 13");
    screen_term_type(&term, "G");
    expect("stage 13 of 13");
    screen_term_type(&term, "\t");
    for (int i = 0; i < 6; i++)
        screen_term_type(&term, "hk");
    expect("row 1, column 1 of picture 1");
    for (int i = 0; i < 6; i++)
        screen_term_type(&term, "l");
    expect("row 1, column 1 of picture 2"); // over the edge
    screen_term_type(&term, "h");
    expect("row 1, column 6 of picture 1");
    screen_term_type(&term, "lw");
    expect("the patch in row 1, column 1 of picture 2");
    finish("qq");
}

static void test_opening(void **state)
{
    (void)state;
    char typed[512];
    start(30, 100, model_path, NULL);
    expect("stage 1 of 13");
    expect("This model compares two pictures; one was named");
    screen_term_type(&term, "o");
    expect("Picture 1 of 2: ");
    snprintf(typed, sizeof typed, "\x15%s\r", paths[2]);
    screen_term_type(&term, typed);
    expect("Picture 2 of 2: "); // the other one follows
    snprintf(typed, sizeof typed, "\x15%s\r", paths[3]);
    screen_term_type(&term, typed);
    expect("third.png");
    expect("fourth.png");
    screen_term_type(&term, "\t");
    for (int i = 0; i < 12; i++)
        screen_term_type(&term, "l");
    screen_term_type(&term, "o"); // the cursor is on the second
    expect("Picture 2 of 2: ");
    snprintf(typed, sizeof typed, "\x15%s\r", paths[1]);
    screen_term_type(&term, typed);
    expect("right.png");
    reject("Picture 1 of 2: ");
    finish("q");
}

// A bundled pair brings its statement when both halves are there, and its others are proposed.
static void test_bundled_pair(void **state)
{
    (void)state;
    static char unknown[64];
    start(48, 160, model_path, paths[1]);
    expect("stage 1 of 13");
    screen_term_type(&term, "o");
    expect("Picture 1 of 2: ");
    screen_term_type(&term, "\x15" "assets/pictures/pair1-left.jpg\r");
    expect("Picture 2 of 2: ");
    screen_term_type(&term, "\x15" "assets/pictures/pair1-right.jpg\r");
    expect("each picture shows a heart");
    expect("goes with this pair");
    screen_term_type(&term, "G");
    expect("stage 13 of 13");
    screen_term_type(&term, "v");
    expect("another question");
    screen_term_type(&term, "question\r");
    expect("Question: neither image has a heart in it");
    screen_term_type(&term, "\x1b");
    expect("Esc back"); // the prompt is closed, the list of what to compare with is not
    screen_term_type(&term, "\x1b");
    expect("lessons");
    finish("q");

    struct child child = {model_path, paths[1]};
    struct session *session = open_session(&child);
    struct backend backend = session_backend(session);
    struct trace trace = {.picture_count = 2};
    trace.pictures[0].path = (char *)(size_t)"pair2-left.jpg";
    assert_false(backend.known_question(backend.context, &trace, 0, unknown, sizeof unknown)); // the other one is not known
    trace.pictures[1].path = (char *)(size_t)"pair1-right.jpg";
    assert_false(backend.known_question(backend.context, &trace, 0, unknown, sizeof unknown)); // nor are they a pair
    session_free(session);
}

static void test_comparing(void **state)
{
    (void)state;
    start(48, 160, model_path, paths[1]);
    expect("stage 1 of 13");
    screen_term_type(&term, "G");
    expect("stage 13 of 13");
    screen_term_type(&term, "v");
    expect("another policy");
    screen_term_type(&term, "no pruning\r");
    expect("[B]");
    screen_term_type(&term, "\t");
    for (int i = 0; i < 12; i++)
        screen_term_type(&term, "l");
    expect("of picture 2");
    finish("qq");
}

static void test_one_picture_only(void **state)
{
    (void)state;
    start(24, 80, single_path, paths[1]);
    expect("stage 1 of 10");
    expect("This model looks at one picture");
    finish("q");
}

static void test_plain(void **state)
{
    (void)state;
    static char text[1 << 16];
    char commands[512];
    struct child child = {model_path, paths[1]};
    struct error err = {0};
    struct session *session = open_session(&child);
    struct backend backend = session_backend(session);
    snprintf(commands, sizeof commands, "last\nwhy 2 3 4\nwhy 3 4\nopen 2 %s\ninput\nquit\n", paths[3]);
    FILE *in = fmemopen(commands, strlen(commands), "r"), *out = fmemopen(text, sizeof text, "w");
    assert_true(plain_run(&backend, in, out, false, &err));
    fclose(in);
    fclose(out);
    session_free(session);
    const char *second = strstr(text, "row 3, column 4 of picture 2");
    assert_non_null(second);
    assert_non_null(strstr(second, "row 3, column 4 of picture 1"));
    assert_non_null(strstr(text, paths[0]));
    assert_non_null(strstr(text, paths[3]));
}

// How the command line is read.
static void test_choosing(void **state)
{
    (void)state;
    struct scene_choice choice;
    struct error err = {0};
    const char *const three[] = {paths[0], paths[1], "both are red"};
    assert_true(scenes_choose(&choice, three, 3, &err));
    assert_string_equal(choice.picture, paths[0]);
    assert_string_equal(choice.second, paths[1]);
    assert_string_equal(choice.question, "both are red");
    assert_true(scenes_choose(&choice, three, 2, &err)); // the second names a file
    assert_string_equal(choice.second, paths[1]);
    assert_true(strlen(choice.question) > 0);
    const char *const bundled[] = {"pair1-left.jpg", "pair1-right.jpg"};
    assert_true(scenes_choose(&choice, bundled, 2, &err));
    assert_string_equal(choice.second, bundled[1]);
    assert_string_equal(choice.question, "each picture shows a heart");
    const char *const two[] = {paths[0], "is it red?"};
    assert_true(scenes_choose(&choice, two, 2, &err));
    assert_string_equal(choice.second, "");
    assert_string_equal(choice.question, "is it red?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choosing),   cmocka_unit_test(test_cursor_and_why), cmocka_unit_test(test_opening),
        cmocka_unit_test(test_comparing),  cmocka_unit_test(test_one_picture_only), cmocka_unit_test(test_plain),
        cmocka_unit_test(test_bundled_pair),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
