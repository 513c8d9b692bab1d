#include "engine/base/thread.h"
#include "engine/model/beam.h"
#include "engine/model/decoder.h"

#include <string.h>

static float *scratch_floats(struct forward *forward, size_t count)
{
    return arena_alloc(&forward->math->scratch, count, sizeof(float));
}

// tanh(dense(row 0)), after the closing LayerNorm of a pre-norm fusion stack.
static void pool(struct forward *forward, int stream, const float *cls, float *out)
{
    const struct model *m = forward->model;
    int width = m->config.width;
    size_t mark = forward->math->scratch.used;
    const struct norm *norm = &m->fusion_norm[stream];
    if (norm->gamma) {
        float *normed = scratch_floats(forward, (size_t)width);
        norm_apply(forward->math->pool, norm, cls, 1, width, normed);
        cls = normed;
    }
    linear_apply(forward->math, &m->pooler[stream], cls, width, 1, out, width, ACTIVATION_TANH, NULL, 0, NULL, NULL,
                 &forward->macs.other);
    arena_rewind(&forward->math->scratch, mark);
    if (forward->probe)
        forward->probe(forward->probe_context, stream == FUSION_TEXT ? "pooler_text" : "pooler_image", out, 1, width);
}

// A hidden layer, and the logits of the labels.
static void classify(struct forward *forward, const float *features, float *logits)
{
    const struct model *m = forward->model;
    const struct linear *head = m->head;
    int width = m->config.width, hidden_width = m->config.head_hidden;
    float *hidden = scratch_floats(forward, (size_t)head[0].out);
    linear_apply(forward->math, &head[0], features, head[0].in, 1, hidden, hidden_width, ACTIVATION_NONE, NULL, 0, NULL,
                 NULL, &forward->macs.other);
    norm_apply(forward->math->pool, &m->head_norm, hidden, 1, hidden_width, hidden);
    activate(hidden, hidden_width, ACTIVATION_GELU);
    linear_apply(forward->math, &head[1], hidden, hidden_width, 1, logits, head[1].out, ACTIVATION_NONE, NULL, 0, NULL,
                 NULL, &forward->macs.other);
    if (m->head_words.out) {
        float *meaning = scratch_floats(forward, (size_t)width);
        linear_apply(forward->math, &m->head_words, hidden, hidden_width, 1, meaning, width, ACTIVATION_NONE, NULL, 0,
                     NULL, NULL, &forward->macs.other);
        linear_apply(forward->math, &m->answer_words, meaning, width, 1, logits, head[1].out, ACTIVATION_NONE, logits,
                     head[1].out, NULL, NULL, &forward->macs.other);
    }
}

// Match or not, and the score by which pictures and texts are ranked (vlm_spec §3.5).
static void match(struct forward *forward, const float *features, float *logits)
{
    const struct model *m = forward->model;
    const struct linear *head = &m->head[1];
    linear_apply(forward->math, head, features, head->in, 1, logits, head->out, ACTIVATION_NONE, NULL, 0, NULL, NULL,
                 &forward->macs.other);
    if (m->rank.out)
        linear_apply(forward->math, &m->rank, features, m->rank.in, 1, logits + head->out, 1, ACTIVATION_NONE, NULL, 0, NULL,
                     NULL, &forward->macs.other);
}

void forward_answer(struct forward *forward, const float *const text[], const float *const image[], float *logits)
{
    const struct model *m = forward->model;
    const struct linear *head = m->head;
    int width = m->config.width, feature_width = 2 * width * m->config.pictures;
    size_t mark = forward->math->scratch.used;
    float *features = scratch_floats(forward, (size_t)feature_width);
    for (int p = 0; p < m->config.pictures; p++) {
        pool(forward, FUSION_TEXT, text[p], features + (2 * p) * width);
        pool(forward, FUSION_IMAGE, image[p], features + (2 * p + 1) * width);
    }
    if (forward->probe)
        forward->probe(forward->probe_context, "cls_feats", features, 1, feature_width);
    if (head[0].out)
        classify(forward, features, logits);
    else
        match(forward, features, logits);
    if (forward->probe)
        forward->probe(forward->probe_context, "logits", logits, 1, head[1].out);
    arena_rewind(&forward->math->scratch, mark);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

// Of a model that writes: ranked answers' cache, states and logits (rank.c), or those of the beams.
static size_t writing_scratch(const struct model_config *c)
{
    size_t width = (size_t)c->width, vocabulary = (size_t)c->vocabulary;
    return model_writes(c) ? RANK_ROWS * (6 * width + 16) + (RANK_LOGITS + BEAMS_MOST) * vocabulary : 0;
}

size_t forward_scoring_scratch(int width, int hidden, int rank, int rows)
{
    size_t widest = larger((size_t)width, larger((size_t)hidden, (size_t)rank));
    return (size_t)rows * (size_t)(width + hidden + rank) * sizeof(float) + linear_scratch((int)widest, 1) +
           4 * MEMORY_ALIGNMENT;
}

size_t forward_scratch(const struct model *model, int workers)
{
    const struct model_config *c = &model->config;
    size_t tokens = larger((size_t)c->max_tokens, (size_t)(model_grid(c) * model_grid(c) + 1));
    if (model_writes(c))
        tokens = larger(tokens, RANK_ROWS);
    size_t width = (size_t)linear_stride((int)larger((size_t)c->width, (size_t)model_image_width(c))),
           pixels = (size_t)c->image_size * (size_t)c->image_size;
    size_t ffn = larger(larger((size_t)c->image_ffn, (size_t)c->text_ffn),
                        larger((size_t)c->image_fusion_ffn, (size_t)c->text_fusion_ffn));
    ffn = (size_t)linear_stride((int)larger(ffn, (size_t)c->decoder_ffn));
    // Of one layer: contexts, Q K V, a copy for a probe, and the probabilities that the mass of cross-attention is read
    // from; or the FFN's hidden and normed rows.
    size_t hidden = 0, rank = 0; // of the widest trimmers
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < MODEL_LAYERS; l++) {
            hidden = larger(hidden, (size_t)c->trimmers[s][l].hidden);
            rank = larger(rank, (size_t)c->trimmers[s][l].rank);
        }
    size_t probabilities = tokens * (size_t)c->max_tokens * (size_t)c->heads;
    size_t layer = larger(tokens * width * 5 + probabilities + 2 * tokens, tokens * (ffn + width));
    // One block of rows to score, or one for each worker.
    size_t block = forward_scoring_scratch((int)width, (int)hidden, (int)rank, 2 * FORWARD_SCORED_ROWS);
    size_t blocks = tokens < 2 * FORWARD_SCORED_ROWS ? 1 : (size_t)workers;
    layer = larger(layer, blocks * (block / sizeof(float) + 64) + 2 * (width + rank));
    // K and V of both streams and gathered copies, which fusion holds while its layers run.
    size_t fusion = 8 * tokens * width;
    size_t conv = c->stem == STEM_PATCH
                      ? pixels * 3
                      : larger(pixels / 16 * (48 + (size_t)c->stem_channels[0]),
                               pixels / 64 * 9 * (size_t)c->stem_channels[0] + pixels / 16 * (size_t)c->stem_channels[0]) +
                            pixels / 64 * (size_t)c->stem_channels[1] + pixels / 256 * 9 * (size_t)c->stem_channels[1];
    size_t stem = larger(conv, tokens * (width + (size_t)c->stem_expansion));
    size_t answer = 4 * width * (size_t)c->pictures + (size_t)c->head_hidden + 4 * width + (size_t)c->labels;
    // From the configuration alone: the weights may still be on their way.
    size_t unfolded = c->stem == STEM_PATCH ? 3 * (size_t)(c->patch_size * c->patch_size)
                                            : larger(48, 9 * larger((size_t)c->stem_channels[0], (size_t)c->stem_channels[1]));
    size_t widest = larger(larger(ffn, width), larger(unfolded, (size_t)c->head_hidden));
    widest = larger(larger(widest, 2 * width * (size_t)c->pictures), larger(hidden, rank));
    size_t inner =
        larger(linear_scratch((int)widest, workers), attention_scratch((int)tokens, model_head_size(c), workers));
    return (larger(larger(layer + fusion + writing_scratch(c), stem), answer) + 64 * 64) * sizeof(float) + inner + 4096;
}
