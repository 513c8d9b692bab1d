#include "engine/model/decoder.h"

#include <stdio.h>

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

void decoder_run(struct forward *forward, const struct decoder_pass *pass)
{
    int count;
    const struct layer *layers = decoder_layers(forward->model, &count);
    int width = forward->model->config.width;
    size_t mark = forward->math->scratch.used;
    int *numbers = arena_alloc(&forward->math->scratch, 4 * (size_t)pass->rows, sizeof(int));
    int *first = numbers, *place = first + pass->rows, *keys = place + pass->rows, *position = keys + pass->rows;
    for (int r = 0; r < pass->rows; r++) {
        first[r] = r * pass->cache->room;
        position[r] = pass->position;
    }
    forward_embed_words(forward->model, decoder_embedding(forward->model), pass->ids, position, pass->rows, pass->x);
    for (int l = 0; l < count; l++) {
        size_t layer_mark = forward->math->scratch.used, size = (size_t)(pass->rows * pass->cache->room * 2 * width);
        struct ragged ragged = {pass->cache->kv + (size_t)l * size, first, place, keys};
        for (int r = 0; r < pass->rows; r++) {
            place[r] = pass->cache->used[l];
            keys[r] = place[r] + 1;
        }
        struct layer_input input = {.layer = &layers[l],
                                    .x = pass->x,
                                    .rows = pass->rows,
                                    .kv = pass->memory->kv[l],
                                    .keys = pass->memory->keys[l],
                                    .ragged = &ragged};
        if (pass->mass)
            input.mca.mass = arena_alloc(&forward->math->scratch, (size_t)input.keys, sizeof(float));
        forward_layer(forward, &input);
        if (pass->mass)
            add_mass(pass->memory, l, count, input.mca.mass, pass->mass);
        arena_rewind(&forward->math->scratch, layer_mark);
    }
    arena_rewind(&forward->math->scratch, mark);
    if (forward->probe) {
        char name[32];
        snprintf(name, sizeof name, "%s_hidden", pass->name);
        forward->probe(forward->probe_context, name, pass->x, pass->rows, width);
    }
}
