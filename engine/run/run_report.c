// From a snapshot to the trace.
#include "engine/run/run_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Mean pairwise cosine of n rows, through ‖Σ x̂‖² = n + Σ_{i≠j} cos(i, j). `sum` has room for one row.
static float mean_cosine(const float *x, int n, int width, float *sum)
{
    double total = 0;
    if (n < 2)
        return NAN;
    memset(sum, 0, (size_t)width * sizeof(float));
    for (int r = 0; r < n; r++, x += width) {
        float squares = 0;
        for (int i = 0; i < width; i++)
            squares += x[i] * x[i];
        float scale = squares > 0 ? 1 / sqrtf(squares) : 0;
        for (int i = 0; i < width; i++)
            sum[i] += x[i] * scale;
    }
    for (int i = 0; i < width; i++)
        total += (double)sum[i] * (double)sum[i];
    return (float)((total - n) / ((double)n * (n - 1)));
}

void run_measure_redundancy(struct run *run, int index)
{
    struct snapshot *snapshot = &run->snapshots[index];
    const struct model_config *c = &run->model->config;
    int widest = c->width > model_image_width(c) ? c->width : model_image_width(c);
    double image = 0;
    int pictures = 0;
    size_t mark = run->math.scratch.used;
    float *sum = arena_alloc(&run->math.scratch, (size_t)widest, sizeof(float));
    for (int s = 0; s < TRACE_STREAMS; s++) {
        const struct stream_state *state = &snapshot->streams[s];
        if (!run->plan[index].touches[s] || !state->x[0])
            continue;
        int width = run_stream_is_text(s) ? c->width : model_image_width(c);
        float cosine = mean_cosine(state->x[0], state->alive, width, sum);
        if (run_stream_is_text(s)) {
            snapshot->redundancy_text = cosine;
        } else if (!isnan(cosine)) {
            image += (double)cosine;
            pictures++;
        }
    }
    if (pictures)
        snapshot->redundancy_image = (float)(image / pictures);
    arena_rewind(&run->math.scratch, mark);
}

// Softmax of the logits, for display also where the model was trained with a sigmoid per answer (METER's VQA): the
// order is the same and the numbers of different stages can be compared.
void run_rank_answers(const struct run *run, struct snapshot *snapshot)
{
    int labels = run->model->config.labels, taken[TRACE_ANSWERS];
    const float *logits = run->logits;
    int count = labels < TRACE_ANSWERS ? labels : TRACE_ANSWERS;
    double top = -(double)INFINITY, sum = 0;
    for (int a = 0; a < labels; a++)
        top = (double)logits[a] > top ? (double)logits[a] : top;
    for (int a = 0; a < labels; a++)
        sum += exp((double)logits[a] - top);
    for (int k = 0; k < count; k++) {
        int best = -1;
        for (int a = 0; a < labels; a++) {
            bool used = false;
            for (int j = 0; j < k; j++)
                used = used || taken[j] == a;
            if (!used && (best < 0 || logits[a] > logits[best]))
                best = a;
        }
        taken[k] = best;
        snapshot->answers[k].p = (float)(exp((double)logits[best] - top) / sum);
        char number[TRACE_TEXT];
        trace_set_answer(&snapshot->answers[k], model_answer(run->model, best, number, sizeof number));
    }
    snapshot->answer_count = count;
    if (run->model->config.ranked)
        snapshot->rank = logits[labels];
}

static bool report_tokens(const struct stream_state *state, bool scores, struct trace_tokens *to)
{
    size_t count = (size_t)state->count;
    if (!trace_tokens_alloc(to, state->count))
        return false;
    memset(to->alive, 0, count);
    for (int r = 0; r < state->alive; r++)
        to->alive[state->rows[r]] = 1;
    memcpy(to->dropped_at, state->dropped_at, count * sizeof *to->dropped_at);
    if (scores) {
        memcpy(to->self_score, state->self, count * sizeof(float));
        memcpy(to->cross_score, state->cross, count * sizeof(float));
        memcpy(to->score, state->score, count * sizeof(float));
        memcpy(to->keep, state->keep, count * sizeof(float));
    }
    return true;
}

static double sum_macs(const struct macs *macs) { return (double)flops_total(macs); }

static void report_macs(struct run *run, const struct snapshot *snapshot, struct stage *stage)
{
    struct trace_macs *to = &stage->macs;
    const struct macs *from = &snapshot->spent;
    *to = (struct trace_macs){.dense = sum_macs(&snapshot->dense), .spent = sum_macs(from)};
    to->by[MAC_QKV] = (double)from->qkv;
    to->by[MAC_ATTENTION] = (double)from->attention;
    to->by[MAC_PROJECTION] = (double)from->projection;
    to->by[MAC_FFN] = (double)from->ffn;
    to->by[MAC_TRIMMER] = (double)from->trimmer;
    to->by[MAC_OTHER] = (double)from->other;
    const struct trace_macs *before = run->trace.stage_count > 1 ? &stage[-1].macs : NULL;
    to->cumulative_dense = to->dense + (before ? before->cumulative_dense : 0);
    to->cumulative_spent = to->spent + (before ? before->cumulative_spent : 0);
}

static void report_totals(struct run *run)
{
    struct trace *trace = &run->trace;
    const struct stage *last = &trace->stages[trace->stage_count - 1];
    trace->dense_macs = last->macs.cumulative_dense;
    trace->spent_macs = last->macs.cumulative_spent;
    trace->ms = 0;
    for (int i = 0; i < trace->stage_count; i++)
        trace->ms += trace->stages[i].ms;
    if (last->kind == STAGE_ANSWER && last->answer_count)
        trace->answer = last->answers[0];
}

bool run_report(struct run *run, int index)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct snapshot *snapshot = &run->snapshots[index];
    struct stage *stage = trace_add_stage(&run->trace);
    if (!stage)
        return false;
    memcpy(stage->name, plan->name, sizeof stage->name);
    stage->kind = plan->kind;
    stage->layer = plan->kind == STAGE_DECODE ? plan->word : plan->layer;
    stage->stream = plan->stream;
    for (int s = 0; s < TRACE_STREAMS; s++) {
        // The answer stage touches no stream; it shows who was left at the end.
        bool last = plan->kind == STAGE_ANSWER && plan->input[s] >= 0;
        const struct stream_state *state = last ? run_input(run, index, s) : &snapshot->streams[s];
        if ((last || plan->touches[s]) && !report_tokens(state, !last, &stage->tokens[s])) {
            trace_truncate(&run->trace, index);
            return false;
        }
        for (int m = 0; m < MODULES && plan->touches[s]; m++)
            stage->heads[s][m] = state->heads[m];
    }
    report_macs(run, snapshot, stage);
    stage->ms = snapshot->ms;
    stage->redundancy_image = snapshot->redundancy_image;
    stage->redundancy_text = snapshot->redundancy_text;
    stage->redundancy_heads = snapshot->redundancy_heads;
    memcpy(stage->redundancy_heads_of, snapshot->redundancy_heads_of, sizeof stage->redundancy_heads_of);
    memcpy(stage->answers, snapshot->answers, sizeof stage->answers);
    stage->answer_count = snapshot->answer_count;
    stage->rank = snapshot->rank;
    stage->similarity = snapshot->similarity;
    report_totals(run);
    return true;
}
