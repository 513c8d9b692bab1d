#include "app/bench_model.h"

#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "engine/model/parameters.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TENSORS = 2048, SIDE = 384, SLACK = 4096 };

// vlm_spec §3.1: eleven blocks of CLIP ViT-B/16, RoBERTa-base, six co-attention layers a stream, VQAv2's answers.
static void meter_config(struct model_config *c)
{
    model_config_default(c);
    snprintf(c->name, sizeof c->name, "METER-VQA, random weights");
    c->task = TASK_VQA;
    c->pictures = 1;
    c->image_size = SIDE;
    c->position_grid = SIDE / c->patch_size;
    c->width = 768;
    c->heads = 12;
    c->image_layers = 11;
    c->text_layers = 12;
    c->fusion_layers = 6;
    c->image_ffn = c->text_ffn = c->image_fusion_ffn = c->text_fusion_ffn = 4 * c->width;
    c->vocabulary = 50265;
    c->positions = 514;
    c->token_types = 2;
    c->labels = 3129;
    c->head_hidden = 2 * c->width;
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < model_stack_layers(c, (enum model_stack)s); l++)
            c->trimmers[s][l] = (struct trimmer_config){
                .hidden = c->width / 8,
                .rank = s == STACK_TEXT ? 0 : c->width / 8,
                .msa = true,
                .mca = s == STACK_FUSION_IMAGE || s == STACK_FUSION_TEXT,
            };
}

struct list {
    struct tensor_source *tensors;
    struct parameter *parameters;
    int count;
    float *numbers, *ones; // what every matrix, and every norm, is cut from
};

static bool add_parameter(void *context, const struct parameter *parameter)
{
    struct list *list = context;
    if (list->count + 2 >= TENSORS)
        return false;
    struct parameter *p = &list->parameters[list->count];
    *p = *parameter;
    bool norm = p->rank == 1 && (strstr(p->name, "norm") || strstr(p->name, "Norm") || strstr(p->name, "ln_") ||
                                 strstr(p->name, "classifier.1")) && strstr(p->name, ".weight");
    const float *from = norm ? list->ones : list->numbers;
    struct tensor_source *t = &list->tensors[list->count];
    // Another piece of the same numbers for each, so that layers differ.
    *t = (struct tensor_source){.name = p->name, .stored = TENSOR_F16, .rank = p->rank,
                                .data = from + (list->count * 977) % SLACK};
    memcpy(t->shape, p->shape, sizeof p->shape);
    list->count++;
    return true;
}

static bool find_largest(void *context, const struct parameter *parameter)
{
    int64_t *largest = context;
    *largest = parameter->elements > *largest ? parameter->elements : *largest;
    return true;
}

static bool make_numbers(struct list *list, const struct model_config *config)
{
    int64_t largest = 0;
    model_parameters(config, find_largest, &largest);
    size_t count = (size_t)largest + SLACK;
    list->tensors = memory_alloc(TENSORS, sizeof *list->tensors);
    list->parameters = memory_alloc(TENSORS, sizeof *list->parameters);
    list->numbers = bench_numbers(count);
    list->ones = bench_numbers(SLACK + 4 * (size_t)config->width);
    if (!list->tensors || !list->parameters || !list->numbers || !list->ones)
        return false;
    for (size_t i = 0; i < count; i++)
        list->numbers[i] *= 0.04f; // about what these models begin with: states stay of ordinary size
    for (size_t i = 0; i < SLACK + 4 * (size_t)config->width; i++)
        list->ones[i] = 1 + 0.1f * list->ones[i];
    return true;
}

static bool write_weights(struct bench_model *model, const struct model_config *config, const char *path,
                          struct error *err)
{
    struct list list = {0};
    float ids[BENCH_MODEL_WORDS];
    bool ok = make_numbers(&list, config) && model_parameters(config, add_parameter, &list);
    char *json = model_config_to_json(config);
    if (!ok || !json)
        error_no_memory(err, "the weights of a full-size model");
    for (int t = 0; t < BENCH_MODEL_WORDS; t++)
        ids[t] = (float)model->ids[t];
    if (ok && json) {
        list.tensors[list.count++] = (struct tensor_source){
            "bench.pixels", TENSOR_F32, 3, {3, SIDE, SIDE}, model->pixels};
        list.tensors[list.count++] = (struct tensor_source){"bench.ids", TENSOR_F32, 1, {BENCH_MODEL_WORDS}, ids};
        const struct metadata_pair pair = {"config", json};
        ok = safetensors_write(path, list.tensors, list.count, &pair, 1, err);
    }
    free(json);
    memory_free(list.tensors);
    memory_free(list.parameters);
    memory_free(list.numbers);
    memory_free(list.ones);
    return ok && json;
}

static bool make_file(struct bench_model *model, struct error *err)
{
    struct model_config config;
    char folder[64], name[96];
    meter_config(&config);
    if (!model_config_check(&config, err) || !bench_folder(folder, err))
        return false;
    snprintf(name, sizeof name, "%s/meter.safetensors", folder);
    bool ok = write_weights(model, &config, name, err);
    if (ok)
        model->file = bench_take_over(name, O_RDONLY, model->path, err);
    rmdir(folder);
    return ok && model->file >= 0;
}

bool bench_model_open(struct bench_model *model, struct error *err)
{
    *model = (struct bench_model){.file = -1, .pixels = bench_numbers(3 * (size_t)SIDE * SIDE)};
    if (!model->pixels)
        return error_no_memory(err, "a picture");
    for (int t = 0; t < BENCH_MODEL_WORDS; t++)
        model->ids[t] = t == 0 ? 0 : t == BENCH_MODEL_WORDS - 1 ? 2 : 3 + 997 * t % 50000; // <s> words </s>
    if (make_file(model, err) && (model->model = model_open(model->path, NULL, err)))
        return true;
    bench_model_close(model);
    return false;
}

void bench_model_close(struct bench_model *model)
{
    model_free(model->model);
    memory_free(model->pixels);
    if (model->file >= 0)
        close(model->file);
    *model = (struct bench_model){.file = -1};
}

struct run *bench_model_run(const struct bench_model *model, const struct bench *bench, bool tokens, bool heads,
                            run_probe *probe, void *context, struct error *err)
{
    struct run_options options = run_options_default();
    const float *pixels[] = {model->pixels};
    options.policy = POLICY_NONE;
    options.bare = true;
    options.trim_tokens = tokens;
    options.trim_heads = heads;
    options.pool = bench->threads > 1 ? bench->pool : NULL;
    return run_new_from_tensors(model->model, pixels, model->ids, BENCH_MODEL_WORDS, &options, probe, context, err);
}

static bool step_until(struct run *run, int stages, struct error *err)
{
    struct error none = {0};
    while (run_trace(run)->stage_count < stages)
        if (!run_step(run, &none))
            return error_set(err, none.code ? none.code : ERROR_MACHINE, "a run stopped: %s", none.text);
    return true;
}

bool bench_forward_side(void *context, struct bench_time *time, struct error *err)
{
    const struct bench_forward *forward = context;
    const int words = 1 + forward->config->text_layers, picture = 1 + forward->config->image_layers;
    const int begin = forward->image_only ? words : 0; // the words come first
    run_restart(forward->run);
    if (!step_until(forward->run, begin, err))
        return false;
    struct bench_time start = bench_clock();
    bool ok = step_until(forward->run, forward->image_only ? words + picture : run_trace(forward->run)->stage_total, err);
    *time = bench_since(start);
    return ok;
}
