// Handing results over: the worker gathers news under the lock, and a byte in the pipe wakes the screen.
#include "app/least.h"
#include "app/notes.h"
#include "app/screen_picture.h"
#include "app/session_private.h"

#include <math.h>
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

void session_publish_note(struct lane *lane)
{
    const struct trace *trace = run_trace(lane->run);
    const struct model *model = lane->session->model;
    const struct picture *list[TRACE_PICTURES];
    struct notes notes;
    char suggestion[sizeof lane->news.suggestion];
    for (int p = 0; p < TRACE_PICTURES; p++)
        list[p] = &lane->pictures[p];
    notes_make(&notes, model, trace, list, lane->origins);
    if (!notes_suggest(model, trace, suggestion, sizeof suggestion))
        suggestion[0] = 0;
    if (!begin(lane))
        return;
    lane->news.has_note = true;
    notes_join(&notes, lane->news.note, sizeof lane->news.note);
    memcpy(lane->news.suggestion, suggestion, sizeof suggestion);
    end(lane);
}

void session_publish_message(struct lane *lane, const char *sentence)
{
    if (!begin(lane))
        return;
    lane->news.has_message = true;
    snprintf(lane->news.message, sizeof lane->news.message, "%s", sentence);
    end(lane);
}

void session_publish_least(struct lane *lane)
{
    double least = least_of_trace(lane->session->model, run_trace(lane->run));
    if (!begin(lane))
        return;
    lane->news.has_least = true;
    lane->news.least = least;
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
    if (!picture_fit(&fitted, from, side, model_fitting(&lane->session->model->config), &err)) {
        session_publish_error(lane, &err);
        return;
    }
    struct backend_picture shown = {.width = side, .height = side, .rgb = malloc((size_t)side * (size_t)side * 3)};
    if (shown.rgb)
        memcpy(shown.rgb, fitted.pixels, (size_t)side * (size_t)side * 3);
    picture_free(&fitted);
    if (!shown.rgb || !screen_picture_add_rim(&shown, from, &run_trace(lane->run)->pictures[slot], &err)) {
        free(shown.rgb);
        return;
    }
    if (!begin(lane)) {
        free(shown.rgb);
        return;
    }
    if (lane->news.has_picture[slot])
        free(lane->news.pictures[slot].rgb);
    lane->news.has_picture[slot] = true;
    lane->news.pictures[slot] = shown;
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

void session_publish_job(struct lane *lane, struct backend_job_news *news)
{
    if (!begin(lane)) {
        backend_job_news_free(news);
        return;
    }
    struct backend_job_news **last = &lane->news.jobs;
    while (*last)
        last = &(*last)->next;
    *last = news;
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
