// METER's parameters (engine/model/names.md).
#include "engine/learn/net_refs.h"

static void image_layer(struct lookup *at, const struct model_config *c, int layer, struct layer_refs *refs)
{
    static const struct vit_layer_names names = {"attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj", "ln_1",
                                                 "mlp.c_fc", "mlp.c_proj", "ln_2", true};
    lookup_section(at, "vit_model.visual.transformer.resblocks.%d.", layer);
    lookup_vit_layer(at, c, layer, &names, refs);
}

static void text_layer(struct lookup *at, const struct model_config *c, int layer, struct layer_refs *refs)
{
    const struct bert_shape shape = {NORM_POST, c->width, c->heads, c->text_ffn, c->text_eps};
    lookup_section(at, "text_transformer.encoder.layer.%d.", layer);
    refs->width = c->width;
    refs->self = lookup_bert_attention(at, "attention", "", &shape, c->width);
    refs->ffn = lookup_bert_ffn(at, &shape);
    lookup_trimmers(at, c, STACK_TEXT, layer, refs);
}

static void fusion_layer(struct lookup *at, const struct model_config *c, int layer, int stream,
                         struct layer_refs *refs)
{
    const struct bert_shape shape = {c->fusion_norm == FUSION_PRE ? NORM_PRE : NORM_POST, c->width, c->heads,
                                     stream == NET_IMAGE ? c->image_fusion_ffn : c->text_fusion_ffn, c->fusion_eps};
    lookup_section(at, "cross_modal_%s_layers.%d.", stream == NET_IMAGE ? "image" : "text", layer);
    refs->width = c->width;
    refs->self = lookup_bert_attention(at, "attention", "", &shape, c->width);
    refs->cross = lookup_bert_attention(at, "crossattention", "", &shape, c->width);
    if (shape.order == NORM_PRE)
        refs->cross.context = lookup_norm(at, "crossattention.context.LayerNorm", c->width, c->fusion_eps);
    refs->ffn = lookup_bert_ffn(at, &shape);
    lookup_trimmers(at, c, stream == NET_IMAGE ? STACK_FUSION_IMAGE : STACK_FUSION_TEXT, layer, refs);
}

static void stem(struct lookup *at, const struct model_config *c, struct net *net)
{
    struct stem_refs *refs = &net->stem;
    int c1 = c->stem_channels[0], c2 = c->stem_channels[1], width = c->width;
    lookup_section(at, "vit_model.visual.stem.");
    refs->conv[0] = lookup_linear(at, "conv1", c1, 3 * 4 * 4);
    refs->conv[1] = lookup_linear(at, "conv2", c2, c1 * 3 * 3);
    refs->conv[2] = lookup_linear(at, "conv3", width, c2 * 3 * 3);
    refs->norm = lookup_norm(at, "norm", width, 1e-5f);
    refs->blocks = c->stem_blocks;
    for (int b = 0; b < c->stem_blocks; b++) {
        lookup_section(at, "vit_model.visual.stem.blocks.%d.", b);
        refs->block[b] = (struct stem_block_refs){
            lookup_offset(at, "depthwise.weight"), lookup_offset(at, "depthwise.bias"), lookup_norm(at, "norm", width, 1e-5f),
            lookup_linear(at, "fc1", c->stem_expansion, width), lookup_linear(at, "fc2", width, c->stem_expansion)};
    }
}

static struct answer_head_refs head(struct lookup *at, const struct model_config *c, enum model_task task, int hidden,
                                    int pictures, int labels)
{
    lookup_section(at, "%s.", model_task_head(task));
    return (struct answer_head_refs){.first = lookup_linear(at, "0", hidden, 2 * c->width * pictures),
                                     .norm = lookup_norm(at, "1", hidden, c->head_eps),
                                     .last = lookup_linear(at, "3", labels, hidden)};
}

static void heads(struct lookup *at, const struct model_config *c, const int *answer_words, struct net *net)
{
    int hidden = c->task == TASK_NLVR2 ? c->head_hidden : c->pair_hidden;
    if (hidden)
        net->pair_head = head(at, c, TASK_NLVR2, hidden, 2, 2);
    if (c->task == TASK_NLVR2)
        return;
    if (c->task == TASK_RETRIEVAL) {
        lookup_section(at, "%s", "");
        net->head.last = lookup_linear(at, model_task_head(c->task), c->labels, 2 * c->width);
        return;
    }
    net->head = head(at, c, c->task, c->head_hidden, 1, c->labels);
    if (!c->answer_words)
        return;
    net->head.words = lookup_linear(at, "words", c->width, c->head_hidden);
    net->head.answer_words = answer_words;
    net->head.word_table = net->embedding.words;
}

static void embeddings(struct lookup *at, const struct model_config *c, struct net *net)
{
    lookup_section(at, "vit_model.visual.");
    net->class_embedding = lookup_offset(at, "class_embedding");
    net->positions = lookup_offset(at, "positional_embedding");
    net->ln_pre = lookup_norm(at, "ln_pre", c->width, c->image_eps);
    net->ln_post = lookup_norm(at, "ln_post", c->width, c->image_eps);
    if (!net->conv_stem)
        net->patch = (struct linear_ref){lookup_offset(at, "conv1.weight"), NO_BIAS,
                                         3 * c->patch_size * c->patch_size, c->width};
    lookup_section(at, "text_transformer.embeddings.");
    net->embedding = (struct embedding_refs){lookup_offset(at, "word_embeddings.weight"),
                                             lookup_offset(at, "position_embeddings.weight"),
                                             lookup_offset(at, "token_type_embeddings.weight"), 2,
                                             lookup_norm(at, "LayerNorm", c->width, c->text_eps)};
    lookup_section(at, "%s", "");
    net->types = lookup_offset(at, "token_type_embeddings.weight");
    lookup_section(at, "cross_modal_");
    net->transform[NET_IMAGE] = lookup_linear(at, "image_transform", c->width, c->width);
    net->transform[NET_TEXT] = lookup_linear(at, "text_transform", c->width, c->width);
    net->pooler[NET_IMAGE] = lookup_linear(at, "image_pooler.dense", c->width, c->width);
    net->pooler[NET_TEXT] = lookup_linear(at, "text_pooler.dense", c->width, c->width);
    if (c->fusion_position)
        net->image_position = lookup_offset(at, "image_position");
    if (c->fusion_norm == FUSION_PRE) {
        net->final_norm[NET_IMAGE] = lookup_norm(at, "image_norm", c->width, c->fusion_eps);
        net->final_norm[NET_TEXT] = lookup_norm(at, "text_norm", c->width, c->fusion_eps);
    }
}

void net_refs_meter(struct lookup *at, struct net *net, const int *answer_words)
{
    const struct model_config *c = &net->config;
    embeddings(at, c, net);
    if (net->conv_stem)
        stem(at, c, net);
    for (int l = 0; l < c->image_layers; l++)
        image_layer(at, c, l, &net->image[l]);
    net->text_layers = c->text_layers;
    for (int l = 0; l < c->text_layers; l++)
        text_layer(at, c, l, &net->text[l]);
    for (int l = 0; l < c->fusion_layers; l++)
        for (int s = 0; s < NET_STREAMS; s++)
            fusion_layer(at, c, l, s, &net->fusion[l][s]);
    heads(at, c, answer_words, net);
}
