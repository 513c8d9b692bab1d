#include "engine/run/compare.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

int compare_stages(const struct comparison *comparison)
{
    int least = 0;
    for (int r = 0; r < comparison->count; r++)
        if (r == 0 || comparison->runs[r]->stage_count < least)
            least = comparison->runs[r]->stage_count;
    return least;
}

static int stream_count(const struct trace *trace, int stream)
{
    if (stream == TRACE_TEXT_STREAM)
        return trace->token_count;
    return stream < trace->picture_count ? trace->pictures[stream].grid_rows * trace->pictures[stream].grid_columns + 1
                                         : 0;
}

unsigned compare_alive(const struct comparison *comparison, int stage, int stream, int token)
{
    unsigned alive = 0;
    for (int r = 0; r < comparison->count; r++) {
        const struct trace *trace = comparison->runs[r];
        const struct trace_tokens *tokens = trace_tokens_at(trace, stage, stream);
        if (token < stream_count(trace, stream) && (!tokens || token >= tokens->count || tokens->alive[token]))
            alive |= 1U << r;
    }
    return alive;
}

void compare_patches(const struct comparison *comparison, int stage, struct compare_patches *out)
{
    *out = (struct compare_patches){0};
    if (comparison->count == 0)
        return;
    unsigned everywhere = (1U << comparison->count) - 1;
    for (int p = 0; p < comparison->runs[0]->picture_count; p++) {
        int patches = stream_count(comparison->runs[0], p) - 1;
        out->count += patches;
        for (int i = 1; i <= patches; i++)
            out->sets[compare_alive(comparison, stage, p, i)]++;
    }
    for (unsigned set = 1; set <= everywhere; set++)
        for (int r = 0; r < comparison->count; r++)
            if (set & 1U << r)
                out->alive[r] += out->sets[set];
    for (int r = 0; r < comparison->count; r++)
        out->only[r] = out->sets[1U << r];
    out->all = out->sets[everywhere];
}

enum compare_mark compare_mark(unsigned alive, int run)
{
    unsigned here = alive & 1U << run, elsewhere = alive & ~(1U << run);
    if (here)
        return elsewhere ? COMPARE_SHARED : COMPARE_ONLY;
    return elsewhere ? COMPARE_ELSEWHERE : COMPARE_NOWHERE;
}

static json_t *numbers(const int *values, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_integer(values[i]));
    return list;
}

static json_t *stage_json(const struct comparison *comparison, int stage)
{
    struct compare_patches patches;
    compare_patches(comparison, stage, &patches);
    return json_pack("{s:s, s:{s:i, s:o, s:o, s:i, s:i}}", "name", comparison->runs[0]->stages[stage].name, "patches",
                     "count", patches.count, "alive", numbers(patches.alive, comparison->count), "only",
                     numbers(patches.only, comparison->count), "all", patches.all, "none", patches.sets[0]);
}

// The runs as they write themselves, so that a number is the same here and there.
static bool put_runs(FILE *out, const struct comparison *comparison)
{
    for (int r = 0; r < comparison->count; r++) {
        char *text = trace_to_json(comparison->runs[r]);
        if (!text)
            return false;
        fputs(r > 0 ? "," : "", out);
        fputs(text, out);
        free(text);
    }
    return true;
}

static bool put_stages(FILE *out, const struct comparison *comparison)
{
    for (int i = 0; i < compare_stages(comparison); i++) {
        json_t *stage = stage_json(comparison, i);
        fputs(i > 0 ? ",\n" : "", out);
        bool ok = stage && json_dumpf(stage, out, 0) == 0;
        json_decref(stage);
        if (!ok)
            return false;
    }
    return true;
}

char *compare_to_json(const struct comparison *comparison)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fputs("{ \"trimscope_compare\": 1,\n\"runs\": [\n", out);
    bool ok = put_runs(out, comparison);
    fputs("],\n\"stages\": [\n", out);
    ok = ok && put_stages(out, comparison);
    fputs("]}\n", out);
    ok = !ferror(out) && ok;
    if (fclose(out) == 0 && ok)
        return text;
    free(text);
    return NULL;
}
