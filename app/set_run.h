// A question set opened together with a model, for evaluating it under one policy and budget or several, with its results
// kept in a file as it goes.
#ifndef TRIMSCOPE_APP_SET_RUN_H
#define TRIMSCOPE_APP_SET_RUN_H

#include "engine/run/results.h"

struct set_run_options {
    const char *model, *set; // files; model NULL: the bundled one
    const char *answers;     // of the model (struct model_options); NULL: its own
    struct model *opened;    // that model, opened already (it stays its owner's); NULL: open it
    int limit;               // of the questions, 0: all
    int shard, shards;       // from 1 on; 1 of 1 is the whole
    bool keeps;              // results will be kept in files
};

struct set_run {
    struct model *model;
    bool borrowed; // the model
    struct question_set set;
    struct results_header header; // where results are kept
    struct evaluation *results;   // set.count, of the present point
    int shard, shards;
};

bool set_run_open(struct set_run *run, const struct set_run_options *options, struct error *err);
void set_run_close(struct set_run *run);

// One policy and budget. What a results file holds already is not asked again.
struct set_run_point {
    struct run_options options;
    const char *file; // NULL: results are not kept
    void (*started)(void *context, int done); // so many were in the file; may be NULL
    bool (*progress)(void *context, int done, int total);
    // A question has been answered (or was in the file); may be NULL. From any thread but never from two at once.
    void (*answered)(void *context, int index, const struct evaluation *result);
    void *context;
    bool torn; // set here: the file ended in a torn line
};
// False with ERROR_CANCELLED when it was stopped; run->results holds what has been answered.
bool set_run_evaluate(struct set_run *run, struct set_run_point *point, struct error *err);

#endif
