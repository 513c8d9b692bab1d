// Inside the explainer: the runs beside the person's.
#ifndef TRIMSCOPE_RUN_EXPLAIN_PRIVATE_H
#define TRIMSCOPE_RUN_EXPLAIN_PRIVATE_H

#include "engine/run/explain.h"
#include "engine/run/run_private.h"

// One of several runs that are tried at the same time, each on a thread of its own.
struct explain_bench {
    struct run *run;
    struct intervention *list; // what is tried
    int count, capacity;
    bool done; // it was run to its end; else err says why not
    struct error err;
};

struct explainer {
    const struct run *run; // the person's
    struct run *rest;      // the person's, run to its end, where it has not been or is held; made when needed
    bool held;
    struct run *lab;       // what is tried on
    struct explain_bench *benches; // made when first needed, as many as there are threads
    int bench_count;
};

// The run as it is, to its end: the person's own, or `rest`. NULL and *err on failure.
const struct run *explain_base(struct explainer *explainer, struct error *err);

// The lab becomes the base with this list of changes (count 0: none) and is stepped to stage `last`.
bool explain_try(struct explainer *explainer, const struct run *base, const struct intervention list[], int count,
                 int last, struct error *err);

// How many runs can be tried at the same time, at least 1; their benches are there then. 0 and *err: no memory.
int explain_benches(struct explainer *explainer, struct error *err);
// Sets the list of bench `index`: these changes and one more behind them.
bool explain_set_bench(struct explainer *explainer, int index, const struct intervention list[], int count,
                       const struct intervention *last, struct error *err);
// Runs the first `count` benches to the end, as explain_try() does the lab.
void explain_try_benches(struct explainer *explainer, const struct run *base, int count);

// The first stage where a policy could drop a token of the stream: the first layer that touches it.
int explain_first_layer(const struct run *run, int stream);

// The answer's index, and how far the logit of an answer leads the strongest other one. Of a finished run.
int explain_label(const struct run *run);
double explain_lead(const struct run *run, int label);

bool explain_report(const struct explain_watch *watch, const struct explain_progress *progress, struct error *err);

#endif
