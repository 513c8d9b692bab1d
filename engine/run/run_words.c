// Stages in which BLIP writes: one word each, from what the words before it and the question's states, or the patches, give
// (vlm_spec §4.4 to §4.6); and the answer, chosen from a list or as it was written.
#include "engine/run/run_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool writes_caption(const struct run *run)
{
    return run->model->config.task == TASK_CAPTION;
}
static int key_stream(const struct run *run)
{
    return writes_caption(run) ? 0 : TRACE_TEXT_STREAM;
}
static size_t pair_size(const struct run *run)
{
    return 2 * (size_t)run->model->config.width;
}

static int layer_count(const struct run *run)
{
    int count;
    decoder_layers(run->model, &count);
    return count;
}

// ---- what a word attends to

// K and V of a layer as they were made, and which tokens they are of.
static const float *made_memory(const struct run *run, int layer, const struct stream_state **of)
{
    if (writes_caption(run)) {
        const struct snapshot *snapshot = &run->snapshots[run_fusion_stage(run, layer)];
        *of = &snapshot->streams[0];
        return snapshot->words.memory;
    }
    const struct snapshot *made = &run->snapshots[run->words_from - 1];
    *of = &made->streams[TRACE_TEXT_STREAM];
    return made->words.memory + (size_t)layer * (size_t)run->model->config.max_tokens * pair_size(run);
}

// The memory of a word: what was made, less the tokens that have been dropped since.
static void collect_memory(struct run *run, int index, struct decoder_memory *memory)
{
    const struct stream_state *state = &run->snapshots[index].streams[key_stream(run)];
    size_t pair = pair_size(run);
    float *to = run->word_memory;
    int *rows = run->word_rows;
    for (int l = 0; l < layer_count(run); l++) {
        const struct stream_state *of;
        const float *kv = made_memory(run, l, &of);
        int kept = 0;
        for (int r = 0; r < of->alive; r++)
            kept += state->dropped_at[of->rows[r]] < 0 || state->dropped_at[of->rows[r]] < run->words_from;
        memory->kv[l] = kv;
        memory->rows[l] = of->rows;
        memory->keys[l] = of->alive;
        if (kept == of->alive)
            continue;
        memory->kv[l] = to;
        memory->rows[l] = rows;
        memory->keys[l] = kept;
        for (int r = 0; r < of->alive; r++) {
            int dropped = state->dropped_at[of->rows[r]];
            if (dropped >= run->words_from)
                continue;
            memcpy(to, kv + (size_t)r * pair, pair * sizeof(float));
            to += pair;
            *rows++ = of->rows[r];
        }
    }
}

void run_make_memory(struct run *run, struct forward *forward, int index)
{
    const struct model_config *c = &run->model->config;
    struct snapshot *snapshot = &run->snapshots[index];
    struct stream_state *state = &snapshot->streams[TRACE_TEXT_STREAM];
    run_decide_tokens(run, forward, index, TRACE_TEXT_STREAM);
    run_gather(run, index, TRACE_TEXT_STREAM, 0, state->x[0]);
    for (int l = 0; l < c->decoder_layers; l++) { // once for all words
        float *kv = snapshot->words.memory + (size_t)l * (size_t)c->max_tokens * pair_size(run);
        forward_memory(forward, &run->model->decoder[l], false, state->x[0], state->alive, NULL, kv);
        flops_memory(c, run->token_count, &snapshot->dense);
    }
}

// ---- what was said before

// Keys of the prompt in a layer: its words that were left there, or [DEC].
static int prompt_keys(const struct run *run, int layer)
{
    return writes_caption(run) ? run->snapshots[run_fusion_stage(run, layer)].streams[TRACE_TEXT_STREAM].alive : 1;
}

static const float *prompt_cache(const struct run *run, int layer)
{
    if (writes_caption(run))
        return run->snapshots[run_fusion_stage(run, layer)].words.cache;
    return run->snapshots[run->words_from].words.cache + (size_t)(layer * run->beams) * pair_size(run);
}

// K and V of what each beam has said before word `word`: the prompt's, and those of the words it descends from.
static void collect_cache(struct run *run, int word, struct decoder_cache *cache)
{
    size_t pair = pair_size(run);
    cache->kv = run->word_cache;
    cache->room = run->max_length;
    for (int l = 0; l < layer_count(run); l++) {
        int prompt = prompt_keys(run, l);
        cache->used[l] = prompt + word - 1;
        for (int b = 0; b < run->beams; b++) {
            float *to = cache->kv + (size_t)((l * run->beams + b) * cache->room) * pair;
            memcpy(to, prompt_cache(run, l), (size_t)prompt * pair * sizeof(float));
            for (int w = word - 1, from = b; w >= 1; w--) {
                const struct words_state *said = &run->snapshots[run->words_from + w].words;
                from = said->beams->parent[from];
                memcpy(to + (size_t)(prompt + w - 1) * pair, said->cache + (size_t)(l * run->beams + from) * pair,
                       pair * sizeof(float));
            }
        }
    }
}

// What the pass has added to the cache is this stage's own.
static void keep_cache(const struct run *run, const struct decoder_cache *cache, int rows, float *to)
{
    size_t pair = pair_size(run);
    for (int l = 0; l < layer_count(run); l++)
        for (int r = 0; r < rows; r++)
            memcpy(to + (size_t)(l * run->beams + r) * pair,
                   cache->kv + (size_t)((l * rows + r) * cache->room + cache->used[l]) * pair, pair * sizeof(float));
}

// ---- one word

static void show(struct run *run, const char *name, const float *x, int rows, int width)
{
    if (run->probe)
        run->probe(run->probe_context, name, x, rows, width);
}

// Logits of the word after the prompt of a caption, which the text layers have read.
static void read_prompt(struct run *run, struct forward *forward, int index)
{
    const struct model_config *c = &run->model->config;
    int last = run_fusion_stage(run, c->fusion_layers - 1);
    const struct stream_state *text = &run->snapshots[last].streams[TRACE_TEXT_STREAM];
    struct snapshot *snapshot = &run->snapshots[index];
    struct flops_words head = {.heads = 1};
    if (run->probe) {
        struct forward uncounted = {.model = run->model, .math = &run->math};
        float *all = memory_alloc((size_t)text->alive * (size_t)c->vocabulary, sizeof(float));
        for (int r = 0; all && r < text->alive; r++)
            forward_word_head(&uncounted, text->x[0] + (size_t)r * (size_t)c->width, 1,
                              all + (size_t)r * (size_t)c->vocabulary);
        if (all)
            show(run, "dec_logits", all, text->alive, c->vocabulary);
        memory_free(all);
    }
    forward_word_head(forward, text->x[0] + (size_t)(text->alive - 1) * (size_t)c->width, 1, run->word_logits);
    flops_words(c, &head, &snapshot->dense);
    // What the prompt's words looked at, mean over the layers.
    struct stream_state *state = &snapshot->streams[0];
    for (int l = 0; l < c->fusion_layers && !run->options.bare; l++) {
        const struct stream_state *image = &run->snapshots[run_fusion_stage(run, l)].streams[0];
        for (int r = 0; r < image->alive; r++)
            state->cross[image->rows[r]] += image->mass[r] / (float)c->fusion_layers;
    }
}

// A pass over the words at hand: logits (rows, vocabulary) into run->word_logits.
static void pass_words(struct run *run, struct forward *forward, int index, const int *ids, int rows, int position,
                       struct decoder_cache *cache)
{
    const struct model_config *c = &run->model->config;
    struct snapshot *snapshot = &run->snapshots[index];
    struct stream_state *state = &snapshot->streams[key_stream(run)];
    struct decoder_memory memory;
    bool ranks = run->answers.count > 0;
    uint64_t layers = (uint64_t)layer_count(run);
    size_t mark = run->math.scratch.used;
    float *x = arena_alloc(&run->math.scratch, (size_t)rows * (size_t)c->width, sizeof(float));
    collect_memory(run, index, &memory);
    struct decoder_pass pass = {.name = ranks ? "rank_first" : "dec",
                                .memory = &memory,
                                .rows = rows,
                                .position = position,
                                .ids = ids,
                                .cache = cache,
                                .mass = run->options.bare ? NULL : state->cross,
                                .x = x};
    decoder_run(forward, &pass);
    keep_cache(run, cache, rows, snapshot->words.cache);
    forward_word_head(forward, x, rows, run->word_logits);
    show(run, ranks ? "rank_first_logits" : "dec_logits", run->word_logits, rows, c->vocabulary);
    arena_rewind(&run->math.scratch, mark);
    struct flops_words dense = {rows, layers * (uint64_t)(rows * (position + 1)),
                                layers * (uint64_t)rows * (uint64_t)run_stream_count(run, key_stream(run)), rows};
    flops_words(c, &dense, &snapshot->dense);
}

// The first word of an answer comes from [DEC] alone, the same for all beams.
static void first_word(struct run *run, struct forward *forward, int index)
{
    struct decoder_cache cache = {.kv = run->word_cache, .room = 1};
    if (writes_caption(run)) {
        read_prompt(run, forward, index);
        return;
    }
    pass_words(run, forward, index, &run->model->config.token_start, 1, 0, &cache);
}

static void start_beams(struct run *run, struct beam_search *beams)
{
    const struct model_config *c = &run->model->config;
    size_t row = (size_t)c->vocabulary;
    bool caption = writes_caption(run);
    beam_start(beams, run->beams, caption ? run->ids : &c->token_start, caption ? run->token_count : 1, run->min_length,
               run->max_length, c->token_end);
    for (int b = 1; b < run->beams; b++)
        memcpy(run->word_logits + (size_t)b * row, run->word_logits, row * sizeof(float));
}

// ---- where it looks

int run_word_layers(const struct run *run)
{
    return layer_count(run);
}

// A word that another one came before: the pass once more, as far as the layer.
static bool look_again(struct run *run, int index, int layer, float *out, struct error *err)
{
    const struct model_config *c = &run->model->config;
    int word = run->plan[index].word, ids[BEAMS_MOST] = {c->token_start}, rows = 1, row = 0, position = 0;
    struct forward uncounted = {.model = run->model, .math = &run->math};
    struct decoder_memory memory;
    struct decoder_cache cache = {.kv = run->word_cache, .room = 1};
    if (word > 0) {
        const struct beam_search *before = run->snapshots[index - 1].words.beams;
        rows = run->beams;
        row = run->snapshots[index].words.beams->parent[0];
        position = before->length - 1;
        for (int b = 0; b < rows; b++)
            ids[b] = before->ids[b][position];
        collect_cache(run, word, &cache);
    }
    collect_memory(run, index, &memory);
    int keys = memory.keys[layer], count = run_stream_count(run, key_stream(run));
    size_t states = (size_t)rows * (size_t)c->width;
    float *x = memory_alloc(states + (size_t)(c->heads * keys), sizeof(float)), *probs = x + states;
    if (!x)
        return error_no_memory(err, "attention probabilities");
    struct decoder_pass pass = {
        .name = "look", .memory = &memory, .rows = rows, .position = position, .ids = ids, .cache = &cache, .x = x};
    decoder_look(&uncounted, &pass, layer, row, probs);
    for (int h = 0; h < c->heads; h++)
        for (int k = 0; k < keys; k++)
            out[h * count + (memory.rows[layer] ? memory.rows[layer][k] : k)] = probs[h * keys + k];
    memory_free(x);
    return true;
}

// The first word of a caption: the last one of its beginning, which the text layers have read.
static bool look_from_prompt(struct run *run, int layer, float *out, struct error *err)
{
    int fusion = run_fusion_stage(run, layer), queries, keys;
    const struct stream_state *text = &run->snapshots[fusion].streams[TRACE_TEXT_STREAM];
    int last = text->rows[text->alive - 1], count = run_stream_count(run, 0), heads = run->model->config.heads;
    float *map = memory_alloc((size_t)run->token_count * (size_t)count, sizeof *map);
    bool ok = map != NULL || error_no_memory(err, "attention probabilities");
    for (int h = 0; ok && h < heads; h++) {
        ok = run_attention(run, fusion, TRACE_TEXT_STREAM, MODULE_MCA, h, map, &queries, &keys, err);
        if (ok)
            memcpy(out + (size_t)h * (size_t)count, map + (size_t)last * (size_t)count, (size_t)count * sizeof *out);
    }
    memory_free(map);
    return ok;
}

bool run_word_attention(struct run *run, int stage, int layer, float *out, int *stream, int *keys, struct error *err)
{
    if (stage < 0 || stage >= run->trace.stage_count || run->plan[stage].kind != STAGE_DECODE)
        return error_set(err, ERROR_INPUT, "stage %d writes no word", stage);
    if (layer < 0 || layer >= layer_count(run))
        return error_set(err, ERROR_INPUT, "the decoder has no layer %d", layer + 1);
    *stream = key_stream(run);
    *keys = run_stream_count(run, *stream);
    for (int i = 0; i < run->model->config.heads * *keys; i++)
        out[i] = NAN;
    if (run->plan[stage].word == 0 && writes_caption(run))
        return look_from_prompt(run, layer, out, err);
    return look_again(run, stage, layer, out, err);
}

// ---- what it says

static void put_text(const struct run *run, const int *ids, int count, struct trace_answer *answer)
{
    char *text = run->model->tokenizer ? tokenizer_decode(run->model->tokenizer, ids, count) : NULL;
    size_t used = 0;
    answer->text[0] = '\0';
    if (text)
        trace_set_answer(answer, text);
    for (int i = 0; !text && i < count && used + 12 < sizeof answer->text; i++)
        used += (size_t)snprintf(answer->text + used, sizeof answer->text - used, i ? " %d" : "%d", ids[i]);
    free(text);
}

// The text after the prompt.
static void put_sentence(const struct run *run, const struct hypothesis *h, double p, struct trace_answer *answer)
{
    int prompt = writes_caption(run) ? run->token_count : 1;
    put_text(run, h->ids + prompt, h->length - prompt, answer);
    answer->p = (float)p;
}

static void list_sentences(const struct run *run, const struct beam_search *beams, struct snapshot *snapshot)
{
    struct hypothesis h;
    int count = beams->done ? beams->kept_count : beams->beams, used[BEAMS_MOST + 1] = {0};
    snapshot->answer_count = 0;
    for (int k = 0; k < count && k < TRACE_ANSWERS; k++) {
        if (beams->done) {
            int best = -1;
            for (int i = 0; i < count; i++)
                if (!used[i] && (best < 0 || beams->kept[i].score >= beams->kept[best].score))
                    best = i;
            used[best] = 1;
            h = beams->kept[best];
        } else {
            memcpy(h.ids, beams->ids[k], sizeof h.ids);
            h.length = beams->length;
            h.score = (double)beams->scores[k] / beams->length;
        }
        put_sentence(run, &h, exp(h.score * h.length), &snapshot->answers[snapshot->answer_count++]);
    }
}

// The likeliest single words of the vocabulary.
static void list_words(const struct run *run, struct snapshot *snapshot)
{
    int vocabulary = run->model->config.vocabulary, taken[TRACE_ANSWERS], count = 0;
    const float *z = run->word_logits;
    double top = -(double)INFINITY, sum = 0;
    for (int i = 0; i < vocabulary; i++)
        top = (double)z[i] > top ? (double)z[i] : top;
    for (int i = 0; i < vocabulary; i++)
        sum += exp((double)z[i] - top);
    for (int i = 0; i < vocabulary; i++) {
        int at = count;
        while (at > 0 && z[i] > z[taken[at - 1]])
            at--;
        if (at == TRACE_ANSWERS)
            continue;
        memmove(taken + at + 1, taken + at,
                (size_t)((count < TRACE_ANSWERS ? count : TRACE_ANSWERS - 1) - at) * sizeof *taken);
        taken[at] = i;
        count += count < TRACE_ANSWERS;
    }
    for (int k = 0; k < count; k++) {
        struct trace_answer *answer = &snapshot->answers[k];
        const char *text = run->model->tokenizer ? tokenizer_text(run->model->tokenizer, taken[k]) : "";
        if (*text)
            trace_set_answer(answer, text);
        else
            put_text(run, &taken[k], 1, answer);
        answer->p = (float)(exp((double)z[taken[k]] - top) / sum);
    }
    snapshot->answer_count = count;
}

static void put_choice(const struct run *run, int label, double p, struct trace_answer *answer)
{
    char number[TRACE_TEXT];
    trace_set_answer(answer, model_answer(run->model, label, number, sizeof number));
    answer->p = (float)p;
}

// The answers whose first piece is the likeliest next word.
static void list_choices(const struct run *run, struct snapshot *snapshot)
{
    int top[TRACE_ANSWERS];
    float p[TRACE_ANSWERS];
    int count = rank_select(&run->answers, run->word_logits, run->model->config.vocabulary, TRACE_ANSWERS, top, p);
    for (int k = 0; k < count; k++)
        put_choice(run, top[k], (double)p[k], &snapshot->answers[k]);
    snapshot->answer_count = count;
}

void run_write_word(struct run *run, struct forward *forward, int index)
{
    struct snapshot *snapshot = &run->snapshots[index];
    struct stream_state *state = &snapshot->streams[key_stream(run)];
    int word = run->plan[index].word;
    run_decide_tokens(run, forward, index, key_stream(run));
    for (int r = 0; r < state->alive && !run->options.bare; r++)
        state->cross[state->rows[r]] = 0;
    if (word == 0) {
        first_word(run, forward, index);
    } else {
        const struct beam_search *before = snapshot[-1].words.beams;
        struct decoder_cache cache;
        int ids[BEAMS_MOST];
        for (int b = 0; b < run->beams; b++)
            ids[b] = before->ids[b][before->length - 1];
        collect_cache(run, word, &cache);
        pass_words(run, forward, index, ids, run->beams, before->length - 1, &cache);
    }
    if (run->answers.count) {
        memcpy(snapshot->words.logits, run->word_logits, (size_t)run->model->config.vocabulary * sizeof(float));
        list_choices(run, snapshot);
        return;
    }
    struct beam_search *beams = snapshot->words.beams;
    if (word == 0)
        start_beams(run, beams);
    else
        *beams = *snapshot[-1].words.beams;
    beam_step(beams, run->word_logits, run->model->config.vocabulary);
    list_sentences(run, beams, snapshot);
}

// ---- before and after

void run_lens_words(struct run *run, int index)
{
    const struct model *m = run->model;
    struct snapshot *snapshot = &run->snapshots[index];
    const struct stream_state *text = &snapshot->streams[TRACE_TEXT_STREAM];
    struct forward lens = {.model = m, .math = &run->math}; // not part of the model's work: not counted
    size_t mark = run->math.scratch.used, width = (size_t)m->config.width;
    if (writes_caption(run)) {
        forward_word_head(&lens, text->x[0] + (size_t)(text->alive - 1) * width, 1, run->word_logits);
        list_words(run, snapshot);
        return;
    }
    struct decoder_memory memory = {0};
    struct decoder_cache cache = {.kv = run->word_cache, .room = 1};
    float *x = arena_alloc(&run->math.scratch, width, sizeof(float));
    for (int l = 0; l < m->config.decoder_layers; l++) {
        float *kv = arena_alloc(&run->math.scratch, (size_t)text->alive * 2 * width, sizeof(float));
        forward_memory(&lens, &m->decoder[l], false, text->x[0], text->alive, NULL, kv);
        memory.kv[l] = kv;
        memory.keys[l] = text->alive;
    }
    struct decoder_pass pass = {
        .name = "lens", .memory = &memory, .rows = 1, .ids = &m->config.token_start, .cache = &cache, .x = x};
    decoder_run(&lens, &pass);
    forward_word_head(&lens, x, 1, run->word_logits);
    if (run->answers.count)
        list_choices(run, snapshot);
    else
        list_words(run, snapshot);
    arena_rewind(&run->math.scratch, mark);
}

static int by_loss(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

static void show_ranking(struct run *run, const int top[], const double losses[], int count)
{
    float ids[RANK_CANDIDATES], loss[RANK_CANDIDATES];
    int best = 0;
    for (int k = 0; k < count; k++) {
        ids[k] = (float)top[k];
        loss[k] = (float)losses[k];
        best = losses[k] < losses[best] ? k : best;
    }
    show(run, "rank_stable_topk_ids", ids, 1, count);
    show(run, "rank_stable_loss", loss, 1, count);
    show(run, "rank_stable_max_ids", &ids[best], 1, 1);
}

// The candidates of the first word, read to their ends; p is their share among one another.
static void rank_answers(struct run *run, struct forward *forward, int index)
{
    const struct model_config *c = &run->model->config;
    const struct words_state *first = &run->snapshots[run->words_from].words;
    struct snapshot *snapshot = &run->snapshots[index];
    int most = rank_most(run->options.candidates); // of the run's list, which may be another than the model's
    int top[RANK_CANDIDATES], rows;
    double losses[RANK_CANDIDATES], order[RANK_CANDIDATES][2], sum = 0;
    struct decoder_memory memory;
    struct rank_start start = {&memory, first->cache, (size_t)run->beams * pair_size(run), first->logits};
    collect_memory(run, run->words_from, &memory);
    int count = rank_select(&run->answers, first->logits, c->vocabulary, most, top, NULL);
    rank_losses(forward, &start, &run->answers, top, count, losses, &rows);
    for (int k = 0; k < count; k++) {
        order[k][0] = losses[k];
        order[k][1] = k;
    }
    qsort(order, (size_t)count, sizeof *order, by_loss);
    for (int k = 0; k < count; k++)
        sum += exp(order[0][0] - losses[k]);
    snapshot->answer_count = count < TRACE_ANSWERS ? count : TRACE_ANSWERS;
    for (int k = 0; k < snapshot->answer_count; k++)
        put_choice(run, top[(int)order[k][1]], exp(order[0][0] - order[k][0]) / sum, &snapshot->answers[k]);
    show_ranking(run, top, losses, count);
    // Dense is the same ragged work on every word of the question.
    uint64_t layers = (uint64_t)c->decoder_layers, own = 0;
    for (int k = 0; k < count; k++)
        for (int i = 1; i < run->answers.start[top[k] + 1] - run->answers.start[top[k]]; i++)
            own += (uint64_t)(i + 1);
    struct flops_words dense = {rows, layers * own, layers * (uint64_t)rows * (uint64_t)run->token_count, rows};
    flops_words(c, &dense, &snapshot->dense);
}

void run_written_answer(struct run *run, struct forward *forward, int index)
{
    struct snapshot *snapshot = &run->snapshots[index];
    if (run->answers.count) {
        rank_answers(run, forward, index);
        return;
    }
    const struct beam_search *beams = snapshot[-1].words.beams;
    struct hypothesis best;
    float ids[BEAM_LENGTH] = {0};
    list_sentences(run, beams, snapshot);
    beam_best(beams, &best);
    for (int i = 0; i < best.length; i++)
        ids[i] = (float)best.ids[i];
    if (best.length < beams->max_length)
        ids[best.length] = (float)beams->end;
    show(run, "generated_ids", ids, 1, beams->max_length);
}
