// The likeness of tokens and heads over a set: counted again here from runs made one by one.
#include "tests/support/cmocka_all.h"

#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/redundancy.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTIONS = 8, STAGES = 32 };

static struct model *model;
static struct question_set set;
static struct run_options options;

static int set_up(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    char text[4096] = "";
    model = tiny_model(&tiny);
    options = run_options_default();
    for (int i = 0; i < QUESTIONS; i++) {
        char name[32];
        struct picture picture = tiny_picture((uint64_t)i / 2);
        snprintf(name, sizeof name, "r%d.png", i / 2);
        assert_true(picture_save_png(&picture, scratch_path(name), NULL));
        picture_free(&picture);
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "{\"picture\": \"%s\", \"question\": \"%s\", \"answer\": \"yes\"}\n", name, tiny_questions[i]);
    }
    return question_set_read(&set, scratch_write("redundancy.jsonl", text, strlen(text)), 0, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    question_set_free(&set);
    model_free(model);
    return 0;
}

// Question i of the set in a run of its own.
static struct run *ask(int i)
{
    struct picture picture = tiny_picture((uint64_t)i / 2);
    const struct picture *list[] = {&picture};
    struct run *run = run_new(model, list, 1, tiny_questions[i], &options, NULL);
    assert_non_null(run);
    tiny_finish(run);
    picture_free(&picture);
    return run;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static const struct redundancy_layer *layer_named(const struct redundancy *r, const char *name)
{
    for (int i = 0; i < r->layer_count; i++)
        if (!strcmp(r->layers[i].name, name))
            return &r->layers[i];
    return NULL;
}

static void check_spread(const struct redundancy_spread *spread, float *values, int count)
{
    double sum = 0;
    assert_int_equal(spread->count, count);
    if (!count) {
        assert_true(isnan(spread->mean) && isnan(spread->high));
        return;
    }
    qsort(values, (size_t)count, sizeof *values, ascending);
    for (int i = 0; i < count; i++)
        sum += (double)values[i];
    assert_true(fabs((double)spread->mean - sum / count) < 1e-6);
    double middle = count % 2 ? (double)values[count / 2] : ((double)values[count / 2 - 1] + (double)values[count / 2]) / 2;
    assert_true(fabs((double)spread->median - middle) < 1e-6);
    assert_true(spread->low >= values[0] && spread->high <= values[count - 1]);
    assert_true(spread->low <= spread->lower_quartile && spread->lower_quartile <= spread->median &&
                spread->median <= spread->upper_quartile && spread->upper_quartile <= spread->high);
}

static void test_set_against_single_runs(void **state)
{
    (void)state;
    static float values[STAGES][REDUNDANCY_SERIES][QUESTIONS];
    static int counts[STAGES][REDUNDANCY_SERIES];
    char names[STAGES][TRACE_NAME];
    int stages = 0;
    for (int i = 0; i < QUESTIONS; i++) {
        struct run *run = ask(i);
        const struct trace *trace = run_trace(run);
        stages = trace->stage_count;
        for (int s = 0; s < stages; s++) {
            strcpy(names[s], trace->stages[s].name);
            for (int k = 0; k < REDUNDANCY_SERIES; k++) {
                float value = redundancy_value(&trace->stages[s], (enum redundancy_series)k);
                if (!isnan(value))
                    values[s][k][counts[s][k]++] = value;
            }
        }
        run_free(run);
    }
    struct thread_pool *pool = options.pool = thread_pool_new(3);
    struct redundancy r;
    options.bare = true; // is overruled
    assert_true(redundancy_of_set(model, &set, &options, NULL, NULL, &r, NULL));
    options.bare = false;
    options.pool = NULL;
    thread_pool_free(pool);
    assert_int_equal(r.inputs, QUESTIONS);
    int found = 0;
    for (int s = 0; s < stages; s++) {
        const struct redundancy_layer *layer = layer_named(&r, names[s]);
        int known = 0;
        for (int k = 0; k < REDUNDANCY_SERIES; k++) {
            known += counts[s][k];
            if (layer)
                check_spread(&layer->of[k], values[s][k], counts[s][k]);
        }
        assert_int_equal(layer != NULL, known > 0);
        found += layer != NULL;
    }
    assert_int_equal(r.layer_count, found);
    assert_null(layer_named(&r, "answer"));
    redundancy_free(&r);
}

static void test_one_input(void **state)
{
    (void)state;
    struct run *run = ask(0);
    struct redundancy r;
    assert_true(redundancy_of_trace(run_trace(run), &r));
    assert_int_equal(r.inputs, 1);
    const struct trace *trace = run_trace(run);
    int fusions = 0;
    for (int s = 0; s < trace->stage_count; s++) {
        const struct stage *stage = &trace->stages[s];
        const struct redundancy_layer *layer = layer_named(&r, stage->name);
        if (!layer)
            continue;
        const struct redundancy_spread *patches = &layer->of[REDUNDANCY_PATCHES];
        if (patches->count)
            assert_true(patches->mean == stage->redundancy_image && patches->low == patches->high);
        // The heads of both modalities together are the mean of the modules, two of each.
        float *of = trace->stages[s].redundancy_heads_of, all = stage->redundancy_heads;
        if (stage->kind == STAGE_IMAGE)
            assert_true((isnan(all) && isnan(of[0])) || all == of[0]);
        if (stage->kind == STAGE_TEXT)
            assert_true(((isnan(all) && isnan(of[1])) || all == of[1]) && isnan(of[0]));
        if (stage->kind == STAGE_FUSION && !isnan(of[0]) && !isnan(of[1])) {
            assert_true(all >= fminf(of[0], of[1]) - 1e-6F && all <= fmaxf(of[0], of[1]) + 1e-6F);
            fusions++;
        }
    }
    assert_true(fusions > 0);
    redundancy_free(&r);
    run_free(run);
    struct trace empty;
    trace_init(&empty);
    assert_true(redundancy_of_trace(&empty, &r));
    assert_int_equal(r.inputs, 0);
    redundancy_free(&r);
}

static bool stop_at_once(void *context, int done, int total)
{
    (void)total;
    *(int *)context = done;
    return false;
}

static void test_cancel(void **state)
{
    (void)state;
    struct redundancy r;
    struct error err = {0};
    int done = 0;
    assert_false(redundancy_of_set(model, &set, &options, stop_at_once, &done, &r, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_true(done >= 1 && done < QUESTIONS);
    assert_int_equal(r.inputs, done);
    assert_true(r.layer_count > 0);
    redundancy_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_set_against_single_runs), cmocka_unit_test(test_one_input),
                                       cmocka_unit_test(test_cancel)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
