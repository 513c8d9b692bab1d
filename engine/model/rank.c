// Answers ranked by BLIP's decoder (vlm_spec §4.4), ragged: only what decides is computed.
#include "engine/base/thread.h"
#include "engine/model/decoder.h"

#include <math.h>
#include <string.h>

int rank_select(const struct answer_list *answers, const float *logits, int vocabulary, int most, int top[], float p[])
{
    double whole = log_sum_exp(logits, vocabulary, NULL);
    int count = 0;
    for (int a = 0; a < answers->count; a++) {
        float z = logits[answers->ids[answers->start[a]]];
        int at = count;
        // Answers come by rising index, so that an equal one goes behind.
        while (at > 0 && z > logits[answers->ids[answers->start[top[at - 1]]]])
            at--;
        if (at == most)
            continue;
        int moved = (count < most ? count : most - 1) - at;
        memmove(top + at + 1, top + at, (size_t)moved * sizeof *top);
        top[at] = a;
        count += count < most;
    }
    for (int k = 0; p && k < count; k++)
        p[k] = (float)exp((double)logits[answers->ids[answers->start[top[k]]]] - whole);
    return count;
}

// A row of logits, and what the loss of every piece takes from all of it.
struct word_row {
    const float *z;
    int vocabulary;
    double whole, sum;
};

static struct word_row word_row(const float *z, int vocabulary)
{
    struct word_row row = {.z = z, .vocabulary = vocabulary};
    row.whole = log_sum_exp(z, vocabulary, &row.sum);
    return row;
}

static double piece_loss(const struct word_row *row, int piece)
{
    return (1 - DECODER_SMOOTHING) * (row->whole - (double)row->z[piece]) +
           DECODER_SMOOTHING * (row->whole - row->sum / row->vocabulary);
}

// Answers that are computed together: their inner pieces as rows of one pass.
struct batch {
    int ids[RANK_ROWS], first[RANK_ROWS], position[RANK_ROWS], keys[RANK_ROWS], next[RANK_ROWS], answer[RANK_ROWS];
    int rows, tokens;               // of the cache: each answer has one more for [DEC]
    int starts[RANK_ROWS], answers; // where each answer's sequence begins
};

// Adds as many answers from `from` on as fit; returns the first that does not.
static int fill_batch(struct batch *batch, const struct answer_list *answers, const int top[], int from, int count)
{
    batch->rows = batch->tokens = batch->answers = 0;
    for (; from < count; from++) {
        const int *ids = answers->ids + answers->start[top[from]];
        int inner = answers->start[top[from] + 1] - answers->start[top[from]] - 1;
        if (batch->rows + inner > RANK_ROWS)
            break;
        for (int i = 0; i < inner; i++, batch->rows++) {
            batch->ids[batch->rows] = ids[i];
            batch->next[batch->rows] = ids[i + 1];
            batch->first[batch->rows] = batch->tokens;
            batch->position[batch->rows] = i + 1;
            batch->keys[batch->rows] = i + 2;
            batch->answer[batch->rows] = from;
        }
        batch->starts[batch->answers++] = batch->tokens;
        batch->tokens += inner + 1;
    }
    return from;
}

// The decoder over a batch, layer by layer, so that one layer's cache is enough for all answers.
static void run_batch(struct forward *forward, const struct rank_start *start, const struct batch *batch, float *cache,
                      float *x)
{
    const struct model *m = forward->model;
    int layer_count;
    const struct layer *layers = decoder_layers(m, &layer_count);
    size_t token = 2 * (size_t)m->config.width;
    forward_embed_words(m, decoder_embedding(m), batch->ids, batch->position, batch->rows, x);
    for (int l = 0; l < layer_count; l++) {
        struct ragged ragged = {.kv = cache, .first = batch->first, .place = batch->position, .keys = batch->keys};
        struct layer_input input = {.layer = &layers[l],
                                    .x = x,
                                    .rows = batch->rows,
                                    .kv = start->memory->kv[l],
                                    .keys = start->memory->keys[l],
                                    .ragged = &ragged};
        for (int a = 0; a < batch->answers; a++)
            memcpy(cache + (size_t)batch->starts[a] * token, start->kv + (size_t)l * start->stride,
                   token * sizeof(float));
        forward_layer(forward, &input);
    }
}

// The losses of the pieces that follow some rows.
struct piece_losses {
    const float *logits;
    const int *next;
    int vocabulary;
    double losses[RANK_LOGITS];
};

static void piece_job(void *context, int index, int worker)
{
    struct piece_losses *p = context;
    struct word_row row = word_row(p->logits + (size_t)index * (size_t)p->vocabulary, p->vocabulary);
    (void)worker;
    p->losses[index] = piece_loss(&row, p->next[index]);
}

void rank_losses(struct forward *forward, const struct rank_start *start, const struct answer_list *answers,
                 const int top[], int count, double losses[], int *rows)
{
    const struct model_config *c = &forward->model->config;
    size_t mark = forward->math->scratch.used, width = (size_t)c->width;
    struct arena *scratch = &forward->math->scratch;
    float *cache = arena_alloc(scratch, 2 * RANK_ROWS * 2 * width, sizeof(float));
    float *x = arena_alloc(scratch, RANK_ROWS * width, sizeof(float));
    float *logits = arena_alloc(scratch, RANK_LOGITS * (size_t)c->vocabulary, sizeof(float));
    struct batch *batch = arena_alloc(scratch, 1, sizeof *batch);
    if (rows)
        *rows = 0;
    struct word_row first = word_row(start->logits, c->vocabulary);
    for (int k = 0; k < count; k++)
        losses[k] = piece_loss(&first, answers->ids[answers->start[top[k]]]);
    for (int from = 0; from < count;) {
        from = fill_batch(batch, answers, top, from, count);
        if (rows)
            *rows += batch->rows;
        run_batch(forward, start, batch, cache, x);
        int parts = (batch->rows + RANK_LOGITS - 1) / RANK_LOGITS;
        for (int part = 0; part < parts; part++) {
            int r = batch->rows * part / parts, end = batch->rows * (part + 1) / parts;
            forward_word_head(forward, x + (size_t)r * width, end - r, logits);
            struct piece_losses pieces = {.logits = logits, .next = batch->next + r, .vocabulary = c->vocabulary};
            thread_pool_run(forward->math->pool, piece_job, &pieces, end - r);
            for (int i = 0; r < end; i++, r++)
                losses[batch->answer[r]] += pieces.losses[i];
        }
    }
    arena_rewind(scratch, mark);
}
