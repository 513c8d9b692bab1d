// Training steps on scenes made beforehand, against a PyTorch twin of the same model (tools/bench-train-twin.py) where
// Debian's python3-torch is installed.
#include "app/assets.h"
#include "app/bench_side.h"
#include "engine/learn/shape.h"
#include "engine/learn/trainer.h"
#include "engine/math/blas.h"
#include "engine/math/measure.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCENES = 12, QUESTIONS = 8, PATCHES = 64, PATH = ASSETS_PATH + 64 };

static const char PYTHON[] = "/usr/bin/python3";

// The twin runs as a child: a line in, one training step, "cpu wall" seconds out.
struct twin {
    pid_t pid;
    FILE *to, *from;
    double cpu[MEASURE_ROUNDS_MAX * 64];
    int steps;
    bool broken;
};

static bool find_twin(char path[PATH])
{
    char assets[ASSETS_PATH];
    if (!assets_find(assets, NULL))
        return false;
    snprintf(path, PATH, "%s/../tools/bench-train-twin.py", assets);
    return access(path, R_OK) == 0 && access(PYTHON, X_OK) == 0;
}

static void run_child(const char *script, int threads, const struct language *language, const int in[2],
                      const int out[2])
{
    char count[16], vocabulary[16], answers[16], scenes[16], questions[16], patches[16];
    snprintf(count, sizeof count, "%d", threads);
    snprintf(vocabulary, sizeof vocabulary, "%d", language->vocabulary);
    snprintf(answers, sizeof answers, "%d", language->answers);
    snprintf(scenes, sizeof scenes, "%d", SCENES);
    snprintf(questions, sizeof questions, "%d", QUESTIONS);
    snprintf(patches, sizeof patches, "%d", PATCHES);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
    // Its own BLAS shall use as many threads, and the same kernels as ours (blas.h).
    setenv("OPENBLAS_NUM_THREADS", count, 1);
    setenv("OMP_NUM_THREADS", count, 1);
    if (dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) >= 0) // that there is no PyTorch is said by us
        execl(PYTHON, PYTHON, script, "--threads", count, "--vocabulary", vocabulary, "--answers", answers, "--scenes",
              scenes, "--questions", questions, "--patches", patches, (char *)NULL);
    _exit(127);
}

static void twin_stop(struct twin *twin)
{
    if (twin->to)
        fclose(twin->to);
    if (twin->from)
        fclose(twin->from);
    if (twin->pid > 0) {
        kill(twin->pid, SIGTERM);
        waitpid(twin->pid, NULL, 0);
    }
    *twin = (struct twin){0};
}

// Warmed up. False when there is no such twin here: no Python, no PyTorch, not a source tree.
static bool twin_start(struct twin *twin, int threads, const struct language *language)
{
    char script[PATH];
    int in[2], out[2];
    *twin = (struct twin){0};
    if (!find_twin(script) || pipe(in) != 0)
        return false;
    if (pipe(out) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    twin->pid = fork();
    if (twin->pid == 0)
        run_child(script, threads, language, in, out);
    close(in[0]);
    close(out[1]);
    twin->to = fdopen(in[1], "w");
    twin->from = fdopen(out[0], "r");
    char ready[8];
    if (twin->pid < 0 || !twin->to || !twin->from || fscanf(twin->from, "%7s", ready) != 1 || strcmp(ready, "ready")) {
        twin_stop(twin);
        return false;
    }
    return true;
}

static void twin_step(void *context)
{
    struct twin *twin = context;
    double cpu, wall;
    if (twin->broken)
        return;
    if (fputs("step\n", twin->to) < 0 || fflush(twin->to) != 0 || fscanf(twin->from, "%lf %lf", &cpu, &wall) != 2)
        twin->broken = true;
    else if (twin->steps < (int)(sizeof twin->cpu / sizeof *twin->cpu))
        twin->cpu[twin->steps++] = cpu;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// CPU time of the child is not the parent's to measure: it reports its own.
static double twin_seconds(const struct bench *bench, struct twin *twin, const struct measure_case *measured)
{
    if (bench->threads > 1)
        return bench_seconds(bench, measured);
    qsort(twin->cpu, (size_t)twin->steps, sizeof *twin->cpu, by_size);
    return twin->cpu[twin->steps / 2];
}

static void our_step(void *context)
{
    trainer_step(context);
}

static struct trainer *make_trainer(const struct world *world, const struct language *language, int threads,
                                    struct error *err)
{
    struct trainer_options options = {.config = shape_default(language), .settings = train_settings_default(false),
                                      .world = world, .threads = threads, .fixed_scenes = SCENES};
    options.settings.scenes = SCENES;
    options.settings.questions = QUESTIONS;
    options.settings.patches_low = options.settings.patches_high = PATCHES;
    options.settings.total = 1000000000; // never the tail of the run
    return trainer_new(&options, err);
}

static bool report(const struct bench *bench, json_t *results, struct twin *twin, struct measure_case *cases,
                   struct error *err)
{
    double ours = SCENES * QUESTIONS / bench_seconds(bench, &cases[0]);
    bench_print(bench, _("\ntraining, %d scenes of %d questions a step, %d patches in the fusion layers\n"), SCENES, QUESTIONS,
                PATCHES);
    double memory = bench_peak_memory(0);
    bench_print(bench, _("ours     %7.1f questions/s, peak memory %.0f MB\n"), ours, memory);
    json_object_set_new(results, "questions_per_second", json_real(ours));
    json_object_set_new(results, "peak_memory_mb", json_real(memory));
    if (!twin->pid) {
        bench_print(bench, "%s", _("no PyTorch twin: it needs the source tree and Debian's python3-torch\n"));
        return true;
    }
    if (twin->broken)
        return error_set(err, ERROR_MACHINE, "the PyTorch twin of the training benchmark has stopped");
    double theirs = SCENES * QUESTIONS / twin_seconds(bench, twin, &cases[1]);
    double its_memory = bench_peak_memory(twin->pid);
    bench_print(bench, _("PyTorch  %7.1f questions/s, peak memory %.0f MB; ours are %.2f times as many\n"), theirs, its_memory,
                ours / theirs);
    json_object_set_new(results, "pytorch_peak_memory_mb", json_real(its_memory));
    json_object_set_new(results, "pytorch_questions_per_second", json_real(theirs));
    json_object_set_new(results, "ratio", json_real(ours / theirs));
    return true;
}

static bool compare(const struct bench *bench, json_t *results, struct trainer *trainer,
                    const struct language *language, struct error *err)
{
    struct twin twin;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before); // a twin that dies is noticed by what it does not say
    bool twins = twin_start(&twin, bench->threads, language);
    struct measure_case cases[] = {{.run = our_step, .context = trainer}, {.run = twin_step, .context = &twin}};
    blas_set_threads(1); // our workers are the parallelism
    bench_measure(bench, cases, twins ? 2 : 1);
    blas_set_threads(bench->threads);
    bool ok = report(bench, results, &twin, cases, err);
    twin_stop(&twin);
    sigaction(SIGPIPE, &before, NULL);
    return ok;
}

bool bench_train(const struct bench *bench, json_t *results, struct error *err)
{
    char assets[ASSETS_PATH];
    struct language language = {0};
    bench_peak_memory_reset();
    struct world *world = assets_find(assets, err) ? world_open(assets, &WORLD_DEFAULT, err) : NULL;
    bool ok = world && language_init(&language, world, err);
    struct trainer *trainer = ok ? make_trainer(world, &language, bench->threads, err) : NULL;
    ok = trainer && compare(bench, results, trainer, &language, err);
    trainer_free(trainer);
    language_free(&language);
    world_free(world);
    return ok;
}
