#include "engine/model/parameters.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// The walk: a prefix that sections of the model set, and whether the visitor has stopped it.
struct walk {
    const struct model_config *config;
    parameter_visitor *visit;
    void *context;
    char prefix[PARAMETER_NAME];
    bool trimmer, going;
};

static void section(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void section(struct walk *walk, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(walk->prefix, sizeof walk->prefix, format, args);
    va_end(args);
}

// One tensor; a, b, c, d are its sizes up to the first 0.
static void tensor(struct walk *walk, const char *name, int a, int b, int c, int d)
{
    if (!walk->going)
        return;
    struct parameter parameter = {.shape = {a, b, c, d}, .elements = 1, .trimmer = walk->trimmer};
    snprintf(parameter.name, sizeof parameter.name, "%.50s%.45s", walk->prefix, name);
    while (parameter.rank < 4 && parameter.shape[parameter.rank] > 0)
        parameter.elements *= parameter.shape[parameter.rank++];
    parameter.decay = parameter.rank >= 2;
    walk->going = walk->visit(walk->context, &parameter);
}

static void vector(struct walk *walk, const char *name, int n) { tensor(walk, name, n, 0, 0, 0); }
static void matrix(struct walk *walk, const char *name, int rows, int columns)
{
    tensor(walk, name, rows, columns, 0, 0);
}

static void linear(struct walk *walk, const char *name, int out, int in)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s.weight", name);
    matrix(walk, full, out, in);
    snprintf(full, sizeof full, "%s.bias", name);
    vector(walk, full, out);
}

static void norm(struct walk *walk, const char *name, int n)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s.weight", name);
    vector(walk, full, n);
    snprintf(full, sizeof full, "%s.bias", name);
    vector(walk, full, n);
}

static void convolution(struct walk *walk, const char *name, int out, int in, int side)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s.weight", name);
    tensor(walk, full, out, in, side, side);
    snprintf(full, sizeof full, "%s.bias", name);
    vector(walk, full, out);
}

static void trimmers(struct walk *walk, enum model_stack stack, int layer)
{
    const struct trimmer_config *trimmer = &walk->config->trimmers[stack][layer];
    int width = walk->config->width, heads = walk->config->heads;
    walk->trimmer = true;
    section(walk, "trimmers.%s.%d.", model_stack_name(stack), layer);
    if (trimmer->hidden) {
        norm(walk, "token.norm", width);
        linear(walk, "token.self", trimmer->hidden, width);
        linear(walk, "token.out", 1, trimmer->hidden);
    }
    if (trimmer->hidden && trimmer->rank) {
        matrix(walk, "token.query.weight", trimmer->rank, width);
        norm(walk, "token.context_norm", width);
        matrix(walk, "token.key.weight", trimmer->rank, width);
        vector(walk, "token.alpha", 1);
    }
    if (trimmer->msa) {
        norm(walk, "msa.norm", width);
        linear(walk, "msa.out", heads, width);
    }
    if (trimmer->mca) {
        norm(walk, "mca.norm", 2 * width);
        linear(walk, "mca.out", heads, 2 * width);
    }
    walk->trimmer = false;
}

static void text_encoder(struct walk *walk)
{
    const struct model_config *c = walk->config;
    section(walk, "text_transformer.embeddings.");
    matrix(walk, "word_embeddings.weight", c->vocabulary, c->width);
    matrix(walk, "position_embeddings.weight", c->positions, c->width);
    matrix(walk, "token_type_embeddings.weight", 1, c->width);
    norm(walk, "LayerNorm", c->width);
    for (int l = 0; l < c->text_layers; l++) {
        trimmers(walk, STACK_TEXT, l);
        section(walk, "text_transformer.encoder.layer.%d.", l);
        linear(walk, "attention.self.query", c->width, c->width);
        linear(walk, "attention.self.key", c->width, c->width);
        linear(walk, "attention.self.value", c->width, c->width);
        linear(walk, "attention.output.dense", c->width, c->width);
        norm(walk, "attention.output.LayerNorm", c->width);
        linear(walk, "intermediate.dense", c->text_ffn, c->width);
        linear(walk, "output.dense", c->width, c->text_ffn);
        norm(walk, "output.LayerNorm", c->width);
    }
}

static void conv_stem(struct walk *walk)
{
    const struct model_config *c = walk->config;
    section(walk, "vit_model.visual.stem.");
    convolution(walk, "conv1", c->stem_channels[0], 3, 4);
    convolution(walk, "conv2", c->stem_channels[1], c->stem_channels[0], 3);
    convolution(walk, "conv3", c->width, c->stem_channels[1], 3);
    for (int b = 0; b < c->stem_blocks; b++) {
        section(walk, "vit_model.visual.stem.blocks.%d.", b);
        convolution(walk, "depthwise", c->width, 1, 5);
        norm(walk, "norm", c->width);
        linear(walk, "fc1", c->stem_expansion, c->width);
        linear(walk, "fc2", c->width, c->stem_expansion);
    }
    section(walk, "vit_model.visual.stem.");
    norm(walk, "norm", c->width);
}

static void image_encoder(struct walk *walk)
{
    const struct model_config *c = walk->config;
    if (c->stem == STEM_CONV)
        conv_stem(walk);
    section(walk, "vit_model.visual.");
    if (c->stem == STEM_PATCH)
        tensor(walk, "conv1.weight", c->width, 3, c->patch_size, c->patch_size);
    vector(walk, "class_embedding", c->width);
    matrix(walk, "positional_embedding", c->position_grid * c->position_grid + 1, c->width);
    norm(walk, "ln_pre", c->width);
    for (int l = 0; l < c->image_layers; l++) {
        trimmers(walk, STACK_IMAGE, l);
        section(walk, "vit_model.visual.transformer.resblocks.%d.", l);
        norm(walk, "ln_1", c->width);
        matrix(walk, "attn.in_proj_weight", 3 * c->width, c->width);
        vector(walk, "attn.in_proj_bias", 3 * c->width);
        linear(walk, "attn.out_proj", c->width, c->width);
        norm(walk, "ln_2", c->width);
        linear(walk, "mlp.c_fc", c->image_ffn, c->width);
        linear(walk, "mlp.c_proj", c->width, c->image_ffn);
    }
    section(walk, "vit_model.visual.");
    norm(walk, "ln_post", c->width);
}

static void fusion_layer(struct walk *walk, const char *stream, int layer, int ffn)
{
    const struct model_config *c = walk->config;
    section(walk, "cross_modal_%s_layers.%d.", stream, layer);
    linear(walk, "attention.self.query", c->width, c->width);
    linear(walk, "attention.self.key", c->width, c->width);
    linear(walk, "attention.self.value", c->width, c->width);
    linear(walk, "attention.output.dense", c->width, c->width);
    norm(walk, "attention.output.LayerNorm", c->width);
    linear(walk, "crossattention.self.query", c->width, c->width);
    linear(walk, "crossattention.self.key", c->width, c->width);
    linear(walk, "crossattention.self.value", c->width, c->width);
    linear(walk, "crossattention.output.dense", c->width, c->width);
    norm(walk, "crossattention.output.LayerNorm", c->width);
    if (c->fusion_norm == FUSION_PRE)
        norm(walk, "crossattention.context.LayerNorm", c->width);
    linear(walk, "intermediate.dense", ffn, c->width);
    linear(walk, "output.dense", c->width, ffn);
    norm(walk, "output.LayerNorm", c->width);
}

static void fusion(struct walk *walk)
{
    const struct model_config *c = walk->config;
    section(walk, "cross_modal_");
    linear(walk, "text_transform", c->width, c->width);
    linear(walk, "image_transform", c->width, c->width);
    if (c->fusion_position)
        matrix(walk, "image_position", c->position_grid * c->position_grid + 1, c->width);
    section(walk, "%s", "");
    matrix(walk, "token_type_embeddings.weight", c->token_types, c->width);
    for (int l = 0; l < c->fusion_layers; l++) {
        trimmers(walk, STACK_FUSION_TEXT, l);
        trimmers(walk, STACK_FUSION_IMAGE, l);
        fusion_layer(walk, "text", l, c->text_fusion_ffn);
        fusion_layer(walk, "image", l, c->image_fusion_ffn);
    }
    section(walk, "cross_modal_");
    if (c->fusion_norm == FUSION_PRE) {
        norm(walk, "text_norm", c->width);
        norm(walk, "image_norm", c->width);
    }
    linear(walk, "text_pooler.dense", c->width, c->width);
    linear(walk, "image_pooler.dense", c->width, c->width);
}

static void answer_head(struct walk *walk)
{
    const struct model_config *c = walk->config;
    section(walk, "%s.", model_task_head(c->task));
    linear(walk, "0", c->head_hidden, 2 * c->width * c->pictures);
    norm(walk, "1", c->head_hidden);
    linear(walk, "3", c->labels, c->head_hidden);
    if (c->answer_words)
        linear(walk, "words", c->width, c->head_hidden);
}

bool model_parameters(const struct model_config *config, parameter_visitor *visit, void *context)
{
    struct walk walk = {.config = config, .visit = visit, .context = context, .going = true};
    text_encoder(&walk);
    image_encoder(&walk);
    fusion(&walk);
    answer_head(&walk);
    return walk.going;
}

static bool add_elements(void *context, const struct parameter *parameter)
{
    *(int64_t *)context += parameter->elements;
    return true;
}

int64_t model_parameter_count(const struct model_config *config)
{
    int64_t count = 0;
    model_parameters(config, add_elements, &count);
    return count;
}
