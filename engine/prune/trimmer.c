#include "engine/prune/trimmer.h"

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

// cross_i = alpha (query z_i) · k / (‖k‖ + 1e-6); where flops_query_folds(), the same as alpha z_i · (queryᵀ k) / ...,
// which spares the queries of all rows.
static void score_product(struct forward *forward, const struct token_trimmer *trimmer, const float *z, int rows,
                          const float *k, float *cross)
{
    int width = trimmer->query.in, rank = trimmer->query.out;
    bool folds = flops_query_folds(width, rank);
    const float *own = z, *other = k;
    float squares = 0;
    for (int i = 0; i < rank; i++)
        squares += k[i] * k[i];
    float scale = trimmer->alpha / (sqrtf(squares) + 1e-6f);
    if (folds) {
        float *v = scratch_floats(forward, 1, width);
        linear_apply_transposed(forward->math, &trimmer->query, k, 1, rank, v, &forward->macs.trimmer);
        other = v;
    } else {
        float *q = scratch_floats(forward, rows, rank);
        apply(forward, &trimmer->query, z, rows, q, ACTIVATION_NONE);
        own = q;
    }
    dot_rows(forward->math->pool, own, rows, folds ? width : rank, other, cross);
    forward->macs.trimmer += (uint64_t)rows * (uint64_t)(folds ? width : rank);
    for (int r = 0; r < rows; r++)
        cross[r] *= scale;
}

// cross_i = mix GELU(query z_i + k).
static void score_mix(struct forward *forward, const struct token_trimmer *trimmer, const float *z, int rows,
                      const float *k, float *cross)
{
    int rank = trimmer->query.out;
    float *q = scratch_floats(forward, rows, rank);
    apply(forward, &trimmer->query, z, rows, q, ACTIVATION_NONE);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < rank; i++)
            q[r * rank + i] += k[i];
    activate(q, rows * rank, ACTIVATION_GELU);
    apply(forward, &trimmer->mix, q, rows, cross, ACTIVATION_NONE);
}

// The cross-modal part of the scores, from k = key(LN(context)).
static void score_cross(struct forward *forward, const struct token_trimmer *trimmer, const float *z, int rows,
                        const float *context, float *cross)
{
    int width = trimmer->key.in;
    float *c = scratch_floats(forward, 1, width), *k = scratch_floats(forward, 1, trimmer->key.out);
    norm_apply(forward->math->pool, &trimmer->context_norm, context, 1, width, c);
    apply(forward, &trimmer->key, c, 1, k, ACTIVATION_NONE);
    (trimmer->mix.out ? score_mix : score_product)(forward, trimmer, z, rows, k, cross);
}

void trimmer_score_tokens(struct forward *forward, const struct token_trimmer *trimmer, const float *x, int rows,
                          const float *context, float *self, float *cross)
{
    int width = trimmer->self.in;
    size_t mark = forward->math->scratch.used;
    float *z = scratch_floats(forward, rows, width), *hidden = scratch_floats(forward, rows, trimmer->self.out);
    norm_apply(forward->math->pool, &trimmer->norm, x, rows, width, z);
    apply(forward, &trimmer->self, z, rows, hidden, ACTIVATION_GELU);
    apply(forward, &trimmer->out, hidden, rows, self, ACTIVATION_NONE);
    if (trimmer->guided && context)
        score_cross(forward, trimmer, z, rows, context, cross);
    else
        for (int r = 0; r < rows; r++)
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
