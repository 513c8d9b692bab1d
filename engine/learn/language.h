// What training needs to know of the world's language: token ids, answers, and which answers are words.
#ifndef TRIMSCOPE_LEARN_LANGUAGE_H
#define TRIMSCOPE_LEARN_LANGUAGE_H

#include "engine/base/error.h"

struct tokenizer;
struct world;

struct language {
    char *tokenizer_json; // malloc'ed; goes into the weights file
    struct tokenizer *tokenizer;
    int vocabulary, answers, kinds, colors;
    int *answer_words; // answers: token id, -1 where the answer is no single known word
    int *kind_words;   // kinds: token id
};

bool language_init(struct language *language, const struct world *world, struct error *err);
void language_free(struct language *language);

#endif
