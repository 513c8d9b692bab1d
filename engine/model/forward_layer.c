#include "engine/base/thread.h"
#include "engine/model/forward.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void *scratch_take(struct forward *forward, size_t count, size_t size)
{
    return arena_alloc(&forward->math->scratch, count, size);
}

static float *scratch_rows(struct forward *forward, int rows, int width)
{
    return scratch_take(forward, (size_t)rows * (size_t)width, sizeof(float));
}

static void apply_norm(const struct norm *norm, const float *x, int rows, int width, float *y)
{
    layer_norm(x, width, rows, width, norm->gamma, norm->beta, norm->eps, y, width);
}

static void show(struct forward *forward, const char *name, const char *suffix, const float *x, int rows)
{
    char full[64];
    if (!forward->probe || !name)
        return;
    snprintf(full, sizeof full, "%s%s", name, suffix);
    forward->probe(forward->probe_context, full, x, rows, forward->model->config.width);
}

static bool any_live(const uint8_t *live, int heads)
{
    for (int h = 0; live && h < heads; h++)
        if (live[h])
            return true;
    return live == NULL;
}

// The same heads for each of `parts` matrices that stand side by side in one linear layer.
static const uint8_t *repeat_live(const uint8_t *live, int heads, int parts, uint8_t *out)
{
    for (int p = 0; live && p < parts; p++)
        memcpy(out + p * heads, live, (size_t)heads);
    return live ? out : NULL;
}

// softmax(q kᵀ / sqrt(size)) of one row and one head.
static void row_attention(const float *q, const float *k, int ldk, int keys, int size, float *p)
{
    float scale = 1 / sqrtf((float)size);
    for (int j = 0; j < keys; j++) {
        const float *kj = k + (size_t)j * (size_t)ldk;
        float sum = 0;
        for (int i = 0; i < size; i++)
            sum += q[i] * kj[i];
        p[j] = sum * scale;
    }
    softmax_rows(p, 1, keys, keys);
}

// What the CLS row attended to: its products were part of attention_apply(), they are made again here because that
// does not keep them; the ledger counts them once more, as trimmer work.
static void trace_cls(struct forward *forward, const struct attention *a, float *cls)
{
    size_t mark = forward->math->scratch.used;
    float *p = scratch_rows(forward, 1, a->keys);
    int live = 0;
    memset(cls, 0, (size_t)a->keys * sizeof(float));
    for (int h = 0; h < a->heads; h++) {
        if (a->live && !a->live[h])
            continue;
        row_attention(a->q + h * a->size, a->k + h * a->size, a->ldk, a->keys, a->size, p);
        for (int j = 0; j < a->keys; j++)
            cls[j] += p[j];
        live++;
    }
    for (int j = 0; live && j < a->keys; j++)
        cls[j] /= (float)live;
    forward->macs.trimmer += (uint64_t)(live * a->keys) * (uint64_t)a->size;
    arena_rewind(&forward->math->scratch, mark);
}

static void trace_mass(const struct attention *a, float *mass)
{
    int live = 0;
    memset(mass, 0, (size_t)a->keys * sizeof(float));
    for (int h = 0; h < a->heads; h++) {
        if (a->live && !a->live[h])
            continue;
        const float *p = a->probs + (size_t)h * (size_t)a->queries * (size_t)a->keys;
        for (int q = 0; q < a->queries; q++, p += a->keys)
            for (int j = 0; j < a->keys; j++)
                mass[j] += p[j];
        live++;
    }
    for (int j = 0; live && j < a->keys; j++)
        mass[j] /= (float)live * (float)a->queries;
}

// Mean over queries of the mean pairwise cosine between the contexts of live heads, through ‖Σ x̂‖² = n + Σ_{i≠j} cos.
static float context_redundancy(const struct attention *a, float *sum)
{
    int live = 0;
    double total = 0;
    for (int h = 0; h < a->heads; h++)
        live += !a->live || a->live[h];
    if (live < 2 || a->queries < 1)
        return NAN;
    for (int q = 0; q < a->queries; q++) {
        memset(sum, 0, (size_t)a->size * sizeof(float));
        for (int h = 0; h < a->heads; h++) {
            const float *x = a->ctx + (size_t)q * (size_t)a->ldc + h * a->size;
            float squares = 0;
            if (a->live && !a->live[h])
                continue;
            for (int i = 0; i < a->size; i++)
                squares += x[i] * x[i];
            float scale = squares > 0 ? 1 / sqrtf(squares) : 0;
            for (int i = 0; i < a->size; i++)
                sum[i] += x[i] * scale;
        }
        float squares = 0;
        for (int i = 0; i < a->size; i++)
            squares += sum[i] * sum[i];
        total += ((double)squares - live) / ((double)live * (live - 1));
    }
    return (float)(total / a->queries);
}

// Attention proper, with what the caller wants to know of it.
static void attend(struct forward *forward, struct attention *a, const struct attention_trace *trace)
{
    if (trace->mass)
        a->probs = scratch_rows(forward, a->heads * a->queries, a->keys);
    attention_apply(forward->math, a, &forward->macs.attention);
    if (trace->mass)
        trace_mass(a, trace->mass);
    if (trace->cls)
        trace_cls(forward, a, trace->cls);
    if (trace->redundancy) {
        double start = clock_seconds();
        size_t mark = forward->math->scratch.used;
        *trace->redundancy = context_redundancy(a, scratch_rows(forward, 1, a->size));
        arena_rewind(&forward->math->scratch, mark);
        forward->aside += clock_seconds() - start;
    }
}

// What attention leaves behind when there is no head left to compute.
static void trace_nothing(const struct attention_trace *trace, int keys)
{
    if (trace->cls)
        memset(trace->cls, 0, (size_t)keys * sizeof(float));
    if (trace->mass)
        memset(trace->mass, 0, (size_t)keys * sizeof(float));
    if (trace->redundancy)
        *trace->redundancy = NAN;
}

// x = x + out(ctx), or LN(x + out(ctx)) in a post-norm layer.
static void add_projection(struct forward *forward, const struct linear *out, const struct norm *norm, bool pre,
                           const float *ctx, const uint8_t *live, float *x, int rows, uint64_t *macs)
{
    int width = forward->model->config.width;
    linear_apply(forward->math, out, ctx, out->in, rows, x, width, ACTIVATION_NONE, x, width, NULL, live, macs);
    if (!pre)
        apply_norm(norm, x, rows, width, x);
}

static struct attention self_operands(struct forward *forward, const struct layer_input *in, const float *qkv,
                                      float *ctx)
{
    int width = forward->model->config.width, heads = forward->model->config.heads;
    return (struct attention){.q = qkv, .k = qkv + width, .v = qkv + 2 * width, .ldq = 3 * width, .ldk = 3 * width,
                              .ldv = 3 * width, .queries = in->rows, .keys = in->rows, .heads = heads,
                              .size = width / heads, .live = in->live_msa, .ctx = ctx, .ldc = width};
}

// Q, K and V of MSA into qkv (rows, 3D).
static void project_self(struct forward *forward, const struct layer_input *in, float *normed, float *qkv)
{
    const struct attention_weights *w = &in->layer->msa;
    int width = forward->model->config.width, heads = forward->model->config.heads;
    uint8_t live[3 * 64];
    if (in->layer->pre)
        apply_norm(&w->norm, in->x, in->rows, width, normed);
    linear_apply(forward->math, &w->in, in->layer->pre ? normed : in->x, width, in->rows, qkv, 3 * width,
                 ACTIVATION_NONE, NULL, 0, repeat_live(in->live_msa, heads, 3, live), NULL, &forward->macs.qkv);
}

static void layer_msa(struct forward *forward, const struct layer_input *in)
{
    const struct attention_weights *w = &in->layer->msa;
    int width = forward->model->config.width, rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *ctx = scratch_rows(forward, rows, width);
    if (any_live(in->live_msa, forward->model->config.heads)) {
        float *qkv = scratch_rows(forward, rows, 3 * width);
        struct attention a = self_operands(forward, in, qkv, ctx);
        project_self(forward, in, ctx, qkv);
        attend(forward, &a, &in->msa);
    } else {
        trace_nothing(&in->msa, rows);
    }
    add_projection(forward, &w->out, &w->norm, in->layer->pre, ctx, in->live_msa, in->x, rows,
                   &forward->macs.projection);
    arena_rewind(&forward->math->scratch, mark);
}

static struct attention cross_operands(struct forward *forward, const struct layer_input *in, const float *q,
                                       float *ctx)
{
    int width = forward->model->config.width, heads = forward->model->config.heads;
    return (struct attention){.q = q, .k = in->kv, .v = in->kv + width, .ldq = width, .ldk = 2 * width,
                              .ldv = 2 * width, .queries = in->rows, .keys = in->keys, .heads = heads,
                              .size = width / heads, .live = in->live_mca, .ctx = ctx, .ldc = width};
}

static void project_query(struct forward *forward, const struct layer_input *in, float *normed, float *q)
{
    const struct attention_weights *w = &in->layer->mca;
    int width = forward->model->config.width;
    if (in->layer->pre)
        apply_norm(&w->norm, in->x, in->rows, width, normed);
    linear_apply(forward->math, &w->in, in->layer->pre ? normed : in->x, width, in->rows, q, width, ACTIVATION_NONE,
                 NULL, 0, in->live_mca, NULL, &forward->macs.qkv);
}

static void layer_mca(struct forward *forward, const struct layer_input *in)
{
    const struct attention_weights *w = &in->layer->mca;
    int width = forward->model->config.width, rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *ctx = scratch_rows(forward, rows, width);
    if (any_live(in->live_mca, forward->model->config.heads)) {
        float *q = scratch_rows(forward, rows, width);
        struct attention a = cross_operands(forward, in, q, ctx);
        project_query(forward, in, ctx, q);
        attend(forward, &a, &in->mca);
    } else {
        trace_nothing(&in->mca, in->keys);
    }
    add_projection(forward, &w->out, &w->norm, in->layer->pre, ctx, in->live_mca, in->x, rows,
                   &forward->macs.projection);
    arena_rewind(&forward->math->scratch, mark);
}

static void layer_ffn(struct forward *forward, const struct layer_input *in)
{
    const struct ffn_weights *w = &in->layer->ffn;
    int width = forward->model->config.width, rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *hidden = scratch_rows(forward, rows, w->up.out);
    const float *from = in->x;
    if (in->layer->pre) {
        float *normed = scratch_rows(forward, rows, width);
        apply_norm(&w->norm, in->x, rows, width, normed);
        from = normed;
    }
    linear_apply(forward->math, &w->up, from, width, rows, hidden, w->up.out, w->activation, NULL, 0, NULL, NULL,
                 &forward->macs.ffn);
    add_projection(forward, &w->down, &w->norm, in->layer->pre, hidden, NULL, in->x, rows, &forward->macs.ffn);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_layer(struct forward *forward, const struct layer_input *in)
{
    layer_msa(forward, in);
    if (in->layer->cross) {
        show(forward, in->name, "_selfattn", in->x, in->rows);
        layer_mca(forward, in);
        show(forward, in->name, "_crossattn", in->x, in->rows);
    }
    layer_ffn(forward, in);
    show(forward, in->name, "", in->x, in->rows);
}

void forward_memory(struct forward *forward, const struct layer *layer, const float *other, int rows,
                    const uint8_t *live, float *kv)
{
    const struct attention_weights *w = &layer->mca;
    int width = forward->model->config.width, heads = forward->model->config.heads;
    uint8_t both[2 * 64];
    size_t mark = forward->math->scratch.used;
    if (!any_live(live, heads))
        return;
    if (layer->pre) {
        float *normed = scratch_rows(forward, rows, width);
        apply_norm(&w->context_norm, other, rows, width, normed);
        other = normed;
    }
    linear_apply(forward->math, &w->memory, other, width, rows, kv, 2 * width, ACTIVATION_NONE, NULL, 0,
                 repeat_live(live, heads, 2, both), NULL, &forward->macs.qkv);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_probabilities(struct forward *forward, const struct layer_input *in, bool mca, int head, float *probs)
{
    int width = forward->model->config.width, rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *ctx = scratch_rows(forward, rows, width), *projected = scratch_rows(forward, rows, 3 * width);
    struct attention a;
    if (mca) {
        layer_msa(forward, in);
        project_query(forward, in, ctx, projected);
        a = cross_operands(forward, in, projected, ctx);
    } else {
        project_self(forward, in, ctx, projected);
        a = self_operands(forward, in, projected, ctx);
    }
    a.q += head * a.size;
    a.k += head * a.size;
    a.v += head * a.size;
    a.heads = 1;
    a.live = NULL;
    a.probs = probs;
    attention_apply(forward->math, &a, &forward->macs.attention);
    arena_rewind(&forward->math->scratch, mark);
}
