// A question set through one model under one policy.
#ifndef TRIMSCOPE_RUN_EVALUATE_H
#define TRIMSCOPE_RUN_EVALUATE_H

#include "engine/base/error.h"
#include "engine/run/question_set.h"
#include "engine/run/run.h"

// One question's result.
struct evaluation {
    bool done, correct;
    double share, spent, ms; // executed / dense multiply-adds; executed; milliseconds of all stages
    // Patches after the last fusion layer. A patch shows an object of which it holds more than a quarter of its own
    // area; `other`: patches that show other objects and nothing of a needed one.
    int needed, needed_alive, other, other_alive;
};

// Called after each picture, from any thread but never from two at once; returns false to stop.
typedef bool evaluate_progress(void *context, int done, int total);

// results[set->count]. Questions about one picture that follow each other share its embedding. options->pool spreads
// pictures over its threads. False with ERROR_CANCELLED when `progress` (may be NULL) said so: results[].done tells which
// questions have been answered.
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
struct evaluation_summary {
    int questions, correct;
    struct estimate accuracy, share, lift; // lift: share of needed patches alive / share of other patches alive,
                                           // pooled over the questions that have both
    double needed_alive, other_alive;      // those two shares
    double ms, spent;                      // means
    double quantiles[5];                   // of the single shares: least, 10 %, median, 90 %, most
};
// Of the questions whose type is `type` (NULL: of all).
bool evaluate_summarize(const struct question_set *set, const struct evaluation *results, const char *type,
                        struct evaluation_summary *summary, struct error *err);

#endif
