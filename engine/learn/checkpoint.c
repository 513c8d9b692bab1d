#include "engine/learn/checkpoint.h"

#include "engine/base/digest.h"
#include "engine/io/safetensors.h"
#include "engine/world/world.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *answers_json(const struct world *world)
{
    json_t *list = json_array();
    for (int a = 0; a < world_answer_count(world); a++)
        json_array_append_new(list, json_string(world_answer(world, a)));
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static char *answer_words_json(const struct language *language)
{
    json_t *list = json_array();
    for (int a = 0; a < language->answers; a++)
        json_array_append_new(list, json_integer(language->answer_words[a]));
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static struct tensor_source moment(const char *name, const real *values, size_t total)
{
    return (struct tensor_source){name, TENSOR_F32, 1, {(int64_t)total}, values};
}

// fp16 where it is asked for, or where the backbone that has not changed came like that.
static enum tensor_type storage(const struct checkpoint *c, const struct param *param)
{
    const struct tensor *from = c->base && param->offset >= c->params->trained ? tensor_list_find(c->base, param->info.name)
                                                                              : NULL;
    return c->half || (from && from->type == TENSOR_F16) ? TENSOR_F16 : TENSOR_F32;
}

static int list_tensors(const struct checkpoint *c, struct tensor_source *sources)
{
    int n = 0;
    for (int i = 0; i < c->params->count; i++) {
        const struct param *param = &c->params->items[i];
        if ((param->aux && !c->aux) || (c->moment1 && param->offset >= c->params->trained))
            continue;
        struct tensor_source *source = &sources[n++];
        *source = (struct tensor_source){.name = param->info.name,
                                         .stored = storage(c, param),
                                         .rank = param->info.rank,
                                         .data = c->params->value + param->offset};
        memcpy(source->shape, param->info.shape, sizeof param->info.shape);
    }
    if (c->moment1) {
        sources[n++] = moment("optimizer.moment1", c->moment1, c->params->trained);
        sources[n++] = moment("optimizer.moment2", c->moment2, c->params->trained);
    }
    return n;
}

// Doubles are written with all their digits, so that a resumed run goes on bit by bit.
static char *progress_json(const struct train_position *position)
{
    json_t *root = json_pack("{s:I, s:I, s:f, s:f, s:f}", "step", (json_int_t)position->step, "questions",
                             (json_int_t)position->questions, "share", position->share, "heads", position->heads,
                             "words", position->words);
    json_t *alive = json_array();
    for (int l = 0; l < NET_LAYERS; l++)
        json_array_append_new(alive, json_real(position->alive[l]));
    json_object_set_new(root, "alive", alive);
    char *text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17));
    json_decref(root);
    return text;
}

// Of the numbers that are not trained, which a state leaves out.
static void frozen_digest(char digest[DIGEST_SIZE], const struct params *params)
{
    digest_bytes(digest, params->value + params->trained, (params->total - params->trained) * sizeof *params->value);
}

enum { PAIRS = 12 };

struct pairs {
    struct metadata_pair list[PAIRS];
    int count;
    char *owned[PAIRS]; // of which so many are ours
    int owned_count;
    bool complete;
};

static void add_pair(struct pairs *pairs, const char *key, const char *value)
{
    if (value)
        pairs->list[pairs->count++] = (struct metadata_pair){key, value};
}

// A value that must be there and is released with the pairs.
static void add_owned(struct pairs *pairs, const char *key, char *value)
{
    pairs->complete = pairs->complete && value;
    pairs->owned[pairs->owned_count++] = value;
    add_pair(pairs, key, value);
}

// Words and answers: the world's, or those of the file that training began with.
static void add_language(struct pairs *pairs, const struct checkpoint *c)
{
    const char *const keys[] = {"tokenizer", "answers", "answer_words"};
    if (c->base) {
        for (int k = 0; k < 3; k++)
            add_pair(pairs, keys[k], tensor_list_metadata(c->base, keys[k]));
        return;
    }
    add_pair(pairs, "tokenizer", c->language->tokenizer_json);
    add_owned(pairs, "answers", answers_json(c->world));
    add_owned(pairs, "answer_words", answer_words_json(c->language));
}

bool checkpoint_write(const struct checkpoint *c, const char *path, struct error *err)
{
    struct tensor_source *sources = calloc((size_t)c->params->count + 2, sizeof *sources);
    struct pairs pairs = {.complete = true};
    char digest[DIGEST_SIZE];
    add_owned(&pairs, "config", model_config_to_json(c->config));
    add_language(&pairs, c);
    add_pair(&pairs, "training", c->training);
    add_owned(&pairs, "progress", progress_json(&c->position));
    add_pair(&pairs, "calibration", c->measures.calibration);
    add_pair(&pairs, "pair_calibration", c->measures.pair_calibration);
    add_pair(&pairs, "familiarity", c->measures.familiarity);
    if (c->moment1 && c->params->trained < c->params->total) {
        frozen_digest(digest, c->params);
        add_pair(&pairs, "frozen", digest);
    }
    bool ok = sources && pairs.complete ? safetensors_write(path, sources, list_tensors(c, sources), pairs.list, pairs.count, err)
                                        : error_no_memory(err, path);
    free(sources);
    for (int i = 0; i < pairs.owned_count; i++)
        free(pairs.owned[i]);
    return ok;
}

static bool read_moment(const struct tensor_list *file, const char *name, real *to, size_t total, struct error *err)
{
    const struct tensor *tensor = tensor_list_find(file, name);
    if (!tensor || tensor->elements != total)
        return error_set(err, ERROR_INPUT, "it holds no %s of %zu numbers: not a state that training can go on from",
                         name, total);
    tensor_floats(tensor, to);
    for (size_t i = 0; i < total; i++)
        if (!isfinite(to[i]))
            return error_set(err, ERROR_INPUT, "its %s holds a number that is not finite", name);
    return true;
}

static void read_mean(const json_t *root, const char *name, double *mean)
{
    const json_t *value = json_object_get(root, name);
    if (json_is_number(value))
        *mean = json_number_value(value);
}

static bool read_position(const char *text, struct train_position *position)
{
    json_int_t step, questions;
    json_t *root = text ? json_loads(text, 0, NULL) : NULL, *alive = json_object_get(root, "alive");
    bool ok = root && json_unpack(root, "{s:I, s:I}", "step", &step, "questions", &questions) == 0 && step >= 0 &&
              step <= INT32_MAX && questions >= 0 && questions <= INT64_MAX / 2;
    if (ok) {
        *position = (struct train_position){.step = (long)step, .questions = (long)questions, .share = 1, .heads = 1, .words = 1};
        // Absent in the states of a dense stage that an older program wrote, where they do not count.
        read_mean(root, "share", &position->share);
        read_mean(root, "heads", &position->heads);
        read_mean(root, "words", &position->words);
        for (int l = 0; l < NET_LAYERS; l++)
            position->alive[l] = json_is_number(json_array_get(alive, (size_t)l))
                                     ? json_number_value(json_array_get(alive, (size_t)l))
                                     : 1;
    }
    json_decref(root);
    return ok;
}

// A run that goes on under other settings than it began with would be one that nobody can repeat.
static bool check_settings(const struct tensor_list *file, const struct train_settings *settings, struct error *err)
{
    const char *text = tensor_list_metadata(file, "training");
    struct train_settings before = *settings; // what an older program did not know stays equal
    if (!text || !train_settings_read(&before, text, err))
        return error_set(err, ERROR_INPUT, "it does not say with which settings training began");
    const char *name = train_settings_difference(settings, &before);
    return !name || error_set(err, ERROR_INPUT, "training began with another setting %s; --change goes on all the same",
                              name);
}

static bool check_frozen(const struct tensor_list *file, const struct params *params, struct error *err)
{
    if (params->trained == params->total)
        return true;
    char digest[DIGEST_SIZE];
    const char *found = tensor_list_metadata(file, "frozen");
    frozen_digest(digest, params);
    return (found && !strcmp(found, digest)) ||
           error_set(err, ERROR_INPUT, "it belongs to trimmers of another backbone than that of --init");
}

bool checkpoint_resume(const char *path, const struct train_settings *settings, struct params *params, real *moment1,
                       real *moment2, struct train_position *position, struct error *err)
{
    struct tensor_list *file = safetensors_open(path, err);
    if (!file)
        return error_prefix(err, "cannot resume");
    bool ok = read_position(tensor_list_metadata(file, "progress"), position) ||
              error_set(err, ERROR_INPUT, "it does not say how far training had come");
    ok = ok && (!settings || check_settings(file, settings, err)) && check_frozen(file, params, err) &&
         read_moment(file, "optimizer.moment1", moment1, params->trained, err) &&
         read_moment(file, "optimizer.moment2", moment2, params->trained, err) &&
         params_load(params, file, PARAMS_LOAD_TRAINED, err);
    tensor_list_close(file);
    return ok || error_prefix(err, "cannot resume from %s", path);
}

// Whether the file's metadata `key` is the same JSON as `text`, which is released.
static bool same_json(const struct tensor_list *file, const char *key, char *text)
{
    const char *found = tensor_list_metadata(file, key);
    json_t *a = found ? json_loads(found, 0, NULL) : NULL, *b = text ? json_loads(text, 0, NULL) : NULL;
    bool same = a && b && json_equal(a, b);
    json_decref(a);
    json_decref(b);
    free(text);
    return same;
}

// Whether the file's tokens are the first ones of the world's.
static bool words_come_first(const struct tensor_list *file, const struct language *language)
{
    const char *text = tensor_list_metadata(file, "tokenizer");
    json_t *a = text ? json_loads(text, 0, NULL) : NULL, *b = json_loads(language->tokenizer_json, 0, NULL);
    const json_t *fewer = json_object_get(a, "tokens"), *more = json_object_get(b, "tokens");
    bool first = json_array_size(fewer) > 0 && json_array_size(fewer) <= json_array_size(more);
    for (size_t i = 0; first && i < json_array_size(fewer); i++)
        first = json_equal(json_array_get(fewer, i), json_array_get(more, i));
    json_decref(a);
    json_decref(b);
    return first;
}

bool checkpoint_check_language(const struct tensor_list *file, const struct language *language,
                               const struct world *world, bool grow, struct error *err)
{
    if (!(grow && words_come_first(file, language)) && !same_json(file, "tokenizer", strdup(language->tokenizer_json)))
        return error_set(err, ERROR_INPUT, "the start weights were made with another vocabulary than the world's");
    if (!same_json(file, "answers", answers_json(world)))
        return error_set(err, ERROR_INPUT, "the start weights were made with other answers than the world's");
    return true;
}
