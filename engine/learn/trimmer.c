#include "engine/learn/trimmer.h"

#include <math.h>
#include <string.h>

static const real KEY_EPSILON = (real)1e-6;

// Straight-through: the hard decision and the slope of the soft one.
static real sample(const struct mask_sampling *sampling, real score, real *slope)
{
    double noise = 0;
    if (sampling->random && sampling->noise > 0) {
        double u = (double)random_unit(sampling->random);
        u = u < 1e-6 ? 1e-6 : u > 1 - 1e-6 ? 1 - 1e-6 : u;
        noise = (double)sampling->noise * log(u / (1 - u));
    }
    double z = ((double)score + (double)sampling->shift + noise) / (double)sampling->temperature, y = 1 / (1 + exp(-z));
    *slope = (real)(y * (1 - y) / (double)sampling->temperature);
    return sampling->relaxed ? (real)y : z >= 0 ? 1 : 0;
}

// Copies row 0 of each sample: (rows.n, width).
static void take_cls(real *to, int to_stride, const real *from, struct rows rows, int width)
{
    for (int i = 0; i < rows.n; i++)
        memcpy(to + (size_t)i * (size_t)to_stride, from + (size_t)rows_first(rows, i) * (size_t)width,
               (size_t)width * sizeof *to);
}

static void give_cls(real *to, struct rows rows, const real *from, int from_stride, int width)
{
    for (int i = 0; i < rows.n; i++)
        for (int d = 0; d < width; d++)
            to[(size_t)rows_first(rows, i) * (size_t)width + (size_t)d] += from[(size_t)i * (size_t)from_stride + (size_t)d];
}

static real dot(const real *a, const real *b, int n)
{
    real sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

// query becomes query + key, which is what the MLP's middle is made of.
static void concat_scores(struct tape *tape, const struct token_trimmer_refs *refs, struct token_trimmer_state *state,
                          struct rows rows)
{
    int rank = refs->rank, total = rows_total(rows);
    size_t size = (size_t)total * (size_t)rank;
    state->both = state->query;
    for (int i = 0; i < rows.n; i++)
        for (int r = rows_first(rows, i); r < rows_first(rows, i + 1); r++)
            tape->kernels->add(state->both + (size_t)r * (size_t)rank, state->key + (size_t)(i * rank), rank);
    state->excited = tape_alloc(tape, size);
    tape->kernels->gelu(state->excited, state->both, (int)size);
    real *cross = tape_alloc(tape, (size_t)total);
    op_linear(tape, refs->mix, cross, state->excited, total);
    tape->kernels->add(state->score, cross, total);
}

static void cross_scores(struct tape *tape, const struct token_trimmer_refs *refs, struct token_trimmer_state *state,
                         struct rows rows, const real *context, struct rows context_rows)
{
    int width = refs->context_norm.width, rank = refs->rank, total = rows_total(rows);
    real *cls = tape_alloc(tape, (size_t)(rows.n * width));
    take_cls(cls, width, context, context_rows, width);
    state->context_z = tape_alloc(tape, (size_t)(rows.n * width));
    op_norm(tape, refs->context_norm, &state->context_norm, state->context_z, cls, rows.n);
    state->key = tape_alloc(tape, (size_t)(rows.n * rank));
    op_linear(tape, refs->key, state->key, state->context_z, rows.n);
    state->query = tape_alloc(tape, (size_t)total * (size_t)rank);
    op_linear(tape, refs->query, state->query, state->z, total);
    if (refs->concat) {
        concat_scores(tape, refs, state, rows);
        return;
    }
    state->cosine = tape_alloc(tape, (size_t)total);
    real alpha = tape->P[refs->alpha];
    for (int i = 0; i < rows.n; i++) {
        const real *key = state->key + (size_t)(i * rank);
        real inverse = 1 / ((real)sqrt((double)dot(key, key, rank)) + KEY_EPSILON);
        for (int r = rows_first(rows, i); r < rows_first(rows, i + 1); r++) {
            state->cosine[r] = dot(state->query + (size_t)r * (size_t)rank, key, rank) * inverse;
            state->score[r] += alpha * state->cosine[r];
        }
    }
}

void trimmer_tokens(struct tape *tape, const struct token_trimmer_refs *refs, struct token_trimmer_state *state,
                    const real *x, struct rows rows, const real *context, struct rows context_rows,
                    const struct mask_sampling *sampling, real *mask)
{
    int width = refs->norm.width, total = rows_total(rows);
    *state = (struct token_trimmer_state){0};
    state->z = tape_alloc(tape, (size_t)total * (size_t)width);
    op_norm(tape, refs->norm, &state->norm, state->z, x, total);
    state->hidden = tape_alloc(tape, (size_t)total * (size_t)refs->hidden);
    op_linear(tape, refs->self, state->hidden, state->z, total);
    state->active = tape_alloc(tape, (size_t)total * (size_t)refs->hidden);
    tape->kernels->gelu(state->active, state->hidden, total * refs->hidden);
    state->score = tape_alloc(tape, (size_t)total);
    op_linear(tape, refs->out, state->score, state->active, total);
    if (refs->rank && context)
        cross_scores(tape, refs, state, rows, context, context_rows);
    state->slope = tape_zeros(tape, (size_t)total);
    memset(mask, 0, (size_t)total * sizeof *mask);
    for (int i = 0; i < rows.n; i++) {
        int count = rows_count(rows, i), first = rows_first(rows, i);
        mask[first] = 1;
        for (int r = first + 1; r < first + count; r++)
            mask[r] = sample(sampling, state->score[r], &state->slope[r]);
    }
}

static void dot_scores_back(struct tape *tape, const struct token_trimmer_refs *refs,
                            const struct token_trimmer_state *state, struct rows rows, const real *dscore, real *dquery,
                            real *dkey)
{
    int rank = refs->rank;
    real alpha = tape->P[refs->alpha];
    for (int i = 0; i < rows.n; i++) {
        const real *key = state->key + (size_t)(i * rank);
        real *dk = dkey + (size_t)(i * rank);
        real length = (real)sqrt((double)dot(key, key, rank)), inverse = 1 / (length + KEY_EPSILON), shrink = 0;
        for (int r = rows_first(rows, i); r < rows_first(rows, i + 1); r++) {
            if (dscore[r] == 0)
                continue;
            real g = dscore[r] * alpha, dalpha = dscore[r] * state->cosine[r];
            tape_give(tape, refs->alpha, &dalpha, 1);
            const real *query = state->query + (size_t)r * (size_t)rank;
            real *dq = dquery + (size_t)r * (size_t)rank;
            for (int k = 0; k < rank; k++) {
                dq[k] = g * inverse * key[k];
                dk[k] += g * inverse * query[k];
            }
            shrink += g * state->cosine[r];
        }
        // d(1 / (|key| + eps)) / dkey = -key / (|key| (|key| + eps)^2)
        if (length > 0)
            for (int k = 0; k < rank; k++)
                dk[k] -= shrink * inverse / length * key[k];
    }
}

static void concat_scores_back(struct tape *tape, const struct token_trimmer_refs *refs,
                               const struct token_trimmer_state *state, struct rows rows, const real *dscore,
                               real *dquery, real *dkey)
{
    int rank = refs->rank, total = rows_total(rows);
    size_t size = (size_t)total * (size_t)rank;
    real *dexcited = tape_alloc(tape, size);
    op_linear_back(tape, refs->mix, dexcited, false, dscore, state->excited, total);
    tape->kernels->gelu_back(dquery, dexcited, state->both, (int)size);
    for (int i = 0; i < rows.n; i++)
        for (int r = rows_first(rows, i); r < rows_first(rows, i + 1); r++)
            tape->kernels->add(dkey + (size_t)(i * rank), dquery + (size_t)r * (size_t)rank, rank);
}

static void cross_scores_back(struct tape *tape, const struct token_trimmer_refs *refs,
                              const struct token_trimmer_state *state, real *dz, struct rows rows, real *dcontext,
                              struct rows context_rows, const real *dscore)
{
    int width = refs->context_norm.width, rank = refs->rank, total = rows_total(rows);
    real *dquery = tape_zeros(tape, (size_t)total * (size_t)rank), *dkey = tape_zeros(tape, (size_t)(rows.n * rank));
    (refs->concat ? concat_scores_back : dot_scores_back)(tape, refs, state, rows, dscore, dquery, dkey);
    op_linear_back(tape, refs->query, dz, true, dquery, state->z, total);
    real *dcontext_z = tape_alloc(tape, (size_t)(rows.n * width)), *dcls = tape_zeros(tape, (size_t)(rows.n * width));
    op_linear_back(tape, refs->key, dcontext_z, false, dkey, state->context_z, rows.n);
    op_norm_back(tape, refs->context_norm, &state->context_norm, dcls, dcontext_z, rows.n);
    give_cls(dcontext, context_rows, dcls, width, width);
}

void trimmer_tokens_back(struct tape *tape, const struct token_trimmer_refs *refs,
                         const struct token_trimmer_state *state, real *dx, struct rows rows, real *dcontext,
                         struct rows context_rows, const real *dmask)
{
    int width = refs->norm.width, total = rows_total(rows);
    size_t mark = tape->arena.used;
    real *dscore = tape_alloc(tape, (size_t)total);
    for (int r = 0; r < total; r++)
        dscore[r] = dmask[r] * state->slope[r];
    real *dactive = tape_alloc(tape, (size_t)total * (size_t)refs->hidden);
    real *dhidden = tape_alloc(tape, (size_t)total * (size_t)refs->hidden);
    real *dz = tape_alloc(tape, (size_t)total * (size_t)width);
    op_linear_back(tape, refs->out, dactive, false, dscore, state->active, total);
    tape->kernels->gelu_back(dhidden, dactive, state->hidden, total * refs->hidden);
    op_linear_back(tape, refs->self, dz, false, dhidden, state->z, total);
    if (state->query)
        cross_scores_back(tape, refs, state, dz, rows, dcontext, context_rows, dscore);
    op_norm_back(tape, refs->norm, &state->norm, dx, dz, total);
    arena_rewind(&tape->arena, mark);
}

void trimmer_heads(struct tape *tape, const struct head_trimmer_refs *refs, struct head_trimmer_state *state,
                   const real *own, struct rows own_rows, const real *other, struct rows other_rows,
                   const struct mask_sampling *sampling, real *gate)
{
    int in = refs->norm.width, width = refs->width, n = own_rows.n;
    state->input = tape_alloc(tape, (size_t)(n * in));
    take_cls(state->input, in, own, own_rows, width);
    if (other)
        take_cls(state->input + width, in, other, other_rows, in - width);
    state->z = tape_alloc(tape, (size_t)(n * in));
    op_norm(tape, refs->norm, &state->norm, state->z, state->input, n);
    state->slope = tape_alloc(tape, (size_t)(n * refs->heads));
    op_linear(tape, refs->out, gate, state->z, n);
    for (int k = 0; k < n * refs->heads; k++)
        gate[k] = sample(sampling, gate[k], &state->slope[k]);
}

void trimmer_heads_back(struct tape *tape, const struct head_trimmer_refs *refs, const struct head_trimmer_state *state,
                        real *down, struct rows own_rows, real *dother, struct rows other_rows, const real *dgate)
{
    int in = refs->norm.width, width = refs->width, n = own_rows.n;
    size_t mark = tape->arena.used;
    real *dscore = tape_alloc(tape, (size_t)(n * refs->heads));
    for (int k = 0; k < n * refs->heads; k++)
        dscore[k] = dgate[k] * state->slope[k];
    real *dz = tape_alloc(tape, (size_t)(n * in)), *dinput = tape_zeros(tape, (size_t)(n * in));
    op_linear_back(tape, refs->out, dz, false, dscore, state->z, n);
    op_norm_back(tape, refs->norm, &state->norm, dinput, dz, n);
    give_cls(down, own_rows, dinput, in, width);
    if (dother)
        give_cls(dother, other_rows, dinput + width, in, in - width);
    arena_rewind(&tape->arena, mark);
}
