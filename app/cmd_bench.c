// `trimscope bench`: speed on this machine as ratios, each side measured in the same run.
#include "app/bench.h"
#include "app/bench_side.h"
#include "app/commands.h"
#include "app/options.h"
#include "engine/base/thread.h"
#include "engine/base/version.h"
#include "engine/math/blas.h"
#include "engine/math/math.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct section {
    const char *name;
    bool (*run)(const struct bench *bench, json_t *results, struct error *err);
} sections[] = {
#define SECTION_ROW(name, function, summary) {#name, function},
    BENCH_SECTIONS(SECTION_ROW)
#undef SECTION_ROW
};
enum { SECTION_COUNT = sizeof sections / sizeof *sections };

static bool wanted(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return true;
    return count == 0;
}

static bool check_names(const char *const *names, int count, struct error *err)
{
    for (int i = 0; i < count; i++) {
        bool known = false;
        for (int s = 0; s < SECTION_COUNT; s++)
            known |= !strcmp(names[i], sections[s].name);
        if (!known)
            return error_set(err, ERROR_USAGE, "\"%s\" is no section; see `trimscope bench --help`",
                             names[i]);
    }
    return true;
}

void bench_processor_name(char name[BENCH_PROCESSOR])
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, BENCH_PROCESSOR, "unknown processor");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "model name : %63[^\n]", name) == 1)
            break;
    if (file)
        fclose(file);
}

static json_t *describe_machine(const struct bench *bench)
{
    char processor[BENCH_PROCESSOR];
    double load[1] = {-1};
    if (getloadavg(load, 1) != 1)
        load[0] = -1;
    bench_processor_name(processor);
    const char *clock = bench->threads == 1 ? "CPU" : "wall";
    bench_print(bench, _("trimscope %s, kernels %s, %s (%s)\n%s, threads: %d of %d (%s), load %.1f\n"), version_text(),
                math_variant(), blas_version(), blas_core(), processor, bench->threads, thread_processors(),
                bench->threads == 1 ? _("CPU time") : _("wall time"), load[0]);
    if (blas_falls_short())
        bench_print(
            bench,
            _("OpenBLAS does not use this processor's AVX-512 (%s is \"%s\"): it runs at about half of its "
              "speed.\n"),
            BLAS_CORE_VARIABLE, getenv(BLAS_CORE_VARIABLE) ? getenv(BLAS_CORE_VARIABLE) : "");
    return json_pack("{s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:i,s:i,s:f}", "trimscope", version_text(), "processor",
                     processor, "openblas_configuration", blas_version(), "openblas_falls_short", blas_falls_short(),
                     "time", clock, "kernels", math_variant(), "openblas", blas_core(), "threads", bench->threads,
                     "processors", thread_processors(), "load", load[0]);
}

static bool run_sections(const struct bench *bench, const char *const *names, int count, json_t *results,
                         struct error *err)
{
    json_object_set_new(results, "machine", describe_machine(bench));
    for (int s = 0; s < SECTION_COUNT; s++) {
        if (!wanted(sections[s].name, names, count))
            continue;
        json_t *result = json_object();
        json_object_set_new(results, sections[s].name, result);
        if (!sections[s].run(bench, result, err))
            return false;
    }
    bench_print_bars(bench, results);
    return true;
}

int cmd_bench(int argc, char **argv)
{
    long threads = 1, rounds = 7, sample = 30;
    bool json = false;
    const char *model = NULL;
    const struct option_row rows[] = {
        {"threads", OPTION_NUMBER, &threads, "N", N_("for our kernels and for OpenBLAS (default 1)"), 1, 256},
        {"rounds", OPTION_NUMBER, &rounds, "N", N_("samples of each side, whose median counts (default 7)"), 1,
         32},
        {"sample", OPTION_NUMBER, &sample, "MS", N_("milliseconds that a sample lasts at least (default 30)"), 0,
         10000},
        OPTION_ROW_MODEL(&model),
        OPTION_ROW_JSON(&json, N_("the numbers as JSON instead of tables")),
#define SECTION_WORD(name, function, summary) {#name, OPTION_WORD, NULL, NULL, summary, 0, 0},
        BENCH_SECTIONS(SECTION_WORD)
#undef SECTION_WORD
        OPTION_ROW_END,
    };
    const struct option_command command = {
        "bench", N_("bench [options] [SECTION ...]"),
        N_("Measures the speed of this machine's kernels and prints it as ratios; all sides of a ratio are measured in the "
           "same run, in turn, and medians are compared (of pruned passes of full size the fastest): a busy machine moves "
           "absolute numbers, hardly the ratios. Without SECTION everything is measured."),
        rows, 0, SECTION_COUNT};
    const char *names[SECTION_COUNT];
    int count, status;
    if (!options_parse(&command, argc, argv, names, &count, &status))
        return status;
    struct error err = {0};
    struct bench bench = {.threads = (int)threads,
                          .json = json,
                          .rounds = (int)rounds,
                          .sample_seconds = (double)sample * 1e-3,
                          .settle_seconds = threads > 1 ? 0.03 : 0,
                          .model = model};
    json_t *results = json_object();
    bool ok = check_names(names, count, &err);
    if (ok) {
        bench.pool = thread_pool_new(bench.threads);
        blas_set_threads(bench.threads);
        ok = (bench.pool || error_no_memory(&err, "threads")) &&
             run_sections(&bench, names, count, results, &err);
    }
    if (ok && json && json_dumpf(results, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(5)) != 0)
        ok = error_set(&err, ERROR_MACHINE, "cannot write the results to standard output");
    if (ok && json)
        putchar('\n');
    thread_pool_free(bench.pool);
    json_decref(results);
    if (!ok)
        fprintf(stderr, "trimscope bench: %s\n", err.text);
    return (int)err.code;
}
