// What differs between runs, in words.
#ifndef TRIMSCOPE_UI_COMPARE_WORDS_H
#define TRIMSCOPE_UI_COMPARE_WORDS_H

#include "engine/run/compare.h"
#include "engine/run/explain.h"

#include <stddef.h>

// What differs at a stage: "Fusion 3: 12 patches only in A, 7 only in B, 4 in both, 121 in neither. Answers: A 'airplane'
// (53 %), B 'boat' (71 %)." Empty when not all runs have that stage, or there is only one run.
void compare_tell(const struct comparison *comparison, int stage, char *out, size_t size);

// In which runs a place is alive, or computed: bit r is run r. A word is a token of run `run`; *having gets the runs whose
// question has it (all of them for patches and heads).
unsigned compare_alive_at(const struct comparison *comparison, int run, const struct explain_place *place, unsigned *having);
// The same in words: "The patch in row 4, column 9: alive in A, C; dropped in B (fusion 1)."
void compare_tell_place(const struct comparison *comparison, int run, const struct explain_place *place, char *out,
                        size_t size);

// How run `run` differs from the first one, to head its column: its question, policy, budget, picture ... shortest first.
// For the first run: "question, policy, budget" as it is.
void compare_tell_run(const struct comparison *comparison, int run, char *out, size_t size);

// The command line that makes these runs side by side, or the rows of the article's figure, pictures named as short as
// every command finds them from here; `view` tells model and assets. malloc'ed; NULL: no memory.
struct view;
char *compare_write_command(const struct view *view, const struct comparison *comparison, bool figure);

// "learned, budget 50 %" or "learned, as trained".
void compare_tell_policy(const struct trace *trace, char *out, size_t size);

#endif
