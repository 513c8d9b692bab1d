#include "engine/learn/shape.h"

#include "engine/learn/sample.h"

#include <stdio.h>

struct model_config shape_default(const struct language *language)
{
    struct model_config c;
    model_config_default(&c);
    snprintf(c.name, sizeof c.name, "trimscope-world");
    c.task = TASK_VQA;
    c.pictures = 1;
    c.image_size = WORLD_SIDE;
    c.patch_size = WORLD_PATCH;
    c.position_grid = WORLD_GRID;
    c.width = 128;
    c.heads = 4;
    c.image_layers = 2;
    c.text_layers = 2;
    c.fusion_layers = 6;
    c.image_ffn = c.text_ffn = 256;
    c.image_fusion_ffn = c.text_fusion_ffn = 384;
    c.vocabulary = language->vocabulary;
    c.max_tokens = SAMPLE_TOKENS;
    c.positions = SAMPLE_TOKENS + 2; // RoBERTa counts from 2
    c.token_types = 2;
    c.labels = language->answers;
    c.head_hidden = 256;
    // A patch embedding alone recognises small objects late (training.md: loss 1.54 instead of 1.19).
    c.stem = STEM_CONV;
    c.stem_channels[0] = 24;
    c.stem_channels[1] = 32;
    c.stem_blocks = 2;
    c.stem_expansion = 128;
    c.fusion_norm = FUSION_PRE;
    c.fusion_eps = 1e-5f;
    c.fusion_position = true;
    c.answer_words = true;
    return c;
}

void shape_add_trimmers(struct model_config *config, bool cross, bool heads)
{
    struct trimmer_config trimmer = {config->width / 8, cross ? config->width / 8 : 0, heads, heads};
    for (int l = 0; l < config->fusion_layers; l++)
        config->trimmers[STACK_FUSION_IMAGE][l] = config->trimmers[STACK_FUSION_TEXT][l] = trimmer;
}
