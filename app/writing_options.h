// The options that say how a BLIP model answers.
#ifndef TRIMSCOPE_APP_WRITING_OPTIONS_H
#define TRIMSCOPE_APP_WRITING_OPTIONS_H

#include "engine/model/beam.h"
#include "engine/model/decoder.h"

#include <stdbool.h>

struct model_options;
struct run_options;

// 0, false, NULL: as published. The strings are borrowed.
struct writing_settings {
    bool generate, cls;
    long candidates, beams, min_length, max_length;
    const char *answers, *prompt;
};

// What of it a run is told, and what the opening of the model.
void writing_settings_apply(const struct writing_settings *settings, struct run_options *options);
struct model_options writing_settings_model(const struct writing_settings *settings);

// Rows of a command's table; `settings` is a struct writing_settings.
#define OPTION_ROWS_WRITING(settings)                                                                          \
    {"answers", OPTION_TEXT, &(settings).answers, "FILE",                                                      \
     N_("the answers to choose from, one a line or as JSON (default: those that the weights carry)"), 0, 0},   \
        {"generate", OPTION_FLAG, &(settings).generate, NULL,                                                  \
         N_("BLIP, questions: write the answer word by word instead of choosing it from the answers"), 0, 0},  \
        {"candidates", OPTION_NUMBER, &(settings).candidates, "N",                                             \
         N_("BLIP, questions: read so many answers to their ends, those with the likeliest first word (default 128)"), 1, \
         RANK_CANDIDATES},                                                                                     \
        {"prompt", OPTION_TEXT, &(settings).prompt, "TEXT",                                                    \
         N_("BLIP, captions: what they begin with where no QUESTION says so (default 'a picture of '; '' for nothing)"), \
         0, 0},                                                                                                \
        {"beams", OPTION_NUMBER, &(settings).beams, "N",                                                       \
         N_("BLIP, texts that are written: continue so many at once and take the best (default 3)"), 1, BEAMS_MOST}, \
        {"min-length", OPTION_NUMBER, &(settings).min_length, "N",                                             \
         N_("the same: tokens at least, those of the beginning counted (default 5 of a caption, 1 of an answer)"), 1, \
         BEAM_LENGTH},                                                                                         \
        {"max-length", OPTION_NUMBER, &(settings).max_length, "N",                                             \
         N_("the same: tokens at most (default 20 of a caption, 10 of an answer)"), 2, BEAM_LENGTH},           \
        {"cls", OPTION_FLAG, &(settings).cls, NULL,                                                            \
         N_("BLIP, match of picture and text: begin the text with [CLS], as the published demonstration does " \
            "(default: [ENC], as where the model is evaluated)"),                                              \
         0, 0}

#endif
