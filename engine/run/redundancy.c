#include "engine/run/redundancy.h"

#include "engine/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// values[(stage * REDUNDANCY_SERIES + series) * room + question]; the stages are those of the first trace seen: all
// questions of a set go through one model.
struct gathering {
    struct redundancy *out;
    float *values, *sorted;
    int room, seen, stages;
    struct redundancy_layer *all; // one for each stage
    evaluate_progress *progress;
    evaluate_visit *visit;
    void *context;
    bool no_memory;
};

const char *redundancy_series_name(enum redundancy_series series)
{
    static const char *const names[REDUNDANCY_SERIES] = {"patches", "words", "patch-heads", "word-heads"};
    return (unsigned)series < REDUNDANCY_SERIES ? names[series] : "";
}

float redundancy_value(const struct stage *stage, enum redundancy_series series)
{
    switch (series) {
    case REDUNDANCY_PATCHES: return stage->redundancy_image;
    case REDUNDANCY_WORDS: return stage->redundancy_text;
    case REDUNDANCY_PATCH_HEADS: return stage->redundancy_heads_of[0];
    case REDUNDANCY_WORD_HEADS: return stage->redundancy_heads_of[1];
    default: return NAN;
    }
}

bool redundancy_copy(struct redundancy *to, const struct redundancy *from)
{
    *to = *from;
    to->layers = memory_alloc((size_t)from->layer_count, sizeof *to->layers);
    if (!to->layers) {
        *to = (struct redundancy){0};
        return false;
    }
    if (from->layer_count)
        memcpy(to->layers, from->layers, (size_t)from->layer_count * sizeof *to->layers);
    return true;
}

void redundancy_free(struct redundancy *redundancy)
{
    memory_free(redundancy->layers);
    *redundancy = (struct redundancy){0};
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Linear between the neighbours, as numpy's default.
static float quantile(const float *sorted, int count, double share)
{
    double at = share * (count - 1);
    int below = (int)at, above = below + 1 < count ? below + 1 : below;
    return (float)((double)sorted[below] + (at - below) * (double)(sorted[above] - sorted[below]));
}

static struct redundancy_spread spread_of(const float *values, int count, float *sorted)
{
    struct redundancy_spread spread = {0, NAN, NAN, NAN, NAN, NAN, NAN};
    double sum = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(values[i])) {
            sorted[spread.count++] = values[i];
            sum += (double)values[i];
        }
    if (!spread.count)
        return spread;
    qsort(sorted, (size_t)spread.count, sizeof *sorted, compare_floats);
    spread.mean = (float)(sum / spread.count);
    spread.low = quantile(sorted, spread.count, 0.05);
    spread.lower_quartile = quantile(sorted, spread.count, 0.25);
    spread.median = quantile(sorted, spread.count, 0.5);
    spread.upper_quartile = quantile(sorted, spread.count, 0.75);
    spread.high = quantile(sorted, spread.count, 0.95);
    return spread;
}

static bool make_room(struct gathering *g, const struct trace *trace)
{
    size_t stages = (size_t)trace->stage_count;
    g->all = memory_alloc(stages, sizeof *g->all);
    g->values = memory_alloc(stages * REDUNDANCY_SERIES, (size_t)g->room * sizeof *g->values);
    g->sorted = memory_alloc((size_t)g->room, sizeof *g->sorted);
    if (!g->all || !g->values || !g->sorted)
        return false;
    g->stages = trace->stage_count;
    for (int s = 0; s < g->stages; s++) {
        memcpy(g->all[s].name, trace->stages[s].name, TRACE_NAME);
        g->all[s].kind = trace->stages[s].kind;
        g->all[s].layer = trace->stages[s].layer;
    }
    return true;
}

static void gather(void *context, int index, const struct trace *trace)
{
    struct gathering *g = context;
    if (g->no_memory || (!g->stages && !make_room(g, trace))) {
        g->no_memory = true;
        return;
    }
    for (int s = 0; s < g->stages && s < trace->stage_count; s++)
        for (int k = 0; k < REDUNDANCY_SERIES; k++)
            g->values[(size_t)(s * REDUNDANCY_SERIES + k) * (size_t)g->room + (size_t)g->seen] =
                redundancy_value(&trace->stages[s], (enum redundancy_series)k);
    g->seen++;
    if (g->visit)
        g->visit(g->context, index, trace);
}

static bool pass_on(void *context, int done, int total)
{
    struct gathering *g = context;
    return !g->no_memory && (!g->progress || g->progress(g->context, done, total));
}

// Spreads of what was seen, of the stages that have any; takes over g->all.
static void conclude(struct gathering *g)
{
    struct redundancy *out = g->out;
    *out = (struct redundancy){.inputs = g->seen, .layers = g->all};
    for (int s = 0; s < g->stages; s++) {
        struct redundancy_layer *layer = &g->all[s];
        int known = 0;
        for (int k = 0; k < REDUNDANCY_SERIES; k++) {
            layer->of[k] =
                spread_of(g->values + (size_t)(s * REDUNDANCY_SERIES + k) * (size_t)g->room, g->seen, g->sorted);
            known += layer->of[k].count;
        }
        if (known)
            out->layers[out->layer_count++] = *layer;
    }
    memory_free(g->values);
    memory_free(g->sorted);
}

bool redundancy_of_trace(const struct trace *trace, struct redundancy *out)
{
    struct gathering g = {.out = out, .room = 1};
    if (trace->stage_count > 0)
        gather(&g, 0, trace);
    conclude(&g);
    if (g.no_memory)
        redundancy_free(out);
    return !g.no_memory;
}

bool redundancy_of_set(const struct model *model, const struct question_set *set, const struct run_options *options,
                       evaluate_progress *progress, void *context, struct redundancy *out, struct error *err)
{
    return redundancy_of_set_watched(model, set, options, progress, NULL, context, out, err);
}

bool redundancy_of_set_watched(const struct model *model, const struct question_set *set,
                               const struct run_options *options, evaluate_progress *progress, evaluate_visit *visit,
                               void *context, struct redundancy *out, struct error *err)
{
    struct gathering g = {.out = out, .room = set->count, .progress = progress, .visit = visit, .context = context};
    struct run_options whole = *options;
    struct evaluation *results = memory_alloc((size_t)set->count, sizeof *results);
    whole.bare = false;
    *out = (struct redundancy){0};
    if (!results)
        return error_no_memory(err, "the results");
    bool ok = evaluate_traces(model, set, &whole, pass_on, gather, &g, results, err);
    memory_free(results);
    conclude(&g);
    if (!g.no_memory)
        return ok;
    redundancy_free(out);
    return error_no_memory(err, "the likeness of tokens and heads");
}
