// What stages a model has, which state each reads and writes, and the memory for all of it.
#include "engine/run/run_private.h"

#include <stdio.h>
#include <string.h>

bool run_stream_is_text(int stream) { return stream == TRACE_TEXT_STREAM; }

int run_stream_count(const struct run *run, int stream)
{
    int grid = model_grid(&run->model->config);
    return run_stream_is_text(stream) ? run->token_count : grid * grid + 1;
}

enum model_stack run_stack(const struct stage_plan *plan, int stream)
{
    if (plan->kind == STAGE_FUSION)
        return run_stream_is_text(stream) ? STACK_FUSION_TEXT : STACK_FUSION_IMAGE;
    return run_stream_is_text(stream) ? STACK_TEXT : STACK_IMAGE;
}

static struct stage_plan *add_stage(struct run *run, enum stage_kind kind, int layer, int stream)
{
    struct stage_plan *plan = &run->plan[run->stage_count];
    *plan = (struct stage_plan){.kind = kind, .layer = layer, .stream = stream};
    for (int s = 0; s < TRACE_STREAMS; s++) {
        bool exists = run_stream_is_text(s) || s < run->model->config.pictures;
        plan->touches[s] = kind != STAGE_ANSWER && exists && (stream == s || stream < 0);
        plan->input[s] = -1;
        for (int before = run->stage_count - 1; before >= 0 && plan->input[s] < 0; before--)
            if (run->plan[before].touches[s])
                plan->input[s] = before;
    }
    run->stage_count++;
    return plan;
}

static void name_encoder_stage(const struct run *run, struct stage_plan *plan, const char *what)
{
    char number[12] = "";
    if (plan->layer >= 0)
        snprintf(number, sizeof number, " %d", plan->layer + 1);
    if (run->model->config.pictures > 1 && !run_stream_is_text(plan->stream))
        snprintf(plan->name, sizeof plan->name, "%s%s, picture %d", what, number, plan->stream + 1);
    else
        snprintf(plan->name, sizeof plan->name, "%s%s", what, number);
}

void run_plan_stages(struct run *run)
{
    const struct model_config *c = &run->model->config;
    run->stage_count = 0;
    snprintf(add_stage(run, STAGE_EMBED, -1, TRACE_TEXT_STREAM)->name, TRACE_NAME, "embed text");
    for (int l = 0; l < c->text_layers; l++)
        name_encoder_stage(run, add_stage(run, STAGE_TEXT, l, TRACE_TEXT_STREAM), "text");
    for (int p = 0; p < c->pictures; p++) {
        name_encoder_stage(run, add_stage(run, STAGE_EMBED, -1, p), "embed");
        if (c->pictures == 1)
            snprintf(run->plan[run->stage_count - 1].name, TRACE_NAME, "embed image");
        for (int l = 0; l < c->image_layers; l++)
            name_encoder_stage(run, add_stage(run, STAGE_IMAGE, l, p), "image");
    }
    for (int l = 0; l < c->fusion_layers; l++)
        snprintf(add_stage(run, STAGE_FUSION, l, -1)->name, TRACE_NAME, "fusion %d", l + 1);
    snprintf(add_stage(run, STAGE_ANSWER, -1, -1)->name, TRACE_NAME, "answer");
}

// Takes from the arena, or, while `sizes` is counted with an empty arena, only adds up.
static void *take(struct arena *arena, size_t *total, size_t count, size_t size)
{
    *total += (count * size + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    return arena->base ? arena_alloc(arena, count, size) : NULL;
}

static void lay_out(struct run *run, size_t *total)
{
    const struct model_config *c = &run->model->config;
    struct arena *a = &run->store;
    size_t patches = (size_t)(model_grid(c) * model_grid(c) + 1), words = (size_t)c->max_tokens;
    size_t most = patches > words ? patches : words, width = (size_t)c->width;
    for (int i = 0; i < run->stage_count; i++)
        for (int s = 0; s < TRACE_STREAMS; s++) {
            struct stream_state *state = &run->snapshots[i].streams[s];
            size_t n = run_stream_is_text(s) ? words : patches;
            int passes = run->plan[i].kind == STAGE_FUSION && run_stream_is_text(s) ? c->pictures : 1;
            if (!run->plan[i].touches[s])
                continue;
            for (int p = 0; p < passes; p++)
                state->x[p] = take(a, total, n * width, sizeof(float));
            state->rows = take(a, total, n, sizeof(int));
            float **scores[] = {&state->self, &state->cross, &state->score, &state->keep, &state->cls, &state->mass};
            for (size_t k = 0; k < sizeof scores / sizeof *scores; k++)
                *scores[k] = take(a, total, n, sizeof(float));
            state->dropped_at = take(a, total, n, sizeof(int16_t));
        }
    for (int p = 0; p < c->pictures; p++)
        run->pixels[p] = take(a, total, 3 * (size_t)c->image_size * (size_t)c->image_size, sizeof(float));
    run->logits = take(a, total, (size_t)c->labels + c->ranked, sizeof(float));
    run->forced = take(a, total, most, sizeof(int8_t));
    run->order = take(a, total, most, sizeof(int));
    run->kept = take(a, total, most, 1);
    for (int k = 0; k < 3; k++)
        run->row_scores[k] = take(a, total, 2 * most, sizeof(float));
    run->ids = take(a, total, words, sizeof(int));
    run->tokens = take(a, total, words, sizeof(struct token));
}

bool run_allocate(struct run *run, struct error *err)
{
    size_t total = 0, again = 0;
    lay_out(run, &total);
    int workers = run->options.pool ? thread_pool_workers(run->options.pool) : 1;
    if (!arena_init(&run->store, total) || !arena_init(&run->math.scratch, forward_scratch(run->model, workers)))
        return error_no_memory(err, "the states of a run");
    lay_out(run, &again);
    run->math.pool = run->options.pool;
    return true;
}

bool run_policy_acts(const struct run *run, enum policy policy, int stage)
{
    const struct stage_plan *plan = &run->plan[stage];
    const struct model_config *c = &run->model->config;
    if (plan->kind == STAGE_EMBED || plan->kind == STAGE_ANSWER)
        return false;
    for (int s = 0; s < TRACE_STREAMS; s++) {
        enum model_stack stack = run_stack(plan, s);
        if (!plan->touches[s])
            continue;
        if (run->options.trim_tokens && (policy_trims_tokens(policy, c, stack, plan->layer) ||
                                         policy_reads_cls(policy, c, stack, plan->layer) ||
                                         policy_reads_mass(policy, c, stack, plan->layer)))
            return true;
        if (run->options.trim_heads && (policy_trims_heads(policy, c, stack, plan->layer, false) ||
                                        policy_trims_heads(policy, c, stack, plan->layer, true)))
            return true;
    }
    return false;
}

bool run_stage_guided(const struct run *run, enum policy policy, int stage)
{
    const struct stage_plan *plan = &run->plan[stage];
    return plan->kind == STAGE_IMAGE && run->options.trim_tokens &&
           policy_reads_other(policy, &run->model->config, STACK_IMAGE, plan->layer);
}

int run_invalidate(struct run *run, int stage)
{
    int text_end = run_text_stages(&run->model->config) - 1;
    int first = stage;
    run->snapshots[stage].valid = false;
    for (int t = stage + 1; t < run->stage_count; t++) {
        const struct stage_plan *plan = &run->plan[t];
        bool lost = run_stage_guided(run, run->options.policy, t) && !run->snapshots[text_end].valid;
        for (int s = 0; s < TRACE_STREAMS; s++)
            if ((plan->touches[s] || plan->kind == STAGE_ANSWER) && plan->input[s] >= 0)
                lost = lost || !run->snapshots[plan->input[s]].valid;
        if (lost)
            run->snapshots[t].valid = false;
    }
    return first;
}

int run_text_stages(const struct model_config *config) { return 1 + config->text_layers; }
