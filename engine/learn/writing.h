// Answers that BLIP's decoder writes, laid out as its rows: [DEC] and the words before each place go in, the word of that place
// or [SEP] is to come out. Given answers are known; others a full model writes, word by word.
#ifndef TRIMSCOPE_LEARN_WRITING_H
#define TRIMSCOPE_LEARN_WRITING_H

#include "engine/learn/ops.h"
#include "engine/model/beam.h"

enum { WRITING_ANSWERS = 12, WRITING_ROWS = WRITING_ANSWERS * WORDS_ANSWER };

struct writing {
    int answers, start, end; // start, end: ids of [DEC] and [SEP]
    int words[WRITING_ANSWERS][WORDS_ANSWER], count[WRITING_ANSWERS]; // [DEC] first, no [SEP]
    bool given[WRITING_ANSWERS], finished[WRITING_ANSWERS];
    // The rows of all answers without gaps: what goes in, and what is wanted, -1 where nobody knows.
    int ids[WRITING_ROWS], wanted[WRITING_ROWS], first[WRITING_ANSWERS + 1];
};

void writing_start(struct writing *writing, int start, int end);
// One more answer: `count` words without [DEC] and [SEP]; NULL: none was given. writing_fits(): whether so many words can be.
void writing_add(struct writing *writing, const int *words, int count);
static inline bool writing_fits(int words) { return words < WORDS_ANSWER; }

// Makes the rows of what there is so far.
struct rows writing_lay_out(struct writing *writing);

// Whether an answer that was not given has not come to its end.
bool writing_unfinished(const struct writing *writing);
// The likeliest next word of each such answer, from the logits (rows, vocabulary) of the last layout.
void writing_continue(struct writing *writing, const real *logits, int vocabulary);

#endif
