// run, eval and verify as a person calls them: what they print, and the exit status.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "engine/io/picture.h"
#include "engine/run/trace.h"
#include "tests/support/command.h"
#include "tests/support/formula.h"
#include "tests/support/schema.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *model_path, *pair_path, *picture_path, *set_path;

static int make_files(void **state)
{
    (void)state;
    char text[4096] = "";
    struct tiny_options tiny = tiny_everything();
    model_path = tiny_write("model.safetensors", &tiny);
    tiny.task = TASK_NLVR2;
    pair_path = tiny_write("pair.safetensors", &tiny);
    struct picture picture = tiny_picture(1);
    picture_path = scratch_path("picture.png");
    assert_true(picture_save_png(&picture, picture_path, NULL));
    picture_free(&picture);
    for (int i = 0; i < 8; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "{\"picture\": \"picture.png\", \"question\": \"%s\", \"answer\": \"yes\", \"type\": \"%s\"}\n",
                 tiny_questions[i], i % 2 ? "odd" : "even");
    set_path = scratch_write("set.jsonl", text, strlen(text));
    return 0;
}

#define RUN(...) command_run(cmd_run, (const char *const[]){"run", __VA_ARGS__, NULL})
#define EVAL(...) command_run(cmd_eval, (const char *const[]){"eval", __VA_ARGS__, NULL})
#define REDUNDANCY(...) command_run(cmd_redundancy, (const char *const[]){"redundancy", __VA_ARGS__, NULL})
#define COMPOSE(...) command_run(cmd_compose, (const char *const[]){"compose", __VA_ARGS__, NULL})
#define EDIT(...) command_run(cmd_edit, (const char *const[]){"edit", __VA_ARGS__, NULL})
#define VERIFY(...) command_run(cmd_verify, (const char *const[]){"verify", __VA_ARGS__, NULL})

static void expect(struct command_output output, int status, const char *out, const char *err)
{
    if (output.status != status || !strstr(output.out, out) || !strstr(output.err, err))
        fail_msg("status %d, stdout: %s\nstderr: %s\nexpected %d, \"%s\", \"%s\"", output.status, output.out,
                 output.err, status, out, err);
    command_free(&output);
}

// The JSON of a real run fits the schema, and a program that reads it back says the same again.
static void check_trace(struct command_output output)
{
    char problem[512];
    struct error err = {0};
    assert_int_equal(output.status, 0);
    json_t *schema = json_load_file("assets/trace.schema.json", 0, NULL), *value = json_loads(output.out, 0, NULL);
    assert_non_null(schema);
    assert_non_null(value);
    if (!schema_validate(schema, value, problem, sizeof problem))
        fail_msg("%s", problem);
    struct trace trace;
    if (!trace_from_json(&trace, output.out, strlen(output.out), &err))
        fail_msg("%s", err.text);
    char *again = trace_to_json(&trace);
    assert_string_equal(again, output.out);
    free(again);
    trace_free(&trace);
    json_decref(schema);
    json_decref(value);
    command_free(&output);
}

static void test_run_json(void **state)
{
    (void)state;
    check_trace(RUN(picture_path, "what color is the zebra?", "--model", model_path, "--json"));
    check_trace(RUN(picture_path, "is there a cat?", "--model", model_path, "--json", "--policy", "none"));
    check_trace(RUN(picture_path, "is there a cat?", "--model", model_path, "--json", "--policy=random", "--budget=.9"));
    check_trace(RUN(picture_path, picture_path, "is there a cat?", "--model", pair_path, "--json", "--threads", "1"));
    check_trace(RUN(picture_path, "", "--model", model_path, "--json"));
}

// However long the question, the trace can be read again.
static void test_run_endless_question(void **state)
{
    (void)state;
    static char question[200001];
    for (int i = 0; i + 5 < (int)sizeof question; i += 5)
        memcpy(question + i, "d\xc3\xb6g ", 5); // characters of two bytes, so that one lies across the limit
    check_trace(RUN(picture_path, question, "--model", model_path, "--json"));
    expect(RUN(picture_path, question, "--model", model_path), 0, "", "left out is");
}

static void test_run_table(void **state)
{
    (void)state;
    expect(RUN(picture_path, "is the zebra red?", "--model", model_path), 0, "fusion 3", "");
    expect(RUN(picture_path, "is the zebra red?", "--model", model_path, "--policy", "none"), 0,
           "question: <s> is the zebra red </s>\n", "does not know the word 'zebra': it reads <unk>");
    expect(RUN(picture_path, "is the dgo red?", "--model", model_path), 0, "", "did you mean 'dog'?");
    expect(RUN(picture_path, "dogs", "--model", model_path, "--policy", "none"), 0, "question: <s> dogs </s>\n", "");
    expect(RUN(picture_path, "is it red or is it red or is it red or is it red or blue?", "--model", model_path), 0, "",
           "left out is");
    // A picture's CLS is no patch.
    expect(RUN(picture_path, "is the dog red?", "--model", model_path, "--policy", "none"), 0, " 36/36 ", "");
    expect(RUN("--help"), 0, "usage: trimscope run", "");
    expect(RUN("--help"), 0, "cross-attention", "");
}

static void test_wrong_usage(void **state)
{
    (void)state;
    expect(EVAL("--limit", "3"), 2, "", "missing");
    expect(RUN(picture_path, "--model", model_path), 2, "", "and a question; 1 argument");
    expect(RUN(picture_path, "q", "--model", model_path, "--beams", "5"), 2, "", "writes none");
    expect(RUN(picture_path, "q", "--model", model_path, "--policy", "greedy"), 2, "", "no policy greedy");
    expect(RUN(picture_path, "q", "--model", model_path, "--budget", "1.5"), 2, "", "above 0 and at most 1");
    expect(RUN(picture_path, "q", "--model", model_path, "--budget", "nan"), 2, "", "above 0 and at most 1");
    expect(RUN(picture_path, "q", "--model"), 2, "", "no value after --model");
    expect(RUN(picture_path, "q", "--json=1"), 2, "", "takes no value");
    expect(RUN(picture_path, "q", "--colour"), 2, "", "no option --colour");
    expect(RUN(picture_path, "q", "-x"), 2, "", "no option -x");
    expect(RUN(picture_path, "q", "--seed", "-3"), 2, "", "--seed");
    expect(RUN(picture_path, "q", "--threads", "0"), 2, "", "1 to 256");
    expect(RUN("a", "b", "c", "d"), 2, "", "too many");
    expect(RUN(picture_path, picture_path, "q", "--model", model_path), 2, "", "takes 1 picture(s)");
    expect(RUN(picture_path, "q", "--model", pair_path), 2, "", "takes 2 picture(s)");
}

static void test_bad_input(void **state)
{
    (void)state;
    expect(RUN(scratch_path("none.png"), "q", "--model", model_path), 1, "", "none.png");
    expect(RUN(model_path, "q", "--model", model_path), 1, "", "model.safetensors");
    expect(RUN(picture_path, "q", "--model", picture_path), 1, "", "picture.png");
    expect(RUN(picture_path, "q", "--model", model_path, "--budget", ".01"), 1, "", "at least");
    expect(EVAL(picture_path, "--model", model_path), 1, "", "line 1");
    expect(EVAL(scratch_path("none.jsonl"), "--model", model_path), 1, "", "none.jsonl");
    expect(VERIFY(model_path, scratch_path("nowhere")), 1, "", "nowhere");
}

static void test_eval(void **state)
{
    (void)state;
    struct command_output output = EVAL(set_path, "--model", model_path, "--json");
    double accuracy, share;
    int questions, even;
    assert_int_equal(output.status, 0);
    json_t *root = json_loads(output.out, 0, NULL);
    assert_int_equal(json_unpack(root, "{s:F, s:F, s:n, s:i, s:{s:{s:i}}}", "accuracy", &accuracy, "share", &share,
                                 "lift", "questions", &questions, "by_type", "even", "questions", &even),
                     0);
    assert_int_equal(questions, 8);
    assert_int_equal(even, 4);
    assert_true(accuracy >= 0 && accuracy <= 1);
    assert_true(share > 0.2 && share < 1);
    json_decref(root);
    command_free(&output);
    expect(EVAL(set_path, "--model", model_path, "--limit", "3"), 0, "all                       3", "");
    expect(EVAL(set_path, "--model", model_path, "--policy", "random", "--budget", ".9"), 0, "policy random, budget 0.90",
           "");
}

static void test_verify(void **state)
{
    (void)state;
    const char *weights = scratch_path("fixture.safetensors"), *other = scratch_path("seed8.safetensors");
    assert_true(formula_checkpoint("tests/fixtures/meter_vqa/state_dict_keys.txt", 7, weights));
    assert_true(formula_checkpoint("tests/fixtures/meter_vqa/state_dict_keys.txt", 8, other));
    expect(VERIFY(weights, "tests/fixtures/meter_vqa"), 0, "29 tensors match, 0 do not, 0 are unknown", "");
    expect(VERIFY(other, "tests/fixtures/meter_vqa"), 1, "MISMATCH", "");
    expect(VERIFY(weights, "tests/fixtures/meter_nlvr2"), 1, "", "2 picture(s)");
}

static void expect_printable(struct command_output output, int status, const char *shown)
{
    for (const char *p = output.out; *p; p++)
        if ((unsigned char)*p < ' ' && *p != '\n')
            fail_msg("byte %d in: %s", *p, output.out);
    for (const char *p = output.err; *p; p++)
        if ((unsigned char)*p < ' ' && (*p != '\n' || p[1])) // one line
            fail_msg("byte %d in: %s", *p, output.err);
    expect(output, status, status ? "" : shown, status ? shown : "");
}

// Weights, question sets and arguments come from anywhere; what they bring must not drive the terminal.
static void test_no_control_characters_reach_the_terminal(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.answers = "[\"\\u001b[31m\", \"\\u009b2J\", \"\\u001b]0;x\\u0007\", \"\\r\", \"\\u001bc\", \"\\b\", \"\\u001b6\", "
                   "\"\\u001b7\", \"\\u001b8\"]";
    const char *weights = tiny_write("loud.safetensors", &tiny);
    static const char line[] = "{\"picture\": \"picture.png\", \"question\": \"is it red?\", \"answer\": \"no\", "
                               "\"type\": \"\\u001b[2Jloud\\n\"}\n";
    const char *set = scratch_write("loud.jsonl", line, strlen(line));
    expect_printable(RUN(picture_path, "is it red?", "--model", weights), 0, "answer: ");
    expect_printable(EVAL(set, "--model", model_path), 0, "?[2Jloud ");
    expect_printable(RUN("no\033[31m\nsuch.png", "what?", "--model", model_path), 1, "no?[31m such.png");
    expect_printable(RUN(picture_path, "what?", "--\033c\007"), 2, "--?c?;");
    expect_printable(RUN(picture_path, "what?", "--policy", "\033]0;title\007"), 2, "?]0;title?;");
    expect_printable(VERIFY("\033[5n", "tests/fixtures/meter_vqa"), 1, "?[5n");
}

static void test_redundancy(void **state)
{
    (void)state;
    struct command_output output = REDUNDANCY(set_path, "--model", model_path, "--json");
    assert_int_equal(output.status, 0);
    json_t *list = json_loads(output.out, 0, NULL), *layers = json_object_get(json_array_get(list, 1), "layers");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "policy")), "none");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "policy")), "learned");
    json_t *words = json_object_get(json_array_get(layers, 0), "words");
    assert_int_equal(json_integer_value(json_object_get(words, "inputs")), 8);
    assert_true(json_is_real(json_object_get(words, "p95")));
    json_decref(list);
    command_free(&output);
    expect(REDUNDANCY(set_path, "--model", model_path, "--csv", "--policy", "none", "--limit", "2"), 0,
           "\nnone,fusion 1,patches,2,", "");
    expect(REDUNDANCY(set_path, "--model", model_path), 0, "mean of 8 questions", "");
    expect(REDUNDANCY("--picture", picture_path, "--question", "is it red", "--model", model_path, "--csv"), 0,
           "\nnone,text 1,word-heads,1,", "");
    expect(REDUNDANCY("--picture", picture_path), 2, "", "give either a question set, or --picture");
    expect(REDUNDANCY(set_path, "--json", "--csv"), 2, "", "take one of them");
    expect(REDUNDANCY("no/such.jsonl", "--model", model_path), 1, "", "no/such.jsonl");
}

static void test_compose(void **state)
{
    (void)state;
    static const char scene[] = "{\"trimscope_scene\": 1, \"background\": {\"kind\": \"meadow\"}, \"objects\": [{\"kind\": "
                                "\"dog\", \"x\": 60, \"y\": 90, \"size\": 40}], \"questions\": [\"is it red\"]}";
    const char *spec = scratch_write("scene.json", scene, strlen(scene)), *out = scratch_path("composed.jpg");
    expect(COMPOSE(spec, out, "--model", model_path, "--ask", "what is this"), 0, "what is this  ", "wrote ");
    struct picture picture;
    assert_true(picture_load(&picture, out, (struct picture_reading){0}, NULL, NULL));
    assert_int_equal(picture.width, 192);
    picture_free(&picture);
    // The description beside the picture makes the same picture again, asked by the picture's name.
    const char *again = scratch_path("again.jpg");
    expect(COMPOSE(out, again, "--model", model_path), 0, "is it red  ", "");
    char command[8300];
    snprintf(command, sizeof command, "cmp -s '%s' '%s'", out, again);
    assert_int_equal(system(command), 0);
    json_t *json = json_load_file(scratch_path("again.json"), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "picture")), "again.jpg");
    assert_int_equal(json_array_size(json_object_get(json, "questions")), 2);
    json_decref(json);
    expect(COMPOSE("--list"), 0, "  heart: red", "");
    expect(COMPOSE(spec), 2, "", "or --list");
    expect(COMPOSE(spec, scratch_path("o.png")), 2, "", "should end in .jpg");
    expect(COMPOSE(scratch_path("none.json"), out), 1, "", "none.json");
    const char *bad = scratch_write("bad.json", "{", 1);
    expect(COMPOSE(bad, out), 1, "", "bad.json: the scene is not valid JSON");
    expect(COMPOSE(spec, "/no/such/folder/o.jpg"), 1, "", "/no/such/folder");
}

static void test_edit(void **state)
{
    (void)state;
    const char *out = scratch_path("edited.png");
    expect(EDIT(picture_path, out, "--blank", "0,0,10,10", "--move=0,0,10,10:20,0", "--model", model_path, "--ask",
                "is it red"),
           0, "\n  changed   ", "wrote ");
    struct picture before, after;
    assert_true(picture_load(&before, picture_path, (struct picture_reading){0}, NULL, NULL));
    assert_true(picture_load(&after, out, (struct picture_reading){0}, NULL, NULL));
    assert_int_equal(after.pixels[25 * after.channels], 128); // blanked first, then moved
    assert_memory_equal(after.pixels + 50 * after.channels, before.pixels + 50 * before.channels, 3);
    picture_free(&before);
    picture_free(&after);
    expect(EDIT(picture_path, picture_path, "--blur", "0,0,9,9"), 2, "", "is the original");
    expect(EDIT(picture_path, out), 2, "", "no change was given");
    expect(EDIT(picture_path, out, "--mean", "9"), 2, "", "--mean: \"9\" should be X,Y,W,H");
    expect(EDIT(picture_path, out, "--mean", "9000,0,5,5"), 1, "", "outside of the picture");
    expect(EDIT(picture_path, scratch_path("o.gif"), "--mean", "0,0,5,5"), 2, "", "end in .jpg or .png");
    expect(EDIT("none.png", out, "--mean", "0,0,5,5"), 1, "", "none.png");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compose),
                                       cmocka_unit_test(test_edit),
                                       cmocka_unit_test(test_redundancy),
                                       cmocka_unit_test(test_run_json),  cmocka_unit_test(test_run_endless_question), cmocka_unit_test(test_run_table), cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_bad_input), cmocka_unit_test(test_eval),      cmocka_unit_test(test_verify),
        cmocka_unit_test(test_no_control_characters_reach_the_terminal),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
