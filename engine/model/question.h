// What a model's file says of reading questions, and the ids that it makes of them.
#ifndef TRIMSCOPE_MODEL_QUESTION_H
#define TRIMSCOPE_MODEL_QUESTION_H

#include "engine/model/model.h"

struct tensor_list;

// The tokenizer that a weights file carries (NULL where it carries none), which does to a question what the model's own code
// does; the caller frees it. BLIP's token ids in *config become the tokenizer's. False and one sentence where it is unusable.
bool question_tokenizer(struct model_config *config, const struct tensor_list *file, struct tokenizer **tokenizer,
                        struct error *err);

// model_encode_question() without a model.
int question_encode(const struct model_config *config, const struct tokenizer *tokenizer, const char *question,
                    struct token *out);

// Answers as pieces, what goes behind [DEC] (*list: memory_free() its ids). False: no memory.
bool question_answers(const struct tokenizer *tokenizer, const char *const *answers, int count, struct answer_list *list);

// The model's answers, if it has any and they are to be chosen from, as pieces; its tokenizer is there.
bool question_prepare(struct model *model, struct error *err);

#endif
