#include "engine/run/sweep.h"

#include <math.h>

static double cost(const struct sweep_point *point, bool ms)
{
    return ms ? point->summary.ms : point->summary.share.value;
}

static bool beaten(const struct sweep_point *points, int count, int index, bool ms)
{
    const struct sweep_point *p = &points[index];
    double accuracy = p->summary.accuracy.value;
    for (int i = 0; i < count; i++) {
        const struct sweep_point *q = &points[i];
        double better = q->summary.accuracy.value;
        if (i == index || !q->done || better < accuracy || cost(q, ms) > cost(p, ms))
            continue;
        if (better > accuracy || cost(q, ms) < cost(p, ms))
            return true;
    }
    return false;
}

void sweep_mark_fronts(struct sweep_point *points, int count)
{
    for (int i = 0; i < count; i++) {
        bool counts = points[i].done && points[i].summary.questions > 0;
        points[i].front_flops = counts && !beaten(points, count, i, false);
        points[i].front_ms = counts && !beaten(points, count, i, true);
    }
}

int sweep_list(struct sweep_point points[SWEEP_POINTS], const enum policy *policies, int policy_count,
               const double *budgets, int budget_count)
{
    int count = 0;
    for (int p = 0; p < policy_count; p++)
        for (int b = 0; b < (policies[p] == POLICY_NONE ? 1 : budget_count); b++) {
            if (count == SWEEP_POINTS)
                return -1;
            points[count++] = (struct sweep_point){
                .policy = policies[p], .budget = policies[p] == POLICY_NONE ? (double)NAN : budgets[b]};
        }
    return count;
}
