// Which run shall be shown: picture, question, policy and budget, to be asked of a backend and told apart from others.
#ifndef TRIMSCOPE_UI_RUN_WISH_H
#define TRIMSCOPE_UI_RUN_WISH_H

#include "ui/backend.h"

struct run_wish {
    const char *pictures[TRACE_PICTURES]; // paths, borrowed as the others are; NULL: none
    const char *question, *policy;
    double budget; // NaN: as trained
    int changes;   // by hand, told for run_wish_is() alone
};

// What asks for the run of a trace again; borrowed from it.
struct run_wish run_wish_of(const struct trace *trace);

// Asks for the run, without changes by hand. Pictures that the trace `known` (NULL: none) has already are not opened again.
void run_wish_ask(const struct run_wish *wish, const struct trace *known, const struct backend *backend);

// Whether a trace is of that run, as far as it has come.
bool run_wish_is(const struct run_wish *wish, const struct trace *trace);

#endif
