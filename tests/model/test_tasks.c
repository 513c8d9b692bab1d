// METER's tasks beside VQA: recognised from the tensors alone, answers named, heads as the original computes them.
#include "engine/io/npy.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE "tests/fixtures/meter_vqa/"
enum { FEATURES = 256 }; // two CLS rows of 128

// The fixture model with the tensors of `head` in the place of its VQA head.
static struct model *open_with(const char *head)
{
    char line[256], *keys = NULL;
    size_t size = 0;
    FILE *from = fopen(FIXTURE "state_dict_keys.txt", "r"), *to = open_memstream(&keys, &size);
    assert_non_null(from);
    assert_non_null(to);
    while (fgets(line, sizeof line, from))
        if (strncmp(line, "vqa_classifier", 14) != 0)
            fputs(line, to);
    fputs(head, to);
    fclose(from);
    fclose(to);
    const char *weights = scratch_path("task.safetensors");
    assert_true(formula_checkpoint(scratch_write("keys.txt", keys, size), 7, weights));
    free(keys);
    struct error err = {0};
    struct model *model = model_open(weights, NULL, &err);
    if (!model)
        fail_msg("%s", err.text);
    return model;
}

static float *read_floats(const char *path, size_t *count)
{
    struct npy npy;
    struct error err = {0};
    if (!npy_open(&npy, path, &err))
        fail_msg("%s", err.text);
    float *out = malloc(npy.elements * sizeof *out);
    assert_non_null(out);
    npy_floats(&npy, out);
    *count = npy.elements;
    npy_close(&npy);
    return out;
}

struct seen {
    float features[FEATURES], logits[8];
    int labels;
};

static void see(void *context, const char *name, const float *x, int rows, int width)
{
    struct seen *seen = context;
    if (!strcmp(name, "cls_feats") && rows * width == FEATURES)
        memcpy(seen->features, x, sizeof seen->features);
    if (!strcmp(name, "logits") && width <= 8) {
        memcpy(seen->logits, x, (size_t)width * sizeof *x);
        seen->labels = width;
    }
}

// Runs the model on the fixture's first sample; the trace is the run's, which the caller frees.
static struct run *run_fixture(const struct model *model, struct seen *seen)
{
    struct run_options options = run_options_default();
    struct error err = {0};
    size_t pixels, tokens;
    float *image = read_floats(FIXTURE "in_image.npy", &pixels), *text = read_floats(FIXTURE "in_text_ids.npy", &tokens);
    float *mask = read_floats(FIXTURE "in_text_mask.npy", &tokens);
    int ids[64], count = 0;
    for (size_t t = 0; t < tokens / 2; t++)
        if (mask[t] > 0)
            ids[count++] = (int)text[t];
    options.policy = POLICY_NONE;
    struct run *run =
        run_new_from_tensors(model, (const float *const[]){image}, ids, count, &options, see, seen, &err);
    if (!run)
        fail_msg("%s", err.text);
    while (run_step(run, &err))
        continue;
    assert_true(run_finished(run));
    free(image);
    free(text);
    free(mask);
    // The head stands on the same features as the original's.
    size_t dumped;
    float *features = read_floats(FIXTURE "cls_feats.npy", &dumped);
    assert_int_equal(dumped, 2 * FEATURES);
    for (int i = 0; i < FEATURES; i++)
        assert_true(fabsf(seen->features[i] - features[i]) <= 5e-5f + 1e-4f * fabsf(features[i]));
    free(features);
    return run;
}

// Row `row` of the linear layer `name` of `rows` rows on the features, in double.
static double apply(const char *name, int rows, int row, const float *features)
{
    char full[64];
    float *weight = malloc((size_t)rows * FEATURES * sizeof *weight), bias[8];
    assert_non_null(weight);
    snprintf(full, sizeof full, "%s.weight", name);
    formula_values(full, 7, 2, (const int64_t[]){rows, FEATURES}, weight, (size_t)rows * FEATURES);
    snprintf(full, sizeof full, "%s.bias", name);
    formula_values(full, 7, 1, (const int64_t[]){rows}, bias, (size_t)rows);
    double sum = (double)bias[row];
    for (int i = 0; i < FEATURES; i++)
        sum += (double)weight[row * FEATURES + i] * (double)features[i];
    free(weight);
    return sum;
}

#define MATCH_HEAD "itm_score.fc.weight\t[2, 256]\tfloat32\nitm_score.fc.bias\t[2]\tfloat32\n"
#define RANK_HEAD  "rank_output.weight\t[1, 256]\tfloat32\nrank_output.bias\t[1]\tfloat32\n"
#define WORD_HEAD                                                                                              \
    "mlm_score.bias\t[1000]\tfloat32\nmlm_score.transform.dense.weight\t[128, 128]\tfloat32\n"                      \
    "mlm_score.decoder.weight\t[1000, 128]\tfloat32\n"

static void test_retrieval(void **state)
{
    (void)state;
    struct model *model = open_with(MATCH_HEAD RANK_HEAD);
    struct seen seen = {.labels = 0};
    assert_int_equal(model->config.task, TASK_RETRIEVAL);
    assert_int_equal(model->config.max_tokens, 40);
    struct run *run = run_fixture(model, &seen);
    const struct trace *trace = run_trace(run);
    const struct stage *last = &trace->stages[trace->stage_count - 1], *lens = last - 1;
    assert_int_equal(seen.labels, 2);
    // In the formula weights, as in the original before training, rank_output is row 1 of the match head.
    double logits[] = {apply("itm_score.fc", 2, 0, seen.features), apply("rank_output", 1, 0, seen.features)};
    for (int a = 0; a < 2; a++)
        assert_true(fabs((double)seen.logits[a] - logits[a]) < 1e-4);
    assert_true(fabs((double)last->rank - logits[1]) < 1e-4);
    assert_false(isnan(lens->rank)); // read early, too
    assert_true(isnan(trace->stages[0].rank));
    // Class 1 is the match.
    double match = 1 / (1 + exp(logits[0] - logits[1]));
    for (int a = 0; a < 2; a++)
        assert_true(fabs((double)last->answers[a].p - (strcmp(last->answers[a].text, "match") ? 1 - match : match)) < 1e-5);
    assert_true(!strcmp(last->answers[match > 0.5 ? 1 : 0].text, "no match"));
    char *json = trace_to_json(trace);
    struct trace again;
    struct error err = {0};
    assert_true(trace_from_json(&again, json, strlen(json), &err));
    assert_true(fabsf(again.stages[again.stage_count - 1].rank - last->rank) < 1e-6f);
    trace_free(&again);
    free(json);
    run_free(run);
    model_free(model);
}

// A pre-trained file tells matches, too, and its head for hidden words does no harm.
static void test_pretrained(void **state)
{
    (void)state;
    struct model *model = open_with(MATCH_HEAD WORD_HEAD);
    struct seen seen = {.labels = 0};
    assert_int_equal(model->config.task, TASK_RETRIEVAL);
    assert_int_equal(model->config.max_tokens, 50);
    assert_false(model->config.ranked);
    struct run *run = run_fixture(model, &seen);
    const struct trace *trace = run_trace(run);
    assert_true(isnan(trace->stages[trace->stage_count - 1].rank));
    assert_int_equal(trace->stages[trace->stage_count - 1].answer_count, 2);
    run_free(run);
    model_free(model);
}

static void test_entailment(void **state)
{
    (void)state;
    struct model *model = open_with("snli_classifier.0.weight\t[256, 256]\tfloat32\nsnli_classifier.0.bias\t[256]\tfloat32\n"
                                    "snli_classifier.1.weight\t[256]\tfloat32\nsnli_classifier.1.bias\t[256]\tfloat32\n"
                                    "snli_classifier.3.weight\t[3, 256]\tfloat32\nsnli_classifier.3.bias\t[3]\tfloat32\n");
    struct seen seen = {.labels = 0};
    char buffer[32];
    assert_int_equal(model->config.task, TASK_SNLI);
    assert_string_equal(model_answer(model, 0, buffer, sizeof buffer), "contradiction");
    assert_string_equal(model_answer(model, 1, buffer, sizeof buffer), "neutral");
    assert_string_equal(model_answer(model, 2, buffer, sizeof buffer), "entailment");
    struct run *run = run_fixture(model, &seen);
    assert_int_equal(seen.labels, 3);
    int best = seen.logits[1] > seen.logits[0] ? 1 : 0;
    best = seen.logits[2] > seen.logits[best] ? 2 : best;
    assert_string_equal(run_trace(run)->answer.text, model_answer(model, best, buffer, sizeof buffer));
    run_free(run);
    model_free(model);
}

// Each norm's eps is the published one's (vlm_spec §10.2). On the fixtures the wrong eps in the co-attention layers
// changes less than the tolerance, so they are looked at one by one, and in a row of small variance.
static void test_norms(void **state)
{
    (void)state;
    struct model *model = open_with(MATCH_HEAD);
    const struct norm *early[] = {&model->image_norm_pre, &model->image_norm_post, &model->embedding.norm,
                                  &model->image[0].msa.norm, &model->image[0].ffn.norm, &model->text[0].msa.norm,
                                  &model->text[0].ffn.norm};
    for (size_t i = 0; i < sizeof early / sizeof *early; i++)
        assert_true(early[i]->eps == 1e-5f);
    for (int s = 0; s < FUSION_STREAMS; s++)
        for (int l = 0; l < model->config.fusion_layers; l++) {
            const struct layer *layer = &model->fusion[s][l];
            const struct norm *late[] = {&layer->msa.norm, &layer->mca.norm, &layer->ffn.norm};
            for (size_t i = 0; i < sizeof late / sizeof *late; i++)
                assert_true(late[i]->eps == 1e-12f);
        }
    enum { WIDTH = 128 };
    const struct norm *norm = &model->fusion[FUSION_TEXT][0].msa.norm;
    float row[WIDTH], out[WIDTH];
    double mean = 0, variance = 0;
    for (int i = 0; i < WIDTH; i++)
        mean += (double)(row[i] = 1e-4f * (float)(i % 7 - 3)) / WIDTH;
    for (int i = 0; i < WIDTH; i++)
        variance += ((double)row[i] - mean) * ((double)row[i] - mean) / WIDTH; // 4e-8: far below 1e-5
    layer_norm(NULL, row, WIDTH, 1, WIDTH, norm->gamma, norm->beta, norm->eps, out, WIDTH);
    for (int i = 0; i < WIDTH; i++) {
        double right = ((double)row[i] - mean) / sqrt(variance + 1e-12) * (double)norm->gamma[i] + (double)norm->beta[i];
        double wrong = ((double)row[i] - mean) / sqrt(variance + 1e-5) * (double)norm->gamma[i] + (double)norm->beta[i];
        assert_true(fabs((double)out[i] - right) < 1e-4);
        if (i % 7 != 3)
            assert_true(fabs((double)out[i] - wrong) > 0.3);
    }
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retrieval),
        cmocka_unit_test(test_pretrained),
        cmocka_unit_test(test_entailment),
        cmocka_unit_test(test_norms),
    };
    return cmocka_run_group_tests_name("tasks", tests, NULL, NULL);
}
