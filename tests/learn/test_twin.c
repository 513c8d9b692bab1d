// A training step's losses, logits and all its gradients against PyTorch's automatic differentiation: the twin of the
// speed benchmark (tools/bench-train-twin.py) computes them from the same weights and the same scene.
#include "tests/support/cmocka_all.h"

#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "engine/learn/checkpoint.h"
#include "engine/learn/objective.h"
#include "engine/learn/settings.h"
#include "engine/learn/shape.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 512, PATCHES = 50, NAME = PARAMETER_NAME + 16 };

static struct tensor_source sources[TENSORS];
static char names[TENSORS][NAME];
static int count;

static void dump(const char *prefix, const char *name, const float *data, int rows, int columns)
{
    assert_true(count < TENSORS);
    snprintf(names[count], NAME, "%s%s", prefix, name);
    sources[count] = (struct tensor_source){names[count], TENSOR_F32, columns ? 2 : 1, {rows, columns}, data};
    count++;
}

static void dump_ints(struct arena *arena, const char *name, const int *data, int rows, int columns)
{
    size_t n = (size_t)rows * (size_t)(columns ? columns : 1);
    float *copy = arena_alloc(arena, n, sizeof *copy);
    assert_non_null(copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = (float)data[i];
    dump("", name, copy, rows, columns);
}

static void dump_sample(struct arena *arena, const struct sample *s, const struct language *language)
{
    int n = s->question_count, stride = s->text_stride, mask[WORLD_QUESTIONS * SAMPLE_TOKENS];
    float *needed = arena_alloc(arena, WORLD_QUESTIONS * PATCHES, sizeof *needed);
    assert_non_null(needed);
    for (int q = 0; q < n; q++) {
        for (int t = 0; t < stride; t++)
            mask[q * stride + t] = t < s->text_count[q];
        for (int p = 0; p < PATCHES; p++)
            needed[q * PATCHES + p] = s->needed[q][s->patches[p]];
    }
    dump("", "pixels", s->pixels, 1, 3 * WORLD_SIDE * WORLD_SIDE);
    sources[count - 1].rank = 4;
    memcpy(sources[count - 1].shape, (int64_t[]){1, 3, WORLD_SIDE, WORLD_SIDE}, 4 * sizeof(int64_t));
    dump("", "needed", needed, n, PATCHES);
    dump("", "places", &s->places[0][0], n, SAMPLE_PLACES);
    dump_ints(arena, "ids", s->ids, n, stride);
    dump_ints(arena, "mask", mask, n, stride);
    dump_ints(arena, "chosen", s->patches, 1, PATCHES);
    dump_ints(arena, "answers", s->answers, n, 0);
    dump_ints(arena, "kind", s->patch_kind, 1, SAMPLE_PATCHES);
    dump_ints(arena, "color", s->patch_color, 1, SAMPLE_PATCHES);
    dump_ints(arena, "counts", &s->counts[0][0], n, 2);
    dump_ints(arena, "kind_words", language->kind_words, language->kinds, 0);
}

// One scene's training step, and everything that the twin needs to do the same.
static void write_step(const char *model, const char *sample_path)
{
    struct error err = {0};
    struct language language;
    struct world *world = world_open("assets", &WORLD_DEFAULT, &err);
    assert_true(world && language_init(&language, world, &err));
    struct model_config config = shape_default(&language);
    struct params params;
    struct net net;
    struct tape tape = {.kernels = learn_kernels_get()};
    struct sample *sample = memory_alloc(1, sizeof *sample);
    assert_true(sample && params_init(&params, &config, PARAMS_ALL, language.kinds, language.colors));
    params_randomize(&params, &config, 11);
    struct random random;
    random_init(&random, 13, 0);
    for (int i = 0; i < params.count; i++) // padding between tensors stays 0
        for (int64_t k = 0; k < params.items[i].info.elements; k++)
            params.value[params.items[i].offset + (size_t)k] += 0.03f * random_normal(&random);
    assert_true(net_init(&net, &config, &params, language.answer_words, &err));
    assert_true(arena_init(&tape.arena, net_arena_size(&net, WORLD_QUESTIONS, SAMPLE_TOKENS, 0)));
    tape.P = params.value;
    tape.trained = params.trained;
    tape.G = memory_alloc(params.total, sizeof *tape.G);
    assert_true(tape.G && sample_make(sample, world, &language, 17, 0, 8, NULL, 0));
    sample_choose_patches(sample, PATCHES, &random);

    struct train_settings s = train_settings_default(false);
    struct objective_weights weights = {
        .answer = (float)s.answer, .temperature = 1,           .patch = (float)s.patch, .color = (float)s.color,
        .ground = (float)s.ground, .where = (float)s.where, .count = (float)s.count,
    };
    struct objective objective;
    struct objective_sums sums = {0};
    struct net_batch batch = sample_batch(sample, PATCHES);
    struct net_trimming open = {0};
    struct net_state state;
    struct net_gradients gradients;
    objective_init(&objective, &params, &config, &language, weights);
    net_forward(&tape, &net, &batch, &open, &state);
    struct objective_target target = {sample->question_count, sample->answers, sample};
    objective_apply(&tape, &net, &objective, &target, &batch, &state, NULL, 1 / (float)sample->question_count, 1,
                    &gradients, &sums);
    net_backward(&tape, &net, &batch, &state, &gradients);

    float losses[TERMS];
    dump_sample(&tape.arena, sample, &language);
    dump("", "logits", state.head.logits, sample->question_count, config.labels);
    for (int t = 0; t < TERMS; t++) {
        bool once = t == TERM_PATCH || t == TERM_COLOR;
        losses[t] = (float)(sums.loss[t] / (once ? 1 : sample->question_count));
        dump("loss.", objective_term_name((enum objective_term)t), &losses[t], 1, 0);
    }
    for (int i = 0; i < params.count; i++)
        dump("gradient.", params.items[i].info.name, tape.G + params.items[i].offset,
             (int)params.items[i].info.elements, 0);
    struct checkpoint checkpoint = {.config = &config, .params = &params, .language = &language, .world = world,
                                    .training = "{}", .aux = true};
    if (!checkpoint_write(&checkpoint, model, &err) || !safetensors_write(sample_path, sources, count, NULL, 0, &err))
        fail_msg("%s", err.text);
    memory_free(tape.G);
    arena_free(&tape.arena);
    memory_free(sample);
    params_free(&params);
    language_free(&language);
    world_free(world);
}

static void test_against_pytorch(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null") != 0)
        skip(); // Debian's python3-torch is not needed to build or to run
    const char *model = scratch_path("model.safetensors"), *sample = scratch_path("sample.safetensors");
    const char *report = scratch_path("report");
    char command[4096], line[256];
    write_step(model, sample);
    snprintf(command, sizeof command, "/usr/bin/python3 tools/bench-train-twin.py --check '%s' '%s' > '%s' 2>&1", model,
             sample, report);
    int status = system(command);
    FILE *stream = fopen(report, "r");
    assert_non_null(stream);
    for (int i = 0; (status != 0 || i < 3) && fgets(line, sizeof line, stream); i++)
        print_message("%s", line); // the largest differences come first
    fclose(stream);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
