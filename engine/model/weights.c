#include "engine/model/weights.h"

#include "engine/io/tensors.h"
#include "engine/model/parameters.h"
#include "engine/model/position.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct loader {
    struct model *model;
    const struct tensor_list *file;
    float *matrix, *bias; // room for the largest matrix, and the longest bias, of a linear layer
    const struct tensor *damaged; // the first with numbers that are not finite
    bool ok;
};

static const struct tensor *find(const struct loader *loader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const struct tensor *find(const struct loader *loader, const char *format, ...)
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
static void take_floats(struct loader *loader, const struct tensor *tensor, float *out)
{
    tensor_floats(tensor, out);
    if (!loader->damaged && !all_finite(out, tensor->elements))
        loader->damaged = tensor;
    // Without this the whole file and its packed copy would be in memory at once while a large model loads.
    tensor_list_forget(loader->file, tensor);
}

// A table or vector, copied.
static const float *table(struct loader *loader, const struct tensor *tensor)
{
    float *copy = arena_alloc(&loader->model->tables, tensor->elements, sizeof(float));
    assert(copy && "tables_size() counts every table");
    take_floats(loader, tensor, copy);
    return copy;
}

static struct norm norm(struct loader *loader, float eps, const char *prefix, const char *name)
{
    return (struct norm){.gamma = table(loader, find(loader, "%s%s.weight", prefix, name)),
                         .beta = table(loader, find(loader, "%s%s.bias", prefix, name)),
                         .eps = eps};
}

static void pack(struct loader *loader, struct linear *linear, const float *bias, int out, int in, int out_block,
                 int in_block)
{
    loader->ok = loader->ok && linear_init(linear, loader->matrix, bias, out, in, out_block, in_block);
}

// Up to three linear layers of the file side by side (out columns of one after the other) as one.
static void stack(struct loader *loader, struct linear *linear, const char *prefix, const char *const names[],
                  int count, int out_block, int in_block)
{
    int out = 0, in = 0;
    for (int i = 0; i < count; i++) {
        const struct tensor *weight = find(loader, "%s%s.weight", prefix, names[i]);
        in = (int)weight->shape[1];
        take_floats(loader, weight, loader->matrix + (size_t)out * (size_t)in);
        take_floats(loader, find(loader, "%s%s.bias", prefix, names[i]), loader->bias + out);
        out += (int)weight->shape[0];
    }
    pack(loader, linear, loader->bias, out, in, out_block, in_block);
}

static void one(struct loader *loader, struct linear *linear, const char *prefix, const char *name, int in_block)
{
    stack(loader, linear, prefix, &name, 1, 0, in_block);
}

static void without_bias(struct loader *loader, struct linear *linear, const struct tensor *weight)
{
    take_floats(loader, weight, loader->matrix);
    pack(loader, linear, NULL, (int)weight->shape[0], (int)(weight->elements / (size_t)weight->shape[0]), 0, 0);
}

// A 3x3 convolution over channels-last rows: columns (channel, y, x) become (y, x, channel).
static void convolution3(struct loader *loader, struct linear *linear, const char *name)
{
    const struct tensor *weight = find(loader, "vit_model.visual.stem.%s.weight", name);
    int out = (int)weight->shape[0], channels = (int)weight->shape[1];
    float *from = loader->matrix + weight->elements, *to = loader->matrix;
    take_floats(loader, weight, from);
    for (int o = 0; o < out; o++)
        for (int k = 0; k < 9; k++)
            for (int c = 0; c < channels; c++)
                *to++ = from[(o * channels + c) * 9 + k];
    take_floats(loader, find(loader, "vit_model.visual.stem.%s.bias", name), loader->bias);
    pack(loader, linear, loader->bias, out, 9 * channels, 0, 0);
}

static void stem_block(struct loader *loader, int index)
{
    struct stem_block *block = &loader->model->stem.blocks[index];
    char prefix[PARAMETER_NAME];
    int width = loader->model->config.width;
    snprintf(prefix, sizeof prefix, "vit_model.visual.stem.blocks.%d.", index);
    const struct tensor *taps = find(loader, "%sdepthwise.weight", prefix);
    float *turned = arena_alloc(&loader->model->tables, taps->elements, sizeof(float));
    assert(turned);
    take_floats(loader, taps, loader->matrix);
    for (int k = 0; k < 25; k++)
        for (int c = 0; c < width; c++)
            turned[k * width + c] = loader->matrix[c * 25 + k];
    block->depthwise = turned;
    block->depthwise_bias = table(loader, find(loader, "%sdepthwise.bias", prefix));
    block->norm = norm(loader, loader->model->config.image_eps, prefix, "norm");
    one(loader, &block->fc1, prefix, "fc1", 0);
    one(loader, &block->fc2, prefix, "fc2", 0);
}

static void load_stem(struct loader *loader)
{
    struct stem *stem = &loader->model->stem;
    const struct model_config *c = &loader->model->config;
    if (c->stem == STEM_PATCH) {
        without_bias(loader, &stem->conv[0], find(loader, "vit_model.visual.conv1.weight"));
        return;
    }
    const struct tensor *first = find(loader, "vit_model.visual.stem.conv1.weight");
    take_floats(loader, first, loader->matrix);
    take_floats(loader, find(loader, "vit_model.visual.stem.conv1.bias"), loader->bias);
    pack(loader, &stem->conv[0], loader->bias, (int)first->shape[0], 48, 0, 0);
    convolution3(loader, &stem->conv[1], "conv2");
    convolution3(loader, &stem->conv[2], "conv3");
    for (int b = 0; b < c->stem_blocks; b++)
        stem_block(loader, b);
    stem->norm = norm(loader, c->image_eps, "vit_model.visual.stem.", "norm");
}

// A position table for the run's grid.
static const float *positions(struct loader *loader, const char *name)
{
    const struct model_config *c = &loader->model->config;
    int grid = model_grid(c);
    float *resized = arena_alloc(&loader->model->tables, (size_t)(grid * grid + 1) * (size_t)c->width, sizeof(float));
    assert(resized);
    take_floats(loader, find(loader, "%s", name), loader->matrix);
    position_resize(loader->matrix, c->position_grid, resized, grid, c->width);
    return resized;
}

static void image_layer(struct loader *loader, int index)
{
    struct layer *layer = &loader->model->image[index];
    const struct model_config *c = &loader->model->config;
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "vit_model.visual.transformer.resblocks.%d.", index);
    layer->pre = true;
    layer->msa.norm = norm(loader, c->image_eps, prefix, "ln_1");
    take_floats(loader, find(loader, "%sattn.in_proj_weight", prefix), loader->matrix);
    take_floats(loader, find(loader, "%sattn.in_proj_bias", prefix), loader->bias);
    pack(loader, &layer->msa.in, loader->bias, 3 * c->width, c->width, model_head_size(c), 0);
    one(loader, &layer->msa.out, prefix, "attn.out_proj", model_head_size(c));
    layer->ffn.norm = norm(loader, c->image_eps, prefix, "ln_2");
    layer->ffn.activation = ACTIVATION_QUICK_GELU;
    one(loader, &layer->ffn.up, prefix, "mlp.c_fc", 0);
    one(loader, &layer->ffn.down, prefix, "mlp.c_proj", 0);
}

// MSA and FFN of a BERT-type layer: text encoder and fusion.
static void bert_layer(struct loader *loader, struct layer *layer, const char *prefix, float eps)
{
    static const char *const qkv[] = {"attention.self.query", "attention.self.key", "attention.self.value"};
    int head = model_head_size(&loader->model->config);
    stack(loader, &layer->msa.in, prefix, qkv, 3, head, 0);
    one(loader, &layer->msa.out, prefix, "attention.output.dense", head);
    layer->msa.norm = norm(loader, eps, prefix, "attention.output.LayerNorm");
    one(loader, &layer->ffn.up, prefix, "intermediate.dense", 0);
    one(loader, &layer->ffn.down, prefix, "output.dense", 0);
    layer->ffn.norm = norm(loader, eps, prefix, "output.LayerNorm");
    layer->ffn.activation = ACTIVATION_GELU;
}

static const char *const stream_names[FUSION_STREAMS] = {[FUSION_TEXT] = "text", [FUSION_IMAGE] = "image"};

static void fusion_layer(struct loader *loader, int stream, int index)
{
    static const char *const query[] = {"crossattention.self.query"};
    static const char *const memory[] = {"crossattention.self.key", "crossattention.self.value"};
    struct layer *layer = &loader->model->fusion[stream][index];
    const struct model_config *c = &loader->model->config;
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "cross_modal_%s_layers.%d.", stream_names[stream], index);
    layer->pre = c->fusion_norm == FUSION_PRE;
    layer->cross = true;
    bert_layer(loader, layer, prefix, c->fusion_eps);
    stack(loader, &layer->mca.in, prefix, query, 1, model_head_size(c), 0);
    stack(loader, &layer->mca.memory, prefix, memory, 2, model_head_size(c), 0);
    one(loader, &layer->mca.out, prefix, "crossattention.output.dense", model_head_size(c));
    layer->mca.norm = norm(loader, c->fusion_eps, prefix, "crossattention.output.LayerNorm");
    if (layer->pre)
        layer->mca.context_norm = norm(loader, c->fusion_eps, prefix, "crossattention.context.LayerNorm");
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
        trimmer->token.norm = norm(loader, c->trimmer_eps, prefix, "token.norm");
        one(loader, &trimmer->token.self, prefix, "token.self", 0);
        one(loader, &trimmer->token.out, prefix, "token.out", 0);
    }
    if (trimmer->token.guided) {
        trimmer->token.context_norm = norm(loader, c->trimmer_eps, prefix, "token.context_norm");
        without_bias(loader, &trimmer->token.query, find(loader, "%stoken.query.weight", prefix));
        without_bias(loader, &trimmer->token.key, find(loader, "%stoken.key.weight", prefix));
        take_floats(loader, find(loader, "%stoken.alpha", prefix), &trimmer->token.alpha);
    }
    trimmer->msa.present = config->msa;
    if (config->msa) {
        trimmer->msa.norm = norm(loader, c->trimmer_eps, prefix, "msa.norm");
        one(loader, &trimmer->msa.out, prefix, "msa.out", 0);
    }
    trimmer->mca.present = config->mca;
    if (config->mca) {
        trimmer->mca.norm = norm(loader, c->trimmer_eps, prefix, "mca.norm");
        one(loader, &trimmer->mca.out, prefix, "mca.out", 0);
    }
}

static void load_image(struct loader *loader)
{
    struct model *m = loader->model;
    load_stem(loader);
    m->class_embedding = table(loader, find(loader, "vit_model.visual.class_embedding"));
    m->image_positions = positions(loader, "vit_model.visual.positional_embedding");
    m->image_norm_pre = norm(loader, m->config.image_eps, "vit_model.visual.", "ln_pre");
    m->image_norm_post = norm(loader, m->config.image_eps, "vit_model.visual.", "ln_post");
    for (int l = 0; l < m->config.image_layers; l++)
        image_layer(loader, l);
}

static void load_text(struct loader *loader)
{
    struct model *m = loader->model;
    const char *prefix = "text_transformer.embeddings.";
    m->words = table(loader, find(loader, "%sword_embeddings.weight", prefix));
    m->positions = table(loader, find(loader, "%sposition_embeddings.weight", prefix));
    m->text_type = table(loader, find(loader, "%stoken_type_embeddings.weight", prefix));
    m->text_norm = norm(loader, m->config.text_eps, prefix, "LayerNorm");
    for (int l = 0; l < m->config.text_layers; l++) {
        char layer[PARAMETER_NAME];
        snprintf(layer, sizeof layer, "text_transformer.encoder.layer.%d.", l);
        bert_layer(loader, &m->text[l], layer, m->config.text_eps);
    }
}

static void load_fusion(struct loader *loader)
{
    struct model *m = loader->model;
    m->types = table(loader, find(loader, "token_type_embeddings.weight"));
    if (m->config.fusion_position)
        m->fusion_positions = positions(loader, "cross_modal_image_position");
    for (int s = 0; s < FUSION_STREAMS; s++) {
        char name[PARAMETER_NAME];
        for (int l = 0; l < m->config.fusion_layers; l++)
            fusion_layer(loader, s, l);
        snprintf(name, sizeof name, "%s_transform", stream_names[s]);
        one(loader, &m->transform[s], "cross_modal_", name, 0);
        snprintf(name, sizeof name, "%s_pooler.dense", stream_names[s]);
        one(loader, &m->pooler[s], "cross_modal_", name, 0);
        snprintf(name, sizeof name, "%s_norm", stream_names[s]);
        if (m->config.fusion_norm == FUSION_PRE)
            m->fusion_norm[s] = norm(loader, m->config.fusion_eps, "cross_modal_", name);
    }
}

static void load_head(struct loader *loader)
{
    struct model *m = loader->model;
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "%s.", model_task_head(m->config.task));
    one(loader, &m->head[0], prefix, "0", 0);
    m->head_norm = norm(loader, m->config.head_eps, prefix, "1");
    one(loader, &m->head[1], prefix, "3", 0);
    if (m->config.answer_words)
        one(loader, &m->head_words, prefix, "words", 0);
}

struct sizes {
    size_t tables, matrix, bias;
};

static bool is_table(const struct parameter *p)
{
    return p->rank == 1 || strstr(p->name, "embedding") || strstr(p->name, "depthwise") || strstr(p->name, "_position");
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

bool weights_load(struct model *model, const struct tensor_list *file, struct error *err)
{
    const struct model_config *c = &model->config;
    struct sizes sizes = {0};
    model_parameters(c, add_size, &sizes);
    size_t patches = (size_t)(model_grid(c) * model_grid(c) + 1);
    sizes.tables += 2 * (patches * (size_t)c->width * sizeof(float) + MEMORY_ALIGNMENT);
    struct loader loader = {.model = model, .file = file, .ok = true};
    loader.matrix = memory_alloc(sizes.matrix, sizeof(float));
    loader.bias = memory_alloc(sizes.bias, sizeof(float));
    loader.ok = loader.matrix && loader.bias && arena_init(&model->tables, sizes.tables);
    if (loader.ok) {
        load_text(&loader);
        load_image(&loader);
        load_fusion(&loader);
        load_head(&loader);
        for (int s = 0; s < STACK_COUNT; s++)
            for (int l = 0; l < model_stack_layers(c, (enum model_stack)s); l++)
                load_trimmer(&loader, (enum model_stack)s, l);
    }
    memory_free(loader.matrix);
    memory_free(loader.bias);
    if (!loader.ok)
        return error_no_memory(err, "the model's weights");
    return !loader.damaged || error_set(err, ERROR_INPUT, "tensor %s holds numbers that are infinite or not a number at all",
                                        loader.damaged->name);
}
