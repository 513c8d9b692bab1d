#include "app/ask_pixels.h"

#include "engine/model/model.h"

bool ask_pixels(const struct model *model, const struct picture *picture, const char *question,
                const struct run_options *options, struct ask_pixels_answer *out, struct error *err)
{
    const struct picture *list[] = {picture};
    struct run_options bare = *options;
    bare.bare = true;
    if (model->config.pictures != 1)
        return error_set(err, ERROR_USAGE,
                         "this model compares %d pictures; a model for one picture is needed here",
                         model->config.pictures);
    struct run *run = run_new(model, list, 1, question, &bare, err);
    while (run && run_step(run, err))
        continue;
    bool ok = run && run_finished(run);
    if (ok) {
        const struct trace *trace = run_trace(run);
        *out = (struct ask_pixels_answer){trace->answer, trace->spent_macs / trace->dense_macs, trace->ms};
    }
    run_free(run);
    return ok;
}
