// trimscope compare as a person calls it.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "app/sides.h"
#include "engine/io/picture.h"
#include "engine/run/command_text.h"
#include "engine/model/model.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *model_path, *pair_path, *picture_path, *other_path;

static const char *save_picture(const char *name, uint64_t seed)
{
    struct picture picture = tiny_picture(seed);
    const char *path = scratch_path(name);
    assert_true(picture_save_png(&picture, path, NULL));
    picture_free(&picture);
    return path;
}

static int make_files(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    model_path = tiny_write("compare.safetensors", &tiny);
    tiny.task = TASK_NLVR2;
    pair_path = tiny_write("compare-pair.safetensors", &tiny);
    picture_path = save_picture("compare-one.png", 1);
    other_path = save_picture("compare-two.png", 2);
    return 0;
}

#define COMPARE(...) command_run(cmd_compare, (const char *const[]){"compare", __VA_ARGS__, NULL})

static void expect(struct command_output output, int status, const char *out, const char *err)
{
    if (output.status != status || !strstr(output.out, out) || !strstr(output.err, err))
        fail_msg("status %d, stdout: %s\nstderr: %s\nexpected %d, \"%s\", \"%s\"", output.status, output.out,
                 output.err, status, out, err);
    command_free(&output);
}

static json_t *run_of(const json_t *root, size_t run)
{
    json_t *value = json_array_get(json_object_get(root, "runs"), run);
    assert_non_null(value);
    return value;
}

static json_t *compare_json(struct command_output output, size_t runs)
{
    assert_int_equal(output.status, 0);
    json_t *root = json_loads(output.out, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "runs")), runs);
    command_free(&output);
    return root;
}

static const char *text_in(const json_t *run, const char *object, const char *member)
{
    return json_string_value(json_object_get(json_object_get(run, object), member));
}

// Each --with-... differs from the first run in that alone.
static void test_each_run_differs_in_one_thing(void **state)
{
    (void)state;
    json_t *root = compare_json(COMPARE(picture_path, "is it red?", "--model", model_path, "--with-question",
                                        "how many dogs are there?", "--with-policy", "none", "--with-picture", other_path,
                                        "--json"),
                                4);
    json_t *a = run_of(root, 0), *b = run_of(root, 1), *c = run_of(root, 2), *d = run_of(root, 3);
    assert_string_equal(text_in(a, "input", "question"), "is it red?");
    assert_string_equal(text_in(b, "input", "question"), "how many dogs are there?");
    assert_string_equal(text_in(b, "policy", "name"), "learned");
    assert_string_equal(text_in(c, "policy", "name"), "none");
    assert_string_equal(text_in(c, "input", "question"), "is it red?");
    assert_string_equal(text_in(d, "policy", "name"), "learned");
    json_t *pictures = json_object_get(json_object_get(d, "input"), "pictures");
    assert_string_equal(json_string_value(json_object_get(json_array_get(pictures, 0), "path")), other_path);
    assert_false(json_equal(json_object_get(d, "stages"), json_object_get(a, "stages")));
    json_decref(root);
}

// --and-... says more of the run added last; the same input has the first run's changes by hand, another one has not.
static void test_runs_that_differ_in_more(void **state)
{
    (void)state;
    json_t *root = compare_json(COMPARE(picture_path, "is it red?", "--model", model_path, "--drop", "fusion2:image:3",
                                        "--with-question", "how many dogs are there?", "--and-policy", "none",
                                        "--with-keep", "fusion1:image:4", "--with-policy", "none", "--and-unchanged",
                                        "--and-head-off", "fusion1:text:msa:1", "--json"),
                                4);
    static const size_t changes[] = {1, 0, 2, 1};
    for (size_t r = 0; r < 4; r++)
        assert_int_equal(json_array_size(json_object_get(json_object_get(run_of(root, r), "policy"), "interventions")),
                         changes[r]);
    assert_string_equal(text_in(run_of(root, 1), "policy", "name"), "none");
    assert_string_equal(text_in(run_of(root, 2), "policy", "name"), "learned");
    json_t *stage = json_array_get(json_object_get(root, "stages"), 5), *heads = json_object_get(stage, "heads");
    assert_int_equal(json_array_size(json_object_get(heads, "alive")), 4);
    assert_true(json_integer_value(json_object_get(heads, "count")) > 0);
    json_decref(root);
}

// The command that the runs amount to makes the same runs.
static void test_command_makes_the_same(void **state)
{
    (void)state;
    struct side list[COMPARE_RUNS] = {{.pictures = {picture_path}, .question = "is it's red?", .policy = POLICY_LEARNED,
                                       .budget = (double)NAN}};
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct sides sides;
    struct comparison comparison;
    struct error err = {0};
    list[0].changes = (struct option_list){.values = {"fusion2:image:3"}, .ids = {INTERVENE_TOKEN_DROP}, .count = 1};
    list[3] = list[2] = list[1] = list[0];
    list[1].question = "-1?";
    list[1].changes.count = 0;
    list[1].policy = POLICY_RANDOM;
    list[1].budget = 0.5;
    list[2].changes.values[1] = "fusion1:text:msa:1";
    list[2].changes.ids[1] = INTERVENE_HEAD_OFF;
    list[2].changes.count = 2;
    list[3].changes.count = 0;
    assert_true(sides_run(&sides, list, 4, model, NULL, &err));
    sides_show_comparison(&sides, &comparison);
    char *command = command_of_comparison(&comparison, NULL);
    char expected[1200];
    snprintf(expected, sizeof expected,
             "trimscope compare %s 'is it'\\''s red?' --drop fusion2:image:3 --with-question '-1?' --and-policy random "
             "--and-budget 0.5 --with-head-off fusion1:text:msa:1 --with-unchanged",
             picture_path);
    assert_string_equal(command, expected);
    free(command);
    command = command_of_figure(&comparison, NULL);
    snprintf(expected, sizeof expected,
             "trimscope compare %s 'is it'\\''s red?' --figure --with-question '-1?' --with-question 'is it'\\''s red?'",
             picture_path);
    assert_string_equal(command, expected);
    free(command);
    sides_free(&sides);
    model_free(model);
    json_t *root = compare_json(COMPARE(picture_path, "is it's red?", "--model", model_path, "--drop", "fusion2:image:3",
                                        "--with-question", "-1?", "--and-policy", "random", "--and-budget", "0.5",
                                        "--with-head-off", "fusion1:text:msa:1", "--with-unchanged", "--json"),
                                4);
    static const size_t changes[] = {1, 0, 2, 0};
    for (size_t r = 0; r < 4; r++)
        assert_int_equal(json_array_size(json_object_get(json_object_get(run_of(root, r), "policy"), "interventions")),
                         changes[r]);
    json_decref(root);
}

// A run side by side is the run alone.
static void test_a_run_is_the_same_alone(void **state)
{
    (void)state;
    json_t *root = compare_json(COMPARE(picture_path, "is it red?", "--model", model_path, "--with-question",
                                        "how many dogs are there?", "--json", "--threads", "1"),
                                2);
    struct command_output alone = command_run(
        cmd_run, (const char *const[]){"run", picture_path, "how many dogs are there?", "--model", model_path, "--json",
                                       "--threads", "1", NULL});
    json_t *trace = json_loads(alone.out, 0, NULL);
    assert_non_null(trace);
    json_t *b = run_of(root, 1);
    for (size_t i = 0; i < json_array_size(json_object_get(trace, "stages")); i++) {
        json_t *x = json_array_get(json_object_get(trace, "stages"), i);
        json_t *y = json_array_get(json_object_get(b, "stages"), i);
        assert_true(json_equal(json_object_get(x, "image"), json_object_get(y, "image")));
        assert_true(json_equal(json_object_get(x, "text"), json_object_get(y, "text")));
        assert_true(json_equal(json_object_get(x, "answers"), json_object_get(y, "answers")));
    }
    command_free(&alone);
    json_decref(trace);
    json_decref(root);
}

static void test_table(void **state)
{
    (void)state;
    expect(COMPARE(picture_path, "is it red?", "--model", model_path, "--with-policy", "none"), 0, "fusion 3", "");
    expect(COMPARE(picture_path, "is it red?", "--model", model_path, "--with-policy", "none"), 0, "0 patches only in A, ", "");
    expect(COMPARE(picture_path, "is it red?", "--model", model_path, "--with-policy", "none", "--with-policy", "random"),
           0, "in one alone: A ", "");
    expect(COMPARE(picture_path, other_path, "is it red?", "--model", pair_path, "--with-question", "is it?"), 0,
           "Answers: A ", "");
    expect(COMPARE(picture_path, "is it \033[31m?", "--model", model_path, "--with-policy", "none"), 0, "is it ?[31m?", "");
    struct tiny_options matches = {.task = TASK_RETRIEVAL, .blip = true, .seed = 12};
    const char *match_path = tiny_write("compare-match.safetensors", &matches);
    expect(COMPARE(picture_path, "the dog", "--model", match_path, "--with-question", "a red cup"), 0, "   ITC +", "");
    expect(COMPARE("--help"), 0, "usage: trimscope compare", "");
}

static void test_wrong_usage(void **state)
{
    (void)state;
    expect(COMPARE(picture_path, "q", "--model", model_path), 2, "", "nothing to compare with");
    expect(COMPARE(picture_path, "q", "--with-policy", "greedy"), 2, "", "no policy greedy");
    expect(COMPARE(picture_path, "q", "--and-policy", "none"), 2, "", "a --with-... before it");
    expect(COMPARE(picture_path, "q", "--with-unchanged=yes"), 2, "", "takes no value");
    expect(COMPARE(picture_path, "q", "--model", model_path, "--with-picture2", other_path), 2, "", "no second picture");
    expect(COMPARE(picture_path, "q", "--model", model_path, "--with-keep", "fusion1:image"), 2, "", "run B: --keep fusion1");
    expect(COMPARE(picture_path, "q", "--with-budget", "1.5"), 2, "", "above 0 and at most 1");
    expect(COMPARE(picture_path, "q", "--with-question"), 2, "", "no value after --with-question");
    expect(COMPARE(picture_path, "q", "--with-question", "1", "--with-question", "2", "--with-question", "3",
                   "--with-policy", "none"),
           2, "", "more than 4 runs");
    expect(COMPARE(picture_path, "q", "--figure", "--with-policy", "none"), 2, "", "only --with-question");
    expect(COMPARE(picture_path, "q", "--model", pair_path, "--with-policy", "none"), 2, "", "takes 2 picture(s)");
    expect(COMPARE(picture_path, "q", "--model", model_path, "--with-picture", "/nowhere.png"), 1, "", "run B: ");
}

// Bundled questions fill the figure, what the person gives comes first, and nothing is asked twice with guidance.
static void test_figure_of_a_bundled_picture(void **state)
{
    (void)state;
    struct side first = {.pictures = {"assets/pictures/airplane.jpg"}, .question = "what is over the heart?",
                         .policy = POLICY_NONE, .budget = (double)NAN};
    struct side list[FIGURE_ROWS];
    struct sides_questions room;
    const char *const more[] = {"is it red?"};
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    assert_int_equal(sides_make_figure(list, &first, more, 1, model, &room), 4);
    assert_string_equal(list[0].question, "what is over the heart?");
    assert_string_equal(list[1].question, "is it red?");
    assert_string_equal(list[2].question, "what is in the bottom right corner?"); // the first is asked already
    assert_string_equal(list[3].question, list[0].question);
    for (int r = 0; r < 3; r++)
        assert_int_equal(list[r].policy, POLICY_LEARNED);
    assert_int_equal(list[3].policy, POLICY_LEARNED_SELF);
    first.pictures[0] = picture_path; // nothing is known about this one
    assert_int_equal(sides_make_figure(list, &first, NULL, 0, model, &room), 4);
    assert_string_equal(list[1].question, figure_general_question(1, 0));
    assert_string_equal(list[2].question, figure_general_question(1, 1));
    model_free(model);
    // Without trimmers policies that need none are compared.
    tiny.text_trimmers = tiny.image_trimmers = tiny.fusion_trimmers = tiny.head_trimmers = false;
    model = tiny_model(&tiny);
    assert_int_equal(sides_make_figure(list, &first, NULL, 0, model, &room), 4);
    for (int r = 0; r < 4; r++)
        assert_int_equal(list[r].policy, r < 3 ? POLICY_TEXT_SIMILARITY : POLICY_CLS_ATTENTION);
    model_free(model);
}

static void test_figure_has_pixels_and_cells(void **state)
{
    (void)state;
    struct side list[2] = {{.pictures = {picture_path}, .question = "is it red?", .policy = POLICY_LEARNED,
                            .budget = (double)NAN}};
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct sides sides;
    struct figure figure;
    struct figure_cell cell;
    struct error err = {0};
    list[1] = list[0];
    list[1].policy = POLICY_LEARNED_SELF;
    assert_true(sides_run(&sides, list, 2, model, NULL, &err));
    sides_show_figure(&sides, &figure);
    assert_int_equal(figure.count, 2);
    assert_non_null(figure.rows[1].pictures[0].rgb);
    int stages[FIGURE_COLUMNS], last = figure.rows[0].trace->stage_count - 1;
    int all = figure_columns(&figure, FIGURE_COLUMNS, stages);
    assert_true(all > 3);
    for (int i = 1; i < all; i++)
        assert_true(stages[i] > stages[i - 1]);
    assert_int_equal(figure_columns(&figure, 3, stages), 3);
    assert_int_equal(figure.rows[0].trace->stages[stages[0]].kind, STAGE_EMBED);
    assert_int_equal(stages[2], last);
    figure_cell(&figure.rows[0], last, &cell);
    assert_true(cell.computed && cell.answer && cell.patches == 36 && cell.alive <= 36);
    assert_string_equal(cell.answer->text, figure.rows[0].trace->answer.text);
    figure_cell(&figure.rows[0], last + 1, &cell);
    assert_false(cell.computed);
    sides_free(&sides);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_run_differs_in_one_thing), cmocka_unit_test(test_a_run_is_the_same_alone),
        cmocka_unit_test(test_runs_that_differ_in_more), cmocka_unit_test(test_command_makes_the_same),
        cmocka_unit_test(test_table),                         cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_figure_of_a_bundled_picture),   cmocka_unit_test(test_figure_has_pixels_and_cells),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
