// A question set through one model under one policy.
#ifndef TRIMSCOPE_RUN_EVALUATE_H
#define TRIMSCOPE_RUN_EVALUATE_H

#include "engine/base/watch.h"
#include "engine/io/question_set.h"
#include "engine/run/run.h"

// One question's result.
struct evaluation {
    bool done, correct;
    char answer[TRACE_ANSWER];
    float p;                 // of the answer
    double share, spent, ms; // executed / dense multiply-adds; executed; milliseconds of all stages
    // Patches after the last fusion layer. A patch shows an object of which it holds more than a quarter of its own
    // area; `other`: patches that show other objects and nothing of a needed one.
    int needed, needed_alive, other, other_alive;
    int objects; // that the question needs, 0 where the set names none
};

// How a set is evaluated. The two functions (either may be NULL) are called from any thread, but never from two at once.
struct evaluate_request {
    const struct run_options *run; // its pool spreads pictures over its threads; its stop ends it within a question
    int shard, shards;             // ask only about every `shards`-th picture from the `shard`-th (0 is the first) on;
                                   // 0 shards: about all
    // After each picture; `done` of `total`, both of this shard, what had been done before included. False: stop.
    bool (*progress)(void *context, int done, int total);
    // After each question, with the trace that it left. False and *err: stop, and that is why.
    bool (*answered)(void *context, int index, const struct evaluation *result, const struct trace *trace,
                     struct error *err);
    void *context;
};

// results[set->count]: what is done there already stays and is not asked again. Questions about one picture that follow
// each other share its embedding. False with ERROR_CANCELLED when it was stopped: results[].done tells which questions have
// been answered.
bool evaluate_run(const struct model *model, const struct question_set *set, const struct evaluate_request *request,
                  struct evaluation *results, struct error *err);

// How many questions this shard asks: pictures are dealt out one by one.
int evaluate_shard_size(const struct question_set *set, int shard, int shards);

// The whole set from its start: results[] need not have been filled.
typedef bool evaluate_progress(void *context, int done, int total);
bool evaluate_set(const struct model *model, const struct question_set *set, const struct run_options *options,
                  evaluate_progress *progress, void *context, struct evaluation *results, struct error *err);

// The same, and `visit` (may be NULL) sees the trace of each question when it has been answered: from any thread but never
// from two at once. Without options->bare the trace is whole.
typedef void evaluate_visit(void *context, int index, const struct trace *trace);
bool evaluate_traces(const struct model *model, const struct question_set *set, const struct run_options *options,
                     evaluate_progress *progress, evaluate_visit *visit, void *context, struct evaluation *results,
                     struct error *err);

// What a set of results says, with 95 % intervals (percentiles of 1000 bootstrap samples over pictures, since questions
// about one picture are not independent). Numbers that cannot be known are NaN.
struct estimate {
    double value, low, high;
};
enum { EVALUATE_NEEDS = 6 };
struct evaluation_summary {
    int questions, correct;
    struct estimate accuracy, share, lift; // lift: share of needed patches alive / share of other patches alive,
                                           // pooled over the questions that have both
    double needed_alive, other_alive;      // those two shares
    double ms, spent;                      // means
    double quantiles[5];                   // of the single shares: least, 5 %, median, 95 %, most
    struct {
        int questions, correct;
        double share;         // mean
    } needs[EVALUATE_NEEDS]; // by the objects that a question needs: none, 1, 2, .., as many and more
};
// Of the questions whose type is `type` (NULL: of all). `watch` may be NULL.
bool evaluate_summarize(const struct question_set *set, const struct evaluation *results, const char *type,
                        const struct watch *watch, struct evaluation_summary *summary, struct error *err);

#endif
