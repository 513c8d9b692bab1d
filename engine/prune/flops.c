#include "engine/prune/flops.h"

static uint64_t product(int a, int b, int c)
{
    return (uint64_t)a * (uint64_t)b * (uint64_t)c;
}

void flops_msa(const struct model_config *c, int rows, int heads, struct macs *macs)
{
    int columns = heads * model_head_size(c);
    macs->qkv += product(rows, c->width, 3 * columns);
    macs->attention += 2 * product(rows, rows, columns);
    macs->projection += product(rows, columns, c->width);
}

void flops_mca(const struct model_config *c, int rows, int keys, int heads, struct macs *macs)
{
    int columns = heads * model_head_size(c);
    macs->qkv += product(rows, c->width, columns) + product(keys, c->width, 2 * columns);
    macs->attention += 2 * product(rows, keys, columns);
    macs->projection += product(rows, columns, c->width);
}

void flops_ffn(const struct model_config *c, int rows, int hidden, struct macs *macs)
{
    macs->ffn += 2 * product(rows, c->width, hidden);
}

void flops_layer(const struct model_config *c, const struct flops_layer *layer, struct macs *macs)
{
    const int ffn[STACK_COUNT] = {[STACK_IMAGE] = c->image_ffn,
                                  [STACK_TEXT] = c->text_ffn,
                                  [STACK_FUSION_IMAGE] = c->image_fusion_ffn,
                                  [STACK_FUSION_TEXT] = c->text_fusion_ffn};
    flops_msa(c, layer->rows, layer->msa, macs);
    if (layer->stack == STACK_FUSION_IMAGE || layer->stack == STACK_FUSION_TEXT)
        flops_mca(c, layer->rows, layer->keys, layer->mca, macs);
    flops_ffn(c, layer->rows, ffn[layer->stack], macs);
}

void flops_token_trimmer(const struct model_config *c, const struct trimmer_config *trimmer, int rows, bool guided,
                         struct macs *macs)
{
    macs->trimmer += product(rows, c->width, trimmer->hidden) + product(rows, trimmer->hidden, 1);
    if (guided && trimmer->rank)
        macs->trimmer += product(rows, c->width, trimmer->rank) + product(1, c->width, trimmer->rank) +
                         product(rows, trimmer->rank, 1);
}

void flops_head_trimmer(const struct model_config *c, bool mca, struct macs *macs)
{
    macs->trimmer += product(mca ? 2 : 1, c->width, c->heads);
}

void flops_similarity(const struct model_config *c, int rows, int words, bool encoder, struct macs *macs)
{
    macs->trimmer += product(rows, words, c->width) + (encoder ? product(words, c->width, c->width) : 0);
}

void flops_embed_image(const struct model_config *c, struct macs *macs)
{
    int patches = model_grid(c) * model_grid(c), width = c->width;
    if (c->stem == STEM_PATCH) {
        macs->other += product(patches, 3 * c->patch_size * c->patch_size, width);
        return;
    }
    macs->other += product(16 * patches, 48, c->stem_channels[0]) +
                   product(4 * patches, 9 * c->stem_channels[0], c->stem_channels[1]) +
                   product(patches, 9 * c->stem_channels[1], width);
    macs->other +=
        (uint64_t)c->stem_blocks * (product(patches, 25, width) + 2 * product(patches, width, c->stem_expansion));
}

void flops_finish(const struct model_config *c, int rows, struct macs *macs)
{
    macs->other += product(rows, c->width, c->width);
}

void flops_answer(const struct model_config *c, struct macs *macs)
{
    macs->other += 2 * product(c->pictures, c->width, c->width);
    if (c->task == TASK_RETRIEVAL)
        macs->other += product(c->labels + c->ranked, 2, c->width);
    else
        macs->other += product(2 * c->pictures, c->width, c->head_hidden) + product(1, c->head_hidden, c->labels);
    if (c->answer_words)
        macs->other += product(1, c->head_hidden, c->width) + product(1, c->width, c->labels);
}

void flops_dense(const struct model_config *c, int tokens, struct macs *macs)
{
    int rows = model_grid(c) * model_grid(c) + 1, h = c->heads;
    struct flops_layer text = {STACK_TEXT, tokens, 0, h, 0}, image = {STACK_IMAGE, rows, 0, h, 0};
    struct flops_layer fusion_text = {STACK_FUSION_TEXT, tokens, rows, h, h};
    struct flops_layer fusion_image = {STACK_FUSION_IMAGE, rows, tokens, h, h};
    for (int l = 0; l < c->text_layers; l++)
        flops_layer(c, &text, macs);
    flops_finish(c, tokens, macs);
    for (int p = 0; p < c->pictures; p++) {
        flops_embed_image(c, macs);
        for (int l = 0; l < c->image_layers; l++)
            flops_layer(c, &image, macs);
        flops_finish(c, rows, macs);
        for (int l = 0; l < c->fusion_layers; l++) {
            flops_layer(c, &fusion_text, macs);
            flops_layer(c, &fusion_image, macs);
        }
    }
    flops_answer(c, macs);
}

uint64_t flops_total(const struct macs *macs)
{
    return macs->qkv + macs->attention + macs->projection + macs->ffn + macs->trimmer + macs->other;
}
