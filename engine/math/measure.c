#include "engine/math/measure.h"

#include "engine/base/thread.h"

#include <stdlib.h>
#include <time.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void settle(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    if (seconds > 0)
        nanosleep(&t, NULL);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void take_sample(struct measure_case *c, int round, double sample_seconds)
{
    double wall = clock_seconds(), cpu = cpu_seconds(), spent;
    long runs = 0;
    do {
        c->run(c->context);
        runs++;
        spent = clock_seconds() - wall;
    } while (spent < sample_seconds);
    c->wall_samples[round] = spent / (double)runs;
    c->cpu_samples[round] = (cpu_seconds() - cpu) / (double)runs;
}

static double sorted_median(double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof *samples, compare);
    return (samples[(count - 1) / 2] + samples[count / 2]) / 2;
}

void measure_cases(struct measure_case *cases, int count, int rounds, double sample_seconds,
                   double settle_seconds)
{
    rounds = rounds < 1 ? 1 : rounds > MEASURE_ROUNDS_MAX ? MEASURE_ROUNDS_MAX : rounds;
    for (int c = 0; c < count; c++)
        cases[c].run(cases[c].context);
    for (int r = 0; r < rounds; r++)
        for (int c = 0; c < count; c++) {
            settle(settle_seconds);
            take_sample(&cases[c], r, sample_seconds);
        }
    for (int c = 0; c < count; c++) {
        cases[c].wall = sorted_median(cases[c].wall_samples, rounds);
        cases[c].cpu = sorted_median(cases[c].cpu_samples, rounds);
    }
}
