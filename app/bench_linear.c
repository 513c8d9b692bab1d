// Linear layers of a transformer block, by the number of rows that pruning leaves. OpenBLAS packs the weights
// again in each call and so loses part of what pruning saves; the efficiency columns show how much of it
// arrives.
#include "app/bench.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/math/math.h"
#include "engine/math/measure.h"
#include "ui/table.h"

#include <cblas.h>
#include <string.h>

enum { LAYERS_OF_BLOCK = 4, COPIES_MAX = 4, ROW_COUNTS_MAX = 12, ROWS_MAX = 577 };

struct layer_shape {
    int out, in;
    enum activation activation;
};

// One kind of block: several copies of its layers, so that weights come from where they come from in a model.
struct block_case {
    const char *name, *title;
    struct layer_shape shapes[LAYERS_OF_BLOCK];
    int copies, head;
    int rows[ROW_COUNTS_MAX]; // the first is the dense one; 0 ends
};

static const struct block_case cases[] = {
    {"width_768",
     N_("block of METER or BLIP (width 768), weights from memory"),
     {{2304, 768, ACTIVATION_NONE},
      {768, 768, ACTIVATION_NONE},
      {3072, 768, ACTIVATION_GELU},
      {768, 3072, ACTIVATION_NONE}},
     3,
     64,
     {577, 400, 289, 197, 128, 100, 64, 40, 16, 0}},
    {"width_128",
     N_("block of the bundled model's size (width 128), weights in the cache"),
     {{384, 128, ACTIVATION_NONE},
      {128, 128, ACTIVATION_NONE},
      {256, 128, ACTIVATION_GELU},
      {128, 256, ACTIVATION_NONE}},
     1,
     32,
     {145, 116, 100, 64, 40, 16, 0}},
};

struct block {
    const struct block_case *shape;
    struct linear layers[COPIES_MAX][LAYERS_OF_BLOCK];
    float *weights[COPIES_MAX][LAYERS_OF_BLOCK]; // as PyTorch stores them, for OpenBLAS
    float *x, *y;
    struct math math;
};

struct rows_of_block {
    struct block *block;
    int rows;
};

static void block_free(struct block *block)
{
    for (int c = 0; c < COPIES_MAX; c++)
        for (int l = 0; l < LAYERS_OF_BLOCK; l++) {
            linear_free(&block->layers[c][l]);
            memory_free(block->weights[c][l]);
        }
    memory_free(block->x);
    memory_free(block->y);
    arena_free(&block->math.scratch);
}

static bool block_init(struct block *block, const struct block_case *shape, const struct bench *bench)
{
    *block = (struct block){.shape = shape};
    size_t widest = 0, scratch = 0;
    for (int l = 0; l < LAYERS_OF_BLOCK; l++) {
        const struct layer_shape *s = &shape->shapes[l];
        size_t wide = (size_t)(s->in > s->out ? s->in : s->out);
        size_t need = linear_scratch(s->in, bench->threads);
        widest = wide > widest ? wide : widest;
        scratch = need > scratch ? need : scratch;
        for (int c = 0; c < shape->copies; c++) {
            block->weights[c][l] = bench_numbers((size_t)s->out * (size_t)s->in);
            if (!block->weights[c][l] ||
                !linear_init(&block->layers[c][l], block->weights[c][l], NULL, s->out, s->in, shape->head, 0))
                return false;
        }
    }
    block->x = bench_numbers(widest * ROWS_MAX);
    block->y = bench_numbers(widest * ROWS_MAX);
    block->math.pool = bench->pool;
    return block->x && block->y && arena_init(&block->math.scratch, scratch);
}

static void run_ours(void *context)
{
    const struct rows_of_block *some = context;
    struct block *b = some->block;
    uint64_t macs = 0;
    for (int c = 0; c < b->shape->copies; c++)
        for (int l = 0; l < LAYERS_OF_BLOCK; l++) {
            const struct layer_shape *s = &b->shape->shapes[l];
            linear_apply(&b->math, &b->layers[c][l], b->x, s->in, some->rows, b->y, s->out, s->activation,
                         NULL, 0, NULL, NULL, &macs);
        }
}

static void run_openblas(void *context)
{
    const struct rows_of_block *some = context;
    struct block *b = some->block;
    for (int c = 0; c < b->shape->copies; c++)
        for (int l = 0; l < LAYERS_OF_BLOCK; l++) {
            const struct layer_shape *s = &b->shape->shapes[l];
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, some->rows, s->out, s->in, 1, b->x, s->in,
                        b->weights[c][l], s->in, 0, b->y, s->out);
        }
}

// Seconds of one block, not of all copies.
struct row_result {
    int rows;
    double ours, openblas, peak_seconds;
};

static double block_flops(const struct block_case *shape, int rows)
{
    double macs = 0;
    for (int l = 0; l < LAYERS_OF_BLOCK; l++)
        macs += (double)shape->shapes[l].out * shape->shapes[l].in;
    return 2 * macs * rows;
}

static void report_row(struct table *table, const struct block_case *shape, const struct row_result *dense,
                       const struct row_result *r, json_t *list)
{
    double best = dense->ours < dense->openblas ? dense->ours : dense->openblas;
    double ratio = (double)dense->rows / r->rows, flops = block_flops(shape, r->rows) * 1e-9;
    double peak = bench_peak_flops() * 1e-9 / r->peak_seconds;
    double ours_alone = dense->ours / r->ours / ratio, ours_best = best / r->ours / ratio;
    double openblas_alone = dense->openblas / r->openblas / ratio;
    table_cell(table, "%d", r->rows);
    table_cell(table, "%.3f", r->ours * 1e3);
    table_cell(table, "%.1f", flops / r->ours);
    table_cell(table, "%.3f", r->openblas * 1e3);
    table_cell(table, "%.1f", flops / r->openblas);
    const double ratios[] = {r->openblas / r->ours, flops / r->ours / peak, ours_best, ours_alone, openblas_alone};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
        table_cell(table, "%.2f", ratios[i]);
    json_array_append_new(list,
                          json_pack("{s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "rows", r->rows, "ours_ms",
                                    r->ours * 1e3, "ours_gflops", flops / r->ours, "openblas_ms",
                                    r->openblas * 1e3, "openblas_gflops", flops / r->openblas,
                                    "speed_against_openblas", r->openblas / r->ours, "share_of_peak",
                                    flops / r->ours / peak, "efficiency_against_best_dense", ours_best,
                                    "efficiency", ours_alone, "openblas_efficiency", openblas_alone));
}

static void measure_block(const struct bench *bench, struct block *block, struct bench_peak *peak,
                          json_t *list)
{
    static const struct table_column columns[] = {
        {N_("rows"), 4},
        {N_("ours:\nms"), 7},
        {N_("\nGFLOP/s"), 7},
        {N_("OpenBLAS:\nms"), 8},
        {N_("\nGFLOP/s"), 7},
        {N_("against\nOpenBLAS"), 8},
        {N_("of the\npeak"), 6},
        {N_("saved: of\nbest dense"), 9},
        {N_("\nof ours"), 7},
        {N_("\nof OpenBLAS"), 8},
    };
    struct table table;
    bench_print(bench, _("\n%s, one block, fp32\n"), _(block->shape->title));
    bench_table(bench, &table, columns, sizeof columns / sizeof *columns);
    struct measure_case sides[2 * ROW_COUNTS_MAX + 1];
    struct rows_of_block some[ROW_COUNTS_MAX];
    int count = 0;
    for (const int *rows = block->shape->rows; *rows; rows++, count++) {
        some[count] = (struct rows_of_block){block, *rows};
        sides[2 * count] = (struct measure_case){.run = run_ours, .context = &some[count]};
        sides[2 * count + 1] = (struct measure_case){.run = run_openblas, .context = &some[count]};
    }
    sides[2 * count] = (struct measure_case){.run = bench_peak_run, .context = peak};
    bench_measure(bench, sides, 2 * count + 1);
    struct row_result dense = {0};
    for (int i = 0; i < count; i++) {
        struct row_result r = {some[i].rows, bench_seconds(bench, &sides[2 * i]) / block->shape->copies,
                               bench_seconds(bench, &sides[2 * i + 1]) / block->shape->copies,
                               bench_seconds(bench, &sides[2 * count])};
        if (i == 0)
            dense = r;
        report_row(&table, block->shape, &dense, &r, list);
    }
}

bool bench_linear(const struct bench *bench, json_t *results, struct error *err)
{
    struct bench_peak peak;
    if (!bench_peak_init(&peak, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof cases / sizeof *cases; i++) {
        struct block block;
        json_t *list = json_array();
        ok = block_init(&block, &cases[i], bench) || error_no_memory(err, "the weights of a block");
        if (ok)
            measure_block(bench, &block, &peak, list);
        block_free(&block);
        json_object_set_new(results, cases[i].name, list);
    }
    bench_print(bench, "%s",
                _("saved: rows saved that arrive as time, (time of the most rows / time) / (most rows / rows); 1 is all.\n"
                  "Ours adds the bias and GELU, OpenBLAS only multiplies.\n"));
    bench_peak_free(&peak);
    return ok;
}
