// Answers that BLIP's decoder writes, laid out as its rows: [DEC] (of a caption the last token of its beginning) and the words
// before each place go in, the word of that place or [SEP] is to come out. Given answers are known; others a full model writes,
// word by word.
#ifndef TRIMSCOPE_LEARN_WRITING_H
#define TRIMSCOPE_LEARN_WRITING_H

#include "engine/learn/ops.h"
#include "engine/model/beam.h"

enum { WRITING_ANSWERS = 12, WRITING_WORDS = BEAM_LENGTH, WRITING_ROWS = WRITING_ANSWERS * WRITING_WORDS };

struct writing {
    int answers, end; // end: id of [SEP]
    int words[WRITING_ANSWERS][WRITING_WORDS], count[WRITING_ANSWERS], most[WRITING_ANSWERS]; // without [SEP]
    bool given[WRITING_ANSWERS], finished[WRITING_ANSWERS];
    // The rows of all answers without gaps: what goes in, and what is wanted, -1 where nobody knows.
    int ids[WRITING_ROWS], wanted[WRITING_ROWS], first[WRITING_ANSWERS + 1];
};

void writing_start(struct writing *writing, int end);
// One more answer, of `most` rows at most (WRITING_WORDS): the first one's id, and `count` words without [SEP], fewer than `most`;
// words NULL: none were given.
void writing_add(struct writing *writing, int first, int most, const int *words, int count);

// Makes the rows of what there is so far.
struct rows writing_lay_out(struct writing *writing);

// Whether an answer that was not given has not come to its end.
bool writing_unfinished(const struct writing *writing);
// The likeliest next word of each such answer, from the logits (rows, vocabulary) of the last layout.
void writing_continue(struct writing *writing, const real *logits, int vocabulary);

#endif
