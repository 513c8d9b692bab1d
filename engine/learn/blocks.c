#include "engine/learn/blocks.h"

#include <string.h>

static real *normed(struct tape *tape, struct norm_ref ref, struct norm_state *state, const real *x, int rows)
{
    real *y = tape_alloc(tape, (size_t)rows * (size_t)ref.width);
    op_norm(tape, ref, state, y, x, rows);
    return y;
}

static real *projected(struct tape *tape, struct linear_ref ref, const real *x, int rows)
{
    real *y = tape_alloc(tape, (size_t)rows * (size_t)ref.out);
    op_linear(tape, ref, y, x, rows);
    return y;
}

// Everything but the projection of the contexts: Q of x, K and V of `other`, or of x itself.
static void attend(struct tape *tape, const struct attention_refs *refs, struct attention_state *state, const real *x,
                   struct rows rows, const real *other, struct rows other_rows, const real *mask, const real *gate)
{
    int width = refs->out.out, n = rows_total(rows), m = other ? rows_total(other_rows) : n;
    bool pre = refs->order == NORM_PRE;
    state->input = x;
    state->query_in = pre ? normed(tape, refs->norm, &state->norm, x, n) : x;
    state->key_in = !other ? state->query_in : pre ? normed(tape, refs->context, &state->context, other, m) : other;
    state->q = projected(tape, refs->q, state->query_in, n);
    if (!state->remembers) {
        state->k = refs->fused ? state->q + width : projected(tape, refs->k, state->key_in, m);
        state->v = refs->fused ? state->q + 2 * width : projected(tape, refs->v, state->key_in, m);
    }
    struct rows keys = other ? other_rows : rows;
    state->op = (struct attention_op){
        .heads = refs->heads, .size = width / refs->heads, .q_rows = rows, .k_rows = keys, .q = state->q,
        .k = state->k, .v = state->v, .ldq = refs->fused ? 3 * width : width, .ldk = refs->fused ? 3 * width : width,
        .key_mask = mask, .head_gate = gate, .self = !other, .causal = refs->causal,
    };
    op_attention(tape, &state->op);
}

// dout: of what is projected, which may be d itself. d, of x, += ...
static void attend_back(struct tape *tape, const struct attention_refs *refs, const struct attention_state *state,
                        const real *dout, real *d, struct rows rows, real *dother, struct rows other_rows, real *dmask,
                        real *dgate)
{
    int width = refs->out.out, n = rows_total(rows), m = dother ? rows_total(other_rows) : n;
    bool pre = refs->order == NORM_PRE;
    size_t size = (size_t)n * (size_t)width, other_size = (size_t)m * (size_t)width;
    size_t key_size = (size_t)m * (size_t)refs->k.in;
    real *dctx = tape_alloc(tape, size);
    op_linear_back(tape, refs->out, dctx, false, dout, state->op.ctx, n);
    real *dq = tape_alloc(tape, refs->fused ? 3 * size : size);
    real *dk = refs->fused ? dq + width : tape_alloc(tape, other_size);
    real *dv = refs->fused ? dq + 2 * width : tape_alloc(tape, other_size);
    op_attention_back(tape, &state->op, dctx, dq, dk, dv, dmask, dgate);
    // In post order the inputs are x (and other) themselves; in pre order gradients pass their LayerNorms first.
    real *dquery = pre ? tape_alloc(tape, size) : d;
    op_linear_back(tape, refs->q, dquery, !pre, dq, state->query_in, n);
    if (!refs->fused) {
        bool fresh = dother && pre;
        real *dkey = !dother ? dquery : fresh ? tape_alloc(tape, key_size) : dother;
        op_linear_back(tape, refs->k, dkey, !fresh, dk, state->key_in, m);
        op_linear_back(tape, refs->v, dkey, true, dv, state->key_in, m);
        if (fresh)
            op_norm_back(tape, refs->context, &state->context, dother, dkey, m);
    }
    if (pre)
        op_norm_back(tape, refs->norm, &state->norm, d, dquery, n);
}

// Of a LayerNorm behind a residual connection, in place.
static void norm_back_in_place(struct tape *tape, struct norm_ref ref, const struct norm_state *state, real *d,
                               int rows)
{
    size_t size = (size_t)rows * (size_t)ref.width;
    real *dsum = tape_zeros(tape, size);
    op_norm_back(tape, ref, state, dsum, d, rows);
    memcpy(d, dsum, size * sizeof *d);
}

real *block_attention(struct tape *tape, const struct attention_refs *refs, struct attention_state *state,
                      const real *x, struct rows rows, const real *other, struct rows other_rows, const real *mask,
                      const real *gate)
{
    int width = refs->out.out, n = rows_total(rows);
    attend(tape, refs, state, x, rows, other, other_rows, mask, gate);
    real *out = tape_alloc(tape, (size_t)n * (size_t)width);
    op_linear_onto(tape, refs->out, out, state->op.ctx, x, n);
    return refs->order == NORM_PRE ? out : normed(tape, refs->norm, &state->norm, out, n);
}

void block_attention_back(struct tape *tape, const struct attention_refs *refs, const struct attention_state *state,
                          real *d, struct rows rows, real *dother, struct rows other_rows, real *dmask, real *dgate)
{
    size_t mark = tape->arena.used;
    if (refs->order == NORM_POST)
        norm_back_in_place(tape, refs->norm, &state->norm, d, rows_total(rows));
    attend_back(tape, refs, state, d, d, rows, dother, other_rows, dmask, dgate);
    arena_rewind(&tape->arena, mark);
}

// (rows, width) each, side by side or apart again.
static void set_beside(real *both, real *const each[2], int rows, int width)
{
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < 2; p++)
            memcpy(both + (size_t)(r * 2 + p) * (size_t)width, each[p] + (size_t)r * (size_t)width,
                   (size_t)width * sizeof *both);
}

static void set_apart(real *const each[2], const real *both, int rows, int width)
{
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < 2; p++)
            memcpy(each[p] + (size_t)r * (size_t)width, both + (size_t)(r * 2 + p) * (size_t)width,
                   (size_t)width * sizeof *both);
}

real *block_twins(struct tape *tape, const struct attention_refs *first, const struct twin_refs *twin,
                  struct attention_state *first_state, struct twin_state *state, const real *x, struct rows rows,
                  const struct twin_memory memory[2])
{
    const struct attention_refs *refs[2] = {first, &twin->cross};
    struct attention_state *states[2] = {first_state, &state->cross};
    int width = first->out.out, n = rows_total(rows);
    size_t size = (size_t)n * (size_t)width;
    real *each[2], *sum = tape_alloc(tape, size);
    for (int p = 0; p < 2; p++) {
        attend(tape, refs[p], states[p], x, rows, memory[p].other, memory[p].rows, memory[p].mask, memory[p].gate);
        each[p] = projected(tape, refs[p]->out, states[p]->op.ctx, n);
    }
    if (twin->merge.out) {
        state->both = tape_alloc(tape, 2 * size);
        set_beside(state->both, each, n, width);
        op_linear_onto(tape, twin->merge, sum, state->both, x, n);
    } else {
        for (size_t i = 0; i < size; i++)
            sum[i] = x[i] + (each[0][i] + each[1][i]) / 2;
    }
    return normed(tape, first->norm, &first_state->norm, sum, n);
}

void block_twins_back(struct tape *tape, const struct attention_refs *first, const struct twin_refs *twin,
                      const struct attention_state *first_state, const struct twin_state *state, real *d,
                      struct rows rows, const struct twin_memory memory[2])
{
    const struct attention_refs *refs[2] = {first, &twin->cross};
    const struct attention_state *states[2] = {first_state, &state->cross};
    int width = first->out.out, n = rows_total(rows);
    size_t mark = tape->arena.used, size = (size_t)n * (size_t)width;
    real *each[2] = {tape_alloc(tape, size), tape_alloc(tape, size)};
    norm_back_in_place(tape, first->norm, &first_state->norm, d, n);
    if (twin->merge.out) {
        real *dboth = tape_alloc(tape, 2 * size);
        op_linear_back(tape, twin->merge, dboth, false, d, state->both, n);
        set_apart(each, dboth, n, width);
    } else {
        for (size_t i = 0; i < size; i++)
            each[0][i] = each[1][i] = d[i] / 2;
    }
    for (int p = 0; p < 2; p++)
        attend_back(tape, refs[p], states[p], each[p], d, rows, memory[p].dother, memory[p].rows, memory[p].dmask,
                    memory[p].dgate);
    arena_rewind(&tape->arena, mark);
}

real *block_ffn(struct tape *tape, const struct ffn_refs *refs, struct ffn_state *state, const real *x, int rows)
{
    int width = refs->out.out, hidden = refs->in.out;
    bool pre = refs->order == NORM_PRE;
    state->input = pre ? normed(tape, refs->norm, &state->norm, x, rows) : x;
    state->hidden = projected(tape, refs->in, state->input, rows);
    state->active = tape_alloc(tape, (size_t)rows * (size_t)hidden);
    (refs->quick ? tape->kernels->quick_gelu : tape->kernels->gelu)(state->active, state->hidden, rows * hidden);
    real *out = tape_alloc(tape, (size_t)rows * (size_t)width);
    op_linear_onto(tape, refs->out, out, state->active, x, rows);
    return pre ? out : normed(tape, refs->norm, &state->norm, out, rows);
}

void block_ffn_back(struct tape *tape, const struct ffn_refs *refs, const struct ffn_state *state, real *d, int rows)
{
    int width = refs->out.out, hidden = refs->in.out;
    bool pre = refs->order == NORM_PRE;
    size_t mark = tape->arena.used, size = (size_t)rows * (size_t)width;
    if (!pre)
        norm_back_in_place(tape, refs->norm, &state->norm, d, rows);
    real *dactive = tape_alloc(tape, (size_t)rows * (size_t)hidden);
    real *dhidden = tape_alloc(tape, (size_t)rows * (size_t)hidden);
    op_linear_back(tape, refs->out, dactive, false, d, state->active, rows);
    (refs->quick ? tape->kernels->quick_gelu_back : tape->kernels->gelu_back)(dhidden, dactive, state->hidden,
                                                                              rows * hidden);
    real *din = pre ? tape_alloc(tape, size) : d;
    op_linear_back(tape, refs->in, din, !pre, dhidden, state->input, rows);
    if (pre)
        op_norm_back(tape, refs->norm, &state->norm, d, din, rows);
    arena_rewind(&tape->arena, mark);
}
