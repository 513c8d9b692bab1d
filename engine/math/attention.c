#include "engine/base/thread.h"
#include "engine/math/kernels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

// What one worker needs for one head, in floats. Keys and values are packed as panels, once per head; queries
// go through in tiles, whose scores against all keys stay in the cache between the two products.
struct layout {
    size_t keys, values, scores, ctx;
    int ld_scores;
};

static struct layout layout_of(int columns, int keys, int size)
{
    int panels = ceil_div(keys, columns), ld_scores = odd_lines(panels * columns);
    return (struct layout){
        .keys = (size_t)panels * (size_t)columns * (size_t)size,
        .values = (size_t)ceil_div(size, columns) * (size_t)columns * (size_t)keys,
        .scores = (size_t)TILE_ROWS_MAX * (size_t)ld_scores,
        .ctx = (size_t)TILE_ROWS_MAX * TILE_COLUMNS_MAX,
        .ld_scores = ld_scores,
    };
}

static size_t layout_floats(struct layout l)
{
    return l.keys + l.values + l.scores + l.ctx;
}

size_t attention_scratch(int keys, int size, int workers)
{
    return (size_t)workers * (layout_floats(layout_of(TILE_COLUMNS_MAX, keys, size)) * sizeof(float)) +
           MEMORY_ALIGNMENT;
}

struct task {
    struct math *math;
    const struct attention *attention;
    const struct math_kernels *kernels;
    float *work; // work_size floats for each worker
    size_t work_size;
    int parts;    // of each head's queries
    float factor; // log2(e) / sqrt(size), so that the softmax is 2^((q k - max) factor)
};

// One tile of `count` queries from `first` on, of head h, against packed keys and values.
static void attend_tile(const struct task *task, int h, int first, int count, float *work)
{
    const struct attention *a = task->attention;
    const struct gemm_kernels *gemm = task->kernels->gemm;
    const struct row_kernels *row = task->kernels->row;
    struct layout l = layout_of(gemm->columns, a->keys, a->size);
    const float *keys = work, *values = keys + l.keys, *q = a->q + (size_t)first * (size_t)a->ldq + h * a->size;
    float *scores = work + l.keys + l.values, *sums = scores + l.scores, inverse[TILE_ROWS_MAX];
    const struct span all_size = {0, a->size}, all_keys = {0, a->keys};
    for (int k = 0; k < a->keys; k += gemm->columns)
        gemm->tile(count, q, a->ldq, keys + (size_t)k * (size_t)a->size, &all_size, 1, scores + k, l.ld_scores);
    row->exponentials(scores, l.ld_scores, count, a->keys, task->factor, inverse);
    if (a->probs)
        row->scale(a->probs + ((size_t)h * (size_t)a->queries + (size_t)first) * (size_t)a->keys, (size_t)a->keys,
                   scores, (size_t)l.ld_scores, count, a->keys, inverse);
    for (int c = 0; c < a->size; c += gemm->columns) {
        int width = a->size - c < gemm->columns ? a->size - c : gemm->columns;
        gemm->tile(count, scores, l.ld_scores, values + (size_t)c * (size_t)a->keys, &all_keys, 1, sums, gemm->columns);
        row->scale(a->ctx + (size_t)first * (size_t)a->ldc + h * a->size + c, (size_t)a->ldc, sums,
                   (size_t)gemm->columns, count, width, inverse);
    }
}

// Rows first..end of a head that is switched off.
static void fill_dropped(const struct attention *a, int h, int first, int end)
{
    for (int q = first; q < end; q++) {
        memset(a->ctx + (size_t)q * (size_t)a->ldc + h * a->size, 0, (size_t)a->size * sizeof(float));
        float *probs =
            a->probs ? a->probs + ((size_t)h * (size_t)a->queries + (size_t)q) * (size_t)a->keys : NULL;
        for (int k = 0; probs && k < a->keys; k++)
            probs[k] = NAN;
    }
}

static void attention_job(void *context, int index, int worker)
{
    const struct task *task = context;
    const struct attention *a = task->attention;
    const struct gemm_kernels *gemm = task->kernels->gemm;
    int h = index / task->parts, part = index % task->parts;
    int first = a->queries * part / task->parts, end = a->queries * (part + 1) / task->parts;
    if (a->live && !a->live[h]) {
        fill_dropped(a, h, first, end);
        return;
    }
    float *work = task->work + (size_t)worker * task->work_size;
    struct layout l = layout_of(gemm->columns, a->keys, a->size);
    gemm->pack_keys(a->k + h * a->size, a->ldk, a->keys, a->size, work);
    gemm->pack_values(a->v + h * a->size, a->ldv, a->keys, a->size, work + l.keys);
    int rows = end - first, tiles = ceil_div(rows, gemm->rows);
    for (int t = 0; t < tiles && !math_stops(task->math); t++) {
        int from = rows * t / tiles, to = rows * (t + 1) / tiles;
        attend_tile(task, h, first + from, to - from, work);
    }
}

void attention_apply_with(const struct math_kernels *kernels, struct math *math, const struct attention *a,
                          uint64_t *macs)
{
    if (a->queries <= 0 || a->keys <= 0)
        return;
    size_t mark = math->scratch.used;
    int live = 0;
    for (int h = 0; h < a->heads; h++)
        live += !a->live || a->live[h];
    uint64_t work = 2 * (uint64_t)a->queries * (uint64_t)a->keys * (uint64_t)a->size * (uint64_t)live;
    struct thread_pool *pool = work < THREADS_PAY_MACS ? NULL : math->pool;
    int workers = thread_pool_workers(pool);
    struct layout l = layout_of(kernels->gemm->columns, a->keys, a->size);
    struct task task = {
        .math = math,
        .attention = a,
        .kernels = kernels,
        .work_size = layout_floats(l),
        .factor = (float)(1.4426950408889634 / sqrt(a->size)),
        // Heads that do not divide evenly among the workers are cut, though their keys are then packed again.
        .parts = live % workers ? workers : 1,
    };
    task.work = arena_alloc(&math->scratch, (size_t)workers, task.work_size * sizeof(float));
    assert(task.work && "math->scratch is smaller than attention_scratch()");
    thread_pool_run(pool, attention_job, &task, a->heads * task.parts);
    *macs += work;
    arena_rewind(&math->scratch, mark);
}

void attention_apply(struct math *math, const struct attention *attention, uint64_t *macs)
{
    attention_apply_with(math_kernels_best(), math, attention, macs);
}
