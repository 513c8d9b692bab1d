// Policies times budgets over a set, or the points of files.
#include "app/set_job_private.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    return set_job_tell(job, ((float)run->current + (float)done / (float)total) / (float)run->count, progress);
}

static bool sweep_set(struct set_job *job, struct thread_pool *pool, struct error *err)
{
    const struct backend_sweep_request *request = &job->request.sweep;
    struct sweep_run *run = job->sweep_run;
    char bundled[ASSETS_PATH];
    if (!request->set && !set_job_bundled(bundled, err))
        return false;
    const struct set_run_options options = {.model = job->weights, .opened = job->model, .shard = 1, .shards = 1,
                                            .set = request->set ? request->set : bundled, .limit = request->limit,
                                            .keeps = request->folder};
    run->options = job->options;
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

// Of the file that is being read, for the watch.
struct reading {
    struct set_job *job;
    int file;
};

static bool watch_file(void *context, double done)
{
    const struct reading *reading = context;
    const struct backend_sweep_request *request = &reading->job->request.sweep;
    const char *path = request->files[reading->file], *slash = strrchr(path, '/');
    char progress[120];
    snprintf(progress, sizeof progress, _("%.60s (%d of %d)"), slash ? slash + 1 : path, reading->file + 1,
             request->file_count);
    return set_job_tell(reading->job, ((float)reading->file + (float)done) / (float)request->file_count, progress);
}

// A file that cannot be read says why in its place among the points, and the others are shown.
static bool read_points(struct set_job *job, struct error *err)
{
    const struct backend_sweep_request *request = &job->request.sweep;
    struct sweep_run *run = job->sweep_run;
    struct error trouble = {0};
    bool any = false;
    if (request->file_count > SWEEP_POINTS)
        return error_set(err, ERROR_INPUT, "these are more than %d files", SWEEP_POINTS);
    run->count = request->file_count;
    for (int i = 0; i < run->count; i++)
        run->points[i] = (struct sweep_point){.unknown = true};
    for (int i = 0; i < run->count; i++) {
        struct reading reading = {job, i};
        const struct watch watch = {watch_file, &reading};
        if (sweep_run_read(&run->points[i], request->files[i], &watch, &trouble))
            any = true;
        else if (trouble.code != ERROR_INPUT)
            return error_set(err, trouble.code, "%s", trouble.text);
        else
            snprintf(run->points[i].why, sizeof run->points[i].why, "%s", trouble.text);
        sweep_mark_fronts(run->points, run->count);
        point_finished(job);
    }
    return any || error_set(err, ERROR_INPUT, "%s", trouble.text);
}

bool set_job_do_sweep(struct set_job *job, struct thread_pool *pool, struct error *err)
{
    job->sweep_run = calloc(1, sizeof *job->sweep_run);
    if (!job->sweep_run)
        return error_no_memory(err, "the sweep");
    bool ok = job->request.sweep.file_count ? read_points(job, err) : sweep_set(job, pool, err);
    free(job->sweep_run);
    job->sweep_run = NULL;
    return ok;
}
