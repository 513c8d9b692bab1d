// The trainer's forward pass is the engine's: the same weights file gives the same answers, with everything kept and with
// trimmers deciding. Training multiplies masks into full-size attention; the engine gathers what is left.
#include "tests/support/cmocka_all.h"

#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "engine/learn/checkpoint.h"
#include "engine/learn/cost.h"
#include "engine/learn/sample.h"
#include "engine/learn/shape.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "tests/support/net_compare.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LABELS = 512 };

struct fixture {
    struct world *world;
    struct language language;
    struct model_config config;
    struct params params;
    struct net net;
    struct tape tape;
    struct model *model;
    struct sample *sample;
};

// Random weights, larger than start values, with trimmers near the undecided point.
static void perturb(struct params *params)
{
    struct random random;
    random_init(&random, 21, 0);
    for (int i = 0; i < params->count; i++) {
        const struct param *p = &params->items[i];
        const char *name = p->info.name;
        bool decision = p->info.trimmer && strstr(name, ".out.bias");
        for (int64_t k = 0; k < p->info.elements; k++) {
            float *value = &params->value[p->offset + (size_t)k];
            if (decision)
                *value = strstr(name, "token") ? 0.5f : 0.2f;
            else if (p->info.trimmer)
                *value = *value * 2 + 0.1f * random_normal(&random);
            else
                *value += 0.03f * random_normal(&random);
        }
    }
}

static void fixture_init(struct fixture *f, const char *name, bool encoders, bool concat, bool pairs)
{
    struct error err = {0};
    struct world_options kind = WORLD_DEFAULT;
    kind.reworded = pairs;
    *f = (struct fixture){0};
    f->world = world_open("assets", &kind, &err);
    assert_non_null(f->world);
    assert_true(language_init(&f->language, f->world, &err));
    f->config = shape_default(&f->language);
    struct train_settings settings = train_settings_default(true);
    settings.image_trimmers = settings.text_trimmers = encoders;
    settings.concat = concat;
    settings.pairs = pairs ? 0.5 : 0;
    assert_true(shape_settle(&f->config, &settings, false, &err));
    shape_add_trimmers(&f->config, &settings);
    // A run keeps a word in both passes when it is worth it to either picture; training decides in each pass by itself.
    if (pairs)
        memset(f->config.trimmers[STACK_FUSION_TEXT], 0, sizeof f->config.trimmers[STACK_FUSION_TEXT]);
    assert_true(params_init(&f->params, &f->config, PARAMS_ALL, 0, 0));
    params_randomize(&f->params, &f->config, 3);
    perturb(&f->params);
    assert_true(net_init(&f->net, &f->config, &f->params, f->language.answer_words, &err));
    f->tape.kernels = learn_kernels_get();
    f->tape.P = f->params.value;
    assert_true(arena_init(&f->tape.arena, 2 * net_arena_size(&f->net, WORLD_QUESTIONS, SAMPLE_TOKENS, 0)));
    struct checkpoint checkpoint = {.config = &f->config, .params = &f->params, .language = &f->language,
                                    .world = f->world, .training = "{}"};
    const char *path = scratch_path(name);
    if (!checkpoint_write(&checkpoint, path, &err) || !(f->model = model_open(path, &(struct model_options){.pictures = pairs ? 2 : 1}, &err)))
        fail_msg("%s", err.text);
    f->sample = memory_alloc(2, sizeof *f->sample); // the second for pairs
    assert_non_null(f->sample);
}

static void fixture_free(struct fixture *f)
{
    memory_free(f->sample);
    model_free(f->model);
    arena_free(&f->tape.arena);
    params_free(&f->params);
    language_free(&f->language);
    world_free(f->world);
}

struct seen {
    float logits[LABELS];
    int count;
};

static void see(void *context, const char *name, const float *x, int rows, int width)
{
    struct seen *seen = context;
    if (strcmp(name, "logits"))
        return;
    assert_true(rows == 1 && width <= LABELS);
    memcpy(seen->logits, x, (size_t)width * sizeof *x);
    seen->count = width;
}

static struct run *engine_run(struct fixture *f, int q, enum policy policy, struct seen *seen)
{
    struct error err = {0};
    struct run_options options = run_options_default();
    options.policy = policy;
    const float *pixels[2] = {f->sample->pixels, f->sample[1].pixels};
    *seen = (struct seen){.count = 0};
    struct run *run = run_new_from_tensors(f->model, pixels, f->sample->ids + q * f->sample->text_stride,
                                           f->sample->text_count[q], &options, see, seen, &err);
    if (!run)
        fail_msg("%s", err.text);
    while (!run_finished(run))
        assert_true(run_step(run, &err));
    assert_int_equal(seen->count, f->model->config.labels);
    return run;
}

static float largest_difference(const float *a, const float *b, int n)
{
    float largest = 0;
    for (int i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(a[i] - b[i]));
    return largest;
}

static void test_dense(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "dense.safetensors", false, false, false);
    struct net_trimming open = {0};
    float spread = 0, largest = 0;
    for (uint64_t scene = 0; scene < 2; scene++) {
        assert_true(sample_make(f.sample, f.world, &f.language, 5, scene, 4, NULL, 0));
        struct net_batch batch = sample_batch(f.sample, SAMPLE_PATCHES);
        struct net_state net;
        arena_rewind(&f.tape.arena, 0);
        net_forward(&f.tape, &f.net, &batch, &open, &net);
        for (int q = 0; q < batch.questions; q++) {
            struct seen seen;
            struct run *run = engine_run(&f, q, POLICY_NONE, &seen);
            const float *logits = net.head.logits + q * f.config.labels;
            largest = fmaxf(largest, largest_difference(seen.logits, logits, f.config.labels));
            spread = fmaxf(spread, largest_difference(seen.logits, net.head.logits, f.config.labels));
            run_free(run);
        }
    }
    print_message("largest difference of a logit %.2e; questions differ by up to %.2f\n", (double)largest,
                  (double)spread);
    assert_true(largest < 1e-4f);
    assert_true(spread > 0.1f); // the comparison is not of constants
    fixture_free(&f);
}

// A model that takes over a smaller one goes on as that did: what is new is not heard before it has learnt something.
static void test_a_grown_model_answers_as_before(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    fixture_init(&f, "small.safetensors", false, false, false);
    struct tensor_list *file = safetensors_open(scratch_path("small.safetensors"), &err);
    struct model_config config = f.config;
    config.stem_channels[0] += 12;
    config.stem_channels[1] += 20;
    config.stem_expansion += 64;
    config.image_ffn += 32;
    config.text_fusion_ffn += 48;
    config.token_types++;
    struct params params;
    struct net net;
    assert_true(params_init(&params, &config, PARAMS_ALL, 0, 0));
    params_randomize(&params, &config, 8);
    assert_false(params_load(&params, file, PARAMS_LOAD_START, &err));
    assert_true(params_load(&params, file, PARAMS_LOAD_GROWN, &err));
    tensor_list_close(file);
    assert_true(net_init(&net, &config, &params, f.language.answer_words, &err));
    struct tape tape = {.kernels = learn_kernels_get(), .P = params.value};
    assert_true(arena_init(&tape.arena, net_arena_size(&net, WORLD_QUESTIONS, SAMPLE_TOKENS, 0)));
    assert_true(sample_make(f.sample, f.world, &f.language, 5, 1, 4, NULL, 0));
    struct net_batch batch = sample_batch(f.sample, SAMPLE_PATCHES);
    struct net_trimming open = {0};
    struct net_state small, grown;
    net_forward(&f.tape, &f.net, &batch, &open, &small);
    net_forward(&tape, &net, &batch, &open, &grown);
    assert_true(largest_difference(small.head.logits, grown.head.logits, batch.questions * f.config.labels) < 1e-4f);
    arena_free(&tape.arena);
    params_free(&params);
    fixture_free(&f);
}

struct tally {
    int questions, dropped, off;
    float largest;
    double least_share, most_share;
};

static void compare_question(struct fixture *f, const struct net_batch *batch, const struct net_state *net, int q,
                             struct tally *tally)
{
    struct seen seen;
    struct run *run = engine_run(f, q, POLICY_LEARNED, &seen);
    const struct trace *trace = run_trace(run);
    net_compare_trace(&f->net, net, q, trace, &tally->dropped, &tally->off);
    double shares[WORLD_QUESTIONS];
    cost_shares(&f->net, batch, net, shares);
    double engine = trace->spent_macs / trace->dense_macs;
    if (fabs(shares[q] - engine) > 1e-9)
        fail_msg("question %d: training counts a share of %.9f, the ledger %.9f", q, shares[q], engine);
    tally->least_share = fmin(tally->least_share, engine);
    tally->most_share = fmax(tally->most_share, engine);
    tally->largest = fmaxf(tally->largest, largest_difference(seen.logits, net->head.logits + q * f->config.labels,
                                                              f->config.labels));
    tally->questions++;
    run_free(run);
}

static void check_pruned(const char *name, bool encoders, bool concat)
{
    struct fixture f;
    fixture_init(&f, name, encoders, concat, false);
    struct net_trimming trimming = {.on = true, .heads = true, .sampling = {.temperature = 1}};
    struct tally tally = {.least_share = 1};
    int asked = 0;
    for (uint64_t scene = 0; scene < 4; scene++) {
        assert_true(sample_make(f.sample, f.world, &f.language, 6, scene, 4, NULL, 0));
        struct net_batch batch = sample_batch(f.sample, SAMPLE_PATCHES);
        struct net_state net;
        arena_rewind(&f.tape.arena, 0);
        net_forward(&f.tape, &f.net, &batch, &trimming, &net);
        asked += batch.questions;
        for (int q = 0; q < batch.questions; q++)
            if (!net_close_call(&f.net, &net, q))
                compare_question(&f, &batch, &net, q, &tally);
    }
    print_message("%d of %d questions without a close call: %d tokens and %d heads dropped, shares %.3f to %.3f, largest "
                  "difference of a logit %.2e\n",
                  tally.questions, asked, tally.dropped, tally.off, tally.least_share, tally.most_share,
                  (double)tally.largest);
    assert_true(tally.questions >= 4);
    assert_true(tally.dropped > 100 && tally.off > 5 && tally.least_share < 0.9);
    assert_true(tally.most_share > tally.least_share + 0.005);
    assert_true(tally.largest < 1e-4f);
    fixture_free(&f);
}

static void test_pruned_fusion(void **state)
{
    (void)state;
    check_pruned("fusion.safetensors", false, false);
}

static void test_pruned_everywhere(void **state)
{
    (void)state;
    check_pruned("everywhere.safetensors", true, false);
}

static void test_pruned_concat(void **state)
{
    (void)state;
    check_pruned("concat.safetensors", true, true);
}

// Statements about two pictures: the file opened for its other task, pruned and not.
static void test_pair(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "pair.safetensors", false, false, true);
    assert_int_equal(f.model->config.task, TASK_NLVR2);
    assert_int_equal(f.model->config.labels, 2);
    assert_string_equal(f.model->answers[1], "True");
    float spread = 0, largest = 0;
    int agreeing = 0;
    assert_true(sample_make_pair(f.sample, f.world, &f.language, 5, 1, 4, NULL, 0));
    for (int trim = 0; trim < 2; trim++) {
        const struct net_trimming trimming = {.on = trim, .heads = trim, .sampling = {.temperature = 1}};
        struct net_state states[2];
        struct answer_head_state head;
        arena_rewind(&f.tape.arena, 0);
        for (int p = 0; p < 2; p++) {
            struct net_batch batch = sample_batch(&f.sample[p], SAMPLE_PATCHES);
            batch.picture = p;
            net_forward(&f.tape, &f.net, &batch, &trimming, &states[p]);
        }
        net_pair_forward(&f.tape, &f.net, states, &head);
        for (int q = 0; q < f.sample->question_count; q++) {
            struct seen seen;
            struct run *run = engine_run(&f, q, trim ? POLICY_LEARNED : POLICY_NONE, &seen);
            float difference = largest_difference(seen.logits, head.logits + q * 2, 2);
            if (trim)
                agreeing += difference < 1e-4f;
            else
                largest = fmaxf(largest, difference);
            spread = fmaxf(spread, largest_difference(seen.logits, head.logits, 2));
            assert_true(!trim || run_trace(run)->spent_macs < run_trace(run)->dense_macs);
            run_free(run);
        }
    }
    print_message("largest difference of a logit %.2e, pruned %d of %d alike; statements differ by up to %.2f\n", (double)largest,
                  agreeing, f.sample->question_count, (double)spread);
    assert_true(largest < 1e-4f);
    assert_true(agreeing >= f.sample->question_count - 1); // a score at the threshold may fall on either side
    assert_true(spread > 0.01f); // the comparison is not of constants
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_a_grown_model_answers_as_before),
        cmocka_unit_test(test_pruned_fusion),
        cmocka_unit_test(test_pruned_everywhere),
        cmocka_unit_test(test_pruned_concat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
