// A full-size METER and BLIP opened as the screen opens them: how soon the first stage is there while the rest of the
// weights still comes, and how much memory the whole run takes beyond one copy of the weights. Each run is a process of
// its own, whose file is in the page cache.
#include "app/bench_model.h"

#include "engine/base/thread.h"
#include "ui/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KINDS = 2, STARTS = 5 };

static const struct {
    const char *first, *memory, *key;
} names[KINDS] = {
    [BENCH_METER] = {N_("METER: opening to the end of the first stage"), N_("METER: memory beyond one copy of the weights"),
                     "meter"},
    [BENCH_BLIP] = {N_("BLIP: opening to the end of the first stage"), N_("BLIP: memory beyond one copy of the weights"),
                    "blip"},
};
static const double first_bar = 500, memory_bar = 300; // ms, MB

struct started {
    double first, whole, memory; // ms, ms, MB
    bool ok;
    struct error err;
};

static bool start(const struct bench *bench, struct bench_model *model, struct started *result)
{
    struct error *err = &result->err;
    struct bench own = *bench; // a child has none of its parent's threads
    bench_peak_memory_reset();
    struct bench_time begin = bench_clock();
    own.pool = thread_pool_new(bench->threads);
    struct run *run = own.pool && bench_model_reopen(model, true, err)
                          ? bench_model_run(model, &own, true, true, NULL, NULL, err)
                          : NULL;
    bool ok = run && run_step(run, err);
    result->first = bench_since(begin).wall * 1e3;
    while (ok && run_step(run, err))
        continue;
    result->whole = bench_since(begin).wall * 1e3;
    result->memory = bench_peak_memory(0);
    return ok && run_finished(run);
}

// In a child process, which leaves without tidying up: its memory is its own.
static bool start_apart(const struct bench *bench, struct bench_model *model, struct started *result, struct error *err)
{
    int ends[2], status = 0;
    *result = (struct started){.ok = false};
    if (pipe(ends) != 0)
        return error_set(err, ERROR_MACHINE, "a pipe cannot be made");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        result->ok = start(bench, model, result);
        ssize_t written = write(ends[1], result, sizeof *result);
        _exit(written == (ssize_t)sizeof *result ? 0 : 1);
    }
    close(ends[1]);
    ssize_t length = child > 0 ? read(ends[0], result, sizeof *result) : -1;
    close(ends[0]);
    if (child > 0)
        waitpid(child, &status, 0);
    if (length != (ssize_t)sizeof *result)
        return error_set(err, ERROR_MACHINE, "a full-size model's run ended early (%d)", status);
    return result->ok || error_set(err, ERROR_MACHINE, "a full-size model's run stopped: %s", result->err.text);
}

static int by_first(const void *a, const void *b)
{
    const struct started *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static bool measure(const struct bench *bench, enum bench_kind kind, struct table *table, json_t *results,
                    struct error *err)
{
    struct bench_model model;
    struct started starts[STARTS];
    double weights = 0;
    bool ok = bench_model_open(&model, kind, err);
    if (ok)
        weights = (double)model.model->weight_bytes / (1 << 20);
    bench_model_drop(&model);
    for (int i = 0; ok && i < STARTS; i++)
        ok = start_apart(bench, &model, &starts[i], err);
    bench_model_close(&model);
    if (!ok)
        return false;
    qsort(starts, STARTS, sizeof *starts, by_first);
    const struct started *middle = &starts[STARTS / 2];
    table_cell(table, "%s", bench_kind_name(kind));
    const double figures[] = {middle->first, middle->whole, weights, middle->memory, middle->memory - weights};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        table_cell(table, "%.0f", figures[i]);
    json_object_set_new(results, names[kind].key,
                        json_pack("{s:f,s:f,s:f,s:f}", "first_stage_ms", middle->first, "whole_run_ms", middle->whole,
                                  "weights_mb", weights, "peak_memory_mb", middle->memory));
    bench_bar(results, &(struct bench_bar){names[kind].first, " ms", middle->first, first_bar, true});
    bench_bar(results, &(struct bench_bar){names[kind].memory, " MB", middle->memory - weights, memory_bar, true});
    return true;
}

bool bench_start(const struct bench *bench, json_t *results, struct error *err)
{
    static const struct table_column columns[] = {{"", -12},
                                                  {N_("first stage:\nms"), 12},
                                                  {N_("whole run:\nms"), 11},
                                                  {N_("weights\nMB"), 8},
                                                  {N_("peak memory\nMB"), 12},
                                                  {N_("beyond the\nweights: MB"), 11}};
    struct table table;
    bench_print(bench, _("\nFull-size models opened in the background, the file in the page cache (wall time, median of %d)\n"),
                STARTS);
    bench_table(bench, &table, columns, sizeof columns / sizeof *columns);
    return measure(bench, BENCH_METER, &table, results, err) && measure(bench, BENCH_BLIP, &table, results, err);
}
