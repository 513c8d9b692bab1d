#include "engine/model/decoder.h"

#include <stdio.h>
#include <string.h>

const struct layer *decoder_layers(const struct model *model, int *count)
{
    bool captions = model->config.task == TASK_CAPTION;
    *count = captions ? model->config.fusion_layers : model->config.decoder_layers;
    return captions ? model->fusion[FUSION_TEXT] : model->decoder;
}

const struct text_embedding *decoder_embedding(const struct model *model)
{
    return model->config.task == TASK_CAPTION ? &model->embedding : &model->decoder_embedding;
}

static void add_mass(const struct decoder_memory *memory, int layer, int layers, const float *mass, float *total)
{
    for (int k = 0; k < memory->keys[layer]; k++)
        total[memory->rows[layer] ? memory->rows[layer][k] : k] += mass[k] / (float)layers;
}

// The words of a pass on their way through the layers.
struct walk {
    const struct decoder_pass *pass;
    const struct layer *layers;
    int count, width;
    int *first, *place, *keys;
    struct ragged ragged;
};

// The words' embeddings into pass->x.
static struct walk begin(struct forward *forward, const struct decoder_pass *pass)
{
    struct walk walk = {.pass = pass, .width = forward->model->config.width};
    walk.layers = decoder_layers(forward->model, &walk.count);
    int *numbers = arena_alloc(&forward->math->scratch, 4 * (size_t)pass->rows, sizeof(int));
    walk.first = numbers;
    walk.place = walk.first + pass->rows;
    walk.keys = walk.place + pass->rows;
    int *position = walk.keys + pass->rows;
    for (int r = 0; r < pass->rows; r++) {
        walk.first[r] = r * pass->cache->room;
        position[r] = pass->position;
    }
    forward_embed_words(forward->model, decoder_embedding(forward->model), pass->ids, position, pass->rows, pass->x);
    return walk;
}

static struct layer_input input_of(struct walk *walk, int layer)
{
    const struct decoder_pass *pass = walk->pass;
    size_t size = (size_t)(pass->rows * pass->cache->room * 2 * walk->width);
    walk->ragged = (struct ragged){.kv = pass->cache->kv + (size_t)layer * size,
                                   .first = walk->first,
                                   .place = walk->place,
                                   .keys = walk->keys};
    for (int r = 0; r < pass->rows; r++) {
        walk->place[r] = pass->cache->used[layer];
        walk->keys[r] = walk->place[r] + 1;
    }
    return (struct layer_input){.layer = &walk->layers[layer],
                                .x = pass->x,
                                .rows = pass->rows,
                                .kv = pass->memory->kv[layer],
                                .keys = pass->memory->keys[layer],
                                .ragged = &walk->ragged};
}

void decoder_run(struct forward *forward, const struct decoder_pass *pass)
{
    size_t mark = forward->math->scratch.used;
    struct walk walk = begin(forward, pass);
    for (int l = 0; l < walk.count; l++) {
        size_t layer_mark = forward->math->scratch.used;
        struct layer_input input = input_of(&walk, l);
        if (pass->mass)
            input.mca.mass = arena_alloc(&forward->math->scratch, (size_t)input.keys, sizeof(float));
        forward_layer(forward, &input);
        if (pass->mass)
            add_mass(pass->memory, l, walk.count, input.mca.mass, pass->mass);
        arena_rewind(&forward->math->scratch, layer_mark);
    }
    arena_rewind(&forward->math->scratch, mark);
    if (forward->probe) {
        char name[32];
        snprintf(name, sizeof name, "%s_hidden", pass->name);
        forward->probe(forward->probe_context, name, pass->x, pass->rows, walk.width);
    }
}

void decoder_look(struct forward *forward, const struct decoder_pass *pass, int layer, int row, float *probs)
{
    size_t mark = forward->math->scratch.used;
    struct walk walk = begin(forward, pass);
    for (int l = 0; l < layer; l++) {
        struct layer_input input = input_of(&walk, l);
        forward_layer(forward, &input);
    }
    struct layer_input input = input_of(&walk, layer);
    size_t keys = (size_t)input.keys, states = (size_t)pass->rows * (size_t)walk.width;
    float *before = arena_alloc(&forward->math->scratch, states, sizeof(float));
    float *all = arena_alloc(&forward->math->scratch, (size_t)pass->rows * keys, sizeof(float));
    memcpy(before, pass->x, states * sizeof(float));
    for (int h = 0; h < forward->model->config.heads; h++) {
        memcpy(pass->x, before, states * sizeof(float)); // looking changes them
        forward_probabilities(forward, &input, FORWARD_MCA, h, all);
        memcpy(probs + (size_t)h * keys, all + (size_t)row * keys, keys * sizeof(float));
    }
    arena_rewind(&forward->math->scratch, mark);
}
