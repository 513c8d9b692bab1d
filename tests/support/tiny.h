// Small models with formula weights and every option of names.md, for tests of what training has not made yet.
#ifndef TRIMSCOPE_TESTS_SUPPORT_TINY_H
#define TRIMSCOPE_TESTS_SUPPORT_TINY_H

#include "engine/model/config.h"

#include <stdbool.h>
#include <stdint.h>

struct picture;
struct trace;
struct run;

struct tiny_options {
    enum model_task task;
    bool published;       // METER's own layout: patch stem, post-norm, no extras
    bool blip;            // BLIP of that task: patches wider than words, 2 + 3 (+ 2) layers, image trimmers guided
    bool text_trimmers, image_trimmers, fusion_trimmers, decoder_trimmers, head_trimmers;
    bool words_open;      // no trimmers of the words in the fusion layers
    const char *calibration; // metadata, NULL: none
    const char *answers;     // of a VQA model: a JSON list of nine, NULL: colours, yes, no, ...
    uint64_t seed;
};
// Everything there is: conv stem, pre-norm, fusion position, answer words, trimmers in every layer.
struct tiny_options tiny_everything(void);

// The configuration of such a model (width 32, 4 heads, 6 x 6 patches, 2 + 2 + 3 layers).
void tiny_config(const struct tiny_options *options, struct model_config *config);

// Writes the weights to scratch_path(name) and returns that path; asserts that nothing goes wrong.
const char *tiny_write(const char *name, const struct tiny_options *options);
struct model *tiny_model(const struct tiny_options *options);

// A picture of coloured noise, different for each seed. Release with picture_free().
struct picture tiny_picture(uint64_t seed);
extern const char *const tiny_questions[8];

// A run of a tiny model on question and pictures of `seed`; asserts success.
struct run_options;
struct run *tiny_run(const struct model *model, const struct run_options *options, uint64_t seed);
// Steps to the end.
void tiny_finish(struct run *run);

// Asserts that two traces are the same bit by bit, but for the time taken.
void tiny_check_same_trace(const struct trace *x, const struct trace *y);

#endif
