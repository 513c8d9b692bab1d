// The jobs of the explainer: one decision taken apart, and searches for sets.
#include "app/jobs.h"
#include "engine/base/thread.h"
#include "ui/why_words.h"

#include <math.h>
#include <stdlib.h>

// The lane's explainer, about its run as it is now. It is taken out of the lane, which may change or go while the job
// lasts.
static struct explainer *borrow(struct job *job, struct error *err)
{
    struct lane *lane = job->lane;
    struct explainer *e = lane->explainer;
    lane->explainer = NULL;
    if (!lane->run) {
        error_set(err, ERROR_USAGE, "there is no run on the screen to ask about");
        return NULL;
    }
    e = e ? e : explain_new(lane->run, err);
    if (e && !explain_hold(e, err)) {
        explain_free(e);
        e = NULL;
    }
    return e;
}

static void give_back(struct job *job, struct explainer *e, unsigned runs)
{
    if (job->lane->runs == runs && !job->lane->explainer)
        job->lane->explainer = e;
    else
        explain_free(e); // its run is gone
}

struct watcher {
    struct job *job;
    struct why_pace pace;
};

static bool go_on(void *context, const struct explain_progress *p)
{
    struct watcher *watcher = context;
    char text[WHY_TEXT];
    why_tell_progress(p, &watcher->pace, clock_seconds(), text, sizeof text);
    return job_go_on(watcher->job, p->total > 0 ? (float)p->done / (float)p->total : NAN, text);
}

static bool publish_why(struct job *job, enum backend_job_state state, const struct backend_why *why, struct error *err)
{
    struct backend_job_news *news = calloc(1, sizeof *news);
    if (!news)
        return error_no_memory(err, "the explanation");
    news->why = *why;
    job_publish(job, state, news);
    return true;
}

bool job_why(struct job *job, struct error *err)
{
    unsigned runs = job->lane->runs;
    struct watcher watcher = {.job = job};
    struct explain_watch watch = {go_on, &watcher};
    job->told = (double)INFINITY; // its parts are the progress: a frame for each word would only hold up the next key
    struct explainer *e = borrow(job, err);
    struct backend_why *why = calloc(1, sizeof *why);
    bool ok = e && (why || error_no_memory(err, "the explanation"));
    ok = ok && explain_verdict(e, &job->request->why, &why->verdict, err);
    if (ok) {
        why->has_effect = explain_opposite(&why->verdict, &why->change);
        ok = !why->has_effect || explain_what_if(e, &why->change, 1, &why->effect, err);
    }
    for (int side = 0; ok && side < 2; side++) {
        ok = publish_why(job, JOB_PART, why, err) && job_go_on(job, NAN, "") &&
             explain_pulls(e, &why->verdict, (enum explain_side)side, &watch, &why->pulls[side], err);
        why->has_pulls[side] = ok;
    }
    ok = ok && publish_why(job, JOB_DONE, why, err);
    free(why);
    if (e)
        give_back(job, e, runs);
    return ok;
}

bool job_search(struct job *job, struct error *err)
{
    unsigned runs = job->lane->runs;
    struct watcher watcher = {.job = job};
    struct explain_watch watch = {go_on, &watcher};
    struct explainer *e = borrow(job, err);
    struct backend_job_news *news = calloc(1, sizeof *news);
    bool ok = e && (news || error_no_memory(err, "the search"));
    ok = ok && explain_find_set(e, job->request->search.search, job->request->search.over, &watch, &news->search, err);
    if (ok)
        job_publish(job, JOB_DONE, news);
    else
        free(news);
    if (e)
        give_back(job, e, runs);
    return ok;
}
