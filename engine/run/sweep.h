// Policies times budgets over one question set: which of them nothing else beats.
#ifndef TRIMSCOPE_RUN_SWEEP_H
#define TRIMSCOPE_RUN_SWEEP_H

#include "engine/run/evaluate.h"

enum { SWEEP_POINTS = 256 };

struct sweep_point {
    enum policy policy;
    double budget; // NaN: as trained
    bool unknown;  // those two: of a file that could not be read, or has not been yet
    bool done;     // `summary` counts
    char why[480]; // why it could not be evaluated; "" otherwise
    struct evaluation_summary summary;
    bool front_flops, front_ms; // no other point is at least as accurate for less, or more accurate for as much
};

// Fills in front_flops and front_ms from the accuracy against the share of the dense multiply-adds, and against
// milliseconds. Points that are not done are on neither front, and in nobody's way.
void sweep_mark_fronts(struct sweep_point *points, int count);

// Every policy with every budget, POLICY_NONE once. Returns how many points, -1 when they are too many.
int sweep_list(struct sweep_point points[SWEEP_POINTS], const enum policy *policies, int policy_count,
               const double *budgets, int budget_count);

#endif
