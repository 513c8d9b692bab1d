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
    size_t keys, values, queries, scores, ctx;
};

static struct layout layout_of(int columns, int keys, int size)
{
    return (struct layout){
        .keys = (size_t)ceil_div(keys, columns) * (size_t)columns * (size_t)size,
        .values = (size_t)ceil_div(size, columns) * (size_t)columns * (size_t)keys,
        .queries = (size_t)ceil_div(size, BLOCK_DEPTH) * TILE_ROWS_MAX * BLOCK_STRIDE,
        .scores = (size_t)ceil_div(keys, BLOCK_DEPTH) * TILE_ROWS_MAX * BLOCK_STRIDE,
        .ctx = (size_t)TILE_ROWS_MAX * TILE_COLUMNS_MAX,
    };
}

static size_t span_count(int depth)
{
    return (size_t)ceil_div(depth, BLOCK_DEPTH);
}

size_t attention_scratch(int queries, int keys, int size, int workers)
{
    (void)queries; // any number of them goes through the same tiles
    struct layout l = layout_of(TILE_COLUMNS_MAX, keys, size);
    size_t floats = l.keys + l.values + l.queries + l.scores + l.ctx;
    return (size_t)workers * (floats * sizeof(float) + 5 * MEMORY_ALIGNMENT) +
           (span_count(keys) + span_count(size)) * sizeof(struct span) + 3 * MEMORY_ALIGNMENT;
}

struct task {
    struct math *math;
    const struct attention *attention;
    const struct math_kernels *kernels;
    const struct span *size_spans, *key_spans;
    float *work; // work_size floats for each worker
    size_t work_size;
    int parts;                          // of each head's queries
    float query_factors[TILE_ROWS_MAX]; // all log2(e) / sqrt(size), so that the softmax is 2^(score - max)
};

static struct span *plan_spans(struct arena *scratch, const struct gemm_kernels *gemm, int depth)
{
    struct span *spans = arena_alloc(scratch, span_count(depth), sizeof *spans);
    assert(spans && "math->scratch is smaller than attention_scratch()");
    for (int k = 0; k < depth; k += BLOCK_DEPTH)
        spans[k / BLOCK_DEPTH] = (struct span){
            (size_t)(k / BLOCK_DEPTH) * (size_t)gemm->rows * BLOCK_STRIDE,
            (size_t)k * (size_t)gemm->columns,
            depth - k < BLOCK_DEPTH ? depth - k : BLOCK_DEPTH,
        };
    return spans;
}

// V (keys, size; stride ldv) to panels (ceil(size / columns), keys, columns); what is missing in the last is
// 0.
static void pack_values(const float *v, int ldv, int keys, int size, int columns, float *panels)
{
    for (int first = 0; first < size; first += columns) {
        int width = size - first < columns ? size - first : columns;
        for (int k = 0; k < keys; k++, panels += columns) {
            memcpy(panels, v + (size_t)k * (size_t)ldv + first, (size_t)width * sizeof(float));
            memset(panels + width, 0, (size_t)(columns - width) * sizeof(float));
        }
    }
}

// One tile of `count` queries from `first` on, of head h, against packed keys and values.
static void attend_tile(const struct task *task, int h, int first, int count, float *work)
{
    const struct attention *a = task->attention;
    const struct gemm_kernels *gemm = task->kernels->gemm;
    const struct row_kernels *row = task->kernels->row;
    struct layout l = layout_of(gemm->columns, a->keys, a->size);
    const float *keys = work, *values = keys + l.keys;
    float *queries = work + l.keys + l.values, *scores = queries + l.queries, *sums = scores + l.scores;
    size_t block = (size_t)gemm->rows * BLOCK_STRIDE, ldq = (size_t)a->ldq, ldc = (size_t)a->ldc;
    float inverse[TILE_ROWS_MAX];
    for (int k = 0; k < a->size; k += BLOCK_DEPTH)
        row->scale(queries + task->size_spans[k / BLOCK_DEPTH].a, BLOCK_STRIDE,
                   a->q + (size_t)first * ldq + h * a->size + k, ldq, count,
                   task->size_spans[k / BLOCK_DEPTH].depth, task->query_factors);
    for (int k = 0; k < a->keys; k += gemm->columns)
        gemm->tile(count, queries, keys + (size_t)k * (size_t)a->size, task->size_spans,
                   (int)span_count(a->size), scores + (size_t)(k / BLOCK_DEPTH) * block + k % BLOCK_DEPTH,
                   BLOCK_STRIDE);
    row->exponentials(scores, count, a->keys, block, inverse);
    for (int k = 0; a->probs && k < a->keys; k += BLOCK_DEPTH)
        row->scale(a->probs + ((size_t)h * (size_t)a->queries + (size_t)first) * (size_t)a->keys + k,
                   (size_t)a->keys, scores + task->key_spans[k / BLOCK_DEPTH].a, BLOCK_STRIDE, count,
                   task->key_spans[k / BLOCK_DEPTH].depth, inverse);
    for (int c = 0; c < a->size; c += gemm->columns) {
        int width = a->size - c < gemm->columns ? a->size - c : gemm->columns;
        gemm->tile(count, scores, values + (size_t)c * (size_t)a->keys, task->key_spans,
                   (int)span_count(a->keys), sums, gemm->columns);
        row->scale(a->ctx + (size_t)first * ldc + h * a->size + c, ldc, sums, (size_t)gemm->columns, count,
                   width, inverse);
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
    pack_values(a->v + h * a->size, a->ldv, a->keys, a->size, gemm->columns, work + l.keys);
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
        .size_spans = plan_spans(&math->scratch, kernels->gemm, a->size),
        .key_spans = plan_spans(&math->scratch, kernels->gemm, a->keys),
        .work_size = l.keys + l.values + l.queries + l.scores + l.ctx,
        // Heads that do not divide evenly among the workers are cut, though their keys are then packed again.
        .parts = live % workers ? workers : 1,
    };
    task.work = arena_alloc(&math->scratch, (size_t)workers, task.work_size * sizeof(float));
    for (int r = 0; r < TILE_ROWS_MAX; r++)
        task.query_factors[r] = (float)(1.4426950408889634 / sqrt(a->size));
    assert(task.work && "math->scratch is smaller than attention_scratch()");
    thread_pool_run(pool, attention_job, &task, a->heads * task.parts);
    *macs += work;
    arena_rewind(&math->scratch, mark);
}

void attention_apply(struct math *math, const struct attention *attention, uint64_t *macs)
{
    attention_apply_with(math_kernels_best(), math, attention, macs);
}
