// Question sets: reading them, and what is counted.
#include "tests/support/cmocka_all.h"

#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/evaluate.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_text(struct question_set *set, const char *text, struct error *err)
{
    return question_set_read(set, scratch_write("set.jsonl", text, strlen(text)), 0, err);
}

static void test_reading(void **state)
{
    (void)state;
    struct question_set set;
    struct error err = {0};
    assert_true(read_text(&set,
                          "{\"picture\": \"a.png\", \"question\": \"q?\", \"answer\": \"x\", \"type\": \"t\", "
                          "\"needed\": [[1, 2, 3, 4.5]], \"others\": []}\n\n  \n"
                          "{\"picture\": [\"/b.png\", \"c.png\"], \"question\": \"r\", \"answer\": \"y\", \"more\": 1}",
                          &err));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.questions[0].pictures[0], scratch_path("a.png"));
    assert_null(set.questions[0].pictures[1]);
    assert_string_equal(set.questions[0].type, "t");
    assert_int_equal(set.questions[0].needed_count, 1);
    assert_true(set.questions[0].needed[0].y1 == 4.5);
    assert_string_equal(set.questions[1].pictures[0], "/b.png");
    assert_string_equal(set.questions[1].pictures[1], scratch_path("c.png"));
    assert_string_equal(set.questions[1].type, "");
    question_set_free(&set);
    assert_true(question_set_read(&set, scratch_path("set.jsonl"), 1, &err));
    assert_int_equal(set.count, 1);
    question_set_free(&set);
}

static void test_bad_lines(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n\n",
        "{",
        "[]",
        "{\"question\": \"q\", \"answer\": \"a\"}",
        "{\"picture\": 3, \"question\": \"q\", \"answer\": \"a\"}",
        "{\"picture\": [], \"question\": \"q\", \"answer\": \"a\"}",
        "{\"picture\": [\"a\", \"b\", \"c\"], \"question\": \"q\", \"answer\": \"a\"}",
        "{\"picture\": \"a\", \"answer\": \"a\"}",
        "{\"picture\": \"a\", \"question\": \"q\", \"answer\": 4}",
        "{\"picture\": \"a\", \"question\": \"q\", \"answer\": \"a\", \"type\": 1}",
        "{\"picture\": \"a\", \"question\": \"q\", \"answer\": \"a\", \"needed\": 1}",
        "{\"picture\": \"a\", \"question\": \"q\", \"answer\": \"a\", \"needed\": [[1, 2, 3]]}",
        "{\"picture\": \"a\", \"question\": \"q\", \"answer\": \"a\", \"others\": [[5, 2, 3, 9]]}",
        "{\"picture\": \"a\\u0000b\", \"question\": \"q\", \"answer\": \"a\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct question_set set;
        struct error err = {0};
        assert_false(read_text(&set, bad[i], &err));
        assert_true(strlen(err.text) > 10);
        assert_int_equal(set.count, 0);
    }
}

enum { PICTURES = 6, EACH = 3 };

// Six pictures, three questions each; a needed object on the patches (1, 1) to (2, 2), another on the lower half.
static const char *write_set(char answers[PICTURES * EACH][TRACE_ANSWER])
{
    static char text[16384];
    text[0] = '\0';
    for (int i = 0; i < PICTURES; i++) {
        char name[32];
        struct picture picture = tiny_picture((uint64_t)i);
        snprintf(name, sizeof name, "p%d.png", i);
        assert_true(picture_save_png(&picture, scratch_path(name), NULL));
        picture_free(&picture);
        for (int k = 0; k < EACH; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text),
                     "{\"picture\": \"%s\", \"question\": \"%s\", \"answer\": \"%s\", \"type\": \"%s\", \"needed\": [[16, "
                     "16, 44, 48]], \"others\": [[0, 48, 96, 96], [46, 16, 50, 40]]}\n",
                     name, tiny_questions[k], answers[i * EACH + k], k ? "odd" : "even");
    }
    return scratch_write("tiny.jsonl", text, strlen(text));
}

static void test_results(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.seed = 30; // with these weights some patches of most pictures stay to the end
    struct model *model = tiny_model(&tiny);
    struct thread_pool *pool = thread_pool_new(2);
    struct run_options options = run_options_default();
    struct error err = {0};
    static char answers[PICTURES * EACH][TRACE_ANSWER];
    struct evaluation expected[PICTURES * EACH] = {{0}}, results[PICTURES * EACH];
    // What single runs say; every third expected answer is made wrong.
    for (int i = 0; i < PICTURES * EACH; i++) {
        struct picture picture = tiny_picture((uint64_t)(i / EACH));
        const struct picture *list[] = {&picture};
        struct run *run = run_new(model, list, 1, tiny_questions[i % EACH], NULL, &err);
        assert_non_null(run);
        tiny_finish(run);
        const struct trace *trace = run_trace(run);
        const uint8_t *alive = trace->stages[trace->stage_count - 1].tokens[0].alive;
        snprintf(answers[i], sizeof answers[i], "%s", i % 3 ? trace->answer.text : "wrong");
        expected[i] = (struct evaluation){.correct = i % 3 != 0, .share = trace->spent_macs / trace->dense_macs};
        // (1,1), (2,1), (1,2), (2,2) of the needed one, with more than a quarter each; rows 3 to 5 of the other; (3, 1),
        // which the second other touches with an eighth, shows nothing.
        expected[i].needed_alive = alive[1 + 7] + alive[1 + 8] + alive[1 + 13] + alive[1 + 14];
        for (int p = 18; p < 36; p++)
            expected[i].other_alive += alive[1 + p];
        run_free(run);
        picture_free(&picture);
    }
    struct question_set set;
    assert_true(question_set_read(&set, write_set(answers), 0, &err));
    options.pool = pool;
    if (!evaluate_set(model, &set, &options, NULL, NULL, results, &err))
        fail_msg("%s", err.text);
    double needed = 0, other = 0, share = 0;
    for (int i = 0; i < set.count; i++) {
        assert_true(results[i].done);
        assert_int_equal(results[i].correct, expected[i].correct);
        assert_true(results[i].share == expected[i].share);
        assert_int_equal(results[i].needed, 4);
        assert_int_equal(results[i].other, 18);
        assert_int_equal(results[i].needed_alive, expected[i].needed_alive);
        assert_int_equal(results[i].other_alive, expected[i].other_alive);
        needed += expected[i].needed_alive;
        other += expected[i].other_alive;
        share += expected[i].share / set.count;
    }
    struct evaluation_summary summary;
    assert_true(evaluate_summarize(&set, results, NULL, NULL, &summary, &err));
    assert_int_equal(summary.questions, 18);
    assert_int_equal(summary.correct, 12);
    assert_true(fabs(summary.accuracy.value - 12.0 / 18) < 1e-12);
    assert_true(fabs(summary.share.value - share) < 1e-12);
    assert_true(summary.share.low < share && share < summary.share.high);
    assert_true(other > 0 && fabs(summary.lift.value - needed / 72 / (other / (18 * 18))) < 1e-12);
    assert_true(summary.quantiles[0] < summary.quantiles[4]);
    assert_true(evaluate_summarize(&set, results, "even", NULL, &summary, &err));
    assert_int_equal(summary.questions, 6);
    assert_int_equal(summary.correct, 0); // the wrong third is the first question of each picture
    question_set_free(&set);
    thread_pool_free(pool);
    model_free(model);
}

// The interval holds what binomial theory says for independent pictures: 40 pictures, one question, 30 right.
static void test_interval(void **state)
{
    (void)state;
    struct question questions[40];
    struct evaluation results[40] = {{0}};
    char names[40][8];
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        questions[i] = (struct question){.pictures = {names[i]}, .type = names[0]};
        results[i] = (struct evaluation){.done = true, .correct = i % 4 != 0, .share = 0.5 + i / 100.0};
        results[i].objects = i / 5; // 0 to 7, five of each
    }
    struct question_set set = {.questions = questions, .count = 40, .capacity = 40};
    struct evaluation_summary summary;
    assert_true(evaluate_summarize(&set, results, NULL, NULL, &summary, NULL));
    double sigma = sqrt(0.75 * 0.25 / 40); // 0.0685
    assert_true(fabs(summary.accuracy.low - (0.75 - 1.96 * sigma)) < 0.03);
    assert_true(fabs(summary.accuracy.high - (0.75 + 1.96 * sigma)) < 0.03);
    assert_true(isnan(summary.lift.value));
    int correct = 0;
    for (int i = 0; i < EVALUATE_NEEDS; i++) {
        bool rest = i == EVALUATE_NEEDS - 1; // 5, 6 and 7
        assert_int_equal(summary.needs[i].questions, rest ? 15 : 5);
        assert_true(fabs(summary.needs[i].share - (rest ? 0.82 : 0.52 + i / 20.0)) < 1e-12);
        correct += summary.needs[i].correct;
    }
    assert_int_equal(correct, 30);
    assert_int_equal(summary.needs[0].correct, 3);
    assert_true(fabs(summary.quantiles[1] - 0.52) < 1e-12 && fabs(summary.quantiles[3] - 0.87) < 1e-12);
}

static bool stop_at_once(void *context, int done, int total)
{
    (void)total;
    *(int *)context = done;
    return false;
}

static void test_cancel_and_errors(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct run_options options = run_options_default();
    struct error err = {0};
    static char answers[PICTURES * EACH][TRACE_ANSWER];
    struct evaluation results[PICTURES * EACH];
    struct question_set set;
    int done = 0, answered = 0;
    assert_true(question_set_read(&set, write_set(answers), 0, &err));
    assert_false(evaluate_set(model, &set, &options, stop_at_once, &done, results, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    for (int i = 0; i < set.count; i++)
        answered += results[i].done;
    assert_int_equal(done, EACH);
    assert_int_equal(answered, EACH);
    strcpy(strrchr(set.questions[4].pictures[0], '/'), "/none"); // a picture that is not there
    assert_false(evaluate_set(model, &set, &options, NULL, NULL, results, &err));
    assert_int_equal(err.code, ERROR_INPUT);
    assert_non_null(strstr(err.text, "none"));
    question_set_free(&set);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),  cmocka_unit_test(test_bad_lines),         cmocka_unit_test(test_results),
        cmocka_unit_test(test_interval), cmocka_unit_test(test_cancel_and_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
