#include "app/prepare.h"

#include "app/assets.h"
#include "app/notes.h"
#include "app/weights.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"

#include <stdlib.h>

struct prepare_settings prepare_settings_default(void)
{
    return (struct prepare_settings){.options = run_options_default(), .threads = thread_processors()};
}

static bool make_run(struct prepared *prepared, const struct run_options *options, const char *const arguments[],
                     int count, struct error *err)
{
    const struct model *model = prepared->model;
    struct picture pictures[TRACE_PICTURES] = {{0}};
    const struct picture *list[TRACE_PICTURES] = {&pictures[0], &pictures[1]};
    struct picture_origin origins[TRACE_PICTURES];
    struct picture_reading reading = run_reading(model, options->exact, 0);
    int needed = model->config.pictures;
    bool asks_nothing = model->config.task == TASK_CAPTION && count == needed;
    if (count != needed + 1 && !asks_nothing)
        return error_set(err, ERROR_USAGE, "the task %s takes %d picture(s) and a question; %d argument(s) given",
                         model_task_name(model->config.task), needed, count);
    bool ok = true;
    char bundled[ASSETS_PATH];
    for (int p = 0; ok && p < needed; p++)
        ok = picture_load(&pictures[p], assets_picture(arguments[p], bundled), reading, &origins[p], err);
    if (ok)
        ok = (prepared->run = run_new(model, list, needed, asks_nothing ? "" : arguments[needed], options, err)) != NULL;
    for (int p = 0; ok && p < needed; p++)
        ok = run_describe_picture(prepared->run, p, arguments[p], &origins[p], err);
    if (ok) {
        struct notes notes, said = {0};
        notes_make(&notes, model, run_trace(prepared->run), list, origins);
        notes_say(&said, &notes);
    }
    for (int p = 0; p < TRACE_PICTURES; p++)
        picture_free(&pictures[p]);
    return ok;
}

bool prepare_changes(struct run *run, const struct option_list *changes, struct error *err)
{
    struct intervention *list = malloc(((size_t)changes->count + 1) * sizeof *list);
    bool ok = list != NULL || error_no_memory(err, "the changes by hand");
    for (int i = 0; ok && i < changes->count; i++) {
        enum intervention_kind kind = (enum intervention_kind)changes->ids[i];
        ok = intervention_parse(run, kind, changes->values[i], &list[i], err) ||
             error_prefix(err, "--%s %s", intervention_option(kind), changes->values[i]);
    }
    if (ok && changes->count)
        ok = run_intervene_all(run, list, changes->count) >= 0 ||
             error_set(err, ERROR_USAGE, "what was asked to stay or go cannot: a stage after the last layer has no tokens");
    free(list);
    return ok;
}

bool prepare_run(struct prepared *prepared, const struct prepare_settings *settings, const char *const arguments[],
                 int count, struct error *err)
{
    struct run_options options = settings->options;
    *prepared = (struct prepared){.pool = thread_pool_new((int)settings->threads)};
    struct model_options opening = writing_settings_model(&settings->writing);
    options.pool = prepared->pool;
    writing_settings_apply(&settings->writing, &options);
    opening.pictures = count - 1;
    prepared->model = weights_open_model(settings->model, &opening, err);
    return prepared->model && make_run(prepared, &options, arguments, count, err) &&
           prepare_changes(prepared->run, &settings->changes, err);
}

bool prepare_finish(struct prepared *prepared, struct error *err)
{
    while (run_step(prepared->run, err))
        continue;
    return run_finished(prepared->run);
}

void prepare_close(struct prepared *prepared)
{
    run_free(prepared->run);
    model_free(prepared->model);
    thread_pool_free(prepared->pool);
    *prepared = (struct prepared){0};
}
