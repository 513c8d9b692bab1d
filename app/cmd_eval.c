// trimscope eval: a question set through a model: accuracy, cost, and whether what is kept is what is needed.
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/base/thread.h"
#include "engine/model/model.h"
#include "engine/run/evaluate.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TYPES = 64 };

struct settings {
    const char *model, *set;
    struct run_options options;
    long threads, limit;
    bool json;
};

struct types {
    const char *names[TYPES];
    int count;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

struct progress {
    bool shown;
    double start, last;
};

static bool show_progress(void *context, int done, int total)
{
    struct progress *p = context;
    double now = clock_seconds();
    if (p->shown && (now - p->last > 0.2 || done == total)) {
        double left = (now - p->start) / done * (total - done);
        fprintf(stderr, "\r%d of %d questions, %.0f/s, %.0f s left \033[K", done, total, done / (now - p->start), left);
        p->last = now;
    }
    return !stopped;
}

// The types in the set, in the order of their first question; more than TYPES are left out of the table by type.
static void find_types(const struct question_set *set, struct types *types)
{
    for (int i = 0; i < set->count; i++) {
        bool known = !set->questions[i].type[0] || types->count == TYPES;
        for (int t = 0; !known && t < types->count; t++)
            known = !strcmp(types->names[t], set->questions[i].type);
        if (!known)
            types->names[types->count++] = set->questions[i].type;
    }
}

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *interval(struct estimate e) { return json_pack("[o, o]", number(e.low), number(e.high)); }

static json_t *json_of_summary(const struct evaluation_summary *s)
{
    json_t *quantiles = json_array();
    for (int i = 0; i < 5; i++)
        json_array_append_new(quantiles, number(s->quantiles[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "accuracy",
                     number(s->accuracy.value), "accuracy_interval", interval(s->accuracy), "share",
                     number(s->share.value), "share_interval", interval(s->share), "lift", number(s->lift.value),
                     "lift_interval", interval(s->lift), "questions", s->questions, "needed_alive",
                     number(s->needed_alive), "other_alive", number(s->other_alive), "ms", number(s->ms), "macs",
                     number(s->spent), "share_quantiles", quantiles);
}

static bool print_json(const struct settings *settings, const struct question_set *set,
                       const struct evaluation *results, const struct types *types, struct error *err)
{
    struct evaluation_summary summary;
    if (!evaluate_summarize(set, results, NULL, &summary, err))
        return false;
    json_t *root = json_of_summary(&summary), *by_type = json_object();
    for (int t = 0; t < types->count; t++) {
        if (!evaluate_summarize(set, results, types->names[t], &summary, err))
            break;
        json_object_set_new(by_type, types->names[t], json_of_summary(&summary));
    }
    json_object_set_new(root, "by_type", by_type);
    json_object_set_new(root, "policy", json_string(policy_name(settings->options.policy)));
    json_object_set_new(root, "budget", number(settings->options.budget));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(root);
    if (!text)
        return error_no_memory(err, "the results as JSON");
    puts(text);
    free(text);
    return true;
}

static void print_row(const char *name, const struct evaluation_summary *s)
{
    char shown[64];
    text_fit(shown, sizeof shown, name);
    printf("%-18s %9d %8.1f%% %5.1f..%-5.1f %8.3f", shown, s->questions, 100 * s->accuracy.value,
           100 * s->accuracy.low, 100 * s->accuracy.high, s->share.value);
    if (isfinite(s->lift.value))
        printf(" %7.2f\n", s->lift.value);
    else
        printf(" %7s\n", "-");
}

static bool print_table(const struct settings *settings, const struct question_set *set,
                        const struct evaluation *results, const struct types *types, struct error *err)
{
    struct evaluation_summary s;
    printf("policy %s, ", policy_name(settings->options.policy));
    printf(isnan(settings->options.budget) ? "as trained\n" : "budget %.2f\n", settings->options.budget);
    printf("%-18s %9s %9s %12s %8s %7s\n", "type", "questions", "accuracy", "95 %", "share", "lift");
    for (int t = 0; t < types->count; t++) {
        if (!evaluate_summarize(set, results, types->names[t], &s, err))
            return false;
        print_row(types->names[t], &s);
    }
    if (!evaluate_summarize(set, results, NULL, &s, err))
        return false;
    print_row("all", &s);
    if (!s.questions)
        return true;
    printf("share of the dense multiply-adds: %.3f (%.3f..%.3f); single questions %.3f, 10 %% %.3f, median %.3f, 90 %% "
           "%.3f, most %.3f\n",
           s.share.value, s.share.low, s.share.high, s.quantiles[0], s.quantiles[1], s.quantiles[2], s.quantiles[3],
           s.quantiles[4]);
    if (!isnan(s.needed_alive))
        printf("patches alive at the end: %.3f of needed objects', %.3f of others'; lift %.2f (%.2f..%.2f)\n",
               s.needed_alive, s.other_alive, s.lift.value, s.lift.low, s.lift.high);
    printf("mean of %.1f MFLOP and %.2f ms a question\n", 2 * s.spent / 1e6, s.ms);
    return true;
}

static bool evaluate(const struct settings *settings, const struct model *model, struct error *err)
{
    struct question_set set;
    struct types types = {.count = 0};
    struct progress progress = {.shown = isatty(STDERR_FILENO), .start = clock_seconds()};
    if (!question_set_read(&set, settings->set, (int)settings->limit, err))
        return false;
    struct evaluation *results = memory_alloc((size_t)set.count, sizeof *results);
    bool ok = results || error_no_memory(err, "the results");
    ok = ok && evaluate_set(model, &set, &settings->options, show_progress, &progress, results, err);
    if (progress.shown)
        fputs("\r\033[K", stderr);
    // What was answered before it was stopped is worth showing too.
    bool cancelled = !ok && err->code == ERROR_CANCELLED;
    struct error cancel = *err;
    find_types(&set, &types);
    if (ok || cancelled)
        ok = (settings->json ? print_json : print_table)(settings, &set, results, &types, err) && ok;
    if (cancelled)
        *err = cancel;
    memory_free(results);
    question_set_free(&set);
    return ok;
}

int cmd_eval(int argc, char **argv)
{
    struct settings settings = {.options = run_options_default(), .threads = thread_processors()};
    const char *arguments[1];
    char bundled[ASSETS_PATH];
    int count, status;
    const struct option_row rows[] = {OPTION_ROW_MODEL(&settings.model),
                                      OPTION_ROW_POLICY(&settings.options.policy),
                                      OPTION_ROW_BUDGET(&settings.options.budget),
                                      OPTION_ROW_SEED(&settings.options.seed),
                                      {"limit", OPTION_NUMBER, &settings.limit, "N", "the first N questions only", 1,
                                       100000000},
                                      OPTION_ROW_THREADS(&settings.threads),
                                      OPTION_ROW_JSON(&settings.json, "print one JSON object"),
                                      OPTION_ROW_END};
    const struct option_command command = {
        "eval", "eval SET.jsonl [options]",
        "Asks a model every question of a set (a line each: {\"picture\", \"question\", \"answer\", \"type\", "
        "\"needed\": [boxes], \"others\": [boxes]}) and prints accuracy, the share of the dense multiply-adds spent, and "
        "the relevance lift: the share of needed objects' patches that are alive after the last fusion layer, divided "
        "by that of other objects' patches. Intervals are 95 %, by bootstrap over pictures.",
        rows, 1, 1};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    settings.set = arguments[0];
    struct thread_pool *pool = settings.options.pool = thread_pool_new((int)settings.threads);
    struct model *model = NULL;
    bool ok = settings.model || assets_model(bundled, &err);
    if (ok)
        ok = (model = model_open(settings.model ? settings.model : bundled, NULL, &err)) != NULL;
    ok = ok && evaluate(&settings, model, &err);
    if (!ok)
        fprintf(stderr, "trimscope eval: %s\n", err.text);
    model_free(model);
    thread_pool_free(pool);
    return ok ? ERROR_NONE : (int)err.code;
}
