#define _GNU_SOURCE // pipe2
#include "app/session.h"

#include "app/unlike.h"

#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "engine/text/tokenizer.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE = 256, SCREEN_SIDE = 768, LOAD_SIDE = 1024 };

enum command_kind { COMMAND_ASK, COMMAND_OPEN, COMMAND_POLICY, COMMAND_INTERVENE, COMMAND_UNDO, COMMAND_ATTENTION };

struct command {
    enum command_kind kind;
    char *text; // question or path, owned
    int slot;
    enum policy policy;
    double budget;
    struct intervention intervention;
    struct backend_attention_request request;
};

struct session {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int pipe[2];

    // Guarded by the lock.
    struct command queue[QUEUE];
    int queued;
    int wanted; // stages up to this index
    bool quit, cancel, busy;
    char progress[120];
    float done;
    struct backend_news news; // gathered since the last poll

    // The worker's own, but for `vocabulary`, which is set once under the lock.
    struct session_options options;
    char *model_path, *question, *paths[TRACE_PICTURES];
    struct model *model;
    const struct tokenizer *vocabulary;
    struct picture pictures[TRACE_PICTURES];
    int original[TRACE_PICTURES][2];
    struct thread_pool *pool;
    struct run *run;
    int published; // stages in the trace that was last handed over
};

// ---- handing results over ---------------------------------------------------------------------------------------

static void ring(struct session *s)
{
    char byte = 1;
    if (write(s->pipe[1], &byte, 1) < 0) {
        // A full pipe already wakes the screen.
    }
}

static void publish_error(struct session *s, const struct error *err)
{
    pthread_mutex_lock(&s->lock);
    s->news.has_error = true;
    snprintf(s->news.error, sizeof s->news.error, "%s", err->text);
    pthread_mutex_unlock(&s->lock);
    ring(s);
}

static void publish_trace(struct session *s)
{
    struct trace copy;
    const struct trace *trace = run_trace(s->run);
    if (!trace_copy(&copy, trace))
        return; // no memory: the screen keeps what it has
    s->published = trace->stage_count;
    pthread_mutex_lock(&s->lock);
    if (s->news.has_trace)
        trace_free(&s->news.trace);
    s->news.trace = copy;
    s->news.has_trace = true;
    pthread_mutex_unlock(&s->lock);
    ring(s);
}

// What is out of the ordinary with the present input: words that the model does not know, a picture unlike its world.
static void publish_note(struct session *s)
{
    const struct trace *trace = run_trace(s->run);
    char note[UNLIKE_TEXT] = "";
    for (int t = 0; t < trace->token_count && !note[0]; t++) {
        const struct trace_token *token = &trace->tokens[t];
        if (token->unknown)
            snprintf(note, sizeof note, "The model does not know the word '%.*s': it reads <unk> there.",
                     token->to - token->from, trace->question + token->from);
    }
    for (int p = 0; p < s->model->config.pictures && !note[0]; p++)
        unlike_note(s->model, &s->pictures[p], note);
    pthread_mutex_lock(&s->lock);
    s->news.has_note = true;
    snprintf(s->news.note, sizeof s->news.note, "%s", note);
    pthread_mutex_unlock(&s->lock);
    ring(s);
}

// The picture as the model sees it, but as sharp as the file allows.
static void publish_picture(struct session *s, int slot)
{
    const struct picture *from = &s->pictures[slot];
    int least = from->width < from->height ? from->width : from->height;
    int side = least < SCREEN_SIDE ? least : SCREEN_SIDE;
    if (side < s->model->config.image_size)
        side = s->model->config.image_size;
    struct picture fitted;
    struct error err;
    if (!picture_fit(&fitted, from, side, &err)) {
        publish_error(s, &err);
        return;
    }
    unsigned char *rgb = malloc((size_t)side * (size_t)side * 3);
    if (rgb)
        memcpy(rgb, fitted.pixels, (size_t)side * (size_t)side * 3);
    picture_free(&fitted);
    if (!rgb)
        return;
    pthread_mutex_lock(&s->lock);
    if (s->news.has_picture[slot])
        free(s->news.pictures[slot].rgb);
    s->news.has_picture[slot] = true;
    s->news.pictures[slot] = (struct backend_picture){side, side, rgb};
    pthread_mutex_unlock(&s->lock);
    ring(s);
}

static void say_busy(struct session *s, bool busy, const char *what, float done)
{
    pthread_mutex_lock(&s->lock);
    bool changed = s->busy != busy || strcmp(s->progress, what) != 0;
    s->busy = busy;
    s->done = done;
    snprintf(s->progress, sizeof s->progress, "%s", what);
    pthread_mutex_unlock(&s->lock);
    if (changed)
        ring(s);
}

// ---- commands, on the worker ------------------------------------------------------------------------------------

static bool load_picture(struct session *s, struct picture *picture, int size[2], const char *path, struct error *err)
{
    say_busy(s, true, "opening the picture", NAN);
    int side = s->model->config.image_size > LOAD_SIDE ? s->model->config.image_size : LOAD_SIDE;
    return picture_load(picture, path, side, &size[0], &size[1], err);
}

static bool describe(struct session *s, struct error *err)
{
    for (int p = 0; p < s->model->config.pictures; p++)
        if (!run_describe_picture(s->run, p, s->paths[p], s->original[p][0], s->original[p][1], err))
            return false;
    return true;
}

static void picture_list(struct session *s, const struct picture *list[TRACE_PICTURES])
{
    for (int p = 0; p < TRACE_PICTURES; p++)
        list[p] = &s->pictures[p];
}

static bool open_picture(struct session *s, int slot, const char *path, struct error *err)
{
    struct picture loaded;
    int size[2];
    if (slot < 0 || slot >= s->model->config.pictures)
        return error_set(err, ERROR_USAGE, "this model takes %d picture(s)", s->model->config.pictures);
    if (!load_picture(s, &loaded, size, path, err))
        return false;
    struct picture before = s->pictures[slot];
    s->pictures[slot] = loaded;
    const struct picture *list[TRACE_PICTURES];
    picture_list(s, list);
    char *name = strdup(path);
    if (!name || !run_show(s->run, list, s->model->config.pictures, err)) {
        free(name);
        s->pictures[slot] = before;
        picture_free(&loaded);
        return name ? false : error_no_memory(err, path);
    }
    picture_free(&before);
    free(s->paths[slot]);
    s->paths[slot] = name;
    s->original[slot][0] = size[0];
    s->original[slot][1] = size[1];
    publish_picture(s, slot);
    publish_note(s);
    return describe(s, err);
}

static bool start(struct session *s, struct error *err)
{
    say_busy(s, true, "opening the model", NAN);
    s->model = model_open(s->model_path, NULL, err);
    if (!s->model)
        return false;
    pthread_mutex_lock(&s->lock);
    s->vocabulary = s->model->tokenizer;
    pthread_mutex_unlock(&s->lock);
    for (int p = 0; p < s->model->config.pictures; p++)
        if (!load_picture(s, &s->pictures[p], s->original[p], s->paths[p], err))
            return false;
    struct run_options options = run_options_default();
    options.policy = s->options.policy;
    options.budget = s->options.budget;
    options.pool = s->pool;
    const struct picture *list[TRACE_PICTURES];
    picture_list(s, list);
    s->run = run_new(s->model, list, s->model->config.pictures, s->question, &options, err);
    if (!s->run || !describe(s, err))
        return false;
    for (int p = 0; p < s->model->config.pictures; p++)
        publish_picture(s, p);
    publish_note(s);
    publish_trace(s);
    return true;
}

// Adds the head's attention of the wanted query to sum; true when the head was live there.
static bool add_head(const float *map, int queries, int keys, int query, float *sum)
{
    if (query >= queries)
        return false;
    bool live = false;
    for (int k = 0; k < keys; k++) {
        float p = map[(size_t)query * (size_t)keys + (size_t)k];
        sum[k] += p; // NaN marks dropped keys
        live |= !isnan(p);
    }
    return live;
}

static bool attention(struct session *s, const struct backend_attention_request *r, struct error *err)
{
    const struct trace *trace = run_trace(s->run);
    if (r->stage < 0 || r->stage >= trace->stage_count || r->stream < 0 || r->stream >= TRACE_STREAMS)
        return true; // the trace has moved on since the key was pressed
    const struct trace_heads *heads = &trace->stages[r->stage].heads[r->stream][r->module];
    int most = 0;
    for (int t = 0; t < TRACE_STREAMS; t++)
        most = trace->stages[r->stage].tokens[t].count > most ? trace->stages[r->stage].tokens[t].count : most;
    float *map = memory_alloc((size_t)most * (size_t)most, sizeof *map), *sum = calloc((size_t)most + 1, sizeof *sum);
    int queries = 0, keys = 0, live = 0;
    bool ok = map && sum;
    for (int h = 0; ok && h < heads->count; h++) {
        if ((r->head >= 0 && r->head != h) || !heads->on[h])
            continue;
        ok = run_attention(s->run, r->stage, r->stream, r->module, h, map, &queries, &keys, err);
        live += ok && add_head(map, queries, keys, r->query, sum);
    }
    memory_free(map);
    if (!ok || !live) {
        free(sum);
        return ok;
    }
    for (int k = 0; k < keys; k++)
        sum[k] /= (float)live;
    int other = r->stream == TRACE_TEXT_STREAM ? 0 : TRACE_TEXT_STREAM;
    pthread_mutex_lock(&s->lock);
    if (s->news.has_attention)
        free(s->news.attention.weights);
    s->news.has_attention = true;
    s->news.attention = (struct backend_attention){*r, r->module == MODULE_MSA ? r->stream : other, keys, sum};
    pthread_mutex_unlock(&s->lock);
    ring(s);
    return true;
}

static bool carry_out(struct session *s, const struct command *c, struct error *err)
{
    switch (c->kind) {
    case COMMAND_ASK:
        if (!run_ask(s->run, c->text, err))
            return false;
        publish_note(s);
        return true;
    case COMMAND_OPEN:
        return open_picture(s, c->slot, c->text, err);
    case COMMAND_POLICY:
        return run_set_policy(s->run, c->policy, c->budget, err);
    case COMMAND_INTERVENE:
        return run_intervene(s->run, &c->intervention) >= 0 ||
               error_set(err, ERROR_USAGE, "that cannot be changed: CLS always stays, and a head or token must exist "
                                           "in this stage");
    case COMMAND_UNDO:
        return run_undo(s->run) >= 0 || error_set(err, ERROR_USAGE, "there is nothing to undo");
    case COMMAND_ATTENTION:
        return attention(s, &c->request, err);
    }
    return true;
}

// ---- the worker -------------------------------------------------------------------------------------------------

static bool stages_left(const struct session *s)
{
    return s->run && !run_finished(s->run) && run_trace(s->run)->stage_count <= s->wanted && !s->cancel;
}

// Computes stages until the wish is fulfilled or a command comes in; long runs are shown while they grow.
static void advance(struct session *s)
{
    double shown = clock_seconds();
    struct error err = {0};
    for (;;) {
        pthread_mutex_lock(&s->lock);
        bool more = stages_left(s) && !s->queued && !s->quit;
        pthread_mutex_unlock(&s->lock);
        if (!more)
            break;
        const struct trace *trace = run_trace(s->run);
        say_busy(s, true, "computing", (float)trace->stage_count / (float)(trace->stage_total > 0 ? trace->stage_total : 1));
        if (!run_step(s->run, &err)) {
            if (err.code != ERROR_NONE)
                publish_error(s, &err);
            pthread_mutex_lock(&s->lock);
            s->cancel = true; // until somebody asks again: the next try at once would fail as this one
            pthread_mutex_unlock(&s->lock);
            break;
        }
        if (clock_seconds() - shown > 0.03) {
            publish_trace(s);
            shown = clock_seconds();
        }
    }
    if (run_trace(s->run)->stage_count != s->published)
        publish_trace(s);
}

static bool next_command(struct session *s, struct command *command)
{
    if (!s->queued)
        return false;
    *command = s->queue[0];
    memmove(s->queue, s->queue + 1, (size_t)--s->queued * sizeof *s->queue);
    return true;
}

static void work(struct session *s)
{
    for (;;) {
        struct command command;
        pthread_mutex_lock(&s->lock);
        if (!s->queued && !s->quit && !stages_left(s)) {
            pthread_mutex_unlock(&s->lock);
            say_busy(s, false, "", NAN);
            pthread_mutex_lock(&s->lock);
            while (!s->queued && !s->quit && !stages_left(s))
                pthread_cond_wait(&s->wake, &s->lock);
        }
        bool quit = s->quit, given = !quit && next_command(s, &command);
        pthread_mutex_unlock(&s->lock);
        if (quit)
            return;
        if (given) {
            struct error err = {0};
            if (!carry_out(s, &command, &err))
                publish_error(s, &err);
            else if (command.kind != COMMAND_ATTENTION)
                s->published = -1; // even an unchanged length is news
            free(command.text);
        }
        advance(s);
    }
}

static void *session_main(void *argument)
{
    struct session *s = argument;
    struct error err = {0};
    if (start(s, &err)) {
        work(s);
        return NULL;
    }
    publish_error(s, &err);
    say_busy(s, false, "", NAN);
    pthread_mutex_lock(&s->lock);
    while (!s->quit)
        pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

// ---- the screen's side ------------------------------------------------------------------------------------------

static bool session_poll(void *context, struct backend_news *news)
{
    struct session *s = context;
    char drained[64];
    while (read(s->pipe[0], drained, sizeof drained) > 0) {
    }
    pthread_mutex_lock(&s->lock);
    *news = s->news;
    s->news = (struct backend_news){0};
    news->busy = s->busy;
    news->done = s->done;
    snprintf(news->progress, sizeof news->progress, "%s", s->progress);
    pthread_mutex_unlock(&s->lock);
    return news->has_trace || news->has_picture[0] || news->has_picture[1] || news->has_attention || news->has_error ||
           news->has_note;
}

// A newer command of a kind that only sets something replaces one that has not started.
static void enqueue(struct session *s, struct command command)
{
    bool needs_text = command.kind == COMMAND_ASK || command.kind == COMMAND_OPEN;
    if (needs_text && !command.text) {
        struct error err;
        error_no_memory(&err, "what was typed");
        publish_error(s, &err);
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->cancel = false;
    struct command *last = s->queued ? &s->queue[s->queued - 1] : NULL;
    bool replaces = last && last->kind == command.kind && last->slot == command.slot &&
                    command.kind != COMMAND_INTERVENE && command.kind != COMMAND_UNDO;
    if (replaces) {
        free(last->text);
        *last = command;
    } else if (s->queued < QUEUE) {
        s->queue[s->queued++] = command;
    } else {
        free(command.text); // 256 key presses ahead of the model: nobody waits for this one
    }
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static void session_want_stage(void *context, int stage)
{
    struct session *s = context;
    pthread_mutex_lock(&s->lock);
    s->wanted = stage;
    s->cancel = false;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static void session_ask(void *context, const char *question)
{
    enqueue(context, (struct command){.kind = COMMAND_ASK, .text = strdup(question)});
}

static void session_open_picture(void *context, int slot, const char *path)
{
    enqueue(context, (struct command){.kind = COMMAND_OPEN, .slot = slot, .text = strdup(path)});
}

static void session_set_policy(void *context, const char *policy, double budget)
{
    struct command command = {.kind = COMMAND_POLICY, .budget = budget};
    if (policy_find(policy, &command.policy))
        enqueue(context, command);
}

static void session_intervene(void *context, const struct intervention *what)
{
    enqueue(context, (struct command){.kind = COMMAND_INTERVENE, .intervention = *what});
}

static void session_undo(void *context)
{
    enqueue(context, (struct command){.kind = COMMAND_UNDO});
}

static void session_want_attention(void *context, const struct backend_attention_request *request)
{
    enqueue(context, (struct command){.kind = COMMAND_ATTENTION, .request = *request});
}

static int session_complete(void *context, const char *prefix, const char **out, int max)
{
    struct session *s = context;
    pthread_mutex_lock(&s->lock);
    const struct tokenizer *vocabulary = s->vocabulary;
    pthread_mutex_unlock(&s->lock);
    return vocabulary ? tokenizer_complete(vocabulary, prefix, out, max) : 0;
}

static void session_cancel(void *context)
{
    struct session *s = context;
    pthread_mutex_lock(&s->lock);
    s->cancel = true;
    for (int i = 0; i < s->queued; i++)
        free(s->queue[i].text);
    s->queued = 0;
    pthread_mutex_unlock(&s->lock);
}

struct backend session_backend(struct session *session)
{
    return (struct backend){
        .context = session,
        .abilities = BACKEND_ASK | BACKEND_OPEN | BACKEND_POLICY | BACKEND_INTERVENE | BACKEND_ATTENTION |
                     BACKEND_COMPLETE,
        .wake_fd = session->pipe[0],
        .poll = session_poll,
        .want_stage = session_want_stage,
        .ask = session_ask,
        .open_picture = session_open_picture,
        .set_policy = session_set_policy,
        .intervene = session_intervene,
        .undo = session_undo,
        .want_attention = session_want_attention,
        .complete = session_complete,
        .cancel = session_cancel,
    };
}

// ---- life -------------------------------------------------------------------------------------------------------

static bool copy_options(struct session *s, const struct session_options *options)
{
    s->options = *options;
    s->model_path = strdup(options->model);
    s->question = strdup(options->question);
    const char *path = options->pictures[0];
    for (int p = 0; p < TRACE_PICTURES; p++) {
        path = options->pictures[p] ? options->pictures[p] : path;
        s->paths[p] = strdup(path);
        if (!s->paths[p])
            return false;
    }
    return s->model_path && s->question;
}

static void release(struct session *s)
{
    run_free(s->run);
    model_free(s->model);
    thread_pool_free(s->pool);
    for (int p = 0; p < TRACE_PICTURES; p++) {
        picture_free(&s->pictures[p]);
        free(s->paths[p]);
    }
    for (int i = 0; i < s->queued; i++)
        free(s->queue[i].text);
    backend_news_free(&s->news);
    free(s->model_path);
    free(s->question);
    close(s->pipe[0]);
    close(s->pipe[1]);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    memory_free(s);
}

struct session *session_new(const struct session_options *options, struct error *err)
{
    struct session *s = memory_alloc(1, sizeof *s);
    if (!s || pipe2(s->pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
        memory_free(s);
        error_no_memory(err, "the session");
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    // Signals belong to the screen's thread; but a fault that is blocked kills before its handler can give the terminal
    // back.
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->pool = thread_pool_new(options->threads);
    bool ok = copy_options(s, options) && s->pool && pthread_create(&s->thread, NULL, session_main, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!ok) {
        release(s);
        error_set(err, ERROR_MACHINE, "no thread can be started for the model");
        return NULL;
    }
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->quit = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    release(s);
}
