#include "app/train_screen.h"

#include "app/page_screen.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/prune/policy.h"
#include "engine/run/run.h"
#include "engine/world/world.h"
#include "ui/page.h"
#include "ui/train_feed.h"
#include "ui/words.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_LIMIT = 1000 };
static const double POINT_SECONDS = 1, LOOK_SECONDS = 20;

// The world of the pictures that are looked at: neither training's nor validation's.
static const uint64_t LOOK_WORLD = 1000063;

struct entry {
    struct entry *next;
    struct train_news news;
};

struct watched {
    const struct train_screen *settings;
    struct train_report report;
    struct error err;
    bool ok;
    double pointed, looked;
    pthread_mutex_t lock; // of what follows
    struct entry *first, **last;
    unsigned look; // which picture
    bool look_now;
};

// Takes the news over; without memory it is lost, as a missed glance is.
static void push(struct watched *w, const struct train_news *news)
{
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return;
    *entry = (struct entry){NULL, *news};
    pthread_mutex_lock(&w->lock);
    *w->last = entry;
    w->last = &entry->next;
    pthread_mutex_unlock(&w->lock);
}

static void news_free(struct train_news *news)
{
    if (news->has_look) {
        trace_free(&news->look);
        free(news->picture.rgb);
    }
}

static bool poll(void *context, struct train_news *news)
{
    struct watched *w = context;
    pthread_mutex_lock(&w->lock);
    struct entry *entry = w->first;
    if (entry && !(w->first = entry->next))
        w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    if (!entry)
        return false;
    *news = entry->news;
    free(entry);
    return true;
}

static void next_look(void *context)
{
    struct watched *w = context;
    pthread_mutex_lock(&w->lock);
    w->look = (w->look + 1) % LOOK_LIMIT;
    w->look_now = true;
    pthread_mutex_unlock(&w->lock);
}

// ---- in the training's thread -----------------------------------------------------------------------------------

static bool copy_pixels(struct backend_picture *to, const struct world_scene *scene)
{
    *to = (struct backend_picture){.width = WORLD_SIDE, .height = WORLD_SIDE, .rgb = malloc(sizeof scene->pixels)};
    if (to->rgb)
        memcpy(to->rgb, scene->pixels, sizeof scene->pixels);
    return to->rgb != NULL;
}

static bool run_through(struct model *model, const struct picture *picture, const char *question, bool trim,
                        struct trace *trace, struct error *err)
{
    const struct picture *pictures[] = {picture};
    struct run_options options = run_options_default();
    options.policy = trim ? POLICY_LEARNED : POLICY_NONE;
    struct run *run = run_new(model, pictures, 1, question, &options, err);
    bool ok = run != NULL;
    while (ok && !run_finished(run))
        ok = run_step(run, err);
    ok = ok && (trace_copy(trace, run_trace(run)) || error_no_memory(err, "a picture"));
    run_free(run);
    return ok;
}

// The present weights go through a file, so that what is shown is what they will do, with the engine's own kernels.
static bool look(struct watched *w, unsigned index, struct train_news *news, struct error *err)
{
    const struct train_screen *s = w->settings;
    struct world_scene *scene = memory_alloc(1, sizeof *scene);
    struct world_question question;
    uint64_t at = index;
    if (!scene)
        return error_no_memory(err, "a picture");
    while (!world_make_scene(s->world, LOOK_WORLD, at, scene) ||
           world_make_questions(s->world, LOOK_WORLD, at, scene, &question, 1) < 1)
        at += LOOK_LIMIT;
    const struct picture picture = {WORLD_SIDE, WORLD_SIDE, 3, scene->pixels};
    bool ok = trainer_save_model(s->trainer, s->scratch, false, NULL, err);
    struct model *model = ok ? model_open(s->scratch, NULL, err) : NULL;
    unlink(s->scratch);
    ok = model && run_through(model, &picture, question.text, s->trim, &news->look, err);
    model_free(model);
    if (ok && !copy_pixels(&news->picture, scene)) {
        trace_free(&news->look);
        ok = error_no_memory(err, "a picture");
    }
    memory_free(scene);
    snprintf(news->truth, sizeof news->truth, "%s", question.answer);
    news->has_look = ok;
    return ok;
}

static void look_if_due(struct watched *w, double now)
{
    pthread_mutex_lock(&w->lock);
    bool due = w->look_now || now - w->looked > LOOK_SECONDS;
    unsigned index = w->look;
    w->look_now = false;
    pthread_mutex_unlock(&w->lock);
    if (!due)
        return;
    struct error err = {0};
    struct train_news news = {0};
    w->looked = now;
    if (look(w, index, &news, &err))
        push(w, &news);
}

static void tell_point(struct watched *w, const struct train_progress *p)
{
    struct train_news news = {.has_point = true};
    struct train_point *point = &news.point;
    point->step = p->step;
    point->steps = p->steps;
    point->questions = p->questions;
    for (int k = 0; k < TERMS && k < TRAIN_TERMS; k++)
        point->loss[k] = p->loss[k];
    for (int f = 0; f < WORLD_FAMILY_COUNT && f < TRAIN_TYPES; f++)
        point->type_accuracy[f] = p->family_accuracy[f];
    for (int l = 0; l < NET_LAYERS && l < TRAIN_LAYERS; l++) {
        point->alive[l] = p->alive[l];
        point->budget[l] = p->budget[l];
    }
    point->accuracy = p->accuracy;
    point->share = p->share;
    point->target = p->target;
    point->rate = p->rate;
    point->questions_per_second = p->questions_per_second;
    point->seconds_left = p->seconds_left;
    push(w, &news);
}

static void on_step(void *context, struct trainer *trainer)
{
    struct watched *w = context;
    double now = clock_seconds();
    if (now - w->pointed >= POINT_SECONDS) {
        struct train_progress progress = trainer_progress(trainer);
        tell_point(w, &progress);
        w->pointed = now;
    }
    look_if_due(w, now);
}

static void say(struct watched *w, const char *words, struct train_news news)
{
    news.has_words = words[0] != '\0';
    snprintf(news.words, sizeof news.words, "%s", words);
    push(w, &news);
}

static void on_words(void *context, const char *words)
{
    say(context, words, (struct train_news){0});
}

static void *train(void *context)
{
    struct watched *w = context;
    w->ok = w->settings->work(w->settings->context, &w->report, &w->err);
    say(w, w->ok ? "" : w->err.text,
        (struct train_news){.is_error = !w->ok, .ended = true, .leave = w->settings->stopped(w->settings->context)});
    return NULL;
}

// ---- both -------------------------------------------------------------------------------------------------------

// Signals are for the screen's thread.
static bool start(pthread_t *thread, struct watched *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(thread, NULL, train, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

static void describe(const struct train_screen *settings, struct watched *w, struct train_feed *feed)
{
    *feed = (struct train_feed){.context = w, .trim = settings->trim, .command = settings->command, .poll = poll,
                                .next_look = next_look};
    for (; feed->terms < TERMS && feed->terms < TRAIN_TERMS; feed->terms++)
        feed->term_names[feed->terms] = objective_term_name((enum objective_term)feed->terms);
    for (; feed->types < WORLD_FAMILY_COUNT && feed->types < TRAIN_TYPES; feed->types++)
        feed->type_names[feed->types] = world_family_name((enum world_family)feed->types);
    feed->layers = settings->layers < TRAIN_LAYERS ? settings->layers : TRAIN_LAYERS;
}

bool train_screen_run(const struct train_screen *settings, struct error *err)
{
    struct watched w = {.settings = settings, .look_now = true};
    struct train_feed feed;
    pthread_t thread;
    w.last = &w.first;
    pthread_mutex_init(&w.lock, NULL);
    w.report = train_report_new(settings->trim, settings->layers);
    w.report.listener = (struct train_listener){&w, on_step, on_words};
    describe(settings, &w, &feed);
    const struct page_screen screen = {.policy = POLICY_LEARNED,
                                       .budget = (double)NAN,
                                       .threads = 1,
                                       .screen = settings->screen,
                                       .outlives_signals = true, // what was trained since the last state
                                       .page = &page_train,
                                       .page_request = &feed};
    struct error seen = {0};
    bool started = start(&thread, &w);
    bool shown = started && page_screen_run(&screen, &seen);
    if (started) {
        settings->stop(settings->context);
        pthread_join(thread, NULL);
    }
    for (struct train_news news = {0}; poll(&w, &news); news = (struct train_news){0})
        news_free(&news);
    pthread_mutex_destroy(&w.lock);
    if (!started)
        return error_set(err, ERROR_MACHINE, "cannot start a thread for the training");
    *err = shown ? w.err : seen;
    return shown && w.ok;
}
