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

static bool copy_set(struct backend_set_request *to, const struct backend_set_request *from)
{
    *to = *from;
    bool ok = copy_text(&to->path, from->path);
    return copy_text(&to->results, from->results) && ok;
}

static bool copy_sweep(struct backend_sweep_request *to, const struct backend_sweep_request *from)
{
    *to = (struct backend_sweep_request){.limit = from->limit};
    bool ok = copy_text(&to->set, from->set);
    ok = copy_text(&to->policies, from->policies) && ok;
    ok = copy_text(&to->budgets, from->budgets) && ok;
    ok = copy_text(&to->folder, from->folder) && ok;
    if (from->file_count > 0 && !(to->files = calloc((size_t)from->file_count, sizeof *to->files)))
        return false;
    for (; ok && to->file_count < from->file_count; to->file_count++)
        ok = copy_text(&to->files[to->file_count], from->files[to->file_count]);
    return ok;
}

static bool copy_look(struct backend_look_request *to, const struct backend_look_request *from)
{
    size_t bytes = (size_t)from->picture.width * (size_t)from->picture.height * 3;
    to->picture = (struct backend_picture){.width = from->picture.width, .height = from->picture.height, .rgb = malloc(bytes)};
    if (to->picture.rgb)
        memcpy(to->picture.rgb, from->picture.rgb, bytes);
    return copy_text(&to->question, from->question) && to->picture.rgb;
}

bool backend_job_copy(struct backend_job *to, const struct backend_job *from)
{
    *to = (struct backend_job){.kind = from->kind};
    bool ok = false;
    switch (from->kind) {
    case JOB_RUN:
        ok = copy_run(&to->run, &from->run);
        break;
    case JOB_SET:
        ok = copy_set(&to->set, &from->set);
        break;
    case JOB_SWEEP:
        ok = copy_sweep(&to->sweep, &from->sweep);
        break;
    case JOB_LOOK:
        ok = copy_look(&to->look, &from->look);
        break;
    case JOB_REDUNDANCY:
        ok = copy_text(&to->redundancy.set, from->redundancy.set);
        break;
    case JOB_WHY:
    case JOB_SEARCH:
        *to = *from; // nothing in them points anywhere
        ok = true;
        break;
    case JOB_HEADS:
        to->heads = from->heads;
        ok = true;
        break;
    case JOB_WORLD:
        ok = true;
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
    } else if (job->kind == JOB_SET) {
        free(job->set.path);
        free(job->set.results);
    } else if (job->kind == JOB_SWEEP) {
        for (int i = 0; i < job->sweep.file_count; i++)
            free(job->sweep.files[i]);
        free(job->sweep.files);
        free(job->sweep.set);
        free(job->sweep.policies);
        free(job->sweep.budgets);
        free(job->sweep.folder);
    } else if (job->kind == JOB_LOOK) {
        free(job->look.picture.rgb);
        free(job->look.question);
    } else if (job->kind == JOB_REDUNDANCY) {
        free(job->redundancy.set);
    }
    *job = (struct backend_job){.kind = JOB_KINDS};
}

void backend_set_result_free(struct backend_set_result *result)
{
    if (result->rows)
        results_free(result->rows);
    free(result->rows);
    free(result->places);
    free(result->evaluations);
    free(result->summary);
    *result = (struct backend_set_result){0};
}

static void free_result(struct backend_job_news *news)
{
    if (news->state != JOB_PART && news->state != JOB_DONE)
        return;
    if (news->kind == JOB_RUN || news->kind == JOB_LOOK)
        trace_free(&news->run);
    else if (news->kind == JOB_SET)
        backend_set_result_free(&news->set);
    else if (news->kind == JOB_SWEEP)
        free(news->sweep.points);
    else if (news->kind == JOB_SEARCH)
        explain_set_free(&news->search);
    else if (news->kind == JOB_WORLD)
        world_free(news->world);
    for (int i = 0; news->kind == JOB_HEADS && i < 2; i++)
        free(news->heads.of[i].weights);
    for (int i = 0; news->kind == JOB_REDUNDANCY && i < 2; i++)
        redundancy_free(&news->redundancy[i]);
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
