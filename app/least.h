// How far down a policy can go in a model, said wherever a budget is asked for.
#ifndef TRIMSCOPE_APP_LEAST_H
#define TRIMSCOPE_APP_LEAST_H

#include "engine/model/model.h"
#include "engine/prune/policy.h"

struct run_options;
struct trace;

// The least share of the dense multiply-adds that the policy of a trace can spend on its question; NaN: it cannot be told.
double least_of_trace(const struct model *model, const struct trace *trace);

// The same of the options of a run and a question.
double least_of_question(const struct model *model, const struct run_options *options, const char *question);

// A line on stdout that says so; nothing where it cannot be told, or nothing is pruned.
void least_print(enum policy policy, double least);

#endif
