#include "app/set_run.h"

#include "app/assets.h"
#include "app/weights.h"
#include "engine/base/memory.h"
#include "engine/run/command_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool set_run_open(struct set_run *run, const struct set_run_options *options, struct error *err)
{
    char bundled[ASSETS_PATH];
    const char *weights = options->model ? options->model : bundled;
    struct model_options opening = {.answers = options->answers};
    const struct run_options plain = run_options_default();
    *run = (struct set_run){.shard = options->shard, .shards = options->shards, .model = options->opened,
                            .borrowed = options->opened};
    bool ok = (options->model || assets_model(bundled, err)) &&
              question_set_read(&run->set, options->set, options->limit, err);
    opening.pictures = ok ? question_set_pictures(&run->set) : 1;
    ok = ok && (run->model || (run->model = weights_open_model(weights, &opening, err)) != NULL);
    if (ok && options->keeps)
        ok = results_describe(&run->header, weights, run->model->config.name, options->set, &run->set, &plain,
                              run->shard, run->shards, err);
    if (ok && !(run->results = memory_alloc((size_t)run->set.count, sizeof *run->results)))
        ok = error_no_memory(err, "the results");
    if (!ok)
        set_run_close(run);
    return ok;
}

void set_run_close(struct set_run *run)
{
    memory_free(run->results);
    question_set_free(&run->set);
    if (!run->borrowed)
        model_free(run->model);
    *run = (struct set_run){0};
}

struct evaluating {
    struct set_run_point *point;
    struct results_file file;
};

static bool pass_progress(void *context, int done, int total)
{
    struct set_run_point *point = ((struct evaluating *)context)->point;
    return !point->progress || point->progress(point->context, done, total);
}

static bool pass_answer(void *context, int index, const struct evaluation *result, const struct trace *trace,
                        struct error *err)
{
    struct evaluating *e = context;
    if (e->point->file && !results_append(&e->file, index, result, trace, err))
        return false;
    if (e->point->answered)
        e->point->answered(e->point->context, index, result);
    return true;
}

// Results of other options about how to answer are others.
static bool describe_writing(struct results_header *header, const struct model *model, const struct run_options *options,
                             struct error *err)
{
    const struct trace_writing writing = {.generate = options->generate, .cls = options->cls,
                                          .candidates = options->candidates, .beams = options->beams,
                                          .min_length = options->min_length, .max_length = options->max_length,
                                          .answers = model->answers_file};
    char *text = command_of_writing(&writing);
    if (!text)
        return error_no_memory(err, "the results");
    snprintf(header->writing, sizeof header->writing, options->prompt ? "%s --prompt \"%s\"" : "%s", text, options->prompt);
    free(text);
    return true;
}

static bool open_file(struct set_run *run, struct evaluating *e, struct error *err)
{
    struct set_run_point *point = e->point;
    struct results_header header = run->header;
    snprintf(header.policy, sizeof header.policy, "%s", policy_name(point->options.policy));
    header.budget = point->options.budget;
    header.seed = point->options.seed;
    header.exact = point->options.exact;
    if (!describe_writing(&header, run->model, &point->options, err))
        return false;
    if (!results_open(&e->file, point->file, &header, &run->set, run->results, err))
        return false;
    point->torn = e->file.torn;
    for (int i = 0; point->answered && i < run->set.count; i++)
        if (run->results[i].done)
            point->answered(point->context, i, &run->results[i]);
    return true;
}

bool set_run_evaluate(struct set_run *run, struct set_run_point *point, struct error *err)
{
    struct evaluating e = {.point = point, .file.descriptor = -1};
    struct run_options options = point->options;
    options.bare = true; // nothing but the answer is kept
    const struct evaluate_request request = {.run = &options, .shard = run->shard - 1, .shards = run->shards,
                                             .progress = pass_progress, .answered = pass_answer, .context = &e};
    memset(run->results, 0, (size_t)run->set.count * sizeof *run->results);
    if (point->file && !open_file(run, &e, err))
        return false;
    if (point->started)
        point->started(point->context, e.file.resumed);
    bool ok = evaluate_run(run->model, &run->set, &request, run->results, err);
    struct error closing = {0};
    if (!results_close(&e.file, &closing) && ok) {
        *err = closing;
        ok = false;
    }
    return ok;
}
