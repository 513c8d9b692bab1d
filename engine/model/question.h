// What a model's tokenizer is prepared for when it is opened.
#ifndef TRIMSCOPE_MODEL_QUESTION_H
#define TRIMSCOPE_MODEL_QUESTION_H

#include "engine/model/model.h"

// The tokenizer is there, and the answers are, if there are any: sets BLIP's token ids, and splits its answers
// into pieces.
bool question_prepare(struct model *model, struct error *err);

#endif
