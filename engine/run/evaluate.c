#include "engine/run/evaluate.h"

#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
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
    const struct evaluate_request *request;
    pthread_mutex_t lock;
    int done, total;
    bool stop, cancelled; // under the lock
};

// Where picture_fit() puts the file's pixels: x of the model = (x - left) * across.
struct fit {
    double across, down, left, top;
};

static struct fit fit_of(const struct picture_origin *origin, const struct model_config *config)
{
    int width = origin->width, height = origin->height, least = width < height ? width : height;
    double side = config->image_size;
    if (model_fitting(config) == PICTURE_SQUASH)
        return (struct fit){side / width, side / height, 0, 0};
    return (struct fit){side / least, side / least, (width - least) / 2.0, (height - least) / 2.0};
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
        double x = overlap((boxes[i].x0 - fit.left) * fit.across, (boxes[i].x1 - fit.left) * fit.across, column * patch,
                           patch);
        double y = overlap((boxes[i].y0 - fit.top) * fit.down, (boxes[i].y1 - fit.top) * fit.down, row * patch, patch);
        most = fmax(most, x * y);
    }
    return most;
}

static void count_patches(const struct evaluator *e, const struct question *q, const struct trace *trace, struct fit fit,
                          struct evaluation *result)
{
    int grid = model_grid(&e->model->config), patch = e->model->config.patch_size;
    const struct trace_tokens *last = &trace->stages[trace->stage_count - 1].tokens[0];
    result->objects = q->needed_count;
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

static bool keep_result(struct evaluator *e, struct worker *worker, int index, const struct evaluation *result)
{
    const struct evaluate_request *request = e->request;
    pthread_mutex_lock(&e->lock);
    bool ok = !request->answered || request->answered(request->context, index, result, run_trace(worker->run), &worker->err);
    if (ok)
        e->results[index] = *result;
    e->done += ok;
    pthread_mutex_unlock(&e->lock);
    return ok;
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
    result.p = trace->answer.p;
    snprintf(result.answer, sizeof result.answer, "%s", trace->answer.text);
    if (!q->pictures[1])
        count_patches(e, q, trace, fit, &result);
    return keep_result(e, worker, index, &result);
}

// The pictures of a question to the worker's run; makes the run the first time.
static bool show_pictures(struct evaluator *e, struct worker *worker, int index, struct fit *fit)
{
    const struct question *q = &e->set->questions[index];
    struct picture pictures[QUESTION_PICTURES] = {{0}};
    const struct picture *list[QUESTION_PICTURES] = {&pictures[0], &pictures[1]};
    int count = q->pictures[1] ? 2 : 1;
    if (count != e->model->config.pictures) {
        error_set(&worker->err, ERROR_INPUT,
                  "%d picture(s) in this line, and %d in those before it or of the model; make a set of each", count,
                  e->model->config.pictures);
        return question_set_blame(e->set, index, &worker->err);
    }
    struct picture_reading reading = run_reading(e->model, e->options.exact, 0);
    bool loaded = true;
    for (int p = 0; loaded && p < count; p++) {
        struct picture_origin origin = {0};
        loaded = picture_load(&pictures[p], q->pictures[p], reading, &origin, &worker->err);
        if (loaded)
            *fit = fit_of(&origin, &e->model->config);
    }
    bool ok = loaded && (worker->run ? run_show(worker->run, list, count, &worker->err)
                                     : (worker->run = run_new(e->model, list, count, q->text, &e->options, &worker->err)) != NULL);
    if (!loaded) // it is this line's fault
        question_set_blame(e->set, index, &worker->err);
    for (int p = 0; p < count; p++)
        picture_free(&pictures[p]);
    return ok;
}

// True when the evaluation shall go on. Stopped within a question, by the options' flag, is stopped like after one.
static bool report(struct evaluator *e, struct worker *worker, bool progress, bool ok)
{
    const struct evaluate_request *request = e->request;
    bool cancelled = worker->err.code == ERROR_CANCELLED;
    if (cancelled)
        worker->err = (struct error){0};
    pthread_mutex_lock(&e->lock);
    e->stop = e->stop || !ok;
    e->cancelled = e->cancelled || cancelled;
    if (progress && request->progress && !e->stop && !request->progress(request->context, e->done, e->total))
        e->stop = e->cancelled = true;
    bool go_on = !e->stop;
    pthread_mutex_unlock(&e->lock);
    return go_on;
}

static bool in_shard(int group, int shard, int shards) { return !shards || group % shards == shard; }

static void evaluate_group(void *context, int index, int number)
{
    struct evaluator *e = context;
    struct worker *worker = &e->workers[number];
    struct fit fit = {0};
    int first = e->groups[index], end = e->groups[index + 1];
    while (first < end && e->results[first].done)
        first++;
    if (!in_shard(index, e->request->shard, e->request->shards) || first == end || !report(e, worker, false, true))
        return;
    bool ok = show_pictures(e, worker, first, &fit);
    for (int i = first; ok && i < end; i++)
        if (!e->results[i].done)
            ok = run_ask(worker->run, e->set->questions[i].text, &worker->err) && answer_question(e, worker, i, fit);
    report(e, worker, true, ok);
}

static bool same_pictures(const struct question *a, const struct question *b)
{
    for (int p = 0; p < QUESTION_PICTURES; p++)
        if (!a->pictures[p] != !b->pictures[p] || (a->pictures[p] && strcmp(a->pictures[p], b->pictures[p])))
            return false;
    return true;
}

static bool starts_group(const struct question_set *set, int index)
{
    return index == 0 || !same_pictures(&set->questions[index - 1], &set->questions[index]);
}

static int find_groups(const struct question_set *set, int *groups)
{
    int count = 0;
    for (int i = 0; i < set->count; i++)
        if (starts_group(set, i))
            groups[count++] = i;
    groups[count] = set->count;
    return count;
}

int evaluate_shard_size(const struct question_set *set, int shard, int shards)
{
    int size = 0, group = -1;
    for (int i = 0; i < set->count; i++) {
        group += starts_group(set, i);
        size += in_shard(group, shard, shards);
    }
    return size;
}

// Ends a run over a set: the first worker's trouble, or that it was stopped.
static bool finish(struct evaluator *e, int workers, struct error *err)
{
    bool ok = true;
    for (int w = 0; w < workers; w++) {
        if (ok && e->workers[w].err.code)
            ok = error_set(err, e->workers[w].err.code, "%s", e->workers[w].err.text);
        run_free(e->workers[w].run);
    }
    if (ok && e->cancelled)
        ok = error_set(err, ERROR_CANCELLED, "stopped after %d of %d questions", e->done, e->total);
    return ok;
}

bool evaluate_run(const struct model *model, const struct question_set *set, const struct evaluate_request *request,
                  struct evaluation *results, struct error *err)
{
    struct thread_pool *pool = request->run->pool;
    int workers = thread_pool_workers(pool);
    struct evaluator e = {.model = model, .set = set, .options = *request->run, .results = results, .request = request,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .total = evaluate_shard_size(set, request->shard, request->shards)};
    e.options.pool = NULL; // pictures are spread over the threads, not the rows of one
    e.groups = memory_alloc((size_t)set->count + 1, sizeof *e.groups);
    e.workers = memory_alloc((size_t)workers, sizeof *e.workers);
    for (int i = 0; i < set->count; i++)
        e.done += results[i].done;
    bool ok = (e.groups && e.workers) || error_no_memory(err, "the evaluation");
    if (ok) {
        e.group_count = find_groups(set, e.groups);
        thread_pool_run(pool, evaluate_group, &e, e.group_count);
        ok = finish(&e, workers, err);
    }
    memory_free(e.groups);
    memory_free(e.workers);
    pthread_mutex_destroy(&e.lock);
    return ok;
}

// What evaluate_traces() was given, behind the request's functions.
struct visitor {
    evaluate_progress *progress;
    evaluate_visit *visit;
    void *context;
};

static bool tell_progress(void *context, int done, int total)
{
    struct visitor *v = context;
    return !v->progress || v->progress(v->context, done, total);
}

static bool show_trace(void *context, int index, const struct evaluation *result, const struct trace *trace,
                       struct error *err)
{
    struct visitor *v = context;
    (void)result, (void)err;
    if (v->visit)
        v->visit(v->context, index, trace);
    return true;
}

bool evaluate_traces(const struct model *model, const struct question_set *set, const struct run_options *options,
                     evaluate_progress *progress, evaluate_visit *visit, void *context, struct evaluation *results,
                     struct error *err)
{
    struct visitor visitor = {progress, visit, context};
    const struct evaluate_request request = {.run = options, .progress = tell_progress, .answered = show_trace,
                                             .context = &visitor};
    memset(results, 0, (size_t)set->count * sizeof *results);
    return evaluate_run(model, set, &request, results, err);
}

bool evaluate_set(const struct model *model, const struct question_set *set, const struct run_options *options,
                  evaluate_progress *progress, void *context, struct evaluation *results, struct error *err)
{
    return evaluate_traces(model, set, options, progress, NULL, context, results, err);
}
