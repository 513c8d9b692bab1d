#include "app/sweep_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUDGETS = 64, PATH = 4096 };

// The next name of a list with commas; false at its end. Nothing between two commas is no name.
static bool next_name(const char **list, char *name, size_t size)
{
    static const char between[] = ", ";
    *list += strspn(*list, between);
    size_t length = strcspn(*list, between);
    snprintf(name, size, "%.*s", (int)(length < size ? length : size - 1), *list);
    *list += length;
    return length > 0;
}

static int read_policies(const char *list, enum policy policies[POLICY_COUNT], struct error *err)
{
    char name[64];
    int count = 0;
    for (int p = 0; !list && p < POLICY_COUNT; p++)
        policies[count++] = (enum policy)p;
    while (list && next_name(&list, name, sizeof name)) {
        enum policy policy;
        if (!policy_find(name, &policy)) {
            error_set(err, ERROR_USAGE, "there is no policy %s; `trimscope sweep --help` lists them", name);
            return 0;
        }
        bool known = false;
        for (int i = 0; i < count; i++)
            known = known || policies[i] == policy;
        if (!known)
            policies[count++] = policy;
    }
    if (!count)
        error_set(err, ERROR_USAGE, "--policies names no policy");
    return count;
}

static int read_budgets(const char *list, double budgets[BUDGETS], struct error *err)
{
    char name[64], *end;
    int count = 0;
    list = list ? list : SWEEP_BUDGETS;
    while (next_name(&list, name, sizeof name)) {
        double budget = strcmp(name, "trained") ? strtod(name, &end) : (double)NAN;
        if (count == BUDGETS || (!isnan(budget) && (end == name || *end || !(budget > 0 && budget <= 1))) ||
            (isnan(budget) && strcmp(name, "trained"))) {
            error_set(err, ERROR_USAGE, "--budgets takes up to %d shares above 0 and at most 1, or \"trained\", not %s",
                      BUDGETS, name);
            return 0;
        }
        budgets[count++] = budget;
    }
    if (!count)
        error_set(err, ERROR_USAGE, "--budgets names no budget");
    return count;
}

bool sweep_run_list(struct sweep_run *sweep, const char *policies, const char *budgets, struct error *err)
{
    enum policy which[POLICY_COUNT];
    double shares[BUDGETS];
    int policy_count = read_policies(policies, which, err);
    int budget_count = policy_count ? read_budgets(budgets, shares, err) : 0;
    if (!budget_count)
        return false;
    sweep->count = sweep_list(sweep->points, which, policy_count, shares, budget_count);
    return sweep->count > 0 || error_set(err, ERROR_USAGE, "these are more than %d points", SWEEP_POINTS);
}

void sweep_run_name(const struct sweep_point *point, char separator, char out[SWEEP_NAME])
{
    if (point->policy == POLICY_NONE)
        snprintf(out, SWEEP_NAME, "%s", policy_name(point->policy));
    else if (isnan(point->budget))
        snprintf(out, SWEEP_NAME, "%s%ctrained", policy_name(point->policy), separator);
    else
        snprintf(out, SWEEP_NAME, "%s%c%g", policy_name(point->policy), separator, point->budget);
}

// A point whose file holds a header and nothing more would only be in the way.
static bool nothing_answered(const struct set_run *run)
{
    for (int i = 0; i < run->set.count; i++)
        if (run->results[i].done)
            return false;
    return true;
}

static bool evaluate_point(struct sweep_run *sweep, struct sweep_point *point, struct error *err)
{
    char name[SWEEP_NAME], path[PATH];
    struct set_run_point work = {.options = sweep->options, .started = sweep->started, .progress = sweep->progress,
                                 .context = sweep->context};
    struct error trouble = {0};
    work.options.policy = point->policy;
    work.options.budget = point->budget;
    sweep_run_name(point, '-', name);
    if (sweep->folder && snprintf(path, sizeof path, "%s/%s.jsonl", sweep->folder, name) < PATH)
        work.file = path;
    bool existed = work.file && access(work.file, F_OK) == 0;
    if (set_run_evaluate(&sweep->set, &work, &trouble)) {
        point->done = true;
        return evaluate_summarize(&sweep->set.set, sweep->set.results, NULL, NULL, &point->summary, err);
    }
    if (work.file && !existed && nothing_answered(&sweep->set))
        unlink(work.file);
    snprintf(point->why, sizeof point->why, "%s", trouble.text);
    if (trouble.code == ERROR_INPUT)
        return true; // a budget that cannot be reached, most often: the others may be
    *err = trouble;
    return false;
}

bool sweep_run_work(struct sweep_run *sweep, struct error *err)
{
    bool ok = true, any = false;
    for (int i = 0; ok && i < sweep->count; i++) {
        sweep->current = i;
        ok = evaluate_point(sweep, &sweep->points[i], err);
        any = any || sweep->points[i].done;
        sweep_mark_fronts(sweep->points, sweep->count);
        if (sweep->finished)
            sweep->finished(sweep->context);
    }
    if (ok && !any)
        ok = error_set(err, ERROR_INPUT, "%s", sweep->points[0].why);
    return ok;
}

// Of one file, reading is half of the work; what remains is the summary.
struct half {
    const struct watch *watch;
    double from;
};

static bool watch_half(void *context, double done)
{
    const struct half *half = context;
    return watch_go_on(half->watch, half->from + done / 2, NULL);
}

bool sweep_run_read(struct sweep_point *point, const char *path, const struct watch *watch, struct error *err)
{
    struct results results;
    struct half half = {watch, 0};
    const struct watch halves = {watch_half, &half};
    *point = (struct sweep_point){.budget = (double)NAN, .unknown = true};
    if (!results_read(&results, path, &halves, err))
        return false;
    half.from = 0.5;
    bool ok = policy_find(results.header.policy, &point->policy) ||
              error_set(err, ERROR_INPUT, "%s comes from the policy %s, which this program does not have", path,
                        results.header.policy);
    point->budget = results.header.budget;
    // The first answers of a run that stopped are no point beside whole ones.
    if (ok && results.set.count < results.header.questions)
        ok = error_set(err, ERROR_INPUT, "%s holds %d of %d answers: the run that wrote it has not finished", path,
                       results.set.count, results.header.questions);
    ok = ok && evaluate_summarize(&results.set, results.evaluations, NULL, &halves, &point->summary, err);
    point->done = ok;
    point->unknown = !ok;
    results_free(&results);
    return ok;
}
