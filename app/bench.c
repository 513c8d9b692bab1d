#include "app/bench.h"

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/math/measure.h"
#include "ui/table.h"

#include <cblas.h>
#include <stdio.h>

enum { PEAK_SIZE = 2048 };

void bench_measure(const struct bench *bench, struct measure_case *cases, int count)
{
    measure_cases(cases, count, bench->rounds, bench->sample_seconds, bench->settle_seconds);
}

double bench_seconds(const struct bench *bench, const struct measure_case *measured)
{
    return bench_counted(bench, measured->wall, measured->cpu);
}

double bench_counted(const struct bench *bench, double wall, double cpu)
{
    return bench->threads == 1 ? cpu : wall;
}

void bench_print(const struct bench *bench, const char *format, ...)
{
    if (bench->json)
        return;
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

void bench_table(const struct bench *bench, struct table *table, const struct table_column *columns, int count)
{
    table_begin(table, bench->json ? NULL : stdout, columns, count);
    fflush(stdout);
}

float *bench_numbers(size_t count)
{
    float *numbers = memory_alloc(count, sizeof *numbers);
    struct random random;
    random_init(&random, 1, 0);
    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = random_range(&random, -1, 1);
    return numbers;
}

bool bench_peak_init(struct bench_peak *peak, struct error *err)
{
    const size_t count = (size_t)PEAK_SIZE * PEAK_SIZE;
    *peak = (struct bench_peak){bench_numbers(count), bench_numbers(count), bench_numbers(count)};
    if (peak->a && peak->b && peak->c)
        return true;
    bench_peak_free(peak);
    return error_no_memory(err, "the matrices of the peak measurement");
}

void bench_peak_free(struct bench_peak *peak)
{
    memory_free(peak->a);
    memory_free(peak->b);
    memory_free(peak->c);
}

void bench_peak_run(void *context)
{
    const struct bench_peak *peak = context;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIZE, PEAK_SIZE, PEAK_SIZE, 1, peak->a,
                PEAK_SIZE, peak->b, PEAK_SIZE, 0, peak->c, PEAK_SIZE);
}

double bench_peak_flops(void)
{
    return 2.0 * PEAK_SIZE * PEAK_SIZE * PEAK_SIZE;
}
