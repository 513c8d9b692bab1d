// Sentences about why: what a place, a change by hand, an effect and a set are called. For the screen and for
// `trimscope why`; whole sentences in the person's language.
#ifndef TRIMSCOPE_UI_WHY_WORDS_H
#define TRIMSCOPE_UI_WHY_WORDS_H

#include "engine/run/explain.h"

#include <stddef.h>

enum { WHY_TEXT = 240, WHY_STAGE = 64 };

// "the patch in row 4, column 9", "the word 'heart'", "head 2 of the words' cross-attention in fusion 3".
void why_name_place(const struct trace *trace, const struct explain_place *place, char *out, size_t size);
void why_name_change(const struct trace *trace, const struct intervention *change, char *out, size_t size);

// How a stage is called in the person's language, by its index: written into `out`, which is returned; "?" where the trace
// does not have it yet.
const char *why_stage_name(const struct trace *trace, int stage, char out[WHY_STAGE]);

// "If it had stayed: 'airplane' 53.0 % → 'boat' 61.2 %; +1.2 MFLOP."
// A token that falls later than where its score was given (the verdict): "If it had stayed in fusion 3: ...".
void why_tell_effect(const struct trace *trace, const struct explain_verdict *verdict, const struct explain_effect *effect,
                     enum intervention_kind kind, char *out, size_t size);

// Whether the verdict's score kept the token, and a later stage drops it.
bool why_falls_later(const struct explain_verdict *verdict);

// What a search found, without its members.
void why_tell_set(const struct explain_set *set, char *out, size_t size);

// What a search is doing, and how long that part of it will still take, where that can be told.
struct why_pace {
    enum explain_phase phase; // what the clock was started for
    int total;
    double started; // clock_seconds(); 0: not yet
};
void why_tell_progress(const struct explain_progress *progress, struct why_pace *pace, double now, char *out,
                       size_t size);

#endif
