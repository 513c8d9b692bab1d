// A question about pixels in memory, answered at once: what compose and edit print.
#ifndef TRIMSCOPE_APP_ASK_PIXELS_H
#define TRIMSCOPE_APP_ASK_PIXELS_H

#include "engine/io/picture.h"
#include "engine/run/run.h"

struct ask_pixels_answer {
    struct trace_answer answer;
    double share; // of the unpruned multiply-adds
    double ms;
};

// The model must take one picture.
bool ask_pixels(const struct model *model, const struct picture *picture, const char *question,
                const struct run_options *options, struct ask_pixels_answer *out, struct error *err);

#endif
