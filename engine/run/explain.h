// Why a token or a head was kept or dropped, what would have been otherwise, and what the answer hangs on. Everything is
// measured on runs of the model itself; the run that is asked about is never changed.
#ifndef TRIMSCOPE_RUN_EXPLAIN_H
#define TRIMSCOPE_RUN_EXPLAIN_H

#include "engine/base/error.h"
#include "engine/run/trace.h"

#include <stdbool.h>

struct run;

// A patch, a word or a head, seen from a stage.
struct explain_place {
    bool is_head;
    int stage, stream;
    int token;                    // tokens: index over the original ones
    enum attention_module module; // heads
    int head;
};

// How far a long work is. Returning false stops it.
enum explain_phase { EXPLAIN_PULLING, EXPLAIN_TRYING, EXPLAIN_GROWING, EXPLAIN_SHRINKING, EXPLAIN_PHASES };
struct explain_progress {
    enum explain_phase phase;
    int done, total; // of the runs of this phase
    int runs;        // so far in all
    int members;     // of the set found so far
};
struct explain_watch {
    bool (*progress)(void *context, const struct explain_progress *progress); // after each run; NULL: nobody watches
    void *context;
};

// The exact decomposition of a decision. Numbers that there are none of are NaN. A head's score is linear in what it was
// given, so that it splits, too: into what the own CLS gives (with the constant) and, in cross-attention, the other's.
struct explain_verdict {
    struct explain_place place;
    int stage;    // where the score was given: the last one up to the place's stage, else the first after it; -1: nowhere
    int died;     // the stage where the token was dropped (the whole run counts), or where the head was left out; -1: it lives
    int acts;     // where the opposite decision would act (explain_opposite())
    int forced;   // by the person, in any stage: 1 to stay, -1 to go, 0 not
    bool by_hand; // in `stage`: the person decided there, whatever the score
    bool kept;    // in `stage`
    float self, cross, score, threshold, keep;
    int rank, of, survivors; // 1 is the best of those scored there (CLS does not count); how many of them were kept
    int nearest;             // the survivor of `stage` most like the token, -1: none
    float likeness;          // cosine of their states as the trimmer of that stage read them
    float likeness_mean;     // the same, mean over all survivors
};

// One word, or one block of a picture, and what leaving it out does to the score: given minus without, so that positive
// pulls towards staying.
struct explain_pull {
    int stream, token;                         // words: the token; blocks: -1
    int row, column, rows, columns;            // blocks of patches, in the grid
    float self, cross, score;
    bool decides;                              // without it the decision would be the other one; never where it was made by hand
};
enum { EXPLAIN_PULLS = 96 }; // a question has fewer words; more than these are left out
struct explain_pulls {
    int count;
    struct explain_pull list[EXPLAIN_PULLS]; // in reading order
    bool words;                              // of the question; otherwise blocks of the picture
};

// What a change would do to the answer and its price.
struct explain_effect {
    struct trace_answer before, after;
    float before_then; // probability of the answer before, after
    double spent_before, spent_after; // multiply-adds
    bool flips;
};

struct explainer;
// For this run alone, which must outlive it. NULL and *err when there is no memory. Not to be used while another thread
// uses the run.
struct explainer *explain_new(const struct run *run, struct error *err);
void explain_free(struct explainer *explainer);
// Takes the run as it is now (stepped to its end beside it): what follows is about that, whatever becomes of the run
// meanwhile. To be called again for the run as it is then.
bool explain_hold(struct explainer *explainer, struct error *err);

// False and one sentence when there is no such token, head or stage.
bool explain_place_check(const struct run *run, const struct explain_place *place, struct error *err);

bool explain_verdict(struct explainer *explainer, const struct explain_place *place, struct explain_verdict *verdict,
                     struct error *err);

// Exact counterfactuals, leave one out: the same run with this word (or this block of patches; the token itself is not
// among them) away from the first layer of its encoder on, and the change of the score in verdict->stage. Those of the
// other modality, where the score can hang on it; or the own one's: other words, and of the picture only where nothing
// else could pull. No pulls where there is nothing to be told. False also when stopped: ERROR_CANCELLED.
enum explain_side { EXPLAIN_OTHER, EXPLAIN_OWN };
bool explain_pulls(struct explainer *explainer, const struct explain_verdict *verdict, enum explain_side side,
                   const struct explain_watch *watch, struct explain_pulls *pulls, struct error *err);

// The opposite of what happened to it: to stay where it was dropped; to go in the place's stage (or the
// next or, at the end, the last one that touches its stream), where it lives. False for CLS.
bool explain_opposite(const struct explain_verdict *verdict, struct intervention *change);

// Runs with this change (as run_intervene_all() makes it) beside the run as it is.
bool explain_what_if(struct explainer *explainer, const struct intervention list[], int count,
                     struct explain_effect *effect, struct error *err);

// ---- what must come back, and what must not be lost

enum explain_search { EXPLAIN_RESTORE, EXPLAIN_BREAK };
enum explain_over { EXPLAIN_PATCHES = 1, EXPLAIN_WORDS = 2, EXPLAIN_HEADS = 4, EXPLAIN_ALL = 7 };

enum explain_outcome {
    EXPLAIN_FOUND,
    EXPLAIN_SAME,    // restore: the answer is the unpruned model's already
    EXPLAIN_NOTHING, // no set of these kinds does it
};
struct explain_set {
    enum explain_search search;
    enum explain_outcome outcome;
    struct intervention *members; // in the order found; apply with run_intervene_all(). malloc'ed
    int count;
    bool minimal; // each member was left out once more, and without it the answer is not there; false: stopped before
    struct trace_answer before, after, unpruned;
    double spent_before, spent_after; // multiply-adds
    int candidates, runs;
};
void explain_set_free(struct explain_set *set);

// RESTORE: a set of dropped tokens and heads whose return gives the unpruned model's answer (policy none). BREAK: a set
// of living ones whose loss (tokens: from the first layer of their encoder on) changes the present answer. Greedy by
// the lead of the wanted answer over the strongest other one, candidates nearest to their threshold first; then shrunk
// until nothing can be left out. Deterministic. Stopped by the watch: ERROR_CANCELLED, unless a set had been found,
// which is returned with minimal == false. The caller frees *set whatever is returned.
bool explain_find_set(struct explainer *explainer, enum explain_search search, unsigned over,
                      const struct explain_watch *watch, struct explain_set *set, struct error *err);

#endif
