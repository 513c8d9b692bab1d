// How alike the tokens and the heads of a layer are, layer by layer: for one input, or over a question set with its
// spread. What is alike is redundant, and that is what pruning lives on (SmartTrim's motivation).
#ifndef TRIMSCOPE_RUN_REDUNDANCY_H
#define TRIMSCOPE_RUN_REDUNDANCY_H

#include "engine/run/evaluate.h"

// Mean pairwise cosine: of the patches' states after a layer, of the words', of the contexts of the heads of the pictures'
// attention modules, and of the words'.
enum redundancy_series { REDUNDANCY_PATCHES, REDUNDANCY_WORDS, REDUNDANCY_PATCH_HEADS, REDUNDANCY_WORD_HEADS,
                         REDUNDANCY_SERIES };
const char *redundancy_series_name(enum redundancy_series series); // "patches", "words", "patch-heads", "word-heads"

// Over the inputs that have the value; all NaN where count is 0. low and high: 5 % and 95 % of the inputs lie below.
struct redundancy_spread {
    int count;
    float mean, low, lower_quartile, median, upper_quartile, high;
};

struct redundancy_layer {
    char name[TRACE_NAME]; // as in struct stage
    enum stage_kind kind;
    int layer;
    struct redundancy_spread of[REDUNDANCY_SERIES];
};

struct redundancy {
    int inputs; // 0: nothing known
    int layer_count;
    struct redundancy_layer *layers; // every stage that has a value, in the order of the run
};
bool redundancy_copy(struct redundancy *to, const struct redundancy *from); // false: no memory, *to is empty
void redundancy_free(struct redundancy *redundancy);

// The value of one input in one stage, NaN where it has none.
float redundancy_value(const struct stage *stage, enum redundancy_series series);

// Of the stages computed so far. False when there is no memory.
bool redundancy_of_trace(const struct trace *trace, struct redundancy *out);

// Over a set, under options->policy; options->bare is overruled. `progress` (may be NULL) as in evaluate_set(); when it
// stops the work, *err is ERROR_CANCELLED and *out is about the questions seen so far.
bool redundancy_of_set(const struct model *model, const struct question_set *set, const struct run_options *options,
                       evaluate_progress *progress, void *context, struct redundancy *out, struct error *err);

// The same, and `visit` (may be NULL) is told of each question when it has been measured, as in evaluate_traces().
bool redundancy_of_set_watched(const struct model *model, const struct question_set *set,
                               const struct run_options *options, evaluate_progress *progress, evaluate_visit *visit,
                               void *context, struct redundancy *out, struct error *err);

#endif
