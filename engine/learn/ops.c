#include "engine/learn/ops.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

real *tape_alloc(struct tape *tape, size_t n)
{
    real *p = arena_alloc(&tape->arena, n, sizeof *p);
    if (!p)
        abort(); // the trainer sizes the arena from the model's shapes
    return p;
}

int *tape_ints(struct tape *tape, int n)
{
    int *p = arena_alloc(&tape->arena, (size_t)n, sizeof *p);
    if (!p)
        abort();
    return p;
}

real *tape_zeros(struct tape *tape, size_t n)
{
    real *p = tape_alloc(tape, n);
    memset(p, 0, n * sizeof *p);
    return p;
}

void op_linear(struct tape *tape, struct linear_ref ref, real *y, const real *x, int rows)
{
    real beta = 0;
    if (ref.b != NO_BIAS) {
        tape->kernels->fill_rows(y, tape->P + ref.b, rows, ref.out);
        beta = 1;
    }
    real_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, ref.out, ref.in, 1, x, ref.in, tape->P + ref.w, ref.in,
              beta, y, ref.out);
}

void op_linear_onto(struct tape *tape, struct linear_ref ref, real *y, const real *x, const real *base, int rows)
{
    tape->kernels->add_row(y, base, tape->P + ref.b, rows, ref.out);
    real_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, ref.out, ref.in, 1, x, ref.in, tape->P + ref.w, ref.in, 1,
              y, ref.out);
}

void op_linear_back(struct tape *tape, struct linear_ref ref, real *dx, bool add, const real *dy, const real *x,
                    int rows)
{
    if (ref.w < tape->trained)
        real_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, ref.out, ref.in, rows, 1, dy, ref.out, x, ref.in, 1,
                  tape->G + ref.w, ref.in);
    if (ref.b < tape->trained) // NO_BIAS is beyond every parameter
        tape->kernels->add_rows(tape->G + ref.b, dy, rows, ref.out);
    if (dx)
        real_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, ref.in, ref.out, 1, dy, ref.out, tape->P + ref.w,
                  ref.in, add ? 1 : 0, dx, ref.in);
}

void op_norm(struct tape *tape, struct norm_ref ref, struct norm_state *state, real *y, const real *x, int rows)
{
    state->normal = tape_alloc(tape, (size_t)rows * (size_t)ref.width);
    state->inverse = tape_alloc(tape, (size_t)rows);
    tape->kernels->norm(y, state->normal, state->inverse, x, tape->P + ref.gamma, tape->P + ref.beta, rows, ref.width,
                        ref.epsilon);
}

void op_norm_back(struct tape *tape, struct norm_ref ref, const struct norm_state *state, real *dx, const real *dy,
                  int rows)
{
    tape->kernels->norm_back(dx, tape_gradient(tape, ref.gamma), tape_gradient(tape, ref.beta), dy, state->normal, state->inverse,
                             tape->P + ref.gamma, rows, ref.width);
}

static real head_scale(const struct attention_op *op)
{
    return (real)(1.0 / sqrt((double)op->size));
}

// Room for the attention map of one sample and head.
static size_t map_size(const struct attention_op *op)
{
    return (size_t)op->q_rows.stride * (size_t)op->k_rows.stride;
}

// Where sample i, head h starts.
static size_t q_at(const struct attention_op *op, int i, int h)
{
    return (size_t)rows_first(op->q_rows, i) * (size_t)op->ldq + (size_t)(h * op->size);
}
static size_t k_at(const struct attention_op *op, int i, int h)
{
    return (size_t)rows_first(op->k_rows, i) * (size_t)op->ldk + (size_t)(h * op->size);
}
static size_t ctx_at(const struct attention_op *op, int i, int h)
{
    return (size_t)rows_first(op->q_rows, i) * (size_t)(op->heads * op->size) + (size_t)(h * op->size);
}
static real *a_at(const struct attention_op *op, int i, int h)
{
    return op->a + ((size_t)i * (size_t)op->heads + (size_t)h) * map_size(op);
}

// Zeroes the rows that a sample does not use, columns 0 .. width-1.
static void zero_unused(real *x, struct rows rows, int width, int ld)
{
    for (int i = 0; i < rows.n; i++)
        for (int r = rows_first(rows, i) + rows_count(rows, i); r < rows_first(rows, i + 1); r++)
            memset(x + (size_t)r * (size_t)ld, 0, (size_t)width * sizeof *x);
}

// to = gate-scaled copy of the head's columns.
static void gate_columns(real *to, const real *from, real gate, int rows, int size, int stride)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < size; c++)
            to[(size_t)r * (size_t)stride + (size_t)c] = gate * from[(size_t)r * (size_t)stride + (size_t)c];
}

// What a row may not look at gets 0, and with it no gradient.
static void causal_softmax(struct tape *tape, real *a, int n, real scale)
{
    for (int r = 0; r < n; r++) {
        real *row = a + (size_t)r * (size_t)n;
        tape->kernels->softmax(row, 1, r + 1, n, scale);
        memset(row + r + 1, 0, (size_t)(n - r - 1) * sizeof *row);
    }
}

void op_attention(struct tape *tape, struct attention_op *op)
{
    int width = op->heads * op->size;
    size_t ctx_count = (size_t)rows_total(op->q_rows) * (size_t)width, map = map_size(op);
    op->open = tape_alloc(tape, ctx_count);
    zero_unused(op->open, op->q_rows, width, width);
    op->ctx = op->open;
    if (op->head_gate) {
        op->ctx = tape_alloc(tape, ctx_count);
        zero_unused(op->ctx, op->q_rows, width, width);
    }
    op->a = tape_alloc(tape, (size_t)op->q_rows.n * (size_t)op->heads * map);
    size_t mark = tape->arena.used;
    real *masked = op->key_mask ? tape_alloc(tape, map) : NULL;
    for (int i = 0; i < op->q_rows.n; i++)
        for (int h = 0; h < op->heads; h++) {
            int nq = rows_count(op->q_rows, i), nk = rows_count(op->k_rows, i);
            real *a = a_at(op, i, h), *use = a;
            real_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, nq, nk, op->size, 1, op->q + q_at(op, i, h), op->ldq,
                      op->k + k_at(op, i, h), op->ldk, 0, a, nk);
            if (op->causal)
                causal_softmax(tape, a, nq, head_scale(op));
            else
                tape->kernels->softmax(a, nq, nk, nk, head_scale(op));
            if (op->key_mask) {
                tape->kernels->mask_attention(masked, a, op->key_mask + rows_first(op->k_rows, i), nq, nk,
                                              op->self);
                use = masked;
            }
            real *open = op->open + ctx_at(op, i, h);
            real_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, nq, op->size, nk, 1, use, nk, op->v + k_at(op, i, h),
                      op->ldk, 0, open, width);
            if (op->head_gate)
                gate_columns(op->ctx + ctx_at(op, i, h), open, op->head_gate[i * op->heads + h], nq, op->size, width);
        }
    arena_rewind(&tape->arena, mark);
}

// <dctx, open> over a head's columns.
static real gate_gradient(const real *dctx, const real *open, int rows, int size, int stride)
{
    real sum = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < size; c++)
            sum += dctx[(size_t)r * (size_t)stride + (size_t)c] * open[(size_t)r * (size_t)stride + (size_t)c];
    return sum;
}

void op_attention_back(struct tape *tape, const struct attention_op *op, const real *dctx, real *dq, real *dk, real *dv,
                       real *dmask, real *dgate)
{
    int width = op->heads * op->size;
    size_t map = map_size(op), mark = tape->arena.used;
    real *d = tape_alloc(tape, map), *masked = op->key_mask ? tape_alloc(tape, map) : NULL;
    real *gated = op->head_gate ? tape_alloc(tape, (size_t)op->q_rows.stride * (size_t)width) : NULL;
    zero_unused(dq, op->q_rows, width, op->ldq);
    zero_unused(dk, op->k_rows, width, op->ldk);
    zero_unused(dv, op->k_rows, width, op->ldk);
    for (int i = 0; i < op->q_rows.n; i++)
        for (int h = 0; h < op->heads; h++) {
            int nq = rows_count(op->q_rows, i), nk = rows_count(op->k_rows, i);
            const real *a = a_at(op, i, h), *use = a, *dhead = dctx + ctx_at(op, i, h);
            const real *mask = op->key_mask ? op->key_mask + rows_first(op->k_rows, i) : NULL;
            if (op->head_gate) {
                dgate[i * op->heads + h] += gate_gradient(dhead, op->open + ctx_at(op, i, h), nq, op->size, width);
                gate_columns(gated, dhead, op->head_gate[i * op->heads + h], nq, op->size, width);
                dhead = gated;
            }
            if (mask) {
                tape->kernels->mask_attention(masked, a, mask, nq, nk, op->self);
                use = masked;
            }
            real_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, nk, op->size, nq, 1, use, nk, dhead, width, 0,
                      dv + k_at(op, i, h), op->ldk);
            real_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, nq, nk, op->size, 1, dhead, width,
                      op->v + k_at(op, i, h), op->ldk, 0, d, nk);
            tape->kernels->attention_back(d, a, mask, mask ? dmask + rows_first(op->k_rows, i) : NULL, nq, nk,
                                          op->self, head_scale(op), tape->mask_floor);
            real_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, nq, op->size, nk, 1, d, nk, op->k + k_at(op, i, h),
                      op->ldk, 0, dq + q_at(op, i, h), op->ldq);
            real_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, nk, op->size, nq, 1, d, nk, op->q + q_at(op, i, h),
                      op->ldq, 0, dk + k_at(op, i, h), op->ldk);
        }
    arena_rewind(&tape->arena, mark);
}
