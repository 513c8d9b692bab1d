// Every hyper-parameter of a training run, in one table: defaults, names in configuration files, and the help.
#ifndef TRIMSCOPE_LEARN_SETTINGS_H
#define TRIMSCOPE_LEARN_SETTINGS_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { SETTINGS_BUDGETS = 24 }; // one a fusion layer, of which training allows as many

// X(type, member, dense default, trim default, lowest, highest, explanation)
#define TRAIN_SETTINGS(X)                                                                                      \
    X(int, scenes, 12, 8, 1, 4096, "scenes a step")                                                            \
    X(int, questions, 8, 6, 1, 12, "questions a scene")                                                        \
    X(int, total, 1000000, 150000, 1, 2000000000, "questions in all (of a set: 30 times as many as it has, at least 1000)") \
    X(double, rate, 1.2e-3, 3e-4, 0, 1, "peak learning rate")                                                  \
    X(double, trimmer_rate, 0, 1e-3, 0, 1, "peak learning rate of the trimmers")                               \
    X(double, warmup, 0.02, 0.02, 0, 1, "share of the run in which the rate rises")                            \
    X(double, hold, 0.1, 0.6, 0, 1, "share of the run until which the rate stays at its peak, then a cosine")  \
    X(double, final_rate, 0.02, 0.05, 0, 1, "last learning rate, as a share of the peak")                      \
    X(double, decay, 0.05, 0.01, 0, 1, "weight decay (AdamW)")                                                 \
    X(double, beta1, 0.9, 0.9, 0, 0.9999, "first moment's memory")                                             \
    X(double, beta2, 0.98, 0.98, 0, 0.99999, "second moment's memory")                                         \
    X(double, clip, 1, 1, 0, 1e9, "gradient norm at most")                                                     \
    X(int, patches_low, 40, 144, 4, 144, "patches that enter the fusion layers: fewest")                       \
    X(int, patches_high, 112, 144, 4, 144, "and most, drawn for each scene")                                   \
    X(double, full_tail, 0.15, 1, 0, 1, "last share of the run with all patches")                              \
    X(double, answer, 1, 1, 0, 1000, "weight of the answer loss")                                              \
    X(double, patch, 0.4, 0, 0, 1000, "weight of the kind of each patch")                                      \
    X(double, color, 0.2, 0, 0, 1000, "weight of the colour of each patch")                                    \
    X(double, ground, 0.5, 0, 0, 1000, "weight of which patches the question needs")                           \
    X(double, where, 1.5, 0, 0, 1000, "weight of where the needed objects are")                                \
    X(double, count, 0.4, 0, 0, 1000, "weight of how many there are")                                          \
    X(double, distill, 0, 1, 0, 1000, "weight of self-distillation from the full model")                       \
    X(double, temperature, 2, 2, 0.1, 100, "of the distillation")                                              \
    X(double, blend, 0, 0, 0, 1, "share of the full model in the finished weights, which are their mean")       \
    X(double, target, 1, 0.5, 0.05, 1, "share of the dense multiply-adds to spend")                            \
    X(double, cost, 0, 40, 0, 1e6, "weight of the cost objective")                                             \
    X(double, curriculum, 0, 0.5, 0, 1, "share of the run in which the target falls from 1")                   \
    X(double, noise_first, 0, 0.6, 0, 10, "scale of the logistic noise at the start")                          \
    X(double, noise_last, 0, 0.1, 0, 10, "and from 80 % of the run on")                                        \
    X(double, gumbel, 1, 1, 0.01, 100, "temperature of the straight-through masks")                            \
    X(double, mask_floor, 0.1, 0.1, 0, 1, "floor of the masked attention's denominator, backward only")        \
    X(double, budget, 0, 5, 0, 1e6, "weight of the budgets: patches per fusion layer, heads, words")           \
    X(double, pace, 1, 1, 0.05, 1, "share of all dropped patches that one fusion layer may drop before it costs") \
    X(double, shifted, 0, 0, 0, 0.9, "share of scenes that pass with other thresholds, at no cost: other budgets")  \
    X(double, head_keep, 1, 0.75, 0, 1, "share of heads that may stay on before it costs")                     \
    X(double, word_keep, 1, 0.75, 0, 1, "share of words that may stay alive before it costs")                  \
    X(int, heads, 1, 1, 0, 1, "trim attention heads too")                                                      \
    X(int, tokens, 1, 1, 0, 1, "trim tokens; 0: attention heads alone")                                        \
    X(int, cross, 1, 1, 0, 1, "token trimmers look at the other modality too")                                 \
    X(int, concat, 0, 0, 0, 1, "by an MLP over both side by side instead of their scalar product")             \
    X(int, hidden, 0, 0, 0, 1024, "width of a token trimmer's MLP (0: an eighth of the model's)")              \
    X(int, rank, 0, 0, 0, 1024, "and of its look at the other modality")                                       \
    X(int, image_trimmers, 0, 0, 0, 1, "trimmers in the image encoder too, guided by the question")            \
    X(int, text_trimmers, 0, 0, 0, 1, "and in the text encoder, which nothing can guide")                      \
    X(int, decoder_trimmers, 0, 0, 0, 1, "and one of what BLIP's decoder of answers reads of the question")      \
    X(int, freeze, 0, 0, 0, 1, "train the trimmers alone")                                                     \
    X(int, width, 0, 0, 0, 1024, "of the model (0, here and below: the start weights', or the bundled model's)") \
    X(int, attention_heads, 0, 0, 0, 64, "of each attention module")                                           \
    X(int, image_layers, 0, 0, 0, 16, "layers of the image encoder")                                           \
    X(int, text_layers, 0, 0, 0, 16, "of the text encoder")                                                    \
    X(int, fusion_layers, 0, 0, 0, 16, "and of fusion, in both streams")                                       \
    X(int, image_ffn, 0, 0, 0, 8192, "hidden width of the FFN in the image encoder")                           \
    X(int, text_ffn, 0, 0, 0, 8192, "in the text encoder")                                                     \
    X(int, image_fusion_ffn, 0, 0, 0, 8192, "in the picture's fusion layers")                                  \
    X(int, text_fusion_ffn, 0, 0, 0, 8192, "and in the question's")                                            \
    X(int, head_hidden, 0, 0, 0, 8192, "hidden width of the answer head")                                      \
    X(int, pair_hidden, 0, 0, 0, 8192, "of the head for statements about two pictures, where there are pairs")  \
    X(int, stem_channels1, 0, 0, 0, 1024, "channels after the stem's first convolution")                       \
    X(int, stem_channels2, 0, 0, 0, 1024, "and after its second")                                              \
    X(int, stem_blocks, 0, 0, 0, 8, "blocks of the stem")                                                      \
    X(int, stem_expansion, 0, 0, 0, 4096, "hidden width of their MLPs")                                        \
    X(double, brightness, 0.12, 0.12, 0, 0.9, "most change of a picture's brightness, as a share")             \
    X(int, size_low, 100, 100, 50, 130, "smallest size of a scene's objects, percent of the usual one")        \
    X(int, size_high, 100, 100, 50, 130, "and largest, drawn for each scene")                                  \
    X(int, styles, 3, 3, 1, 63, "drawing styles, added up: 1 noto, 2 twemoji, 4 fluent, 8 openmoji, 16 emojione, 32 blob") \
    X(int, varied, 0, 0, 0, 100, "percent of the scenes drawn in more ways: mirrored, of other colours, mixed")    \
    X(double, pairs, 0, 0, 0, 1, "share of a step's scenes that are two pictures with statements about them")      \
    X(int, reworded, 1, 1, 0, 1, "questions in more words too, and their vocabulary")                          \
    X(int, seed, 1, 1, 0, 2000000000, "of the world and of every draw")

struct train_settings {
    bool trim; // the SmartTrim stage; otherwise the dense stage
#define SETTING_MEMBER(type, member, dense, trim, low, high, text) type member;
    TRAIN_SETTINGS(SETTING_MEMBER)
#undef SETTING_MEMBER
    double budgets[SETTINGS_BUDGETS]; // share of patches that fusion layer l may keep before it costs; 1: free
    int budget_count; // how many were given; 0: the defaults, as many as the model has layers
};

struct train_settings train_settings_default(bool trim);

// Reads "name": value pairs of a JSON object over *settings; an unknown name or a value out of range is an error.
bool train_settings_read(struct train_settings *settings, const char *json, struct error *err);

// What one setting alone does not show: limits in the wrong order, more budgets than fusion layers, a SmartTrim stage
// that does not see every patch, what only trimmers can have without trimmers, nothing to learn from or nothing to train.
bool train_settings_check(const struct train_settings *settings, int fusion_layers, struct error *err);

// Sets one by name and text, as `name=value` on the command line does.
bool train_settings_set(struct train_settings *settings, const char *name, const char *value, struct error *err);

// JSON of all of them, malloc'ed.
char *train_settings_json(const struct train_settings *settings);

// The name of a setting in which a run that goes on from a state with `before` would differ; NULL when it would do what
// it did. A run may become longer or shorter.
const char *train_settings_difference(const struct train_settings *settings, const struct train_settings *before);

#endif
