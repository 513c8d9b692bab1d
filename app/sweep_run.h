// A sweep at work: every point evaluated, one after the other, for the command and for the screen.
#ifndef TRIMSCOPE_APP_SWEEP_RUN_H
#define TRIMSCOPE_APP_SWEEP_RUN_H

#include "app/set_run.h"
#include "engine/run/sweep.h"

enum { SWEEP_NAME = 64 };
#define SWEEP_BUDGETS "0.33,0.4,0.5,0.67,1" // where none are given

struct sweep_run {
    struct set_run set;
    struct run_options options; // pool and seed; policy and budget come from the points
    const char *folder;         // for results; NULL: not kept
    struct sweep_point points[SWEEP_POINTS];
    int count, current;
    // As in struct set_run_point, about the current point; `finished` when a point is done or has failed. May be NULL.
    void (*started)(void *context, int done);
    bool (*progress)(void *context, int done, int total);
    void (*finished)(void *context);
    void *context;
};

// Fills in the points from "a,b" (NULL: all policies) and "0.3,trained,1" (NULL: SWEEP_BUDGETS).
bool sweep_run_list(struct sweep_run *sweep, const char *policies, const char *budgets, struct error *err);

// Evaluates all points and marks the fronts. A point that cannot be evaluated says why and is left out; false when none
// could be, when a machine fails, or (ERROR_CANCELLED) when it was stopped.
bool sweep_run_work(struct sweep_run *sweep, struct error *err);

// A point from a file of results; `watch` may be NULL.
bool sweep_run_read(struct sweep_point *point, const char *path, const struct watch *watch, struct error *err);

// "learned 0.5", "learned trained", "none"; the separator is ' ', or '-' in names of files.
void sweep_run_name(const struct sweep_point *point, char separator, char out[SWEEP_NAME]);

#endif
