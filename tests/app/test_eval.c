// eval, merge and sweep as a person calls them: results kept, resumed, spread over processes, put together, compared.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "tests/support/command.h"
#include "tests/support/little_set.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PICTURES = 6, EACH = 3 };

static const char *model_path, *set_path;

static int make_files(void **state)
{
    (void)state;
    const struct little_set make = {"set.jsonl", PICTURES, EACH, "red", "dog"};
    little_set_write(&make, &model_path, &set_path);
    return 0;
}

#define EVAL(...) command_run(cmd_eval, (const char *const[]){"eval", __VA_ARGS__, NULL})
#define SWEEP(...) command_run(cmd_sweep, (const char *const[]){"sweep", __VA_ARGS__, NULL})
#define MERGE(...) command_run(cmd_merge, (const char *const[]){"merge", __VA_ARGS__, NULL})

static void expect(struct command_output output, int status, const char *out, const char *err)
{
    if (output.status != status || !strstr(output.out, out) || !strstr(output.err, err))
        fail_msg("status %d, stdout: %s\nstderr: %s\nexpected %d, \"%s\", \"%s\"", output.status, output.out,
                 output.err, status, out, err);
    command_free(&output);
}

// Without what differs from run to run: milliseconds.
static json_t *without_ms(struct command_output output)
{
    const char *type;
    json_t *part;
    assert_int_equal(output.status, 0);
    json_t *root = json_loads(output.out, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_object_del(root, "ms"), 0);
    json_object_foreach(json_object_get(root, "by_type"), type, part)
        assert_int_equal(json_object_del(part, "ms"), 0);
    command_free(&output);
    return root;
}

static void test_results_are_kept_and_resumed(void **state)
{
    (void)state;
    const char *file = scratch_path("kept.jsonl");
    json_t *first = without_ms(EVAL(set_path, "--model", model_path, "--json", "--results", file));
    struct command_output again = EVAL(set_path, "--model", model_path, "--json", "--results", file);
    assert_non_null(strstr(again.err, "holds 18 answers already"));
    json_t *second = without_ms(again);
    assert_true(json_equal(first, second));
    assert_int_equal(json_integer_value(json_object_get(first, "questions")), 18);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(truncate(file, st.st_size - 7), 0);
    again = EVAL(set_path, "--model", model_path, "--json", "--results", file);
    assert_non_null(strstr(again.err, "was torn"));
    assert_non_null(strstr(again.err, "holds 17 answers already"));
    json_t *third = without_ms(again);
    assert_true(json_equal(first, third));
    json_t *merged = without_ms(MERGE(file, "--json"));
    assert_true(json_equal(first, merged));
    json_decref(first);
    json_decref(second);
    json_decref(third);
    json_decref(merged);
    expect(EVAL(set_path, "--model", model_path, "--results", file, "--policy", "random", "--budget", ".9"), 1, "",
           "comes from the policy learned, not random");
    expect(EVAL(set_path, "--model", model_path, "--results", file, "--exact"), 1, "", "without --exact, not with it");
    expect(EVAL(set_path, "--model", model_path, "--results", file, "--limit", "4"), 1, "", "18 questions of the set, not 4");
}

static void test_shards(void **state)
{
    (void)state;
    json_t *whole = without_ms(EVAL(set_path, "--model", model_path, "--json"));
    const char *parts[] = {scratch_path("a.jsonl"), scratch_path("b.jsonl"), scratch_path("c.jsonl"),
                           scratch_path("d.jsonl")};
    for (int i = 0; i < 4; i++) {
        char shard[16];
        snprintf(shard, sizeof shard, "%d/4", i + 1);
        expect(EVAL(set_path, "--model", model_path, "--shard", shard, "--results", parts[i]), 0, "policy learned", "");
    }
    const char *joined = scratch_path("joined.jsonl");
    json_t *merged = without_ms(MERGE(parts[2], parts[0], parts[3], parts[1], "--json", "--out", joined));
    assert_true(json_equal(whole, merged)); // the very same numbers
    json_t *again = without_ms(MERGE(joined, "--json"));
    assert_true(json_equal(whole, again));
    json_decref(whole);
    json_decref(merged);
    json_decref(again);
    expect(MERGE(parts[0], parts[1], parts[3]), 1, "", "shard 3 of 4 is missing");
    expect(MERGE(parts[0], parts[1], parts[2], parts[3], "--out", parts[2]), 2, "", "written over");
    expect(EVAL(set_path, "--model", model_path, "--shard", "99/99", "--results", scratch_path("empty.jsonl")), 0,
           "No question has been answered", "");
    expect(MERGE(parts[0], set_path), 1, "", "not a file of results");
    expect(EVAL(set_path, "--model", model_path, "--shard", "1/2"), 2, "", "--shard needs --results");
    static const char *const bad[] = {"0/2", "3/2", "1", "1/", "/2", "1/2x", "-1/2", "a/b", "1/99999999", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(EVAL(set_path, "--model", model_path, "--shard", bad[i], "--results", scratch_path("x.jsonl")), 2, "",
               "--shard takes I/N");
}

static void test_against(void **state)
{
    (void)state;
    const char *a = scratch_path("learned.jsonl"), *b = scratch_path("none.jsonl");
    expect(EVAL(set_path, "--model", model_path, "--results", a), 0, "", "");
    expect(EVAL(set_path, "--model", model_path, "--results", b, "--policy", "none"), 0, "", "");
    struct command_output output = MERGE(a, "--against", b, "--json", "--list");
    double difference, share, low, high;
    int questions, pictures, both, first, second, neither;
    json_t *root = json_loads(output.out, 0, NULL);
    assert_int_equal(json_unpack(root, "{s:F, s:[F, F], s:F, s:i, s:i, s:i, s:i, s:i, s:i}", "accuracy_difference",
                                 &difference, "accuracy_difference_interval", &low, &high, "share_difference", &share,
                                 "questions", &questions, "pictures", &pictures, "both_right", &both,
                                 "only_first_right", &first, "only_second_right", &second, "neither_right", &neither),
                     0);
    assert_int_equal(questions, 18);
    assert_int_equal(pictures, PICTURES);
    assert_int_equal(both + first + second + neither, 18);
    assert_true(fabs(difference - (second - first) / 18.0) < 1e-5);
    assert_true(low <= difference && difference <= high);
    assert_true(share > 0); // the unpruned model spends more
    // Each question that tells them apart is named, with what each of the two answered.
    const json_t *list = json_object_get(root, "only_one_right");
    assert_int_equal(json_array_size(list), first + second);
    assert_true(first + second > 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *truth, *answers[2], *right;
        assert_int_equal(json_unpack(json_array_get(list, i), "{s:s, s:s, s:s, s:s}", "truth", &truth, "first",
                                     &answers[0], "second", &answers[1], "right", &right),
                         0);
        bool is_first = !strcmp(right, "first");
        assert_string_equal(answers[!is_first], truth);
        assert_string_not_equal(answers[is_first], truth);
    }
    json_decref(root);
    command_free(&output);
    output = MERGE(a, "--against", b, "--list");
    int named = 0;
    for (const char *line = output.out; (line = strstr(line, "\nonly ")); line++)
        named++;
    assert_int_equal(named, first + second);
    command_free(&output);
    expect(MERGE(a, "--list"), 2, "", "--list goes with --against");
    expect(MERGE(a, "--against", a), 0, "do not tell the two apart", "");
    expect(MERGE(a, "--against", scratch_path("a.jsonl")), 1, "", "shard 2 of 4 is missing");
}

static json_t *sweep_json(struct command_output output, int status, const char *err)
{
    if (output.status != status || !strstr(output.err, err))
        fail_msg("status %d: %s", output.status, output.err);
    json_t *root = json_loads(output.out, 0, NULL);
    assert_true(json_is_array(root));
    command_free(&output);
    return root;
}

static void test_sweep(void **state)
{
    (void)state;
    const char *folder = scratch_path("sweep");
    json_t *list = sweep_json(SWEEP(set_path, "--model", model_path, "--policies", "none,random,learned", "--budgets",
                                    "0.9,0.97,trained", "--results", folder, "--json", "--progress"),
                              0, "random, budget 0.97 (3 of 7): 18 of 18 questions");
    assert_int_equal(json_array_size(list), 7);
    // A point says what eval says.
    json_t *eval = without_ms(EVAL(set_path, "--model", model_path, "--json", "--policy", "random", "--budget", "0.9"));
    json_t *same = json_array_get(list, 1);
    for (const char *const *key = (const char *const[]){"accuracy", "accuracy_interval", "share", "lift", NULL}; *key; key++)
        assert_true(json_equal(json_object_get(same, *key), json_object_get(eval, *key)));
    json_decref(eval);
    // Without a calibration a learned policy keeps to a budget by counts.
    assert_true(json_is_real(json_object_get(json_array_get(list, 4), "accuracy")));
    assert_true(json_is_real(json_object_get(json_array_get(list, 6), "accuracy")));
    // Each point is a file that eval goes on with, and a second sweep computes nothing.
    struct command_output again = SWEEP(set_path, "--model", model_path, "--policies", "none,random", "--budgets",
                                        "0.9,0.97", "--results", folder, "--csv", "--progress");
    assert_int_equal(again.status, 0);
    assert_non_null(strstr(again.out, "\nrandom,0.9,18,"));
    assert_null(strstr(again.err, "questions (100 %)")); // no picture was shown to the model
    command_free(&again);
    expect(EVAL(set_path, "--model", model_path, "--policy", "none", "--results", scratch_path("sweep/none.jsonl")), 0, "",
           "holds 18 answers already");
    assert_int_equal(access(scratch_path("sweep/learned-0.9.jsonl"), F_OK), 0);
    bool front = false;
    for (size_t i = 0; i < json_array_size(list); i++)
        front = front || json_is_true(json_object_get(json_array_get(list, i), "pareto_flops"));
    assert_true(front);
    json_decref(list);
    expect(SWEEP(set_path, "--model", model_path, "--policies", "none,random", "--budgets", ".9"), 0, "share of the dense FLOPs",
           "");
}

static void test_sweep_usage(void **state)
{
    (void)state;
    expect(SWEEP(set_path, "--policies", "none,greedy"), 2, "", "no policy greedy");
    expect(SWEEP(set_path, "--policies", ",,greedy"), 2, "", "no policy greedy");
    expect(SWEEP(set_path, "--policies", ", ,"), 2, "", "--policies names no policy");
    expect(SWEEP(set_path, "--budgets", ",, 2"), 2, "", "\"trained\", not 2");
    expect(SWEEP(set_path, "--budgets", ""), 2, "", "--budgets names no budget");
    expect(SWEEP(set_path, "--policies", ""), 2, "", "no policy");
    expect(SWEEP(set_path, "--budgets", "0.5,2"), 2, "", "not 2");
    expect(SWEEP(set_path, "--budgets", "0.5,nan"), 2, "", "not nan");
    expect(SWEEP(set_path, "--json", "--csv"), 2, "", "take one of them");
    expect(SWEEP(set_path, "--model", model_path, "--policies", "learned", "--budgets", ".01"), 1, "", "at least");
    expect(SWEEP(scratch_path("nowhere.jsonl"), "--model", model_path), 1, "", "nowhere.jsonl");
}

// The program itself, beside the tests; NULL where only the tests were built.
static const char *program(void)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    for (int up = 0; n > 0 && up < 3; up++) // BUILD/tests/app/test_eval
        path[n = (ssize_t)(strrchr(path, '/') - path)] = 0;
    if (n <= 0)
        return NULL;
    strcpy(path + n, "/trimscope");
    return access(path, X_OK) == 0 ? path : NULL;
}

// The very line that README.md and --help give.
static void test_with_gnu_parallel(void **state)
{
    (void)state;
    char command[8192];
    if (!program() || system("parallel --version 2>/dev/null | grep -q '^GNU parallel'") != 0)
        skip();
    snprintf(command, sizeof command,
             "cd '%s' && parallel -j2 '%s' eval set.jsonl --model model.safetensors --threads 1 --shard {}/3 --results "
             "part{}.jsonl '>' /dev/null ::: 1 2 3 </dev/null 2>parallel.err",
             scratch_path("."), program());
    assert_int_equal(system(command), 0);
    json_t *whole = without_ms(EVAL(set_path, "--model", model_path, "--json"));
    json_t *merged = without_ms(MERGE(scratch_path("part1.jsonl"), scratch_path("part2.jsonl"),
                                      scratch_path("part3.jsonl"), "--json"));
    assert_true(json_equal(whole, merged));
    json_decref(whole);
    json_decref(merged);
}

// Two pictures to a question: pairs are what shards and lines are about.
static void test_pairs(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.task = TASK_NLVR2;
    const char *pair = tiny_write("pair.safetensors", &tiny), *file = scratch_path("pair.jsonl");
    char text[4096] = "", line[8192];
    for (int i = 0; i < 8; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "{\"picture\": [\"p%d.png\", \"p%d.png\"], \"question\": \"%s\", \"answer\": \"True\"}\n", i / 2, 4 + i % 2,
                 tiny_questions[i]);
    const char *pairs = scratch_write("pairs.jsonl", text, strlen(text));
    json_t *whole = without_ms(EVAL(pairs, "--model", pair, "--json"));
    const char *second = scratch_path("pair2.jsonl");
    expect(EVAL(pairs, "--model", pair, "--shard", "1/2", "--results", file), 0, "all                       4", "");
    expect(EVAL(pairs, "--model", pair, "--shard", "2/2", "--results", second), 0, "all                       4", "");
    json_t *merged = without_ms(MERGE(file, second, "--json"));
    assert_true(json_equal(whole, merged));
    json_decref(whole);
    json_decref(merged);
    FILE *in = fopen(file, "r");
    assert_non_null(fgets(line, sizeof line, in));
    assert_non_null(fgets(line, sizeof line, in));
    fclose(in);
    json_t *row = json_loads(line, 0, NULL), *keep = json_object_get(row, "keep");
    assert_string_equal(json_string_value(json_array_get(json_object_get(row, "picture"), 1)), "p4.png");
    assert_true(json_is_array(json_object_get(keep, "image")) && json_is_array(json_object_get(keep, "image2")));
    json_decref(row);
}

// A line that is wrong is named with its set and number, and so is a question without a word.
static void test_lines_that_are_wrong(void **state)
{
    (void)state;
    const char *set;
#define SET(text) (set = scratch_write("odd.jsonl", text, sizeof text - 1))
    expect(EVAL(SET("\n[]\n"), "--model", model_path), 1, "", "odd.jsonl, line 2: this is a list");
    expect(EVAL(SET("{\"picture\" 1}\n"), "--model", model_path), 1, "", "odd.jsonl, line 1: this is not JSON: column 12: ");
    expect(EVAL(SET("\n\n{\"picture\": \"nowhere.png\", \"question\": \"dog\", \"answer\": \"dog\"}\n"), "--model", model_path), 1,
           "", "odd.jsonl, line 3: cannot open ");
    expect(EVAL(SET("{\"picture\": [\"assets/pictures/airplane.jpg\", \"b.png\"], \"question\": \"dog\", \"answer\": \"dog\"}\n"),
                "--model", model_path), 1, "", "odd.jsonl, line 1: ");
    char text[4096], *picture = realpath("assets/pictures/airplane.jpg", NULL);
    snprintf(text, sizeof text, "\xef\xbb\xbf{\"picture\": \"%s\", \"question\": \"what is it\", \"answer\": \"dog\"}\r\n"
             "{\"picture\": \"%s\", \"question\": \"\", \"answer\": \"dog\"}\r\n", picture, picture);
    free(picture);
    expect(EVAL(scratch_write("odd.jsonl", text, strlen(text))), 0, "all", "in 1 question, the 2. of the set, the model knows no word");
    expect(MERGE(SET("[]\n")), 1, "", "odd.jsonl: line 1: this is a list");
#undef SET
}

static void test_progress(void **state)
{
    (void)state;
    expect(EVAL(set_path, "--model", model_path, "--progress"), 0, "all", "18 of 18 questions (100 %)");
    struct command_output output = EVAL(set_path, "--model", model_path);
    assert_string_equal(output.err, ""); // stderr is no terminal
    command_free(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_are_kept_and_resumed),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_against),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_sweep_usage),
        cmocka_unit_test(test_with_gnu_parallel),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_lines_that_are_wrong),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
