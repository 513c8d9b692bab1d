// Attention probabilities on demand, from the snapshots.
#include "engine/run/run_private.h"

#include <math.h>
#include <string.h>

static const struct layer *layer_of(const struct run *run, int stage, int stream)
{
    const struct stage_plan *plan = &run->plan[stage];
    const struct model *m = run->model;
    if (plan->kind == STAGE_FUSION)
        return &m->fusion[run_stream_is_text(stream) ? FUSION_TEXT : FUSION_IMAGE][plan->layer];
    return run_stream_is_text(stream) ? &m->text[plan->layer] : &m->image[plan->layer];
}

static bool check_request(const struct run *run, int stage, int stream, enum attention_module module, int head,
                          struct error *err)
{
    if (stage < 0 || stage >= run->trace.stage_count)
        return error_set(err, ERROR_INPUT, "stage %d has not been computed", stage);
    if (module == MODULE_MCA2 || !run_has_module(run, stage, stream, module) || head < 0 ||
        head >= run->snapshots[stage].streams[stream].heads[module].count)
        return error_set(err, ERROR_INPUT, "the stage %s has no such attention head", run->plan[stage].name);
    return true;
}

// Rows of `from` (queries alive, keys alive) to their places among all tokens.
static void scatter(const struct stream_state *queries, const struct stream_state *keys, const float *from, float *out)
{
    for (int q = 0; q < queries->alive; q++)
        for (int k = 0; k < keys->alive; k++)
            out[(size_t)queries->rows[q] * (size_t)keys->count + (size_t)keys->rows[k]] =
                from[(size_t)q * (size_t)keys->alive + (size_t)k];
}

// A softmax over the first keys of a row alone: that over all of them, with their share made 1.
static void keep_first(float *probs, int rows, const int *keys)
{
    for (int q = 0; q < rows; q++) {
        float *row = probs + (size_t)q * (size_t)rows, sum = 0;
        for (int k = 0; k < keys[q]; k++)
            sum += row[k];
        for (int k = 0; k < rows; k++)
            row[k] = k < keys[q] && sum > 0 ? row[k] / sum : 0;
    }
}

// What the words of BLIP's question have taken up of the patches on their way through its text layers.
bool run_words_to_patches(struct run *run, int picture, float *out, struct error *err)
{
    const struct model_config *c = &run->model->config;
    int words = run_stream_count(run, TRACE_TEXT_STREAM), patches = run_stream_count(run, picture);
    size_t width = (size_t)c->width, other_width = (size_t)model_image_width(c);
    size_t states = (size_t)words * width, seen = (size_t)patches * other_width;
    float *x = memory_alloc(states + seen + (size_t)patches * 2 * width + (size_t)words * (size_t)patches, sizeof(float));
    if (!x)
        return error_no_memory(err, "attention probabilities");
    float *other_x = x + states, *kv = other_x + seen, *probs = kv + (size_t)patches * 2 * width;
    struct forward forward = {.model = run->model, .math = &run->math};
    enum attention_module module = picture ? MODULE_MCA2 : MODULE_MCA;
    for (int i = 0; i < words * patches; i++)
        out[i] = 0;
    for (int l = 0; l < c->fusion_layers; l++) {
        int stage = run_fusion_stage(run, l);
        const struct stream_state *text = &run->snapshots[stage].streams[TRACE_TEXT_STREAM];
        const struct stream_state *image = &run->snapshots[stage].streams[picture];
        const struct layer *layer = &run->model->fusion[FUSION_TEXT][l];
        run_gather(run, stage, picture, 0, other_x);
        forward_memory(&forward, layer, picture > 0, other_x, image->alive, NULL, kv);
        for (int h = 0; h < c->heads; h++) {
            struct ragged ragged;
            size_t mark = run->math.scratch.used;
            struct layer_input input = {.layer = layer, .x = x, .rows = text->alive, .kv = kv, .keys = image->alive,
                                        .ragged = run_ragged_words(run, stage, &ragged),
                                        .live_msa = run_live_heads(&text->heads[MODULE_MSA])};
            if (text->heads[module].on[h]) {
                run_gather(run, stage, TRACE_TEXT_STREAM, 0, x); // looking changes it
                forward_probabilities(&forward, &input, picture ? FORWARD_TWIN : FORWARD_MCA, h, probs);
            }
            for (int q = 0; text->heads[module].on[h] && q < text->alive; q++)
                for (int k = 0; k < image->alive; k++)
                    out[text->rows[q] * patches + image->rows[k]] +=
                        probs[q * image->alive + k] / (float)(c->fusion_layers * c->heads);
            arena_rewind(&run->math.scratch, mark);
        }
    }
    memory_free(x);
    return true;
}

bool run_attention(struct run *run, int stage, int stream, enum attention_module module, int head, float *out,
                   int *queries, int *keys, struct error *err)
{
    if (!check_request(run, stage, stream, module, head, err))
        return false;
    bool mca = module == MODULE_MCA;
    int other = !mca ? stream : run_stream_is_text(stream) ? 0 : TRACE_TEXT_STREAM;
    int pass = run_stream_is_text(stream) ? 0 : stream;
    const struct stream_state *from = &run->snapshots[stage].streams[stream];
    const struct stream_state *to = &run->snapshots[stage].streams[other];
    size_t width = (size_t)run_stream_width(run, stream), other_width = (size_t)run_stream_width(run, other);
    size_t rows = (size_t)from->alive, memory_rows = (size_t)to->alive;
    *queries = from->count;
    *keys = to->count;
    for (size_t i = 0; i < (size_t)from->count * (size_t)to->count; i++)
        out[i] = NAN;
    if (!from->heads[module].on[head])
        return true;
    float *x = memory_alloc(rows * width + memory_rows * (other_width + 2 * width) + rows * memory_rows, sizeof(float));
    if (!x)
        return error_no_memory(err, "attention probabilities");
    float *other_x = x + rows * width, *kv = other_x + memory_rows * other_width, *probs = kv + memory_rows * 2 * width;
    struct forward forward = {.model = run->model, .math = &run->math};
    struct layer_input input = {.layer = layer_of(run, stage, stream),
                                .x = x,
                                .rows = from->alive,
                                .kv = kv,
                                .keys = to->alive,
                                .live_msa = from->heads[MODULE_MSA].on};
    run_gather(run, stage, stream, pass, x);
    struct ragged ragged;
    size_t mark = run->math.scratch.used;
    const struct ragged *reads =
        run_is_blip(run) && run_stream_is_text(stream) ? run_ragged_words(run, stage, &ragged) : NULL;
    if (mca) {
        run_gather(run, stage, other, pass, other_x);
        forward_memory(&forward, input.layer, false, other_x, to->alive, NULL, kv);
        input.ragged = reads;
    }
    forward_probabilities(&forward, &input, mca ? FORWARD_MCA : FORWARD_MSA, head, probs);
    if (reads && !mca)
        keep_first(probs, from->alive, reads->keys);
    arena_rewind(&run->math.scratch, mark);
    scatter(from, to, probs, out);
    memory_free(x);
    return true;
}
