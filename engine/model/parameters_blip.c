// BLIP's tensors (vlm_spec §4), those that inference reads: no momentum copies, queues and tied copies.
#include "engine/model/parameters_private.h"

const char *model_blip_text(const struct model_config *config)
{
    return config->task == TASK_CAPTION ? "text_decoder.bert." : "text_encoder.";
}

static void image_encoder(struct walk *walk)
{
    const struct model_config *c = walk->config;
    int width = model_image_width(c);
    walk_section(walk, "visual_encoder.");
    walk_convolution(walk, "patch_embed.proj", width, 3, c->patch_size);
    walk_tensor(walk, "cls_token", 1, 1, width, 0);
    walk_tensor(walk, "pos_embed", 1, c->position_grid * c->position_grid + 1, width, 0);
    for (int l = 0; l < c->image_layers; l++) {
        walk_trimmers(walk, STACK_IMAGE, l);
        walk_section(walk, "visual_encoder.blocks.%d.", l);
        walk_norm(walk, "norm1", width);
        walk_linear(walk, "attn.qkv", 3 * width, width);
        walk_linear(walk, "attn.proj", width, width);
        walk_norm(walk, "norm2", width);
        walk_linear(walk, "mlp.fc1", c->image_ffn, width);
        walk_linear(walk, "mlp.fc2", width, c->image_ffn);
    }
    walk_section(walk, "visual_encoder.");
    walk_norm(walk, "norm", width);
}

static void text_embeddings(struct walk *walk, const char *text)
{
    const struct model_config *c = walk->config;
    walk_section(walk, "%sembeddings.", text);
    walk_matrix(walk, "word_embeddings.weight", c->vocabulary, c->width);
    walk_matrix(walk, "position_embeddings.weight", c->positions, c->width);
    walk_norm(walk, "LayerNorm", c->width);
}

// The text layers, whose cross-attention reads the patches.
static void text_layers(struct walk *walk)
{
    const struct model_config *c = walk->config;
    int memory = model_image_width(c);
    text_embeddings(walk, model_blip_text(c));
    for (int l = 0; l < c->fusion_layers; l++) {
        walk_trimmers(walk, STACK_FUSION_TEXT, l);
        walk_trimmers(walk, STACK_FUSION_IMAGE, l);
        walk_section(walk, "%sencoder.layer.%d.", model_blip_text(c), l);
        walk_bert_msa(walk);
        for (int p = 0; p < c->pictures; p++)
            walk_bert_mca(walk, c->pictures == 1 ? "" : p == 0 ? "0" : "1", memory);
        if (c->pictures > 1 && l >= c->merge_from)
            walk_linear(walk, "crossattention.output.merge_layer", c->width, 2 * c->width);
        walk_norm(walk, "crossattention.output.LayerNorm", c->width);
        walk_bert_ffn(walk, c->text_fusion_ffn);
    }
}

// The decoder of a VQA model: its cross-attention reads the words' states.
static void answer_decoder(struct walk *walk)
{
    const struct model_config *c = walk->config;
    walk_trimmers(walk, STACK_DECODER, 0);
    text_embeddings(walk, "text_decoder.bert.");
    for (int l = 0; l < c->decoder_layers; l++) {
        walk_section(walk, "text_decoder.bert.encoder.layer.%d.", l);
        walk_bert_msa(walk);
        walk_bert_mca(walk, "", c->width);
        walk_norm(walk, "crossattention.output.LayerNorm", c->width);
        walk_bert_ffn(walk, c->decoder_ffn);
    }
}

static void heads(struct walk *walk)
{
    const struct model_config *c = walk->config;
    if (model_writes(c)) {
        // predictions.decoder is tied: its weight is the decoder's word table, its bias predictions.bias.
        walk_section(walk, "text_decoder.cls.predictions.");
        walk_linear(walk, "transform.dense", c->width, c->width);
        walk_norm(walk, "transform.LayerNorm", c->width);
        walk_vector(walk, "bias", c->vocabulary);
    }
    walk_section(walk, "%s", "");
    if (c->task == TASK_NLVR2) {
        walk_linear(walk, "cls_head.0", c->head_hidden, c->width);
        walk_linear(walk, "cls_head.2", c->labels, c->head_hidden);
    }
    if (c->task == TASK_RETRIEVAL) {
        walk_linear(walk, "text_proj", c->projection, c->width);
        walk_linear(walk, "vision_proj", c->projection, model_image_width(c));
        walk_linear(walk, "itm_head", c->labels, c->width);
    }
}

void walk_blip(struct walk *walk)
{
    image_encoder(walk);
    text_layers(walk);
    if (walk->config->task == TASK_VQA)
        answer_decoder(walk);
    heads(walk);
}
