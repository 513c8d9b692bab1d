// A second run beside a person's, to try things on without touching it.
#include "engine/run/run_private.h"

#include <string.h>

struct run *run_twin(const struct run *run, struct error *err)
{
    struct run *twin = memory_alloc(1, sizeof *twin);
    if (!twin) {
        error_no_memory(err, "a second run");
        return NULL;
    }
    twin->model = run->model;
    twin->options = run->options;
    twin->answers = run->answers;
    twin->beams = run->beams;
    twin->min_length = run->min_length;
    twin->max_length = run->max_length;
    twin->options.bare = true; // the answer is what counts: nothing else is measured
    twin->twin = true;
    trace_init(&twin->trace);
    run_plan_stages(twin);
    if (!run_allocate(twin, err)) {
        run_free(twin);
        return NULL;
    }
    return twin;
}

static void copy_floats(float *to, const float *from, int count, int width)
{
    if (to && from)
        memcpy(to, from, (size_t)count * (size_t)width * sizeof *to);
}

static void copy_stream(struct stream_state *to, const struct stream_state *from, int width)
{
    to->count = from->count;
    to->alive = from->alive;
    memcpy(to->rows, from->rows, (size_t)from->alive * sizeof *to->rows);
    for (int p = 0; p < TRACE_PICTURES; p++)
        copy_floats(to->x[p], from->x[p], from->alive, width);
    copy_floats(to->self, from->self, from->count, 1);
    copy_floats(to->cross, from->cross, from->count, 1);
    copy_floats(to->score, from->score, from->count, 1);
    copy_floats(to->keep, from->keep, from->count, 1);
    copy_floats(to->cls, from->cls, from->alive, 1);
    copy_floats(to->mass, from->mass, from->alive, 1);
    copy_floats(to->size, from->size, from->alive, 1);
    memcpy(to->partner, from->partner, (size_t)from->count * sizeof *to->partner);
    memcpy(to->dropped_at, from->dropped_at, (size_t)from->count * sizeof *to->dropped_at);
    memcpy(to->heads, from->heads, sizeof to->heads);
}

// Of one layer the keys that there are; of all layers of the decoder, everything.
static void copy_words(const struct run *run, int index, struct words_state *to, const struct words_state *from)
{
    const struct model_config *c = &run->model->config;
    const struct snapshot *snapshot = &run->snapshots[index];
    bool fusion = run->plan[index].kind == STAGE_FUSION;
    int layers, pair = 2 * c->width;
    decoder_layers(run->model, &layers);
    copy_floats(to->guide, from->guide, 1, c->width);
    copy_floats(to->memory, from->memory, fusion ? snapshot->streams[0].alive : layers * c->max_tokens, pair);
    copy_floats(to->cache, from->cache, fusion ? snapshot->streams[TRACE_TEXT_STREAM].alive : layers * run->beams, pair);
    copy_floats(to->logits, from->logits, 1, c->vocabulary);
    if (to->beams)
        *to->beams = *from->beams;
}

// The struct but for the memory that belongs to the snapshot itself.
static void copy_snapshot(const struct run *run, int index, struct snapshot *to, const struct snapshot *from)
{
    to->valid = from->valid;
    if (!from->valid || (to->serial == from->serial && from->serial > 0))
        return;
    to->serial = from->serial;
    const struct model_config *c = &run->model->config;
    for (int s = 0; s < TRACE_STREAMS; s++)
        if (run->plan[index].touches[s])
            copy_stream(&to->streams[s], &from->streams[s], s == TRACE_TEXT_STREAM ? c->width : model_image_width(c));
    copy_words(run, index, &to->words, &from->words);
    to->spent = from->spent;
    to->dense = from->dense;
    to->ms = from->ms;
    to->redundancy_image = from->redundancy_image;
    to->redundancy_text = from->redundancy_text;
    to->redundancy_heads = from->redundancy_heads;
    memcpy(to->answers, from->answers, sizeof to->answers);
    to->answer_count = from->answer_count;
    to->rank = from->rank;
    to->similarity = from->similarity;
}

bool run_sync(struct run *twin, const struct run *run, struct error *err)
{
    const struct model_config *c = &run->model->config;
    struct trace trace;
    if (!trace_copy(&trace, &run->trace))
        return error_no_memory(err, "a second run");
    trace_free(&twin->trace);
    twin->trace = trace;
    twin->options.policy = run->options.policy;
    twin->options.budget = run->options.budget;
    twin->budget = run->budget;
    twin->token_count = run->token_count;
    memcpy(twin->ids, run->ids, (size_t)run->token_count * sizeof *twin->ids);
    memcpy(twin->tokens, run->tokens, (size_t)run->token_count * sizeof *twin->tokens);
    memcpy(twin->logits, run->logits, ((size_t)c->labels + c->ranked) * sizeof *twin->logits);
    for (int p = 0; p < c->pictures; p++)
        copy_floats(twin->pixels[p], run->pixels[p], 3 * c->image_size, c->image_size);
    if (model_writes(c) && twin->stage_count != run->stage_count)
        run_plan_words(twin, run->stage_count - run->words_from - 1);
    for (int i = 0; i < run->stage_count; i++)
        copy_snapshot(run, i, &twin->snapshots[i], &run->snapshots[i]);
    return true;
}
