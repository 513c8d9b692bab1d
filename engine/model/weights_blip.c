// BLIP's weights (vlm_spec §4) into the same layers that METER's go into.
#include "engine/model/parameters.h"
#include "engine/model/weights_private.h"

#include <stdio.h>

static void load_picture(struct loader *loader)
{
    struct model *m = loader->model;
    weights_matrix(loader, &m->stem.conv[0], weights_find(loader, "visual_encoder.patch_embed.proj.weight"),
                   weights_find(loader, "visual_encoder.patch_embed.proj.bias"));
    m->class_embedding = weights_table(loader, weights_find(loader, "visual_encoder.cls_token"));
    m->image_positions = weights_positions(loader, "visual_encoder.pos_embed");
    m->image_norm_post = weights_norm(loader, m->config.image_eps, "visual_encoder.", "norm");
}

static void image_layer(struct loader *loader, int index)
{
    static const struct vit_names names = {"norm1",   "attn.qkv.", "attn.proj",    "norm2",
                                           "mlp.fc1", "mlp.fc2",   ACTIVATION_GELU};
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "visual_encoder.blocks.%d.", index);
    weights_vit_layer(loader, prefix, &names, &loader->model->image[index]);
}

// One layer of encoder or decoder: MSA, MCA to one or two pictures, or to the words (0 pictures), FFN.
static void text_layer(struct loader *loader, const char *text, int index, int pictures, struct layer *layer)
{
    const struct model_config *c = &loader->model->config;
    char prefix[PARAMETER_NAME];
    bool of_words = pictures == 0;
    snprintf(prefix, sizeof prefix, "%sencoder.layer.%d.", text, index);
    layer->cross = true;
    weights_bert_layer(loader, layer, prefix, c->text_eps);
    weights_cross(loader, prefix, pictures > 1 ? "0" : "", of_words, &layer->mca);
    if (pictures > 1)
        weights_cross(loader, prefix, "1", false, &layer->twin);
    if (pictures > 1 && index >= c->merge_from)
        weights_linear(loader, &layer->merge, prefix, "crossattention.output.merge_layer", 0);
    layer->mca.norm = weights_norm(loader, c->text_eps, prefix, "crossattention.output.LayerNorm");
}

static void load_question(struct loader *loader)
{
    struct model *m = loader->model;
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "%sembeddings.", model_blip_text(&m->config));
    weights_embedding(loader, prefix, &m->embedding);
}

// The word head's matrix is the decoder's word table, which is already here.
static void load_word_head(struct loader *loader)
{
    struct model *m = loader->model;
    const float *words = m->config.task == TASK_CAPTION ? m->embedding.words : m->decoder_embedding.words;
    weights_linear(loader, &m->word_transform, "text_decoder.cls.predictions.", "transform.dense", 0);
    m->word_norm = weights_norm(loader, m->config.head_eps, "text_decoder.cls.predictions.", "transform.LayerNorm");
    weights_take(loader, weights_find(loader, "text_decoder.cls.predictions.bias"), loader->bias);
    loader->ok = loader->ok &&
                 linear_init(&m->word_head, words, loader->bias, m->config.vocabulary, m->config.width, 0, 0) &&
                 linear_narrow(&m->word_head);
}

static void load_answer(struct loader *loader)
{
    struct model *m = loader->model;
    if (m->config.task == TASK_VQA)
        weights_embedding(loader, "text_decoder.bert.embeddings.", &m->decoder_embedding);
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

void weights_blip(struct loader *loader, enum model_part part, int layer)
{
    struct model *m = loader->model;
    loader->few_rows = part == PART_FUSION || part == PART_DECODER || part == PART_ANSWER;
    switch (part) {
    case PART_QUESTION: load_question(loader); break;
    case PART_PICTURE: load_picture(loader); break;
    case PART_IMAGE: image_layer(loader, layer); break;
    case PART_ANSWER: load_answer(loader); break;
    case PART_FUSION:
        text_layer(loader, model_blip_text(&m->config), layer, m->config.pictures, &m->fusion[FUSION_TEXT][layer]);
        break;
    case PART_DECODER: text_layer(loader, "text_decoder.bert.", layer, 0, &m->decoder[layer]); break;
    case PART_TEXT:
    case MODEL_PARTS: break;
    }
}
