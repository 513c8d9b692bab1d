// What pulls a score up or down: the same run without one word, or without one block of the picture.
#include "engine/run/explain_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_PER_SIDE = 4 };

// Whether the score of a stream in a stage can hang on the other modality.
static bool sees_other(const struct run *run, int stage, int stream)
{
    return run_stage_joint(run, stage) ||
           (!run_stream_is_text(stream) && run_stage_guided(run, run->options.policy, stage));
}

static void list_words(const struct run *run, const struct explain_place *place, struct explain_pulls *pulls)
{
    for (int t = 1; t < run->trace.token_count && pulls->count < EXPLAIN_PULLS; t++) {
        const struct trace_token *token = &run->trace.tokens[t];
        bool itself = !place->is_head && run_stream_is_text(place->stream) && place->token == t;
        bool word = token->from < token->to || run->model->tokenizer == NULL;
        if (word && !itself)
            pulls->list[pulls->count++] = (struct explain_pull){.stream = TRACE_TEXT_STREAM, .token = t};
    }
}

static void list_blocks(const struct run *run, int from, int to, struct explain_pulls *pulls)
{
    int grid = model_grid(&run->model->config), side = (grid + BLOCKS_PER_SIDE - 1) / BLOCKS_PER_SIDE;
    for (int p = from; p < to; p++)
        for (int row = 0; row < grid; row += side)
            for (int column = 0; column < grid && pulls->count < EXPLAIN_PULLS; column += side)
                pulls->list[pulls->count++] =
                    (struct explain_pull){.stream = p, .token = -1, .row = row, .column = column,
                                          .rows = row + side > grid ? grid - row : side,
                                          .columns = column + side > grid ? grid - column : side};
}

static void list_pulls(const struct run *run, const struct explain_verdict *v, enum explain_side side,
                       struct explain_pulls *pulls)
{
    bool text = run_stream_is_text(v->place.stream), other = sees_other(run, v->stage, v->place.stream);
    pulls->words = text == (side == EXPLAIN_OWN);
    if (side == EXPLAIN_OTHER ? !other : !text && other)
        return;
    if (pulls->words)
        list_words(run, &v->place, pulls);
    else
        list_blocks(run, text ? 0 : v->place.stream, text ? run->model->config.pictures : v->place.stream + 1, pulls);
}

// The changes that leave the pull's tokens out, and hold the token in question where it has been; returns how many.
static int leave_out(const struct run *run, const struct explain_verdict *v, const struct explain_pull *pull,
                     struct intervention *list)
{
    int grid = model_grid(&run->model->config), count = 0;
    int first = explain_first_layer(run, pull->stream);
    struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = first, .stream = pull->stream};
    if (pull->token >= 0) {
        drop.token = pull->token;
        list[count++] = drop;
    }
    for (int r = pull->row; pull->token < 0 && r < pull->row + pull->rows; r++)
        for (int c = pull->column; c < pull->column + pull->columns; c++) {
            drop.token = 1 + r * grid + c;
            list[count++] = drop;
        }
    if (!v->place.is_head)
        list[count++] = (struct intervention){.kind = INTERVENE_TOKEN_KEEP,
                                              .stage = explain_first_layer(run, v->place.stream),
                                              .stream = v->place.stream,
                                              .token = v->place.token};
    return count;
}

static void measure(const struct run *lab, const struct explain_verdict *v, struct explain_pull *pull)
{
    const struct explain_place *p = &v->place;
    const struct stage *stage = &lab->trace.stages[v->stage];
    float score, threshold = v->threshold;
    pull->self = pull->cross = NAN;
    if (p->is_head) {
        score = stage->heads[p->stream][p->module].score[p->head];
    } else {
        const struct trace_tokens *t = &stage->tokens[p->stream];
        score = t->score[p->token];
        pull->self = v->self - t->self_score[p->token];
        pull->cross = v->cross - t->cross_score[p->token];
        if (isnan(lab->trace.shift))
            threshold = trace_threshold(&lab->trace, v->stage, p->stream);
    }
    pull->score = v->score - score;
    pull->decides = !v->by_hand && (score >= threshold) != (v->score >= v->threshold);
}

bool explain_pulls(struct explainer *e, const struct explain_verdict *v, enum explain_side side,
                   const struct explain_watch *watch, struct explain_pulls *pulls, struct error *err)
{
    *pulls = (struct explain_pulls){0};
    if (v->stage < 0 || isnan(v->score))
        return true; // no score, nothing that pulls at it
    const struct run *base = explain_base(e, err);
    if (!base)
        return false;
    list_pulls(base, v, side, pulls);
    int grid = model_grid(&base->model->config);
    struct intervention *list = malloc(((size_t)(grid * grid) + 2) * sizeof *list);
    bool ok = list != NULL || error_no_memory(err, "what pulls at the score");
    for (int i = 0; ok && i < pulls->count; i++) {
        int count = leave_out(base, v, &pulls->list[i], list);
        ok = explain_try(e, base, list, count, v->stage, err);
        if (!ok)
            break;
        measure(e->lab, v, &pulls->list[i]);
        struct explain_progress progress = {EXPLAIN_PULLING, i + 1, pulls->count, i + 1, 0};
        ok = explain_report(watch, &progress, err);
    }
    free(list);
    if (!ok)
        pulls->count = 0;
    return ok;
}
