// What pruning gives back as time in a full-size METER or BLIP: tokens at the same share in every layer, and heads apart.
// The efficiency is speed-up / FLOPs reduction against our own fastest dense path; trimmers and gathers are inside, and so
// is the pass over the words alone by which BLIP's trimmers of patches are guided: the first stage runs it. Of each side the
// fastest pass counts: what else a machine does can only add to one. What trimmers and gathers take is less than its speed
// changes between two passes: it is measured stage by stage.
#include "app/bench_model.h"

#include "engine/base/memory.h"
#include "engine/prune/budget.h"
#include "ui/table.h"

#include <math.h>

// Dense, the shares, half of the heads; last, as it is measured in another way, everything kept by trimmers that
// have looked at it.
enum { SHARES = 5, HEADS = SHARES + 1, LOOKED, VARIANTS };

static const struct {
    double share, bar;
    const char *what[2]; // of METER, of BLIP
} shares[SHARES] = {
    {0.9,
     0.92,
     {N_(/* xgettext:no-c-format */ "METER: speed-up / FLOPs cut, 90 % of the tokens"),
      N_(/* xgettext:no-c-format */ "BLIP: speed-up / FLOPs cut, 90 % of the tokens")}},
    {0.7,
     0.92,
     {N_(/* xgettext:no-c-format */ "METER: speed-up / FLOPs cut, 70 % of the tokens"),
      N_(/* xgettext:no-c-format */ "BLIP: speed-up / FLOPs cut, 70 % of the tokens")}},
    {0.5,
     0.92,
     {N_(/* xgettext:no-c-format */ "METER: speed-up / FLOPs cut, 50 % of the tokens"),
      N_(/* xgettext:no-c-format */ "BLIP: speed-up / FLOPs cut, 50 % of the tokens")}},
    {0.3,
     0.87,
     {N_(/* xgettext:no-c-format */ "METER: speed-up / FLOPs cut, 30 % of the tokens"),
      N_(/* xgettext:no-c-format */ "BLIP: speed-up / FLOPs cut, 30 % of the tokens")}},
    {0.2,
     0.82,
     {N_(/* xgettext:no-c-format */ "METER: speed-up / FLOPs cut, 20 % of the tokens"),
      N_(/* xgettext:no-c-format */ "BLIP: speed-up / FLOPs cut, 20 % of the tokens")}},
};

static const char *const heads_what[2] = {N_("METER: share of the heads' cost given back as time"),
                                          N_("BLIP: share of the heads' cost given back as time")};
static const char *const trimmers_what[2] = {N_("METER: trimmers and gathers, share of the dense time"),
                                             N_("BLIP: trimmers and gathers, share of the dense time")};
static const double heads_bar = 0.8, trimmers_bar = 0.03;

struct variant {
    double share; // of the tokens, NaN: of the heads
    struct bench_forward forward;
    struct bench_side side;
    double gflop, seconds; // of the fastest pass
    int patches;           // with CLS
};

// The same shares in every layer of every stack.
static void uniform_counts(const struct bench_model *model, double tokens, double heads, struct budget_counts *counts)
{
    const struct model_config *config = &model->model->config;
    int patches = model_grid(config) * model_grid(config);
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < model_stack_layers(config, (enum model_stack)s); l++) {
            int all = model_stack_is_text((enum model_stack)s) ? model->words - 1 : patches; // CLS is always there
            counts->tokens[s][l] = 1 + (int)lround(tokens * all);
            counts->msa[s][l] = counts->mca[s][l] = (int)lround(heads * model_stack_heads(config, (enum model_stack)s));
        }
}

static bool variant_init(struct variant *v, const struct bench *bench, const struct bench_model *model, int index,
                         struct error *err)
{
    double tokens = index > 0 && index <= SHARES ? shares[index - 1].share : 1, heads = index == HEADS ? 0.5 : 1;
    struct budget_counts counts = {{{0}}, {{0}}, {{0}}};
    struct bench_time time;
    bool looked = index == LOOKED;
    struct run *run = bench_model_run(model, bench, tokens < 1 || looked, heads < 1 || looked, NULL, NULL, err);
    if (!run)
        return false;
    uniform_counts(model, tokens, heads, &counts);
    if (index > 0)
        run_set_counts(run, POLICY_LEARNED_FIXED, &counts);
    *v = (struct variant){.share = tokens < 1 ? tokens : heads,
                          .forward = {run, &model->model->config, BENCH_WHOLE},
                          .patches = counts.tokens[STACK_IMAGE][0]};
    v->side = (struct bench_side){.run = bench_forward_side, .context = &v->forward};
    if (!bench_forward_side(&v->forward, &time, err))
        return false;
    v->gflop = 2e-9 * run_trace(run)->spent_macs;
    return true;
}

static json_t *report_row(struct table *table, const char *name, const struct variant *dense, const struct variant *v)
{
    double cut = dense->gflop / v->gflop, gain = dense->seconds / v->seconds;
    table_cell(table, "%s", name);
    table_cell(table, "%d", v->patches);
    table_cell(table, "%.0f", v->seconds * 1e3);
    table_cell(table, "%.1f", v->gflop);
    table_cell(table, "%.1f", v->gflop / v->seconds);
    table_cell(table, "%.2f", cut);
    table_cell(table, "%.2f", gain);
    table_cell(table, "%.2f", gain / cut);
    return json_pack("{s:f,s:i,s:f,s:f,s:f,s:f,s:f}", "share", v->share, "patches", v->patches, "ms", v->seconds * 1e3,
                     "gflop", v->gflop, "flops_reduction", cut, "speedup", gain, "efficiency", gain / cut);
}

// One pass in a quiet moment is all that a side needs, but that it does.
static int passes(const struct bench *bench)
{
    return 2 * bench->rounds < BENCH_ROUNDS ? 2 * bench->rounds : BENCH_ROUNDS;
}

// What trimmers that look at everything add to a pass, in seconds: in the first stage, and in all that follow.
struct looking {
    double guide, rest;
};

static bool time_stage(const struct bench *bench, struct run *run, double *fastest, struct error *err)
{
    struct bench_time start = bench_clock();
    bool ok = run_step(run, err);
    struct bench_time spent = bench_since(start);
    *fastest = fmin(*fastest, bench_counted(bench, spent.wall, spent.cpu));
    return ok;
}

// Each stage of both runs right after the other's, now this one first and now that; of each the fastest counts.
static bool measure_looking(const struct bench *bench, struct run *dense, struct run *looked, struct looking *looking,
                            struct error *err)
{
    int stages = run_trace(dense)->stage_total;
    struct run *const runs[] = {dense, looked};
    double(*fastest)[2] = memory_alloc((size_t)stages, sizeof *fastest);
    bool ok = fastest || error_no_memory(err, "the measurements");
    for (int i = 0; ok && i < stages; i++)
        fastest[i][0] = fastest[i][1] = HUGE_VAL;
    for (int r = 0; ok && r < passes(bench); r++) {
        run_restart(dense);
        run_restart(looked);
        for (int i = 0; ok && i < stages; i++) {
            int first = (r + i) % 2;
            ok = time_stage(bench, runs[first], &fastest[i][first], err) &&
                 time_stage(bench, runs[!first], &fastest[i][!first], err);
        }
    }
    *looking = (struct looking){0};
    for (int i = 0; ok && i < stages; i++)
        *(i ? &looking->rest : &looking->guide) += fastest[i][1] - fastest[i][0];
    memory_free(fastest);
    return ok;
}

static void report(const struct bench *bench, const struct bench_model *model, const struct variant variants[VARIANTS],
                   const struct looking *looking, json_t *results)
{
    const struct variant *dense = &variants[0], *heads = &variants[HEADS], *looked = &variants[LOOKED];
    char name[48];
    static const struct table_column columns[] = {{"", -20},           {N_("rows"), 5},    {N_("ms"), 7},
                                                  {N_("GFLOP"), 7},    {N_("GFLOP/s"), 7}, {N_("FLOPs cut"), 9},
                                                  {N_("speed-up"), 8}, {N_("efficiency"), 9}};
    struct table table;
    bench_print(bench,
                _("%s of full size at %d px, %d tokens of text, pruned alike in every layer of every encoder and of the "
                  "fusion\n"),
                bench_kind_name(model->kind), model->model->config.image_size, model->words);
    bench_table(bench, &table, columns, sizeof columns / sizeof *columns);
    json_t *list = json_array();
    json_object_set_new(results, "tokens", list);
    json_object_set_new(results, "dense", report_row(&table, _("dense"), dense, dense));
    for (int i = 0; i < SHARES; i++) {
        snprintf(name, sizeof name, _("%.0f %% of the tokens"), 100 * shares[i].share);
        json_array_append_new(list, report_row(&table, name, dense, &variants[1 + i]));
    }
    json_object_set_new(results, "heads", report_row(&table, _("half of the heads"), dense, heads));
    json_object_set_new(results, "looked", report_row(&table, _("all kept, trimmers run"), dense, looked));
    for (int i = 0; i < SHARES; i++) {
        const struct variant *v = &variants[1 + i];
        double efficiency = dense->seconds / v->seconds * v->gflop / dense->gflop;
        bench_bar(results, &(struct bench_bar){shares[i].what[model->kind], "", efficiency, shares[i].bar, false});
    }
    double given = (1 - heads->seconds / dense->seconds) / (1 - heads->gflop / dense->gflop);
    double guide = looking->guide / dense->seconds, trimmers = looking->rest / dense->seconds;
    bench_print(bench, _("of each, the fastest of %d passes in turn: what disturbs one can only add to it\n"),
                passes(bench));
    bench_print(bench, _("of what half of the heads cost, %.0f %% come back as time; trimmers and gathers take %.1f %%\n"),
                100 * given, 100 * trimmers);
    if (model->kind == BENCH_BLIP)
        bench_print(bench, _("the pass over the words alone that guides them takes %.1f %%\n"), 100 * guide);
    bench_bar(results, &(struct bench_bar){heads_what[model->kind], "", given, heads_bar, false});
    bench_bar(results, &(struct bench_bar){trimmers_what[model->kind], "", trimmers, trimmers_bar, true});
    json_object_set_new(results, "heads_saving_given_back", json_real(given));
    json_object_set_new(results, "trimmers_share", json_real(trimmers));
    json_object_set_new(results, "guide_share", json_real(guide));
}

static bool measure(const struct bench *bench, const struct bench_model *model, struct variant variants[VARIANTS],
                    json_t *results, struct error *err)
{
    struct variant *dense = &variants[0], *looked = &variants[LOOKED];
    struct bench_side *sides[LOOKED];
    struct looking looking;
    struct bench often = *bench;
    often.rounds = passes(bench);
    for (int i = 0; i < VARIANTS; i++)
        if (!variant_init(&variants[i], bench, model, i, err))
            return false;
    for (int i = 0; i < LOOKED; i++)
        sides[i] = &variants[i].side;
    if (!bench_sides(&often, sides, LOOKED, err) ||
        !measure_looking(bench, dense->forward.run, looked->forward.run, &looking, err))
        return false;
    for (int i = 0; i < LOOKED; i++)
        variants[i].seconds = sides[i]->samples[0];
    looked->seconds = dense->seconds + looking.guide + looking.rest;
    report(bench, model, variants, &looking, results);
    return true;
}

static bool bench_kind(const struct bench *bench, enum bench_kind kind, json_t *results, struct error *err)
{
    struct bench_model model;
    struct variant *variants = memory_alloc(VARIANTS, sizeof *variants);
    if (!variants)
        return error_no_memory(err, "the measurements");
    bench_peak_memory_reset();
    bench_print(bench, _("\n%s of full size: making random weights ...\n"), bench_kind_name(kind));
    bool ok = bench_model_open(&model, kind, err) && measure(bench, &model, variants, results, err);
    for (int i = 0; i < VARIANTS; i++)
        run_free(variants[i].forward.run);
    bench_model_close(&model);
    memory_free(variants);
    return ok;
}

bool bench_prune(const struct bench *bench, json_t *results, struct error *err)
{
    return bench_kind(bench, BENCH_METER, results, err);
}

bool bench_prune_blip(const struct bench *bench, json_t *results, struct error *err)
{
    return bench_kind(bench, BENCH_BLIP, results, err);
}
