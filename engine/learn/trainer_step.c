// One optimizer step over all workers, and what is told of it.
#include "engine/learn/trainer_private.h"

#include "engine/base/thread.h"
#include "engine/learn/schedule.h"

#include <math.h>
#include <string.h>

static void train_job(void *context, int index, int worker)
{
    (void)worker;
    struct trainer *t = context;
    struct worker *w = &t->worker[index]; // fixed scenes for each worker: sums do not depend on who was faster
    memset(w->gradient, 0, t->params.trained * sizeof *w->gradient);
    w->sums = (struct step_sums){0};
    w->tape.G = w->gradient;
    for (int i = index; i < t->settings.scenes && !trainer_stopped(t); i += t->workers) {
        uint64_t scene = (uint64_t)t->at.step * (uint64_t)t->settings.scenes + (uint64_t)i;
        if (i < t->settings.scenes - trainer_pair_scenes(t))
            trainer_scene(t, w, scene);
        else
            trainer_pair(t, w, scene);
    }
}

struct slice {
    struct trainer *trainer;
    double square[WORKERS_LIMIT];
    real scale;
};

static void slice_bounds(const struct trainer *t, int index, size_t *first, size_t *end)
{
    size_t blocks = t->params.trained / 16;
    *first = blocks * (size_t)index / (size_t)t->workers * 16;
    *end = blocks * (size_t)(index + 1) / (size_t)t->workers * 16;
}

static void sum_job(void *context, int index, int worker)
{
    (void)worker;
    struct slice *slice = context;
    struct trainer *t = slice->trainer;
    size_t first, end;
    slice_bounds(t, index, &first, &end);
    for (int w = 1; w < t->workers; w++)
        t->worker[0].tape.kernels->add(t->worker[0].gradient + first, t->worker[w].gradient + first, (int)(end - first));
    slice->square[index] = t->worker[0].tape.kernels->square_sum(t->worker[0].gradient + first, end - first);
}

static void update_job(void *context, int index, int worker)
{
    (void)worker;
    struct slice *slice = context;
    struct trainer *t = slice->trainer;
    const struct train_settings *s = &t->settings;
    size_t first, end;
    slice_bounds(t, index, &first, &end);
    double rate = schedule_rate(s, trainer_done(t), t->steps), step = (double)t->at.step + 1;
    for (int i = 0; i < t->params.count && t->params.items[i].offset < end; i++) {
        const struct param *p = &t->params.items[i];
        size_t a = p->offset, b = p->offset + (size_t)p->info.elements;
        a = a > first ? a : first;
        b = b < end ? b : end;
        if (a >= b)
            continue;
        struct adamw_step adamw = {
            .rate = (real)(rate * (p->info.trimmer ? s->trimmer_rate : s->rate)),
            .beta1 = (real)s->beta1,
            .beta2 = (real)s->beta2,
            .epsilon = (real)1e-8,
            .decay = (real)(p->info.decay && !strstr(p->info.name, "embedding") && !p->info.trimmer ? s->decay : 0),
            .correction1 = (real)(1 / (1 - pow(s->beta1, step))),
            .correction2 = (real)(1 / (1 - pow(s->beta2, step))),
        };
        t->worker[0].tape.kernels->adamw(t->params.value + a, t->moment1 + a, t->moment2 + a, t->worker[0].gradient + a,
                                         b - a, &adamw, slice->scale);
    }
}

static void gather_window(struct trainer *t, double norm)
{
    struct step_sums sums = {0};
    for (int w = 0; w < t->workers; w++) {
        objective_sums_add(&sums.objective, &t->worker[w].sums.objective);
        sums.measured += t->worker[w].sums.measured;
        sums.share += t->worker[w].sums.share;
        sums.upkeep.heads += t->worker[w].sums.upkeep.heads;
        sums.upkeep.words += t->worker[w].sums.upkeep.words;
        for (int l = 0; l < NET_LAYERS; l++)
            sums.alive[l] += t->worker[w].sums.alive[l];
    }
    int asked = sums.objective.questions + sums.objective.statements;
    double forget = t->at.step ? 1.0 / MEMORY_STEPS : 1;
    objective_sums_add(&t->window_sums, &sums.objective);
    t->window_steps++;
    t->at.questions += asked;
    t->session_questions += asked;
    t->window_questions += asked;
    t->window.gradient_norm += norm;
    if (sums.measured <= 0) // without trimmers, or when no scene counted
        return;
    t->at.share += forget * (sums.share / sums.measured - t->at.share);
    t->at.heads += forget * (sums.upkeep.heads / sums.measured - t->at.heads);
    t->at.words += forget * (sums.upkeep.words / sums.measured - t->at.words);
    t->window_measured += sums.measured;
    t->window_share += sums.share;
    for (int l = 0; l < t->config.fusion_layers; l++) {
        t->at.alive[l] += forget * (sums.alive[l] / sums.measured - t->at.alive[l]);
        t->window_alive[l] += sums.alive[l];
    }
}

bool trainer_stopped(const struct trainer *t) { return t->stop && *t->stop; }

bool trainer_step(struct trainer *t)
{
    if (t->at.step >= t->steps || t->broken.code)
        return false;
    double start = clock_seconds();
    thread_pool_run(t->pool, train_job, t, t->workers);
    if (trainer_stopped(t))
        return false;
    for (int w = 0; w < t->workers; w++)
        if (t->worker[w].failed) {
            t->broken = t->worker[w].error;
            return false;
        }
    struct slice slice = {.trainer = t};
    thread_pool_run(t->pool, sum_job, &slice, t->workers);
    double square = 0;
    for (int w = 0; w < t->workers; w++)
        square += slice.square[w];
    double norm = sqrt(square);
    // A gradient that is not finite is not taken: the step counts, the weights stay.
    if (isfinite(norm)) {
        slice.scale = (real)(norm > t->settings.clip ? t->settings.clip / norm : 1);
        thread_pool_run(t->pool, update_job, &slice, t->workers);
    }
    gather_window(t, norm);
    t->at.step++;
    t->seconds += clock_seconds() - start;
    return true;
}

const struct error *trainer_broken(const struct trainer *t)
{
    return t->broken.code ? &t->broken : NULL;
}

struct train_progress trainer_progress(struct trainer *t)
{
    struct train_progress p = t->window;
    double asked = (double)(t->window_questions ? t->window_questions : 1);
    double steps = (double)(t->window_steps ? t->window_steps : 1), scenes = t->window_sums.scenes ? t->window_sums.scenes : 1;
    p.step = t->at.step;
    p.steps = t->steps;
    p.questions = t->at.questions;
    for (int k = 0; k < TERMS; k++)
        p.loss[k] = t->window_sums.loss[k] / (k == TERM_PATCH || k == TERM_COLOR ? scenes : asked);
    p.accuracy = t->window_sums.questions ? (double)t->window_sums.right / t->window_sums.questions : (double)NAN;
    p.statement_accuracy =
        t->window_sums.statements ? (double)t->window_sums.statements_right / t->window_sums.statements : (double)NAN;
    for (int f = 0; f < WORLD_FAMILY_COUNT; f++)
        p.family_accuracy[f] = t->window_sums.family_questions[f]
                                   ? (double)t->window_sums.family_right[f] / t->window_sums.family_questions[f]
                                   : (double)NAN;
    p.share = t->window_measured > 0 ? t->window_share / t->window_measured : 1;
    p.target = t->settings.trim ? schedule_target(&t->settings, trainer_done(t)) : 1;
    for (int l = 0; l < t->config.fusion_layers; l++) {
        p.alive[l] = t->window_measured > 0 ? t->window_alive[l] / t->window_measured : 1;
        p.budget[l] = t->settings.trim ? schedule_budget(&t->settings, trainer_done(t), l) : 1;
    }
    p.heads = t->at.heads;
    p.words = t->at.words;
    p.gradient_norm /= steps;
    p.rate = schedule_rate(&t->settings, trainer_done(t), t->steps) * t->settings.rate;
    p.questions_per_second = t->seconds > 0 ? (double)t->session_questions / t->seconds : 0;
    double left = (double)(t->steps - t->at.step) * (t->at.questions && t->at.step ? (double)t->at.questions / (double)t->at.step : 0);
    p.seconds_left = p.questions_per_second > 0 ? left / p.questions_per_second : 0;
    t->window = (struct train_progress){0};
    t->window_sums = (struct objective_sums){0};
    t->window_steps = t->window_questions = 0;
    t->window_share = t->window_measured = 0;
    memset(t->window_alive, 0, sizeof t->window_alive);
    return p;
}
