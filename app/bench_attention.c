// Attention over the tokens that pruning leaves, against OpenBLAS products with the same softmax between
// them.
#include "app/bench.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/math/math.h"
#include "engine/math/measure.h"
#include "ui/table.h"

#include <cblas.h>
#include <math.h>

static const struct size {
    int queries, keys, heads, size;
} sizes[] = {
    {577, 577, 12, 64}, {197, 197, 12, 64}, {100, 100, 12, 64}, {40, 40, 12, 64}, {40, 577, 12, 64},
    {577, 40, 12, 64},  {145, 145, 4, 32},  {60, 60, 4, 32},    {14, 145, 4, 32},
};

struct module {
    struct attention attention;
    struct math math;
    float *buffer, *scores;
};

static bool module_init(struct module *m, const struct size *s, const struct bench *bench)
{
    int width = s->heads * s->size;
    size_t q = (size_t)s->queries * (size_t)width, k = (size_t)s->keys * (size_t)width;
    *m = (struct module){
        .math.pool = bench->pool,
        .buffer = bench_numbers(2 * q + 2 * k),
        .scores = bench_numbers((size_t)s->queries * (size_t)s->keys),
    };
    m->attention = (struct attention){
        .q = m->buffer,
        .ctx = m->buffer + q,
        .k = m->buffer + 2 * q,
        .v = m->buffer + 2 * q + k,
        .ldq = width,
        .ldk = width,
        .ldv = width,
        .ldc = width,
        .queries = s->queries,
        .keys = s->keys,
        .heads = s->heads,
        .size = s->size,
    };
    return m->buffer && m->scores &&
           arena_init(&m->math.scratch, attention_scratch(s->keys, s->size, bench->threads));
}

static void module_free(struct module *m)
{
    memory_free(m->buffer);
    memory_free(m->scores);
    arena_free(&m->math.scratch);
}

static void run_ours(void *context)
{
    struct module *m = context;
    uint64_t macs = 0;
    attention_apply(&m->math, &m->attention, &macs);
}

static void run_openblas(void *context)
{
    struct module *m = context;
    const struct attention *a = &m->attention;
    for (int h = 0; h < a->heads; h++) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, a->queries, a->keys, a->size,
                    1 / sqrtf((float)a->size), a->q + h * a->size, a->ldq, a->k + h * a->size, a->ldk, 0,
                    m->scores, a->keys);
        softmax_rows(m->scores, a->queries, a->keys, a->keys);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, a->queries, a->size, a->keys, 1, m->scores,
                    a->keys, a->v + h * a->size, a->ldv, 0, a->ctx + h * a->size, a->ldc);
    }
}

static void measure_module(const struct bench *bench, struct module *m, struct bench_peak *peak, struct table *table,
                           json_t *list)
{
    const struct attention *a = &m->attention;
    struct measure_case sides[] = {
        {.run = run_ours, .context = m},
        {.run = run_openblas, .context = m},
        {.run = bench_peak_run, .context = peak},
    };
    bench_measure(bench, sides, 3);
    double seconds = bench_seconds(bench, &sides[0]), blas_seconds = bench_seconds(bench, &sides[1]);
    double flops = 4e-9 * a->queries * a->keys * a->size * a->heads;
    double rate = flops / seconds, blas_rate = flops / blas_seconds;
    double peak_rate = bench_peak_flops() * 1e-9 / bench_seconds(bench, &sides[2]);
    table_cell(table, "%d x %d", a->queries, a->keys);
    table_cell(table, "%d x %d", a->heads, a->size);
    table_cell(table, "%.3f", seconds * 1e3);
    table_cell(table, "%.1f", rate);
    table_cell(table, "%.1f", blas_rate);
    table_cell(table, "%.2f", rate / blas_rate);
    table_cell(table, "%.2f", rate / peak_rate);
    json_array_append_new(list, json_pack("{s:i,s:i,s:i,s:i,s:f,s:f,s:f,s:f,s:f}", "queries", a->queries,
                                          "keys", a->keys, "heads", a->heads, "size", a->size, "ours_ms",
                                          seconds * 1e3, "ours_gflops", rate, "openblas_gflops", blas_rate,
                                          "speed_against_openblas", rate / blas_rate, "share_of_peak",
                                          rate / peak_rate));
}

bool bench_attention(const struct bench *bench, json_t *results, struct error *err)
{
    struct bench_peak peak;
    if (!bench_peak_init(&peak, err))
        return false;
    json_t *list = json_array();
    json_object_set_new(results, "modules", list);
    bench_print(bench, "%s", _("\nAttention, fp32 (the two products count; softmax is inside the time)\n"));
    static const struct table_column columns[] = {{N_("queries x keys"), 12},    {N_("heads x size"), 9},
                                                  {N_("ms"), 7},                 {N_("GFLOP/s"), 7},
                                                  {N_("OpenBLAS:\nGFLOP/s"), 7}, {N_("against\nOpenBLAS"), 7},
                                                  {N_("of the\npeak"), 6}};
    struct table table;
    bench_table(bench, &table, columns, sizeof columns / sizeof *columns);
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof sizes / sizeof *sizes; i++) {
        struct module module;
        ok = module_init(&module, &sizes[i], bench) ||
             error_no_memory(err, "the tokens of an attention module");
        if (ok)
            measure_module(bench, &module, &peak, &table, list);
        module_free(&module);
    }
    bench_peak_free(&peak);
    return ok;
}
