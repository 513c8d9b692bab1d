#include "engine/model/parameters.h"

#include "engine/model/parameters_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void walk_section(struct walk *walk, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(walk->prefix, sizeof walk->prefix, format, args);
    va_end(args);
}

void walk_tensor(struct walk *walk, const char *name, int a, int b, int c, int d)
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

void walk_vector(struct walk *walk, const char *name, int n)
{
    walk_tensor(walk, name, n, 0, 0, 0);
}
void walk_matrix(struct walk *walk, const char *name, int rows, int columns)
{
    walk_tensor(walk, name, rows, columns, 0, 0);
}

void walk_linear(struct walk *walk, const char *name, int out, int in)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s.weight", name);
    walk_matrix(walk, full, out, in);
    snprintf(full, sizeof full, "%s.bias", name);
    walk_vector(walk, full, out);
}

void walk_norm(struct walk *walk, const char *name, int n)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s.weight", name);
    walk_vector(walk, full, n);
    snprintf(full, sizeof full, "%s.bias", name);
    walk_vector(walk, full, n);
}

void walk_convolution(struct walk *walk, const char *name, int out, int in, int side)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s.weight", name);
    walk_tensor(walk, full, out, in, side, side);
    snprintf(full, sizeof full, "%s.bias", name);
    walk_vector(walk, full, out);
}

void walk_trimmers(struct walk *walk, enum model_stack stack, int layer)
{
    const struct trimmer_config *trimmer = &walk->config->trimmers[stack][layer];
    int width = model_stack_width(walk->config, stack), heads = model_stack_heads(walk->config, stack);
    int other = model_stack_context(walk->config, stack);
    walk->trimmer = true;
    walk_section(walk, "trimmers.%s.%d.", model_stack_name(stack), layer);
    if (trimmer->hidden) {
        walk_norm(walk, "token.norm", width);
        walk_linear(walk, "token.self", trimmer->hidden, width);
        walk_linear(walk, "token.out", 1, trimmer->hidden);
    }
    if (trimmer->hidden && trimmer->rank) {
        walk_matrix(walk, "token.query.weight", trimmer->rank, width);
        walk_norm(walk, "token.context_norm", other);
        walk_matrix(walk, "token.key.weight", trimmer->rank, other);
        if (trimmer->concat) {
            walk_vector(walk, "token.key.bias", trimmer->rank);
            walk_matrix(walk, "token.mix.weight", 1, trimmer->rank);
        } else {
            walk_vector(walk, "token.alpha", 1);
        }
    }
    if (trimmer->msa) {
        walk_norm(walk, "msa.norm", width);
        walk_linear(walk, "msa.out", heads, width);
    }
    if (trimmer->mca) {
        walk_norm(walk, "mca.norm", width + other);
        walk_linear(walk, "mca.out", heads, width + other);
    }
    walk->trimmer = false;
}

void walk_bert_msa(struct walk *walk)
{
    int width = walk->config->width;
    walk_linear(walk, "attention.self.query", width, width);
    walk_linear(walk, "attention.self.key", width, width);
    walk_linear(walk, "attention.self.value", width, width);
    walk_linear(walk, "attention.output.dense", width, width);
    walk_norm(walk, "attention.output.LayerNorm", width);
}

void walk_bert_mca(struct walk *walk, const char *twin, int memory)
{
    static const char *const parts[] = {"query", "key", "value"};
    int width = walk->config->width;
    char name[PARAMETER_NAME];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "crossattention.self%s.%s", twin, parts[i]);
        walk_linear(walk, name, width, i == 0 ? width : memory);
    }
    snprintf(name, sizeof name, "crossattention.output.dense%s", twin);
    walk_linear(walk, name, width, width);
}

void walk_bert_ffn(struct walk *walk, int ffn)
{
    int width = walk->config->width;
    walk_linear(walk, "intermediate.dense", ffn, width);
    walk_linear(walk, "output.dense", width, ffn);
    walk_norm(walk, "output.LayerNorm", width);
}

static void text_encoder(struct walk *walk)
{
    const struct model_config *c = walk->config;
    walk_section(walk, "text_transformer.embeddings.");
    walk_matrix(walk, "word_embeddings.weight", c->vocabulary, c->width);
    walk_matrix(walk, "position_embeddings.weight", c->positions, c->width);
    walk_matrix(walk, "token_type_embeddings.weight", 1, c->width);
    walk_norm(walk, "LayerNorm", c->width);
    for (int l = 0; l < c->text_layers; l++) {
        walk_trimmers(walk, STACK_TEXT, l);
        walk_section(walk, "text_transformer.encoder.layer.%d.", l);
        walk_bert_msa(walk);
        walk_bert_ffn(walk, c->text_ffn);
    }
}

static void conv_stem(struct walk *walk)
{
    const struct model_config *c = walk->config;
    walk_section(walk, "vit_model.visual.stem.");
    walk_convolution(walk, "conv1", c->stem_channels[0], 3, 4);
    walk_convolution(walk, "conv2", c->stem_channels[1], c->stem_channels[0], 3);
    walk_convolution(walk, "conv3", c->width, c->stem_channels[1], 3);
    for (int b = 0; b < c->stem_blocks; b++) {
        walk_section(walk, "vit_model.visual.stem.blocks.%d.", b);
        walk_convolution(walk, "depthwise", c->width, 1, 5);
        walk_norm(walk, "norm", c->width);
        walk_linear(walk, "fc1", c->stem_expansion, c->width);
        walk_linear(walk, "fc2", c->width, c->stem_expansion);
    }
    walk_section(walk, "vit_model.visual.stem.");
    walk_norm(walk, "norm", c->width);
}

static void image_encoder(struct walk *walk)
{
    const struct model_config *c = walk->config;
    if (c->stem == STEM_CONV)
        conv_stem(walk);
    walk_section(walk, "vit_model.visual.");
    if (c->stem == STEM_PATCH)
        walk_tensor(walk, "conv1.weight", c->width, 3, c->patch_size, c->patch_size);
    walk_vector(walk, "class_embedding", c->width);
    walk_matrix(walk, "positional_embedding", c->position_grid * c->position_grid + 1, c->width);
    walk_norm(walk, "ln_pre", c->width);
    for (int l = 0; l < c->image_layers; l++) {
        walk_trimmers(walk, STACK_IMAGE, l);
        walk_section(walk, "vit_model.visual.transformer.resblocks.%d.", l);
        walk_norm(walk, "ln_1", c->width);
        walk_matrix(walk, "attn.in_proj_weight", 3 * c->width, c->width);
        walk_vector(walk, "attn.in_proj_bias", 3 * c->width);
        walk_linear(walk, "attn.out_proj", c->width, c->width);
        walk_norm(walk, "ln_2", c->width);
        walk_linear(walk, "mlp.c_fc", c->image_ffn, c->width);
        walk_linear(walk, "mlp.c_proj", c->width, c->image_ffn);
    }
    walk_section(walk, "vit_model.visual.");
    walk_norm(walk, "ln_post", c->width);
}

static void fusion_layer(struct walk *walk, const char *stream, int layer, int ffn)
{
    const struct model_config *c = walk->config;
    walk_section(walk, "cross_modal_%s_layers.%d.", stream, layer);
    walk_bert_msa(walk);
    walk_bert_mca(walk, "", c->width);
    walk_norm(walk, "crossattention.output.LayerNorm", c->width);
    if (c->fusion_norm == FUSION_PRE)
        walk_norm(walk, "crossattention.context.LayerNorm", c->width);
    walk_bert_ffn(walk, ffn);
}

static void fusion(struct walk *walk)
{
    const struct model_config *c = walk->config;
    walk_section(walk, "cross_modal_");
    walk_linear(walk, "text_transform", c->width, c->width);
    walk_linear(walk, "image_transform", c->width, c->width);
    if (c->fusion_position)
        walk_matrix(walk, "image_position", c->position_grid * c->position_grid + 1, c->width);
    walk_section(walk, "%s", "");
    walk_matrix(walk, "token_type_embeddings.weight", c->token_types, c->width);
    for (int l = 0; l < c->fusion_layers; l++) {
        walk_trimmers(walk, STACK_FUSION_TEXT, l);
        walk_trimmers(walk, STACK_FUSION_IMAGE, l);
        fusion_layer(walk, "text", l, c->text_fusion_ffn);
        fusion_layer(walk, "image", l, c->image_fusion_ffn);
    }
    walk_section(walk, "cross_modal_");
    if (c->fusion_norm == FUSION_PRE) {
        walk_norm(walk, "text_norm", c->width);
        walk_norm(walk, "image_norm", c->width);
    }
    walk_linear(walk, "text_pooler.dense", c->width, c->width);
    walk_linear(walk, "image_pooler.dense", c->width, c->width);
}

static void answer_head(struct walk *walk)
{
    const struct model_config *c = walk->config;
    if (c->task == TASK_RETRIEVAL) {
        walk_section(walk, "%s", "");
        walk_linear(walk, model_task_head(c->task), c->labels, 2 * c->width);
        if (c->ranked)
            walk_linear(walk, "rank_output", 1, 2 * c->width);
        return;
    }
    walk_section(walk, "%s.", model_task_head(c->task));
    walk_linear(walk, "0", c->head_hidden, 2 * c->width * c->pictures);
    walk_norm(walk, "1", c->head_hidden);
    walk_linear(walk, "3", c->labels, c->head_hidden);
    if (c->answer_words)
        walk_linear(walk, "words", c->width, c->head_hidden);
    if (c->pair_hidden && !model_is_second_task(c)) {
        walk_section(walk, "%s.", model_task_head(TASK_NLVR2));
        walk_linear(walk, "0", c->pair_hidden, 4 * c->width);
        walk_norm(walk, "1", c->pair_hidden);
        walk_linear(walk, "3", 2, c->pair_hidden);
    }
}

bool model_parameters(const struct model_config *config, parameter_visitor *visit, void *context)
{
    struct walk walk = {.config = config, .visit = visit, .context = context, .going = true};
    if (config->architecture == ARCHITECTURE_BLIP) {
        walk_blip(&walk);
        return walk.going;
    }
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
