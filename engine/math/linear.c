#include "engine/base/thread.h"
#include "engine/math/kernels.h"

#include <assert.h>
#include <string.h>

// W lies in panels of kernel->columns columns of y: panel p holds (in, columns) without gaps. A block of
// columns that may be skipped starts a new panel, so that skipping it skips whole panels. The bias lies in
// the same order.

enum { HALVES_PAY = 1 << 18 }; // weights: a megabyte of floats

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int block_columns(const struct linear *linear)
{
    return linear->out_block ? linear->out_block : linear->out;
}

static const struct gemm_kernels *gemm_of(const struct linear *linear)
{
    return ((const struct math_kernels *)linear->kernel)->gemm;
}

static void pack_panel(float *panel, const float *w, int columns, int width, int in)
{
    for (int j = 0; j < width; j++)
        for (int k = 0; k < in; k++)
            panel[(size_t)k * (size_t)columns + (size_t)j] = w[(size_t)j * (size_t)in + (size_t)k];
}

bool linear_init_with(const struct math_kernels *kernels, struct linear *linear, const float *w,
                      const float *b, int out, int in, int out_block, int in_block)
{
    *linear = (struct linear){
        .in = in, .out = out, .out_block = out_block, .in_block = in_block, .kernel = kernels};
    int columns = kernels->gemm->columns, block = block_columns(linear);
    int block_panels = ceil_div(block, columns), panels = ceil_div(out, block) * block_panels;
    size_t panel_size = (size_t)in * (size_t)columns;
    linear->packed = memory_take((size_t)panels, panel_size * sizeof(float));
    linear->bias = memory_alloc((size_t)panels, (size_t)columns * sizeof(float));
    if (!linear->packed || !linear->bias) {
        linear_free(linear);
        return false;
    }
    for (int p = 0; p < panels; p++) {
        int start = p / block_panels * block, from = start + p % block_panels * columns;
        int end = start + block < out ? start + block : out;
        int width = end - from < columns ? end - from : columns;
        if (width < columns) // what no weight fills counts as 0
            memset(linear->packed + (size_t)p * panel_size, 0, panel_size * sizeof(float));
        if (width <= 0)
            continue;
        pack_panel(linear->packed + (size_t)p * panel_size, w + (size_t)from * (size_t)in, columns, width,
                   in);
        if (b)
            memcpy(linear->bias + (size_t)p * (size_t)columns, b + from, (size_t)width * sizeof(float));
    }
    return true;
}

bool linear_init(struct linear *linear, const float *w, const float *b, int out, int in, int out_block,
                 int in_block)
{
    return linear_init_with(math_kernels_best(), linear, w, b, out, in, out_block, in_block);
}

static int panel_count(const struct linear *linear)
{
    int block = block_columns(linear);
    return ceil_div(linear->out, block) * ceil_div(block, gemm_of(linear)->columns);
}

static size_t panel_floats(const struct linear *linear)
{
    return (size_t)linear->in * (size_t)gemm_of(linear)->columns;
}

bool linear_narrow(struct linear *linear)
{
    const struct row_kernels *row = ((const struct math_kernels *)linear->kernel)->row;
    size_t count = (size_t)panel_count(linear) * panel_floats(linear);
    if (count < HALVES_PAY || !linear->packed)
        return true;
    uint16_t *halves = memory_take(count, sizeof *halves);
    if (!halves)
        return false;
    if (row->narrow(linear->packed, halves, count)) {
        memory_free(linear->packed);
        linear->packed = NULL;
        linear->halves = halves;
    } else {
        memory_free(halves);
    }
    return true;
}

int linear_panel_columns(const struct linear *linear, int panel, int *first)
{
    int columns = gemm_of(linear)->columns, block = block_columns(linear), block_panels = ceil_div(block, columns);
    int start = panel / block_panels * block, end = start + block < linear->out ? start + block : linear->out;
    *first = start + panel % block_panels * columns;
    if (panel >= panel_count(linear))
        return -1;
    return end - *first < 0 ? 0 : end - *first < columns ? end - *first : columns;
}

size_t linear_bytes(const struct linear *linear)
{
    return (size_t)panel_count(linear) * panel_floats(linear) * (linear->halves ? sizeof *linear->halves : sizeof(float));
}

const float *linear_panel(const struct linear *linear, int panel, float *room)
{
    size_t floats = panel_floats(linear), from = (size_t)panel * floats;
    if (linear->packed)
        return linear->packed + from;
    ((const struct math_kernels *)linear->kernel)->row->widen(linear->halves + from, room, floats);
    return room;
}

void linear_free(struct linear *linear)
{
    memory_free(linear->packed);
    memory_free(linear->halves);
    memory_free(linear->bias);
    *linear = (struct linear){0};
}

// x is read where it lies, as many rows at a time as stay in a second-level cache while all panels pass by.
enum {
    BLOCK_BYTES = 512 * 1024,
    CHUNKS_PER_WORKER = 8,
    FETCHING_TILES = 8,
    HALVES_TILES = 2, // up to which halves are widened in every tile anew
};

// Whole tiles; more of them where panels are widened anew for each block.
static int block_rows_max(const struct linear *linear)
{
    int rows = gemm_of(linear)->rows,
        tiles = (linear->halves ? 2 : 1) * BLOCK_BYTES / (linear->in * (int)sizeof(float) * rows);
    return (tiles < 2 ? 2 : tiles) * rows;
}

int linear_stride(int in)
{
    return odd_lines(in) + 1;
}

size_t linear_scratch(int in, int workers)
{
    size_t widened = (size_t)in * TILE_COLUMNS_MAX * sizeof(float);
    return (size_t)workers * (widened + sizeof(atomic_int)) + (size_t)in * sizeof(struct span) + 3 * MEMORY_ALIGNMENT;
}

// One call of linear_apply() on its way through the workers. A job is some of the live panels for one block
// of rows. Each worker has jobs of its own that follow one another, so that it finds the rows and panels that it has fetched;
// who has none left takes those of others.
struct task {
    struct math *math;
    const struct linear *linear;
    const float *x, *residual;
    float *y;
    int ldx, ldy, ldr, rows;
    enum activation activation;
    const uint8_t *out_live, *in_live;
    const struct span *spans;
    int span_count, depth; // depth: live columns of x
    int live_panels, row_blocks, chunks;
    atomic_int *taken; // of the jobs of each worker
    int workers;
    float *widened; // one panel for each worker, NULL where weights are no halves
};

static bool panel_live(const struct linear *linear, const uint8_t *out_live, int panel)
{
    int block_panels = ceil_div(block_columns(linear), gemm_of(linear)->columns);
    return !out_live || !linear->out_block || out_live[panel / block_panels];
}

static bool column_live(const struct linear *linear, const uint8_t *in_live, int k)
{
    return !in_live || !linear->in_block || in_live[k / linear->in_block];
}

// Stretches of live columns of x; returns how many columns they have together.
static int plan_spans(struct task *task, struct span *spans)
{
    const struct linear *linear = task->linear;
    int step = task->in_live && linear->in_block ? linear->in_block : linear->in, depth = 0;
    for (int k = 0; k < linear->in; k += step) {
        int count = k + step < linear->in ? step : linear->in - k;
        struct span *last = task->span_count ? &spans[task->span_count - 1] : NULL;
        if (!column_live(linear, task->in_live, k))
            continue;
        if (last && last->from + last->depth == k)
            last->depth += count;
        else
            spans[task->span_count++] = (struct span){k, count};
        depth += count;
    }
    return depth;
}

static int share(int total, int parts, int part)
{
    return (int)((int64_t)total * part / parts);
}

// What tile `t` fetches of the panel that follows, which the first `tiles` tiles share.
static struct ahead fetch_next(const struct task *task, int panel, int t, int tiles)
{
    const struct linear *linear = task->linear;
    size_t next = (size_t)(panel + 1) * panel_floats(linear), size = linear->halves ? sizeof *linear->halves : sizeof(float);
    const char *from = linear->halves ? (const char *)(linear->halves + next) : (const char *)(linear->packed + next);
    int step = ceil_div(gemm_of(linear)->columns * (int)size, tiles);
    return (struct ahead){from + (size_t)t * (size_t)task->depth * (size_t)step, step};
}

// So that finish() does not wait for them: rows row..row + count of the panel's columns of y, before the tile is computed.
// (Always inline: GCC 12 takes a function that only prefetches for one that does nothing.)
static inline __attribute__((always_inline)) void fetch_results(const struct task *task, size_t row, int count,
                                                                int column, int width)
{
    const int line = MEMORY_ALIGNMENT / sizeof(float);
    for (int r = 0; r < count; r++) {
        const float *y = task->y + (row + (size_t)r) * (size_t)task->ldy + column;
        for (int i = 0; i < width; i += line)
            __builtin_prefetch(y + i, 1);
        __builtin_prefetch(y + width - 1, 1); // where rows do not begin with a line
    }
}

// Rows from..to of the columns of one panel.
static void apply_panel(const struct task *task, float *widened, int panel, int from, int to)
{
    const struct linear *linear = task->linear;
    const struct gemm_kernels *gemm = gemm_of(linear);
    int columns = gemm->columns, column, width = linear_panel_columns(linear, panel, &column);
    if (width <= 0)
        return;
    const float *bias = linear->bias + (size_t)panel * (size_t)columns;
    int rows = to - from, tile_count = ceil_div(rows, gemm->rows);
    bool as_halves = linear->halves && tile_count <= HALVES_TILES;
    const float *weights = as_halves ? NULL : linear_panel(linear, panel, widened);
    const uint16_t *halves = as_halves ? linear->halves + (size_t)panel * panel_floats(linear) : NULL;
    int fetching = tile_count < FETCHING_TILES ? tile_count : FETCHING_TILES;
    float sums[TILE_ROWS_MAX * TILE_COLUMNS_MAX] __attribute__((aligned(MEMORY_ALIGNMENT)));
    for (int t = 0; t < tile_count; t++) { // of about the same number of rows
        int first = share(rows, tile_count, t), count = share(rows, tile_count, t + 1) - first;
        size_t row = (size_t)(from + first);
        const float *x = task->x + row * (size_t)task->ldx;
        struct ahead ahead = fetch_next(task, panel, t, fetching);
        fetch_results(task, row, count, column, width);
        if (as_halves)
            gemm->tile_halves(count, x, task->ldx, halves, task->spans, task->span_count, sums, columns, ahead);
        else if (tile_count > 1 && t < fetching)
            gemm->tile_ahead(count, x, task->ldx, weights, task->spans, task->span_count, sums, columns, ahead);
        else // a single tile asks memory for all it can give already
            gemm->tile(count, x, task->ldx, weights, task->spans, task->span_count, sums, columns);
        gemm->finish(sums, count, width, bias, task->activation,
                     task->residual ? task->residual + row * (size_t)task->ldr + column : NULL, task->ldr,
                     task->y + row * (size_t)task->ldy + column, task->ldy);
    }
}

// The next job of a worker's own, or, when there is none, of the one behind it.
static int next_job(const struct task *task, int worker)
{
    int jobs = task->row_blocks * task->chunks;
    for (int w = worker;; w = (w + 1) % task->workers) {
        int from = share(jobs, task->workers, w), end = share(jobs, task->workers, w + 1);
        int index = from + atomic_fetch_add_explicit(&task->taken[w], 1, memory_order_relaxed);
        if (index < end)
            return index;
    }
}

static void apply_job(void *context, int ignored, int worker)
{
    const struct task *task = context;
    int index = next_job(task, worker); // as many are asked for as there are
    (void)ignored;
    if (math_stops(task->math))
        return;
    int block = index / task->chunks, chunk = index % task->chunks;
    int from = share(task->rows, task->row_blocks, block), to = share(task->rows, task->row_blocks, block + 1);
    float *widened = task->widened ? task->widened + (size_t)worker * panel_floats(task->linear) : NULL;
    int first = share(task->live_panels, task->chunks, chunk),
        end = share(task->live_panels, task->chunks, chunk + 1);
    for (int panel = 0, live = 0; live < end; panel++) {
        if (!panel_live(task->linear, task->out_live, panel))
            continue;
        if (live++ >= first)
            apply_panel(task, widened, panel, from, to);
    }
}

static uint64_t live_columns(const struct linear *linear, const uint8_t *out_live)
{
    int block = block_columns(linear);
    uint64_t count = 0;
    for (int start = 0; start < linear->out; start += block)
        if (!out_live || !linear->out_block || out_live[start / block])
            count += (uint64_t)(start + block < linear->out ? block : linear->out - start);
    return count;
}

void linear_apply(struct math *math, const struct linear *linear, const float *x, int ldx, int rows, float *y,
                  int ldy, enum activation activation, const float *residual, int ldr,
                  const uint8_t *out_live, const uint8_t *in_live, uint64_t *macs)
{
    if (rows <= 0)
        return;
    size_t mark = math->scratch.used;
    struct task task = {.math = math,
                        .linear = linear,
                        .x = x,
                        .residual = residual,
                        .y = y,
                        .ldx = ldx,
                        .ldy = ldy,
                        .ldr = ldr,
                        .rows = rows,
                        .activation = activation,
                        .out_live = out_live,
                        .in_live = in_live};
    struct span *spans = arena_alloc(&math->scratch, (size_t)linear->in, sizeof *spans);
    assert(spans && "math->scratch is smaller than linear_scratch()");
    task.depth = plan_spans(&task, spans);
    task.spans = spans;
    for (int p = 0; p < panel_count(linear); p++)
        task.live_panels += panel_live(linear, out_live, p);
    uint64_t work = (uint64_t)rows * live_columns(linear, out_live) * (uint64_t)task.depth;
    // With few rows it is the weights that take the time.
    struct thread_pool *pool = work / (uint64_t)rows * (uint64_t)(rows < FETCHED_MACS ? FETCHED_MACS : rows) < THREADS_PAY_MACS
                                   ? NULL
                                   : math->pool;
    int workers = thread_pool_workers(pool);
    task.row_blocks = ceil_div(rows, block_rows_max(linear));
    task.chunks = workers > 1 ? workers * CHUNKS_PER_WORKER : 1;
    task.taken = arena_alloc(&math->scratch, (size_t)workers, sizeof *task.taken);
    task.workers = workers;
    if (linear->halves)
        task.widened = arena_alloc(&math->scratch, (size_t)workers, panel_floats(linear) * sizeof(float));
    assert(task.taken && (task.widened || linear->packed) && "math->scratch is smaller than linear_scratch()");
    for (int w = 0; w < workers; w++)
        atomic_init(&task.taken[w], 0);
    thread_pool_run(pool, apply_job, &task, task.row_blocks * task.chunks);
    *macs += work;
    arena_rewind(&math->scratch, mark);
}
