#include "engine/learn/trainer.h"

#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/learn/checkpoint.h"
#include "engine/learn/cost.h"
#include "engine/learn/upkeep.h"
#include "engine/learn/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Statistics that a step sums over its scenes.
struct step_sums {
    struct objective_sums objective;
    double share, alive[NET_LAYERS];
    struct upkeep upkeep;
    double needed_alive, needed_all, other_alive, other_all; // patches, for the relevance lift
};

struct worker {
    struct tape tape;
    real *gradient;
    struct sample *sample;
    real *teacher_logits;
    struct step_sums sums;
};

// The full model that the student learns from, with a shape of its own.
struct teacher {
    struct params params;
    struct net net;
    const real *value; // of its parameters; a frozen backbone is its own teacher; NULL: there is none
};

struct trainer {
    struct train_settings settings;
    struct model_config config;
    struct params params;
    struct teacher teacher;
    struct language language;
    struct net net;
    struct objective objective;
    const struct world *world;
    struct thread_pool *pool;
    struct sample *fixed; // fixed_scenes of them, NULL: always new ones
    int fixed_scenes, workers;
    struct worker *worker;
    real *moment1, *moment2;
    long steps;
    struct train_position at;
    double seconds;                  // of training since this process started
    struct train_progress window;    // sums since the last report
    long window_steps, window_questions, session_questions;
    struct objective_sums window_sums;
    double window_share, window_alive[NET_LAYERS];
    // What the running step asks of its workers.
    uint64_t eval_seed;
    bool eval_trim;
    int eval_scenes;
};

enum { MEMORY_STEPS = 2, WORKERS_LIMIT = 64 };

static double done_share(const struct trainer *t)
{
    return (double)t->at.step / (double)t->steps;
}

// ---- one scene --------------------------------------------------------------------------------------------------

static void measure_masks(const struct trainer *t, const struct sample *sample, const struct net_batch *batch,
                          const struct net_state *state, struct step_sums *sums)
{
    double share[WORLD_QUESTIONS];
    cost_shares(&t->net, batch, state, share);
    int stride = state->rows[NET_IMAGE].stride, layers = t->config.fusion_layers;
    for (int q = 0; q < batch->questions; q++)
        sums->share += share[q];
    upkeep_measure(&t->net, batch, state, &sums->upkeep);
    for (int l = 0; l < layers; l++)
        for (int q = 0; q < batch->questions; q++) {
            const real *mask = state->fusion[l][NET_IMAGE].alive, *alive = mask ? mask + q * stride : NULL;
            double sum = 0;
            for (int p = 1; p < stride; p++)
                sum += alive ? (double)alive[p] : 1;
            sums->alive[l] += sum / (stride - 1);
            if (l < layers - 1)
                continue;
            // Relevance lift is pooled over the questions that have both needed and other objects.
            double needed = 0, other = 0;
            for (int p = 1; p < stride; p++) {
                needed += (double)sample->needed[q][p - 1];
                other += (double)sample->other[q][p - 1];
            }
            if (needed <= 0 || other <= 0)
                continue;
            sums->needed_all += needed;
            sums->other_all += other;
            for (int p = 1; p < stride; p++) {
                real stays = alive ? alive[p] : 1;
                sums->needed_alive += (double)(stays * sample->needed[q][p - 1]);
                sums->other_alive += (double)(stays * sample->other[q][p - 1]);
            }
        }
}

// The hinge (mean - kept)^2 above what may be kept, as a slope per question.
static double hinge_slope(const struct trainer *t, double mean, double keep, double question_scale)
{
    return mean > keep ? 2 * t->settings.budget * (mean - keep) * question_scale : 0;
}

// What the cost objective and the layer budgets say to the masks.
static void push_costs(const struct trainer *t, const struct net_batch *batch, struct net_state *state,
                       double question_scale)
{
    double over = t->at.share - schedule_target(&t->settings, done_share(t));
    cost_back(&t->net, batch, state, 2 * t->settings.cost * over * question_scale);
    double heads = schedule_keep(&t->settings, done_share(t), t->settings.head_keep);
    double words = schedule_keep(&t->settings, done_share(t), t->settings.word_keep);
    upkeep_push(&t->net, batch, state, hinge_slope(t, t->at.heads, heads, question_scale),
                hinge_slope(t, t->at.words, words, question_scale));
    int stride = state->rows[NET_IMAGE].stride;
    for (int l = 0; l < t->config.fusion_layers; l++) {
        double excess = t->at.alive[l] - schedule_budget(&t->settings, done_share(t), l);
        real *dalive = state->fusion[l][NET_IMAGE].dalive;
        if (excess <= 0 || !dalive)
            continue;
        real push = (real)(2 * t->settings.budget * excess * question_scale / (stride - 1));
        for (int q = 0; q < batch->questions; q++)
            for (int p = 1; p < stride; p++)
                dalive[q * stride + p] += push;
    }
}

// The teacher sees every patch: what one sees that does not is copied too.
static void teach(const struct trainer *t, struct worker *w, const struct net_batch *batch)
{
    const struct net_trimming open = {0};
    struct net_batch whole = *batch;
    struct net_state state;
    const real *student = w->tape.P;
    whole.patch_count = 0;
    w->tape.P = t->teacher.value;
    net_forward(&w->tape, &t->teacher.net, &whole, &open, &state);
    memcpy(w->teacher_logits, state.logits, (size_t)(batch->questions * t->config.labels) * sizeof(real));
    w->tape.P = student;
    arena_rewind(&w->tape.arena, 0);
}

static int patches_for(const struct trainer *t, struct random *random)
{
    const struct train_settings *s = &t->settings;
    if (done_share(t) >= 1 - s->full_tail)
        return SAMPLE_PATCHES;
    return s->patches_low + (int)random_below(random, (uint32_t)(s->patches_high - s->patches_low + 1));
}

static void make_scene(const struct trainer *t, struct sample *sample, uint64_t index, struct random *random)
{
    uint64_t seed = (uint64_t)t->settings.seed;
    // A scene that cannot be laid out is replaced by one far beyond those that this run reaches.
    for (uint64_t at = index; !sample_make(sample, t->world, &t->language, seed, at, t->settings.questions, random,
                                           t->settings.brightness);)
        at += (uint64_t)1 << 40;
}

static void train_scene(struct trainer *t, struct worker *w, uint64_t index)
{
    const struct train_settings *s = &t->settings;
    struct sample *sample = t->fixed ? &t->fixed[index % (uint64_t)t->fixed_scenes] : w->sample;
    struct random random;
    random_init(&random, (uint64_t)s->seed, index * 2 + 1);
    if (!t->fixed)
        make_scene(t, sample, index, &random);
    int patches = patches_for(t, &random);
    sample_choose_patches(sample, patches, &random);
    struct net_batch batch = sample_batch(sample, patches);
    double question_scale = 1.0 / ((double)s->scenes * sample->question_count);
    struct net_trimming trimming = {
        .on = s->trim,
        .heads = s->heads,
        .compact = s->ground <= 0, // the grounding loss reads the outputs of all patches
        .sampling = {.random = &random, .noise = (real)schedule_noise(s, done_share(t)), .temperature = (real)s->gumbel},
    };
    arena_rewind(&w->tape.arena, 0);
    if (t->teacher.value)
        teach(t, w, &batch);
    struct net_state state;
    struct net_gradients gradients;
    net_forward(&w->tape, &t->net, &batch, &trimming, &state);
    objective_apply(&w->tape, &t->net, &t->objective, sample, &batch, &state, t->teacher.value ? w->teacher_logits : NULL,
                    (real)question_scale, (real)(1.0 / s->scenes), &gradients, &w->sums.objective);
    if (s->trim) {
        measure_masks(t, sample, &batch, &state, &w->sums);
        push_costs(t, &batch, &state, question_scale);
    }
    net_backward(&w->tape, &t->net, &batch, &state, &gradients);
}

static void train_job(void *context, int index, int worker)
{
    (void)worker;
    struct trainer *t = context;
    struct worker *w = &t->worker[index]; // fixed scenes for each worker: sums do not depend on who was faster
    memset(w->gradient, 0, t->params.trained * sizeof *w->gradient);
    w->sums = (struct step_sums){0};
    w->tape.G = w->gradient;
    for (int i = index; i < t->settings.scenes; i += t->workers)
        train_scene(t, w, (uint64_t)t->at.step * (uint64_t)t->settings.scenes + (uint64_t)i);
}

// ---- optimizer --------------------------------------------------------------------------------------------------

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
    double rate = schedule_rate(s, done_share(t), t->steps), step = (double)t->at.step + 1;
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
        sums.share += t->worker[w].sums.share;
        sums.upkeep.heads += t->worker[w].sums.upkeep.heads;
        sums.upkeep.words += t->worker[w].sums.upkeep.words;
        for (int l = 0; l < NET_LAYERS; l++)
            sums.alive[l] += t->worker[w].sums.alive[l];
    }
    int asked = sums.objective.questions;
    double forget = t->at.step ? 1.0 / MEMORY_STEPS : 1;
    objective_sums_add(&t->window_sums, &sums.objective);
    t->window_steps++;
    t->at.questions += asked;
    t->session_questions += asked;
    t->window_questions += asked;
    t->window.gradient_norm += norm;
    if (!t->settings.trim)
        return;
    t->at.share += forget * (sums.share / asked - t->at.share);
    t->at.heads += forget * (sums.upkeep.heads / asked - t->at.heads);
    t->at.words += forget * (sums.upkeep.words / asked - t->at.words);
    t->window_share += sums.share;
    for (int l = 0; l < t->config.fusion_layers; l++) {
        t->at.alive[l] += forget * (sums.alive[l] / asked - t->at.alive[l]);
        t->window_alive[l] += sums.alive[l];
    }
}

bool trainer_step(struct trainer *t)
{
    if (t->at.step >= t->steps)
        return false;
    double start = clock_seconds();
    thread_pool_run(t->pool, train_job, t, t->workers);
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
    p.accuracy = t->window_sums.right / asked;
    for (int f = 0; f < WORLD_FAMILY_COUNT; f++)
        p.family_accuracy[f] = t->window_sums.family_questions[f]
                                   ? (double)t->window_sums.family_right[f] / t->window_sums.family_questions[f]
                                   : (double)NAN;
    p.share = t->settings.trim ? t->window_share / asked : 1;
    p.target = t->settings.trim ? schedule_target(&t->settings, done_share(t)) : 1;
    for (int l = 0; l < t->config.fusion_layers; l++)
        p.alive[l] = t->settings.trim ? t->window_alive[l] / asked : 1;
    p.heads = t->at.heads;
    p.words = t->at.words;
    p.gradient_norm /= steps;
    p.rate = schedule_rate(&t->settings, done_share(t), t->steps) * t->settings.rate;
    p.questions_per_second = t->seconds > 0 ? (double)t->session_questions / t->seconds : 0;
    double left = (double)(t->steps - t->at.step) * (t->at.questions && t->at.step ? (double)t->at.questions / (double)t->at.step : 0);
    p.seconds_left = p.questions_per_second > 0 ? left / p.questions_per_second : 0;
    t->window = (struct train_progress){0};
    t->window_sums = (struct objective_sums){0};
    t->window_steps = t->window_questions = 0;
    t->window_share = 0;
    memset(t->window_alive, 0, sizeof t->window_alive);
    return p;
}

// ---- evaluation -------------------------------------------------------------------------------------------------

static void evaluate_job(void *context, int index, int worker)
{
    (void)worker;
    struct trainer *t = context;
    struct worker *w = &t->worker[index];
    w->sums = (struct step_sums){0};
    w->tape.G = NULL;
    struct net_trimming trimming = {.on = t->eval_trim, .heads = t->settings.heads, .compact = true,
                                    .sampling = {.temperature = 1}};
    for (int i = index; i < t->eval_scenes; i += t->workers) {
        if (!sample_make(w->sample, t->world, &t->language, t->eval_seed, (uint64_t)i, WORLD_QUESTIONS, NULL, 0))
            continue;
        struct net_batch batch = sample_batch(w->sample, SAMPLE_PATCHES);
        struct net_state state;
        arena_rewind(&w->tape.arena, 0);
        net_forward(&w->tape, &t->net, &batch, &trimming, &state);
        objective_score(w->sample, state.logits, t->config.labels, &w->sums.objective);
        if (t->eval_trim)
            measure_masks(t, w->sample, &batch, &state, &w->sums);
    }
}

struct objective_sums trainer_evaluate(struct trainer *t, uint64_t seed, int scenes, bool trim, double *share,
                                       double *lift)
{
    t->eval_seed = seed;
    t->eval_scenes = scenes;
    t->eval_trim = trim;
    thread_pool_run(t->pool, evaluate_job, t, t->workers);
    struct step_sums sums = {0};
    for (int w = 0; w < t->workers; w++) {
        const struct step_sums *from = &t->worker[w].sums;
        objective_sums_add(&sums.objective, &from->objective);
        sums.share += from->share;
        sums.needed_alive += from->needed_alive;
        sums.needed_all += from->needed_all;
        sums.other_alive += from->other_alive;
        sums.other_all += from->other_all;
    }
    if (share)
        *share = trim ? sums.share / sums.objective.questions : 1;
    if (lift)
        *lift = sums.other_alive > 0 ? sums.needed_alive / sums.needed_all / (sums.other_alive / sums.other_all) : (double)NAN;
    return sums.objective;
}

// ---- life -------------------------------------------------------------------------------------------------------

static bool make_workers(struct trainer *t)
{
    t->worker = memory_alloc((size_t)t->workers, sizeof *t->worker);
    if (!t->worker)
        return false;
    size_t arena = net_arena_size(&t->net, WORLD_QUESTIONS, SAMPLE_TOKENS), taught = 0;
    if (t->teacher.value)
        taught = net_arena_size(&t->teacher.net, WORLD_QUESTIONS, SAMPLE_TOKENS);
    arena = taught > arena ? taught : arena;
    for (int i = 0; i < t->workers; i++) {
        struct worker *w = &t->worker[i];
        w->tape = (struct tape){.kernels = learn_kernels_get(), .P = t->params.value,
                                .trained = t->params.trained, .mask_floor = (real)t->settings.mask_floor};
        w->gradient = memory_alloc(t->params.trained, sizeof *w->gradient);
        w->sample = memory_alloc(1, sizeof *w->sample);
        w->teacher_logits = memory_alloc((size_t)(WORLD_QUESTIONS * t->config.labels), sizeof *w->teacher_logits);
        if (!arena_init(&w->tape.arena, arena) || !w->gradient || !w->sample || !w->teacher_logits)
            return false;
    }
    return true;
}

static bool make_fixed_scenes(struct trainer *t, int count)
{
    if (count < 1)
        return true;
    t->fixed_scenes = count < t->settings.scenes ? t->settings.scenes : count; // workers must not share one
    t->fixed = memory_alloc((size_t)t->fixed_scenes, sizeof *t->fixed);
    for (int i = 0; t->fixed && i < t->fixed_scenes; i++) {
        struct random random;
        random_init(&random, (uint64_t)t->settings.seed, (uint64_t)i * 2 + 1);
        make_scene(t, &t->fixed[i], (uint64_t)i, &random);
    }
    return t->fixed != NULL;
}

// What the world's pictures and questions demand of a model.
static bool check_model(const struct trainer *t, const struct model_config *c, struct error *err)
{
    if (c->task != TASK_VQA || c->image_size != WORLD_SIDE || c->patch_size != WORLD_PATCH)
        return error_set(err, ERROR_INPUT,
                         "the world is for VQA models of %d-pixel pictures in patches of %d; this model is for %s, %d "
                         "pixels, patches of %d",
                         WORLD_SIDE, WORLD_PATCH, model_task_name(c->task), c->image_size, c->patch_size);
    if (c->positions < SAMPLE_TOKENS + 2)
        return error_set(err, ERROR_INPUT, "the model has %d text positions; the world's questions need %d",
                         c->positions, SAMPLE_TOKENS + 2);
    if (c->vocabulary != t->language.vocabulary || c->labels != t->language.answers)
        return error_set(err, ERROR_INPUT, "the model has %d tokens and %d answers; the world has %d and %d",
                         c->vocabulary, c->labels, t->language.vocabulary, t->language.answers);
    return true;
}

static bool load_start(struct trainer *t, const struct tensor_list *init, bool grow, struct error *err)
{
    params_randomize(&t->params, &t->config, (uint64_t)t->settings.seed);
    return !init || (checkpoint_check_language(init, &t->language, t->world, grow, err) &&
                     params_load(&t->params, init, grow ? PARAMS_LOAD_GROWN : PARAMS_LOAD_START, err)) ||
           error_prefix(err, "cannot start from these weights");
}

static bool load_teacher(struct trainer *t, const struct tensor_list *file, struct error *err)
{
    struct model_config config;
    bool ok = model_config_read(&config, file, err) && check_model(t, &config, err) &&
              checkpoint_check_language(file, &t->language, t->world, false, err);
    if (ok && !params_init(&t->teacher.params, &config, PARAMS_ALL, 0, 0))
        return error_no_memory(err, "the teacher");
    ok = ok && net_init(&t->teacher.net, &config, &t->teacher.params, t->language.answer_words, err) &&
         params_load(&t->teacher.params, file, PARAMS_LOAD_START, err);
    t->teacher.value = t->teacher.params.value;
    return ok || error_prefix(err, "the teacher does not fit");
}

// Without a teacher of its own a frozen backbone teaches its trimmers. Trimmers without start weights are there to be
// timed, no more.
static bool find_teacher(struct trainer *t, const struct trainer_options *options, struct error *err)
{
    if (t->settings.distill <= 0)
        return true;
    if (options->teacher)
        return load_teacher(t, options->teacher, err);
    if (!t->settings.freeze && !(t->settings.trim && !options->init))
        return error_set(err, ERROR_INPUT, "distill is above 0, and there is no teacher to learn from");
    t->teacher.net = t->net;
    t->teacher.value = t->params.value;
    return true;
}

static bool build(struct trainer *t, const struct trainer_options *options, struct error *err)
{
    if (!train_settings_check(&t->settings, t->config.fusion_layers, err))
        return false;
    if (!t->settings.budget_count && t->settings.trim)
        t->settings.budget_count = t->config.fusion_layers; // what the weights file says of how they were made
    if (!language_init(&t->language, options->world, err) || !check_model(t, &t->config, err))
        return false;
    enum params_trained trained = t->settings.freeze ? PARAMS_TRIMMERS : PARAMS_ALL;
    if (!params_init(&t->params, &t->config, trained, t->language.kinds, t->language.colors))
        return error_no_memory(err, "the model's parameters");
    if (!net_init(&t->net, &t->config, &t->params, t->language.answer_words, err) ||
        !load_start(t, options->init, options->grow, err) || !find_teacher(t, options, err))
        return false;
    const struct train_settings *s = &t->settings;
    struct objective_weights weights = {
        .answer = (real)s->answer, .distill = (real)s->distill, .temperature = (real)s->temperature,
        .patch = (real)s->patch,   .color = (real)s->color,     .ground = (real)s->ground,
        .where = (real)s->where,   .count = (real)s->count,
    };
    objective_init(&t->objective, &t->params, &t->config, &t->language, weights);
    t->moment1 = memory_alloc(t->params.trained, sizeof *t->moment1);
    t->moment2 = memory_alloc(t->params.trained, sizeof *t->moment2);
    t->pool = thread_pool_new(t->workers);
    if (!t->moment1 || !t->moment2 || !t->pool || !make_workers(t) || !make_fixed_scenes(t, options->fixed_scenes))
        return error_no_memory(err, "training");
    return true;
}

struct trainer *trainer_new(const struct trainer_options *options, struct error *err)
{
    struct trainer *t = memory_alloc(1, sizeof *t);
    if (!t) {
        error_no_memory(err, "training");
        return NULL;
    }
    t->settings = options->settings;
    t->config = options->config;
    t->world = options->world;
    t->workers = options->threads < 1 ? 1 : options->threads > WORKERS_LIMIT ? WORKERS_LIMIT : options->threads;
    if (t->workers > t->settings.scenes)
        t->workers = t->settings.scenes; // a worker needs a scene, and some 300 MB
    t->at.share = t->at.heads = t->at.words = 1;
    for (int l = 0; l < NET_LAYERS; l++)
        t->at.alive[l] = 1;
    long per_step = (long)t->settings.scenes * t->settings.questions;
    t->steps = (t->settings.total + per_step - 1) / per_step;
    if (!build(t, options, err)) {
        trainer_free(t);
        return NULL;
    }
    return t;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    for (int i = 0; t->worker && i < t->workers; i++) {
        arena_free(&t->worker[i].tape.arena);
        memory_free(t->worker[i].gradient);
        memory_free(t->worker[i].sample);
        memory_free(t->worker[i].teacher_logits);
    }
    memory_free(t->worker);
    thread_pool_free(t->pool);
    memory_free(t->fixed);
    memory_free(t->moment1);
    memory_free(t->moment2);
    params_free(&t->params);
    params_free(&t->teacher.params);
    language_free(&t->language);
    memory_free(t);
}

static bool save(struct trainer *t, const char *path, bool state, bool keep,
                 const struct checkpoint_measures *measures, struct error *err)
{
    char *training = train_settings_json(&t->settings);
    struct checkpoint checkpoint = {
        .config = &t->config,
        .params = &t->params,
        .language = &t->language,
        .world = t->world,
        .training = training,
        .moment1 = state ? t->moment1 : NULL,
        .moment2 = state ? t->moment2 : NULL,
        .position = t->at,
        .half = keep,
        .aux = !keep,
    };
    if (measures)
        checkpoint.measures = *measures;
    bool ok = training ? checkpoint_write(&checkpoint, path, err) : error_no_memory(err, path);
    free(training);
    return ok;
}

bool trainer_save_state(struct trainer *t, const char *path, struct error *err)
{
    return save(t, path, true, false, NULL, err);
}

bool trainer_save_model(struct trainer *t, const char *path, bool keep, const struct checkpoint_measures *measures,
                        struct error *err)
{
    return save(t, path, false, keep, measures, err);
}

bool trainer_resume(struct trainer *t, const char *path, bool change, struct error *err)
{
    return checkpoint_resume(path, change ? NULL : &t->settings, &t->params, t->moment1, t->moment2, &t->at, err);
}

double trainer_estimate(struct trainer *t, int steps)
{
    double seconds = 0, tail = t->settings.full_tail;
    for (int part = 0; part < 2; part++) { // before the tail, in which every patch takes part, and in it
        double share = part ? tail : 1 - tail;
        if (share <= 0)
            continue;
        t->at.step = part ? (long)((double)t->steps * (1 - tail)) : 0;
        t->seconds = 0;
        int done = 0;
        while (done < steps && trainer_step(t))
            done++;
        if (done)
            seconds += t->seconds / done * share * (double)t->steps;
    }
    return seconds;
}
