// trimscope redundancy: how alike tokens and heads are, layer by layer, for one input or over a question set.
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/weights.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/run/redundancy.h"
#include "ui/redundancy_figure.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <jansson.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHEET_ROWS = 36, SHEET_COLUMNS = 96 };

struct settings {
    const char *model, *set, *picture, *question;
    struct run_options options;
    long threads, limit;
    bool json, csv;
};

// What was measured: unpruned, and under the policy where one was asked for.
struct result {
    struct redundancy of[PLOT_LINES];
    const char *policy[PLOT_LINES];
    int count;
};

static atomic_bool stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = true;
}

struct progress {
    bool shown;
    double last;
    const char *policy;
};

static bool show_progress(void *context, int done, int total)
{
    struct progress *p = context;
    double now = clock_seconds();
    if (p->shown && (now - p->last > 0.2 || done == total)) {
        fputc('\r', stderr);
        fprintf(stderr, _("%s: %d of %d questions"), title_policy(p->policy), done, total);
        fputs(" \033[K", stderr);
        p->last = now;
    }
    return !stopped;
}

static bool measure_input(const struct settings *settings, const struct model *model,
                          const struct run_options *options, struct redundancy *out, struct error *err)
{
    struct picture picture = {0};
    const struct picture *list[] = {&picture};
    if (model->config.pictures != 1)
        return error_set(err, ERROR_USAGE, "this model takes %d pictures; give a question set instead",
                         model->config.pictures);
    char bundled[ASSETS_PATH];
    if (!picture_load(&picture, assets_picture(settings->picture, bundled), run_reading(model, false, 0), NULL, err))
        return false;
    struct run *run = run_new(model, list, 1, settings->question, options, err);
    picture_free(&picture);
    while (run && run_step(run, err))
        continue;
    bool ok = run && run_finished(run);
    if (ok)
        ok = redundancy_of_trace(run_trace(run), out) || error_no_memory(err, "the likeness of tokens and heads");
    run_free(run);
    return ok;
}

static bool measure(const struct settings *settings, const struct model *model, const struct question_set *set,
                    struct result *result, struct error *err)
{
    struct run_options options = settings->options;
    enum policy policies[PLOT_LINES] = {POLICY_NONE, settings->options.policy};
    int wanted = settings->options.policy == POLICY_NONE ? 1 : PLOT_LINES;
    for (int i = 0; i < wanted; i++) {
        options.policy = policies[i];
        options.budget = policies[i] == POLICY_NONE ? (double)NAN : settings->options.budget;
        result->policy[i] = policy_name(policies[i]);
        struct progress progress = {.shown = isatty(STDERR_FILENO), .policy = result->policy[i]};
        bool ok = set ? redundancy_of_set(model, set, &options, show_progress, &progress, &result->of[i], err)
                      : measure_input(settings, model, &options, &result->of[i], err);
        if (set && progress.shown)
            fputs("\r\033[K", stderr);
        result->count = i + 1;
        if (!ok)
            return false;
    }
    return true;
}

// ---- output -----------------------------------------------------------------------------------------------------

static json_t *number(float value)
{
    return isfinite(value) ? json_real((double)value) : json_null();
}

static json_t *json_of_spread(const struct redundancy_spread *s)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "inputs", s->count, "mean", number(s->mean), "p05",
                     number(s->low), "p25", number(s->lower_quartile), "median", number(s->median), "p75",
                     number(s->upper_quartile), "p95", number(s->high));
}

static json_t *json_of_run(const struct redundancy *r, const char *policy)
{
    json_t *layers = json_array();
    for (int i = 0; i < r->layer_count; i++) {
        json_t *layer = json_pack("{s:s}", "stage", r->layers[i].name);
        for (int k = 0; k < REDUNDANCY_SERIES; k++)
            if (r->layers[i].of[k].count)
                json_object_set_new(layer, redundancy_series_name((enum redundancy_series)k),
                                    json_of_spread(&r->layers[i].of[k]));
        json_array_append_new(layers, layer);
    }
    return json_pack("{s:s, s:i, s:o}", "policy", policy, "inputs", r->inputs, "layers", layers);
}

static bool print_json(const struct result *result, struct error *err)
{
    json_t *root = json_array();
    for (int i = 0; i < result->count; i++)
        json_array_append_new(root, json_of_run(&result->of[i], result->policy[i]));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(root);
    if (!text)
        return error_no_memory(err, "the result as JSON");
    puts(text);
    free(text);
    return true;
}

static void print_csv(const struct result *result)
{
    puts("policy,stage,series,inputs,mean,p05,p25,median,p75,p95");
    for (int i = 0; i < result->count; i++)
        for (int l = 0; l < result->of[i].layer_count; l++)
            for (int k = 0; k < REDUNDANCY_SERIES; k++) {
                const struct redundancy_layer *layer = &result->of[i].layers[l];
                const struct redundancy_spread *s = &layer->of[k];
                if (s->count)
                    printf("%s,%s,%s,%d,%.5f,%.5f,%.5f,%.5f,%.5f,%.5f\n", result->policy[i], layer->name,
                           redundancy_series_name((enum redundancy_series)k), s->count, (double)s->mean,
                           (double)s->low, (double)s->lower_quartile, (double)s->median, (double)s->upper_quartile,
                           (double)s->high);
            }
}

static bool print_figure(const struct result *result, struct error *err)
{
    struct plot_sheet sheet;
    const struct redundancy *lines[PLOT_LINES] = {&result->of[0], result->count > 1 ? &result->of[1] : NULL};
    char row[SHEET_COLUMNS * 8 + 1], sentence[REDUNDANCY_SENTENCE];
    setlocale(LC_CTYPE, "");
    bool unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
    if (!plot_sheet_init(&sheet, SHEET_ROWS, SHEET_COLUMNS, unicode))
        return error_no_memory(err, "the figure");
    redundancy_figure_draw(&sheet, lines, REDUNDANCY_PATCHES, REDUNDANCY_SERIES);
    puts(_("Mean pairwise cosine in each layer: 1 is the same, 0 unrelated."));
    for (int i = 0; i < result->count; i++)
        printf("%s %s   ", plot_mark(unicode, i), i == 0 ? _("unpruned") : title_policy(result->policy[i]));
    if (result->of[0].inputs > 1)
        printf(_("mean of %d questions; bars: 5 to 95 %%"), result->of[0].inputs);
    puts("\n");
    for (int r = 0; r < sheet.rows; r++) {
        plot_row_text(&sheet, r, row);
        puts(row);
    }
    plot_sheet_free(&sheet);
    puts(_("i0, t0: embeddings; i, t, f: image, text, fusion layers."));
    redundancy_figure_say(lines, sentence);
    puts(sentence);
    return true;
}

static bool print_result(const struct settings *settings, const struct result *result, struct error *err)
{
    if (settings->json)
        return print_json(result, err);
    if (!settings->csv)
        return print_figure(result, err);
    print_csv(result);
    return true;
}

static bool work(const struct settings *settings, struct error *err)
{
    struct question_set set = {0};
    struct result result = {.count = 0};
    if (settings->set && !question_set_read(&set, settings->set, (int)settings->limit, err))
        return false;
    const struct model_options opening = {.pictures = settings->set ? question_set_pictures(&set) : 1};
    struct model *model = weights_open_model(settings->model, &opening, err);
    bool ok = model && measure(settings, model, settings->set ? &set : NULL, &result, err);
    // What was measured before it was stopped is worth showing too.
    struct error cancel = *err;
    bool cancelled = !ok && err->code == ERROR_CANCELLED;
    if (ok || (cancelled && result.of[0].inputs > 0))
        ok = print_result(settings, &result, err) && ok;
    if (cancelled)
        *err = cancel;
    for (int i = 0; i < PLOT_LINES; i++)
        redundancy_free(&result.of[i]);
    model_free(model);
    question_set_free(&set);
    return ok;
}

static bool check(const struct settings *settings, int count, struct error *err)
{
    if (settings->json && settings->csv)
        return error_set(err, ERROR_USAGE, "--json and --csv: take one of them");
    if (count == 1 && !settings->picture && !settings->question)
        return true;
    if (count == 0 && settings->picture && settings->question)
        return true;
    return error_set(err, ERROR_USAGE, "give either a question set, or --picture FILE and --question TEXT");
}

int cmd_redundancy(int argc, char **argv)
{
    struct settings settings = {.options = run_options_default(), .threads = thread_processors()};
    const char *arguments[1];
    int count, status;
    const struct option_row rows[] = {{"picture", OPTION_TEXT, &settings.picture, "FILE", N_("one picture instead of a set"), 0, 0},
                                      {"question", OPTION_TEXT, &settings.question, "TEXT", N_("and what to ask about it"), 0, 0},
                                      OPTION_ROW_MODEL(&settings.model),
                                      OPTION_ROW_POLICY(&settings.options.policy),
                                      OPTION_ROW_BUDGET(&settings.options.budget),
                                      OPTION_ROW_SEED(&settings.options.seed),
                                      {"limit", OPTION_NUMBER, &settings.limit, "N", N_("the first N questions only"), 1,
                                       100000000},
                                      OPTION_ROW_THREADS(&settings.threads),
                                      OPTION_ROW_JSON(&settings.json, N_("print a JSON list, one object for each policy")),
                                      {"csv", OPTION_FLAG, &settings.csv, NULL, N_("print a table for a spreadsheet"), 0, 0},
                                      OPTION_ROW_END};
    const struct option_command command = {
        "redundancy", N_("redundancy SET.jsonl | --picture FILE --question TEXT [options]"),
        N_(
    /* xgettext:no-c-format */
    "Measures how alike the tokens and the attention heads of each layer are (mean pairwise cosine), for patches and "
        "words, and prints plots: the mean and what 90 % of the questions reach. The model is measured unpruned, and "
        "under the policy (--policy none: unpruned only)."),
        rows, 0, 1};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    settings.set = count ? arguments[0] : NULL;
    settings.options.stop = &stopped;
    struct thread_pool *pool = settings.options.pool = thread_pool_new((int)settings.threads);
    bool ok = check(&settings, count, &err) && work(&settings, &err);
    if (!ok)
        fprintf(stderr, "trimscope redundancy: %s\n", err.text);
    thread_pool_free(pool);
    return ok ? ERROR_NONE : (int)err.code;
}
