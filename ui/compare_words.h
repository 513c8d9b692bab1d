// What differs between runs, in words.
#ifndef TRIMSCOPE_UI_COMPARE_WORDS_H
#define TRIMSCOPE_UI_COMPARE_WORDS_H

#include "engine/run/compare.h"

#include <stddef.h>

// What differs at a stage: "Fusion 3: 12 patches only in A, 7 only in B, 4 in both, 121 in neither. Answers: A 'airplane'
// (53 %), B 'boat' (71 %)." Empty when not all runs have that stage, or there is only one run.
void compare_tell(const struct comparison *comparison, int stage, char *out, size_t size);

// How run `run` differs from the first one, to head its column: its question, policy, budget, picture ... shortest first.
// For the first run: "question, policy, budget" as it is.
void compare_tell_run(const struct comparison *comparison, int run, char *out, size_t size);

// "learned, budget 50 %" or "learned, as trained".
void compare_tell_policy(const struct trace *trace, char *out, size_t size);

#endif
