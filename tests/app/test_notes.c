// What is said about an input that is out of the ordinary.
#include "app/commands.h"
#include "app/notes.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/command.h"
#include "tests/support/tiny.h"

#include <string.h>

static void make(struct notes *notes, const struct model *model, const struct picture_origin *origin)
{
    struct run *run = tiny_run(model, NULL, 0);
    struct picture picture = tiny_picture(0);
    const struct picture *list[] = {&picture};
    assert_true(run_describe_picture(run, 0, "photo.jpg", origin, NULL));
    notes_make(notes, model, run_trace(run), list, origin);
    picture_free(&picture);
    run_free(run);
}

// A published model's own code would have seen other pixels: that is said, and not where it would have seen these.
static void test_reading(void **state)
{
    (void)state;
    struct tiny_options options = tiny_everything();
    struct model *model = tiny_model(&options);
    struct notes notes;
    make(&notes, model, &(struct picture_origin){.width = 640, .height = 480, .orientation = 1});
    int usual = notes.count; // the formula model knows few words
    make(&notes, model, &(struct picture_origin){.width = 640, .height = 480, .orientation = 6});
    assert_int_equal(notes.count, usual + 1);
    assert_non_null(strstr(notes.sentences[usual], "photo.jpg was turned upright"));
    make(&notes, model, &(struct picture_origin){.width = 5472, .height = 3648, .orientation = 1, .reduced = true});
    assert_int_equal(notes.count, usual + 1);
    assert_non_null(strstr(notes.sentences[usual], "all of its 20 megapixels"));
    make(&notes, model, &(struct picture_origin){.width = 640, .height = 480, .orientation = 6, .as_stored = true});
    assert_int_equal(notes.count, usual);
    model_free(model);
}

// Where the learned policy drops nothing, that is the first thing said.
static void test_no_trimmers(void **state)
{
    (void)state;
    struct tiny_options options = tiny_everything();
    options.text_trimmers = options.image_trimmers = options.fusion_trimmers = options.head_trimmers = false;
    struct model *model = tiny_model(&options);
    struct notes notes;
    make(&notes, model, &(struct picture_origin){.width = 640, .height = 480, .orientation = 1});
    assert_non_null(strstr(notes.sentences[0], "has no trimmers, so that the policy learned drops nothing"));
    model_free(model);
    options.fusion_trimmers = true;
    model = tiny_model(&options);
    make(&notes, model, &(struct picture_origin){.width = 640, .height = 480, .orientation = 1});
    for (int i = 0; i < notes.count; i++)
        assert_null(strstr(notes.sentences[i], "trimmers"));
    model_free(model);
}

// Read exactly, a file that lies on its side stays so and a large one is whole.
static void test_exact(void **state)
{
    (void)state;
    struct tiny_options options = tiny_everything();
    struct model *model = tiny_model(&options);
    struct picture_reading usual = run_reading(model, false, 0), large = run_reading(model, false, 1000);
    struct picture_reading exact = run_reading(model, true, 1000);
    assert_int_equal(usual.least_side, model->config.image_size);
    assert_int_equal(large.least_side, 1000);
    assert_false(usual.as_stored);
    assert_int_equal(exact.least_side, 0);
    assert_true(exact.as_stored);
    model_free(model);
}

static void check_said(const char *question, const char *const said[])
{
    struct command_output o = command_run(cmd_run, (const char *const[]){"run", "airplane.jpg", question, "--json", NULL});
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "\"answer\"")); // it is answered all the same
    size_t lines = 0;
    for (const char *at = o.err; (at = strchr(at, '\n')); at++)
        lines++;
    for (; *said; said++, lines--)
        if (!strstr(o.err, *said))
            fail_msg("\"%s\": no \"%s\" in: %s", question, *said, o.err);
    if (lines)
        fail_msg("\"%s\": %zu more lines in: %s", question, lines, o.err);
    command_free(&o);
}
#define CHECK_SAID(question, ...) check_said(question, (const char *const[]){__VA_ARGS__, NULL})

// No question is answered as if nothing were wrong with it.
static void test_odd_questions(void **state)
{
    (void)state;
    CHECK_SAID("what is over the heart?", NULL);
    CHECK_SAID("", "There is no word in this question");
    CHECK_SAID(" \t ?!", "There is no word in this question");
    CHECK_SAID("where is the heart?", "trimscope-world learnt no questions like this one: its answer is a guess");
    CHECK_SAID("where is the xyzzy?", "does not know the word 'xyzzy'");
    CHECK_SAID("xyzzy ?", "The model knows no word of this question", "does not know the word 'xyzzy'");
    CHECK_SAID("xyzzy heart", "does not know the word 'xyzzy'");
    CHECK_SAID("xyzzy plugh heart herat frobnicate", "the word 'herat': did you mean 'heart'?",
               "does not know the words 'xyzzy', 'plugh', 'frobnicate': it reads <unk> there");
    CHECK_SAID("what is \xff over the heart?", "not all UTF-8");
    char long_one[20000] = "";
    for (size_t at = 0; at + 16 < sizeof long_one; at += 6)
        strcpy(long_one + at, "heart ");
    CHECK_SAID(long_one, "Too long");
}

// Two pictures are judged by a statement about them.
static void test_no_statement(void **state)
{
    (void)state;
    static const char *const texts[] = {"how many hearts", "each picture shows a heart"};
    for (int i = 0; i < 2; i++) {
        struct command_output o =
            command_run(cmd_run, (const char *const[]){"run", "pair1-left.jpg", "pair1-right.jpg", texts[i], NULL});
        assert_int_equal(o.status, 0);
        assert_int_equal(strstr(o.err, "learnt to judge statements such as 'both pictures show a dog'") != NULL, i == 0);
        command_free(&o);
    }
}

// What is said once is not said again for each of several runs.
static void test_said_once(void **state)
{
    (void)state;
    struct command_output o = command_run(
        cmd_compare, (const char *const[]){"compare", "airplane.jpg", "", "--with-policy", "random", "--with-question", "xyzzy",
                                           NULL});
    assert_int_equal(o.status, 0);
    const char *once = strstr(o.err, "no word in this question");
    assert_non_null(once);
    assert_null(strstr(once + 1, "no word in this question"));
    assert_non_null(strstr(o.err, "knows no word of this question"));
    command_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_exact), cmocka_unit_test(test_no_trimmers),
        cmocka_unit_test(test_odd_questions), cmocka_unit_test(test_no_statement),
        cmocka_unit_test(test_said_once),
    };
    return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
