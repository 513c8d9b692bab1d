// trimscope eval: a question set through a model: accuracy, cost, and whether what is kept is what is needed.
#include "app/commands.h"
#include "app/least.h"
#include "app/notes.h"
#include "app/options.h"
#include "app/progress.h"
#include "app/set_run.h"
#include "app/page_screen.h"
#include "app/writing_options.h"
#include "app/summary.h"
#include "engine/base/thread.h"
#include "ui/page.h"
#include "ui/page_set.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

struct settings {
    const char *model, *set, *results, *shard;
    struct run_options options;
    struct writing_settings writing;
    long threads, limit;
    bool json, progress, on_screen;
    struct screen_settings screen;
};

// "I/N" with 1 <= I <= N.
static bool read_shard(const char *text, int *shard, int *shards, struct error *err)
{
    int end = 0;
    *shard = *shards = 1;
    if (!text)
        return true;
    if (sscanf(text, "%7d/%7d%n", shard, shards, &end) == 2 && !text[end] && text[0] != '+' && *shard >= 1 &&
        *shard <= *shards && *shards <= RESULTS_SHARDS)
        return true;
    return error_set(err, ERROR_USAGE, "--shard takes I/N with I from 1 to N, 3/8 for the third of eight parts, not %s",
                     text);
}

static bool print_results(const struct settings *settings, const struct set_run *run, struct error *err)
{
    const struct summary_source source = {policy_name(settings->options.policy), settings->options.budget, &run->set,
                                          run->results};
    if (settings->json)
        return summary_print_json(&source, err);
    if (!summary_print_table(&source, err))
        return false;
    if (run->set.count > 0)
        least_print(settings->options.policy,
                    least_of_question(run->model, &settings->options, run->set.questions[0].text));
    return true;
}

static void tell_resumed(const struct settings *settings, const struct set_run_point *point, int resumed)
{
    if (point->torn)
        fprintf(stderr, _("trimscope eval: the last line of %s was torn and has been left out\n"), settings->results);
    if (resumed)
        fprintf(stderr, ngettext_(resumed, "trimscope eval: %s holds %d answer already, going on from there\n",
                                  "trimscope eval: %s holds %d answers already, going on from there\n"),
                settings->results, resumed);
}

struct telling {
    const struct settings *settings;
    struct progress progress;
    struct set_run_point *point;
};

static void watch_start(void *context, int done)
{
    struct telling *telling = context;
    tell_resumed(telling->settings, telling->point, done);
    progress_start_part(&telling->progress, "", done);
}

static bool watch_progress(void *context, int done, int total)
{
    return progress_show(&((struct telling *)context)->progress, done, total);
}

// A set may have gone wrong where it was made.
static void tell_wordless(const struct set_run *run)
{
    int count = 0, first = 0;
    for (int i = 0; i < run->set.count; i++)
        if (notes_reads_nothing(run->model, run->set.questions[i].text) && !count++)
            first = i + 1;
    if (count)
        fprintf(stderr, ngettext_(count, "trimscope eval: in %d question, the %d. of the set, the model knows no word: its answer hangs "
                                         "on the picture alone\n",
                                  "trimscope eval: in %d questions, from the %d. of the set on, the model knows no word: its answers "
                                  "hang on the pictures alone\n"),
                count, first);
}

static bool evaluate(const struct settings *settings, struct error *err)
{
    struct set_run run;
    struct set_run_point point = {.options = settings->options, .file = settings->results, .started = watch_start,
                                  .progress = watch_progress};
    struct telling telling = {.settings = settings, .point = &point};
    struct set_run_options options = {.model = settings->model, .set = settings->set, .limit = (int)settings->limit,
                                      .keeps = settings->results, .answers = settings->writing.answers};
    if (!read_shard(settings->shard, &options.shard, &options.shards, err))
        return false;
    if (settings->shard && !settings->results)
        return error_set(err, ERROR_USAGE,
                         "--shard needs --results FILE: `trimscope merge` puts the files of all shards together");
    if (!set_run_open(&run, &options, err))
        return false;
    tell_wordless(&run);
    point.context = &telling;
    point.options.stop = progress_stop();
    progress_begin(&telling.progress, settings->progress);
    bool ok = set_run_evaluate(&run, &point, err);
    progress_end(&telling.progress);
    // What was answered before it was stopped is worth showing too.
    if (ok) {
        ok = print_results(settings, &run, err);
    } else if (err->code == ERROR_CANCELLED) {
        print_results(settings, &run, NULL);
        if (settings->results)
            error_set(err, ERROR_CANCELLED, "%s; the same command goes on from there", err->text);
    }
    set_run_close(&run);
    return ok;
}

static bool show_on_screen(const struct settings *settings, struct error *err)
{
    const struct set_page_request request = {.path = settings->set,
                                             .results = settings->results,
                                             .policy = policy_name(settings->options.policy),
                                             .budget = settings->options.budget,
                                             .limit = (int)settings->limit};
    const struct page_screen screen = {.model = settings->model,
                                      .policy = settings->options.policy,
                                      .budget = settings->options.budget,
                                      .exact = settings->options.exact,
                                      .threads = (int)settings->threads,
                                      .writing = &settings->writing,
                                      .screen = &settings->screen,
                                      .page = &page_set,
                                      .page_request = &request};
    if (settings->json || settings->shard || settings->options.seed)
        return error_set(err, ERROR_USAGE, "--screen goes neither with --json nor with --shard or --seed");
    if (!screen_settings_possible())
        return error_set(err, ERROR_USAGE, "--screen needs a terminal; without it the figures are printed");
    return page_screen_run(&screen, err);
}

int cmd_eval(int argc, char **argv)
{
    struct settings settings = {.options = run_options_default(), .threads = thread_processors()};
    const char *arguments[1];
    int count, status;
    const struct option_row rows[] = {
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROW_POLICY(&settings.options.policy),
        OPTION_ROW_BUDGET(&settings.options.budget),
        OPTION_ROW_SEED(&settings.options.seed),
        OPTION_ROW_EXACT(&settings.options.exact),
        OPTION_ROWS_WRITING(settings.writing),
        {"limit", OPTION_NUMBER, &settings.limit, "N", N_("the first N questions only"), 1, 100000000},
        {"results", OPTION_TEXT, &settings.results, "FILE.jsonl",
         N_("append a line for each question as it is answered; when the file is there already, go on where it stops"), 0, 0},
        {"shard", OPTION_TEXT, &settings.shard, "I/N",
         N_("ask about the I-th of N parts of the pictures only; `trimscope merge` puts the results of all N together"), 0, 0},
        {"progress", OPTION_FLAG, &settings.progress, NULL,
         N_("tell the progress on stderr even when that is no terminal"), 0, 0},
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROW_JSON(&settings.json, N_("print one JSON object")),
        {"screen", OPTION_FLAG, &settings.on_screen, NULL,
         N_("show it on the screen while it goes: figures, the table of questions, each to step through"), 0, 0},
        OPTION_ROWS_DRAWN(settings.screen),
        OPTION_ROW_END};
    const struct option_command command = {
        "eval", N_("eval SET.jsonl [options]"),
        N_("Asks a model every question of a set (a line each: {\"picture\", \"question\", \"answer\", \"type\", "
        "\"needed\": [boxes], \"others\": [boxes]}) and prints accuracy, the share of the dense multiply-adds spent, and "
        "the relevance lift: the share of needed objects' patches that are alive after the last fusion layer, divided "
        "by that of other objects' patches. Intervals are 95 %, by bootstrap over pictures. With --results a run that is "
        "stopped or killed goes on when the same command is given again. On several machines or with GNU parallel: "
        "`parallel trimscope eval SET.jsonl --threads 1 --shard {}/8 --results part{}.jsonl '>' /dev/null ::: {1..8}`, in "
        "a Slurm array (--array=1-8) with --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT, and then "
        "`trimscope merge part*.jsonl`."),
        rows, 1, 1};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    settings.set = arguments[0];
    writing_settings_apply(&settings.writing, &settings.options);
    struct thread_pool *pool = NULL;
    bool ok;
    if (settings.on_screen) {
        ok = show_on_screen(&settings, &err);
    } else {
        pool = settings.options.pool = thread_pool_new((int)settings.threads);
        ok = evaluate(&settings, &err);
    }
    if (!ok)
        fprintf(stderr, "trimscope eval: %s\n", err.text);
    thread_pool_free(pool);
    return ok ? ERROR_NONE : (int)err.code;
}
