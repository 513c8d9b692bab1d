#include "app/set_job_private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double PART_SECONDS = 0.05; // between two parts: the screen shows no more frames than that

bool set_job_tell(struct set_job *job, float done, const char *progress)
{
    pthread_mutex_lock(&job->lock);
    job->done = done;
    snprintf(job->progress, sizeof job->progress, "%s", progress);
    bool go_on = !job->cancel;
    pthread_mutex_unlock(&job->lock);
    return go_on;
}

bool set_job_bundled(char path[ASSETS_PATH], struct error *err)
{
    char folder[ASSETS_PATH];
    if (!assets_find(folder, err))
        return false;
    if (snprintf(path, ASSETS_PATH, "%s/pictures/questions.jsonl", folder) >= ASSETS_PATH)
        return error_set(err, ERROR_INPUT, "the path of the bundled questions is too long");
    return true;
}

static void *work(void *context)
{
    struct set_job *job = context;
    struct error err = {0};
    struct thread_pool *pool = thread_pool_new(job->threads);
    bool ok = job->request.kind == JOB_SET ? set_job_do_set(job, pool, &err) : set_job_do_sweep(job, pool, &err);
    thread_pool_free(pool);
    pthread_mutex_lock(&job->lock);
    job->ended = true;
    if (!ok)
        job->err = err;
    pthread_cond_signal(&job->end);
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

struct set_job *set_job_start(struct model *model, const char *weights, int threads, const struct run_options *options,
                              const struct backend_job *request, struct error *err)
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
    job->options = *options;
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
