#include "engine/model/weights.h"

#include "engine/io/tensors.h"
#include "engine/model/labels.h"
#include "engine/model/parameters.h"
#include "engine/model/position.h"
#include "engine/model/weights_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct tensor *weights_find(const struct loader *loader, const char *format, ...)
{
    char name[PARAMETER_NAME];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const struct tensor *tensor = tensor_list_find(loader->file, name);
    assert(tensor && "model_config_read() has seen every tensor of model_parameters()");
    return tensor;
}

// All exponent bits set: infinite or NaN.
static bool all_finite(const float *values, size_t count)
{
    uint32_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        bits &= 0x7F800000;
        highest = bits > highest ? bits : highest;
    }
    return highest < 0x7F800000;
}

// One such number makes every answer NaN, long after anybody could say why.
void weights_take(struct loader *loader, const struct tensor *tensor, float *out)
{
    tensor_floats(tensor, out);
    if (!loader->damaged && !all_finite(out, tensor->elements))
        loader->damaged = tensor;
    // Without this the whole file and its packed copy would be in memory at once while a large model loads.
    tensor_list_forget(loader->file, tensor);
}

const float *weights_table(struct loader *loader, const struct tensor *tensor)
{
    float *copy = arena_alloc(&loader->model->tables, tensor->elements, sizeof(float));
    assert(copy && "tables_size() counts every table");
    weights_take(loader, tensor, copy);
    loader->model->weight_bytes += tensor->elements * sizeof *copy;
    return copy;
}

struct norm weights_norm(struct loader *loader, float eps, const char *prefix, const char *name)
{
    return (struct norm){.gamma = weights_table(loader, weights_find(loader, "%s%s.weight", prefix, name)),
                         .beta = weights_table(loader, weights_find(loader, "%s%s.bias", prefix, name)),
                         .eps = eps};
}

static void weights_pack(struct loader *loader, struct linear *linear, const float *bias, int out, int in,
                         int out_block, int in_block)
{
    loader->ok = loader->ok && linear_init(linear, loader->matrix, bias, out, in, out_block, in_block) &&
                 (!loader->few_rows || linear_narrow(linear));
    if (loader->ok)
        loader->model->weight_bytes += linear_bytes(linear);
}

void weights_stack(struct loader *loader, struct linear *linear, const char *prefix, const char *const names[],
                   int count, int out_block, int in_block)
{
    int out = 0, in = 0;
    for (int i = 0; i < count; i++) {
        const struct tensor *weight = weights_find(loader, "%s%s.weight", prefix, names[i]);
        in = (int)weight->shape[1];
        weights_take(loader, weight, loader->matrix + (size_t)out * (size_t)in);
        weights_take(loader, weights_find(loader, "%s%s.bias", prefix, names[i]), loader->bias + out);
        out += (int)weight->shape[0];
    }
    weights_pack(loader, linear, loader->bias, out, in, out_block, in_block);
}

void weights_linear(struct loader *loader, struct linear *linear, const char *prefix, const char *name, int in_block)
{
    weights_stack(loader, linear, prefix, &name, 1, 0, in_block);
}

void weights_matrix(struct loader *loader, struct linear *linear, const struct tensor *weight,
                    const struct tensor *bias)
{
    weights_take(loader, weight, loader->matrix);
    if (bias)
        weights_take(loader, bias, loader->bias);
    weights_pack(loader, linear, bias ? loader->bias : NULL, (int)weight->shape[0],
                 (int)(weight->elements / (size_t)weight->shape[0]), 0, 0);
}

// A 3x3 convolution over channels-last rows: columns (channel, y, x) become (y, x, channel).
static void convolution3(struct loader *loader, struct linear *linear, const char *name)
{
    const struct tensor *weight = weights_find(loader, "vit_model.visual.stem.%s.weight", name);
    int out = (int)weight->shape[0], channels = (int)weight->shape[1];
    float *from = loader->matrix + weight->elements, *to = loader->matrix;
    weights_take(loader, weight, from);
    for (int o = 0; o < out; o++)
        for (int k = 0; k < 9; k++)
            for (int c = 0; c < channels; c++)
                *to++ = from[(o * channels + c) * 9 + k];
    weights_take(loader, weights_find(loader, "vit_model.visual.stem.%s.bias", name), loader->bias);
    weights_pack(loader, linear, loader->bias, out, 9 * channels, 0, 0);
}

static void stem_block(struct loader *loader, int index)
{
    struct stem_block *block = &loader->model->stem.blocks[index];
    char prefix[PARAMETER_NAME];
    int width = loader->model->config.width;
    snprintf(prefix, sizeof prefix, "vit_model.visual.stem.blocks.%d.", index);
    const struct tensor *taps = weights_find(loader, "%sdepthwise.weight", prefix);
    float *turned = arena_alloc(&loader->model->tables, taps->elements, sizeof(float));
    assert(turned);
    weights_take(loader, taps, loader->matrix);
    for (int k = 0; k < 25; k++)
        for (int c = 0; c < width; c++)
            turned[k * width + c] = loader->matrix[c * 25 + k];
    block->depthwise = turned;
    block->depthwise_bias = weights_table(loader, weights_find(loader, "%sdepthwise.bias", prefix));
    block->norm = weights_norm(loader, loader->model->config.image_eps, prefix, "norm");
    weights_linear(loader, &block->fc1, prefix, "fc1", 0);
    weights_linear(loader, &block->fc2, prefix, "fc2", 0);
}

static void load_stem(struct loader *loader)
{
    struct stem *stem = &loader->model->stem;
    const struct model_config *c = &loader->model->config;
    if (c->stem == STEM_PATCH) {
        weights_matrix(loader, &stem->conv[0], weights_find(loader, "vit_model.visual.conv1.weight"), NULL);
        return;
    }
    const struct tensor *first = weights_find(loader, "vit_model.visual.stem.conv1.weight");
    weights_take(loader, first, loader->matrix);
    weights_take(loader, weights_find(loader, "vit_model.visual.stem.conv1.bias"), loader->bias);
    weights_pack(loader, &stem->conv[0], loader->bias, (int)first->shape[0], 48, 0, 0);
    convolution3(loader, &stem->conv[1], "conv2");
    convolution3(loader, &stem->conv[2], "conv3");
    for (int b = 0; b < c->stem_blocks; b++)
        stem_block(loader, b);
    stem->norm = weights_norm(loader, c->image_eps, "vit_model.visual.stem.", "norm");
}

const float *weights_positions(struct loader *loader, const char *name)
{
    const struct model_config *c = &loader->model->config;
    int grid = model_grid(c), width = model_image_width(c);
    float *resized = arena_alloc(&loader->model->tables, (size_t)(grid * grid + 1) * (size_t)width, sizeof(float));
    assert(resized);
    weights_take(loader, weights_find(loader, "%s", name), loader->matrix);
    position_resize(loader->matrix, c->position_grid, resized, grid, width);
    return resized;
}

void weights_vit_layer(struct loader *loader, const char *prefix, const struct vit_names *names, struct layer *layer)
{
    const struct model_config *c = &loader->model->config;
    int width = model_image_width(c);
    layer->pre = true;
    layer->msa.norm = weights_norm(loader, c->image_eps, prefix, names->msa_norm);
    weights_take(loader, weights_find(loader, "%s%sweight", prefix, names->qkv), loader->matrix);
    weights_take(loader, weights_find(loader, "%s%sbias", prefix, names->qkv), loader->bias);
    weights_pack(loader, &layer->msa.in, loader->bias, 3 * width, width, model_head_size(c), 0);
    weights_linear(loader, &layer->msa.out, prefix, names->out, model_head_size(c));
    layer->ffn.norm = weights_norm(loader, c->image_eps, prefix, names->ffn_norm);
    layer->ffn.activation = names->activation;
    weights_linear(loader, &layer->ffn.up, prefix, names->up, 0);
    weights_linear(loader, &layer->ffn.down, prefix, names->down, 0);
}

static void image_layer(struct loader *loader, int index)
{
    static const struct vit_names names = {"ln_1",     "attn.in_proj_", "attn.out_proj",      "ln_2",
                                           "mlp.c_fc", "mlp.c_proj",    ACTIVATION_QUICK_GELU};
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "vit_model.visual.transformer.resblocks.%d.", index);
    weights_vit_layer(loader, prefix, &names, &loader->model->image[index]);
}

void weights_bert_layer(struct loader *loader, struct layer *layer, const char *prefix, float eps)
{
    static const char *const qkv[] = {"attention.self.query", "attention.self.key", "attention.self.value"};
    int head = model_head_size(&loader->model->config);
    weights_stack(loader, &layer->msa.in, prefix, qkv, 3, head, 0);
    weights_linear(loader, &layer->msa.out, prefix, "attention.output.dense", head);
    layer->msa.norm = weights_norm(loader, eps, prefix, "attention.output.LayerNorm");
    weights_linear(loader, &layer->ffn.up, prefix, "intermediate.dense", 0);
    weights_linear(loader, &layer->ffn.down, prefix, "output.dense", 0);
    layer->ffn.norm = weights_norm(loader, eps, prefix, "output.LayerNorm");
    layer->ffn.activation = ACTIVATION_GELU;
}

void weights_cross(struct loader *loader, const char *prefix, const char *twin, bool of_words, struct attention_weights *mca)
{
    bool few_rows = loader->few_rows;
    int head = model_head_size(&loader->model->config);
    char names[3][PARAMETER_NAME];
    const char *const memory[] = {names[0], names[1]};
    snprintf(names[0], PARAMETER_NAME, "crossattention.self%s.key", twin);
    snprintf(names[1], PARAMETER_NAME, "crossattention.self%s.value", twin);
    snprintf(names[2], PARAMETER_NAME, "crossattention.self%s.query", twin);
    loader->few_rows = of_words;
    weights_stack(loader, &mca->memory, prefix, memory, 2, head, 0);
    loader->few_rows = few_rows;
    weights_stack(loader, &mca->in, prefix, (const char *const[]){names[2]}, 1, head, 0);
    snprintf(names[2], PARAMETER_NAME, "crossattention.output.dense%s", twin);
    weights_linear(loader, &mca->out, prefix, names[2], head);
}

static const char *const stream_names[FUSION_STREAMS] = {[FUSION_TEXT] = "text", [FUSION_IMAGE] = "image"};

static void fusion_layer(struct loader *loader, int stream, int index)
{
    struct layer *layer = &loader->model->fusion[stream][index];
    const struct model_config *c = &loader->model->config;
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "cross_modal_%s_layers.%d.", stream_names[stream], index);
    loader->few_rows = stream == FUSION_TEXT;
    layer->pre = c->fusion_norm == FUSION_PRE;
    layer->cross = true;
    weights_bert_layer(loader, layer, prefix, c->fusion_eps);
    weights_cross(loader, prefix, "", stream == FUSION_IMAGE, &layer->mca);
    layer->mca.norm = weights_norm(loader, c->fusion_eps, prefix, "crossattention.output.LayerNorm");
    if (layer->pre)
        layer->mca.context_norm = weights_norm(loader, c->fusion_eps, prefix, "crossattention.context.LayerNorm");
}

static void load_trimmer(struct loader *loader, enum model_stack stack_id, int index)
{
    const struct model_config *c = &loader->model->config;
    const struct trimmer_config *config = &c->trimmers[stack_id][index];
    struct trimmer *trimmer = &loader->model->trimmers[stack_id][index];
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "trimmers.%s.%d.", model_stack_name(stack_id), index);
    trimmer->token.present = config->hidden > 0;
    trimmer->token.guided = config->rank > 0;
    if (trimmer->token.present) {
        trimmer->token.norm = weights_norm(loader, c->trimmer_eps, prefix, "token.norm");
        weights_linear(loader, &trimmer->token.self, prefix, "token.self", 0);
        weights_linear(loader, &trimmer->token.out, prefix, "token.out", 0);
    }
    if (trimmer->token.guided) {
        trimmer->token.context_norm = weights_norm(loader, c->trimmer_eps, prefix, "token.context_norm");
        weights_matrix(loader, &trimmer->token.query, weights_find(loader, "%stoken.query.weight", prefix), NULL);
        if (config->concat) {
            weights_linear(loader, &trimmer->token.key, prefix, "token.key", 0);
            weights_matrix(loader, &trimmer->token.mix, weights_find(loader, "%stoken.mix.weight", prefix), NULL);
        } else {
            weights_matrix(loader, &trimmer->token.key, weights_find(loader, "%stoken.key.weight", prefix), NULL);
            weights_take(loader, weights_find(loader, "%stoken.alpha", prefix), &trimmer->token.alpha);
        }
    }
    trimmer->msa.present = config->msa;
    if (config->msa) {
        trimmer->msa.norm = weights_norm(loader, c->trimmer_eps, prefix, "msa.norm");
        weights_linear(loader, &trimmer->msa.out, prefix, "msa.out", 0);
    }
    trimmer->mca.present = config->mca;
    if (config->mca) {
        trimmer->mca.norm = weights_norm(loader, c->trimmer_eps, prefix, "mca.norm");
        weights_linear(loader, &trimmer->mca.out, prefix, "mca.out", 0);
    }
}

void weights_embedding(struct loader *loader, const char *prefix, struct text_embedding *embedding)
{
    embedding->words = weights_table(loader, weights_find(loader, "%sword_embeddings.weight", prefix));
    embedding->positions = weights_table(loader, weights_find(loader, "%sposition_embeddings.weight", prefix));
    embedding->norm = weights_norm(loader, loader->model->config.text_eps, prefix, "LayerNorm");
}

// What the words need before and after their own layers, and the token types.
static void load_question(struct loader *loader)
{
    struct model *m = loader->model;
    const char *prefix = "text_transformer.embeddings.";
    weights_embedding(loader, prefix, &m->embedding);
    m->embedding.type = weights_table(loader, weights_find(loader, "%stoken_type_embeddings.weight", prefix));
    m->embedding.first = 2; // RoBERTa starts counting after its pad id 1; padding is dropped before it gets here
    m->types = weights_table(loader, weights_find(loader, "token_type_embeddings.weight"));
    weights_linear(loader, &m->transform[FUSION_TEXT], "cross_modal_", "text_transform", 0);
}

static void text_layer(struct loader *loader, int index)
{
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "text_transformer.encoder.layer.%d.", index);
    weights_bert_layer(loader, &loader->model->text[index], prefix, loader->model->config.text_eps);
}

// The same of a picture.
static void load_picture(struct loader *loader)
{
    struct model *m = loader->model;
    load_stem(loader);
    m->class_embedding = weights_table(loader, weights_find(loader, "vit_model.visual.class_embedding"));
    m->image_positions = weights_positions(loader, "vit_model.visual.positional_embedding");
    m->image_norm_pre = weights_norm(loader, m->config.image_eps, "vit_model.visual.", "ln_pre");
    m->image_norm_post = weights_norm(loader, m->config.image_eps, "vit_model.visual.", "ln_post");
    weights_linear(loader, &m->transform[FUSION_IMAGE], "cross_modal_", "image_transform", 0);
    if (m->config.fusion_position)
        m->fusion_positions = weights_positions(loader, "cross_modal_image_position");
}

static void load_head(struct loader *loader)
{
    struct model *m = loader->model;
    char prefix[PARAMETER_NAME];
    for (int s = 0; s < FUSION_STREAMS; s++) {
        snprintf(prefix, sizeof prefix, "%s_pooler.dense", stream_names[s]);
        weights_linear(loader, &m->pooler[s], "cross_modal_", prefix, 0);
        snprintf(prefix, sizeof prefix, "%s_norm", stream_names[s]);
        if (m->config.fusion_norm == FUSION_PRE)
            m->fusion_norm[s] = weights_norm(loader, m->config.fusion_eps, "cross_modal_", prefix);
    }
    if (m->config.task == TASK_RETRIEVAL) {
        weights_linear(loader, &m->head[1], "", model_task_head(m->config.task), 0);
        if (m->config.ranked)
            weights_linear(loader, &m->rank, "", "rank_output", 0);
        return;
    }
    snprintf(prefix, sizeof prefix, "%s.", model_task_head(m->config.task));
    weights_linear(loader, &m->head[0], prefix, "0", 0);
    m->head_norm = weights_norm(loader, m->config.head_eps, prefix, "1");
    weights_linear(loader, &m->head[1], prefix, "3", 0);
    if (m->config.answer_words)
        weights_linear(loader, &m->head_words, prefix, "words", 0);
}

struct sizes {
    size_t tables, matrix, bias;
};

static bool is_table(const struct parameter *p)
{
    return p->rank == 1 || strstr(p->name, "embedding") || strstr(p->name, "cls_token") ||
           strstr(p->name, "depthwise") || strstr(p->name, "_position");
}

static bool add_size(void *context, const struct parameter *p)
{
    struct sizes *sizes = context;
    size_t elements = (size_t)p->elements;
    if (is_table(p))
        sizes->tables += elements * sizeof(float) + MEMORY_ALIGNMENT;
    // The matrix buffer takes Q, K and V at once, and both orders of a convolution.
    if (3 * elements > sizes->matrix && !strstr(p->name, "word_embeddings"))
        sizes->matrix = 3 * elements;
    if (p->rank == 1 && 3 * elements > sizes->bias)
        sizes->bias = 3 * elements;
    return true;
}

struct loader *weights_begin(struct model *model, const struct tensor_list *file, struct error *err)
{
    const struct model_config *c = &model->config;
    struct sizes sizes = {0};
    model_parameters(c, add_size, &sizes);
    size_t patches = (size_t)(model_grid(c) * model_grid(c) + 1);
    sizes.tables += 2 * (patches * (size_t)model_image_width(c) * sizeof(float) + MEMORY_ALIGNMENT);
    struct loader *loader = memory_alloc(1, sizeof *loader);
    if (loader) {
        *loader = (struct loader){.model = model, .file = file, .ok = true};
        loader->matrix = memory_take(sizes.matrix, sizeof(float));
        loader->bias = memory_take(sizes.bias, sizeof(float));
    }
    if (loader && loader->matrix && loader->bias && arena_init(&model->tables, sizes.tables))
        return loader;
    weights_end(loader);
    error_no_memory(err, "the model's weights");
    return NULL;
}

void weights_end(struct loader *loader)
{
    if (!loader)
        return;
    memory_free(loader->matrix);
    memory_free(loader->bias);
    memory_free(loader);
}

static void load_meter(struct loader *loader, enum model_part part, int layer)
{
    loader->few_rows = part == PART_TEXT || part == PART_ANSWER;
    switch (part) {
    case PART_QUESTION: load_question(loader); break;
    case PART_TEXT: text_layer(loader, layer); break;
    case PART_PICTURE: load_picture(loader); break;
    case PART_IMAGE: image_layer(loader, layer); break;
    case PART_ANSWER: load_head(loader); break;
    case PART_FUSION:
        for (int s = 0; s < FUSION_STREAMS; s++)
            fusion_layer(loader, s, layer);
        break;
    case PART_DECODER:
    case MODEL_PARTS: break;
    }
}

bool weights_load_part(struct loader *loader, enum model_part part, int layer, struct error *err)
{
    static const enum model_part stacks[STACK_COUNT] = {[STACK_IMAGE] = PART_IMAGE,
                                                        [STACK_TEXT] = PART_TEXT,
                                                        [STACK_FUSION_IMAGE] = PART_FUSION,
                                                        [STACK_FUSION_TEXT] = PART_FUSION,
                                                        [STACK_DECODER] = PART_DECODER};
    (loader->model->config.architecture == ARCHITECTURE_BLIP ? weights_blip : load_meter)(loader, part, layer);
    for (int s = 0; s < STACK_COUNT; s++)
        if (stacks[s] == part && layer < model_stack_layers(&loader->model->config, (enum model_stack)s))
            load_trimmer(loader, (enum model_stack)s, layer);
    if (!loader->ok)
        return error_no_memory(err, "the model's weights");
    if (loader->damaged)
        return error_set(err, ERROR_INPUT, "tensor %s holds numbers that are infinite or not a number at all",
                         loader->damaged->name);
    return part != PART_ANSWER || labels_read_words(loader->model, loader->file, err);
}
