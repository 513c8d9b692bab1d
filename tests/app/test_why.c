// trimscope why, and run with changes by hand, as a person calls them.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "engine/io/picture.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"
#include "ui/why_words.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *model_path, *pair_path, *pictures[8];

static int make_files(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.seed = 20;
    model_path = tiny_write("model.safetensors", &tiny);
    tiny.task = TASK_NLVR2;
    pair_path = tiny_write("pair.safetensors", &tiny);
    for (int i = 0; i < 8; i++) {
        char name[32];
        struct picture picture = tiny_picture((uint64_t)i);
        snprintf(name, sizeof name, "picture %d.png", i);
        pictures[i] = scratch_path(name);
        assert_true(picture_save_png(&picture, pictures[i], NULL));
        picture_free(&picture);
    }
    return 0;
}

#define RUN(...) command_run(cmd_run, (const char *const[]){"run", __VA_ARGS__, "--model", model_path, NULL})
#define WHY(...) command_run(cmd_why, (const char *const[]){"why", __VA_ARGS__, "--model", model_path, NULL})

static void expect(struct command_output output, int status, const char *out, const char *err)
{
    if (output.status != status || !strstr(output.out, out) || !strstr(output.err, err))
        fail_msg("status %d, stdout: %s\nstderr: %s\nexpected %d, \"%s\", \"%s\"", output.status, output.out,
                 output.err, status, out, err);
    command_free(&output);
}

static json_t *json_of(struct command_output output)
{
    json_error_t problem;
    if (output.status != 0)
        fail_msg("status %d: %s", output.status, output.err);
    json_t *value = json_loads(output.out, 0, &problem);
    if (!value)
        fail_msg("%s in: %s", problem.text, output.out);
    command_free(&output);
    return value;
}

static void test_changes_on_the_command_line(void **state)
{
    (void)state;
    const char *p = pictures[1], *q = tiny_questions[1];
    json_t *plain = json_of(RUN(p, q, "--json"));
    json_t *kept = json_of(RUN(p, q, "--json", "--keep", "embed:image:1,2", "--head-off", "fusion3:text:mca:1"));
    json_t *list = json_object_get(json_object_get(kept, "policy"), "interventions");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "kind")), "token-keep");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "kind")), "head-off");
    json_t *stages = json_object_get(kept, "stages"), *last = json_array_get(stages, json_array_size(stages) - 1);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json_object_get(last, "image"), "alive"), 2)), 1);
    stages = json_object_get(plain, "stages");
    last = json_array_get(stages, json_array_size(stages) - 1);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json_object_get(last, "image"), "alive"), 2)), 0);
    json_decref(plain);
    json_decref(kept);
    // The later of two contradictory ones counts, whichever option it is.
    expect(RUN(p, "dog", "--policy", "none", "--keep", "embed:text:dog", "--drop", "embed:text:dog"), 0, "(dog)", "");
    expect(RUN(p, "dog", "--policy", "none", "--drop", "embed:text:dog", "--keep", "embed:text:dog"), 0, " dog ", "");
    expect(RUN(p, q, "--reopen", "embed"), 0, " 36/36 ", "");
    expect(RUN(p, q, "--keep", "fusion9:image:1"), 2, "", "--keep fusion9:image:1: there is no stage");
    expect(RUN(p, q, "--head-on", "fusion1:image:mca:5"), 2, "", "from 1 to 4");
    expect(command_run(cmd_run, (const char *const[]){"run", p, q, "--drop", NULL}), 2, "", "no value after --drop");
    expect(RUN("--help"), 0, "--head-off STAGE:STREAM:MODULE:HEAD", "");
}

// Kept where its score was given, dropped later: the what-if says where it would have stayed.
static void test_what_falls_later(void **state)
{
    (void)state;
    struct stage stages[] = {{.name = "fusion 1", .kind = STAGE_FUSION, .layer = 0},
                             {.name = "fusion 2", .kind = STAGE_FUSION, .layer = 1}};
    struct trace trace = {.stages = stages, .stage_count = 2};
    struct explain_verdict verdict = {.place = {.token = 5}, .stage = 0, .died = 1, .acts = 1, .kept = true};
    struct explain_effect effect = {.before = {.text = "yes"}, .after = {.text = "no"}, .flips = true};
    char text[WHY_TEXT];
    why_tell_effect(&trace, &verdict, &effect, INTERVENE_TOKEN_KEEP, text, sizeof text);
    assert_non_null(strstr(text, "If it had stayed in fusion 2: 'yes' 0.0 %"));
    verdict.stage = 1;
    verdict.kept = false;
    why_tell_effect(&trace, &verdict, &effect, INTERVENE_TOKEN_KEEP, text, sizeof text);
    assert_non_null(strstr(text, "If it had stayed: 'yes' 0.0 %"));
}

static void test_why_in_words(void **state)
{
    (void)state;
    const char *p = pictures[1], *q = tiny_questions[1];
    expect(WHY(p, q, "--patch", "1,2"), 0, "the patch in row 1, column 2: dropped in", "");
    expect(WHY(p, q, "--patch", "1,2"), 0, "rank: ", "");
    expect(WHY(p, q, "--patch", "1,2"), 0, "If it had stayed: ", "");
    expect(WHY(p, q, "--word", "cat"), 0, "the word 'cat'", "");
    expect(WHY(p, q, "--head", "fusion3:text:mca:1"), 0, "head 1 of the words' cross-attention in fusion 3", "");
    expect(WHY(p, q, "--patch", "1,2", "--keep", "embed:image:1,2"), 0, "forced to stay by hand", "");
    expect(WHY(p, q, "--patch", "1,2", "--keep", "embed:image:1,2"), 0, "--keep embed:image:2\n", "");
    expect(WHY(p, q, "--patch", "3", "--stage", "image1"), 0, "score in image 1", "");
    expect(WHY(p, q, "--patch", "3", "--policy", "none"), 0, "No score was given to it", "");
    expect(command_run(cmd_why, (const char *const[]){"why", p, pictures[2], q, "--patch", "image2:2,2", "--model",
                                                      pair_path, NULL}),
           0, "the patch in row 2, column 2 of picture 2", "");
}

static void test_errors(void **state)
{
    (void)state;
    const char *p = pictures[1], *q = tiny_questions[1];
    expect(WHY(p, q), 2, "", "nothing was asked about");
    expect(WHY(p, q, "--patch", "1,2", "--word", "cat"), 2, "", "exclude one another");
    expect(WHY(p, q, "--patch", "7,1"), 2, "", "6 rows of 6");
    expect(WHY(p, q, "--patch", "text:1"), 2, "", "expected --patch ROW,COLUMN");
    expect(WHY(p, q, "--word", "zebra"), 2, "", "no word \"zebra\"");
    expect(WHY(p, q, "--word", "cat", "--stage", "fusion8"), 2, "", "there is no such stage");
    expect(WHY(p, q, "--head", "text1:text:mca:1"), 2, "", "has no mca");
    expect(WHY(p, q, "--break", "--over", "patches,birds"), 2, "", "--over takes");
    expect(WHY("none.png", q, "--break"), 1, "", "none.png");
    expect(WHY("--help"), 0, "usage: trimscope why", "");
}

static const char *text_of(json_t *answer) { return json_string_value(json_object_get(answer, "text")); }

// The answer of the command that JSON gives, run as a person would paste it.
static void check_members(const char *picture, const char *question, json_t *set, const char *answer, bool same)
{
    const char *arguments[64] = {"run", picture, question, "--json", "--model", model_path};
    int count = 6;
    size_t i;
    json_t *member;
    char options[24][96];
    json_array_foreach(json_object_get(set, "members"), i, member) {
        const char *kind = json_string_value(json_object_get(member, "kind"));
        assert_true(i < 24);
        snprintf(options[i], sizeof options[i], "--%s=%s",
                 !strcmp(kind, "token-keep") ? "keep" : !strcmp(kind, "token-drop") ? "drop" : kind,
                 json_string_value(json_object_get(member, "place")));
        arguments[count++] = options[i];
    }
    json_t *trace = json_of(command_run(cmd_run, arguments));
    assert_int_equal(!strcmp(text_of(json_object_get(trace, "answer")), answer), same);
    json_decref(trace);
}

static void test_sets_can_be_pasted(void **state)
{
    (void)state;
    int restored = 0, broken = 0;
    for (int i = 0; i < 8; i++) {
        const char *p = pictures[i], *q = tiny_questions[i];
        json_t *found = json_of(WHY(p, q, "--restore", "--break", "--json"));
        json_t *restore = json_object_get(found, "restore"), *lose = json_object_get(found, "break");
        if (!strcmp(json_string_value(json_object_get(restore, "outcome")), "found")) {
            check_members(p, q, restore, text_of(json_object_get(restore, "unpruned")), true);
            assert_true(json_is_true(json_object_get(restore, "minimal")));
            restored++;
        }
        if (!strcmp(json_string_value(json_object_get(lose, "outcome")), "found")) {
            check_members(p, q, lose, text_of(json_object_get(lose, "before")), false);
            broken++;
        }
        json_decref(found);
    }
    assert_true(restored > 2);
    assert_true(broken > 2);
    expect(WHY(pictures[1], tiny_questions[1], "--restore"), 0, "with them: trimscope run ", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_on_the_command_line),
        cmocka_unit_test(test_what_falls_later),
        cmocka_unit_test(test_why_in_words),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_sets_can_be_pasted),
    };
    return cmocka_run_group_tests_name("why", tests, make_files, NULL);
}
