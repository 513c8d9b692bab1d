#include "app/jobs.h"
#include "app/set_job.h"

#include "engine/base/thread.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double tell_seconds = 0.05;

static void send_news(struct job *job, const struct backend_job_news *news)
{
    struct backend_job_news *copy = malloc(sizeof *copy);
    if (!copy)
        return; // only progress is lost here: results come with memory of their own
    *copy = *news;
    session_publish_job(job->lane, copy);
}

bool job_go_on(struct job *job, float done, const char *what)
{
    double now = clock_seconds();
    if (!session_serve(job->session, job->id))
        return false;
    session_say_busy(job->session, true, what, done);
    if (now < job->told + tell_seconds)
        return true;
    job->told = now;
    struct backend_job_news news = {.id = job->id, .kind = job->request->kind, .state = JOB_WORKING, .done = done};
    snprintf(news.progress, sizeof news.progress, "%s", what);
    send_news(job, &news);
    return true;
}

void job_publish(struct job *job, enum backend_job_state state, struct backend_job_news *news)
{
    news->next = NULL;
    news->id = job->id;
    news->kind = job->request->kind;
    news->state = state;
    session_publish_job(job->lane, news);
}

// ---- JOB_RUN ----------------------------------------------------------------------------------------------------

bool job_choose_policy(const struct job *job, const struct backend_run_request *request, struct run_options *options,
                          struct error *err)
{
    const struct trace *shown = run_trace(job->lane->run);
    const char *name = request->policy[0] ? request->policy : shown->policy;
    options->budget = request->policy[0] ? request->budget : shown->budget;
    return policy_find(name, &options->policy) || error_set(err, ERROR_USAGE, "there is no policy '%s'", name);
}

static bool change_run(struct job *job, const struct backend_run_request *request, struct run *run, struct error *err)
{
    const struct lane *lane = job->lane;
    for (int p = 0; p < job->session->model->config.pictures; p++)
        if (!run_describe_picture(run, p, lane->paths[p], &lane->origins[p], err))
            return false;
    for (int i = 0; i < request->change_count; i++)
        if (run_intervene(run, &request->changes[i]) < 0)
            return error_set(err, ERROR_USAGE, "change %d cannot be made: there is no such token or head in that stage",
                             i + 1);
    return true;
}

struct run *job_make_run(struct job *job, const struct backend_run_request *request, struct error *err)
{
    const struct picture *list[TRACE_PICTURES];
    struct run_options options = session_run_options(job->session);
    struct run *run = NULL;
    for (int p = 0; p < TRACE_PICTURES; p++)
        list[p] = &job->lane->pictures[p];
    if (!job->lane->run)
        error_set(err, ERROR_USAGE, "there is no run on the screen to start from");
    else if (job_choose_policy(job, request, &options, err))
        run = run_new(job->session->model, list, job->session->model->config.pictures,
                      request->question ? request->question : run_trace(job->lane->run)->question, &options, err);
    if (run && !change_run(job, request, run, err)) {
        run_free(run);
        run = NULL;
    }
    return run;
}

static bool do_run(struct job *job, struct error *err)
{
    struct run *run = job_make_run(job, &job->request->run, err);
    struct backend_job_news *news = calloc(1, sizeof *news);
    bool ok = run && (news || error_no_memory(err, "a run"));
    while (ok && !run_finished(run)) {
        const struct trace *trace = run_trace(run);
        ok = job_go_on(job, (float)trace->stage_count / (float)(trace->stage_total + 1), "computing") &&
             run_step(run, err);
    }
    if (ok && !trace_copy(&news->run, run_trace(run)))
        ok = error_no_memory(err, "a run");
    if (ok)
        job_publish(job, JOB_DONE, news);
    else
        free(news);
    run_free(run);
    return ok;
}

// ---- JOB_SET, JOB_SWEEP: in threads of their own ------------------------------------------------------------------

static bool do_set(struct job *job, struct error *err)
{
    struct session *s = job->session;
    struct run_options options = session_run_options(s);
    struct set_job *work = set_job_start(s->model, s->model_path, s->options.threads, &options, job->request, err);
    enum backend_job_state state = work ? JOB_WORKING : JOB_FAILED;
    bool wanted = true;
    while (state == JOB_WORKING || state == JOB_PART) {
        struct backend_job_news *news = calloc(1, sizeof *news);
        float done = 0;
        char progress[sizeof news->progress];
        if (!news) {
            error_no_memory(err, "the results");
            break;
        }
        // Short enough that what the person asks of the run on the screen is done at once.
        state = set_job_wait(work, 5, news, &done, progress, err);
        if (state == JOB_PART || state == JOB_DONE)
            job_publish(job, state, news);
        else
            free(news);
        if (wanted && state != JOB_DONE && !job_go_on(job, done, progress)) {
            wanted = false; // what was answered until it stops is worth showing
            set_job_cancel(work);
        }
    }
    if (!wanted)
        *err = (struct error){0};
    set_job_free(work);
    return state == JOB_DONE;
}

// ---- all of them ------------------------------------------------------------------------------------------------

// Each returns true once it has published JOB_DONE; false with *err set: it failed, without: it was cancelled.
static bool (*const functions[JOB_KINDS])(struct job *job, struct error *err) = {
    [JOB_RUN] = do_run,
    [JOB_SET] = do_set,
    [JOB_SWEEP] = do_set,
    [JOB_LOOK] = job_do_look,
    [JOB_REDUNDANCY] = job_do_redundancy,
    [JOB_WHY] = job_why,
    [JOB_SEARCH] = job_search,
    [JOB_WORLD] = job_do_world,
    [JOB_HEADS] = job_do_heads,
};

void job_do(struct job *job)
{
    struct error err = {0};
    if (functions[job->request->kind](job, &err))
        return;
    struct backend_job_news news = {.id = job->id,
                                    .kind = job->request->kind,
                                    .state = err.code == ERROR_NONE || err.code == ERROR_CANCELLED ? JOB_CANCELLED
                                                                                                   : JOB_FAILED};
    snprintf(news.error, sizeof news.error, "%s", err.text);
    send_news(job, &news);
}
