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
    c.image_fusion_ffn = 640;
    c.text_fusion_ffn = 384;
    c.vocabulary = language->vocabulary;
    c.max_tokens = SAMPLE_TOKENS;
    c.positions = SAMPLE_TOKENS + 2; // RoBERTa counts from 2
    c.token_types = 2;
    c.labels = language->answers;
    c.head_hidden = 256;
    // A patch embedding alone recognises small objects late (training.md: loss 1.54 instead of 1.19).
    c.stem = STEM_CONV;
    c.stem_channels[0] = 48;
    c.stem_channels[1] = 64;
    c.stem_blocks = 3;
    c.stem_expansion = 128;
    c.fusion_norm = FUSION_PRE;
    c.fusion_eps = 1e-5f;
    c.fusion_position = true;
    c.answer_words = true;
    return c;
}

// X(setting, member of struct model_config)
#define SHAPE_SETTINGS(X)                                                                                      \
    X(width, width) X(attention_heads, heads) X(image_layers, image_layers) X(text_layers, text_layers)        \
    X(fusion_layers, fusion_layers) X(image_ffn, image_ffn) X(text_ffn, text_ffn)                              \
    X(image_fusion_ffn, image_fusion_ffn) X(text_fusion_ffn, text_fusion_ffn) X(head_hidden, head_hidden)      \
    X(pair_hidden, pair_hidden) X(stem_channels1, stem_channels[0]) X(stem_channels2, stem_channels[1]) X(stem_blocks, stem_blocks)        \
    X(stem_expansion, stem_expansion)

static bool settle_one(const char *name, int *setting, int *member, bool fixed, struct error *err)
{
    if (*setting && fixed && *setting != *member)
        return error_set(err, ERROR_INPUT, "setting %s is %d, and the start weights have %d: leave it out, or at 0", name,
                         *setting, *member);
    if (*setting)
        *member = *setting;
    *setting = *member;
    return true;
}

bool shape_settle(struct model_config *config, struct train_settings *settings, bool fixed, struct error *err)
{
    if (settings->pairs > 0 && !settings->pair_hidden && !config->pair_hidden)
        settings->pair_hidden = 2 * config->width; // as METER's
#define SHAPE_SETTLE(setting, member)                                                                          \
    if (!settle_one(#setting, &settings->setting, &config->member, fixed, err))                                \
        return false;
    SHAPE_SETTINGS(SHAPE_SETTLE)
#undef SHAPE_SETTLE
    if (config->pair_hidden && config->token_types < 3)
        config->token_types = 3; // words, first and second picture
    return model_config_check(config, err);
}

void shape_add_trimmers(struct model_config *config, struct train_settings *settings)
{
    int eighth = config->width > 8 ? config->width / 8 : 1, heads = settings->heads;
    settings->hidden = !settings->tokens ? 0 : settings->hidden ? settings->hidden : eighth;
    settings->rank = !settings->tokens || !settings->cross ? 0 : settings->rank ? settings->rank : eighth;
    struct trimmer_config fusion = {settings->hidden, settings->rank, heads, heads, settings->concat};
    struct trimmer_config patches = fusion; // of which BLIP's have no heads there
    patches.msa = patches.mca = heads && config->architecture == ARCHITECTURE_METER;
    struct trimmer_config image = {settings->hidden, settings->rank, heads, false, settings->concat};
    struct trimmer_config text = {settings->hidden, 0, heads, false, false}, none = {0};
    for (int l = 0; l < config->fusion_layers; l++) {
        config->trimmers[STACK_FUSION_IMAGE][l] = patches;
        config->trimmers[STACK_FUSION_TEXT][l] = config->task == TASK_CAPTION ? none : fusion; // of a beginning there is none
    }
    for (int l = 0; l < config->image_layers; l++)
        config->trimmers[STACK_IMAGE][l] = settings->image_trimmers ? image : none;
    for (int l = 0; l < config->text_layers; l++)
        config->trimmers[STACK_TEXT][l] = settings->text_trimmers ? text : none;
    struct trimmer_config memory = {settings->hidden, settings->rank, false, false, settings->concat};
    if (config->decoder_layers)
        config->trimmers[STACK_DECODER][0] = settings->decoder_trimmers ? memory : none;
}
