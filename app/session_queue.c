// The screen's side of the session: commands go into a queue, news come out. A lane is the context of its backend.
#include "app/scenes.h"
#include "app/session_private.h"

#include "engine/text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool session_next_command(struct session *s, struct command *command)
{
    if (!s->queued)
        return false;
    *command = s->queue[0];
    memmove(s->queue, s->queue + 1, (size_t)--s->queued * sizeof *s->queue);
    return true;
}

static bool session_poll(void *context, struct backend_news *news)
{
    struct lane *lane = context;
    struct session *s = lane->session;
    char drained[64];
    while (lane->index == 0 && read(s->pipe[0], drained, sizeof drained) > 0) {
    }
    pthread_mutex_lock(&s->lock);
    *news = lane->news;
    lane->news = (struct backend_news){0};
    news->busy = s->busy;
    news->done = s->done;
    snprintf(news->progress, sizeof news->progress, "%s", s->progress);
    pthread_mutex_unlock(&s->lock);
    return news->has_trace || news->has_picture[0] || news->has_picture[1] || news->has_attention || news->has_error ||
           news->jobs || news->has_note || news->has_message || news->has_least;
}

// Whether a newer command may take the place of an older one that has not started: those that only set something.
static bool replaceable(enum command_kind kind)
{
    return kind == COMMAND_ASK || kind == COMMAND_OPEN || kind == COMMAND_POLICY || kind == COMMAND_ATTENTION;
}

void session_free_command(struct command *command)
{
    free(command->text);
    free(command->changes);
}

static void enqueue(struct lane *lane, struct command command)
{
    struct session *s = lane->session;
    bool needs_text = command.kind == COMMAND_ASK || command.kind == COMMAND_OPEN;
    if (needs_text && !command.text) {
        struct error err;
        error_no_memory(&err, "what was typed");
        session_publish_error(lane, &err);
        return;
    }
    command.lane = lane->index;
    pthread_mutex_lock(&s->lock);
    lane->stopped = false;
    struct command *last = s->queued ? &s->queue[s->queued - 1] : NULL;
    bool replaces = last && last->kind == command.kind && last->lane == command.lane && last->slot == command.slot &&
                    replaceable(command.kind);
    if (replaces) {
        session_free_command(last);
        *last = command;
    } else if (s->queued < SESSION_QUEUE) {
        s->queue[s->queued++] = command;
    } else {
        session_free_command(&command); // 256 key presses ahead of the model: nobody waits for this one
    }
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static void session_want_stage(void *context, int stage)
{
    struct lane *lane = context;
    struct session *s = lane->session;
    pthread_mutex_lock(&s->lock);
    lane->wanted = stage;
    lane->stopped = false;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static void session_ask(void *context, const char *question)
{
    enqueue(context, (struct command){.kind = COMMAND_ASK, .text = strdup(question)});
}

static void session_open_picture(void *context, int slot, const char *path, bool ask_follows)
{
    enqueue(context, (struct command){.kind = COMMAND_OPEN, .slot = slot, .text = strdup(path), .ask_follows = ask_follows});
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

static void session_intervene_all(void *context, const struct intervention *list, int count)
{
    struct command command = {.kind = COMMAND_CHANGES, .change_count = count};
    command.changes = malloc(((size_t)count + 1) * sizeof *list);
    if (command.changes) {
        memcpy(command.changes, list, (size_t)count * sizeof *list);
        enqueue(context, command);
        return;
    }
    struct error err;
    error_no_memory(&err, "the changes by hand");
    session_publish_error(context, &err);
}

static void session_undo(void *context)
{
    enqueue(context, (struct command){.kind = COMMAND_UNDO});
}

static void session_redo(void *context)
{
    enqueue(context, (struct command){.kind = COMMAND_REDO});
}

static void session_want_attention(void *context, const struct backend_attention_request *request)
{
    enqueue(context, (struct command){.kind = COMMAND_ATTENTION, .request = *request});
}

static int session_complete(void *context, const char *prefix, const char **out, int max)
{
    const struct lane *lane = context;
    struct session *s = lane->session;
    pthread_mutex_lock(&s->lock);
    const struct tokenizer *vocabulary = s->vocabulary;
    pthread_mutex_unlock(&s->lock);
    int count = vocabulary ? tokenizer_complete(vocabulary, prefix, out, max) : 0;
    const char *meant = vocabulary && !count && max > 0 ? tokenizer_nearest(vocabulary, prefix, strlen(prefix)) : NULL;
    if (meant)
        out[count++] = meant;
    return count;
}

// The first job is being done.
static void cancel_job(struct session *s, int index)
{
    s->jobs[index].cancelled = true;
    s->stop_job = s->stop_job || index == 0;
}

static void session_cancel(void *context)
{
    struct lane *lane = context;
    struct session *s = lane->session;
    int kept = 0;
    pthread_mutex_lock(&s->lock);
    lane->stopped = true;
    lane->stop = lane->stepped || s->quit;
    for (int i = 0; i < s->queued; i++) {
        struct command *c = &s->queue[i];
        if (c->lane != lane->index || c->kind == COMMAND_OPEN_LANE || c->kind == COMMAND_CLOSE_LANE)
            s->queue[kept++] = *c;
        else
            session_free_command(c);
    }
    s->queued = kept;
    for (int i = 0; i < s->job_count; i++)
        if (s->jobs[i].lane == lane->index)
            cancel_job(s, i);
    pthread_mutex_unlock(&s->lock);
}

// ---- jobs -------------------------------------------------------------------------------------------------------

static int session_start_job(void *context, const struct backend_job *job)
{
    struct lane *lane = context;
    struct session *s = lane->session;
    struct session_job added = {.lane = lane->index};
    if (!backend_job_copy(&added.job, job))
        return 0;
    pthread_mutex_lock(&s->lock);
    bool room = s->job_count < SESSION_JOBS;
    if (room) {
        added.id = ++s->last_job;
        s->jobs[s->job_count++] = added;
    }
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (!room)
        backend_job_free(&added.job);
    return added.id;
}

static void session_cancel_job(void *context, int id)
{
    struct session *s = ((struct lane *)context)->session;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->job_count; i++)
        if (s->jobs[i].id == id)
            cancel_job(s, i);
    pthread_mutex_unlock(&s->lock);
}

// ---- lanes ------------------------------------------------------------------------------------------------------

static void set_open(struct lane *lane, bool open)
{
    struct session *s = lane->session;
    pthread_mutex_lock(&s->lock);
    lane->open = open;
    lane->wanted = 0;
    backend_news_free(&lane->news);
    pthread_mutex_unlock(&s->lock);
}

static void session_open_lane(void *context, int index, int from)
{
    struct session *s = ((struct lane *)context)->session;
    if (index < 1 || index >= BACKEND_LANES || from < 0 || from >= BACKEND_LANES)
        return;
    set_open(&s->lanes[index], true);
    enqueue(&s->lanes[index], (struct command){.kind = COMMAND_OPEN_LANE, .slot = from});
}

static void session_close_lane(void *context, int index)
{
    struct session *s = ((struct lane *)context)->session;
    if (index < 1 || index >= BACKEND_LANES)
        return;
    session_cancel(&s->lanes[index]);
    set_open(&s->lanes[index], false);
    enqueue(&s->lanes[index], (struct command){.kind = COMMAND_CLOSE_LANE});
}

static double session_learned_share(void *context)
{
    struct session *s = ((struct lane *)context)->session;
    pthread_mutex_lock(&s->lock);
    double share = s->learned_share;
    pthread_mutex_unlock(&s->lock);
    return share;
}

static bool session_known_question(void *context, const struct trace *trace, int index, char *out, size_t size)
{
    (void)context;
    const char *second = trace->picture_count > 1 ? trace->pictures[1].path : NULL;
    if (!trace->pictures[0].path || (trace->picture_count > 1 && !second))
        return false;
    char(*list)[SCENES_QUESTION] = index >= 0 && index < 64 ? malloc((size_t)(index + 1) * sizeof *list) : NULL;
    bool known = list && scenes_questions(trace->pictures[0].path, second, list, index + 1) > index &&
                 (size_t)snprintf(out, size, "%s", list[index]) < size;
    free(list);
    return known;
}

static struct backend lane_backend(void *context, int index);

static struct backend make_backend(struct lane *lane)
{
    return (struct backend){
        .context = lane,
        .abilities = BACKEND_ASK | BACKEND_OPEN | BACKEND_POLICY | BACKEND_INTERVENE | BACKEND_ATTENTION |
                     BACKEND_COMPLETE | BACKEND_COMPARE | BACKEND_JOBS,
        .wake_fd = lane->session->pipe[0],
        .model = lane->session->options.bundled ? NULL : lane->session->model_path,
        .poll = session_poll,
        .want_stage = session_want_stage,
        .ask = session_ask,
        .open_picture = session_open_picture,
        .set_policy = session_set_policy,
        .intervene = session_intervene,
        .intervene_all = session_intervene_all,
        .undo = session_undo,
        .redo = session_redo,
        .want_attention = session_want_attention,
        .complete = session_complete,
        .start_job = session_start_job,
        .cancel_job = session_cancel_job,
        .cancel = session_cancel,
        .lane = lane_backend,
        .open_lane = session_open_lane,
        .close_lane = session_close_lane,
        .learned_share = session_learned_share,
        .known_question = session_known_question,
    };
}

static struct backend lane_backend(void *context, int index)
{
    const struct lane *lane = context;
    return make_backend(&lane->session->lanes[index]);
}

struct backend session_backend(struct session *session)
{
    return make_backend(&session->lanes[0]);
}
