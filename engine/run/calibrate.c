#include "engine/run/calibrate.h"

#include "engine/run/run_private.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SHIFTS = 50, SHIFTS = 100, SCOUTS = 32 }; // shifts tried; samples whose scores say which are first
static const double KEEP_ALL = 1e6;
static const double STEP = 0.004; // points closer in share than this say nothing new
static const double GAP = 0.015;  // points farther apart than this get one between them

// What one sample spends and keeps under one shift.
struct measure {
    double share;
    float profile[BUDGET_PROFILE];
};

struct calibration {
    const struct model *model;
    const struct calibration_sample *samples;
    int count;
    const atomic_bool *stop;
    struct run **runs; // one per worker, made at its first sample
    struct error *errors; // one per worker
    enum policy policy;
    double shifts[SHIFTS];
    int shift_count, measured; // shifts before `measured` are done
    struct measure *measures;  // (workers, SHIFTS): sums over a worker's samples, then means in worker 0's
    float *scores;            // of the scouts
    size_t score_count, score_limit;
};

static struct run *take_run(struct calibration *c, int index, int worker)
{
    struct error *err = &c->errors[worker];
    const struct calibration_sample *sample = &c->samples[index];
    int pictures = c->model->config.pictures;
    struct run *run = c->runs[worker];
    if (err->code)
        return NULL;
    if (!run) {
        struct run_options options = run_options_default();
        options.stop = c->stop;
        return c->runs[worker] = run_new(c->model, sample->pictures, pictures, sample->question, &options, err);
    }
    return run_show(run, sample->pictures, pictures, err) && run_ask(run, sample->question, err) ? run : NULL;
}

static bool finish(struct run *run, struct error *err)
{
    while (run_step(run, err))
        continue;
    return run_finished(run);
}

static void scout(void *context, int index, int worker)
{
    struct calibration *c = context;
    struct run *run = take_run(c, index, worker);
    if (!run)
        return;
    run_set_shift(run, c->policy, KEEP_ALL);
    if (!finish(run, &c->errors[worker]))
        return;
    const struct trace *trace = run_trace(run);
    for (int i = 0; i < trace->stage_count; i++)
        for (int s = 0; s < TRACE_STREAMS; s++) {
            const struct trace_tokens *tokens = &trace->stages[i].tokens[s];
            for (int t = 1; t < tokens->count; t++)
                if (isfinite(tokens->score[t]) && c->score_count < c->score_limit)
                    c->scores[c->score_count++] = tokens->score[t];
        }
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Quantiles of the scores as shifts, 0, and both ends beyond the last score.
static bool choose_shifts(struct calibration *c, struct error *err)
{
    int scouts = c->count < SCOUTS ? c->count : SCOUTS;
    c->score_count = 0;
    for (int i = 0; i < scouts; i++) // on one worker: they share the list
        scout(c, i, 0);
    if (c->errors[0].code)
        return error_set(err, c->errors[0].code, "%s", c->errors[0].text);
    if (c->score_count == 0)
        return error_set(err, ERROR_INPUT, "the model has no token trimmers, so there is nothing to calibrate");
    qsort(c->scores, c->score_count, sizeof *c->scores, by_value);
    size_t last = c->score_count - 1;
    c->shift_count = c->measured = 0;
    for (int q = 0; q < FIRST_SHIFTS - 3; q++)
        c->shifts[c->shift_count++] = -(double)c->scores[last * (size_t)q / (FIRST_SHIFTS - 4)];
    c->shifts[c->shift_count++] = 0;
    c->shifts[c->shift_count++] = -(double)c->scores[last] - 0.1;
    c->shifts[c->shift_count++] = -(double)c->scores[0] + 4; // heads, whose logits may be lower
    return true;
}

static int live(const struct trace_heads *heads)
{
    int on = 0;
    for (int h = 0; h < heads->count; h++)
        on += heads->on[h];
    return on;
}

static void add_measure(const struct run *run, struct measure *measure)
{
    const struct model_config *c = &run->model->config;
    const struct trace *trace = run_trace(run);
    measure->share += trace->spent_macs / trace->dense_macs;
    for (int i = 0; i < trace->stage_count; i++) {
        const struct stage_plan *plan = &run->plan[i];
        for (int s = 0; s < TRACE_STREAMS; s++) {
            const struct stream_state *state = &run->snapshots[i].streams[s];
            if (!plan->touches[s] || plan->layer < 0)
                continue;
            float weight = run_stream_is_text(s) ? 1 : 1 / (float)c->pictures;
            float *f = measure->profile + budget_profile_index(c, run_stack(plan, s), plan->layer);
            f[0] += weight * (float)(state->alive - 1) / (float)(state->count > 1 ? state->count - 1 : 1);
            f[1] += weight * (float)live(&state->heads[MODULE_MSA]) / (float)c->heads;
            f[2] += weight * (plan->kind == STAGE_FUSION ? (float)live(&state->heads[MODULE_MCA]) / (float)c->heads : 1);
        }
    }
}

static void measure_sample(void *context, int index, int worker)
{
    struct calibration *c = context;
    struct run *run = take_run(c, index, worker);
    for (int i = c->measured; run && i < c->shift_count; i++) {
        run_set_shift(run, c->policy, c->shifts[i]);
        if (!finish(run, &c->errors[worker]))
            return;
        add_measure(run, &c->measures[worker * SHIFTS + i]);
    }
}

// Means over all samples of the shifts that are new, in the measures of worker 0.
static bool measure_new(struct calibration *c, struct thread_pool *pool, int workers, struct error *err)
{
    for (int w = 0; w < workers; w++)
        memset(&c->measures[w * SHIFTS + c->measured], 0,
               (size_t)(c->shift_count - c->measured) * sizeof *c->measures);
    thread_pool_run(pool, measure_sample, c, c->count);
    for (int w = 0; w < workers; w++)
        if (c->errors[w].code)
            return error_set(err, c->errors[w].code, "%s", c->errors[w].text);
    for (int i = c->measured; i < c->shift_count; i++) {
        struct measure *sum = &c->measures[i];
        for (int w = 1; w < workers; w++) {
            sum->share += c->measures[w * SHIFTS + i].share;
            for (int k = 0; k < BUDGET_PROFILE; k++)
                sum->profile[k] += c->measures[w * SHIFTS + i].profile[k];
        }
        sum->share /= c->count;
        for (int k = 0; k < BUDGET_PROFILE; k++)
            sum->profile[k] /= (float)c->count;
    }
    c->measured = c->shift_count;
    return true;
}

// Indices of the measured shifts by rising shift.
static void sort_shifts(const struct calibration *c, int *order)
{
    for (int i = 0; i < c->measured; i++) {
        int at = i;
        for (; at > 0 && c->shifts[order[at - 1]] > c->shifts[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

// New shifts in the middle of neighbours whose shares lie far apart; false when there are none.
static bool fill_gaps(struct calibration *c)
{
    int order[SHIFTS];
    sort_shifts(c, order);
    for (int i = 1; i < c->measured && c->shift_count < SHIFTS; i++) {
        double low = c->shifts[order[i - 1]], high = c->shifts[order[i]];
        if (fabs(c->measures[order[i]].share - c->measures[order[i - 1]].share) > GAP && high - low > 1e-5)
            c->shifts[c->shift_count++] = (low + high) / 2;
    }
    return c->shift_count > c->measured;
}

static double rounded(double value) { return round(value * 1e5) / 1e5; }

static void append(json_t *list, double share, json_t *value)
{
    json_array_append_new(list, json_pack("[f, o]", rounded(share), value));
}

// The curves of the measured shifts; shares must rise, so that they can be turned round.
static void write_curves(const struct calibration *c, json_t *root)
{
    json_t *shifts = json_array(), *profiles = json_array();
    int size = budget_profile_size(&c->model->config), order[SHIFTS];
    double before = -1;
    sort_shifts(c, order);
    for (int i = 0; i < c->measured; i++) {
        const struct measure *m = &c->measures[order[i]];
        if (m->share < before + STEP)
            continue;
        before = m->share;
        append(shifts, m->share, json_real(rounded(c->shifts[order[i]])));
        json_t *profile = json_array();
        for (int k = 0; k < size; k++)
            json_array_append_new(profile, json_real(rounded((double)m->profile[k])));
        append(profiles, m->share, profile);
    }
    json_object_set_new(root, policy_name(c->policy), shifts);
    if (c->policy == POLICY_LEARNED)
        json_object_set_new(root, policy_name(POLICY_LEARNED_FIXED), profiles);
    else
        json_decref(profiles);
}

char *calibrate(const struct model *model, const struct calibration_sample *samples, int count,
                struct thread_pool *pool, const atomic_bool *stop, struct error *err)
{
    int workers = pool ? thread_pool_workers(pool) : 1;
    struct calibration c = {.model = model, .samples = samples, .count = count, .stop = stop, .score_limit = 1 << 20};
    json_t *root = json_object();
    char *text = NULL;
    c.runs = memory_alloc((size_t)workers, sizeof(struct run *));
    c.errors = memory_alloc((size_t)workers, sizeof *c.errors);
    c.measures = memory_alloc((size_t)workers * SHIFTS, sizeof *c.measures);
    c.scores = memory_alloc(c.score_limit, sizeof *c.scores);
    bool ok = count > 0 || error_set(err, ERROR_INPUT, "a calibration needs at least one question");
    if (ok && (!root || !c.runs || !c.errors || !c.measures || !c.scores))
        ok = error_no_memory(err, "a calibration");
    for (int p = 0; ok && p < 2; p++) {
        c.policy = p == 0 ? POLICY_LEARNED : POLICY_LEARNED_SELF;
        ok = choose_shifts(&c, err) && measure_new(&c, pool, workers, err);
        while (ok && fill_gaps(&c))
            ok = measure_new(&c, pool, workers, err);
        if (ok)
            write_curves(&c, root);
    }
    if (ok && !(text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(7))))
        error_no_memory(err, "a calibration");
    for (int w = 0; c.runs && w < workers; w++)
        run_free(c.runs[w]);
    json_decref(root);
    memory_free(c.runs);
    memory_free(c.errors);
    memory_free(c.measures);
    memory_free(c.scores);
    return text;
}
