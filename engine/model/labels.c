#include "engine/model/labels.h"

#include "engine/io/tensors.h"
#include "engine/text/answers.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_LIMIT = 1 << 20 };

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

// The answers of another file as the metadata would have them, malloc'ed; NULL and *err.
static char *read_instead(struct model *model, const char *path, struct error *err)
{
    bool chooses = model_writes(&model->config) && model->config.task == TASK_VQA;
    model->answers_file = memory_alloc(strlen(path) + 1, 1);
    if (!model->answers_file) {
        error_no_memory(err, "the answers");
        return NULL;
    }
    strcpy(model->answers_file, path);
    if (chooses || model->config.labels > 0)
        return answers_read(path, chooses ? 0 : model->config.labels, NULL, err);
    error_set(err, ERROR_USAGE, "a model of the task %s has no answers to choose from, so that %s is of no use",
              model_task_name(model->config.task), path);
    return NULL;
}

// vlm_spec §3.5, §4.7
const char *labels_published(const struct model_config *c)
{
    if (c->task == TASK_NLVR2 && c->labels == 2)
        return "[\"False\", \"True\"]";
    if (c->task == TASK_SNLI && c->labels == 3)
        return "[\"contradiction\", \"neutral\", \"entailment\"]";
    return c->task == TASK_RETRIEVAL && c->labels == 2 ? "[\"no match\", \"match\"]" : NULL;
}

bool labels_read(struct model *model, const struct tensor_list *file, const char *instead, struct error *err)
{
    bool second = model_is_second_task(&model->config); // the file's answers are the first task's
    char *other = instead ? read_instead(model, instead, err) : NULL;
    const char *text = instead ? other : second ? NULL : tensor_list_metadata(file, "answers");
    if (instead && !other)
        return false;
    if (!text)
        text = labels_published(&model->config);
    if (!text)
        return true;
    json_t *list = read_list(model, text, "answers", err);
    bool ok = list && copy_answers(model, list, err);
    json_decref(list);
    free(other);
    return ok;
}

// The word vectors of the answers are the weights of one more linear layer (names.md, "answer_words").
bool labels_read_words(struct model *model, const struct tensor_list *file, struct error *err)
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

const char *model_answer(const struct model *model, int label, char *buffer, int size)
{
    if (model->answers && label >= 0 && label < model->config.labels)
        return model->answers[label];
    snprintf(buffer, (size_t)size, "answer %d", label);
    return buffer;
}
