// The stepper's life: made, stepped, freed.
#include "engine/run/run.h"

#include "engine/io/picture.h"
#include "engine/run/run_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double WEIGHTS_PATIENCE = 1e9; // seconds: for as long as it takes

struct run_options run_options_default(void)
{
    return (struct run_options){.policy = POLICY_LEARNED, .budget = (double)NAN, .trim_tokens = true, .trim_heads = true};
}

static void describe_model(struct run *run)
{
    const struct model_config *c = &run->model->config;
    struct trace *trace = &run->trace;
    snprintf(trace->model_name, sizeof trace->model_name, "%s", c->name);
    snprintf(trace->architecture, sizeof trace->architecture, "%s", model_architecture_name(c->architecture));
    snprintf(trace->task, sizeof trace->task, "%s", model_task_name(c->task));
    trace->parameters = run->model->parameters;
    trace->stage_total = run->stage_count;
    trace->trim_tokens = run->options.trim_tokens;
    trace->trim_heads = run->options.trim_heads;
    trace->picture_count = c->pictures;
    for (int p = 0; p < c->pictures; p++) {
        trace->pictures[p].grid_rows = trace->pictures[p].grid_columns = model_grid(c);
        trace->pictures[p].squashed = model_fitting(c) == PICTURE_SQUASH;
    }
}

void run_describe_budget(struct run *run)
{
    struct trace *trace = &run->trace;
    snprintf(trace->policy, sizeof trace->policy, "%s", policy_name(run->options.policy));
    trace->budget = run->options.budget;
    trace->shift = run->budget.shift;
}

struct picture_reading run_reading(const struct model *model, bool exact, int side)
{
    int least = model->config.image_size > side ? model->config.image_size : side;
    return (struct picture_reading){.least_side = exact ? 0 : least, .as_stored = exact};
}

bool run_describe_picture(struct run *run, int index, const char *path, const struct picture_origin *origin,
                          struct error *err)
{
    struct trace_picture *picture = &run->trace.pictures[index];
    char *copy = strdup(path);
    if (!copy)
        return error_no_memory(err, "the picture's name");
    free(picture->path);
    picture->path = copy;
    picture->width = origin->width;
    picture->height = origin->height;
    picture->as_stored = origin->as_stored;
    picture->reduced = origin->reduced;
    return true;
}

static struct run *run_make(const struct model *model, const struct run_options *options, struct error *err)
{
    struct run *run = memory_alloc(1, sizeof *run);
    if (!run) {
        error_no_memory(err, "a run");
        return NULL;
    }
    run->model = model;
    run->options = options ? *options : run_options_default();
    trace_init(&run->trace);
    run->padding = run->options.padding;
    if (!run_take_writing(run, err) || !run_describe_writing(run, err)) {
        run_free(run);
        return NULL;
    }
    run_plan_stages(run);
    if (!run_allocate(run, err)) {
        run_free(run);
        return NULL;
    }
    describe_model(run);
    for (int p = 0; p < model->config.pictures; p++)
        if (!run_describe_picture(run, p, "", &(struct picture_origin){.width = 1, .height = 1}, err)) {
            run_free(run);
            return NULL;
        }
    return run;
}

void run_free(struct run *run)
{
    if (!run)
        return;
    trace_free(&run->trace);
    free(run->undone);
    arena_free(&run->store);
    arena_free(&run->math.scratch);
    memory_free(run);
}

bool run_take_pictures(struct run *run, const struct picture *const pictures[], int picture_count, struct error *err)
{
    const struct model_config *c = &run->model->config;
    if (picture_count != c->pictures)
        return error_set(err, ERROR_INPUT, "the task %s needs %d picture(s); %d given", model_task_name(c->task),
                         c->pictures, picture_count);
    struct picture fitted[TRACE_PICTURES] = {{0}};
    bool ok = true;
    for (int p = 0; ok && p < picture_count; p++)
        ok = picture_fit(&fitted[p], pictures[p], c->image_size, model_fitting(c), err);
    for (int p = 0; p < picture_count; p++) {
        if (ok) {
            picture_normalize_clip(&fitted[p], run->pixels[p]);
            run->trace.pictures[p].width = pictures[p]->width;
            run->trace.pictures[p].height = pictures[p]->height;
        }
        picture_free(&fitted[p]);
    }
    return ok;
}

static bool describe_tokens(struct run *run, const char *question, const struct token *tokens, int count,
                            struct error *err)
{
    // What is longer is not read (tokenizer.h), and no trace may carry it (trace.h).
    size_t length = strnlen(question, TRACE_QUESTION);
    while (question[length] && length > 0 && ((unsigned char)question[length] & 0xC0) == 0x80)
        length--;
    char *copy = strndup(question, length);
    struct trace_token *list = calloc((size_t)count, sizeof *list);
    if (!copy || !list) {
        free(copy);
        free(list);
        return error_no_memory(err, "the question");
    }
    for (int t = 0; t < count; t++) {
        const char *text = run->model->tokenizer ? tokenizer_text(run->model->tokenizer, tokens[t].id) : "";
        snprintf(list[t].text, sizeof list[t].text, "%.*s", TRACE_TEXT - 1, text);
        list[t].from = tokens[t].from;
        list[t].to = tokens[t].to;
        list[t].unknown = tokens[t].unknown;
    }
    free(run->trace.question);
    free(run->trace.tokens);
    run->trace.question = copy;
    run->trace.tokens = list;
    run->trace.token_count = count;
    return true;
}

// A caption begins with its prompt: so many words less may be written.
static void plan_caption(struct run *run)
{
    if (run->model->config.task != TASK_CAPTION)
        return;
    run->words_most = run->max_length - run->token_count;
    run_plan_words(run, run->words_most);
}

// A word at least must have room behind the beginning of a caption.
static bool check_caption(const struct run *run, int tokens, struct error *err)
{
    return run->model->config.task != TASK_CAPTION || tokens < run->max_length ||
           error_set(err, ERROR_INPUT, "the caption's beginning has %d tokens, and all of it shall have %d at most", tokens,
                     run->max_length);
}

bool run_take_question(struct run *run, const char *question, struct error *err)
{
    const struct model *m = run->model;
    if (!m->tokenizer)
        return error_set(err, ERROR_INPUT, "the model %s carries no tokenizer, so it cannot read a question; `trimscope import "
                                           "--vocab` gives it one",
                         m->config.name);
    if (m->config.task == TASK_CAPTION && !*question)
        question = run->options.prompt ? run->options.prompt : MODEL_PROMPT;
    int count = model_encode_question(m, question, run->tokens);
    if (count < 1)
        return error_no_memory(err, "the question");
    if (run->options.cls)
        run->tokens[0].id = m->config.token_cls;
    if (!check_caption(run, count, err))
        return false;
    struct budget_request request = {run->options.policy, run->options.budget, count, run->options.trim_tokens,
                                     run->options.trim_heads, run_plan_text(run)};
    // A threshold that was found in the calibration hangs on no question: the table is not read again for each.
    struct budget budget = run->budget;
    bool known = run->token_count > 0 && !isnan(budget.share) && !budget.keeps_counts;
    if (!known && !budget_make(&budget, m, &request, err))
        return false;
    if (!describe_tokens(run, question, run->tokens, count, err))
        return false;
    run->budget = budget;
    run->token_count = count;
    for (int t = 0; t < count; t++)
        run->ids[t] = run->tokens[t].id;
    plan_caption(run);
    run_describe_budget(run);
    return true;
}

struct run *run_new(const struct model *model, const struct picture *const pictures[], int picture_count,
                    const char *question, const struct run_options *options, struct error *err)
{
    struct run *run = run_make(model, options, err);
    if (run && (!run_take_pictures(run, pictures, picture_count, err) || !run_take_question(run, question, err))) {
        run_free(run);
        return NULL;
    }
    return run;
}

struct run *run_new_from_tensors(const struct model *model, const float *const pixels[], const int *ids, int id_count,
                                 const struct run_options *options, run_probe *probe, void *context,
                                 struct error *err)
{
    const struct model_config *c = &model->config;
    if (id_count < 1 || id_count > c->max_tokens) {
        error_set(err, ERROR_INPUT, "%d tokens given; this model takes 1 to %d", id_count, c->max_tokens);
        return NULL;
    }
    for (int t = 0; t < id_count; t++)
        if (ids[t] < 0 || ids[t] >= c->vocabulary) {
            error_set(err, ERROR_INPUT, "token %d has the id %d; this model's vocabulary has %d", t, ids[t],
                      c->vocabulary);
            return NULL;
        }
    struct run *run = run_make(model, options, err);
    if (!run)
        return NULL;
    run->probe = probe;
    run->probe_context = context;
    run->token_count = id_count;
    if (!check_caption(run, id_count, err)) {
        run_free(run);
        return NULL;
    }
    plan_caption(run);
    for (int t = 0; t < id_count; t++)
        run->tokens[t] = (struct token){.id = run->ids[t] = ids[t]};
    for (int p = 0; p < c->pictures; p++)
        memcpy(run->pixels[p], pixels[p], 3 * (size_t)c->image_size * (size_t)c->image_size * sizeof(float));
    struct budget_request request = {run->options.policy, run->options.budget, id_count, run->options.trim_tokens,
                                     run->options.trim_heads, run_plan_text(run)};
    if (!budget_make(&run->budget, model, &request, err) || !describe_tokens(run, "", run->tokens, id_count, err)) {
        run_free(run);
        return NULL;
    }
    run_describe_budget(run);
    return run;
}

bool run_finished(const struct run *run) { return run->trace.stage_count == run->stage_count; }

const struct trace *run_trace(const struct run *run) { return &run->trace; }

// Stages of BLIP that read more than their own layer: those that write, the look ahead at the word that would be written, the
// pass over the words that guides the patches, and patches that are compared with words by the first text layer.
static bool needs_all(const struct run *run, int index)
{
    enum stage_kind kind = run->plan[index].kind;
    bool ahead = kind == STAGE_FUSION && run->model->config.decoder_layers > 0 && !run->options.bare;
    bool compared = policy_kind(run->options.policy)->needs_words && run_stage_guided(run, run->options.policy, index);
    return run_is_blip(run) &&
           (kind == STAGE_MEMORY || kind == STAGE_DECODE || ahead || compared || (index == 0 && run_policy_acts(run, run->options.policy, 0)));
}

// Waits at most so many seconds for the weights of a stage.
static enum model_state await_stage(const struct run *run, int index, double seconds, struct error *err)
{
    static const enum model_part layers[STAGE_KINDS] = {
        [STAGE_IMAGE] = PART_IMAGE, [STAGE_TEXT] = PART_TEXT, [STAGE_FUSION] = PART_FUSION};
    const struct model_config *c = &run->model->config;
    const struct stage_plan *plan = &run->plan[index];
    enum model_part part = layers[plan->kind];
    if (plan->kind == STAGE_EMBED)
        part = run_stream_is_text(plan->stream) ? PART_QUESTION : PART_PICTURE;
    if (plan->kind == STAGE_ANSWER)
        part = PART_ANSWER;
    if (needs_all(run, index))
        return model_await(run->model, c->decoder_layers ? PART_DECODER : PART_FUSION,
                           (c->decoder_layers ? c->decoder_layers : c->fusion_layers) - 1, seconds, err);
    return model_await(run->model, part, plan->layer, seconds, err);
}

bool run_ready(const struct run *run, double seconds)
{
    int index = run->trace.stage_count;
    return run_finished(run) || run->snapshots[index].valid || await_stage(run, index, seconds, NULL) != MODEL_LOADING;
}

// Only steps can be stopped: what is asked of a finished stage takes no longer than a layer.
static bool compute(struct run *run, int index, struct error *err)
{
    run->math.stop = run->options.stop;
    run_compute(run, index);
    bool whole = !run->math.stopped;
    run->snapshots[index].valid = whole;
    run->math.stop = NULL;
    run->math.stopped = false;
    return whole || error_set(err, ERROR_CANCELLED, "stopped");
}

static bool all_numbers(const float *x, int count)
{
    for (int i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

// Row 0 attends to all rows of its stream that are left, so what is no number in one of them is none there one layer later.
// Trimmers drop such rows: later on, an answer could look as if nothing had happened.
static bool check_numbers(const struct run *run, int index, struct error *err)
{
    const struct snapshot *snapshot = &run->snapshots[index];
    const struct stage_plan *plan = &run->plan[index];
    bool sound = true;
    for (int s = 0; plan->layer >= 0 && s < TRACE_STREAMS; s++)
        if (plan->touches[s] && snapshot->streams[s].alive > 0)
            sound = sound && all_numbers(snapshot->streams[s].x[0], run_stream_width(run, s));
    if (plan->kind == STAGE_ANSWER && snapshot->answer_count)
        sound = sound && !isnan(snapshot->answers[0].p);
    return sound ||
           error_set(err, ERROR_INPUT,
                     "%s gives what is not a number: in this run the model's numbers grow beyond what floats can "
                     "hold, as they do when weights are damaged or not meant for each other",
                     plan->name);
}

bool run_step(struct run *run, struct error *err)
{
    int index = run->trace.stage_count;
    if (run_finished(run))
        return false;
    if (!run->snapshots[index].valid) {
        if (await_stage(run, index, WEIGHTS_PATIENCE, err) != MODEL_READY)
            return false;
        if (!compute(run, index, err))
            return false;
    }
    if (!check_numbers(run, index, err))
        return false;
    if (!run_report(run, index))
        return error_no_memory(err, "the trace");
    const struct beam_search *beams = run->snapshots[index].words.beams;
    if (run->plan[index].kind == STAGE_DECODE && beams && beams->done)
        run_plan_words(run, run->plan[index].word + 1);
    return true;
}
