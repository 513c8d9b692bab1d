// Token merging in the manner of ToMe (Bolya et al., ICLR 2023): patches that are alike are averaged instead of dropped.
// Without its proportional attention, and before a layer instead of between its attention and FFN, where all policies act.
#ifndef TRIMSCOPE_PRUNE_MERGING_H
#define TRIMSCOPE_PRUNE_MERGING_H

#include "engine/model/forward.h"

// Every other patch of x (rows, D; row 0 is CLS) may be merged into the one most like it (cosine) of those between: its
// score is minus that cosine, and partner[r] that row. The others score above all of them, and have no partner (-1).
void merging_score(struct forward *forward, const float *x, int rows, int width, float *score, int *partner);

// Multiply-adds of it.
uint64_t merging_macs(int rows, int width);

struct merging_rows {
    const float *x;    // (rows, D)
    const float *size; // per row: how many patches it stands for
    const int *tokens; // per row: original index, rising
    int rows;
};

// The tokens `kept` (rising), to out (kept_count, D) and out_size (kept_count): those that go are averaged into their
// partner (a row), if that stays, each weighing as many patches as it stands for.
void merging_gather(const struct merging_rows *in, int width, const int *kept, int kept_count, const int *partner,
                    float *out, float *out_size);

#endif
