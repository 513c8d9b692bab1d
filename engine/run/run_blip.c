// BLIP's text layers as stages: the words change, the patches are only read, and may be fewer from layer to layer.
#include "engine/run/run_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// The words by themselves, cross-attention left out: x (tokens, D).
static void encode_alone(struct run *run, struct forward *forward, const int *ids, int rows, float *x)
{
    const struct model *m = run->model;
    forward_embed_words(m, &m->embedding, ids, NULL, rows, x);
    for (int l = 0; l < m->config.fusion_layers; l++) {
        struct layer_input input = {.layer = &m->fusion[FUSION_TEXT][l], .x = x, .rows = rows};
        forward_layer(forward, &input);
    }
}

void run_guide(struct run *run, struct forward *forward)
{
    size_t width = (size_t)run->model->config.width, mark = run->math.scratch.used;
    struct forward alone = {.model = run->model, .math = &run->math};
    float *x = arena_alloc(&run->math.scratch, (size_t)run->token_count * width, sizeof(float));
    encode_alone(run, &alone, run->ids, run->token_count, x);
    memcpy(run->snapshots[0].words.guide, x, width * sizeof(float));
    forward->macs.trimmer += flops_total(&alone.macs); // the model itself has no such pass
    arena_rewind(&run->math.scratch, mark);
}

// All words take part, whatever was dropped: the features are of the whole text and of the picture's CLS, which stays.
void run_contrast(struct run *run, struct forward *forward, int index)
{
    const struct model_config *c = &run->model->config;
    struct snapshot *snapshot = &run->snapshots[index];
    size_t mark = run->math.scratch.used;
    int tokens = run->token_count - run->padding;
    if (!c->projection)
        return;
    float *x = arena_alloc(&run->math.scratch, (size_t)tokens * (size_t)c->width, sizeof(float));
    float *features = arena_alloc(&run->math.scratch, 2 * (size_t)c->projection, sizeof(float));
    int *ids = arena_alloc(&run->math.scratch, (size_t)tokens, sizeof(int));
    memcpy(ids, run->ids, (size_t)tokens * sizeof *ids);
    ids[0] = c->token_cls;
    encode_alone(run, forward, ids, tokens, x);
    forward_project(forward, FUSION_TEXT, x, features);
    forward_project(forward, FUSION_IMAGE, run->snapshots[run_image_end(run, 0)].streams[0].x[0], features + c->projection);
    float similarity = 0;
    for (int i = 0; i < c->projection; i++)
        similarity += features[i] * features[c->projection + i];
    snapshot->similarity = similarity;
    snapshot->rank = run->logits[1] + similarity; // as the published evaluation ranks (vlm_spec §4.8)
    flops_contrast(c, tokens, &snapshot->dense);
    arena_rewind(&run->math.scratch, mark);
}

// Attention received in the image encoder goes along with the patches, for the policy that reads it.
static void carry_cls(const struct stream_state *in, struct stream_state *state)
{
    for (int from = 0, to = 0; to < state->alive; from++)
        if (in->rows[from] == state->rows[to])
            state->cls[to++] = in->cls[from];
}

// The patches that stay in this layer, and their K and V.
static const float *read_patches(struct run *run, struct forward *forward, int index, int picture)
{
    const struct layer *layer = &run->model->fusion[FUSION_TEXT][run->plan[index].layer];
    struct stream_state *image = &run->snapshots[index].streams[picture];
    const struct trace_heads *heads =
        &run->snapshots[index].streams[TRACE_TEXT_STREAM].heads[picture ? MODULE_MCA2 : MODULE_MCA];
    float *kv = run->snapshots[index].words.memory;
    if (!kv)
        kv =
            arena_alloc(&run->math.scratch, (size_t)image->alive * 2 * (size_t)run->model->config.width, sizeof(float));
    run_gather(run, index, picture, 0, image->x[0]);
    carry_cls(run_input(run, index, picture), image);
    // What is kept for the words to come is wanted of all heads: who is switched off here is not switched off there.
    bool all = run->snapshots[index].words.memory != NULL;
    forward_memory(forward, layer, picture > 0, image->x[0], image->alive, all ? NULL : run_live_heads(heads), kv);
    return kv;
}

const struct ragged *run_ragged_words(struct run *run, int index, struct ragged *ragged)
{
    bool captions = run->model->config.task == TASK_CAPTION;
    const struct stream_state *text = &run->snapshots[index].streams[TRACE_TEXT_STREAM];
    size_t n = (size_t)text->alive;
    if (!captions && !run->padding)
        return NULL;
    int *numbers = arena_alloc(&run->math.scratch, 3 * n, sizeof(int));
    int *place = numbers + n, *keys = place + n;
    ragged->kv = run->snapshots[index].words.cache;
    ragged->kept = ragged->kv != NULL;
    if (!ragged->kv)
        ragged->kv = arena_alloc(&run->math.scratch, n * 2 * (size_t)run->model->config.width, sizeof(float));
    for (int r = 0; r < text->alive; r++) {
        numbers[r] = 0;
        place[r] = r;
        keys[r] = captions ? r + 1 : text->alive - run->padding;
    }
    ragged->first = numbers;
    ragged->place = place;
    ragged->keys = keys;
    return ragged;
}

static void ledger(const struct run *run, int layer, struct macs *dense)
{
    const struct model_config *c = &run->model->config;
    int patches = run_stream_count(run, 0), words = run->token_count;
    struct flops_layer flops = {STACK_FUSION_TEXT, words, patches, c->heads, c->heads};
    flops_layer(c, &flops, dense);
    // A prompt is read from left to right: word w attends to w + 1 words, not to all.
    if (c->task == TASK_CAPTION)
        dense->attention -= (uint64_t)(words * (words - 1)) * (uint64_t)c->width;
    if (c->pictures > 1)
        flops_twin(c, layer, words, patches, c->heads, dense);
}

void run_fuse_blip(struct run *run, struct forward *forward, int index)
{
    const struct model *m = run->model;
    const struct model_config *c = &m->config;
    struct snapshot *snapshot = &run->snapshots[index];
    struct stream_state *text = &snapshot->streams[TRACE_TEXT_STREAM];
    int layer = run->plan[index].layer;
    bool reads_mass = run->options.trim_tokens && policy_reads_mass(run->options.policy, c, STACK_FUSION_IMAGE, layer);
    // What a caption's prompt looked at is also what its first word comes from.
    bool mass = reads_mass || (c->task == TASK_CAPTION && !run->options.bare);
    float redundancy[3] = {NAN, NAN, NAN};
    char name[TRACE_NAME];
    struct ragged ragged;
    size_t mark = run->math.scratch.used;
    for (int s = 0; s < TRACE_STREAMS; s++)
        if (run->plan[index].touches[s]) {
            run_decide_tokens(run, forward, index, s);
            run_decide_heads(run, forward, index, s);
        }
    run_gather(run, index, TRACE_TEXT_STREAM, 0, text->x[0]);
    snprintf(name, sizeof name, "enc_l%02d", layer);
    struct layer_input input = {.layer = &m->fusion[FUSION_TEXT][layer],
                                .x = text->x[0],
                                .rows = text->alive,
                                .kv = read_patches(run, forward, index, 0),
                                .keys = snapshot->streams[0].alive,
                                .ragged = run_ragged_words(run, index, &ragged),
                                .name = name,
                                .live_msa = run_live_heads(&text->heads[MODULE_MSA]),
                                .live_mca = run_live_heads(&text->heads[MODULE_MCA])};
    input.mca.mass = mass ? snapshot->streams[0].mass : NULL;
    if (run->options.trim_tokens && policy_reads_cls(run->options.policy, c, STACK_FUSION_TEXT, layer)) {
        memset(text->cls, 0, (size_t)text->alive * sizeof(float)); // a pass with padding does not tell
        input.msa.cls = text->cls;
    }
    if (c->pictures > 1) {
        input.twin_kv = read_patches(run, forward, index, 1);
        input.twin_keys = snapshot->streams[1].alive;
        input.live_twin = run_live_heads(&text->heads[MODULE_MCA2]);
        input.twin.mass = mass ? snapshot->streams[1].mass : NULL;
        input.twin.redundancy = run->options.bare ? NULL : &redundancy[2];
    }
    if (!run->options.bare) {
        input.msa.redundancy = &redundancy[0];
        input.mca.redundancy = &redundancy[1];
    }
    forward_layer(forward, &input);
    arena_rewind(&run->math.scratch, mark);
    ledger(run, layer, &snapshot->dense);
    run_mean(&snapshot->redundancy_heads, redundancy, 3);
    snapshot->redundancy_heads_of[1] = snapshot->redundancy_heads;
}

void run_classify(struct run *run, struct forward *forward, int index)
{
    // After an unfinished text encoder (a lens) and after the whole one alike.
    forward_classify(forward, run->snapshots[index].streams[TRACE_TEXT_STREAM].x[0], run->logits);
}
