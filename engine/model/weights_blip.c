// BLIP's weights (vlm_spec §4) into the same layers that METER's go into.
#include "engine/model/parameters.h"
#include "engine/model/weights_private.h"

#include <stdio.h>

static void load_image(struct loader *loader)
{
    static const struct vit_names names = {"norm1",   "attn.qkv.", "attn.proj",    "norm2",
                                           "mlp.fc1", "mlp.fc2",   ACTIVATION_GELU};
    struct model *m = loader->model;
    weights_matrix(loader, &m->stem.conv[0], weights_find(loader, "visual_encoder.patch_embed.proj.weight"),
                   weights_find(loader, "visual_encoder.patch_embed.proj.bias"));
    m->class_embedding = weights_table(loader, weights_find(loader, "visual_encoder.cls_token"));
    m->image_positions = weights_positions(loader, "visual_encoder.pos_embed");
    m->image_norm_post = weights_norm(loader, m->config.image_eps, "visual_encoder.", "norm");
    for (int l = 0; l < m->config.image_layers; l++) {
        char prefix[PARAMETER_NAME];
        snprintf(prefix, sizeof prefix, "visual_encoder.blocks.%d.", l);
        weights_vit_layer(loader, prefix, &names, &m->image[l]);
    }
}

// One layer of encoder or decoder: MSA, MCA to one or two pictures (or to the words), FFN.
static void text_layer(struct loader *loader, const char *text, int index, int pictures, struct layer *layer)
{
    const struct model_config *c = &loader->model->config;
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "%sencoder.layer.%d.", text, index);
    layer->cross = true;
    weights_bert_layer(loader, layer, prefix, c->text_eps);
    weights_cross(loader, prefix, pictures > 1 ? "0" : "", &layer->mca);
    if (pictures > 1)
        weights_cross(loader, prefix, "1", &layer->twin);
    if (pictures > 1 && index >= c->merge_from)
        weights_linear(loader, &layer->merge, prefix, "crossattention.output.merge_layer", 0);
    layer->mca.norm = weights_norm(loader, c->text_eps, prefix, "crossattention.output.LayerNorm");
}

static void load_text(struct loader *loader)
{
    struct model *m = loader->model;
    const char *text = model_blip_text(&m->config);
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "%sembeddings.", text);
    weights_embedding(loader, prefix, &m->embedding);
    for (int l = 0; l < m->config.fusion_layers; l++)
        text_layer(loader, text, l, m->config.pictures, &m->fusion[FUSION_TEXT][l]);
}

static void load_decoder(struct loader *loader)
{
    struct model *m = loader->model;
    weights_embedding(loader, "text_decoder.bert.embeddings.", &m->decoder_embedding);
    for (int l = 0; l < m->config.decoder_layers; l++)
        text_layer(loader, "text_decoder.bert.", l, 1, &m->decoder[l]);
}

// The word head's matrix is the decoder's word table, which is already here.
static void load_word_head(struct loader *loader)
{
    struct model *m = loader->model;
    const float *words = m->config.task == TASK_CAPTION ? m->embedding.words : m->decoder_embedding.words;
    weights_linear(loader, &m->word_transform, "text_decoder.cls.predictions.", "transform.dense", 0);
    m->word_norm = weights_norm(loader, m->config.head_eps, "text_decoder.cls.predictions.", "transform.LayerNorm");
    weights_take(loader, weights_find(loader, "text_decoder.cls.predictions.bias"), loader->bias);
    loader->ok =
        loader->ok && linear_init(&m->word_head, words, loader->bias, m->config.vocabulary, m->config.width, 0, 0);
}

void weights_blip(struct loader *loader)
{
    struct model *m = loader->model;
    load_image(loader);
    load_text(loader);
    if (m->config.task == TASK_VQA)
        load_decoder(loader);
    if (model_writes(&m->config))
        load_word_head(loader);
    if (m->config.task == TASK_NLVR2) {
        weights_linear(loader, &m->head[0], "cls_head.", "0", 0);
        weights_linear(loader, &m->head[1], "cls_head.", "2", 0);
    }
    if (m->config.task == TASK_RETRIEVAL) {
        weights_linear(loader, &m->projection[FUSION_TEXT], "", "text_proj", 0);
        weights_linear(loader, &m->projection[FUSION_IMAGE], "", "vision_proj", 0);
        weights_linear(loader, &m->head[1], "", "itm_head", 0);
    }
}
