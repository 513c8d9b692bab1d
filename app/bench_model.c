#include "app/bench_model.h"

#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "engine/model/parameters.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TENSORS = 2048, SLACK = 4096, ANSWERS = 3128 };

static const struct kind {
    const char *name, *short_name;
    int side, words;
} kinds[] = {
    [BENCH_METER] = {"METER-VQA", "METER", 384, 50},
    [BENCH_BLIP] = {"BLIP-VQA", "BLIP", 480, 16},
};

const char *bench_kind_name(enum bench_kind kind)
{
    return kinds[kind].name;
}

const char *bench_kind_short(enum bench_kind kind)
{
    return kinds[kind].short_name;
}

// vlm_spec §3.1: eleven blocks of CLIP ViT-B/16, RoBERTa-base, six co-attention layers a stream, VQAv2's answers.
static void meter_config(struct model_config *c)
{
    model_config_default(c);
    c->task = TASK_VQA;
    c->pictures = 1;
    c->image_layers = 11;
    c->text_layers = 12;
    c->fusion_layers = 6;
    c->image_fusion_ffn = c->text_ffn = 4 * 768;
    c->vocabulary = 50265;
    c->positions = 514;
    c->token_types = 2;
    c->labels = 3129;
    c->head_hidden = 2 * 768;
}

// vlm_spec §4: ViT-B/16, twelve text layers that attend to the patches, twelve of the decoder of answers.
static void blip_config(struct model_config *c)
{
    model_config_default_blip(c, TASK_VQA);
    c->image_layers = c->fusion_layers = c->decoder_layers = 12;
    c->decoder_ffn = 4 * 768;
    c->vocabulary = 30524;
    c->positions = 512;
    c->token_start = c->vocabulary - 2;
    c->token_encode = c->vocabulary - 1;
}

// In every layer of every stack, as large as they may be; nothing guides METER's words, which run first.
static void add_trimmers(struct model_config *c)
{
    bool blip = c->architecture == ARCHITECTURE_BLIP;
    for (int s = 0; s < STACK_COUNT; s++) {
        bool read = s == STACK_DECODER || (blip && s == STACK_FUSION_IMAGE); // which have no heads of their own
        for (int l = 0; l < model_stack_layers(c, (enum model_stack)s); l++)
            c->trimmers[s][l] = (struct trimmer_config){
                .hidden = c->width / 8,
                .rank = s == STACK_TEXT ? 0 : c->width / 8,
                .msa = !read,
                .mca = !read && (s == STACK_FUSION_IMAGE || s == STACK_FUSION_TEXT),
            };
    }
}

static bool make_config(enum bench_kind kind, struct model_config *c, struct error *err)
{
    (kind == BENCH_METER ? meter_config : blip_config)(c);
    snprintf(c->name, sizeof c->name, "%s, random weights", kinds[kind].name);
    c->image_size = kinds[kind].side;
    c->position_grid = c->image_size / c->patch_size;
    c->width = 768;
    c->heads = 12;
    c->image_ffn = c->text_fusion_ffn = 4 * c->width;
    add_trimmers(c);
    return model_config_check(c, err);
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
    if (list->count >= TENSORS)
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

static bool write_weights(const struct model_config *config, const char *path, struct error *err)
{
    struct list list = {0};
    bool ok = make_numbers(&list, config) && model_parameters(config, add_parameter, &list);
    char *json = model_config_to_json(config);
    const struct metadata_pair pair = {"config", json};
    if (!ok || !json)
        error_no_memory(err, "the weights of a full-size model");
    else
        ok = safetensors_write(path, list.tensors, list.count, &pair, 1, err);
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
    char folder[BENCH_PATH], name[BENCH_PATH + 24];
    if (!make_config(model->kind, &config, err) || !bench_folder(folder, err))
        return false;
    snprintf(name, sizeof name, "%s/weights.safetensors", folder);
    bool ok = write_weights(&config, name, err);
    if (ok)
        model->file = bench_take_over(name, O_RDONLY, model->path, err);
    rmdir(folder);
    return ok && model->file >= 0;
}

// Of sixteen answers ten have one piece, four two, two three; the first of all has six. Each ends with [SEP].
static bool make_answers(struct model *model, struct error *err)
{
    int *start = memory_alloc(ANSWERS + 1, sizeof *start), *ids = memory_alloc(4 * ANSWERS + 4, sizeof *ids);
    const struct answer_list answers = {ANSWERS, ids, start};
    bool room = start && ids;
    for (int a = 0, used = 0; room && a < ANSWERS; a++) {
        int pieces = a == 0 ? 6 : a % 16 < 10 ? 1 : a % 16 < 14 ? 2 : 3;
        start[a] = used;
        for (int i = 0; i < pieces; i++)
            ids[used++] = 1000 + (a * 7 + i * 5003) % 25000;
        ids[used++] = model->config.token_end;
        start[a + 1] = used;
    }
    bool ok = room && model_set_answers(model, &answers);
    memory_free(start);
    memory_free(ids);
    return ok || error_no_memory(err, "the answers");
}

static void make_question(struct bench_model *model)
{
    bool meter = model->kind == BENCH_METER; // <s> words </s>; [ENC] words [SEP]
    for (int t = 0; t < model->words; t++)
        model->ids[t] = 3 + 997 * t % 30000;
    model->ids[0] = meter ? 0 : 30523;
    model->ids[model->words - 1] = meter ? 2 : 102;
}

bool bench_model_open(struct bench_model *model, enum bench_kind kind, struct error *err)
{
    size_t side = (size_t)kinds[kind].side;
    *model =
        (struct bench_model){.kind = kind, .file = -1, .pixels = bench_numbers(3 * side * side), .words = kinds[kind].words};
    if (!model->pixels)
        return error_no_memory(err, "a picture");
    make_question(model);
    if (make_file(model, err) && bench_model_reopen(model, false, err))
        return true;
    bench_model_close(model);
    return false;
}

bool bench_model_reopen(struct bench_model *model, bool background, struct error *err)
{
    const struct model_options options = {.background = background};
    model->model = model_open(model->path, &options, err);
    return model->model && (model->kind != BENCH_BLIP || make_answers(model->model, err));
}

void bench_model_drop(struct bench_model *model)
{
    model_free(model->model);
    model->model = NULL;
}

void bench_model_close(struct bench_model *model)
{
    bench_model_drop(model);
    memory_free(model->pixels);
    if (model->file >= 0)
        close(model->file);
    *model = (struct bench_model){.file = -1};
}

void bench_take_results(void *context, const char *name, const float *x, int rows, int width)
{
    struct bench_results *results = context;
    bool losses = !strcmp(name, "rank_stable_loss");
    if (!strcmp(name, "rank_stable_topk_ids"))
        for (int i = 0; i < width; i++)
            results->top[i] = (int)x[i];
    if (losses)
        memcpy(results->losses, x, (size_t)(results->candidates = width) * sizeof *x);
    if (losses || (!strcmp(name, "logits") && rows == 1))
        for (int i = 0; i < BENCH_VALUES && i < width; i++)
            results->values[i] = x[i];
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
    return run_new_from_tensors(model->model, pixels, model->ids, model->words, &options, probe, context, err);
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
    const int all = run_trace(forward->run)->stage_total;
    const struct {
        int from, to;
    } stages[] = {{0, all}, {words, words + picture}, {all - 1, all}}; // the words come first
    run_restart(forward->run);
    if (!step_until(forward->run, stages[forward->part].from, err))
        return false;
    struct bench_time start = bench_clock();
    bool ok = step_until(forward->run, stages[forward->part].to, err);
    *time = bench_since(start);
    return ok;
}
