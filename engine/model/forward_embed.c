#include "engine/model/forward.h"
#include "engine/model/stem_kernels.h"

#include <string.h>

static float *scratch_floats(struct forward *forward, size_t count)
{
    return arena_alloc(&forward->math->scratch, count, sizeof(float));
}

static void show(struct forward *forward, const char *name, const float *x, int rows, int width)
{
    if (forward->probe)
        forward->probe(forward->probe_context, name, x, rows, width);
}

static bool is_blip(const struct forward *forward)
{
    return forward->model->config.architecture == ARCHITECTURE_BLIP;
}

void forward_embed_words(const struct model *model, const struct text_embedding *e, const int *ids,
                         const int *positions, int count, float *out)
{
    int width = model->config.width;
    for (int t = 0; t < count; t++) {
        const float *word = e->words + (size_t)ids[t] * (size_t)width;
        const float *position = e->positions + (size_t)(e->first + (positions ? positions[t] : t)) * (size_t)width;
        float *row = out + (size_t)t * (size_t)width;
        for (int i = 0; i < width; i++)
            row[i] = word[i] + (e->type ? e->type[i] : 0) + position[i];
    }
    norm_apply(NULL, &e->norm, out, count, width, out);
}

void forward_embed_text(struct forward *forward, const int *ids, int count, float *out)
{
    forward_embed_words(forward->model, &forward->model->embedding, ids, NULL, count, out);
    show(forward, is_blip(forward) ? "enc_embeddings" : "txt_embeddings", out, count, forward->model->config.width);
}

// Rows of patch x patch x 3 numbers in the order of the convolution's weights (channel, y, x), without overlap.
static void unfold_patches(const float *pixels, int side, int patch, float *out)
{
    size_t row = (size_t)patch * sizeof(float), depth = 3 * (size_t)(patch * patch);
    for (int gy = 0; gy < side / patch; gy++, out += (size_t)(side / patch) * depth)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < patch; y++) {
                const float *from = pixels + ((size_t)c * (size_t)side + (size_t)(gy * patch + y)) * (size_t)side;
                float *to = out + (c * patch + y) * patch;
                if (patch == 4) // the stem's first convolution: a copy of known size is one instruction
                    for (int gx = 0; gx < side / 4; gx++, from += 4, to += depth)
                        memcpy(to, from, 4 * sizeof(float));
                else
                    for (int gx = 0; gx < side / patch; gx++, from += patch, to += depth)
                        memcpy(to, from, row);
            }
}

// Rows of 9 * channels numbers (y, x, channel) around each second pixel of a side x side picture, channels last;
// padding 1 counts as 0.
static void unfold_halves(const float *x, int side, int channels, float *out)
{
    int half = side / 2;
    size_t bytes = (size_t)channels * sizeof(float);
    for (int oy = 0; oy < half; oy++)
        for (int ox = 0; ox < half; ox++)
            for (int ky = -1; ky <= 1; ky++)
                for (int kx = -1; kx <= 1; kx++, out += channels) {
                    int y = 2 * oy + ky, xx = 2 * ox + kx;
                    if (y < 0 || xx < 0)
                        memset(out, 0, bytes);
                    else
                        memcpy(out, x + (size_t)(y * side + xx) * (size_t)channels, bytes);
                }
}

static void stem_blocks(struct forward *forward, float *x, int grid)
{
    const struct model *m = forward->model;
    int width = m->config.width, rows = grid * grid;
    size_t mark = forward->math->scratch.used;
    float *mixed = scratch_floats(forward, (size_t)rows * (size_t)width);
    float *hidden = scratch_floats(forward, (size_t)rows * (size_t)m->config.stem_expansion);
    const struct stem_kernels *kernels = VARIANT_PICK(stem_kernels);
    for (int b = 0; b < m->config.stem_blocks; b++) {
        const struct stem_block *block = &m->stem.blocks[b];
        kernels->depthwise5(x, grid, width, block->depthwise, block->depthwise_bias, mixed);
        // The taps outside the picture are multiplications by a padding zero; like every counter of convolutions,
        // the ledger counts all 25 of each pixel.
        forward->macs.other += 25 * (uint64_t)rows * (uint64_t)width;
        norm_apply(forward->math->pool, &block->norm, mixed, rows, width, mixed);
        linear_apply(forward->math, &block->fc1, mixed, width, rows, hidden, block->fc1.out, ACTIVATION_GELU, NULL, 0,
                     NULL, NULL, &forward->macs.other);
        linear_apply(forward->math, &block->fc2, hidden, block->fc1.out, rows, x, width, ACTIVATION_NONE, x, width,
                     NULL, NULL, &forward->macs.other);
    }
    arena_rewind(&forward->math->scratch, mark);
}

static void conv_stem(struct forward *forward, const float *pixels, float *out)
{
    const struct model *m = forward->model;
    const struct linear *conv = m->stem.conv;
    int side = m->config.image_size, width = m->config.width, grid = model_grid(&m->config);
    size_t mark = forward->math->scratch.used;
    size_t quarter = (size_t)(side / 4) * (size_t)(side / 4);
    size_t unfolded_size = quarter * 48;
    for (int i = 1; i < 3; i++) {
        size_t size = (quarter >> (2 * i)) * (size_t)conv[i].in;
        unfolded_size = size > unfolded_size ? size : unfolded_size;
    }
    float *unfolded = scratch_floats(forward, unfolded_size);
    float *first = scratch_floats(forward, quarter * (size_t)conv[0].out);
    float *second = scratch_floats(forward, quarter / 4 * (size_t)conv[1].out);
    unfold_patches(pixels, side, 4, unfolded);
    linear_apply(forward->math, &conv[0], unfolded, 48, (int)quarter, first, conv[0].out, ACTIVATION_GELU, NULL, 0,
                 NULL, NULL, &forward->macs.other);
    unfold_halves(first, side / 4, conv[0].out, unfolded);
    linear_apply(forward->math, &conv[1], unfolded, conv[1].in, (int)quarter / 4, second, conv[1].out, ACTIVATION_GELU,
                 NULL, 0, NULL, NULL, &forward->macs.other);
    unfold_halves(second, side / 8, conv[1].out, unfolded);
    linear_apply(forward->math, &conv[2], unfolded, conv[2].in, grid * grid, out, width, ACTIVATION_NONE, NULL, 0,
                 NULL, NULL, &forward->macs.other);
    arena_rewind(&forward->math->scratch, mark);
    stem_blocks(forward, out, grid);
    norm_apply(forward->math->pool, &m->stem.norm, out, grid * grid, width, out);
}

static void patch_stem(struct forward *forward, const float *pixels, float *out)
{
    const struct model *m = forward->model;
    const struct linear *conv = m->stem.conv;
    int grid = model_grid(&m->config);
    size_t mark = forward->math->scratch.used;
    float *unfolded = scratch_floats(forward, (size_t)(grid * grid) * (size_t)conv->in);
    unfold_patches(pixels, m->config.image_size, m->config.patch_size, unfolded);
    linear_apply(forward->math, conv, unfolded, conv->in, grid * grid, out, conv->out, ACTIVATION_NONE, NULL, 0, NULL,
                 NULL, &forward->macs.other);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_embed_image(struct forward *forward, const float *pixels, float *out)
{
    const struct model *m = forward->model;
    int width = model_image_width(&m->config), grid = model_grid(&m->config), rows = grid * grid + 1;
    float *patches = out + width;
    if (m->config.stem == STEM_CONV)
        conv_stem(forward, pixels, patches);
    else
        patch_stem(forward, pixels, patches);
    show(forward, is_blip(forward) ? "vit_patch_embed" : "vit_conv1", patches, rows - 1, width);
    memcpy(out, m->class_embedding, (size_t)width * sizeof(float));
    for (size_t i = 0; i < (size_t)rows * (size_t)width; i++)
        out[i] += m->image_positions[i];
    if (!m->image_norm_pre.gamma)
        return;
    norm_apply(forward->math->pool, &m->image_norm_pre, out, rows, width, out);
    show(forward, "vit_ln_pre", out, rows, width);
}

static void transform(struct forward *forward, int stream, float *x, int rows)
{
    int width = forward->model->config.width;
    size_t mark = forward->math->scratch.used;
    float *copy = scratch_floats(forward, (size_t)rows * (size_t)width);
    memcpy(copy, x, (size_t)rows * (size_t)width * sizeof(float));
    linear_apply(forward->math, &forward->model->transform[stream], copy, width, rows, x, width, ACTIVATION_NONE, NULL,
                 0, NULL, NULL, &forward->macs.other);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_finish_text(struct forward *forward, float *x, int rows)
{
    const struct model *m = forward->model;
    int width = m->config.width;
    transform(forward, FUSION_TEXT, x, rows);
    show(forward, "txt_transform", x, rows, width);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < width; i++)
            x[(size_t)r * (size_t)width + (size_t)i] += m->types[i];
}

void forward_finish_image(struct forward *forward, float *x, int rows, const int *rows_of, int type)
{
    const struct model *m = forward->model;
    int width = model_image_width(&m->config);
    norm_apply(forward->math->pool, &m->image_norm_post, x, rows, width, x);
    show(forward, is_blip(forward) ? "vit_norm" : "vit_ln_post", x, rows, width);
    if (is_blip(forward))
        return;
    const float *kind = m->types + (size_t)type * (size_t)width;
    transform(forward, FUSION_IMAGE, x, rows);
    show(forward, "img_transform", x, rows, width);
    for (int r = 0; r < rows; r++) {
        float *row = x + (size_t)r * (size_t)width;
        const float *place = m->fusion_positions ? m->fusion_positions + (size_t)rows_of[r] * (size_t)width : NULL;
        for (int i = 0; i < width; i++)
            row[i] += kind[i] + (place ? place[i] : 0);
    }
}
