// From what leaves the fusion layers to logits: METER's classifier, BLIP's match and judgement, BLIP's decoder of answers.
#include "engine/learn/net_private.h"

#include <math.h>

// The streams as they leave the last fusion layer.
struct leaving {
    const real *x[NET_STREAMS];
    struct rows rows[NET_STREAMS];
    struct stream_layer_state *last[NET_STREAMS]; // the layer that they leave; NULL: nothing was dropped before
};

static struct leaving leave_fusion(const struct net *net, struct net_state *state)
{
    int layers = net->config.fusion_layers;
    struct leaving leaving;
    for (int s = 0; s < NET_STREAMS; s++) {
        struct stream_layer_state *last = layers ? &state->fusion[layers - 1][s] : NULL;
        leaving.x[s] = last ? last->output : state->fused_in[s];
        leaving.rows[s] = last ? last->compact.at : state->rows[s];
        leaving.last[s] = last ? last : state->entry[s];
    }
    return leaving;
}

// ---- METER's classifier -----------------------------------------------------------------------------------------

static void classify(struct tape *tape, const struct net *net, struct net_state *state, const struct leaving *leaving)
{
    int width = net->config.width, n = state->rows[NET_TEXT].n;
    state->pooled = tape_alloc(tape, (size_t)(n * 2 * width));
    for (int s = 0; s < NET_STREAMS; s++) {
        state->cls[s] = tape_alloc(tape, (size_t)(n * width));
        for (int q = 0; q < n; q++)
            memcpy(state->cls[s] + (size_t)(q * width),
                   leaving->x[s] + (size_t)(rows_first(leaving->rows[s], q) * width), (size_t)width * sizeof(real));
        state->cls_z[s] = state->cls[s];
        if (net->config.fusion_norm == FUSION_PRE) {
            state->cls_z[s] = tape_alloc(tape, (size_t)(n * width));
            op_norm(tape, net->final_norm[s], &state->final_norm[s], state->cls_z[s], state->cls[s], n);
        }
        real *dense = tape_alloc(tape, (size_t)(n * width));
        op_linear(tape, net->pooler[s], dense, state->cls_z[s], n);
        for (int q = 0; q < n; q++) // METER's cls_feats: text first
            for (int i = 0; i < width; i++)
                state->pooled[(q * 2 + (s == NET_IMAGE)) * width + i] = (real)tanh((double)dense[q * width + i]);
    }
    if (!net->head.last.out) // the head for both pictures reads what both passes pooled (net_pair.c)
        return;
    answer_head(tape, &net->head, &state->head, state->pooled, n);
    state->logits = state->head.logits;
}

static void classify_back(struct tape *tape, const struct net *net, struct net_state *state,
                          const struct net_gradients *gradients, const struct leaving *leaving, real *const d[])
{
    int width = net->config.width, n = state->rows[NET_TEXT].n;
    real *dpooled = tape_zeros(tape, (size_t)(n * 2 * width));
    if (gradients->logits)
        answer_head_back(tape, &net->head, &state->head, gradients->logits, dpooled, n);
    if (gradients->pooled)
        tape->kernels->add(dpooled, gradients->pooled, n * 2 * width);
    for (int s = 0; s < NET_STREAMS; s++) {
        real *ddense = tape_alloc(tape, (size_t)(n * width)), *dz = tape_alloc(tape, (size_t)(n * width)), *dcls = dz;
        for (int q = 0; q < n; q++)
            for (int i = 0; i < width; i++) {
                size_t at = (size_t)((q * 2 + (s == NET_IMAGE)) * width + i);
                ddense[q * width + i] = dpooled[at] * (1 - state->pooled[at] * state->pooled[at]);
            }
        op_linear_back(tape, net->pooler[s], dz, false, ddense, state->cls_z[s], n);
        if (net->config.fusion_norm == FUSION_PRE) {
            dcls = tape_zeros(tape, (size_t)(n * width));
            op_norm_back(tape, net->final_norm[s], &state->final_norm[s], dcls, dz, n);
        }
        for (int q = 0; q < n; q++)
            net_add(d[s] + (size_t)(rows_first(leaving->rows[s], q) * width), dcls + (size_t)(q * width), width);
    }
}

// ---- BLIP's match of picture and text, and its judgement of two pictures, on the words' first row ----------------

static void match(struct tape *tape, const struct net *net, struct net_state *state, const struct leaving *leaving)
{
    int width = net->config.width, n = state->rows[NET_TEXT].n;
    real *cls = state->cls[NET_TEXT] = tape_alloc(tape, (size_t)(n * width));
    for (int q = 0; q < n; q++)
        memcpy(cls + (size_t)(q * width), leaving->x[NET_TEXT] + (size_t)(rows_first(leaving->rows[NET_TEXT], q) * width),
               (size_t)width * sizeof *cls);
    state->logits = tape_alloc(tape, (size_t)(n * net->labels));
    state->active = cls;
    if (net->match_hidden.out) {
        int size = n * net->match_hidden.out;
        state->hidden = tape_alloc(tape, (size_t)size);
        state->active = tape_alloc(tape, (size_t)size);
        op_linear(tape, net->match_hidden, state->hidden, cls, n);
        for (int i = 0; i < size; i++)
            state->active[i] = state->hidden[i] > 0 ? state->hidden[i] : 0;
    }
    op_linear(tape, net->match, state->logits, state->active, n);
}

static void match_back(struct tape *tape, const struct net *net, const struct net_state *state, const real *dlogits,
                       const struct leaving *leaving, real *d)
{
    int width = net->config.width, n = state->rows[NET_TEXT].n;
    real *dactive = tape_alloc(tape, (size_t)(n * net->match.in)), *dcls = dactive;
    op_linear_back(tape, net->match, dactive, false, dlogits, state->active, n);
    if (net->match_hidden.out) {
        for (int i = 0; i < n * net->match_hidden.out; i++)
            dactive[i] = state->hidden[i] > 0 ? dactive[i] : 0;
        dcls = tape_alloc(tape, (size_t)(n * width));
        op_linear_back(tape, net->match_hidden, dcls, false, dactive, state->cls[NET_TEXT], n);
    }
    for (int q = 0; q < n; q++)
        net_add(d + (size_t)(rows_first(leaving->rows[NET_TEXT], q) * width), dcls + (size_t)(q * width), width);
}

// ---- the words of written answers -------------------------------------------------------------------------------

// Logits of the next word of each of `count` rows x.
static void read_words(struct tape *tape, const struct net *net, struct net_state *state, const real *x, int count)
{
    int width = net->config.width;
    size_t size = (size_t)(count * width);
    state->written = x;
    state->hidden = tape_alloc(tape, size);
    state->active = tape_alloc(tape, size);
    state->normed = tape_alloc(tape, size);
    op_linear(tape, net->word_transform, state->hidden, x, count);
    tape->kernels->gelu(state->active, state->hidden, count * width);
    op_norm(tape, net->word_norm, &state->word_norm, state->normed, state->active, count);
    state->logits = tape_alloc(tape, (size_t)count * (size_t)net->labels);
    op_linear(tape, net->word_head, state->logits, state->normed, count);
}

// The gradient of those rows, from the arena.
static real *read_words_back(struct tape *tape, const struct net *net, const struct net_state *state, const real *dlogits,
                             int count)
{
    int width = net->config.width;
    size_t size = (size_t)(count * width);
    real *dnormed = tape_alloc(tape, size), *dactive = tape_zeros(tape, size), *dhidden = tape_alloc(tape, size);
    real *d = tape_alloc(tape, size);
    op_linear_back(tape, net->word_head, dnormed, false, dlogits, state->normed, count);
    op_norm_back(tape, net->word_norm, &state->word_norm, dactive, dnormed, count);
    tape->kernels->gelu_back(dhidden, dactive, state->hidden, count * width);
    op_linear_back(tape, net->word_transform, d, false, dhidden, state->written, count);
    return d;
}

// ---- captions, which the text layers have written themselves -----------------------------------------------------

// Row of the text stream that row r of answer a stands for.
static int caption_row(const struct net_state *state, int a, int r)
{
    return rows_first(state->rows[NET_TEXT], a) + rows_count(state->question_rows, a) - 1 + r;
}

static void write_captions(struct tape *tape, const struct net *net, const struct net_batch *batch,
                           struct net_state *state, const struct leaving *leaving)
{
    size_t width = (size_t)net->config.width;
    struct rows rows = batch->answer_rows;
    real *x = tape_alloc(tape, (size_t)rows_total(rows) * width);
    for (int a = 0; a < rows.n; a++)
        for (int r = 0; r < rows_count(rows, a); r++)
            memcpy(x + (size_t)(rows_first(rows, a) + r) * width,
                   leaving->x[NET_TEXT] + (size_t)caption_row(state, a, r) * width, width * sizeof *x);
    read_words(tape, net, state, x, rows_total(rows));
}

static void write_captions_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                                const struct net_state *state, const real *dlogits, real *dtext)
{
    int width = net->config.width;
    struct rows rows = batch->answer_rows;
    const real *d = read_words_back(tape, net, state, dlogits, rows_total(rows));
    for (int a = 0; a < rows.n; a++)
        for (int r = 0; r < rows_count(rows, a); r++)
            net_add(dtext + (size_t)(caption_row(state, a, r) * width), d + (size_t)((rows_first(rows, a) + r) * width), width);
}

// ---- BLIP's decoder, which attends to the words that are left ---------------------------------------------------

// Which of the question's states it attends to, in all of its layers: alive (rows that leave fusion), NULL: all of them.
static const real *trim_memory(struct tape *tape, const struct net *net, const struct net_trimming *trimming,
                               struct net_state *state, const struct leaving *leaving)
{
    const struct stream_layer_state *last = leaving->last[NET_TEXT];
    struct stream_layer_state *memory = &state->decoder[0];
    struct net_trimming whole = *trimming; // of a few words there is nothing to be saved by leaving rows out
    whole.compact = false;
    memory->compact = compact_enter(last ? &last->compact : NULL, state->rows[NET_TEXT]);
    net_trim_tokens(tape, &net->decoder[0], memory, last, leaving->x[NET_TEXT], state->rows[NET_TEXT],
                    leaving->x[NET_IMAGE], leaving->rows[NET_IMAGE], &whole);
    return compact_gather(tape, memory->compact.token, rows_total(leaving->rows[NET_TEXT]), memory->alive);
}

static void write_answers(struct tape *tape, const struct net *net, const struct net_batch *batch,
                          const struct net_trimming *trimming, struct net_state *state, const struct leaving *leaving)
{
    int width = net->config.width, count = rows_total(batch->answer_rows);
    size_t size = (size_t)(count * width);
    struct rows rows = batch->answer_rows, words = leaving->rows[NET_TEXT];
    const real *alive = trim_memory(tape, net, trimming, state, leaving);
    real *embedded = tape_alloc(tape, size), *x = tape_alloc(tape, size);
    net_embed_words(tape, &net->decoder_embedding, batch->answer_ids, rows, embedded);
    op_norm(tape, net->decoder_embedding.norm, &state->decoder_norm, x, embedded, count);
    for (int l = 0; l < net->config.decoder_layers; l++) {
        const struct layer_refs *refs = &net->decoder[l];
        struct stream_layer_state *layer = &state->decoder[l];
        real *y = block_attention(tape, &refs->self, &layer->self, x, rows, NULL, rows, NULL, NULL);
        y = block_attention(tape, &refs->cross, &layer->cross, y, rows, leaving->x[NET_TEXT], words, alive, NULL);
        x = block_ffn(tape, &refs->ffn, &layer->ffn, y, count);
    }
    read_words(tape, net, state, x, count);
}

static void write_answers_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                               struct net_state *state, const real *dlogits, const struct leaving *leaving,
                               real *const dleaving[NET_STREAMS])
{
    int width = net->config.width, count = rows_total(batch->answer_rows);
    size_t size = (size_t)(count * width);
    struct rows rows = batch->answer_rows, words = leaving->rows[NET_TEXT];
    struct stream_layer_state *memory = &state->decoder[0];
    bool gathered = memory->alive && memory->compact.token;
    real *dalive = gathered ? tape_zeros(tape, (size_t)rows_total(words)) : memory->dalive, *dwords = dleaving[NET_TEXT];
    real *d = read_words_back(tape, net, state, dlogits, count);
    for (int l = net->config.decoder_layers - 1; l >= 0; l--) {
        const struct layer_refs *refs = &net->decoder[l];
        struct stream_layer_state *layer = &state->decoder[l];
        block_ffn_back(tape, &refs->ffn, &layer->ffn, d, count);
        block_attention_back(tape, &refs->cross, &layer->cross, d, rows, dwords, words, dalive, NULL);
        block_attention_back(tape, &refs->self, &layer->self, d, rows, NULL, rows, NULL, NULL);
    }
    if (gathered)
        compact_scatter(memory->compact.token, rows_total(words), memory->dalive, dalive);
    net_trim_tokens_back(tape, &net->decoder[0], memory, leaving->last[NET_TEXT], dwords, state->rows[NET_TEXT],
                         dleaving[NET_IMAGE], leaving->rows[NET_IMAGE]);
    if (!net->embeddings)
        return;
    real *dembedded = tape_zeros(tape, size);
    op_norm_back(tape, net->decoder_embedding.norm, &state->decoder_norm, dembedded, d, count);
    net_embed_words_back(tape, &net->decoder_embedding, batch->answer_ids, rows, dembedded);
}

// ---- whichever the model has ------------------------------------------------------------------------------------

void net_answer(struct tape *tape, const struct net *net, const struct net_batch *batch,
                const struct net_trimming *trimming, struct net_state *state)
{
    const struct leaving leaving = leave_fusion(net, state);
    state->answer_rows = net->writes ? batch->answer_rows : (struct rows){.n = batch->questions, .stride = 1};
    if (net->captions)
        write_captions(tape, net, batch, state, &leaving);
    else if (net->writes)
        write_answers(tape, net, batch, trimming, state, &leaving);
    else if (net->match.out)
        match(tape, net, state, &leaving);
    else
        classify(tape, net, state, &leaving);
}

void net_answer_back(struct tape *tape, const struct net *net, const struct net_batch *batch, struct net_state *state,
                     const struct net_gradients *gradients, real *const d[NET_STREAMS])
{
    const struct leaving leaving = leave_fusion(net, state);
    if (net->captions && gradients->logits)
        write_captions_back(tape, net, batch, state, gradients->logits, d[NET_TEXT]);
    else if (net->writes && gradients->logits)
        write_answers_back(tape, net, batch, state, gradients->logits, &leaving, d);
    else if (net->match.out && gradients->logits)
        match_back(tape, net, state, gradients->logits, &leaving, d[NET_TEXT]);
    else if (net->pooler[NET_TEXT].out)
        classify_back(tape, net, state, gradients, &leaving, d);
}
