#include "engine/prune/trimmer.h"

#include "engine/base/thread.h"
#include "engine/math/transposed.h"
#include "engine/prune/flops.h"

#include <math.h>
#include <string.h>

static float *scratch_floats(struct forward *forward, int rows, int width)
{
    return arena_alloc(&forward->math->scratch, (size_t)rows * (size_t)width, sizeof(float));
}

static void apply(struct forward *forward, const struct linear *linear, const float *x, int rows, float *y,
                  enum activation activation)
{
    linear_apply(forward->math, linear, x, linear->in, rows, y, linear->out, activation, NULL, 0, NULL, NULL,
                 &forward->macs.trimmer);
}

// What the cross-modal part of a layer's scores takes from the context, once for all rows: k = key(LN(context)), or, where
// flops_query_folds(), queryᵀ k, since (query z_i) · k = z_i · (queryᵀ k) spares the queries of all rows.
struct guide {
    const float *k, *folded; // folded: NULL where the queries are made
    float scale;             // alpha / (‖k‖ + 1e-6)
};

static struct guide guide_of(struct forward *forward, const struct token_trimmer *trimmer, const float *context)
{
    int width = trimmer->key.in, rank = trimmer->key.out;
    float *c = scratch_floats(forward, 1, width), *k = scratch_floats(forward, 1, rank), squares = 0;
    norm_apply(forward->math->pool, &trimmer->context_norm, context, 1, width, c);
    apply(forward, &trimmer->key, c, 1, k, ACTIVATION_NONE);
    for (int i = 0; i < rank; i++)
        squares += k[i] * k[i];
    struct guide guide = {.k = k, .scale = trimmer->alpha / (sqrtf(squares) + 1e-6f)};
    if (!trimmer->mix.out && flops_query_folds(trimmer->query.in, rank)) {
        float *v = scratch_floats(forward, 1, trimmer->query.in);
        linear_apply_transposed(forward->math, &trimmer->query, k, 1, rank, v, &forward->macs.trimmer);
        guide.folded = v;
    }
    return guide;
}

// cross_i = alpha (query z_i) · k / (‖k‖ + 1e-6), or, with a mix, mix GELU(query z_i + k).
static void score_cross(struct forward *forward, const struct token_trimmer *trimmer, const struct guide *guide, const float *z,
                        int rows, float *q, float *cross)
{
    int rank = trimmer->query.out, width = guide->folded ? trimmer->query.in : rank;
    if (!guide->folded)
        apply(forward, &trimmer->query, z, rows, q, ACTIVATION_NONE);
    if (trimmer->mix.out) {
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < rank; i++)
                q[r * rank + i] += guide->k[i];
        activate(q, rows * rank, ACTIVATION_GELU);
        apply(forward, &trimmer->mix, q, rows, cross, ACTIVATION_NONE);
        return;
    }
    dot_rows(forward->math->pool, guide->folded ? z : q, rows, width, guide->folded ? guide->folded : guide->k, cross);
    forward->macs.trimmer += (uint64_t)rows * (uint64_t)width;
    for (int r = 0; r < rows; r++)
        cross[r] *= guide->scale;
}

static void score_rows(struct forward *forward, const struct token_trimmer *trimmer, const struct guide *guide,
                       const float *x, int rows, float *self, float *cross)
{
    size_t mark = forward->math->scratch.used;
    float *z = scratch_floats(forward, rows, trimmer->self.in),
          *hidden = scratch_floats(forward, rows, trimmer->self.out);
    norm_apply(forward->math->pool, &trimmer->norm, x, rows, trimmer->self.in, z);
    apply(forward, &trimmer->self, z, rows, hidden, ACTIVATION_GELU);
    apply(forward, &trimmer->out, hidden, rows, self, ACTIVATION_NONE);
    if (guide)
        score_cross(forward, trimmer, guide, z, rows, scratch_floats(forward, rows, trimmer->query.out), cross);
    arena_rewind(&forward->math->scratch, mark);
}

// Many rows are scored in blocks: what one step leaves is still in the cache for the next, and each thread takes whole
// blocks, with scratch of its own.
struct scoring {
    const struct token_trimmer *trimmer;
    const struct guide *guide; // NULL: unguided
    const float *x;
    float *self, *cross;
    int rows, blocks;
    struct forward *workers;
};

static void score_block(void *context, int index, int worker)
{
    const struct scoring *s = context;
    int from = s->rows * index / s->blocks, to = s->rows * (index + 1) / s->blocks;
    score_rows(&s->workers[worker], s->trimmer, s->guide, s->x + (size_t)from * (size_t)s->trimmer->self.in, to - from,
               s->self + from, s->cross + from);
}

static void score_blocks(struct forward *forward, struct scoring *s)
{
    struct math *math = forward->math;
    int count = thread_pool_workers(math->pool), most = s->rows / s->blocks + 1;
    size_t mark = math->scratch.used,
           bytes = forward_scoring_scratch(s->trimmer->self.in, s->trimmer->self.out, s->trimmer->query.out, most);
    struct math *maths = arena_alloc(&math->scratch, (size_t)count, sizeof *maths);
    s->workers = arena_alloc(&math->scratch, (size_t)count, sizeof *s->workers);
    for (int w = 0; w < count; w++) {
        maths[w] = (struct math){.scratch = {.base = arena_alloc(&math->scratch, bytes, 1), .size = bytes},
                                 .stop = math->stop};
        atomic_init(&maths[w].stopped, math_stops(math));
        s->workers[w] = (struct forward){.model = forward->model, .math = &maths[w]};
    }
    thread_pool_run(math->pool, score_block, s, s->blocks);
    for (int w = 0; w < count; w++) {
        forward->macs.trimmer += s->workers[w].macs.trimmer;
        if (atomic_load(&maths[w].stopped))
            atomic_store(&math->stopped, true);
    }
    arena_rewind(&math->scratch, mark);
}

void trimmer_score_tokens(struct forward *forward, const struct token_trimmer *trimmer, const float *x, int rows,
                          const float *context, float *self, float *cross)
{
    bool guided = trimmer->guided && context;
    size_t mark = forward->math->scratch.used;
    struct guide guide = guided ? guide_of(forward, trimmer, context) : (struct guide){0};
    struct scoring scoring = {.trimmer = trimmer,
                              .guide = guided ? &guide : NULL,
                              .x = x,
                              .self = self,
                              .cross = cross,
                              .rows = rows,
                              .blocks = rows / FORWARD_SCORED_ROWS};
    if (scoring.blocks > 1)
        score_blocks(forward, &scoring);
    else
        score_rows(forward, trimmer, scoring.guide, x, rows, self, cross);
    for (int r = 0; !guided && r < rows; r++)
        cross[r] = NAN;
    arena_rewind(&forward->math->scratch, mark);
}

// The logits are linear in the two rows once they are normed together.
static void score_heads(struct forward *forward, const struct head_trimmer *trimmer, const float *own, const float *other,
                        bool own_alone, float *logits)
{
    int wide = trimmer->out.in, width = other ? forward->model->config.width : wide;
    size_t mark = forward->math->scratch.used;
    float *z = scratch_floats(forward, 1, wide);
    memcpy(z, own, (size_t)width * sizeof(float));
    if (other)
        memcpy(z + width, other, (size_t)(wide - width) * sizeof(float));
    norm_apply(forward->math->pool, &trimmer->norm, z, 1, wide, z);
    if (own_alone)
        memset(z + width, 0, (size_t)(wide - width) * sizeof(float));
    apply(forward, &trimmer->out, z, 1, logits, ACTIVATION_NONE);
    arena_rewind(&forward->math->scratch, mark);
}

void trimmer_score_heads(struct forward *forward, const struct head_trimmer *trimmer, const float *own,
                         const float *other, float *logits)
{
    score_heads(forward, trimmer, own, other, false, logits);
}

void trimmer_split_heads(struct forward *forward, const struct head_trimmer *trimmer, const float *own,
                         const float *other, float *from_own)
{
    score_heads(forward, trimmer, own, other, true, from_own);
}
