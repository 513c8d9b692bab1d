#include "engine/learn/checkpoint.h"

#include "engine/io/safetensors.h"
#include "engine/world/world.h"

#include <jansson.h>
#include <stdio.h>
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

static int list_tensors(const struct checkpoint *c, struct tensor_source *sources)
{
    int n = 0;
    for (int i = 0; i < c->params->count; i++) {
        const struct param *param = &c->params->items[i];
        if (param->aux && !c->aux)
            continue;
        struct tensor_source *source = &sources[n++];
        *source = (struct tensor_source){.name = param->info.name,
                                         .stored = c->half ? TENSOR_F16 : TENSOR_F32,
                                         .rank = param->info.rank,
                                         .data = c->params->value + param->offset};
        memcpy(source->shape, param->info.shape, sizeof param->info.shape);
    }
    if (c->moment1) {
        sources[n++] = moment("optimizer.moment1", c->moment1, c->params->total);
        sources[n++] = moment("optimizer.moment2", c->moment2, c->params->total);
    }
    return n;
}

bool checkpoint_write(const struct checkpoint *c, const char *path, struct error *err)
{
    struct tensor_source *sources = calloc((size_t)c->params->count + 2, sizeof *sources);
    char *config = model_config_to_json(c->config), *answers = answers_json(c->world);
    char *words = answer_words_json(c->language), progress[64];
    snprintf(progress, sizeof progress, "{\"step\":%ld,\"questions\":%ld}", c->step, c->questions);
    bool ok = sources && config && answers && words;
    if (!ok) {
        error_no_memory(err, path);
    } else {
        struct metadata_pair metadata[7] = {
            {"config", config},          {"answers", answers},   {"answer_words", words},
            {"tokenizer", c->language->tokenizer_json}, {"training", c->training}, {"progress", progress},
            {"calibration", c->calibration},
        };
        ok = safetensors_write(path, sources, list_tensors(c, sources), metadata, c->calibration ? 7 : 6, err);
    }
    free(sources);
    free(config);
    free(answers);
    free(words);
    return ok;
}

static bool read_moment(const struct safetensors *file, const char *name, real *to, size_t total, struct error *err)
{
    const struct tensor *tensor = safetensors_find(file, name);
    if (!tensor || tensor->elements != total)
        return error_set(err, ERROR_INPUT, "it holds no %s of %zu numbers: not a state that training can go on from",
                         name, total);
    tensor_floats(tensor, to);
    return true;
}

bool checkpoint_resume(const char *path, struct params *params, real *moment1, real *moment2, long *step,
                       long *questions, struct error *err)
{
    struct safetensors *file = safetensors_open(path, err);
    if (!file)
        return false;
    const char *progress = safetensors_metadata(file, "progress");
    bool ok = progress && sscanf(progress, "{\"step\":%ld,\"questions\":%ld}", step, questions) == 2;
    if (!ok)
        error_set(err, ERROR_INPUT, "it does not say how far training had come");
    ok = ok && read_moment(file, "optimizer.moment1", moment1, params->total, err) &&
         read_moment(file, "optimizer.moment2", moment2, params->total, err);
    if (ok && params_load(params, file) != params->count)
        ok = error_set(err, ERROR_INPUT, "its tensors are not those of the model to be trained");
    safetensors_close(file);
    return ok || error_prefix(err, "cannot resume from %s", path);
}
