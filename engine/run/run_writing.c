// How a run answers where that is not left to what the model was published with.
#include "engine/run/run_private.h"

#include <stdlib.h>
#include <string.h>

// What a model has no use for is refused.
static bool check_use(const struct run *run, struct error *err)
{
    const struct model_config *c = &run->model->config;
    const struct run_options *o = &run->options;
    const char *task = model_task_name(c->task), *architecture = model_architecture_name(c->architecture);
    bool blip = c->architecture == ARCHITECTURE_BLIP, chooses = blip && c->task == TASK_VQA;
    if (o->generate && !chooses)
        return error_set(err, ERROR_USAGE, "only a BLIP model for questions can write its answer instead of choosing it; this "
                                           "one is %s, task %s",
                         architecture, task);
    if (o->candidates && (!chooses || o->generate || !run->model->answer_pieces.count))
        return error_set(err, ERROR_USAGE, "candidates are ranked only by a BLIP model that chooses its answer from a list; "
                                           "this one is %s, task %s",
                         architecture, task);
    if (o->cls && !(blip && c->task == TASK_RETRIEVAL))
        return error_set(err, ERROR_USAGE, "only in BLIP's retrieval may the text begin with [CLS]; this model is %s, task %s",
                         architecture, task);
    if ((o->beams || o->min_length || o->max_length || o->prompt) && !model_writes(c))
        return error_set(err, ERROR_USAGE, "beams, lengths and a beginning are of texts that are written; this model (%s, task "
                                           "%s) writes none",
                         architecture, task);
    return !o->prompt || c->task == TASK_CAPTION ||
           error_set(err, ERROR_USAGE, "only a caption has a beginning; this model's task is %s", task);
}

struct flops_text run_plan_text(const struct run *run)
{
    const struct run_options *o = &run->options;
    return flops_text(&run->model->config, &run->model->answer_pieces, o->generate, o->candidates, o->beams, o->max_length);
}

bool run_take_writing(struct run *run, struct error *err)
{
    const struct model_config *c = &run->model->config;
    const struct run_options *o = &run->options;
    bool caption = c->task == TASK_CAPTION;
    if (!check_use(run, err))
        return false;
    if (!o->generate)
        run->answers = run->model->answer_pieces;
    struct flops_text text = run_plan_text(run);
    run->beams = text.beams;
    run->max_length = text.longest;
    run->min_length = o->min_length > 0 ? o->min_length : caption ? 5 : 1;
    int most = c->positions < BEAM_LENGTH ? c->positions : BEAM_LENGTH;
    if (!model_writes(c))
        return true;
    if (run->answers.count && (o->beams || o->min_length || o->max_length))
        return error_set(err, ERROR_USAGE,
                         "beams and lengths are of an answer that is written; this model chooses one from a list of %d",
                         run->answers.count);
    if (run->beams > BEAMS_MOST)
        return error_set(err, ERROR_USAGE, "%d beams are too many; at most %d", run->beams, BEAMS_MOST);
    if (run->max_length > most || run->max_length < 2)
        return error_set(err, ERROR_USAGE, "the longest text must have 2 to %d tokens, its beginning counted, not %d", most,
                         run->max_length);
    return run->min_length <= run->max_length ||
           error_set(err, ERROR_USAGE, "the shortest text (%d tokens) is longer than the longest (%d)", run->min_length,
                     run->max_length);
}

bool run_describe_writing(struct run *run, struct error *err)
{
    const struct run_options *o = &run->options;
    const char *file = run->model->answers_file;
    struct trace_writing *writing = &run->trace.writing;
    *writing = (struct trace_writing){.generate = o->generate,
                                      .cls = o->cls,
                                      .candidates = o->candidates,
                                      .beams = o->beams,
                                      .min_length = o->min_length,
                                      .max_length = o->max_length,
                                      .answers = file ? strdup(file) : NULL};
    return !file || writing->answers || error_no_memory(err, "the name of the answers' file");
}
