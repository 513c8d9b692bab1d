// Where each parameter of the model lives in the flat array.
#include "engine/learn/net.h"

#include <stdarg.h>
#include <stdio.h>

struct lookup {
    const struct params *params;
    char prefix[PARAMETER_NAME];
};

static void section(struct lookup *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void section(struct lookup *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(at->prefix, sizeof at->prefix, format, args);
    va_end(args);
}

static size_t offset(const struct lookup *at, const char *name)
{
    char full[2 * PARAMETER_NAME];
    snprintf(full, sizeof full, "%s%s", at->prefix, name);
    return params_offset(at->params, full);
}

static size_t offset_of(const struct lookup *at, const char *name, const char *suffix)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    return offset(at, full);
}

static struct linear_ref linear(const struct lookup *at, const char *name, int out, int in)
{
    return (struct linear_ref){offset_of(at, name, ".weight"), offset_of(at, name, ".bias"), in, out};
}

static struct norm_ref norm(const struct lookup *at, const char *name, int width, float epsilon)
{
    return (struct norm_ref){offset_of(at, name, ".weight"), offset_of(at, name, ".bias"), width, (real)epsilon};
}

static void trimmers(struct lookup *at, const struct model_config *c, enum model_stack stack, int layer,
                     struct layer_refs *refs)
{
    const struct trimmer_config *trimmer = &c->trimmers[stack][layer];
    section(at, "trimmers.%s.%d.", model_stack_name(stack), layer);
    if (trimmer->hidden) {
        refs->tokens = (struct token_trimmer_refs){
            .hidden = trimmer->hidden,
            .rank = trimmer->rank,
            .norm = norm(at, "token.norm", c->width, c->trimmer_eps),
            .self = linear(at, "token.self", trimmer->hidden, c->width),
            .out = linear(at, "token.out", 1, trimmer->hidden),
        };
    }
    if (trimmer->hidden && trimmer->rank) {
        refs->tokens.context_norm = norm(at, "token.context_norm", c->width, c->trimmer_eps);
        refs->tokens.query = (struct linear_ref){offset(at, "token.query.weight"), NO_BIAS, c->width, trimmer->rank};
        refs->tokens.key = (struct linear_ref){offset(at, "token.key.weight"), NO_BIAS, c->width, trimmer->rank};
        refs->tokens.concat = trimmer->concat;
        if (trimmer->concat) {
            refs->tokens.key.b = offset(at, "token.key.bias");
            refs->tokens.mix = (struct linear_ref){offset(at, "token.mix.weight"), NO_BIAS, trimmer->rank, 1};
        } else {
            refs->tokens.alpha = offset(at, "token.alpha");
        }
    }
    if (trimmer->msa)
        refs->msa = (struct head_trimmer_refs){c->heads, norm(at, "msa.norm", c->width, c->trimmer_eps),
                                               linear(at, "msa.out", c->heads, c->width)};
    if (trimmer->mca)
        refs->mca = (struct head_trimmer_refs){c->heads, norm(at, "mca.norm", 2 * c->width, c->trimmer_eps),
                                               linear(at, "mca.out", c->heads, 2 * c->width)};
}

static void image_layer(struct lookup *at, const struct model_config *c, int layer, struct layer_refs *refs)
{
    int width = c->width;
    section(at, "vit_model.visual.transformer.resblocks.%d.", layer);
    refs->self = (struct attention_refs){
        .order = NORM_PRE,
        .heads = c->heads,
        .fused = true,
        .q = {offset(at, "attn.in_proj_weight"), offset(at, "attn.in_proj_bias"), width, 3 * width},
        .out = linear(at, "attn.out_proj", width, width),
        .norm = norm(at, "ln_1", width, c->image_eps),
    };
    refs->ffn = (struct ffn_refs){NORM_PRE, true, linear(at, "mlp.c_fc", c->image_ffn, width),
                                  linear(at, "mlp.c_proj", width, c->image_ffn),
                                  norm(at, "ln_2", width, c->image_eps)};
    trimmers(at, c, STACK_IMAGE, layer, refs);
}

static struct attention_refs bert_attention(const struct lookup *at, const char *name, enum norm_order order,
                                            const struct model_config *c, float epsilon)
{
    char q[64], k[64], v[64], out[64], ln[64];
    snprintf(q, sizeof q, "%s.self.query", name);
    snprintf(k, sizeof k, "%s.self.key", name);
    snprintf(v, sizeof v, "%s.self.value", name);
    snprintf(out, sizeof out, "%s.output.dense", name);
    snprintf(ln, sizeof ln, "%s.output.LayerNorm", name);
    int width = c->width;
    return (struct attention_refs){.order = order,
                                   .heads = c->heads,
                                   .q = linear(at, q, width, width),
                                   .k = linear(at, k, width, width),
                                   .v = linear(at, v, width, width),
                                   .out = linear(at, out, width, width),
                                   .norm = norm(at, ln, width, epsilon)};
}

static struct ffn_refs bert_ffn(const struct lookup *at, enum norm_order order, int hidden, int width, float epsilon)
{
    return (struct ffn_refs){order, false, linear(at, "intermediate.dense", hidden, width),
                             linear(at, "output.dense", width, hidden), norm(at, "output.LayerNorm", width, epsilon)};
}

static void text_layer(struct lookup *at, const struct model_config *c, int layer, struct layer_refs *refs)
{
    section(at, "text_transformer.encoder.layer.%d.", layer);
    refs->self = bert_attention(at, "attention", NORM_POST, c, c->text_eps);
    refs->ffn = bert_ffn(at, NORM_POST, c->text_ffn, c->width, c->text_eps);
    trimmers(at, c, STACK_TEXT, layer, refs);
}

static void fusion_layer(struct lookup *at, const struct model_config *c, int layer, int stream,
                         struct layer_refs *refs)
{
    enum norm_order order = c->fusion_norm == FUSION_PRE ? NORM_PRE : NORM_POST;
    section(at, "cross_modal_%s_layers.%d.", stream == NET_IMAGE ? "image" : "text", layer);
    refs->self = bert_attention(at, "attention", order, c, c->fusion_eps);
    refs->cross = bert_attention(at, "crossattention", order, c, c->fusion_eps);
    if (order == NORM_PRE)
        refs->cross.context = norm(at, "crossattention.context.LayerNorm", c->width, c->fusion_eps);
    refs->ffn = bert_ffn(at, order, stream == NET_IMAGE ? c->image_fusion_ffn : c->text_fusion_ffn, c->width,
                         c->fusion_eps);
    trimmers(at, c, stream == NET_IMAGE ? STACK_FUSION_IMAGE : STACK_FUSION_TEXT, layer, refs);
}

static void stem(struct lookup *at, const struct model_config *c, struct net *net)
{
    struct stem_refs *refs = &net->stem;
    int c1 = c->stem_channels[0], c2 = c->stem_channels[1], width = c->width;
    section(at, "vit_model.visual.stem.");
    refs->conv[0] = linear(at, "conv1", c1, 3 * 4 * 4);
    refs->conv[1] = linear(at, "conv2", c2, c1 * 3 * 3);
    refs->conv[2] = linear(at, "conv3", width, c2 * 3 * 3);
    refs->norm = norm(at, "norm", width, 1e-5f);
    refs->blocks = c->stem_blocks;
    for (int b = 0; b < c->stem_blocks; b++) {
        section(at, "vit_model.visual.stem.blocks.%d.", b);
        refs->block[b] = (struct stem_block_refs){offset(at, "depthwise.weight"), offset(at, "depthwise.bias"),
                                                  norm(at, "norm", width, 1e-5f),
                                                  linear(at, "fc1", c->stem_expansion, width),
                                                  linear(at, "fc2", width, c->stem_expansion)};
    }
}

static struct answer_head_refs head(struct lookup *at, const struct model_config *c, enum model_task task, int hidden,
                                    int pictures, int labels)
{
    section(at, "%s.", model_task_head(task));
    return (struct answer_head_refs){.first = linear(at, "0", hidden, 2 * c->width * pictures),
                                     .norm = norm(at, "1", hidden, c->head_eps),
                                     .last = linear(at, "3", labels, hidden)};
}

static void heads(struct lookup *at, const struct model_config *c, const int *answer_words, struct net *net)
{
    if (c->pair_hidden)
        net->pair_head = head(at, c, TASK_NLVR2, c->pair_hidden, 2, 2);
    net->head = head(at, c, c->task, c->head_hidden, 1, c->labels);
    if (!c->answer_words)
        return;
    net->head.words = linear(at, "words", c->width, c->head_hidden);
    net->head.answer_words = answer_words;
    net->head.word_table = net->words;
}

static void embeddings(struct lookup *at, const struct model_config *c, struct net *net)
{
    section(at, "vit_model.visual.");
    net->class_embedding = offset(at, "class_embedding");
    net->positions = offset(at, "positional_embedding");
    net->ln_pre = norm(at, "ln_pre", c->width, c->image_eps);
    net->ln_post = norm(at, "ln_post", c->width, c->image_eps);
    if (!net->conv_stem)
        net->patch = (struct linear_ref){offset(at, "conv1.weight"), NO_BIAS, 3 * c->patch_size * c->patch_size,
                                         c->width};
    section(at, "text_transformer.embeddings.");
    net->words = offset(at, "word_embeddings.weight");
    net->text_positions = offset(at, "position_embeddings.weight");
    net->text_type = offset(at, "token_type_embeddings.weight");
    net->embedding_norm = norm(at, "LayerNorm", c->width, c->text_eps);
    section(at, "%s", "");
    net->types = offset(at, "token_type_embeddings.weight");
    section(at, "cross_modal_");
    net->transform[NET_IMAGE] = linear(at, "image_transform", c->width, c->width);
    net->transform[NET_TEXT] = linear(at, "text_transform", c->width, c->width);
    net->pooler[NET_IMAGE] = linear(at, "image_pooler.dense", c->width, c->width);
    net->pooler[NET_TEXT] = linear(at, "text_pooler.dense", c->width, c->width);
    if (c->fusion_position)
        net->image_position = offset(at, "image_position");
    if (c->fusion_norm == FUSION_PRE) {
        net->final_norm[NET_IMAGE] = norm(at, "image_norm", c->width, c->fusion_eps);
        net->final_norm[NET_TEXT] = norm(at, "text_norm", c->width, c->fusion_eps);
    }
}

// The first of a stack's layers with anything to train; the layers behind it pass its gradients on.
static int first_trained(const struct net *net, enum model_stack stack)
{
    const struct trimmer_config *trimmers = net->config.trimmers[stack];
    int layers = model_stack_layers(&net->config, stack), l = 0;
    while (!net->embeddings && l < layers && !trimmers[l].hidden && !trimmers[l].msa && !trimmers[l].mca)
        l++;
    return l;
}

static void find_trained(struct net *net, const struct params *params)
{
    net->embeddings = net->class_embedding < params->trained;
    net->first_image = first_trained(net, STACK_IMAGE);
    net->first_text = first_trained(net, STACK_TEXT);
    int image = first_trained(net, STACK_FUSION_IMAGE), text = first_trained(net, STACK_FUSION_TEXT);
    bool below = net->first_image < net->config.image_layers || net->first_text < net->config.text_layers;
    net->first_fusion = below ? 0 : image < text ? image : text;
}

bool net_init(struct net *net, const struct model_config *c, const struct params *params, const int *answer_words,
              struct error *err)
{
    *net = (struct net){.config = *c, .conv_stem = c->stem == STEM_CONV};
    int grid = model_grid(c);
    if (c->image_layers > NET_LAYERS || c->text_layers > NET_LAYERS || c->fusion_layers > NET_LAYERS ||
        c->stem_blocks > NET_STEM_BLOCKS)
        return error_set(err, ERROR_INPUT, "training supports at most %d layers a stack and %d stem blocks", NET_LAYERS,
                         NET_STEM_BLOCKS);
    if (c->width > LEARN_WIDTH)
        return error_set(err, ERROR_INPUT, "training supports widths of at most %d; the model has %d", LEARN_WIDTH,
                         c->width);
    if (c->pictures != 1 || c->position_grid != grid)
        return error_set(err, ERROR_INPUT, "training supports models of one picture at their own resolution");
    struct lookup at = {.params = params};
    embeddings(&at, c, net);
    if (net->conv_stem)
        stem(&at, c, net);
    for (int l = 0; l < c->image_layers; l++) {
        image_layer(&at, c, l, &net->image[l]);
        net->image_per_question |= net->image[l].tokens.hidden > 0 || net->image[l].msa.heads > 0;
    }
    for (int l = 0; l < c->text_layers; l++)
        text_layer(&at, c, l, &net->text[l]);
    for (int l = 0; l < c->fusion_layers; l++)
        for (int s = 0; s < NET_STREAMS; s++)
            fusion_layer(&at, c, l, s, &net->fusion[l][s]);
    heads(&at, c, answer_words, net);
    find_trained(net, params);
    return true;
}
