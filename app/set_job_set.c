// A question set evaluated, or a file of its results read.
#include "app/set_job_private.h"
#include "app/set_summary.h"
#include "engine/base/file.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Intervals cost something: they are computed anew after this many seconds, and seldom enough to take 5 % at most.
static const double SUMMARY_SECONDS = 1, SUMMARY_SHARE = 0.05;

// The newest summary to the screen. NULL is no news.
static void give_summary(struct set_job *job, struct set_summary *summary)
{
    pthread_mutex_lock(&job->lock);
    struct set_summary *old = summary ? job->set.summary : NULL;
    if (summary)
        job->set.summary = summary;
    pthread_mutex_unlock(&job->lock);
    free(old);
}

// While the set is evaluated: all processors are busy, and what cannot be had now comes later.
static void summarize(struct set_job *job)
{
    double start = clock_seconds();
    give_summary(job, set_summarize(&job->run.set, job->run.results, NULL, NULL, NULL));
    job->summed = clock_seconds();
    job->cost = job->summed - start;
}

static void give_rows(struct set_job *job, struct results *rows)
{
    pthread_mutex_lock(&job->lock);
    job->set.rows = rows;
    pthread_mutex_unlock(&job->lock);
}

// Another answer into the list that the screen has not taken yet. False: no memory.
static bool add_answer(struct set_job *job, int place, const struct evaluation *evaluation)
{
    struct backend_set_result *r = &job->set;
    if (r->count == job->capacity) {
        int more = job->capacity ? 2 * job->capacity : 64;
        int *places = realloc(r->places, (size_t)more * sizeof *places);
        r->places = places ? places : r->places;
        struct evaluation *list = realloc(r->evaluations, (size_t)more * sizeof *list);
        r->evaluations = list ? list : r->evaluations;
        if (!places || !list)
            return false;
        job->capacity = more;
    }
    r->places[r->count] = place;
    r->evaluations[r->count++] = *evaluation;
    return true;
}

static void take_answer(void *context, int index, const struct evaluation *evaluation)
{
    struct set_job *job = context;
    pthread_mutex_lock(&job->lock);
    if (!add_answer(job, index, evaluation))
        job->cancel = true; // out of memory: what there is stays
    pthread_mutex_unlock(&job->lock);
}

static bool watch_set(void *context, int done, int total)
{
    struct set_job *job = context;
    char progress[120];
    double now = clock_seconds();
    snprintf(progress, sizeof progress, _("%d of %d questions"), done, total);
    if (now - job->summed > fmax(SUMMARY_SECONDS, job->cost / SUMMARY_SHARE))
        summarize(job);
    return set_job_tell(job, (float)done / (float)total, progress);
}

// The rows of a set whose questions have no answers yet, for the screen, which keeps them.
static struct results *rows_of_set(const struct set_job *job, const char *path, struct error *err)
{
    const struct backend_set_request *request = &job->request.set;
    struct results *rows = calloc(1, sizeof *rows);
    bool ok = (rows || error_no_memory(err, "the questions")) && question_set_read(&rows->set, path, request->limit, err);
    if (ok) {
        int count = rows->set.count;
        rows->evaluations = calloc((size_t)count, sizeof *rows->evaluations);
        rows->ids = calloc((size_t)count, sizeof *rows->ids);
        ok = (rows->evaluations && rows->ids) || error_no_memory(err, "the questions");
        for (int i = 0; ok && i < count; i++)
            rows->ids[i] = i;
        snprintf(rows->header.set, sizeof rows->header.set, "%s", path);
        ok = ok && digest_file(rows->header.set_digest, path, err); // tells whether another run is over the same set
        snprintf(rows->header.policy, sizeof rows->header.policy, "%s", request->policy);
        rows->header.budget = request->budget;
        rows->header.questions = rows->header.set_questions = count;
    }
    if (ok)
        return rows;
    if (rows)
        results_free(rows);
    free(rows);
    return NULL;
}

static bool evaluate_set_file(struct set_job *job, const char *path, struct thread_pool *pool, struct error *err)
{
    const struct backend_set_request *request = &job->request.set;
    struct set_run_point point = {.options = job->options, .file = request->results, .progress = watch_set,
                                  .answered = take_answer, .context = job};
    const struct set_run_options options = {.model = job->weights, .opened = job->model, .set = path,
                                            .limit = request->limit, .shard = 1, .shards = 1,
                                            .keeps = request->results};
    if (!policy_find(request->policy, &point.options.policy))
        return error_set(err, ERROR_USAGE, "there is no policy '%s'", request->policy);
    point.options.budget = request->budget;
    point.options.pool = pool;
    struct results *rows = rows_of_set(job, path, err);
    if (!rows)
        return false;
    give_rows(job, rows);
    if (!set_run_open(&job->run, &options, err))
        return false;
    bool ok = set_run_evaluate(&job->run, &point, err);
    summarize(job);
    set_run_close(&job->run);
    return ok;
}

// Reading takes the first half of the bar, computing intervals the second.
static bool watch_reading(void *context, double done)
{
    return set_job_tell(context, (float)done / 2, _("reading"));
}

static bool watch_summary(void *context, double done)
{
    return set_job_tell(context, (float)(1 + done) / 2, _("computing intervals"));
}

// Stopped while intervals are computed, the rows are shown without.
static bool read_results_file(struct set_job *job, const char *path, struct thread_pool *pool, struct error *err)
{
    const struct watch reading = {watch_reading, job}, computing = {watch_summary, job};
    struct results *rows = calloc(1, sizeof *rows);
    if (!rows)
        return error_no_memory(err, "the results");
    if (!results_read(rows, path, &reading, err)) {
        free(rows);
        return false;
    }
    struct set_summary *summary = set_summarize(&rows->set, rows->evaluations, pool, &computing, err);
    give_summary(job, summary);
    give_rows(job, rows);
    return summary;
}

static bool is_results_file(const char *path)
{
    static const char begins[] = "{\"trimscope_results\":";
    struct file_map map;
    if (!file_map(&map, path, NULL))
        return false; // whoever reads it as a set says why
    bool is = map.size >= sizeof begins - 1 && !memcmp(map.data, begins, sizeof begins - 1);
    file_unmap(&map);
    return is;
}

bool set_job_do_set(struct set_job *job, struct thread_pool *pool, struct error *err)
{
    char bundled[ASSETS_PATH];
    const char *path = job->request.set.path;
    if (!path) {
        if (!set_job_bundled(bundled, err))
            return false;
        path = bundled;
    }
    if (job->request.set.results_only && !is_results_file(path))
        return error_set(err, ERROR_INPUT, "%s is not a file of results", path);
    return is_results_file(path) ? read_results_file(job, path, pool, err) : evaluate_set_file(job, path, pool, err);
}
