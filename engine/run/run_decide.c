// Which tokens and heads take part in a stage: the policy's scores, its decision, and what the person forced.
#include "engine/prune/trimmer.h"
#include "engine/run/run_private.h"

#include <math.h>
#include <string.h>

static int passes_of(const struct run *run, const struct stage_plan *plan, int stream)
{
    bool each = plan->kind == STAGE_FUSION && run_stream_is_text(stream) && !run_is_blip(run);
    return each ? run->model->config.pictures : 1;
}

// CLS row of the other modality at the input of a stage, NULL where there is none yet.
static const float *context_row(const struct run *run, int index, int stream, int pass)
{
    const struct stage_plan *plan = &run->plan[index];
    int text_end = run_text_stages(&run->model->config) - 1;
    if (plan->kind == STAGE_IMAGE && run_is_blip(run))
        return run->snapshots[0].words.guide;
    if (plan->kind == STAGE_IMAGE)
        return run->snapshots[text_end].streams[TRACE_TEXT_STREAM].x[0];
    if (!run_stage_joint(run, index))
        return NULL;
    if (run_stream_is_text(stream))
        return run_input(run, index, pass)->x[0];
    return run_rows(run_input(run, index, TRACE_TEXT_STREAM), stream);
}

// The words' states beside which a picture is scored.
static const struct stream_state *words_beside(const struct run *run, int index)
{
    int text_end = run_text_stages(&run->model->config) - 1;
    return run->plan[index].kind == STAGE_IMAGE ? &run->snapshots[text_end].streams[TRACE_TEXT_STREAM]
                                                : run_input(run, index, TRACE_TEXT_STREAM);
}

// By what BLIP's words look at a picture: in the image encoder they will by their first layer.
static const struct attention_weights *asking(const struct run *run, int index, int picture)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct layer *layer = &run->model->fusion[FUSION_TEXT][plan->kind == STAGE_IMAGE ? 0 : plan->layer];
    if (!run_is_blip(run))
        return NULL;
    return picture > 0 ? &layer->twin : &layer->mca;
}

// 1 stay, -1 go, 0 as the policy says, per token. Later interventions win.
static void fill_forced(struct run *run, int index, int stream)
{
    size_t count = (size_t)run_stream_count(run, stream);
    memset(run->forced, 0, count);
    for (int i = 0; i < run->trace.intervention_count; i++) {
        const struct intervention *v = &run->trace.interventions[i];
        if (v->stage > index)
            continue;
        if (v->kind == INTERVENE_REOPEN)
            memset(run->forced, 1, count);
        else if (v->stream == stream && v->kind == INTERVENE_TOKEN_KEEP)
            run->forced[v->token] = 1;
        else if (v->stream == stream && v->kind == INTERVENE_TOKEN_DROP)
            run->forced[v->token] = -1;
    }
}

// Scores of the rows of the input state into run->row_scores. With two pictures the words are scored beside each, and
// a word counts for what it is worth to the picture that needs it more, so that both passes keep the same words.
static void score_rows(struct run *run, struct forward *forward, int index, int stream, int *partner)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct stream_state *in = run_input(run, index, stream);
    const struct policy_kind *kind = policy_kind(run->options.policy);
    float *self = run->row_scores[0], *cross = run->row_scores[1], *score = run->row_scores[2];
    int n = in->alive;
    const struct stream_state *words = kind->needs_words ? words_beside(run, index) : NULL;
    for (int p = 0; p < passes_of(run, plan, stream); p++) {
        struct policy_input input = {
            .forward = forward,
            .trimmer = &run->model->trimmers[run_stack(plan, stream)][plan->layer].token,
            .x = run_rows(in, p),
            .rows = n,
            .rows_of = in->rows,
            .context = context_row(run, index, stream, p),
            .words = words ? run_rows(words, stream) : NULL,
            .word_rows = words ? words->alive : 0,
            .asks = words ? asking(run, index, stream) : NULL,
            .stack = run_stack(plan, stream),
            .cls = in->cls,
            .mass = in->mass,
            .partner = partner,
            .seed = run->options.seed * 0x9e3779b97f4a7c15u + (uint64_t)(index * TRACE_STREAMS + stream),
        };
        kind->score(&input, self + p * n, cross + p * n, score + p * n);
    }
    for (int r = 0; passes_of(run, plan, stream) > 1 && r < n; r++)
        if (score[n + r] > score[r]) {
            self[r] = self[n + r];
            cross[r] = cross[n + r];
            score[r] = score[n + r];
        }
}

// Whole numbers in the order of the floats; NaN comes first.
static uint32_t rising(float score)
{
    uint32_t bits;
    score += 0; // -0 is 0
    memcpy(&bits, &score, sizeof bits);
    return isnan(score) ? 0 : bits >> 31 ? ~bits : bits | 0x80000000u;
}

// That of the nth best (from 1) of `count` rows, found byte by byte: one thread alone does this while the others wait.
static uint32_t nth_best(const float *score, const int *rows, int count, int nth)
{
    uint32_t found = 0, known = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        int seen[256] = {0}, byte = 255;
        for (int i = 0; i < count; i++) {
            uint32_t key = rising(score[rows[i]]);
            if ((key & known) == found)
                seen[key >> shift & 255]++;
        }
        for (; nth > seen[byte]; byte--)
            nth -= seen[byte];
        found |= (uint32_t)byte << shift;
        known |= 255u << shift;
    }
    return found;
}

// The `most` best of `count` rows stay, the first among equals: kept[row] of the others is left as it is.
static void keep_best(const float *score, const int *rows, int count, int most, uint8_t *kept)
{
    if (most <= 0 || count <= 0)
        return;
    uint32_t last = nth_best(score, rows, count, most < count ? most : count);
    int left = most;
    for (int i = 0; i < count; i++)
        if (rising(score[rows[i]]) > last) {
            kept[rows[i]] = 1;
            left--;
        }
    for (int i = 0; i < count && left > 0; i++)
        if (rising(score[rows[i]]) == last) {
            kept[rows[i]] = 1;
            left--;
        }
}

// The best rows until `count` of them, CLS included, stay; forced rows are counted first.
static void keep_count(struct run *run, const struct stream_state *in, int count)
{
    int left = count - 1, free = 0;
    for (int r = 1; r < in->alive; r++) {
        int forced = run->forced[in->rows[r]];
        run->kept[r] = forced > 0;
        left -= forced > 0;
        if (!forced)
            run->order[free++] = r;
    }
    keep_best(run->row_scores[2], run->order, free, left, run->kept);
}

static void decide_by_policy(struct run *run, struct forward *forward, int index, int stream,
                             struct stream_state *state)
{
    const struct stream_state *in = run_input(run, index, stream);
    const struct stage_plan *plan = &run->plan[index];
    bool counts = run->budget.keeps_counts;
    score_rows(run, forward, index, stream, state->partner);
    for (int r = 0; r < in->alive; r++) {
        int token = in->rows[r];
        float score = run->row_scores[2][r];
        state->self[token] = run->row_scores[0][r];
        state->cross[token] = run->row_scores[1][r];
        state->score[token] = score;
        if (!counts) {
            state->keep[token] = 1 / (1 + expf(-(score + (float)run->budget.shift)));
            run->kept[r] = score + (float)run->budget.shift >= 0;
        }
    }
    if (counts)
        keep_count(run, in, run->budget.counts.tokens[run_stack(plan, stream)][plan->layer]);
}

void run_decide_tokens(struct run *run, struct forward *forward, int index, int stream)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct stream_state *in = run_input(run, index, stream);
    struct stream_state *state = &run->snapshots[index].streams[stream];
    int count = run_stream_count(run, stream), rows = in ? in->alive : count;
    state->count = count;
    for (int t = 0; t < count; t++) {
        state->partner[t] = -1;
        state->self[t] = state->cross[t] = state->score[t] = state->keep[t] = NAN;
        state->dropped_at[t] = in ? in->dropped_at[t] : -1;
    }
    fill_forced(run, index, stream);
    memset(run->kept, 1, (size_t)rows);
    if (in && run->options.trim_tokens && plan->kind != STAGE_DECODE &&
        policy_trims_tokens(run->options.policy, &run->model->config, run_stack(plan, stream), plan->layer))
        decide_by_policy(run, forward, index, stream, state);
    state->alive = 0;
    for (int r = 0; r < rows; r++) {
        int token = in ? in->rows[r] : r;
        bool stays = token == 0 || (run->forced[token] ? run->forced[token] > 0 : run->kept[r]);
        if (stays)
            state->rows[state->alive++] = token;
        else
            state->dropped_at[token] = (int16_t)index;
    }
}

static void force_heads(const struct run *run, int index, int stream, int module, struct trace_heads *heads)
{
    for (int i = 0; i < run->trace.intervention_count; i++) {
        const struct intervention *v = &run->trace.interventions[i];
        if (v->kind == INTERVENE_REOPEN && v->stage <= index)
            memset(heads->on, 1, (size_t)heads->count);
        else if (v->stage == index && v->stream == stream && (int)v->module == module &&
                 (v->kind == INTERVENE_HEAD_ON || v->kind == INTERVENE_HEAD_OFF))
            heads->on[v->head] = v->kind == INTERVENE_HEAD_ON;
    }
}

static void score_heads(struct run *run, struct forward *forward, int index, int stream, bool mca,
                        struct trace_heads *heads)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct stream_state *in = run_input(run, index, stream);
    const struct trimmer *trimmer = &run->model->trimmers[run_stack(plan, stream)][plan->layer];
    for (int p = 0; p < passes_of(run, plan, stream); p++) {
        float logits[TRACE_HEADS];
        trimmer_score_heads(forward, mca ? &trimmer->mca : &trimmer->msa, run_rows(in, p),
                            mca ? context_row(run, index, stream, p) : NULL, logits);
        for (int h = 0; h < heads->count; h++)
            if (p == 0 || logits[h] > heads->score[h])
                heads->score[h] = logits[h];
    }
}

void run_split_head(const struct run *run, struct forward *forward, int index, int stream, int head, float *self,
                    float *cross)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct stream_state *in = run_input(run, index, stream);
    const struct head_trimmer *trimmer = &run->model->trimmers[run_stack(plan, stream)][plan->layer].mca;
    float best = 0;
    for (int p = 0; p < passes_of(run, plan, stream); p++) { // the pass that gave the score
        float logits[TRACE_HEADS], own[TRACE_HEADS];
        const float *other = context_row(run, index, stream, p);
        trimmer_score_heads(forward, trimmer, run_rows(in, p), other, logits);
        trimmer_split_heads(forward, trimmer, run_rows(in, p), other, own);
        if (p > 0 && logits[head] <= best)
            continue;
        best = logits[head];
        *self = own[head];
        *cross = logits[head] - own[head];
    }
}

static void choose_heads(const struct run *run, int index, int stream, bool mca, struct trace_heads *heads)
{
    const struct stage_plan *plan = &run->plan[index];
    enum model_stack stack = run_stack(plan, stream);
    int all[TRACE_HEADS];
    if (!run->budget.keeps_counts) {
        for (int h = 0; h < heads->count; h++)
            heads->on[h] = heads->score[h] + (float)run->budget.shift >= 0;
        return;
    }
    int count = (mca ? run->budget.counts.mca : run->budget.counts.msa)[stack][plan->layer];
    for (int h = 0; h < heads->count; h++) {
        all[h] = h;
        heads->on[h] = 0;
    }
    keep_best(heads->score, all, heads->count, count, heads->on);
}

void run_decide_heads(struct run *run, struct forward *forward, int index, int stream)
{
    const struct stage_plan *plan = &run->plan[index];
    struct stream_state *state = &run->snapshots[index].streams[stream];
    for (int m = 0; m < MODULES; m++) {
        struct trace_heads *heads = &state->heads[m];
        bool mca = m == MODULE_MCA;
        heads->count = 0;
        if (!run_has_module(run, index, stream, m))
            continue;
        heads->count = model_stack_heads(&run->model->config, run_stack(plan, stream));
        for (int h = 0; h < heads->count; h++) {
            heads->score[h] = NAN;
            heads->on[h] = 1;
        }
        if (m != MODULE_MCA2 && run->options.trim_heads &&
            policy_trims_heads(run->options.policy, &run->model->config, run_stack(plan, stream), plan->layer, mca)) {
            score_heads(run, forward, index, stream, mca, heads);
            choose_heads(run, index, stream, mca, heads);
        }
        force_heads(run, index, stream, m, heads);
    }
}
