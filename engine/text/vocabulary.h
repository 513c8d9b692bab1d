// From the vocabulary files that come with a published model to the metadata `tokenizer` of a weights file.
#ifndef TRIMSCOPE_TEXT_VOCABULARY_H
#define TRIMSCOPE_TEXT_VOCABULARY_H

#include "engine/base/error.h"

// RoBERTa (METER): vocab.json and merges.txt; or encoder.json, vocab.bpe and fairseq's dict.txt; or tokenizer.json.
// BERT (BLIP): vocab.txt or tokenizer.json; [DEC] and [ENC] are added at its end where they are missing.
enum vocabulary_kind { VOCABULARY_ROBERTA, VOCABULARY_BERT };

// Reads files, or folders in which the files have the names above, in any order, at least one; what a file is, is told
// from what is in it. Returns the JSON that tokenizer_from_json() takes (it has been tried), for free(). NULL and one
// sentence in *err that names the file and the line, or says which file is missing and where it comes from.
char *vocabulary_read(enum vocabulary_kind kind, const char *const paths[], int count, struct error *err);

// Whether a folder holds any file by one of those names.
bool vocabulary_in_folder(enum vocabulary_kind kind, const char *folder);

#endif
