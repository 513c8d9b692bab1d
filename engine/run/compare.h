// Runs of one model beside each other: which patches, words and heads are alive in which of them.
//
// Runs are lettered A, B, C, D in the order given. All have the same stages, because only the model decides those; a run
// that has not come as far as a stage counts with what its last stage left.
#ifndef TRIMSCOPE_RUN_COMPARE_H
#define TRIMSCOPE_RUN_COMPARE_H

#include "engine/run/trace.h"

enum { COMPARE_RUNS = 4, COMPARE_SETS = 1 << COMPARE_RUNS };

struct comparison {
    int count;                         // of runs
    const struct trace *runs[COMPARE_RUNS]; // not owned
};

// Stages that all runs have.
int compare_stages(const struct comparison *comparison);

// In which runs a token (index over the original tokens, 0 is CLS) is alive after a stage: bit r is run r. A token that
// a run does not have (its question is shorter) is not alive in it; a stream that no stage has touched yet is alive.
unsigned compare_alive(const struct comparison *comparison, int stage, int stream, int token);

// How the patches (CLS not counted, both pictures together), or the heads of a stage (all modules together), lie in the
// runs: sets[bits] of them are alive in exactly the runs of `bits`; sets[0] are dropped in all of them.
struct compare_sets {
    int count;               // in a run
    int sets[COMPARE_SETS];
    int alive[COMPARE_RUNS]; // in a run
    int only[COMPARE_RUNS];  // in this run and in no other
    int all;                 // in all of them
};
void compare_patches(const struct comparison *comparison, int stage, struct compare_sets *out);
// Count 0: the stage has no heads, or not all runs have come to it.
void compare_heads(const struct comparison *comparison, int stage, struct compare_sets *out);
unsigned compare_head(const struct comparison *comparison, int stage, int stream, enum attention_module module, int head);

// The token of run `other` that stands for a word of run `run`: the same one where both ask the same, else the one of the
// same name ("the" for "the", the second for the second); -1: the other question does not have it.
int compare_word_in(const struct comparison *comparison, int run, int token, int other);
// In which runs that word is alive; *having: which have it at all.
unsigned compare_word(const struct comparison *comparison, int stage, int run, int token, unsigned *having);
// Words of run 0 that all runs have, and keep up to this stage.
int compare_words_in_all(const struct comparison *comparison, int stage);

// How a person sees one patch, word or head of run `run` beside the others.
enum compare_mark {
    COMPARE_SHARED,    // alive here and in another run
    COMPARE_ONLY,      // alive here alone
    COMPARE_ELSEWHERE, // dropped here, alive in another run
    COMPARE_NOWHERE,   // dropped in all
};
enum compare_mark compare_mark(unsigned alive, int run);

// Everything as JSON: { "trimscope_compare": 1, "runs": [the traces, version 1], "stages": [{ "name", "patches":
// {"count", "alive": [..], "only": [..], "all", "none"}, "heads": {the same}, "words": {"count": [..], "alive": [..]} } ..] }.
// malloc'ed, ends in a newline; NULL: no memory.
char *compare_to_json(const struct comparison *comparison);

#endif
