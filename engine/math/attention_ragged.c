// Attention of queries that have few keys each: nothing is packed for it, every product is made where its numbers lie.
#include "engine/base/thread.h"
#include "engine/math/kernels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct task {
    const struct attention *attention;
    const struct row_kernels *row;
    const int *first, *keys;
    float *scores; // most_keys for each worker
    size_t most_keys;
};

static void attend_row(const struct task *task, int query, float *scores)
{
    const struct attention *a = task->attention;
    size_t ldk = (size_t)a->ldk, ldv = (size_t)a->ldv, bytes = (size_t)a->size * sizeof(float);
    int keys = task->keys[query];
    for (int h = 0; h < a->heads; h++) {
        const float *q = a->q + (size_t)query * (size_t)a->ldq + h * a->size;
        const float *k = a->k + (size_t)task->first[query] * ldk + h * a->size;
        const float *v = a->v + (size_t)task->first[query] * ldv + h * a->size;
        float *ctx = a->ctx + (size_t)query * (size_t)a->ldc + h * a->size, scale = 1 / sqrtf((float)a->size);
        memset(ctx, 0, bytes);
        if (!keys || (a->live && !a->live[h]))
            continue;
        for (int j = 0; j < keys; j++)
            scores[j] = task->row->dot(q, k + (size_t)j * ldk, a->size) * scale;
        task->row->softmax(scores, keys);
        for (int j = 0; j < keys; j++)
            task->row->add_scaled(ctx, v + (size_t)j * ldv, a->size, scores[j]);
    }
}

static void row_job(void *context, int index, int worker)
{
    const struct task *task = context;
    attend_row(task, index, task->scores + (size_t)worker * task->most_keys);
}

void attention_apply_ragged_with(const struct math_kernels *kernels, struct math *math, const struct attention *a,
                                 const int *first, const int *keys, uint64_t *macs)
{
    size_t mark = math->scratch.used;
    uint64_t all_keys = 0;
    int live = 0, most = 0;
    for (int h = 0; h < a->heads; h++)
        live += !a->live || a->live[h];
    for (int r = 0; r < a->queries; r++) {
        all_keys += (uint64_t)keys[r];
        most = keys[r] > most ? keys[r] : most;
    }
    uint64_t work = 2 * all_keys * (uint64_t)a->size * (uint64_t)live;
    struct thread_pool *pool = work * FETCHED_MACS < THREADS_PAY_MACS ? NULL : math->pool;
    size_t workers = (size_t)thread_pool_workers(pool);
    struct task task = {a, kernels->row, first, keys, arena_alloc(&math->scratch, workers * (size_t)most, sizeof(float)),
                        (size_t)most};
    assert((task.scores || !most) && "math->scratch is smaller than attention_scratch()");
    thread_pool_run(pool, row_job, &task, a->queries);
    *macs += work;
    arena_rewind(&math->scratch, mark);
}

void attention_apply_ragged(struct math *math, const struct attention *attention, const int *first, const int *keys,
                            uint64_t *macs)
{
    attention_apply_ragged_with(math_kernels_best(), math, attention, first, keys, macs);
}
