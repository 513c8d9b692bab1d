// Jobs on pixels that no file holds, and on how alike tokens and heads are over a set.
#include "app/assets.h"
#include "app/jobs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- JOB_LOOK ---------------------------------------------------------------------------------------------------

// The session's run for looking, with the request's picture and question; made the first time.
static bool prepare_look(struct job *job, struct error *err)
{
    struct session *s = job->session;
    const struct backend_look_request *request = &job->request->look;
    struct picture picture = {request->picture.width, request->picture.height, 3, request->picture.rgb};
    const struct picture *list[] = {&picture};
    struct run_options options = run_options_default();
    struct backend_run_request as_shown = {.policy = ""};
    if (!job->lane->run)
        return error_set(err, ERROR_USAGE, "there is no run on the screen to start from");
    if (!job_choose_policy(job, &as_shown, &options, err))
        return false;
    if (!s->look) {
        s->look = run_new(s->model, list, 1, request->question, &options, err);
        return s->look != NULL;
    }
    const struct trace *trace = run_trace(s->look);
    bool same_budget = trace->budget == options.budget || (isnan(trace->budget) && isnan(options.budget));
    bool same = same_budget && !strcmp(trace->policy, policy_name(options.policy));
    return (same || run_set_policy(s->look, options.policy, options.budget, err)) && run_show(s->look, list, 1, err) &&
           (!strcmp(trace->question, request->question) || run_ask(s->look, request->question, err));
}

bool job_do_look(struct job *job, struct error *err)
{
    struct backend_job_news *news = calloc(1, sizeof *news);
    bool ok = news || error_no_memory(err, "a run");
    ok = ok && prepare_look(job, err);
    while (ok && !run_finished(job->session->look))
        ok = job_go_on(job, NAN, "computing") && run_step(job->session->look, err);
    if (ok && !trace_copy(&news->run, run_trace(job->session->look)))
        ok = error_no_memory(err, "a run");
    if (ok)
        job_publish(job, JOB_DONE, news);
    else
        free(news);
    return ok;
}

// ---- JOB_REDUNDANCY ---------------------------------------------------------------------------------------------

struct measuring {
    struct job *job;
    int seen, total;
    bool cancelled;
};

// Questions are run on this thread alone, so that the pool is free for the runs on the screen in job_go_on().
static void measure_visit(void *context, int index, const struct trace *trace)
{
    struct measuring *m = context;
    (void)index, (void)trace;
    m->seen++;
    m->cancelled = m->cancelled || !job_go_on(m->job, (float)m->seen / (float)m->total, "measuring");
}

static bool measure_progress(void *context, int done, int total)
{
    (void)done, (void)total;
    return !((struct measuring *)context)->cancelled;
}

static bool publish_redundancy(struct job *job, struct redundancy of[2], bool done, struct error *err)
{
    struct backend_job_news *news = calloc(1, sizeof *news);
    bool ok = news != NULL;
    for (int i = 0; ok && i < 2; i++)
        ok = redundancy_copy(&news->redundancy[i], &of[i]);
    if (ok) {
        job_publish(job, done ? JOB_DONE : JOB_PART, news);
        return true;
    }
    for (int i = 0; news && i < 2; i++)
        redundancy_free(&news->redundancy[i]);
    free(news);
    return error_no_memory(err, "the likeness of tokens and heads");
}

static bool measure_set(struct job *job, const struct question_set *set, struct redundancy of[2], struct error *err)
{
    struct backend_run_request as_shown = {.policy = ""};
    struct run_options options = run_options_default(), dense = options;
    struct measuring measuring = {.job = job, .total = 2 * set->count};
    if (!job->lane->run || !job_choose_policy(job, &as_shown, &options, err))
        return err->code || error_set(err, ERROR_USAGE, "there is no run on the screen to start from");
    int runs = options.policy == POLICY_NONE ? 1 : 2;
    dense.policy = POLICY_NONE;
    options.pool = NULL;
    for (int i = 0; i < runs; i++)
        if (!redundancy_of_set_watched(job->session->model, set, i == 0 ? &dense : &options, measure_progress,
                                       measure_visit, &measuring, &of[i], err) ||
            !publish_redundancy(job, of, i == runs - 1, err))
            return false;
    return true;
}

bool job_do_redundancy(struct job *job, struct error *err)
{
    char path[ASSETS_PATH + 32];
    struct question_set set;
    struct redundancy of[2] = {{0}, {0}};
    const char *given = job->request->redundancy.set;
    if (!given && !assets_find(path, err))
        return false;
    if (!given)
        strcat(path, "/pictures/questions.jsonl");
    if (!question_set_read(&set, given ? given : path, 0, err))
        return false;
    bool ok = measure_set(job, &set, of, err);
    for (int i = 0; i < 2; i++)
        redundancy_free(&of[i]);
    question_set_free(&set);
    return ok;
}

// ---- JOB_WORLD --------------------------------------------------------------------------------------------------

bool job_do_world(struct job *job, struct error *err)
{
    char assets[ASSETS_PATH];
    struct backend_job_news *news = calloc(1, sizeof *news);
    if (!news)
        return error_no_memory(err, "the world");
    if (!assets_find(assets, err) || !(news->world = world_open(assets, err))) {
        free(news);
        return false;
    }
    job_publish(job, JOB_DONE, news);
    return true;
}
