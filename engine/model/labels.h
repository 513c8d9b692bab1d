// What a weights file's metadata says about its answers (engine/model/names.md).
#ifndef TRIMSCOPE_MODEL_LABELS_H
#define TRIMSCOPE_MODEL_LABELS_H

#include "engine/model/model.h"

struct tensor_list;

// model->answers from metadata `answers`, or what the labels of a published head mean; left NULL where neither says.
// How many there are sets config.labels of a model that chooses from a list. `instead`: file to read them from, NULL: none.
bool labels_read(struct model *model, const struct tensor_list *file, const char *instead, struct error *err);

// What the labels of a published head mean, as a JSON list; NULL: nothing is known of them.
const char *labels_published(const struct model_config *config);

// model->answer_words from metadata `answer_words` and the word table; nothing where the model has none.
bool labels_read_words(struct model *model, const struct tensor_list *file, struct error *err);

#endif
