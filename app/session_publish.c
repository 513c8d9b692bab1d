// Handing results over: the worker gathers news under the lock, and a byte in the pipe wakes the screen.
#include "app/session_private.h"
#include "app/unlike.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCREEN_SIDE = 768 };

void session_ring(struct session *s)
{
    char byte = 1;
    if (write(s->pipe[1], &byte, 1) < 0) {
        // A full pipe already wakes the screen.
    }
}

// Takes the lock; false (and no lock) when nobody wants to hear of this lane any more.
static bool begin(struct lane *lane)
{
    pthread_mutex_lock(&lane->session->lock);
    if (lane->open)
        return true;
    pthread_mutex_unlock(&lane->session->lock);
    return false;
}

static void end(struct lane *lane)
{
    pthread_mutex_unlock(&lane->session->lock);
    session_ring(lane->session);
}

void session_publish_error(struct lane *lane, const struct error *err)
{
    if (!begin(lane))
        return;
    lane->news.has_error = true;
    snprintf(lane->news.error, sizeof lane->news.error, "%s", err->text);
    end(lane);
}

void session_publish_trace(struct lane *lane)
{
    struct trace copy;
    const struct trace *trace = run_trace(lane->run);
    if (!trace_copy(&copy, trace))
        return; // no memory: the screen keeps what it has
    lane->published = trace->stage_count;
    if (!begin(lane)) {
        trace_free(&copy);
        return;
    }
    if (lane->news.has_trace)
        trace_free(&lane->news.trace);
    lane->news.trace = copy;
    lane->news.has_trace = true;
    end(lane);
}

// What is out of the ordinary with the present input: words that the model does not know, a picture unlike its world.
void session_publish_note(struct lane *lane)
{
    const struct trace *trace = run_trace(lane->run);
    const struct model *model = lane->session->model;
    char note[UNLIKE_TEXT] = "";
    for (int t = 0; t < trace->token_count && !note[0]; t++) {
        const struct trace_token *token = &trace->tokens[t];
        if (token->unknown)
            snprintf(note, sizeof note, "The model does not know the word '%.*s': it reads <unk> there.",
                     token->to - token->from, trace->question + token->from);
    }
    for (int p = 0; p < model->config.pictures && !note[0]; p++)
        unlike_note(model, &lane->pictures[p], note);
    if (!begin(lane))
        return;
    lane->news.has_note = true;
    snprintf(lane->news.note, sizeof lane->news.note, "%s", note);
    end(lane);
}

// The picture as the model sees it, but as sharp as the file allows.
void session_publish_picture(struct lane *lane, int slot)
{
    const struct picture *from = &lane->pictures[slot];
    int least = from->width < from->height ? from->width : from->height;
    int side = least < SCREEN_SIDE ? least : SCREEN_SIDE;
    if (side < lane->session->model->config.image_size)
        side = lane->session->model->config.image_size;
    struct picture fitted;
    struct error err;
    if (!picture_fit(&fitted, from, side, &err)) {
        session_publish_error(lane, &err);
        return;
    }
    unsigned char *rgb = malloc((size_t)side * (size_t)side * 3);
    if (rgb)
        memcpy(rgb, fitted.pixels, (size_t)side * (size_t)side * 3);
    picture_free(&fitted);
    if (!rgb)
        return;
    if (!begin(lane)) {
        free(rgb);
        return;
    }
    if (lane->news.has_picture[slot])
        free(lane->news.pictures[slot].rgb);
    lane->news.has_picture[slot] = true;
    lane->news.pictures[slot] = (struct backend_picture){side, side, rgb};
    end(lane);
}

void session_publish_attention(struct lane *lane, struct backend_attention *attention)
{
    if (!begin(lane)) {
        free(attention->weights);
        return;
    }
    if (lane->news.has_attention)
        free(lane->news.attention.weights);
    lane->news.has_attention = true;
    lane->news.attention = *attention;
    end(lane);
}

void session_say_busy(struct session *s, bool busy, const char *what, float done)
{
    pthread_mutex_lock(&s->lock);
    bool changed = s->busy != busy || strcmp(s->progress, what) != 0;
    s->busy = busy;
    s->done = done;
    snprintf(s->progress, sizeof s->progress, "%s", what);
    pthread_mutex_unlock(&s->lock);
    if (changed)
        session_ring(s);
}
