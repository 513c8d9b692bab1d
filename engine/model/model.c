#include "engine/model/model.h"

#include "engine/io/safetensors.h"
#include "engine/model/parameters.h"
#include "engine/model/weights.h"
#include "engine/text/tokenizer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_LIMIT = 1 << 20 };

static char *copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_alloc(size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

// A JSON list of exactly `labels` values from the metadata; NULL and *err where it is anything else.
static json_t *read_list(struct model *model, const char *text, const char *what, struct error *err)
{
    json_error_t where;
    json_t *list = json_loads(text, 0, &where);
    // A model that writes has no classifier: the list alone says how many answers there are to choose from.
    if (json_is_array(list) && model_writes(&model->config) && json_array_size(list) <= LABEL_LIMIT)
        model->config.labels = (int)json_array_size(list);
    if (!json_is_array(list)) {
        error_set(err, ERROR_INPUT, "the metadata %s is not a JSON list", what);
    } else if (json_array_size(list) != (size_t)model->config.labels) {
        error_set(err, ERROR_INPUT, "the metadata %s has %zu entries; the answer head has %d outputs", what,
                  json_array_size(list), model->config.labels);
    } else {
        return list;
    }
    json_decref(list);
    return NULL;
}

static bool copy_answers(struct model *model, const json_t *list, struct error *err)
{
    size_t count = json_array_size(list), bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const char *answer = json_string_value(json_array_get(list, i));
        if (!answer)
            return error_set(err, ERROR_INPUT, "answer %zu in the metadata answers is not a string", i);
        bytes += strlen(answer) + 1;
    }
    char *to = memory_alloc(bytes, 1);
    model->strings = to;
    model->answers = memory_alloc(count, sizeof *model->answers);
    if (!to || !model->answers)
        return error_no_memory(err, "the answers");
    for (size_t i = 0; i < count; i++) {
        model->answers[i] = to;
        to = stpcpy(to, json_string_value(json_array_get(list, i))) + 1;
    }
    return true;
}

static bool read_answers(struct model *model, const struct tensor_list *file, struct error *err)
{
    const char *text = tensor_list_metadata(file, "answers");
    // What the labels of the published two- and three-way heads mean (vlm_spec §3.5).
    if (!text && model->config.task == TASK_NLVR2 && model->config.labels == 2)
        text = "[\"False\", \"True\"]";
    if (!text && model->config.task == TASK_SNLI && model->config.labels == 3)
        text = "[\"contradiction\", \"neutral\", \"entailment\"]";
    if (!text && model->config.task == TASK_RETRIEVAL && model->config.labels == 2)
        text = "[\"no match\", \"match\"]";
    if (!text)
        return true;
    json_t *list = read_list(model, text, "answers", err);
    bool ok = list && copy_answers(model, list, err);
    json_decref(list);
    return ok;
}

// The word vectors of the answers as the weights of one more linear layer (names.md, "answer_words").
static bool read_answer_words(struct model *model, const struct tensor_list *file, struct error *err)
{
    const char *text = tensor_list_metadata(file, "answer_words");
    int width = model->config.width, labels = model->config.labels;
    if (!model->config.answer_words)
        return true;
    if (!text)
        return error_set(err, ERROR_INPUT, "the model has answer_words, but no metadata answer_words with their tokens");
    json_t *list = read_list(model, text, "answer_words", err);
    if (!list)
        return false;
    float *rows = memory_alloc((size_t)labels * (size_t)width, sizeof(float));
    bool ok = rows || error_no_memory(err, "the answer words");
    for (int a = 0; ok && a < labels; a++) {
        const json_t *item = json_array_get(list, (size_t)a);
        json_int_t id = json_is_integer(item) ? json_integer_value(item) : -2;
        if (id < -1 || id >= model->config.vocabulary)
            ok = error_set(err, ERROR_INPUT,
                           "entry %d of the metadata answer_words is no token id; expected -1 to %d", a,
                           model->config.vocabulary - 1);
        else if (id >= 0)
            memcpy(rows + (size_t)a * (size_t)width, model->embedding.words + (size_t)id * (size_t)width,
                   (size_t)width * sizeof(float));
    }
    if (ok && !linear_init(&model->answer_words, rows, NULL, labels, width, 0, 0))
        ok = error_no_memory(err, "the answer words");
    memory_free(rows);
    json_decref(list);
    return ok;
}

static bool read_tokenizer(struct model *model, const struct tensor_list *file, struct error *err)
{
    const char *text = tensor_list_metadata(file, "tokenizer");
    if (!text)
        return true;
    model->tokenizer = tokenizer_from_json(text, err);
    if (!model->tokenizer)
        return error_prefix(err, "metadata tokenizer");
    if (tokenizer_size(model->tokenizer) > model->config.vocabulary)
        return error_set(err, ERROR_INPUT, "the tokenizer has %d tokens, but the word table only %d rows",
                         tokenizer_size(model->tokenizer), model->config.vocabulary);
    return true;
}

static bool read_model(struct model *model, const struct tensor_list *file, const struct model_options *options,
                       struct error *err)
{
    if (!model_config_read(&model->config, file, err))
        return false;
    if (options && options->image_size) {
        model->config.image_size = options->image_size;
        if (!model_config_check(&model->config, err))
            return false;
    }
    model->parameters = (double)model_parameter_count(&model->config);
    const char *calibration = tensor_list_metadata(file, "calibration");
    if (calibration && !(model->calibration = copy_string(calibration)))
        return error_no_memory(err, "the calibration");
    const char *familiarity = tensor_list_metadata(file, "familiarity");
    if (familiarity && !(model->familiarity = copy_string(familiarity)))
        return error_no_memory(err, "the familiarity");
    return weights_load(model, file, err) && read_answers(model, file, err) && read_answer_words(model, file, err) &&
           read_tokenizer(model, file, err);
}

struct model *model_open(const char *path, const struct model_options *options, struct error *err)
{
    struct tensor_list *file = safetensors_open(path, err);
    if (!file)
        return NULL;
    struct model *model = memory_alloc(1, sizeof *model);
    if (!model) {
        error_no_memory(err, "the model");
    } else if (!read_model(model, file, options, err)) {
        error_prefix(err, "%s", path);
        model_free(model);
        model = NULL;
    }
    tensor_list_close(file);
    return model;
}

static void free_attention(struct attention_weights *attention)
{
    linear_free(&attention->in);
    linear_free(&attention->memory);
    linear_free(&attention->out);
}

static void free_layer(struct layer *layer)
{
    free_attention(&layer->msa);
    free_attention(&layer->mca);
    free_attention(&layer->twin);
    linear_free(&layer->merge);
    linear_free(&layer->ffn.up);
    linear_free(&layer->ffn.down);
}

static void free_trimmer(struct trimmer *trimmer)
{
    linear_free(&trimmer->token.self);
    linear_free(&trimmer->token.out);
    linear_free(&trimmer->token.query);
    linear_free(&trimmer->token.key);
    linear_free(&trimmer->msa.out);
    linear_free(&trimmer->mca.out);
}

void model_free(struct model *model)
{
    if (!model)
        return;
    for (int l = 0; l < MODEL_LAYERS; l++) {
        free_layer(&model->image[l]);
        free_layer(&model->text[l]);
        free_layer(&model->decoder[l]);
        for (int s = 0; s < FUSION_STREAMS; s++)
            free_layer(&model->fusion[s][l]);
        for (int s = 0; s < STACK_COUNT; s++)
            free_trimmer(&model->trimmers[s][l]);
        linear_free(&model->stem.blocks[l].fc1);
        linear_free(&model->stem.blocks[l].fc2);
    }
    for (int i = 0; i < 3; i++)
        linear_free(&model->stem.conv[i]);
    for (int i = 0; i < 2; i++) {
        linear_free(&model->transform[i]);
        linear_free(&model->pooler[i]);
        linear_free(&model->head[i]);
        linear_free(&model->projection[i]);
    }
    linear_free(&model->word_transform);
    linear_free(&model->word_head);
    linear_free(&model->head_words);
    linear_free(&model->answer_words);
    tokenizer_free(model->tokenizer);
    memory_free(model->calibration);
    memory_free(model->familiarity);
    memory_free(model->answers);
    memory_free(model->strings);
    arena_free(&model->tables);
    memory_free(model);
}

const char *model_answer(const struct model *model, int label, char *buffer, int size)
{
    if (model->answers && label >= 0 && label < model->config.labels)
        return model->answers[label];
    snprintf(buffer, (size_t)size, "answer %d", label);
    return buffer;
}
