// What is out of the ordinary about an input, in words: for the screen's note line and for stderr.
#ifndef TRIMSCOPE_APP_NOTES_H
#define TRIMSCOPE_APP_NOTES_H

#include "app/unlike.h"
#include "engine/run/trace.h"

enum { NOTES_MOST = 8 };

// One sentence each, most pressing first: a question without a word that the model knows, or longer than it reads, words
// that it does not know (with the known word one edit away), bytes that are no text, a form in which it was never asked,
// pictures unlike those that it was trained on, or read otherwise than by a published model's own code.
struct notes {
    int count;
    char sentences[NOTES_MOST][UNLIKE_TEXT];
};

// About the question in `trace` and the pictures (as many as the model takes), and what their files were.
void notes_make(struct notes *notes, const struct model *model, const struct trace *trace,
                const struct picture *const pictures[], const struct picture_origin origins[]);

// Whether the model reads no word that it knows in this question: its answer then hangs on the picture alone.
bool notes_reads_nothing(const struct model *model, const char *question);

// Says on stderr those that are not in *said yet, and adds them to it.
void notes_say(struct notes *said, const struct notes *notes);

// The question with every unknown word that has a known one next to it replaced by that. False where there is none, or
// it does not fit.
bool notes_suggest(const struct model *model, const struct trace *trace, char *out, size_t size);

// All of them in one line; "" where there are none.
void notes_join(const struct notes *notes, char *out, size_t size);

#endif
