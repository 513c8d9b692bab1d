#include "engine/learn/trainer_private.h"

#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/tensors.h"
#include "engine/learn/cost.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool make_workers(struct trainer *t)
{
    t->worker = memory_alloc((size_t)t->workers, sizeof *t->worker);
    if (!t->worker)
        return false;
    int questions = t->world ? WORLD_QUESTIONS : t->settings.questions;
    int tokens = t->world ? SAMPLE_TOKENS : t->config.max_tokens, answers = questions * net_answer_rows(&t->net);
    size_t arena = net_arena_size(&t->net, questions, tokens, answers), taught = 0;
    if (t->teacher.value)
        taught = net_arena_size(&t->teacher.net, questions, tokens, answers);
    // Both pictures' passes are kept.
    arena = (taught > arena ? taught : arena) * (t->settings.pairs > 0 || trainer_pairs_alone(t) ? 2 : 1);
    for (int i = 0; i < t->workers; i++) {
        struct worker *w = &t->worker[i];
        w->tape = (struct tape){.kernels = learn_kernels_get(), .P = t->params.value,
                                .trained = t->params.trained, .mask_floor = (real)t->settings.mask_floor};
        w->gradient = memory_alloc(t->params.trained, sizeof *w->gradient);
        int labels = t->net.labels > 2 ? t->net.labels : 2; // false or true of a statement about two pictures
        w->teacher_logits = memory_alloc((size_t)answers * (size_t)labels, sizeof *w->teacher_logits);
        bool room = t->world ? (w->sample = memory_alloc(t->settings.pairs > 0 ? 2 : 1, sizeof *w->sample)) != NULL
                             : learn_set_sample_init(&w->set_sample, &t->set);
        if (!room || !arena_init(&w->tape.arena, arena) || !w->gradient || !w->teacher_logits)
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
        trainer_make_scene(t, &t->fixed[i], (uint64_t)i, &random);
    }
    return t->fixed != NULL;
}

// What the world's pictures and questions demand of a model.
static bool check_model(const struct trainer *t, const struct model_config *c, struct error *err)
{
    if (c->architecture != ARCHITECTURE_METER || c->task != TASK_VQA || c->image_size != WORLD_SIDE || c->patch_size != WORLD_PATCH)
        return error_set(err, ERROR_INPUT,
                         "the world is for METER's VQA models of %d-pixel pictures in patches of %d; this model is for %s, %d "
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
    bool ok = !init || ((!t->world || checkpoint_check_language(init, &t->language, t->world, grow, err)) &&
                        params_load(&t->params, init, grow ? PARAMS_LOAD_GROWN : PARAMS_LOAD_START, err));
    return ok || error_prefix(err, "cannot start from these weights");
}

// The student reads words and gives answers as its teacher does.
static bool check_teacher(const struct trainer *t, const struct model_config *c, const struct tensor_list *file,
                          struct error *err)
{
    if (t->world)
        return check_model(t, c, err) && checkpoint_check_language(file, &t->language, t->world, false, err);
    if (c->architecture != t->config.architecture || c->task != t->config.task)
        return error_set(err, ERROR_INPUT, "it is a %s for %s; the model is a %s for %s",
                         model_architecture_name(c->architecture), model_task_name(c->task),
                         model_architecture_name(t->config.architecture), model_task_name(t->config.task));
    bool labels = model_writes(c) || c->labels == t->config.labels; // one that writes has none of its own
    if (c->vocabulary != t->config.vocabulary || !labels || c->image_size != t->config.image_size)
        return error_set(err, ERROR_INPUT, "it has %d tokens, %d answers and pictures of %d pixels; the model has %d, %d and %d",
                         c->vocabulary, c->labels, c->image_size, t->config.vocabulary, t->config.labels,
                         t->config.image_size);
    return true;
}

static const int *answer_words(const struct trainer *t)
{
    return t->world ? t->language.answer_words : t->set_answer_words;
}

static bool load_teacher(struct trainer *t, const struct tensor_list *file, struct error *err)
{
    struct model_config config;
    bool ok = model_config_read(&config, file, err) && check_teacher(t, &config, file, err);
    if (ok && !params_init(&t->teacher.params, &config, PARAMS_ALL, 0, 0))
        return error_no_memory(err, "the teacher");
    ok = ok && net_init(&t->teacher.net, &config, &t->teacher.params, answer_words(t), err) &&
         params_load(&t->teacher.params, file, PARAMS_LOAD_START, err);
    t->teacher.value = t->teacher.params.value;
    return ok || error_prefix(err, "the teacher does not fit");
}

// What of the full model has a place in this one.
static const struct param *shared(const struct trainer *t, const struct param *param)
{
    const struct param *full = params_find(&t->teacher.params, param->info.name);
    return full && full->info.elements == param->info.elements ? full : NULL;
}

static bool check_blend(const struct trainer *t, struct error *err)
{
    for (int i = 0; t->settings.blend > 0 && i < t->params.count; i++) {
        const struct param *p = &t->params.items[i];
        if (!p->aux && !p->info.trimmer && !shared(t, p))
            return error_set(err, ERROR_INPUT, "blend is a mean with the full model, which has no %s of this shape", p->info.name);
    }
    return true;
}

void trainer_blend(struct trainer *t)
{
    real part = (real)t->settings.blend;
    for (int i = 0; part > 0 && i < t->params.count; i++) {
        const struct param *p = &t->params.items[i], *full = shared(t, p);
        real *own = t->params.value + p->offset;
        for (int64_t k = 0; full && k < p->info.elements; k++)
            own[k] += part * (t->teacher.value[full->offset + (size_t)k] - own[k]);
    }
}

// Without a teacher of its own a frozen backbone teaches its trimmers. Trimmers without start weights are there to be
// timed, no more.
static bool find_teacher(struct trainer *t, const struct trainer_options *options, struct error *err)
{
    if (t->settings.distill <= 0 && t->settings.blend <= 0)
        return true;
    if (options->teacher)
        return load_teacher(t, options->teacher, err) && check_blend(t, err);
    if (!t->settings.freeze && !(t->settings.trim && !options->init))
        return error_set(err, ERROR_INPUT, "distill or blend is above 0, and there is no full model to learn from or to be "
                                           "mixed with");
    t->teacher.net = t->net;
    t->teacher.value = t->params.value;
    return true;
}

static bool open_world(struct trainer *t, struct error *err)
{
    return language_init(&t->language, t->world, err) && check_model(t, &t->config, err);
}

// Metadata answer_words of a model with that option (engine/model/names.md).
static bool read_answer_words(struct trainer *t, const struct tensor_list *model, struct error *err)
{
    const char *text = tensor_list_metadata(model, "answer_words");
    json_t *list = text ? json_loads(text, 0, NULL) : NULL;
    int labels = t->config.labels;
    t->set_answer_words = memory_alloc((size_t)labels, sizeof *t->set_answer_words);
    bool ok = t->set_answer_words && json_array_size(list) == (size_t)labels;
    for (int a = 0; ok && a < labels; a++) {
        json_int_t word = json_integer_value(json_array_get(list, (size_t)a));
        ok = word >= -1 && word < t->config.vocabulary;
        t->set_answer_words[a] = (int)word;
    }
    json_decref(list);
    return ok || error_set(err, ERROR_INPUT, "the model has answer_words, but no metadata answer_words with their tokens");
}

// How many questions a set is worth when nobody says: each some thirty times, but enough for the trimmers to learn anything,
// and no more than the world's.
static int questions_worth(int count)
{
    enum { TURNS = 30, LEAST = 1000 };
    int most = train_settings_default(true).total;
    return count > most / TURNS ? most : count * TURNS < LEAST ? LEAST : count * TURNS;
}

static bool open_sets(struct trainer *t, const struct trainer_options *options, struct error *err)
{
    const struct train_settings *s = &t->settings;
    if (!options->init)
        return error_set(err, ERROR_INPUT, "a model to learn from pictures and questions must know words and answers: there "
                                           "are no start weights");
    if (s->patch > 0 || s->color > 0 || s->ground > 0 || s->where > 0 || s->count > 0)
        return error_set(err, ERROR_INPUT, "patch, color, ground, where and count are known of the world alone: leave them "
                                           "at 0 for a question set");
    if (t->config.answer_words && !read_answer_words(t, options->init, err))
        return false;
    if (!learn_set_open(&t->set, options->set, &t->config, options->init, err) ||
        (options->held_out && !learn_set_open(&t->held_out, options->held_out, &t->config, options->init, err)))
        return false;
    t->config = t->set.config; // with what the file says of words and answers
    if (!s->total)
        t->settings.total = questions_worth(t->set.questions.count);
    if (s->distill <= 0 && t->set.labelled < t->set.questions.count)
        return error_set(err, ERROR_INPUT,
                         "%d of %d questions have no answer that the model knows, and without distillation nothing says what is right",
                         t->set.questions.count - t->set.labelled, t->set.questions.count);
    return true;
}

// A target that no trimmer can reach would push for nothing.
static bool check_target(const struct trainer *t, struct error *err)
{
    if (!t->settings.trim)
        return true;
    const struct train_settings *s = &t->settings;
    double least = cost_least(&t->net, t->world ? SAMPLE_TOKENS : t->config.max_tokens);
    if (!(s->target < least))
        return true;
    return s->image_trimmers
               ? error_set(err, ERROR_INPUT, "target is %.3f, and trimmers in these layers cannot spend less than %.3f",
                           s->target, least)
               : error_set(err, ERROR_INPUT,
                           "target is %.3f, and trimmers in the fusion layers alone cannot spend less than %.3f; "
                           "image_trimmers=1 lets the image encoder have some too",
                           s->target, least);
}

static bool check_pairs(const struct trainer *t, const struct trainer_options *options, struct error *err)
{
    const struct train_settings *s = &t->settings;
    if (s->pairs <= 0)
        return true;
    if (!t->world || !s->reworded || options->fixed_scenes)
        return error_set(err, ERROR_INPUT, "statements about pairs of pictures are made by the world alone, with the words of reworded=1");
    if (!t->config.pair_hidden)
        return error_set(err, ERROR_INPUT, "the model has no head for statements about two pictures; --grow adds one");
    return true;
}

static bool build(struct trainer *t, const struct trainer_options *options, struct error *err)
{
    if (!train_settings_check(&t->settings, t->config.fusion_layers, err) || !check_pairs(t, options, err))
        return false;
    if (t->settings.text_trimmers && !t->config.text_layers)
        return error_set(err, ERROR_INPUT, "the words of this model have trimmers in the fusion layers, and no encoder of "
                                           "their own: leave text_trimmers at 0");
    if (t->settings.decoder_trimmers && !t->config.decoder_layers)
        return error_set(err, ERROR_INPUT, "this model has no decoder of answers that reads the question: leave "
                                           "decoder_trimmers at 0");
    if (t->settings.trim && !model_trimmed_layers(&t->config))
        return error_set(err, ERROR_INPUT, "these settings leave no trimmer in this model");
    if (!t->settings.budget_count && t->settings.trim)
        t->settings.budget_count = t->config.fusion_layers; // what the weights file says of how they were made
    if (t->world ? !open_world(t, err) : !open_sets(t, options, err))
        return false;
    enum params_trained trained = t->settings.freeze ? PARAMS_TRIMMERS : PARAMS_ALL;
    if (!params_init(&t->params, &t->config, trained, t->language.kinds, t->language.colors))
        return error_no_memory(err, "the model's parameters");
    if (!net_init(&t->net, &t->config, &t->params, answer_words(t), err) || !load_start(t, options->init, options->grow, err))
        return false;
    if (!t->world)
        t->net.writing = t->set.writing;
    if (!check_target(t, err) || !find_teacher(t, options, err))
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
    t->stop = options->stop;
    t->base = options->world ? NULL : options->init;
    t->workers = options->threads < 1 ? 1 : options->threads > WORKERS_LIMIT ? WORKERS_LIMIT : options->threads;
    if (t->workers > t->settings.scenes)
        t->workers = t->settings.scenes; // a worker needs a scene, and some 300 MB
    t->at.share = t->at.heads = t->at.words = 1;
    for (int l = 0; l < NET_LAYERS; l++)
        t->at.alive[l] = 1;
    if (!build(t, options, err)) {
        trainer_free(t);
        return NULL;
    }
    long per_step = (long)t->settings.scenes * t->settings.questions;
    t->steps = (t->settings.total + per_step - 1) / per_step;
    return t;
}

int trainer_total(const struct trainer *t)
{
    return t->settings.total;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    for (int i = 0; t->worker && i < t->workers; i++) {
        arena_free(&t->worker[i].tape.arena);
        memory_free(t->worker[i].gradient);
        memory_free(t->worker[i].sample);
        learn_set_sample_free(&t->worker[i].set_sample);
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
    learn_set_close(&t->set);
    learn_set_close(&t->held_out);
    memory_free(t->set_answer_words);
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
        .base = t->base,
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
