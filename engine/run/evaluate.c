#include "engine/run/evaluate.h"

#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static const double SHOWS = 0.25; // of a patch's area

struct worker {
    struct run *run;
    struct error err;
};

struct evaluator {
    const struct model *model;
    const struct question_set *set;
    struct run_options options;
    struct evaluation *results;
    struct worker *workers;
    int *groups, group_count; // first question of each picture; groups[group_count] = count
    evaluate_progress *progress;
    evaluate_visit *visit;
    void *context;
    pthread_mutex_t lock;
    int done;
    bool stop, cancelled; // under the lock
};

// Where picture_fit() puts the file's pixels: x of the model = (x - left) * scale.
struct fit {
    double scale, left, top;
};

static struct fit fit_of(int width, int height, int side)
{
    int least = width < height ? width : height;
    double scale = (double)side / least;
    return (struct fit){scale, (width - least) / 2.0, (height - least) / 2.0};
}

static double overlap(double low, double high, double start, double size)
{
    double a = fmax(low, start), b = fmin(high, start + size);
    return b > a ? (b - a) / size : 0;
}

// The largest share of the patch that one of the boxes covers.
static double coverage(const struct question_box *boxes, int count, struct fit fit, int column, int row, int patch)
{
    double most = 0;
    for (int i = 0; i < count; i++) {
        double x = overlap((boxes[i].x0 - fit.left) * fit.scale, (boxes[i].x1 - fit.left) * fit.scale, column * patch,
                           patch);
        double y = overlap((boxes[i].y0 - fit.top) * fit.scale, (boxes[i].y1 - fit.top) * fit.scale, row * patch, patch);
        most = fmax(most, x * y);
    }
    return most;
}

static void count_patches(const struct evaluator *e, const struct question *q, const struct trace *trace, struct fit fit,
                          struct evaluation *result)
{
    int grid = model_grid(&e->model->config), patch = e->model->config.patch_size;
    const struct trace_tokens *last = &trace->stages[trace->stage_count - 1].tokens[0];
    for (int p = 0; p < grid * grid; p++) {
        double needed = coverage(q->needed, q->needed_count, fit, p % grid, p / grid, patch);
        double other = coverage(q->others, q->other_count, fit, p % grid, p / grid, patch);
        int alive = last->alive[p + 1];
        if (needed > SHOWS) {
            result->needed++;
            result->needed_alive += alive;
        } else if (needed <= 0 && other > SHOWS) {
            result->other++;
            result->other_alive += alive;
        }
    }
}

static bool answer_question(struct evaluator *e, struct worker *worker, int index, struct fit fit)
{
    const struct question *q = &e->set->questions[index];
    struct evaluation result = {.done = true};
    while (run_step(worker->run, &worker->err))
        continue;
    if (!run_finished(worker->run))
        return false;
    const struct trace *trace = run_trace(worker->run);
    result.correct = !strcmp(trace->answer.text, q->answer);
    result.share = trace->spent_macs / trace->dense_macs;
    result.spent = trace->spent_macs;
    result.ms = trace->ms;
    if (!q->pictures[1])
        count_patches(e, q, trace, fit, &result);
    e->results[index] = result;
    if (e->visit) {
        pthread_mutex_lock(&e->lock);
        e->visit(e->context, index, trace);
        pthread_mutex_unlock(&e->lock);
    }
    return true;
}

// The pictures of a question to the worker's run; makes the run the first time.
static bool show_pictures(struct evaluator *e, struct worker *worker, const struct question *q, struct fit *fit)
{
    struct picture pictures[QUESTION_PICTURES] = {{0}};
    const struct picture *list[QUESTION_PICTURES] = {&pictures[0], &pictures[1]};
    int count = q->pictures[1] ? 2 : 1, side = e->model->config.image_size;
    bool ok = true;
    for (int p = 0; ok && p < count; p++) {
        int width = 0, height = 0;
        ok = picture_load(&pictures[p], q->pictures[p], side, &width, &height, &worker->err);
        *fit = fit_of(width, height, side);
    }
    if (ok && !worker->run)
        worker->run = run_new(e->model, list, count, q->text, &e->options, &worker->err);
    else if (ok)
        ok = run_show(worker->run, list, count, &worker->err);
    for (int p = 0; p < count; p++)
        picture_free(&pictures[p]);
    return ok && worker->run;
}

// True when the evaluation shall go on.
static bool report(struct evaluator *e, int answered, bool ok)
{
    pthread_mutex_lock(&e->lock);
    e->done += answered;
    e->stop = e->stop || !ok;
    if (answered && e->progress && !e->stop && !e->progress(e->context, e->done, e->set->count))
        e->stop = e->cancelled = true;
    bool go_on = !e->stop;
    pthread_mutex_unlock(&e->lock);
    return go_on;
}

static void evaluate_group(void *context, int index, int number)
{
    struct evaluator *e = context;
    struct worker *worker = &e->workers[number];
    struct fit fit = {0};
    int first = e->groups[index], end = e->groups[index + 1], answered = 0;
    if (!report(e, 0, true))
        return;
    bool ok = show_pictures(e, worker, &e->set->questions[first], &fit);
    for (int i = first; ok && i < end; i++, answered++)
        ok = run_ask(worker->run, e->set->questions[i].text, &worker->err) && answer_question(e, worker, i, fit);
    report(e, answered, ok);
}

static bool same_pictures(const struct question *a, const struct question *b)
{
    for (int p = 0; p < QUESTION_PICTURES; p++)
        if (!a->pictures[p] != !b->pictures[p] || (a->pictures[p] && strcmp(a->pictures[p], b->pictures[p])))
            return false;
    return true;
}

static int find_groups(const struct question_set *set, int *groups)
{
    int count = 0;
    for (int i = 0; i < set->count; i++)
        if (i == 0 || !same_pictures(&set->questions[i - 1], &set->questions[i]))
            groups[count++] = i;
    groups[count] = set->count;
    return count;
}

bool evaluate_set(const struct model *model, const struct question_set *set, const struct run_options *options,
                  evaluate_progress *progress, void *context, struct evaluation *results, struct error *err)
{
    return evaluate_traces(model, set, options, progress, NULL, context, results, err);
}

bool evaluate_traces(const struct model *model, const struct question_set *set, const struct run_options *options,
                     evaluate_progress *progress, evaluate_visit *visit, void *context, struct evaluation *results,
                     struct error *err)
{
    int workers = options->pool ? thread_pool_workers(options->pool) : 1;
    struct evaluator e = {.model = model, .set = set, .options = *options, .results = results, .progress = progress,
                          .visit = visit,
                          .context = context, .lock = PTHREAD_MUTEX_INITIALIZER};
    e.options.pool = NULL; // pictures are spread over the threads, not the rows of one
    e.groups = memory_alloc((size_t)set->count + 1, sizeof *e.groups);
    e.workers = memory_alloc((size_t)workers, sizeof *e.workers);
    memset(results, 0, (size_t)set->count * sizeof *results);
    bool ok = (e.groups && e.workers) || error_no_memory(err, "the evaluation");
    if (ok) {
        e.group_count = find_groups(set, e.groups);
        thread_pool_run(options->pool, evaluate_group, &e, e.group_count);
    }
    for (int w = 0; e.workers && w < workers; w++) {
        if (ok && e.workers[w].err.code)
            ok = error_set(err, e.workers[w].err.code, "%s", e.workers[w].err.text);
        run_free(e.workers[w].run);
    }
    if (ok && e.cancelled)
        ok = error_set(err, ERROR_CANCELLED, "stopped after %d of %d questions", e.done, set->count);
    memory_free(e.groups);
    memory_free(e.workers);
    pthread_mutex_destroy(&e.lock);
    return ok;
}
