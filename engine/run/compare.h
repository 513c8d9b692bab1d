// Runs of one model beside each other: which patches are alive in which of them.
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

// How the patches (CLS not counted, both pictures together) lie in the runs after a stage: sets[bits] patches are alive
// in exactly the runs of `bits`; sets[0] are dropped in all of them.
struct compare_patches {
    int count;                // patches of a run
    int sets[COMPARE_SETS];
    int alive[COMPARE_RUNS];  // patches alive in a run
    int only[COMPARE_RUNS];   // in this run and in no other
    int all;                  // in all of them
};
void compare_patches(const struct comparison *comparison, int stage, struct compare_patches *out);

// How a person sees one patch of run `run` beside the others.
enum compare_mark {
    COMPARE_SHARED,    // alive here and in another run
    COMPARE_ONLY,      // alive here alone
    COMPARE_ELSEWHERE, // dropped here, alive in another run
    COMPARE_NOWHERE,   // dropped in all
};
enum compare_mark compare_mark(unsigned alive, int run);

// Everything as JSON: { "trimscope_compare": 1, "runs": [the traces, version 1], "stages": [{ "name", "patches":
// {"count", "alive": [..], "only": [..], "all", "none"} } ..] }. malloc'ed, ends in a newline; NULL: no memory.
char *compare_to_json(const struct comparison *comparison);

#endif
