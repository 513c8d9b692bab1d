#include "tests/support/tiny.h"

#include "engine/base/random.h"
#include "engine/io/picture.h"
#include "engine/io/safetensors.h"
#include "engine/model/model.h"
#include "engine/model/parameters.h"
#include "engine/run/run.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 1024 };

static const char tokenizer_json[] =
    "{\"kind\": \"words\", \"tokens\": [\"<s>\", \"<pad>\", \"</s>\", \"<unk>\", \"##s\", \"what\", \"color\", \"is\", "
    "\"the\", \"dog\", \"cat\", \"red\", \"blue\", \"how\", \"many\", \"are\", \"there\", \"left\", \"of\", \"cup\", "
    "\"yes\", \"no\"], \"forms\": {}}";

static const char bert_json[] =
    "{\"kind\": \"bert\", \"tokens\": [\"[PAD]\", \"[UNK]\", \"[CLS]\", \"[SEP]\", \"[MASK]\", \"##s\", \"what\", "
    "\"color\", "
    "\"is\", \"the\", \"dog\", \"cat\", \"red\", \"blue\", \"how\", \"many\", \"are\", \"there\", \"left\", \"of\", "
    "\"cup\", "
    "\"yes\", \"no\", \"a\", \"picture\", \"nothing\", \"2\", \"?\", \"[DEC]\", \"[ENC]\"]}";

const char *const tiny_questions[8] = {
    "what color is the dog?",      "is there a cat left of the cup?", "how many dogs are there?", "is the cup red?",
    "what is left of the blue cat", "are there cats?",                 "the dog",                  "how many red cups?",
};

struct tiny_options tiny_everything(void)
{
    return (struct tiny_options){.task = TASK_VQA,
                                 .text_trimmers = true,
                                 .image_trimmers = true,
                                 .fusion_trimmers = true,
                                 .head_trimmers = true,
                                 .seed = 11};
}

static void add_trimmers(const struct tiny_options *options, struct model_config *c)
{
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < model_stack_layers(c, (enum model_stack)s); l++) {
            struct trimmer_config *t = &c->trimmers[s][l];
            bool fusion = s == STACK_FUSION_IMAGE || s == STACK_FUSION_TEXT;
            bool read = s == STACK_DECODER || (options->blip && s == STACK_FUSION_IMAGE), heads = options->head_trimmers && !read;
            if (s == STACK_FUSION_TEXT && options->words_open)
                continue;
            if (s == STACK_TEXT      ? options->text_trimmers
                : fusion             ? options->fusion_trimmers
                : s == STACK_DECODER ? options->decoder_trimmers
                                     : options->image_trimmers)
                *t = (struct trimmer_config){.hidden = 4, .rank = s == STACK_TEXT ? 0 : 6};
            t->msa = heads;
            t->mca = heads && fusion;
        }
}

static void blip_config(const struct tiny_options *options, struct model_config *c)
{
    model_config_default_blip(c, options->task);
    snprintf(c->name, sizeof c->name, "tiny");
    c->image_size = 96;
    c->position_grid = 6;
    c->width = 32;
    c->heads = 4;
    c->image_width = 48;
    c->image_heads = 6;
    c->image_layers = 2;
    c->fusion_layers = 3;
    c->image_ffn = 96;
    c->text_fusion_ffn = 80;
    c->vocabulary = 30;
    c->max_tokens = 16;
    c->positions = 20;
    c->token_start = 28;
    c->token_encode = 29;
    c->token_end = 3;
    c->labels = options->task == TASK_VQA ? 9 : options->task == TASK_CAPTION ? 0 : 2;
    c->head_hidden = options->task == TASK_NLVR2 ? 40 : 0;
    c->merge_from = options->task == TASK_NLVR2 ? 2 : 0;
    c->projection = options->task == TASK_RETRIEVAL ? 12 : 0;
    c->decoder_layers = options->task == TASK_VQA ? 2 : 0;
    c->decoder_ffn = options->task == TASK_VQA ? 72 : 0;
    add_trimmers(options, c);
}

void tiny_config(const struct tiny_options *options, struct model_config *c)
{
    if (options->blip) {
        blip_config(options, c);
        return;
    }
    model_config_default(c);
    snprintf(c->name, sizeof c->name, "tiny");
    c->task = options->task;
    c->pictures = options->task == TASK_NLVR2 ? 2 : 1;
    c->token_types = c->pictures + 1;
    c->image_size = 96;
    c->position_grid = 6;
    c->width = 32;
    c->heads = 4;
    c->image_layers = c->text_layers = 2;
    c->fusion_layers = 3;
    c->image_ffn = 96;
    c->text_ffn = 64;
    c->image_fusion_ffn = 128;
    c->text_fusion_ffn = 80;
    c->vocabulary = 22;
    c->max_tokens = 16;
    c->positions = 20;
    c->labels = options->task == TASK_NLVR2 || options->task == TASK_RETRIEVAL ? 2 : 9;
    c->head_hidden = 64;
    if (!options->published) {
        c->stem = STEM_CONV;
        c->stem_channels[0] = 8;
        c->stem_channels[1] = 16;
        c->stem_blocks = 2;
        c->stem_expansion = 48;
        c->fusion_norm = FUSION_PRE;
        c->fusion_eps = 1e-5f;
        c->fusion_position = true;
        c->answer_words = options->task == TASK_VQA;
    }
    add_trimmers(options, c);
}

struct list {
    struct tensor_source *tensors;
    int count;
    uint64_t seed;
};

static bool add_tensor(void *context, const struct parameter *parameter)
{
    struct list *list = context;
    assert_true(list->count < TENSORS);
    struct tensor_source *t = &list->tensors[list->count++];
    float *data = malloc((size_t)parameter->elements * sizeof *data);
    assert_non_null(data);
    formula_values(parameter->name, list->seed, parameter->rank, parameter->shape, data, (size_t)parameter->elements);
    // Embeddings of the formula are small beside one another; what differs from input to input must be felt here.
    bool loud = strstr(parameter->name, "embed") || (parameter->rank == 2 && (strstr(parameter->name, ".out.") ||
                                                                              strstr(parameter->name, "token.query")));
    if (strstr(parameter->name, "alpha"))
        data[0] = 1;
    for (int64_t i = 0; loud && i < parameter->elements; i++)
        data[i] *= 6;
    *t = (struct tensor_source){.name = strdup(parameter->name), .stored = TENSOR_F32, .rank = parameter->rank,
                                .data = data};
    memcpy(t->shape, parameter->shape, sizeof parameter->shape);
    return true;
}

const char *tiny_write(const char *name, const struct tiny_options *options)
{
    struct model_config config;
    struct error err = {0};
    const char *path = scratch_path(name);
    struct list list = {calloc(TENSORS, sizeof(struct tensor_source)), 0, options->seed};
    tiny_config(options, &config);
    assert_true(model_config_check(&config, &err));
    assert_true(model_parameters(&config, add_tensor, &list));
    char *json = model_config_to_json(&config);
    struct metadata_pair pairs[5] = {{"config", json}, {"tokenizer", options->blip ? bert_json : tokenizer_json}};
    int count = 2;
    if (config.task == TASK_VQA)
        pairs[count++] = (struct metadata_pair){
            "answers", options->answers ? options->answers : "[\"red\", \"blue\", \"yes\", \"no\", \"dog\", \"cat\", \"cup\", \"2\", \"nothing\"]"};
    if (config.answer_words)
        pairs[count++] = (struct metadata_pair){"answer_words", "[11, 12, 20, 21, 9, 10, 19, -1, -1]"};
    if (options->calibration)
        pairs[count++] = (struct metadata_pair){"calibration", options->calibration};
    if (!safetensors_write(path, list.tensors, list.count, pairs, count, &err))
        fail_msg("%s", err.text);
    for (int i = 0; i < list.count; i++) {
        free((void *)(size_t)list.tensors[i].name);
        free((void *)(size_t)list.tensors[i].data);
    }
    free(list.tensors);
    free(json);
    return path;
}

struct model *tiny_model(const struct tiny_options *options)
{
    struct error err = {0};
    struct model *model = model_open(tiny_write("tiny.safetensors", options), NULL, &err);
    if (!model)
        fail_msg("%s", err.text);
    return model;
}

struct picture tiny_picture(uint64_t seed)
{
    struct picture picture = {0};
    struct random random;
    random_init(&random, seed, 77);
    assert_true(picture_alloc(&picture, 96, 96, 3, NULL));
    // Blocks of one colour, so that patches differ from each other in more than noise.
    for (int by = 0; by < 6; by++)
        for (int bx = 0; bx < 6; bx++) {
            unsigned char color[3];
            for (int c = 0; c < 3; c++)
                color[c] = (unsigned char)random_below(&random, 256);
            for (int y = 0; y < 16; y++)
                for (int x = 0; x < 16; x++)
                    for (int c = 0; c < 3; c++)
                        picture.pixels[((by * 16 + y) * 96 + bx * 16 + x) * 3 + c] =
                            (unsigned char)(color[c] / 2 + random_below(&random, 128));
        }
    return picture;
}

struct run *tiny_run(const struct model *model, const struct run_options *options, uint64_t seed)
{
    struct error err = {0};
    struct picture pictures[2] = {tiny_picture(seed), tiny_picture(seed + 1000)};
    const struct picture *list[2] = {&pictures[0], &pictures[1]};
    struct run *run = run_new(model, list, model->config.pictures, tiny_questions[seed % 8], options, &err);
    if (!run)
        fail_msg("%s", err.text);
    picture_free(&pictures[0]);
    picture_free(&pictures[1]);
    return run;
}

void tiny_finish(struct run *run)
{
    struct error err = {0};
    while (run_step(run, &err))
        continue;
    if (!run_finished(run))
        fail_msg("%s", err.text);
}

static bool same_floats(const float *a, const float *b, int n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

void tiny_check_same_trace(const struct trace *x, const struct trace *y)
{
    assert_int_equal(x->stage_count, y->stage_count);
    for (int i = 0; i < x->stage_count; i++) {
        const struct stage *p = &x->stages[i], *q = &y->stages[i];
        for (int s = 0; s < TRACE_STREAMS; s++) {
            const struct trace_tokens *t = &p->tokens[s], *u = &q->tokens[s];
            assert_int_equal(t->count, u->count);
            if (!t->count)
                continue;
            assert_memory_equal(t->alive, u->alive, t->count);
            assert_memory_equal(t->dropped_at, u->dropped_at, (size_t)t->count * sizeof *t->dropped_at);
            assert_true(same_floats(t->self_score, u->self_score, t->count));
            assert_true(same_floats(t->cross_score, u->cross_score, t->count));
            assert_true(same_floats(t->score, u->score, t->count));
            assert_true(same_floats(t->keep, u->keep, t->count));
            for (int m = 0; m < MODULES; m++) {
                const struct trace_heads *g = &p->heads[s][m], *h = &q->heads[s][m];
                assert_int_equal(g->count, h->count);
                if (!g->count)
                    continue;
                assert_memory_equal(g->on, h->on, g->count);
                assert_true(same_floats(g->score, h->score, g->count));
            }
        }
        assert_memory_equal(&p->macs, &q->macs, sizeof p->macs);
        assert_int_equal(p->answer_count, q->answer_count);
        for (int k = 0; k < p->answer_count; k++) {
            assert_string_equal(p->answers[k].text, q->answers[k].text);
            assert_true(p->answers[k].p == q->answers[k].p);
        }
    }
    assert_string_equal(x->answer.text, y->answer.text);
    assert_true(x->answer.p == y->answer.p);
}
