// What is said about an input that is out of the ordinary.
#include "app/notes.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "tests/support/cmocka_all.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_exact),
    };
    return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
