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

// Rows that only a linear layer reads, linear_stride(width) apart.
static float *scratch_operand(struct forward *forward, int rows, int width)
{
    return scratch_rows(forward, rows, linear_stride(width));
}

struct operand {
    const float *x;
    int ld;
};

// What a module of a layer begins with: LN(x) in `room` (scratch_operand()) where norms come first, x itself where they come
// last.
static struct operand operand_of(struct forward *forward, bool pre, const struct norm *norm, const float *x, int rows,
                                 int width, float *room)
{
    if (!pre)
        return (struct operand){x, width};
    layer_norm(forward->math->pool, x, width, rows, width, norm->gamma, norm->beta, norm->eps, room,
               linear_stride(width));
    return (struct operand){room, linear_stride(width)};
}

static void show(struct forward *forward, const struct layer_input *in, const char *suffix, const float *x)
{
    char full[64];
    if (!forward->probe || !in->name)
        return;
    snprintf(full, sizeof full, "%s%s", in->name, suffix);
    forward->probe(forward->probe_context, full, x, in->rows, layer_width(in->layer));
}

static int layer_heads(const struct forward *forward, const struct layer *layer)
{
    return layer_width(layer) / model_head_size(&forward->model->config);
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
    int width = out->out;
    linear_apply(forward->math, out, ctx, linear_stride(out->in), rows, x, width, ACTIVATION_NONE, x, width, NULL, live,
                 macs);
    if (!pre)
        norm_apply(forward->math->pool, norm, x, rows, width, x);
}

static struct attention self_operands(struct forward *forward, const struct layer_input *in, const float *qkv,
                                      float *ctx)
{
    int width = layer_width(in->layer), heads = layer_heads(forward, in->layer);
    return (struct attention){.q = qkv,
                              .k = qkv + width,
                              .v = qkv + 2 * width,
                              .ldq = 3 * width,
                              .ldk = 3 * width,
                              .ldv = 3 * width,
                              .queries = in->rows,
                              .keys = in->rows,
                              .heads = heads,
                              .size = width / heads,
                              .live = in->live_msa,
                              .ctx = ctx,
                              .ldc = linear_stride(width)};
}

// Q, K and V of MSA into qkv (rows, 3D).
static void project_self(struct forward *forward, const struct layer_input *in, float *normed, float *qkv)
{
    const struct attention_weights *w = &in->layer->msa;
    int width = layer_width(in->layer), heads = layer_heads(forward, in->layer);
    uint8_t live[3 * 64];
    const uint8_t *wanted = in->ragged && in->ragged->kept ? NULL : in->live_msa;
    struct operand from = operand_of(forward, in->layer->pre, &w->norm, in->x, in->rows, width, normed);
    linear_apply(forward->math, &w->in, from.x, from.ld, in->rows, qkv, 3 * width, ACTIVATION_NONE, NULL, 0,
                 repeat_live(wanted, heads, 3, live), NULL, &forward->macs.qkv);
}

// Each row attends to keys of its own sequence: K and V of all rows are put where their sequences lie first.
static void attend_ragged(struct forward *forward, const struct layer_input *in, const struct attention *all)
{
    const struct ragged *c = in->ragged;
    size_t width = (size_t)layer_width(in->layer), token = 2 * width;
    for (int r = 0; r < in->rows; r++)
        memcpy(c->kv + (size_t)(c->first[r] + c->place[r]) * token, all->k + (size_t)r * 3 * width,
               token * sizeof(float));
    struct attention own = *all;
    own.k = c->kv;
    own.v = c->kv + width;
    own.ldk = own.ldv = (int)token;
    attention_apply_ragged(forward->math, &own, c->first, c->keys, &forward->macs.attention);
    if (in->msa.redundancy) {
        size_t mark = forward->math->scratch.used;
        *in->msa.redundancy = context_redundancy(all, scratch_rows(forward, 1, all->size));
        arena_rewind(&forward->math->scratch, mark);
    }
}

// The fixtures show the image encoder's attention before it is added.
static void show_projection(struct forward *forward, const struct layer_input *in, const float *ctx)
{
    const struct linear *out = &in->layer->msa.out;
    uint64_t uncounted = 0;
    if (!forward->probe || !in->layer->pre || !in->name)
        return;
    size_t mark = forward->math->scratch.used;
    float *y = scratch_rows(forward, in->rows, out->out);
    linear_apply(forward->math, out, ctx, linear_stride(out->in), in->rows, y, out->out, ACTIVATION_NONE, NULL, 0, NULL,
                 in->live_msa, &uncounted);
    show(forward, in, "_attn", y);
    arena_rewind(&forward->math->scratch, mark);
}

static void layer_msa(struct forward *forward, const struct layer_input *in)
{
    const struct attention_weights *w = &in->layer->msa;
    int width = layer_width(in->layer), rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *ctx = scratch_operand(forward, rows, width);
    bool kept = in->ragged && in->ragged->kept;
    if (kept || any_live(in->live_msa, layer_heads(forward, in->layer))) {
        float *qkv = scratch_rows(forward, rows, 3 * width);
        struct attention a = self_operands(forward, in, qkv, ctx);
        project_self(forward, in, ctx, qkv);
        if (in->ragged)
            attend_ragged(forward, in, &a);
        else
            attend(forward, &a, &in->msa);
    } else {
        trace_nothing(&in->msa, rows);
    }
    show_projection(forward, in, ctx);
    add_projection(forward, &w->out, &w->norm, in->layer->pre, ctx, in->live_msa, in->x, rows,
                   &forward->macs.projection);
    arena_rewind(&forward->math->scratch, mark);
}

// One cross-attention of a layer: its weights, what it reads, and what is wanted of it.
struct cross {
    const struct attention_weights *weights;
    const float *kv;
    int keys;
    const uint8_t *live;
    const struct attention_trace *trace;
};

static struct cross cross_of(const struct layer_input *in, bool twin)
{
    if (twin)
        return (struct cross){&in->layer->twin, in->twin_kv, in->twin_keys, in->live_twin, &in->twin};
    return (struct cross){&in->layer->mca, in->kv, in->keys, in->live_mca, &in->mca};
}

static struct attention cross_operands(struct forward *forward, const struct layer_input *in, const struct cross *cross,
                                       const float *q, float *ctx)
{
    int width = layer_width(in->layer), heads = layer_heads(forward, in->layer);
    return (struct attention){.q = q,
                              .k = cross->kv,
                              .v = cross->kv + width,
                              .ldq = width,
                              .ldk = 2 * width,
                              .ldv = 2 * width,
                              .queries = in->rows,
                              .keys = cross->keys,
                              .heads = heads,
                              .size = width / heads,
                              .live = cross->live,
                              .ctx = ctx,
                              .ldc = linear_stride(width)};
}

static void project_query(struct forward *forward, const struct layer_input *in, const struct cross *cross,
                          float *normed, float *q)
{
    int width = layer_width(in->layer);
    struct operand from = operand_of(forward, in->layer->pre, &in->layer->mca.norm, in->x, in->rows, width, normed);
    linear_apply(forward->math, &cross->weights->in, from.x, from.ld, in->rows, q, width, ACTIVATION_NONE, NULL, 0,
                 cross->live, NULL, &forward->macs.qkv);
}

// The contexts of a cross-attention: ctx (rows, D).
static void attend_cross(struct forward *forward, const struct layer_input *in, const struct cross *cross, float *ctx)
{
    if (!any_live(cross->live, layer_heads(forward, in->layer))) {
        trace_nothing(cross->trace, cross->keys);
        return;
    }
    size_t mark = forward->math->scratch.used;
    float *q = scratch_rows(forward, in->rows, layer_width(in->layer));
    struct attention a = cross_operands(forward, in, cross, q, ctx);
    project_query(forward, in, cross, ctx, q);
    attend(forward, &a, cross->trace);
    arena_rewind(&forward->math->scratch, mark);
}

static void layer_mca(struct forward *forward, const struct layer_input *in)
{
    struct cross cross = cross_of(in, false);
    size_t mark = forward->math->scratch.used;
    float *ctx = scratch_operand(forward, in->rows, layer_width(in->layer));
    attend_cross(forward, in, &cross, ctx);
    add_projection(forward, &cross.weights->out, &in->layer->mca.norm, in->layer->pre, ctx, cross.live, in->x, in->rows,
                   &forward->macs.projection);
    arena_rewind(&forward->math->scratch, mark);
}

// BLIP's NLVR2 (vlm_spec §4.7): both pictures are read from the same rows; x = LN(x + merge([h0, h1])), or of their mean.
static void layer_twins(struct forward *forward, const struct layer_input *in)
{
    const struct layer *layer = in->layer;
    int width = layer_width(layer), rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *ctx = scratch_operand(forward, rows, width), *both = scratch_rows(forward, rows, 2 * width);
    for (int twin = 0; twin < 2; twin++) {
        struct cross cross = cross_of(in, twin);
        attend_cross(forward, in, &cross, ctx);
        linear_apply(forward->math, &cross.weights->out, ctx, linear_stride(width), rows, both + twin * width,
                     2 * width, ACTIVATION_NONE, NULL, 0, NULL, cross.live, &forward->macs.projection);
    }
    if (layer->merge.out)
        linear_apply(forward->math, &layer->merge, both, 2 * width, rows, in->x, width, ACTIVATION_NONE, in->x, width,
                     NULL, NULL, &forward->macs.projection);
    else
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < width; i++)
                in->x[r * width + i] += (both[2 * r * width + i] + both[(2 * r + 1) * width + i]) / 2;
    norm_apply(forward->math->pool, &layer->mca.norm, in->x, rows, width, in->x);
    arena_rewind(&forward->math->scratch, mark);
}

static void layer_ffn(struct forward *forward, const struct layer_input *in)
{
    const struct ffn_weights *w = &in->layer->ffn;
    int width = layer_width(in->layer), rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *hidden = scratch_operand(forward, rows, w->up.out), *normed = scratch_operand(forward, rows, width);
    struct operand from = operand_of(forward, in->layer->pre, &w->norm, in->x, rows, width, normed);
    linear_apply(forward->math, &w->up, from.x, from.ld, rows, hidden, linear_stride(w->up.out), w->activation, NULL, 0,
                 NULL, NULL, &forward->macs.ffn);
    add_projection(forward, &w->down, &w->norm, in->layer->pre, hidden, NULL, in->x, rows, &forward->macs.ffn);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_layer(struct forward *forward, const struct layer_input *in)
{
    layer_msa(forward, in);
    if (in->kv) {
        show(forward, in, "_selfattn", in->x);
        if (in->twin_kv)
            layer_twins(forward, in);
        else
            layer_mca(forward, in);
        show(forward, in, "_crossattn", in->x);
    }
    layer_ffn(forward, in);
    show(forward, in, "", in->x);
}

void forward_memory(struct forward *forward, const struct layer *layer, bool twin, const float *other, int rows,
                    const uint8_t *live, float *kv)
{
    const struct attention_weights *w = twin ? &layer->twin : &layer->mca;
    int width = layer_width(layer), from = w->memory.in, heads = layer_heads(forward, layer);
    uint8_t both[2 * 64];
    size_t mark = forward->math->scratch.used;
    if (!any_live(live, heads))
        return;
    struct operand read =
        operand_of(forward, layer->pre, &w->context_norm, other, rows, from, scratch_operand(forward, rows, from));
    linear_apply(forward->math, &w->memory, read.x, read.ld, rows, kv, 2 * width, ACTIVATION_NONE, NULL, 0,
                 repeat_live(live, heads, 2, both), NULL, &forward->macs.qkv);
    arena_rewind(&forward->math->scratch, mark);
}

void forward_probabilities(struct forward *forward, const struct layer_input *in, enum forward_module module, int head,
                           float *probs)
{
    int width = layer_width(in->layer), rows = in->rows;
    size_t mark = forward->math->scratch.used;
    float *ctx = scratch_operand(forward, rows, width), *projected = scratch_rows(forward, rows, 3 * width);
    struct attention a;
    if (module != FORWARD_MSA) {
        struct cross cross = cross_of(in, module == FORWARD_TWIN);
        layer_msa(forward, in);
        project_query(forward, in, &cross, ctx, projected);
        a = cross_operands(forward, in, &cross, projected, ctx);
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
