#include "app/set_job.h"

#include "app/assets.h"
#include "app/sweep_run.h"
#include "engine/base/file.h"
#include "engine/base/thread.h"
#include "ui/set_rows.h"
#include "ui/words.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Intervals cost something: they are computed anew after this many seconds, and seldom enough to take 5 % at most.
static const double SUMMARY_SECONDS = 1, SUMMARY_SHARE = 0.05;
static const double PART_SECONDS = 0.05; // between two parts: the screen shows no more frames than that

struct set_job {
    struct model *model;
    const char *weights;
    int threads;
    struct backend_job request;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t end;

    // Guarded by the lock.
    bool cancel, ended;
    double part_due;
    struct error err;
    float done;
    char progress[120];
    struct backend_set_result set;
    int capacity; // of set.places and set.evaluations
    struct backend_sweep_result sweep;

    // The thread's own.
    struct set_run run;
    struct sweep_run *sweep_run;
    double summed, cost;
};

static bool tell(struct set_job *job, float done, const char *progress)
{
    pthread_mutex_lock(&job->lock);
    job->done = done;
    snprintf(job->progress, sizeof job->progress, "%s", progress);
    bool go_on = !job->cancel;
    pthread_mutex_unlock(&job->lock);
    return go_on;
}

// ---- one set ----------------------------------------------------------------------------------------------------

static bool summarize(struct set_job *job, const struct question_set *set, const struct evaluation *evaluations,
                      struct error *err)
{
    double start = clock_seconds();
    struct results view = {.set = *set};
    struct set_summary *s = calloc(1, sizeof *s);
    bool ok = s || error_no_memory(err, "the summary");
    if (ok)
        s->type_count = set_rows_types(&view, s->types, SET_TYPES);
    ok = ok && evaluate_summarize(set, evaluations, NULL, &s->all, err);
    for (int t = 0; ok && t < s->type_count; t++)
        ok = evaluate_summarize(set, evaluations, set->questions[s->types[t]].type, &s->by_type[t], err);
    pthread_mutex_lock(&job->lock);
    struct set_summary *old = ok ? job->set.summary : s;
    if (ok)
        job->set.summary = s;
    pthread_mutex_unlock(&job->lock);
    free(old);
    job->summed = clock_seconds();
    job->cost = job->summed - start;
    return ok;
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
        summarize(job, &job->run.set, job->run.results, NULL);
    return tell(job, (float)done / (float)total, progress);
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
    struct set_run_point point = {.options = run_options_default(), .file = request->results, .progress = watch_set,
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
    summarize(job, &job->run.set, job->run.results, NULL);
    set_run_close(&job->run);
    return ok;
}

static bool read_results_file(struct set_job *job, const char *path, struct error *err)
{
    struct results *rows = calloc(1, sizeof *rows);
    if (!rows)
        return error_no_memory(err, "the results");
    bool ok = results_read(rows, path, err) && summarize(job, &rows->set, rows->evaluations, err);
    if (ok) {
        give_rows(job, rows);
    } else {
        results_free(rows);
        free(rows);
    }
    return ok;
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

static bool bundled_set(char path[ASSETS_PATH], struct error *err)
{
    char folder[ASSETS_PATH];
    if (!assets_find(folder, err))
        return false;
    if (snprintf(path, ASSETS_PATH, "%s/pictures/questions.jsonl", folder) >= ASSETS_PATH)
        return error_set(err, ERROR_INPUT, "the path of the bundled questions is too long");
    return true;
}

static bool do_set(struct set_job *job, struct thread_pool *pool, struct error *err)
{
    char bundled[ASSETS_PATH];
    const char *path = job->request.set.path;
    if (!path) {
        if (!bundled_set(bundled, err))
            return false;
        path = bundled;
    }
    return is_results_file(path) ? read_results_file(job, path, err) : evaluate_set_file(job, path, pool, err);
}

// ---- a sweep ----------------------------------------------------------------------------------------------------

static bool give_points(struct set_job *job, const struct sweep_point *points, int count)
{
    struct sweep_point *copy = malloc((size_t)count * sizeof *copy);
    if (!copy)
        return false;
    memcpy(copy, points, (size_t)count * sizeof *copy);
    pthread_mutex_lock(&job->lock);
    struct sweep_point *old = job->sweep.points;
    job->sweep = (struct backend_sweep_result){copy, count};
    pthread_mutex_unlock(&job->lock);
    free(old);
    return true;
}

static void point_finished(void *context)
{
    struct set_job *job = context;
    give_points(job, job->sweep_run->points, job->sweep_run->count);
}

static bool watch_sweep(void *context, int done, int total)
{
    struct set_job *job = context;
    const struct sweep_run *run = job->sweep_run;
    char name[SWEEP_NAME], progress[120];
    sweep_run_name(&run->points[run->current], ' ', name);
    snprintf(progress, sizeof progress, _("%s (%d of %d)"), name, run->current + 1, run->count);
    return tell(job, ((float)run->current + (float)done / (float)total) / (float)run->count, progress);
}

static bool sweep_set(struct set_job *job, struct thread_pool *pool, struct error *err)
{
    const struct backend_sweep_request *request = &job->request.sweep;
    struct sweep_run *run = job->sweep_run;
    char bundled[ASSETS_PATH];
    if (!request->set && !bundled_set(bundled, err))
        return false;
    const struct set_run_options options = {.model = job->weights, .opened = job->model, .shard = 1, .shards = 1,
                                            .set = request->set ? request->set : bundled, .limit = request->limit,
                                            .keeps = request->folder};
    run->options = run_options_default();
    run->options.pool = pool;
    run->folder = request->folder;
    run->progress = watch_sweep;
    run->finished = point_finished;
    run->context = job;
    if (!sweep_run_list(run, request->policies, request->budgets, err) || !set_run_open(&run->set, &options, err))
        return false;
    point_finished(job); // the screen shows what is to come
    bool ok = sweep_run_work(run, err);
    set_run_close(&run->set);
    return ok;
}

static bool read_points(struct set_job *job, struct error *err)
{
    const struct backend_sweep_request *request = &job->request.sweep;
    struct sweep_point *points = job->sweep_run->points;
    if (request->file_count > SWEEP_POINTS)
        return error_set(err, ERROR_INPUT, "these are more than %d files", SWEEP_POINTS);
    for (int i = 0; i < request->file_count; i++) {
        if (!sweep_run_read(&points[i], request->files[i], err))
            return false;
        if (!tell(job, (float)(i + 1) / (float)request->file_count, _("reading")))
            return error_set(err, ERROR_CANCELLED, "stopped");
    }
    sweep_mark_fronts(points, request->file_count);
    return give_points(job, points, request->file_count) || error_no_memory(err, "the points");
}

static bool do_sweep(struct set_job *job, struct thread_pool *pool, struct error *err)
{
    job->sweep_run = calloc(1, sizeof *job->sweep_run);
    if (!job->sweep_run)
        return error_no_memory(err, "the sweep");
    bool ok = job->request.sweep.file_count ? read_points(job, err) : sweep_set(job, pool, err);
    free(job->sweep_run);
    job->sweep_run = NULL;
    return ok;
}

// ---- the thread -------------------------------------------------------------------------------------------------

static void *work(void *context)
{
    struct set_job *job = context;
    struct error err = {0};
    struct thread_pool *pool = thread_pool_new(job->threads);
    bool ok = job->request.kind == JOB_SET ? do_set(job, pool, &err) : do_sweep(job, pool, &err);
    thread_pool_free(pool);
    pthread_mutex_lock(&job->lock);
    job->ended = true;
    if (!ok)
        job->err = err;
    pthread_cond_signal(&job->end);
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

struct set_job *set_job_start(struct model *model, const char *weights, int threads, const struct backend_job *request,
                              struct error *err)
{
    struct set_job *job = calloc(1, sizeof *job);
    sigset_t all, before;
    if (!job || !backend_job_copy(&job->request, request)) {
        free(job);
        error_no_memory(err, "the evaluation");
        return NULL;
    }
    job->model = model;
    job->weights = weights;
    job->threads = threads;
    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&job->end, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all); // signals are for the screen's thread
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int trouble = pthread_create(&job->thread, NULL, work, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!trouble)
        return job;
    job->threads = 0; // none to wait for
    set_job_free(job);
    error_set(err, ERROR_MACHINE, "cannot start a thread: %s", strerror(trouble));
    return NULL;
}

static bool has_news(const struct set_job *job)
{
    return job->request.kind == JOB_SET ? job->set.rows || job->set.count || job->set.summary : job->sweep.points != NULL;
}

enum backend_job_state set_job_wait(struct set_job *job, int milliseconds, struct backend_job_news *part, float *done,
                                    char *progress, struct error *err)
{
    struct timespec until;
    enum backend_job_state state = JOB_WORKING;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&job->lock);
    while (!job->ended && pthread_cond_timedwait(&job->end, &job->lock, &until) == 0)
        continue;
    *done = job->done;
    snprintf(progress, sizeof job->progress, "%s", job->progress);
    double now = clock_seconds();
    if (has_news(job) && (job->ended || now >= job->part_due)) { // even where it failed afterwards
        job->part_due = now + PART_SECONDS;
        state = job->ended && !job->err.code ? JOB_DONE : JOB_PART;
        part->kind = job->request.kind;
        part->state = state;
        if (part->kind == JOB_SET)
            part->set = job->set;
        else
            part->sweep = job->sweep;
        job->set = (struct backend_set_result){0};
        job->sweep = (struct backend_sweep_result){0};
        job->capacity = 0;
    } else if (job->ended) {
        state = job->err.code == ERROR_NONE ? JOB_DONE : job->err.code == ERROR_CANCELLED ? JOB_CANCELLED : JOB_FAILED;
        *err = job->err;
    }
    pthread_mutex_unlock(&job->lock);
    return state;
}

void set_job_cancel(struct set_job *job)
{
    pthread_mutex_lock(&job->lock);
    job->cancel = true;
    pthread_mutex_unlock(&job->lock);
}

void set_job_free(struct set_job *job)
{
    if (!job)
        return;
    set_job_cancel(job);
    if (job->threads)
        pthread_join(job->thread, NULL);
    pthread_mutex_destroy(&job->lock);
    pthread_cond_destroy(&job->end);
    backend_job_free(&job->request);
    backend_set_result_free(&job->set);
    free(job->sweep.points);
    free(job);
}
