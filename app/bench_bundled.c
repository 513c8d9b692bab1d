// The bundled model on questions of its world, dense and at a budget: what its pruning gives back as time.
#include "app/bench_side.h"
#include "engine/base/memory.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "engine/world/world.h"

#include <math.h>
#include <string.h>

enum { QUESTIONS = 40, SIDES = 2 };
static const double budget = 0.4, least_efficiency = 0.8;
static const uint64_t seed = 40; // of the scenes

// All questions under one policy; each has a run of its own, so that nothing but the model's work is timed.
struct set {
    struct run *runs[QUESTIONS];
    int count;
    struct bench_side side;
};

static bool run_set(void *context, struct bench_time *time, struct error *err)
{
    struct set *set = context;
    for (int i = 0; i < set->count; i++)
        run_restart(set->runs[i]);
    struct bench_time start = bench_clock();
    for (int i = 0; i < set->count; i++)
        while (run_step(set->runs[i], err))
            continue;
    *time = bench_since(start);
    for (int i = 0; i < set->count; i++)
        if (!run_finished(set->runs[i]))
            return false;
    return true;
}

static bool add_question(struct set *set, const struct bench *bench, const struct model *model,
                         const struct picture *picture, const char *question, bool dense, struct error *err)
{
    struct run_options options = run_options_default();
    options.policy = dense ? POLICY_NONE : POLICY_LEARNED;
    options.budget = dense ? (double)NAN : budget;
    options.bare = true;
    options.pool = bench->threads > 1 ? bench->pool : NULL;
    struct run *run = run_new(model, &picture, 1, question, &options, err);
    if (run)
        set->runs[set->count++] = run;
    return run != NULL;
}

// One question of each scene.
static bool fill_sets(struct set sets[SIDES], const struct bench *bench, const struct model *model,
                      const struct world *world, struct world_scene *scene, struct error *err)
{
    struct picture picture = {.width = WORLD_SIDE, .height = WORLD_SIDE, .channels = 3, .pixels = scene->pixels};
    struct world_question question;
    for (uint64_t i = 0; sets[0].count < QUESTIONS; i++) {
        if (!world_make_scene(world, seed, i, scene) || world_make_questions(world, seed, i, scene, &question, 1) < 1)
            continue;
        for (int s = 0; s < SIDES; s++)
            if (!add_question(&sets[s], bench, model, &picture, question.text, s == 0, err))
                return false;
    }
    return true;
}

static double gflop(const struct set *set)
{
    double sum = 0;
    for (int i = 0; i < set->count; i++)
        sum += 2e-9 * run_trace(set->runs[i])->spent_macs;
    return sum / set->count;
}

static void report(const struct bench *bench, const struct model *model, const struct set sets[SIDES], json_t *results)
{
    static const char *const names[SIDES] = {"dense", "pruned"};
    double work[SIDES], ms[SIDES];
    bench_print(bench, "\n%s (%.1f M parameters), %d questions about pictures of its world, mean of one question\n"
                       "  %-22s %9s %9s %9s %10s %9s %11s\n",
                model->config.name, model->parameters * 1e-6, QUESTIONS, "", "ms", "MFLOP", "GFLOP/s", "FLOPs cut",
                "speed-up", "efficiency");
    for (int s = 0; s < SIDES; s++) {
        work[s] = gflop(&sets[s]);
        ms[s] = sets[s].side.seconds * 1e3 / sets[s].count;
        double cut = work[0] / work[s], gain = ms[0] / ms[s];
        bench_print(bench, "  %-22s %9.2f %9.1f %9.1f %10.2f %9.2f %11.2f\n", names[s], ms[s], work[s] * 1e3,
                    work[s] / ms[s] * 1e3, cut, gain, gain / cut);
        json_object_set_new(results, names[s],
                            json_pack("{s:f,s:f,s:f,s:f,s:f}", "ms", ms[s], "mflop", work[s] * 1e3, "flops_reduction",
                                      cut, "speedup", gain, "efficiency", gain / cut));
    }
    bench_bar(bench, results, &(struct bench_bar){"speed-up / FLOPs cut, bundled model at budget 0.4", "",
                                                  ms[0] / ms[1] * work[1] / work[0], least_efficiency, false});
    double memory = bench_peak_memory(0);
    bench_print(bench, "  peak memory with %d prepared runs: %.0f MB\n", SIDES * QUESTIONS, memory);
    json_object_set_new(results, "peak_memory_mb", json_real(memory));
}

static bool measure(const struct bench *bench, const struct model *model, const struct world *world, json_t *results,
                    struct error *err)
{
    struct set sets[SIDES] = {{.count = 0}, {.count = 0}};
    struct world_scene *scene = memory_alloc(1, sizeof *scene);
    bool ok = scene ? fill_sets(sets, bench, model, world, scene, err) : error_no_memory(err, "a scene");
    struct bench_side *sides[SIDES];
    for (int s = 0; s < SIDES; s++) {
        sets[s].side = (struct bench_side){.run = run_set, .context = &sets[s]};
        sides[s] = &sets[s].side;
    }
    ok = ok && bench_sides(bench, sides, SIDES, err);
    if (ok)
        report(bench, model, sets, results);
    for (int s = 0; s < SIDES; s++)
        for (int i = 0; i < sets[s].count; i++)
            run_free(sets[s].runs[i]);
    memory_free(scene);
    return ok;
}

bool bench_bundled(const struct bench *bench, json_t *results, struct error *err)
{
    char assets[ASSETS_PATH], path[ASSETS_PATH];
    bench_peak_memory_reset();
    if (!bench_find_model(bench, results, path))
        return true;
    if (!assets_find(assets, err))
        return false;
    struct model *model = model_open(path, NULL, err);
    struct world *world = model ? world_open(assets, err) : NULL;
    bool ok = world && measure(bench, model, world, results, err);
    world_free(world);
    model_free(model);
    return ok;
}
