// One decision taken apart: scores, threshold, rank, likeness, and the run with the opposite decision.
#include "engine/run/explain_private.h"

#include "engine/base/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- the runs beside the person's

struct explainer *explain_new(const struct run *run, struct error *err)
{
    struct explainer *e = memory_alloc(1, sizeof *e);
    if (!e) {
        error_no_memory(err, "the explanation");
        return NULL;
    }
    e->run = run;
    e->lab = run_twin(run, err);
    if (!e->lab) {
        explain_free(e);
        return NULL;
    }
    return e;
}

void explain_free(struct explainer *e)
{
    if (!e)
        return;
    run_free(e->rest);
    run_free(e->lab);
    for (int b = 0; b < e->bench_count; b++) {
        run_free(e->benches[b].run);
        free(e->benches[b].list);
    }
    memory_free(e->benches);
    memory_free(e);
}

static bool step_to(struct run *run, int last, struct error *err)
{
    struct error own = {0};
    while (run->trace.stage_count <= last && !run_finished(run))
        if (!run_step(run, &own)) {
            if (err)
                *err = own;
            return false;
        }
    return true;
}

static bool take_rest(struct explainer *e, struct error *err)
{
    return (e->rest || (e->rest = run_twin(e->run, err))) && run_sync(e->rest, e->run, err) &&
           step_to(e->rest, e->lab->stage_count - 1, err);
}

bool explain_hold(struct explainer *e, struct error *err) { return e->held = take_rest(e, err); }

const struct run *explain_base(struct explainer *e, struct error *err)
{
    if (e->held)
        return e->rest;
    if (run_finished(e->run))
        return e->run;
    return take_rest(e, err) ? e->rest : NULL;
}

static bool try_on(struct run *run, const struct run *base, const struct intervention list[], int count, int last,
                   struct error *err)
{
    if (!run_sync(run, base, err))
        return false;
    if (count > 0 && run_intervene_all(run, list, count) < 0)
        return error_set(err, ERROR_USAGE, "that cannot be changed: CLS always stays, and a head or token must exist "
                                           "in this stage");
    return step_to(run, last, err);
}

bool explain_try(struct explainer *e, const struct run *base, const struct intervention list[], int count, int last,
                 struct error *err)
{
    return try_on(e->lab, base, list, count, last, err);
}

// ---- several at the same time

int explain_benches(struct explainer *e, struct error *err)
{
    int count = e->run->options.pool ? thread_pool_workers(e->run->options.pool) : 1;
    if (e->benches)
        return e->bench_count;
    e->benches = memory_alloc((size_t)count, sizeof *e->benches);
    if (!e->benches) {
        error_no_memory(err, "the explanation");
        return 0;
    }
    for (; e->bench_count < count; e->bench_count++) {
        struct run *run = run_twin(e->run, err);
        if (!run)
            return 0;
        run->options.pool = run->math.pool = NULL; // the runs are spread over the threads, not the rows of one
        e->benches[e->bench_count] = (struct explain_bench){.run = run};
    }
    return e->bench_count;
}

bool explain_set_bench(struct explainer *e, int index, const struct intervention list[], int count,
                       const struct intervention *last, struct error *err)
{
    struct explain_bench *bench = &e->benches[index];
    if (count >= bench->capacity) {
        int capacity = 2 * count + 16;
        struct intervention *grown = realloc(bench->list, (size_t)capacity * sizeof *grown);
        if (!grown)
            return error_no_memory(err, "the explanation");
        bench->list = grown;
        bench->capacity = capacity;
    }
    if (count > 0)
        memcpy(bench->list, list, (size_t)count * sizeof *list);
    bench->list[count] = *last;
    bench->count = count + 1;
    return true;
}

struct bench_work {
    struct explainer *explainer;
    const struct run *base;
};

static void try_bench(void *context, int index, int worker)
{
    const struct bench_work *work = context;
    struct explain_bench *bench = &work->explainer->benches[index];
    (void)worker;
    bench->err = (struct error){0};
    bench->done = try_on(bench->run, work->base, bench->list, bench->count, work->base->stage_count - 1, &bench->err);
}

void explain_try_benches(struct explainer *e, const struct run *base, int count)
{
    struct bench_work work = {e, base};
    thread_pool_run(e->run->options.pool, try_bench, &work, count);
}

int explain_first_layer(const struct run *run, int stream)
{
    for (int i = 0; i < run->stage_count; i++)
        if (run->plan[i].touches[stream] && run->plan[i].kind != STAGE_EMBED)
            return i;
    return -1;
}

int explain_label(const struct run *run)
{
    int best = 0;
    for (int a = 1; a < run->model->config.labels; a++)
        if (run->logits[a] > run->logits[best])
            best = a;
    return best;
}

double explain_lead(const struct run *run, int label)
{
    double other = -(double)INFINITY;
    for (int a = 0; a < run->model->config.labels; a++)
        if (a != label && (double)run->logits[a] > other)
            other = (double)run->logits[a];
    double lead = (double)run->logits[label] - other;
    return isnan(lead) ? -(double)INFINITY : lead;
}

bool explain_report(const struct explain_watch *watch, const struct explain_progress *progress, struct error *err)
{
    return !watch || !watch->progress || watch->progress(watch->context, progress) ||
           error_set(err, ERROR_CANCELLED, "stopped");
}

// ---- the verdict

bool explain_place_check(const struct run *run, const struct explain_place *p, struct error *err)
{
    if (p->stage < 0 || p->stage >= run->stage_count || p->stream < 0 || p->stream >= TRACE_STREAMS ||
        (p->stream != TRACE_TEXT_STREAM && p->stream >= run->model->config.pictures))
        return error_set(err, ERROR_USAGE, "there is no such stage or stream in this model");
    const struct stage_plan *plan = &run->plan[p->stage];
    if (!p->is_head)
        return (p->token >= 0 && p->token < run_stream_count(run, p->stream)) ||
               error_set(err, ERROR_USAGE, "the %s has %d tokens; there is no number %d", trace_stream_name(p->stream),
                         run_stream_count(run, p->stream), p->token);
    bool exists = run_has_module(run, p->stage, p->stream, (int)p->module) && p->head >= 0 &&
                  p->head < model_stack_heads(&run->model->config, run_stack(plan, p->stream));
    return exists || error_set(err, ERROR_USAGE, "the stage %s has no such attention head", plan->name);
}

static bool scored(const struct trace *trace, int stage, int stream, int token)
{
    const struct trace_tokens *tokens = &trace->stages[stage].tokens[stream];
    return token < tokens->count && !isnan(tokens->score[token]);
}

static int scoring_stage(const struct trace *trace, const struct explain_place *p)
{
    for (int i = p->stage; i >= 0; i--)
        if (scored(trace, i, p->stream, p->token))
            return i;
    for (int i = p->stage + 1; i < trace->stage_count; i++)
        if (scored(trace, i, p->stream, p->token))
            return i;
    return -1;
}

// By what the person changed up to the stage `last`.
static int forced_by_hand(const struct trace *trace, const struct explain_place *p, int last)
{
    return p->is_head ? trace_head_by_hand(trace, p->stage, p->stream, p->module, p->head)
                      : trace_token_by_hand(trace, last, p->stream, p->token);
}

static double dot(const float *a, const float *b, int width)
{
    double sum = 0;
    for (int i = 0; i < width; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

// The most similar survivor of v->stage, by the states at its input.
static void find_nearest(const struct run *run, struct explain_verdict *v)
{
    const struct stream_state *in = run_input(run, v->stage, v->place.stream);
    const struct trace_tokens *after = &run->trace.stages[v->stage].tokens[v->place.stream];
    int width = run->model->config.width, count = 0;
    const float *x = in ? run_rows(in, 0) : NULL, *own = NULL;
    double sum = 0;
    for (int r = 0; in && r < in->alive; r++)
        if (in->rows[r] == v->place.token)
            own = x + (size_t)r * (size_t)width;
    if (!own)
        return;
    double norm = sqrt(dot(own, own, width));
    for (int r = 0; r < in->alive; r++) {
        const float *row = x + (size_t)r * (size_t)width;
        int token = in->rows[r];
        if (token == 0 || token == v->place.token || !after->alive[token])
            continue;
        double cosine = dot(own, row, width) / (norm * sqrt(dot(row, row, width)));
        sum += cosine;
        count++;
        if (v->nearest < 0 || cosine > (double)v->likeness) {
            v->nearest = token;
            v->likeness = (float)cosine;
        }
    }
    if (count)
        v->likeness_mean = (float)(sum / count);
}

// Where a living token would go: in the stage looked at, or the next that touches its stream, or the last that did.
static int acting_stage(const struct run *run, const struct explain_place *p)
{
    int stage = p->stage;
    while (stage < run->stage_count && !run->plan[stage].touches[p->stream])
        stage++;
    if (stage == run->stage_count)
        for (stage = p->stage; stage > 0 && !run->plan[stage].touches[p->stream];)
            stage--;
    return stage;
}

static void judge_token(const struct run *run, struct explain_verdict *v)
{
    const struct trace *trace = &run->trace;
    const struct explain_place *p = &v->place;
    for (int i = trace->stage_count - 1; i >= 0 && v->died < 0; i--)
        if (p->token < trace->stages[i].tokens[p->stream].count) {
            v->died = trace->stages[i].tokens[p->stream].dropped_at[p->token];
            break;
        }
    v->acts = v->died >= 0 ? v->died : acting_stage(run, p);
    v->stage = p->token > 0 ? scoring_stage(trace, p) : -1;
    if (v->stage < 0)
        return;
    const struct trace_tokens *t = &trace->stages[v->stage].tokens[p->stream];
    v->self = t->self_score[p->token];
    v->cross = t->cross_score[p->token];
    v->score = t->score[p->token];
    v->keep = t->keep[p->token];
    v->threshold = trace_threshold(trace, v->stage, p->stream);
    v->kept = t->alive[p->token];
    v->rank = 1;
    for (int i = 1; i < t->count; i++)
        if (!isnan(t->score[i])) {
            v->of++;
            v->survivors += t->alive[i];
            v->rank += t->score[i] > v->score;
        }
    find_nearest(run, v);
}

static void judge_head(struct explainer *e, const struct run *run, struct explain_verdict *v)
{
    struct forward forward = {.model = run->model, .math = &e->lab->math};
    const struct explain_place *p = &v->place;
    const struct trace_heads *heads = &run->trace.stages[p->stage].heads[p->stream][p->module];
    v->stage = v->acts = p->stage;
    v->kept = heads->on[p->head];
    v->died = v->kept ? -1 : p->stage;
    v->score = heads->score[p->head];
    for (int h = 0; h < heads->count; h++)
        v->survivors += heads->on[h];
    if (isnan(v->score))
        return;
    v->threshold = isnan(run->trace.shift) ? NAN : (float)(0 - run->trace.shift);
    v->keep = isnan(run->trace.shift) ? NAN : 1 / (1 + expf(v->threshold - v->score));
    v->self = v->score; // of self-attention the own CLS alone decides
    if (p->module == MODULE_MCA)
        run_split_head(run, &forward, p->stage, p->stream, p->head, &v->self, &v->cross);
    v->rank = 1;
    for (int h = 0; h < heads->count; h++) {
        v->of += !isnan(heads->score[h]);
        v->rank += heads->score[h] > v->score;
    }
}

bool explain_verdict(struct explainer *e, const struct explain_place *place, struct explain_verdict *v,
                     struct error *err)
{
    *v = (struct explain_verdict){.place = *place, .stage = -1, .died = -1, .self = NAN, .cross = NAN, .score = NAN,
                                  .threshold = NAN, .keep = NAN, .nearest = -1, .likeness = NAN,
                                  .likeness_mean = NAN};
    const struct run *base = explain_base(e, err);
    if (!base || !explain_place_check(base, place, err))
        return false;
    v->forced = forced_by_hand(&base->trace, place, base->stage_count - 1);
    if (place->is_head)
        judge_head(e, base, v);
    else
        judge_token(base, v);
    v->by_hand = v->stage >= 0 && forced_by_hand(&base->trace, place, v->stage) != 0;
    return true;
}

// ---- what if

bool explain_opposite(const struct explain_verdict *v, struct intervention *change)
{
    const struct explain_place *p = &v->place;
    *change = (struct intervention){.stage = v->acts, .stream = p->stream, .token = p->token, .module = p->module,
                                    .head = p->head};
    if (p->is_head) {
        change->token = 0;
        change->kind = v->kept ? INTERVENE_HEAD_OFF : INTERVENE_HEAD_ON;
        return true;
    }
    change->module = MODULE_MSA;
    change->head = 0;
    change->kind = v->died >= 0 ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP;
    return p->token > 0;
}

bool explain_what_if(struct explainer *e, const struct intervention list[], int count, struct explain_effect *effect,
                     struct error *err)
{
    const struct run *base = explain_base(e, err);
    if (!base || !explain_try(e, base, list, count, base->stage_count - 1, err))
        return false;
    int label = explain_label(base);
    double sum = 0, top = (double)e->lab->logits[explain_label(e->lab)];
    for (int a = 0; a < base->model->config.labels; a++)
        sum += exp((double)e->lab->logits[a] - top);
    *effect = (struct explain_effect){
        .before = base->trace.answer,
        .after = e->lab->trace.answer,
        .before_then = (float)(exp((double)e->lab->logits[label] - top) / sum),
        .spent_before = base->trace.spent_macs,
        .spent_after = e->lab->trace.spent_macs,
        .flips = explain_label(e->lab) != label,
    };
    return true;
}
