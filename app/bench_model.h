// A METER of the published size for measuring: every shape of METER-VQA at 384 pixels, trimmers in every layer, random
// weights (speed hangs on shapes, not on values), and one input. Peers read the same weights and input.
#ifndef TRIMSCOPE_APP_BENCH_MODEL_H
#define TRIMSCOPE_APP_BENCH_MODEL_H

#include "app/bench_side.h"
#include "engine/model/model.h"
#include "engine/run/run.h"

enum { BENCH_MODEL_WORDS = 50 }; // tokens of the question: what METER pads every question to

struct bench_model {
    struct model *model;
    int file;      // of the weights, unlinked: nothing is left behind whatever happens; inherited by peers
    char path[BENCH_PATH]; // by which this process and its children read it
    float *pixels; // (3, 384, 384)
    int ids[BENCH_MODEL_WORDS];
};

bool bench_model_open(struct bench_model *model, struct error *err);
void bench_model_close(struct bench_model *model);

// A run of it that computes the answer and nothing else.
struct run *bench_model_run(const struct bench_model *model, const struct bench *bench, bool tokens, bool heads,
                            run_probe *probe, void *context, struct error *err);

// One way of running it, as a side: from the first stage on, or, with `image_only`, timed in the image encoder alone.
struct bench_forward {
    struct run *run;
    const struct model_config *config;
    bool image_only;
};
bool bench_forward_side(void *context, struct bench_time *time, struct error *err);

#endif
