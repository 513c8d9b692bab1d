#include "ui/run_wish.h"

#include <math.h>
#include <string.h>

struct run_wish run_wish_of(const struct trace *trace)
{
    struct run_wish wish = {.question = trace->question, .policy = trace->policy, .budget = trace->budget,
                            .changes = trace->intervention_count};
    for (int p = 0; p < trace->picture_count; p++)
        wish.pictures[p] = trace->pictures[p].path;
    return wish;
}

static bool same_text(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

void run_wish_ask(const struct run_wish *wish, const struct trace *known, const struct backend *backend)
{
    backend->set_policy(backend->context, wish->policy, wish->budget);
    for (int p = 0; p < TRACE_PICTURES && wish->pictures[p]; p++)
        if (!known || p >= known->picture_count || !same_text(wish->pictures[p], known->pictures[p].path))
            backend->open_picture(backend->context, p, wish->pictures[p], true);
    backend->ask(backend->context, wish->question ? wish->question : ""); // forgets the changes by hand
    backend->want_stage(backend->context, TRACE_STAGES);
}

bool run_wish_is(const struct run_wish *wish, const struct trace *trace)
{
    for (int p = 0; p < trace->picture_count; p++)
        if (wish->pictures[p] && !same_text(wish->pictures[p], trace->pictures[p].path))
            return false;
    bool budget = (isnan(wish->budget) && isnan(trace->budget)) || fabs(wish->budget - trace->budget) < 1e-9;
    return budget && same_text(wish->question, trace->question) && same_text(wish->policy, trace->policy) &&
           trace->intervention_count == wish->changes;
}
