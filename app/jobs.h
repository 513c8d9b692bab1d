// What the jobs of ui/backend.h do. A job runs on the session's worker; between two steps of it, in job_go_on(), the
// worker does what the person asks of the runs on the screen, so that they never wait for a job.
#ifndef TRIMSCOPE_APP_JOBS_H
#define TRIMSCOPE_APP_JOBS_H

#include "app/session_private.h"

struct job {
    struct session *session;
    struct lane *lane; // whose screen asked; its run changes in job_go_on()
    int id;
    const struct backend_job *request;
    double told; // clock of the last progress
};

// To be called every few milliseconds of work, and not while something of the lane's run is half used. `done` 0 .. 1 or
// NaN; `what` is a word or two for the progress line. False: the job was cancelled; let go of everything and return
// false without setting *err.
bool job_go_on(struct job *job, float done, const char *what);

// Hands over what is known so far (JOB_PART) or the result (JOB_DONE): news of the job's kind with its result filled in;
// takes the result over in any case. Not needed where a job has nothing to hand over.
void job_publish(struct job *job, enum backend_job_state state, struct backend_job_news *news);

// Does the job and says how it ended. What a function of a job returns false for with *err set becomes JOB_FAILED.
void job_do(struct job *job);

// A run of the session's model with the pictures, question, policy and changes of the request; what the request leaves
// out is the lane's. NULL and *err on bad input. The caller frees it.
struct run *job_make_run(struct job *job, const struct backend_run_request *request, struct error *err);

// Policy, budget and threads for a run of the session's model as the request says; what it leaves out is the lane's, which
// must have a run.
bool job_choose_policy(const struct job *job, const struct backend_run_request *request, struct run_options *options,
                       struct error *err);

// job_look.c: JOB_LOOK, JOB_REDUNDANCY, JOB_WORLD and JOB_HEADS.
bool job_do_look(struct job *job, struct error *err);
bool job_do_redundancy(struct job *job, struct error *err);
bool job_do_world(struct job *job, struct error *err);
bool job_do_heads(struct job *job, struct error *err);

// jobs_why.c
bool job_why(struct job *job, struct error *err);
bool job_search(struct job *job, struct error *err);

#endif
