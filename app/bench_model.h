// A METER or BLIP of the published size for measuring: every shape of METER-VQA at 384 pixels or of BLIP-VQA at 480,
// trimmers in every layer, random weights (speed hangs on shapes, not on values), and one input. Peers read the same
// weights and input.
#ifndef TRIMSCOPE_APP_BENCH_MODEL_H
#define TRIMSCOPE_APP_BENCH_MODEL_H

#include "app/bench_side.h"
#include "engine/model/decoder.h"
#include "engine/model/model.h"
#include "engine/run/run.h"

enum bench_kind { BENCH_METER, BENCH_BLIP };
enum { BENCH_WORDS = 50 }; // tokens of a question at most

struct bench_model {
    enum bench_kind kind;
    struct model *model;
    int file;              // of the weights, unlinked: nothing is left behind whatever happens; inherited by peers
    char path[BENCH_PATH]; // by which this process and its children read it
    float *pixels;         // (3, side, side)
    int ids[BENCH_WORDS], words; // METER pads every question to 50; one of BLIP's of ordinary length has 16
};

const char *bench_kind_name(enum bench_kind kind);  // of what is measured, for people: "METER-VQA"
const char *bench_kind_short(enum bench_kind kind); // "METER"

// BLIP gets 3128 answers to choose from, as many as VQA has: of one to three pieces, 1.5 on average, and one of six.
bool bench_model_open(struct bench_model *model, enum bench_kind kind, struct error *err);
void bench_model_close(struct bench_model *model);
// Opens the same weights once more, in the background or not, after bench_model_drop() has let go of them.
bool bench_model_reopen(struct bench_model *model, bool background, struct error *err);
void bench_model_drop(struct bench_model *model);

// What the first results of a run are, which peers are compared by: logits of METER, of BLIP losses of the candidates.
enum { BENCH_VALUES = 8 };
struct bench_results {
    float values[BENCH_VALUES];
    int candidates, top[RANK_CANDIDATES]; // BLIP: the answers ranked to their ends
    float losses[RANK_CANDIDATES];
};
void bench_take_results(void *results, const char *name, const float *x, int rows, int width); // a run_probe

// The inputs of the peers' graphs (tools/bench-torch.py), of BLIP with the candidates that our run has found, as a file
// without a name: -1 and *err when it cannot be written.
int bench_model_input(const struct bench_model *model, const struct bench_results *results, char path[BENCH_PATH],
                      struct error *err);

// Tokens of the longest answer with [DEC] and [SEP]: what the published code pads every candidate to.
int bench_longest_answer(const struct model *model);

// A run of it that computes the answer and nothing else.
struct run *bench_model_run(const struct bench_model *model, const struct bench *bench, bool tokens, bool heads,
                            run_probe *probe, void *context, struct error *err);

// One way of running it, as a side: timed from the first stage to the last, in the image encoder, or in the last (what comes
// before is computed too, and what follows is not).
enum bench_part { BENCH_WHOLE, BENCH_IMAGE, BENCH_ANSWER };
struct bench_forward {
    struct run *run;
    const struct model_config *config;
    enum bench_part part;
};
bool bench_forward_side(void *context, struct bench_time *time, struct error *err);

#endif
