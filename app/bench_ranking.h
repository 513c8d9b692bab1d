// BLIP's candidates ranked to their ends: our pass, which computes what decides, against the published one.
#ifndef TRIMSCOPE_APP_BENCH_RANKING_H
#define TRIMSCOPE_APP_BENCH_RANKING_H

#include "app/bench_model.h"

struct bench_ranked {
    const struct bench *bench;
    const struct bench_model *model;
    struct run *run;
    const struct bench_results *results; // of it
    struct bench_peer *peer;             // that can run the published pass, NULL: none
};
bool bench_ranking(const struct bench_ranked *ranked, json_t *results, struct error *err);

#endif
