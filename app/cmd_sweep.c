// trimscope sweep: policies times budgets over one question set: accuracy against FLOPs and against measured time.
#include "app/commands.h"
#include "app/options.h"
#include "app/progress.h"
#include "app/page_screen.h"
#include "app/summary.h"
#include "app/sweep_figure.h"
#include "app/sweep_run.h"
#include "engine/base/thread.h"
#include "ui/page.h"
#include "ui/page_set.h"
#include "ui/table.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct settings {
    const char *model, *set, *results, *policies, *budgets;
    struct run_options options;
    long threads, limit;
    bool json, csv, progress, on_screen;
    struct screen_settings screen;
};

struct sweep {
    const struct settings *settings;
    struct sweep_run run;
    struct progress progress;
};

static void start(void *context, int done)
{
    struct sweep *sweep = context;
    const struct sweep_point *point = &sweep->run.points[sweep->run.current];
    char budget[64], what[160];
    const char *policy = title_policy(policy_name(point->policy));
    if (point->policy == POLICY_NONE)
        snprintf(what, sizeof what, _("%s (%d of %d)"), policy, sweep->run.current + 1, sweep->run.count);
    else
        snprintf(what, sizeof what, _("%s, %s (%d of %d)"), policy, summary_budget(point->budget, budget, sizeof budget),
                 sweep->run.current + 1, sweep->run.count);
    progress_start_part(&sweep->progress, what, done);
}

static bool show(void *context, int done, int total)
{
    return progress_show(&((struct sweep *)context)->progress, done, total);
}

static bool print_json(const struct sweep *sweep, struct error *err)
{
    json_t *list = json_array();
    for (int i = 0; i < sweep->run.count; i++) {
        const struct sweep_point *p = &sweep->run.points[i];
        json_t *one = p->done ? summary_json(&p->summary) : json_object();
        json_object_set_new(one, "policy", json_string(policy_name(p->policy)));
        json_object_set_new(one, "budget", summary_number(p->budget));
        if (p->done) {
            json_object_set_new(one, "pareto_flops", json_boolean(p->front_flops));
            json_object_set_new(one, "pareto_ms", json_boolean(p->front_ms));
        } else if (p->why[0]) {
            json_object_set_new(one, "error", json_string(p->why));
        } else {
            json_decref(one); // not reached before it was stopped
            continue;
        }
        json_array_append_new(list, one);
    }
    return summary_put_json(list, err);
}

static void print_csv(const struct sweep *sweep)
{
    puts("policy,budget,questions,accuracy,accuracy_low,accuracy_high,share,macs,ms,lift,pareto_flops,pareto_ms");
    for (int i = 0; i < sweep->run.count; i++) {
        const struct sweep_point *p = &sweep->run.points[i];
        char budget[32] = "", lift[32] = "";
        if (!p->done)
            continue;
        if (!isnan(p->budget))
            snprintf(budget, sizeof budget, "%g", p->budget);
        if (isfinite(p->summary.lift.value))
            snprintf(lift, sizeof lift, "%.4f", p->summary.lift.value);
        printf("%s,%s,%d,%.6f,%.6f,%.6f,%.6f,%.0f,%.4f,%s,%d,%d\n", policy_name(p->policy), budget,
               p->summary.questions, p->summary.accuracy.value, p->summary.accuracy.low, p->summary.accuracy.high,
               p->summary.share.value, p->summary.spent, p->summary.ms, lift, p->front_flops, p->front_ms);
    }
}

static void put_point(struct table *table, const struct sweep_point *p)
{
    const struct evaluation_summary *s = &p->summary;
    table_cell(table, "%s", title_policy(policy_name(p->policy)));
    if (p->policy == POLICY_NONE)
        table_cell(table, "-");
    else if (isnan(p->budget))
        table_cell(table, "%s", in_("budget", "trained"));
    else
        table_cell(table, "%.2f", p->budget);
    if (!p->done) {
        table_end_row(table);
        printf("    %s\n", p->why);
        return;
    }
    table_cell(table, "%.1f%%", 100 * s->accuracy.value);
    table_cell(table, "%5.1f..%-5.1f", 100 * s->accuracy.low, 100 * s->accuracy.high);
    table_cell(table, "%.3f", s->share.value);
    table_cell(table, "%.1f", 2 * s->spent / 1e6);
    table_cell(table, "%.2f", s->ms);
    table_cell(table, "%s",
               p->front_flops && p->front_ms ? _("FLOPs, time")
               : p->front_flops              ? _("FLOPs")
               : p->front_ms                 ? _("time")
                                             : "");
}

static bool print_table(const struct sweep *sweep, struct error *err)
{
    const struct table_column columns[] = {{N_("policy"), -title_policy_width()},
                                           {N_("budget"), 8},
                                           {N_("accuracy"), 8},
                                           {N_("95 %"), 12},
                                           {N_("share"), 6},
                                           {N_("MFLOP"), 7},
                                           {N_("ms"), 6},
                                           {N_("Pareto front"), -1}};
    struct table table;
    table_begin(&table, stdout, columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < sweep->run.count; i++)
        if (sweep->run.points[i].done || sweep->run.points[i].why[0])
            put_point(&table, &sweep->run.points[i]);
    puts(_("Pareto front: no other point is at least as accurate for less. Milliseconds are those of the stages, while all "
           "threads work: they can be compared when the machine does nothing else."));
    return sweep_figure_print(sweep->run.points, sweep->run.count, err);
}

static bool print(const struct sweep *sweep, struct error *err)
{
    if (sweep->settings->json)
        return print_json(sweep, err);
    if (!sweep->settings->csv)
        return print_table(sweep, err);
    print_csv(sweep);
    return true;
}

static bool make_folder(const struct settings *settings, struct error *err)
{
    if (!settings->results || mkdir(settings->results, 0777) == 0 || errno == EEXIST)
        return true;
    return error_set(err, ERROR_INPUT, "cannot make the folder %s: %s", settings->results, strerror(errno));
}

static bool show_on_screen(struct sweep *sweep, struct error *err)
{
    const struct settings *settings = sweep->settings;
    const struct sweep_page_request request = {.set = settings->set,
                                               .policies = settings->policies,
                                               .budgets = settings->budgets,
                                               .folder = settings->results,
                                               .limit = (int)settings->limit};
    const struct page_screen screen = {.model = settings->model,
                                      .policy = POLICY_LEARNED,
                                      .budget = (double)NAN,
                                      .threads = (int)settings->threads,
                                      .screen = &settings->screen,
                                      .page = &page_sweep,
                                      .page_request = &request};
    if (settings->json || settings->csv || settings->options.seed)
        return error_set(err, ERROR_USAGE, "--screen goes neither with --json nor with --csv or --seed");
    if (!screen_settings_possible())
        return error_set(err, ERROR_USAGE, "--screen needs a terminal; without it the figures are printed");
    return sweep_run_list(&sweep->run, settings->policies, settings->budgets, err) && make_folder(settings, err) &&
           page_screen_run(&screen, err);
}

static bool prepare(struct sweep *sweep, struct error *err)
{
    const struct settings *settings = sweep->settings;
    if (settings->json && settings->csv)
        return error_set(err, ERROR_USAGE, "--json and --csv: take one of them");
    if (!sweep_run_list(&sweep->run, settings->policies, settings->budgets, err))
        return false;
    if (!make_folder(settings, err))
        return false;
    const struct set_run_options options = {.model = settings->model, .set = settings->set, .shard = 1, .shards = 1,
                                            .limit = (int)settings->limit, .keeps = settings->results};
    return set_run_open(&sweep->run.set, &options, err);
}

static bool work(struct sweep *sweep, struct error *err)
{
    if (!prepare(sweep, err))
        return false;
    progress_begin(&sweep->progress, sweep->settings->progress);
    bool ok = sweep_run_work(&sweep->run, err);
    progress_end(&sweep->progress);
    if (ok) {
        ok = print(sweep, err);
    } else if (err->code == ERROR_CANCELLED) {
        print(sweep, NULL);
        if (sweep->settings->results)
            error_set(err, ERROR_CANCELLED, "%s; the same command goes on from there", err->text);
    }
    set_run_close(&sweep->run.set);
    return ok;
}

int cmd_sweep(int argc, char **argv)
{
    struct settings settings = {.options = run_options_default(), .threads = thread_processors()};
    const char *arguments[1];
    int count, status;
    const struct option_row rows[] = {
        OPTION_ROW_MODEL(&settings.model),
        {"policies", OPTION_TEXT, &settings.policies, "A,B,..", N_("which policies (default: all, see `trimscope eval --help`)"),
         0, 0},
        {"budgets", OPTION_TEXT, &settings.budgets, "S,T,..",
         N_("shares of the dense multiply-adds, or \"trained\" (default 0.33,0.4,0.5,0.67,1)"), 0, 0},
        {"results", OPTION_TEXT, &settings.results, "DIR",
         N_("keep each point's results in a file in this folder; points that are there already are not computed again"), 0, 0},
        {"limit", OPTION_NUMBER, &settings.limit, "N", N_("the first N questions only"), 1, 100000000},
        OPTION_ROW_SEED(&settings.options.seed),
        {"progress", OPTION_FLAG, &settings.progress, NULL,
         N_("tell the progress on stderr even when that is no terminal"), 0, 0},
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROW_JSON(&settings.json, N_("print a JSON list, one object for each point")),
        {"csv", OPTION_FLAG, &settings.csv, NULL, N_("print a table for a spreadsheet"), 0, 0},
        {"screen", OPTION_FLAG, &settings.on_screen, NULL, N_("show it on the screen while it goes"), 0, 0},
        OPTION_ROWS_DRAWN(settings.screen),
        OPTION_ROW_END};
    const struct option_command command = {
        "sweep", N_("sweep SET.jsonl [options]"),
        N_("Evaluates a question set under several policies, each with several budgets, and prints accuracy against the FLOPs "
        "spent and against the time measured, which points nothing else beats (the Pareto front), and a plot. With "
        "--results a sweep that is stopped goes on when the same command is given again, and `trimscope browse DIR` shows "
        "it on the screen."),
        rows, 1, 1};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    static const struct sweep none;
    struct sweep *sweep = malloc(sizeof *sweep);
    bool ok = sweep || error_no_memory(&err, "the sweep");
    settings.set = arguments[0];
    struct thread_pool *pool = settings.options.pool = thread_pool_new((int)settings.threads);
    if (ok) {
        *sweep = none;
        sweep->settings = &settings;
        sweep->run.options = settings.options;
        sweep->run.options.stop = progress_stop();
        sweep->run.folder = settings.results;
        sweep->run.started = start;
        sweep->run.progress = show;
        sweep->run.context = sweep;
        ok = settings.on_screen ? show_on_screen(sweep, &err) : work(sweep, &err);
    }
    if (!ok)
        fprintf(stderr, "trimscope sweep: %s\n", err.text);
    thread_pool_free(pool);
    free(sweep);
    return ok ? ERROR_NONE : (int)err.code;
}
