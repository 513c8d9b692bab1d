// What the files of vocabulary*.c share; nobody else includes it.
#ifndef TRIMSCOPE_TEXT_VOCABULARY_PRIVATE_H
#define TRIMSCOPE_TEXT_VOCABULARY_PRIVATE_H

#include "engine/text/text_file.h"
#include "engine/text/vocabulary.h"

#include <jansson.h>

// What a vocabulary file can be: the name that it is published under.
#define VOCABULARY_PARTS(X)                                                                                    \
    X(VOCAB_JSON, "vocab.json")         /* token -> RoBERTa's id */                                            \
    X(MERGES, "merges.txt")             /* pairs by rank; fairseq calls the same file vocab.bpe */             \
    X(ENCODER, "encoder.json")          /* token -> GPT-2's id */                                              \
    X(DICT, "dict.txt")                 /* GPT-2's ids in the order of RoBERTa's */                            \
    X(VOCAB_TXT, "vocab.txt")           /* BERT's tokens in the order of ids */                                \
    X(TOKENIZER_JSON, "tokenizer.json") /* everything in one */
#define VOCABULARY_PART_ENUM(id, name) PART_##id,
enum vocabulary_part { VOCABULARY_PARTS(VOCABULARY_PART_ENUM) PART_COUNT };
#undef VOCABULARY_PART_ENUM

struct vocabulary_file {
    char *path; // NULL: not given
    struct text_file text;
    json_t *json; // NULL where it is no JSON
};

struct vocabulary_files {
    struct vocabulary_file parts[PART_COUNT];
};

// Each makes the object that tokenizer_from_json() reads; NULL and *err where a part is missing or wrong.
json_t *vocabulary_build_roberta(struct vocabulary_files *files, struct error *err);
json_t *vocabulary_build_bert(struct vocabulary_files *files, struct error *err);

#endif
