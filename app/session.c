// The session's life and its worker, which steps the lanes.
#define _GNU_SOURCE // pipe2
#include "app/jobs.h"
#include "app/writing_options.h"

#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/prune/calibration.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- the worker -------------------------------------------------------------------------------------------------

static bool start(struct session *s, struct error *err)
{
    // The first stages run while the weights of the later ones are still on their way.
    struct model_options options = {.pictures = s->second ? 2 : 1, .background = true};
    if (s->options.writing)
        options.answers = s->options.writing->answers;
    session_say_busy(s, true, _("opening the model"), NAN);
    struct model *model = model_open(s->model_path, &options, err);
    if (!model)
        return false;
    pthread_mutex_lock(&s->lock);
    s->model = model;
    s->vocabulary = s->model->tokenizer;
    if (!calibration_share(s->model, 0, &s->learned_share))
        s->learned_share = NAN;
    pthread_mutex_unlock(&s->lock);
    bool caption = s->options.unasked && model->config.task == TASK_CAPTION;
    return session_start_lane(&s->lanes[0], caption ? "" : s->question, err);
}

static bool stages_left(const struct lane *lane)
{
    return lane->open && lane->run && !lane->stopped && !run_finished(lane->run) &&
           run_trace(lane->run)->stage_count <= lane->wanted;
}

// The lane that is to be stepped next: the one that is least far, so that runs side by side grow together. NULL: none.
static struct lane *next_lane(struct session *s)
{
    struct lane *next = NULL;
    for (int i = 0; i < BACKEND_LANES; i++) {
        struct lane *lane = &s->lanes[i];
        if (stages_left(lane) && (!next || run_trace(lane->run)->stage_count < run_trace(next->run)->stage_count))
            next = lane;
    }
    return next;
}

static struct lane *begin_step(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    struct lane *lane = s->queued || s->quit ? NULL : next_lane(s);
    if (lane)
        lane->stepped = true;
    pthread_mutex_unlock(&s->lock);
    return lane;
}

// A lane that was cut short is stopped already, by who did it; one that failed is, until somebody asks again: the next try
// at once would fail as this one.
static void end_step(struct lane *lane, bool failed)
{
    struct session *s = lane->session;
    pthread_mutex_lock(&s->lock);
    lane->stepped = false;
    lane->stop = s->quit;
    lane->stopped = lane->stopped || failed;
    pthread_mutex_unlock(&s->lock);
}

static void publish_changed(struct session *s)
{
    for (int i = 0; i < BACKEND_LANES; i++) {
        struct lane *lane = &s->lanes[i];
        if (lane->run && run_trace(lane->run)->stage_count != lane->published)
            session_publish_trace(lane);
    }
}

// Computes stages until the wishes are fulfilled or a command comes in; long runs are shown while they grow.
static void advance(struct session *s)
{
    double shown = clock_seconds();
    for (;;) {
        struct error err = {0};
        struct lane *lane = begin_step(s);
        if (!lane)
            break;
        const struct trace *trace = run_trace(lane->run);
        if (!run_ready(lane->run, 0)) {
            end_step(lane, false);
            publish_changed(s);
            session_say_busy(s, true, _("reading the weights"), (float)model_loaded(s->model));
            run_ready(lane->run, 0.05); // no longer: a command may come meanwhile
            continue;
        }
        session_say_busy(s, true, _("computing"),
                         (float)trace->stage_count / (float)(trace->stage_total > 0 ? trace->stage_total : 1));
        bool done = run_step(lane->run, &err), failed = !done && err.code != ERROR_CANCELLED;
        if (failed && err.code != ERROR_NONE)
            session_publish_error(lane, &err);
        end_step(lane, failed);
        if (clock_seconds() - shown > 0.03) {
            publish_changed(s);
            shown = clock_seconds();
        }
    }
    publish_changed(s);
}

// Does the oldest command and computes the stages that are wanted then.
static void serve(struct session *s)
{
    struct command command;
    pthread_mutex_lock(&s->lock);
    bool given = !s->quit && session_next_command(s, &command);
    pthread_mutex_unlock(&s->lock);
    if (given) {
        struct error err = {0};
        struct lane *lane = &s->lanes[command.lane];
        if (!session_carry_out(s, &command, &err))
            session_publish_error(lane, &err);
        else if (command.kind != COMMAND_ATTENTION)
            lane->published = -1; // even an unchanged length is news
        session_free_command(&command);
    }
    advance(s);
}

bool session_serve(struct session *s, int id)
{
    for (;;) {
        pthread_mutex_lock(&s->lock);
        bool wanted = !s->quit && s->job_count > 0 && s->jobs[0].id == id && !s->jobs[0].cancelled;
        bool asked = !s->quit && (s->queued || next_lane(s));
        pthread_mutex_unlock(&s->lock);
        if (!wanted || !asked)
            return wanted;
        serve(s);
    }
}

static void forget_job(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    backend_job_free(&s->jobs[0].job);
    memmove(s->jobs, s->jobs + 1, (size_t)--s->job_count * sizeof *s->jobs);
    pthread_mutex_unlock(&s->lock);
}

// The first job stays where it is until it is done: only this thread takes jobs out.
static void do_job(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    const struct session_job *first = &s->jobs[0];
    s->stop_job = s->quit || first->cancelled;
    pthread_mutex_unlock(&s->lock);
    struct job job = {
        .session = s, .lane = &s->lanes[first->lane], .id = first->id, .request = &first->job};
    job_do(&job);
    forget_job(s);
}

static void work(struct session *s)
{
    for (;;) {
        pthread_mutex_lock(&s->lock);
        if (!s->queued && !s->quit && !next_lane(s) && !s->job_count) {
            pthread_mutex_unlock(&s->lock);
            session_say_busy(s, false, "", NAN);
            pthread_mutex_lock(&s->lock);
            while (!s->queued && !s->quit && !next_lane(s) && !s->job_count)
                pthread_cond_wait(&s->wake, &s->lock);
        }
        bool quit = s->quit, job = !s->queued && !next_lane(s) && s->job_count > 0;
        pthread_mutex_unlock(&s->lock);
        if (quit)
            return;
        if (job)
            do_job(s);
        else
            serve(s);
    }
}

// Without a model only one thing is left to say.
static void fail_jobs(struct session *s, const struct error *err)
{
    pthread_mutex_lock(&s->lock);
    while (!s->quit) {
        if (!s->job_count) {
            pthread_cond_wait(&s->wake, &s->lock);
            continue;
        }
        struct session_job job = s->jobs[0];
        struct backend_job_news *news = calloc(1, sizeof *news);
        pthread_mutex_unlock(&s->lock);
        if (news) {
            *news = (struct backend_job_news){.id = job.id, .kind = job.job.kind, .state = JOB_FAILED};
            snprintf(news->error, sizeof news->error, "%s", err->text);
            session_publish_job(&s->lanes[job.lane], news);
        }
        forget_job(s);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *session_main(void *argument)
{
    struct session *s = argument;
    struct error err = {0};
    if (start(s, &err)) {
        work(s);
        return NULL;
    }
    session_publish_error(&s->lanes[0], &err);
    session_say_busy(s, false, "", NAN);
    fail_jobs(s, &err);
    return NULL;
}

// ---- life -------------------------------------------------------------------------------------------------------

static bool copy_options(struct session *s, const struct session_options *options)
{
    s->options = *options;
    s->model_path = strdup(options->model);
    s->question = strdup(options->question);
    s->second = options->pictures[1] ? strdup(options->pictures[1]) : NULL;
    const char *path = options->pictures[0];
    for (int p = 0; p < TRACE_PICTURES; p++) {
        path = options->pictures[p] ? options->pictures[p] : path;
        s->lanes[0].paths[p] = strdup(path);
        if (!s->lanes[0].paths[p])
            return false;
    }
    return s->model_path && s->question && (s->second || !options->pictures[1]);
}

static void release(struct session *s)
{
    for (int i = 0; i < BACKEND_LANES; i++) {
        session_release_lane(&s->lanes[i]);
        backend_news_free(&s->lanes[i].news);
    }
    run_free(s->look);
    model_free(s->model);
    thread_pool_free(s->pool);
    for (int i = 0; i < s->queued; i++)
        session_free_command(&s->queue[i]);
    for (int i = 0; i < s->job_count; i++)
        backend_job_free(&s->jobs[i].job);
    free(s->model_path);
    free(s->question);
    free(s->second);
    close(s->pipe[0]);
    close(s->pipe[1]);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    memory_free(s);
}

struct session *session_new(const struct session_options *options, struct error *err)
{
    struct session *s = memory_alloc(1, sizeof *s);
    if (!s || pipe2(s->pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
        memory_free(s);
        error_no_memory(err, "the session");
        return NULL;
    }
    s->learned_share = NAN;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    for (int i = 0; i < BACKEND_LANES; i++)
        s->lanes[i] = (struct lane){.session = s, .index = i, .open = i == 0};
    // Signals belong to the screen's thread; but a fault that is blocked kills before its handler can give the terminal
    // back.
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->pool = thread_pool_new(options->threads);
    bool ok = copy_options(s, options) && s->pool && pthread_create(&s->thread, NULL, session_main, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!ok) {
        release(s);
        error_set(err, ERROR_MACHINE, "no thread can be started for the model");
        return NULL;
    }
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->quit = s->stop_job = true;
    for (int i = 0; i < BACKEND_LANES; i++)
        s->lanes[i].stop = true;
    if (s->model)
        model_stop_loading(s->model);
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    release(s);
}
