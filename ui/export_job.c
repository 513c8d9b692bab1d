#include "ui/export_job.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct export_job {
    pthread_t thread;
    atomic_bool done;
    // What is written.
    struct figure figure;
    struct trace traces[FIGURE_ROWS];
    struct backend_picture pictures[FIGURE_ROWS][TRACE_PICTURES];
    struct frame frame;
    struct bytes table;
    char assets[4096], path[EXPORT_JOB_PATH];
    enum export_what what;
    enum export_format format;
    // What became of it.
    bool written;
    size_t size;
    struct error err;
};

static void free_job(struct export_job *job)
{
    for (int r = 0; r < job->figure.count; r++) {
        trace_free(&job->traces[r]);
        for (int p = 0; p < TRACE_PICTURES; p++)
            free(job->pictures[r][p].rgb);
    }
    frame_free(&job->frame);
    bytes_free(&job->table);
    free(job);
}

static bool copy_row(struct export_job *job, const struct figure_row *row)
{
    int r = job->figure.count;
    if (!trace_copy(&job->traces[r], row->trace))
        return false;
    job->figure.rows[r] = (struct figure_row){&job->traces[r], job->pictures[r]};
    job->figure.count++;
    for (int p = 0; p < row->trace->picture_count; p++)
        if (!backend_picture_copy(&job->pictures[r][p], &row->pictures[p]))
            return false;
    return true;
}

static void *write_it(void *context)
{
    struct export_job *job = context;
    struct export_source source = {
        .figure = &job->figure, .frame = &job->frame, .table = &job->table, .assets = job->assets};
    job->written = export_write(&source, job->what, job->format, job->path, &job->size, &job->err);
    atomic_store(&job->done, true);
    return NULL;
}

// Signals are the screen's.
static bool start_thread(struct export_job *job)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&job->thread, NULL, write_it, job) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct export_job *export_job_start(const struct figure *figure, struct frame *frame, struct bytes *table,
                                    const char *assets, enum export_what what, enum export_format format,
                                    const char *path, struct error *err)
{
    struct export_job *job = calloc(1, sizeof *job);
    if (!job) {
        frame_free(frame);
        bytes_free(table);
        error_no_memory(err, "the export");
        return NULL;
    }
    job->frame = *frame;
    job->table = *table;
    *frame = (struct frame){0};
    *table = (struct bytes){0};
    job->what = what;
    job->format = format;
    snprintf(job->assets, sizeof job->assets, "%s", assets);
    snprintf(job->path, sizeof job->path, "%s", path);
    bool ok = true;
    for (int r = 0; ok && r < figure->count; r++)
        ok = copy_row(job, &figure->rows[r]);
    if (ok && start_thread(job))
        return job;
    free_job(job);
    error_no_memory(err, "the export");
    return NULL;
}

bool export_job_done(const struct export_job *job)
{
    return atomic_load(&job->done);
}

bool export_job_end(struct export_job *job, char path[EXPORT_JOB_PATH], enum export_what *what, size_t *size,
                    struct error *err)
{
    pthread_join(job->thread, NULL);
    snprintf(path, EXPORT_JOB_PATH, "%s", job->path);
    *what = job->what;
    *size = job->size;
    *err = job->err;
    bool written = job->written;
    free_job(job);
    return written;
}
