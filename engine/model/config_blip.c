// BLIP's configuration from the names and shapes of its tensors (vlm_spec §4).
#include "engine/io/tensors.h"
#include "engine/model/config_private.h"
#include "engine/model/parameters.h"

#include <stdio.h>

// [CLS] tokens [SEP] of a question, cut (VQA, retrieval); of an NLVR2 sentence, at most 40 words of a few pieces each;
// of a caption with the prompt that starts it.
static int tokens_of(enum model_task task)
{
    return task == TASK_NLVR2 ? 128 : task == TASK_CAPTION ? 20 : 35;
}

void model_config_default_blip(struct model_config *config, enum model_task task)
{
    *config = (struct model_config){
        .name = "BLIP",
        .architecture = ARCHITECTURE_BLIP,
        .task = task,
        .pictures = model_task_pictures(task),
        .patch_size = 16,
        .max_tokens = tokens_of(task),
        .token_cls = 101,
        .token_end = 102,
        .image_eps = 1e-6f,
        .text_eps = 1e-12f,
        .fusion_eps = 1e-12f,
        .head_eps = 1e-12f,
        .trimmer_eps = 1e-5f,
    };
}

bool model_config_is_blip(const struct tensor_list *file)
{
    return tensor_list_find(file, "visual_encoder.cls_token") != NULL;
}

bool model_config_blip_task(struct model_config *config, const struct tensor_list *file, struct error *err)
{
    bool encoder = tensor_list_find(file, "text_encoder.embeddings.word_embeddings.weight") != NULL;
    bool decoder = tensor_list_find(file, "text_decoder.bert.embeddings.word_embeddings.weight") != NULL;
    bool match = tensor_list_find(file, "itm_head.weight") != NULL;
    enum model_task task = tensor_list_find(file, "cls_head.2.weight") ? TASK_NLVR2
                           : decoder && encoder && !match              ? TASK_VQA
                           : decoder                                   ? TASK_CAPTION
                                                                       : TASK_RETRIEVAL;
    model_config_default_blip(config, task);
    config->max_tokens = 0; // the metadata may name another task: its own then, below
    return task != TASK_RETRIEVAL || match ||
           error_set(err, ERROR_INPUT,
                     "these are tensors of BLIP, but of no task that is known; expected a text_decoder, cls_head or "
                     "itm_head");
}

// The first layer with a linear map from what both pictures gave; its number where none has one.
static int first_merge(const struct tensor_list *file, int layers)
{
    for (int l = 0; l < layers; l++) {
        char name[PARAMETER_NAME];
        snprintf(name, sizeof name, "text_encoder.encoder.layer.%d.crossattention.output.merge_layer.weight", l);
        if (tensor_list_find(file, name))
            return l;
    }
    return layers;
}

static bool read_head(struct model_config *c, const struct tensor_list *file, struct error *err)
{
    static const char ffn[] = "text_decoder.bert.encoder.layer.0.intermediate.dense.weight";
    switch (c->task) {
    case TASK_VQA:
        c->decoder_layers =
            model_config_layers(file, "text_decoder.bert.encoder.layer.", ".output.LayerNorm.weight", MODEL_LAYERS + 1);
        return model_config_size(file, ffn, 2, 0, &c->decoder_ffn, err);
    case TASK_NLVR2:
        c->merge_from = first_merge(file, c->fusion_layers);
        return model_config_size(file, "cls_head.2.weight", 2, 0, &c->labels, err) &&
               model_config_size(file, "cls_head.2.weight", 2, 1, &c->head_hidden, err);
    case TASK_RETRIEVAL:
        return model_config_size(file, "itm_head.weight", 2, 0, &c->labels, err) &&
               model_config_size(file, "vision_proj.weight", 2, 0, &c->projection, err);
    case TASK_CAPTION:
        return true;
    default:
        return error_set(err, ERROR_INPUT, "BLIP has no task %s", model_task_name(c->task));
    }
}

bool model_config_blip_sizes(struct model_config *c, const struct tensor_list *file, struct error *err)
{
    const char *text = model_blip_text(c);
    char words[PARAMETER_NAME], positions[PARAMETER_NAME], layers[PARAMETER_NAME], ffn[PARAMETER_NAME];
    snprintf(words, sizeof words, "%sembeddings.word_embeddings.weight", text);
    snprintf(positions, sizeof positions, "%sembeddings.position_embeddings.weight", text);
    snprintf(layers, sizeof layers, "%sencoder.layer.", text);
    snprintf(ffn, sizeof ffn, "%sencoder.layer.0.intermediate.dense.weight", text);
    c->image_layers = model_config_layers(file, "visual_encoder.blocks.", ".norm1.weight", MODEL_LAYERS + 1);
    c->fusion_layers = model_config_layers(file, layers, ".output.LayerNorm.weight", MODEL_LAYERS + 1);
    if (!model_config_size(file, "visual_encoder.cls_token", 3, 2, &c->image_width, err) ||
        !model_config_size(file, "visual_encoder.patch_embed.proj.weight", 4, 2, &c->patch_size, err) ||
        !model_config_size(file, "visual_encoder.blocks.0.mlp.fc1.weight", 2, 0, &c->image_ffn, err) ||
        !model_config_size(file, words, 2, 0, &c->vocabulary, err) ||
        !model_config_size(file, words, 2, 1, &c->width, err) ||
        !model_config_size(file, positions, 2, 0, &c->positions, err) ||
        !model_config_size(file, ffn, 2, 0, &c->text_fusion_ffn, err) || !read_head(c, file, err) ||
        !model_config_grid(c, file, "visual_encoder.pos_embed", 3, err))
        return false;
    // The two tokens that BLIP adds to BERT's vocabulary come last; a table without room for them is refused by
    // model_config_check().
    c->token_start = c->vocabulary - 2;
    c->token_encode = c->vocabulary - 1;
    if (!c->max_tokens)
        c->max_tokens = tokens_of(c->task);
    if (c->max_tokens > c->positions)
        c->max_tokens = c->positions;
    return true;
}
