// What only BLIP has behind its layers: classifier, word head, contrastive features (vlm_spec §4).
#include "engine/model/forward.h"

#include <math.h>

static float *scratch_floats(struct forward *forward, size_t count)
{
    return arena_alloc(&forward->math->scratch, count, sizeof(float));
}

static void apply(struct forward *forward, const struct linear *linear, const float *x, int rows, float *y,
                  enum activation activation)
{
    linear_apply(forward->math, linear, x, linear->in, rows, y, linear->out, activation, NULL, 0, NULL, NULL,
                 &forward->macs.other);
}

void forward_classify(struct forward *forward, const float *cls, float *logits)
{
    const struct linear *head = forward->model->head;
    size_t mark = forward->math->scratch.used;
    if (head[0].out) {
        float *hidden = scratch_floats(forward, (size_t)head[0].out);
        apply(forward, &head[0], cls, 1, hidden, ACTIVATION_RELU);
        cls = hidden;
    }
    apply(forward, &head[1], cls, 1, logits, ACTIVATION_NONE);
    if (forward->probe)
        forward->probe(forward->probe_context, "logits", logits, 1, head[1].out);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_word_head(struct forward *forward, const float *x, int rows, float *logits)
{
    const struct model *m = forward->model;
    int width = m->config.width;
    size_t mark = forward->math->scratch.used;
    float *hidden = scratch_floats(forward, (size_t)rows * (size_t)width);
    apply(forward, &m->word_transform, x, rows, hidden, ACTIVATION_GELU);
    norm_apply(forward->math->pool, &m->word_norm, hidden, rows, width, hidden);
    apply(forward, &m->word_head, hidden, rows, logits, ACTIVATION_NONE);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_project(struct forward *forward, int stream, const float *cls, float *out)
{
    const struct linear *projection = &forward->model->projection[stream];
    double squares = 0;
    apply(forward, projection, cls, 1, out, ACTIVATION_NONE);
    for (int i = 0; i < projection->out; i++)
        squares += (double)out[i] * (double)out[i];
    double length = fmax(sqrt(squares), 1e-12);
    for (int i = 0; i < projection->out; i++)
        out[i] = (float)((double)out[i] / length);
}
