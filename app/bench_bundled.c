// The bundled model on questions of its world, dense and at a budget: what its pruning gives back as time.
#include "app/bench_side.h"
#include "engine/base/memory.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "engine/world/world.h"
#include "ui/table.h"

#include <math.h>

enum { QUESTIONS = 40, SIDES = 2 };
static const double budget = 0.4, least_efficiency = 0.8;
static const uint64_t seed = 40; // of the scenes

struct asked {
    struct world_scene scene;
    struct world_question question;
};

// All questions under one policy, one after the other in one run; taking in picture and words is not timed.
struct set {
    struct asked *asked; // QUESTIONS of them
    struct run *run;
    struct bench_side side;
    double gflop; // of one question, mean
};

static struct picture picture_of(struct asked *asked)
{
    return (struct picture){
        .width = WORLD_SIDE, .height = WORLD_SIDE, .channels = 3, .pixels = asked->scene.pixels};
}

static bool answer(struct set *set, struct asked *asked, struct bench_time *time, struct error *err)
{
    struct picture picture = picture_of(asked);
    const struct picture *pictures[] = {&picture};
    if (!run_show(set->run, pictures, 1, err) || !run_ask(set->run, asked->question.text, err))
        return false;
    struct bench_time start = bench_clock();
    while (run_step(set->run, err))
        continue;
    struct bench_time spent = bench_since(start);
    time->wall += spent.wall;
    time->cpu += spent.cpu;
    set->gflop += 2e-9 * run_trace(set->run)->spent_macs / QUESTIONS;
    return run_finished(set->run);
}

static bool run_set(void *context, struct bench_time *time, struct error *err)
{
    struct set *set = context;
    *time = (struct bench_time){0};
    set->gflop = 0;
    for (int i = 0; i < QUESTIONS; i++)
        if (!answer(set, &set->asked[i], time, err))
            return false;
    return true;
}

static bool set_init(struct set *set, const struct bench *bench, const struct model *model, struct asked *asked,
                     bool dense, struct error *err)
{
    struct run_options options = run_options_default();
    struct picture picture = picture_of(asked);
    const struct picture *pictures[] = {&picture};
    options.policy = dense ? POLICY_NONE : POLICY_LEARNED;
    options.budget = dense ? (double)NAN : budget;
    options.bare = true;
    options.pool = bench->threads > 1 ? bench->pool : NULL;
    set->asked = asked;
    set->run = run_new(model, pictures, 1, asked->question.text, &options, err);
    set->side = (struct bench_side){.run = run_set, .context = set};
    return set->run != NULL;
}

// One question of each scene.
static void make_questions(const struct world *world, struct asked *asked)
{
    int count = 0;
    for (uint64_t i = 0; count < QUESTIONS; i++)
        count += world_make_scene(world, seed, i, &asked[count].scene) &&
                 world_make_questions(world, seed, i, &asked[count].scene, &asked[count].question, 1) == 1;
}

static void report(const struct bench *bench, const struct model *model, const struct set sets[SIDES], json_t *results)
{
    static const char *const names[SIDES] = {N_("dense"), N_("budget 0.4")}, *const keys[SIDES] = {"dense", "pruned"};
    double ms[SIDES], efficiency = 1;
    bench_print(bench, _("\n%s (%.1f M parameters), %d questions about pictures of its world, mean of one question\n"),
                model->config.name, model->parameters * 1e-6, QUESTIONS);
    static const struct table_column columns[] = {{"", -14},           {N_("ms"), 8},       {N_("MFLOP"), 8},
                                                  {N_("GFLOP/s"), 8},  {N_("FLOPs cut"), 9}, {N_("speed-up"), 8},
                                                  {N_("efficiency"), 9}};
    struct table table;
    bench_table(bench, &table, columns, sizeof columns / sizeof *columns);
    for (int s = 0; s < SIDES; s++) {
        ms[s] = sets[s].side.seconds * 1e3 / QUESTIONS;
        double cut = sets[0].gflop / sets[s].gflop, gain = ms[0] / ms[s];
        efficiency = gain / cut;
        table_cell(&table, "%s", _(names[s]));
        const double figures[] = {ms[s], sets[s].gflop * 1e3, sets[s].gflop / ms[s] * 1e3, cut, gain, efficiency};
        for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
            table_cell(&table, i == 1 || i == 2 ? "%.1f" : "%.2f", figures[i]);
        json_object_set_new(results, keys[s],
                            json_pack("{s:f,s:f,s:f,s:f,s:f}", "ms", ms[s], "mflop", sets[s].gflop * 1e3,
                                      "flops_reduction", cut, "speedup", gain, "efficiency", efficiency));
    }
    bench_bar(results, &(struct bench_bar){N_("speed-up / FLOPs cut, bundled model at budget 0.4"), "", efficiency,
                                           least_efficiency, false});
    double memory = bench_peak_memory(0);
    bench_print(bench, _("peak memory: %.0f MB\n"), memory);
    json_object_set_new(results, "peak_memory_mb", json_real(memory));
}

static bool measure(const struct bench *bench, const struct model *model, const struct world *world, json_t *results,
                    struct error *err)
{
    struct set sets[SIDES] = {{.run = NULL}, {.run = NULL}};
    struct bench_side *sides[SIDES];
    struct asked *asked = memory_alloc(QUESTIONS, sizeof *asked);
    bool ok = asked || error_no_memory(err, "questions to measure with");
    if (ok)
        make_questions(world, asked);
    for (int s = 0; s < SIDES; s++) {
        ok = ok && set_init(&sets[s], bench, model, asked, s == 0, err);
        sides[s] = &sets[s].side;
    }
    ok = ok && bench_sides(bench, sides, SIDES, err);
    if (ok)
        report(bench, model, sets, results);
    for (int s = 0; s < SIDES; s++)
        run_free(sets[s].run);
    memory_free(asked);
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
    struct world *world = model ? world_open(assets, &WORLD_DEFAULT, err) : NULL;
    bool ok = world && measure(bench, model, world, results, err);
    world_free(world);
    model_free(model);
    return ok;
}
