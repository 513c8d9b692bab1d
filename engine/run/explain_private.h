// Inside the explainer: the two runs beside the person's.
#ifndef TRIMSCOPE_RUN_EXPLAIN_PRIVATE_H
#define TRIMSCOPE_RUN_EXPLAIN_PRIVATE_H

#include "engine/run/explain.h"
#include "engine/run/run_private.h"

struct explainer {
    const struct run *run; // the person's
    struct run *rest;      // the person's, run to its end, where it has not been or is held; made when needed
    bool held;
    struct run *lab;       // what is tried on
};

// The run as it is, to its end: the person's own, or `rest`. NULL and *err on failure.
const struct run *explain_base(struct explainer *explainer, struct error *err);

// The lab becomes the base with this list of changes (count 0: none) and is stepped to stage `last`.
bool explain_try(struct explainer *explainer, const struct run *base, const struct intervention list[], int count,
                 int last, struct error *err);

// The first stage where a policy could drop a token of the stream: the first layer that touches it.
int explain_first_layer(const struct run *run, int stream);

// The answer's index, and how far the logit of an answer leads the strongest other one. Of a finished run.
int explain_label(const struct run *run);
double explain_lead(const struct run *run, int label);

bool explain_report(const struct explain_watch *watch, const struct explain_progress *progress, struct error *err);

#endif
