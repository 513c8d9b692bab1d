#include "app/set_summary.h"

#include "engine/base/thread.h"
#include "ui/set_rows.h"

#include <pthread.h>
#include <stdlib.h>

struct work {
    const struct question_set *set;
    const struct evaluation *evaluations;
    struct set_summary *out;
    pthread_mutex_t lock; // guards the rest
    const struct watch *watch;
    double done; // summaries, and parts of some
    struct error err;
};

// One summary of several.
struct part {
    struct work *work;
    double done;
};

static bool watch_part(void *context, double done)
{
    struct part *part = context;
    struct work *work = part->work;
    pthread_mutex_lock(&work->lock);
    work->done += done - part->done;
    part->done = done;
    bool go_on = !work->err.code && watch_go_on(work->watch, work->done / (work->out->type_count + 1), &work->err);
    pthread_mutex_unlock(&work->lock);
    return go_on;
}

// Index 0 is the whole set: the longest work begins first.
static void summarize_part(void *context, int index, int worker)
{
    struct work *work = context;
    struct part part = {.work = work};
    struct set_summary *out = work->out;
    const struct watch watch = {watch_part, &part};
    struct error err = {0};
    (void)worker;
    bool ok = evaluate_summarize(work->set, work->evaluations,
                                 index ? work->set->questions[out->types[index - 1]].type : NULL, &watch,
                                 index ? &out->by_type[index - 1] : &out->all, &err);
    pthread_mutex_lock(&work->lock);
    if (!ok && !work->err.code)
        work->err = err;
    work->done += 1 - part.done;
    pthread_mutex_unlock(&work->lock);
}

struct set_summary *set_summarize(const struct question_set *set, const struct evaluation *evaluations,
                                  struct thread_pool *pool, const struct watch *watch, struct error *err)
{
    const struct results view = {.set = *set};
    struct work work = {.set = set, .evaluations = evaluations, .lock = PTHREAD_MUTEX_INITIALIZER, .watch = watch,
                        .out = calloc(1, sizeof *work.out)};
    if (!work.out) {
        error_no_memory(err, "the summary");
        return NULL;
    }
    work.out->type_count = set_rows_types(&view, work.out->types, SET_TYPES);
    thread_pool_run(pool, summarize_part, &work, work.out->type_count + 1);
    pthread_mutex_destroy(&work.lock);
    if (!work.err.code)
        return work.out;
    free(work.out);
    error_set(err, work.err.code, "%s", work.err.text);
    return NULL;
}
