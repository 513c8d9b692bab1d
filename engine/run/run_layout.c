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
    if (plan->kind == STAGE_MEMORY)
        return STACK_DECODER;
    return run_stream_is_text(stream) ? STACK_TEXT : STACK_IMAGE;
}

bool run_is_blip(const struct run *run)
{
    return run->model->config.architecture == ARCHITECTURE_BLIP;
}

int run_image_end(const struct run *run, int picture)
{
    const struct model_config *c = &run->model->config;
    return run_text_stages(c) + (picture + 1) * (1 + c->image_layers) - 1;
}

int run_fusion_stage(const struct run *run, int layer)
{
    return run_image_end(run, run->model->config.pictures - 1) + 1 + layer;
}

bool run_has_module(const struct run *run, int stage, int stream, int module)
{
    const struct stage_plan *plan = &run->plan[stage];
    bool layer = plan->kind == STAGE_IMAGE || plan->kind == STAGE_TEXT || plan->kind == STAGE_FUSION;
    if (!layer || stream < 0 || stream >= TRACE_STREAMS || !plan->touches[stream])
        return false;
    if (run_is_blip(run) && plan->kind == STAGE_FUSION)
        return run_stream_is_text(stream) && (module != MODULE_MCA2 || run->model->config.pictures > 1);
    return module == MODULE_MSA || (module == MODULE_MCA && plan->kind == STAGE_FUSION);
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
    if (c->decoder_layers)
        snprintf(add_stage(run, STAGE_MEMORY, 0, TRACE_TEXT_STREAM)->name, TRACE_NAME, "memory");
    run->words_from = run->stage_count;
    run->words_most = !model_writes(c)          ? 0
                      : run->answers.count      ? 1
                                                : run->max_length - 1;
    run_plan_words(run, run->words_most);
}

void run_plan_words(struct run *run, int count)
{
    int before = run->stage_count;
    int stream = run->model->config.task == TASK_CAPTION ? 0 : TRACE_TEXT_STREAM;
    run->stage_count = run->words_from;
    for (int w = 0; w < count; w++) {
        struct stage_plan *plan = add_stage(run, STAGE_DECODE, -1, stream);
        snprintf(plan->name, TRACE_NAME, "word %d", w + 1);
        plan->word = w;
    }
    snprintf(add_stage(run, STAGE_ANSWER, -1, -1)->name, TRACE_NAME, "answer");
    run->trace.stage_total = run->stage_count;
    if (run->stage_count == before)
        return;
    // The answer has moved, and words that come back are new ones.
    for (int i = (before < run->stage_count ? before : run->stage_count) - 1; i < RUN_STAGES; i++)
        run->snapshots[i].valid = false;
}

// Takes from the arena, or, while `sizes` is counted with an empty arena, only adds up.
static void *take(struct arena *arena, size_t *total, size_t count, size_t size)
{
    *total += (count * size + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    return arena->base ? arena_alloc(arena, count, size) : NULL;
}

// Decoder layers of a model that writes, and the tokens that they attend to at most.
static void writing_sizes(const struct run *run, size_t *layers, size_t *keys)
{
    const struct model_config *c = &run->model->config;
    int count;
    decoder_layers(run->model, &count);
    *layers = (size_t)count;
    *keys = c->task == TASK_CAPTION ? (size_t)(model_grid(c) * model_grid(c) + 1) : (size_t)c->max_tokens;
}

// What one stage of BLIP leaves for the words.
static void lay_out_words(struct run *run, int index, size_t *total)
{
    const struct model_config *c = &run->model->config;
    const struct stage_plan *plan = &run->plan[index];
    struct words_state *words = &run->snapshots[index].words;
    struct arena *a = &run->store;
    size_t layers, keys, pair = 2 * (size_t)c->width;
    if (!run_is_blip(run))
        return;
    if (index == 0)
        words->guide = take(a, total, (size_t)c->width, sizeof(float));
    if (!model_writes(c))
        return;
    writing_sizes(run, &layers, &keys);
    if (plan->kind == STAGE_FUSION && c->task == TASK_CAPTION) {
        words->memory = take(a, total, keys * pair, sizeof(float));
        words->cache = take(a, total, (size_t)c->max_tokens * pair, sizeof(float));
    }
    if (plan->kind == STAGE_MEMORY)
        words->memory = take(a, total, layers * keys * pair, sizeof(float));
    if (plan->kind != STAGE_DECODE)
        return;
    if (plan->word > 0 || c->task == TASK_VQA)
        words->cache = take(a, total, layers * (size_t)run->beams * pair, sizeof(float));
    if (run->answers.count)
        words->logits = take(a, total, (size_t)c->vocabulary, sizeof(float));
    else
        words->beams = take(a, total, 1, sizeof *words->beams);
}

// The work space of a word that is written.
static void lay_out_writing(struct run *run, size_t *total)
{
    const struct model_config *c = &run->model->config;
    size_t layers, keys, pair = 2 * (size_t)c->width, length = (size_t)run->max_length;
    writing_sizes(run, &layers, &keys);
    run->word_logits = take(&run->store, total, (size_t)run->beams * (size_t)c->vocabulary, sizeof(float));
    run->word_cache = take(&run->store, total, layers * (size_t)run->beams * length * pair, sizeof(float));
    run->word_memory = take(&run->store, total, layers * keys * pair, sizeof(float));
    run->word_rows = take(&run->store, total, layers * keys, sizeof(int));
}

static void lay_out(struct run *run, size_t *total)
{
    const struct model_config *c = &run->model->config;
    struct arena *a = &run->store;
    size_t patches = (size_t)(model_grid(c) * model_grid(c) + 1), words = (size_t)c->max_tokens;
    size_t most = patches > words ? patches : words;
    for (int i = 0; i < run->stage_count; i++) {
        lay_out_words(run, i, total);
        for (int s = 0; s < TRACE_STREAMS; s++) {
            struct stream_state *state = &run->snapshots[i].streams[s];
            size_t n = run_stream_is_text(s) ? words : patches;
            size_t width = (size_t)(run_stream_is_text(s) ? c->width : model_image_width(c));
            bool fusion = run->plan[i].kind == STAGE_FUSION;
            int passes = fusion && run_stream_is_text(s) && !run_is_blip(run) ? c->pictures : 1;
            if (!run->plan[i].touches[s])
                continue;
            for (int p = 0; p < passes && run->plan[i].kind != STAGE_DECODE; p++)
                state->x[p] = take(a, total, n * width, sizeof(float));
            state->rows = take(a, total, n, sizeof(int));
            float **scores[] = {&state->self, &state->cross, &state->score, &state->keep,
                                &state->cls,  &state->mass,  &state->size};
            for (size_t k = 0; k < sizeof scores / sizeof *scores; k++)
                *scores[k] = take(a, total, n, sizeof(float));
            state->partner = take(a, total, n, sizeof(int));
            state->dropped_at = take(a, total, n, sizeof(int16_t));
        }
    }
    if (model_writes(c))
        lay_out_writing(run, total);
    for (int p = 0; p < c->pictures; p++)
        run->pixels[p] = take(a, total, 3 * (size_t)c->image_size * (size_t)c->image_size, sizeof(float));
    size_t logits = (size_t)c->labels + c->ranked;
    run->logits = take(a, total, logits ? logits : 1, sizeof(float));
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
    // The words are encoded for guidance where they are embedded, if anything is guided by their CLS.
    if (stage == 0 && run_is_blip(run) && policy_kind(policy)->guided)
        for (int i = 1; i < run->stage_count; i++)
            if (run_stage_guided(run, policy, i))
                return true;
    if (plan->kind == STAGE_EMBED || plan->kind == STAGE_ANSWER || plan->kind == STAGE_DECODE)
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

bool run_stage_joint(const struct run *run, int stage)
{
    return run->plan[stage].kind == STAGE_FUSION || run->plan[stage].kind == STAGE_MEMORY;
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
    // Another text may be longer than the one that ended here.
    if (run->words_most > 1 && !run->snapshots[run->stage_count - 1].valid)
        run_plan_words(run, run->words_most);
    return first;
}

int run_text_stages(const struct model_config *config) { return 1 + config->text_layers; }
