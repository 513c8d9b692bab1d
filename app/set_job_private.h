// What the files of the job share: not for others.
#ifndef TRIMSCOPE_APP_SET_JOB_PRIVATE_H
#define TRIMSCOPE_APP_SET_JOB_PRIVATE_H

#include "app/assets.h"
#include "app/set_job.h"
#include "app/sweep_run.h"
#include "engine/base/thread.h"

#include <pthread.h>

struct set_job {
    struct model *model;
    const char *weights;
    int threads;
    struct run_options options;
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

// How far it is, for the screen. False: it shall stop.
bool set_job_tell(struct set_job *job, float done, const char *progress);

// The path of the bundled questions.
bool set_job_bundled(char path[ASSETS_PATH], struct error *err);

// set_job_set.c, set_job_sweep.c: the work of the two kinds.
bool set_job_do_set(struct set_job *job, struct thread_pool *pool, struct error *err);
bool set_job_do_sweep(struct set_job *job, struct thread_pool *pool, struct error *err);

#endif
