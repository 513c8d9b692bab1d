// Changes to a run that has begun: interventions, another question, other pictures, another policy. Each marks the
// stages that it changes; run_step() computes those again and takes the others from their snapshots.
#include "engine/run/run_private.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Drops the trace from the first stage on that has to be computed again; returns that stage.
static int rewind_trace(struct run *run)
{
    int first = 0;
    while (first < run->trace.stage_count && run->snapshots[first].valid)
        first++;
    trace_truncate(&run->trace, first);
    return first;
}

static int first_touch(const struct run *run, int stage, int stream)
{
    for (; stage < run->stage_count; stage++)
        if (run->plan[stage].touches[stream])
            return stage;
    return -1;
}

// The stage at which the trace says that a token was dropped, -1 where it was not.
static int dropped_stage(const struct trace *trace, int stream, int token)
{
    for (int i = trace->stage_count - 1; i >= 0; i--)
        if (token < trace->stages[i].tokens[stream].count)
            return trace->stages[i].tokens[stream].dropped_at[token];
    return -1;
}

static bool anything_off(const struct stage *stage)
{
    for (int s = 0; s < TRACE_STREAMS; s++) {
        for (int t = 0; t < stage->tokens[s].count; t++)
            if (!stage->tokens[s].alive[t])
                return true;
        for (int m = 0; m < MODULES; m++)
            for (int h = 0; h < stage->heads[s][m].count; h++)
                if (!stage->heads[s][m].on[h])
                    return true;
    }
    return false;
}

static bool stream_exists(const struct run *run, int stream)
{
    return stream == TRACE_TEXT_STREAM || (stream >= 0 && stream < run->model->config.pictures);
}

// Where an intervention acts; -1 when it cannot. `exact`: at the stage given, or the first one after it that touches the
// stream, wherever the trace says that something was dropped.
static int acting_stage(const struct run *run, const struct intervention *v, bool exact)
{
    const struct trace *trace = &run->trace;
    if (v->stage < 0 || v->stage >= run->stage_count)
        return -1;
    if (v->kind == INTERVENE_REOPEN) {
        for (int i = 0; i < trace->stage_count && !exact; i++)
            if (anything_off(&trace->stages[i]))
                return i;
        return v->stage;
    }
    if (!stream_exists(run, v->stream))
        return -1;
    if (v->kind == INTERVENE_HEAD_ON || v->kind == INTERVENE_HEAD_OFF) {
        int heads = model_stack_heads(&run->model->config, run_stack(&run->plan[v->stage], v->stream));
        bool has = run_has_module(run, v->stage, v->stream, (int)v->module);
        return has && v->head >= 0 && v->head < heads ? v->stage : -1;
    }
    if (v->token < 1 || v->token >= run_stream_count(run, v->stream))
        return -1;
    int dropped = v->kind == INTERVENE_TOKEN_KEEP && !exact ? dropped_stage(trace, v->stream, v->token) : -1;
    return dropped >= 0 ? dropped : first_touch(run, v->stage, v->stream);
}

static void invalidate_intervention(struct run *run, const struct intervention *v)
{
    if (v->kind != INTERVENE_REOPEN) {
        run_invalidate(run, v->stage);
        return;
    }
    for (int i = v->stage; i < run->stage_count; i++)
        run->snapshots[i].valid = false;
}

// Appends to a list that realloc() holds; false when there is no memory.
static bool append(struct intervention **list, int *count, const struct intervention *more, int more_count)
{
    struct intervention *grown = realloc(*list, ((size_t)*count + (size_t)more_count) * sizeof **list);
    if (!grown)
        return false;
    memcpy(grown + *count, more, (size_t)more_count * sizeof *more);
    *list = grown;
    *count += more_count;
    return true;
}

// Where the last change of a list begins.
static int last_change(const struct intervention *list, int count)
{
    int from = count - 1;
    while (from > 0 && list[from].joined)
        from--;
    return from;
}

static void forget_undone(struct run *run) { run->undone_count = 0; }

// Adds what has its acting stage already, as one change.
static int change(struct run *run, const struct intervention *list, int count)
{
    struct trace *trace = &run->trace;
    if (count < 1 || !append(&trace->interventions, &trace->intervention_count, list, count))
        return -1;
    for (int i = 0; i < count; i++) {
        struct intervention *added = &trace->interventions[trace->intervention_count - count + i];
        added->joined = i > 0;
        invalidate_intervention(run, added);
    }
    return rewind_trace(run);
}

int run_intervene(struct run *run, const struct intervention *intervention)
{
    struct intervention v = *intervention;
    v.stage = acting_stage(run, &v, false);
    int first = v.stage < 0 ? -1 : change(run, &v, 1);
    if (first >= 0)
        forget_undone(run);
    return first;
}

int run_intervene_all(struct run *run, const struct intervention list[], int count)
{
    struct intervention *exact = count > 0 ? malloc((size_t)count * sizeof *exact) : NULL;
    bool ok = exact != NULL;
    for (int i = 0; ok && i < count; i++) {
        exact[i] = list[i];
        exact[i].stage = acting_stage(run, &list[i], true);
        ok = exact[i].stage >= 0;
    }
    int first = ok ? change(run, exact, count) : -1;
    free(exact);
    if (first >= 0)
        forget_undone(run);
    return first;
}

int run_undo(struct run *run)
{
    struct trace *trace = &run->trace;
    if (trace->intervention_count == 0)
        return -1;
    int from = last_change(trace->interventions, trace->intervention_count);
    const struct intervention *list = trace->interventions + from;
    int count = trace->intervention_count - from;
    if (!append(&run->undone, &run->undone_count, list, count))
        forget_undone(run); // no memory: it is undone all the same
    trace->intervention_count = from;
    for (int i = 0; i < count; i++)
        invalidate_intervention(run, &list[i]);
    return rewind_trace(run);
}

int run_redo(struct run *run)
{
    if (run->undone_count == 0)
        return -1;
    int from = last_change(run->undone, run->undone_count);
    int first = change(run, run->undone + from, run->undone_count - from);
    if (first >= 0)
        run->undone_count = from;
    return first;
}

int run_undone(const struct run *run) { return run->undone_count; }

static void forget_interventions(struct run *run)
{
    for (int i = 0; i < run->trace.intervention_count; i++)
        invalidate_intervention(run, &run->trace.interventions[i]);
    run->trace.intervention_count = 0;
    forget_undone(run);
}

static void invalidate_acting(struct run *run, enum policy policy)
{
    for (int i = 0; i < run->stage_count; i++)
        if (run_policy_acts(run, policy, i))
            run_invalidate(run, i);
}

bool run_ask(struct run *run, const char *question, struct error *err)
{
    if (!run_take_question(run, question, err))
        return false;
    forget_interventions(run);
    run_invalidate(run, 0);
    if (run->budget.keeps_counts)
        invalidate_acting(run, run->options.policy); // the counts hang on the length of the question
    rewind_trace(run);
    return true;
}

bool run_show(struct run *run, const struct picture *const pictures[], int picture_count, struct error *err)
{
    if (!run_take_pictures(run, pictures, picture_count, err))
        return false;
    forget_interventions(run);
    for (int p = 0; p < run->model->config.pictures; p++)
        run_invalidate(run, first_touch(run, 0, p));
    rewind_trace(run);
    return true;
}

static void act_from_the_start(struct intervention *list, int count)
{
    for (int i = 0; i < count; i++)
        if (list[i].kind == INTERVENE_TOKEN_KEEP || list[i].kind == INTERVENE_REOPEN)
            list[i].stage = 0;
}

static void change_policy(struct run *run, enum policy policy, double budget, const struct budget *made)
{
    invalidate_acting(run, run->options.policy);
    run->options.policy = policy;
    run->options.budget = budget;
    run->budget = *made;
    invalidate_acting(run, policy);
    // What was kept because the old policy dropped it here may be dropped earlier by the new one.
    act_from_the_start(run->trace.interventions, run->trace.intervention_count);
    act_from_the_start(run->undone, run->undone_count);
    run_describe_budget(run);
    rewind_trace(run);
}

bool run_set_policy(struct run *run, enum policy policy, double budget, struct error *err)
{
    struct budget_request request = {policy, budget, run->token_count, run->options.trim_tokens,
                                     run->options.trim_heads, run_plan_text(run)};
    struct budget made;
    if (!budget_make(&made, run->model, &request, err))
        return false;
    change_policy(run, policy, budget, &made);
    return true;
}

void run_set_shift(struct run *run, enum policy policy, double shift)
{
    struct budget made = {.policy = policy, .share = (double)NAN, .shift = shift};
    change_policy(run, policy, (double)NAN, &made);
}

void run_restart(struct run *run)
{
    for (int i = 0; i < run->stage_count; i++)
        run->snapshots[i].valid = false;
    rewind_trace(run);
}

void run_set_counts(struct run *run, enum policy policy, const struct budget_counts *counts)
{
    struct budget made = {
        .policy = policy, .share = (double)NAN, .shift = (double)NAN, .keeps_counts = true, .counts = *counts};
    assert(policy_kind(policy)->counts);
    change_policy(run, policy, (double)NAN, &made);
    run_restart(run);
}
