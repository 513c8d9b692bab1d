#include "app/writing_options.h"

#include "engine/model/model.h"
#include "engine/run/run.h"

void writing_settings_apply(const struct writing_settings *settings, struct run_options *options)
{
    options->generate = settings->generate;
    options->cls = settings->cls;
    options->candidates = (int)settings->candidates;
    options->beams = (int)settings->beams;
    options->min_length = (int)settings->min_length;
    options->max_length = (int)settings->max_length;
    options->prompt = settings->prompt;
}

struct model_options writing_settings_model(const struct writing_settings *settings)
{
    return (struct model_options){.answers = settings->answers};
}
