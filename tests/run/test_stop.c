// A run that is stopped within a stage, wherever that is: nothing half computed is ever used.
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

enum { PIXELS = 3 * 96 * 96 };

// Sets the flag when it has seen so many tensors.
struct stopper {
    atomic_bool stop;
    int seen, at;
};

static void stop_within(void *context, const char *name, const float *x, int rows, int width)
{
    struct stopper *stopper = context;
    (void)name, (void)x, (void)rows, (void)width;
    if (++stopper->seen == stopper->at)
        stopper->stop = true;
}

static struct run *make_run(const struct model *model, enum policy policy, struct stopper *stopper)
{
    static float pixels[2 * PIXELS];
    static const int ids[] = {0, 7, 9, 12, 2};
    struct run_options options = run_options_default();
    struct error err = {0};
    options.policy = policy;
    options.stop = &stopper->stop;
    for (int i = 0; i < 2 * PIXELS; i++)
        pixels[i] = (float)sin(0.1 * i + i / PIXELS);
    struct run *run = run_new_from_tensors(model, (const float *const[]){pixels, pixels + PIXELS}, ids, 5, &options, stop_within,
                                           stopper, &err);
    if (!run)
        fail_msg("%s", err.text);
    return run;
}

// How often it was stopped on its way to the end.
static int finish(struct run *run, struct stopper *stopper)
{
    struct error err = {0};
    int stopped = 0;
    while (!run_finished(run)) {
        int stages = run_trace(run)->stage_count;
        if (run_step(run, &err))
            continue;
        assert_int_equal(err.code, ERROR_CANCELLED);
        assert_int_equal(run_trace(run)->stage_count, stages);
        assert_false(run_step(run, &err)); // it stays stopped as long as it is wished
        stopper->stop = false;
        stopped++;
    }
    return stopped;
}

static void check_model(const struct tiny_options *tiny)
{
    static const enum policy policies[] = {POLICY_NONE, POLICY_LEARNED};
    struct model *model = tiny_model(tiny);
    for (int p = 0; p < 2; p++) {
        struct stopper undisturbed = {.at = -1};
        struct run *whole = make_run(model, policies[p], &undisturbed);
        assert_int_equal(finish(whole, &undisturbed), 0);
        int stops = 0, tensors = undisturbed.seen;
        for (int at = 1; at <= tensors; at++) {
            struct stopper stopper = {.at = at};
            struct run *run = make_run(model, policies[p], &stopper);
            int stopped = finish(run, &stopper);
            assert_in_range(stopped, 0, 1); // the last product of a stage has nothing behind it to be left out
            stops += stopped;
            tiny_check_same_trace(run_trace(run), run_trace(whole));
            run_free(run);
        }
        assert_true(tensors > 15 && stops > tensors / 2);
        run_free(whole);
    }
    model_free(model);
}

static void test_stopped_within_a_stage(void **state)
{
    (void)state;
    struct tiny_options meter = tiny_everything(), pair = meter;
    pair.task = TASK_NLVR2;
    check_model(&meter);
    check_model(&pair);
    static const enum model_task tasks[] = {TASK_VQA, TASK_CAPTION, TASK_RETRIEVAL};
    for (int t = 0; t < 3; t++) {
        struct tiny_options blip = {.task = tasks[t], .blip = true, .image_trimmers = true, .fusion_trimmers = true, .seed = 9};
        check_model(&blip);
    }
}

// What was computed before stays, what is asked of it too.
static void test_finished_stages_can_be_asked(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct stopper stopper = {.at = -1};
    struct run *run = make_run(model, POLICY_NONE, &stopper);
    struct error err = {0};
    while (run_trace(run)->stage_count < run_trace(run)->stage_total - 2)
        assert_true(run_step(run, &err));
    stopper.stop = true;
    assert_false(run_step(run, &err));
    static float map[37 * 37];
    int queries, keys, last = run_trace(run)->stage_count - 1;
    assert_int_equal(run_trace(run)->stages[last].kind, STAGE_FUSION);
    if (!run_attention(run, last, 0, MODULE_MSA, 0, map, &queries, &keys, &err))
        fail_msg("%s", err.text);
    float sum = 0;
    for (int k = 0; k < keys; k++)
        sum += map[k];
    assert_true(fabsf(sum - 1) < 1e-4f);
    run_free(run);
    model_free(model);
}

// ---- sets

enum { QUESTIONS = 8 };

struct asking {
    atomic_bool stop;
    int answered;
};

static bool stop_after_three(void *context, int index, const struct evaluation *result, const struct trace *trace,
                             struct error *err)
{
    struct asking *asking = context;
    (void)index, (void)result, (void)trace, (void)err;
    asking->stop = ++asking->answered == 3;
    return true;
}

// Of one picture's questions no further one is answered, and those that were are as they should be.
static void test_set(void **state)
{
    (void)state;
    char text[2048] = "";
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    struct picture picture = tiny_picture(0);
    assert_true(picture_save_png(&picture, scratch_path("one.png"), NULL));
    picture_free(&picture);
    for (int q = 0; q < QUESTIONS; q++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "{\"picture\": \"one.png\", \"question\": \"%s\", \"answer\": \"x\"}\n",
                 tiny_questions[q]);
    struct question_set set;
    struct error err = {0};
    struct evaluation whole[QUESTIONS], results[QUESTIONS] = {{0}};
    assert_true(question_set_read(&set, scratch_write("one.jsonl", text, strlen(text)), 0, &err));
    struct run_options options = run_options_default();
    struct asking asking = {.answered = 0};
    assert_true(evaluate_set(model, &set, &options, NULL, NULL, whole, &err));
    options.stop = &asking.stop;
    const struct evaluate_request request = {.run = &options, .answered = stop_after_three, .context = &asking};
    assert_false(evaluate_run(model, &set, &request, results, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_int_equal(asking.answered, 3);
    for (int q = 0; q < QUESTIONS; q++) {
        assert_int_equal(results[q].done, q < 3);
        if (results[q].done)
            assert_string_equal(results[q].answer, whole[q].answer);
    }
    question_set_free(&set);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped_within_a_stage),
        cmocka_unit_test(test_finished_stages_can_be_asked),
        cmocka_unit_test(test_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
