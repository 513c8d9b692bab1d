// Requests and results of jobs: copied when they change threads, freed by whoever holds them.
#include "ui/backend.h"

#include <stdlib.h>
#include <string.h>

static bool copy_text(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return *to || !from;
}

static bool copy_run(struct backend_run_request *to, const struct backend_run_request *from)
{
    bool ok = copy_text(&to->question, from->question);
    memcpy(to->policy, from->policy, sizeof to->policy);
    to->budget = from->budget;
    to->changes = NULL;
    if (from->change_count > 0) {
        to->changes = malloc((size_t)from->change_count * sizeof *to->changes);
        if (!to->changes)
            return false;
        memcpy(to->changes, from->changes, (size_t)from->change_count * sizeof *to->changes);
    }
    to->change_count = from->change_count;
    return ok;
}

bool backend_job_copy(struct backend_job *to, const struct backend_job *from)
{
    *to = (struct backend_job){.kind = from->kind};
    bool ok = false;
    switch (from->kind) {
    case JOB_RUN:
        ok = copy_run(&to->run, &from->run);
        break;
    case JOB_KINDS:
        break;
    }
    if (!ok)
        backend_job_free(to);
    return ok;
}

void backend_job_free(struct backend_job *job)
{
    if (job->kind == JOB_RUN) {
        free(job->run.question);
        free(job->run.changes);
    }
    *job = (struct backend_job){.kind = JOB_KINDS};
}

static void free_result(struct backend_job_news *news)
{
    if (news->state != JOB_PART && news->state != JOB_DONE)
        return;
    if (news->kind == JOB_RUN)
        trace_free(&news->run);
}

void backend_job_news_free(struct backend_job_news *news)
{
    while (news) {
        struct backend_job_news *next = news->next;
        free_result(news);
        free(news);
        news = next;
    }
}
