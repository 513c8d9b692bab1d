#include "engine/math/math.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

size_t attention_scratch(int queries, int keys, int size, int workers)
{
    return ((size_t)keys * 2 * (size_t)(size + 64) + (size_t)queries * (size_t)(keys + 64) + 1024) * sizeof(float) *
           (size_t)workers;
}

void attention_apply(struct math *math, const struct attention *a, uint64_t *macs)
{
    size_t mark = math->scratch.used;
    size_t count = (size_t)a->queries * (size_t)a->keys;
    float *scores = arena_alloc(&math->scratch, count, sizeof(float));
    for (int h = 0; h < a->heads; h++) {
        float *probs = a->probs ? a->probs + (size_t)h * count : scores;
        float *ctx = a->ctx + h * a->size;
        if (a->live && !a->live[h]) {
            for (size_t i = 0; a->probs && i < count; i++)
                probs[i] = NAN;
            for (int q = 0; q < a->queries; q++)
                memset(ctx + (size_t)q * (size_t)a->ldc, 0, (size_t)a->size * sizeof(float));
            continue;
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, a->queries, a->keys, a->size, 1 / sqrtf((float)a->size),
                    a->q + h * a->size, a->ldq, a->k + h * a->size, a->ldk, 0, probs, a->keys);
        softmax_rows(probs, a->queries, a->keys, a->keys);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, a->queries, a->size, a->keys, 1, probs, a->keys,
                    a->v + h * a->size, a->ldv, 0, ctx, a->ldc);
        *macs += 2 * (uint64_t)count * (uint64_t)a->size;
    }
    arena_rewind(&math->scratch, mark);
}
