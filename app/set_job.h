// A question set or a sweep at work in threads of its own, for the screen: what becomes known is gathered until it is
// taken.
#ifndef TRIMSCOPE_APP_SET_JOB_H
#define TRIMSCOPE_APP_SET_JOB_H

#include "ui/backend.h"

struct model;
struct run_options;
struct set_job;

// Starts on the request (copied), a JOB_SET or a JOB_SWEEP. The model has been opened from `weights`; both outlive the job.
// `options`: of its runs, but policy, budget and pool. NULL and *err when no thread can be had.
struct set_job *set_job_start(struct model *model, const char *weights, int threads, const struct run_options *options,
                              const struct backend_job *request, struct error *err);

// Waits for news, at most some milliseconds. Returns JOB_WORKING (nothing new), JOB_PART (`part` has been filled, with
// kind, state and result), or how it ended: JOB_DONE (the last part), JOB_FAILED (*err) or JOB_CANCELLED. `done` and
// `progress` (120 bytes) are always set.
enum backend_job_state set_job_wait(struct set_job *job, int milliseconds, struct backend_job_news *part, float *done,
                                    char *progress, struct error *err);

// It shall stop; what it has answered until it does comes from set_job_wait() as before, and then JOB_CANCELLED.
void set_job_cancel(struct set_job *job);

// Stops it, if it is still at work, and waits until it has.
void set_job_free(struct set_job *job);

#endif
