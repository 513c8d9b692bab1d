#include "engine/run/compare.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// What follows from sets[].
static void sum_up(struct compare_sets *out, int runs)
{
    unsigned everywhere = (1U << runs) - 1;
    for (unsigned set = 1; set <= everywhere; set++)
        for (int r = 0; r < runs; r++)
            if (set & 1U << r)
                out->alive[r] += out->sets[set];
    for (int r = 0; r < runs; r++)
        out->only[r] = out->sets[1U << r];
    out->all = out->sets[everywhere];
}

void compare_patches(const struct comparison *comparison, int stage, struct compare_sets *out)
{
    *out = (struct compare_sets){0};
    if (comparison->count == 0)
        return;
    for (int p = 0; p < comparison->runs[0]->picture_count; p++) {
        int patches = stream_count(comparison->runs[0], p) - 1;
        out->count += patches;
        for (int i = 1; i <= patches; i++)
            out->sets[compare_alive(comparison, stage, p, i)]++;
    }
    sum_up(out, comparison->count);
}

unsigned compare_head(const struct comparison *comparison, int stage, int stream, enum attention_module module, int head)
{
    unsigned alive = 0;
    for (int r = 0; r < comparison->count; r++) {
        const struct trace *trace = comparison->runs[r];
        const struct trace_heads *heads = stage < trace->stage_count ? &trace->stages[stage].heads[stream][module] : NULL;
        if (heads && head < heads->count && heads->on[head])
            alive |= 1U << r;
    }
    return alive;
}

void compare_heads(const struct comparison *comparison, int stage, struct compare_sets *out)
{
    *out = (struct compare_sets){0};
    if (comparison->count == 0 || stage >= compare_stages(comparison))
        return;
    for (int s = 0; s < TRACE_STREAMS; s++)
        for (int m = 0; m < MODULES; m++) {
            int heads = comparison->runs[0]->stages[stage].heads[s][m].count;
            out->count += heads;
            for (int h = 0; h < heads; h++)
                out->sets[compare_head(comparison, stage, s, (enum attention_module)m, h)]++;
        }
    sum_up(out, comparison->count);
}

// ---- words

// A token by what a person calls it: two questions write the same word alike, wherever it stands.
static bool same_word(const struct trace *a, int i, const struct trace *b, int j)
{
    bool special = a->tokens[i].from >= a->tokens[i].to, other_special = b->tokens[j].from >= b->tokens[j].to;
    return special == other_special && !strcmp(a->tokens[i].text, b->tokens[j].text);
}

int compare_word_in(const struct comparison *comparison, int run, int token, int other)
{
    const struct trace *a = comparison->runs[run], *b = comparison->runs[other];
    if (token < 0 || token >= a->token_count)
        return -1;
    if (a == b || (a->token_count == b->token_count && !strcmp(a->question, b->question)))
        return token;
    int before = 0; // of the same name
    for (int t = 0; t < token; t++)
        before += same_word(a, t, a, token);
    for (int t = 0; t < b->token_count; t++)
        if (same_word(a, token, b, t) && before-- == 0)
            return t;
    return -1;
}

unsigned compare_word(const struct comparison *comparison, int stage, int run, int token, unsigned *having)
{
    unsigned alive = 0;
    *having = 0;
    for (int r = 0; r < comparison->count; r++) {
        int own = compare_word_in(comparison, run, token, r);
        const struct trace_tokens *tokens = trace_tokens_at(comparison->runs[r], stage, TRACE_TEXT_STREAM);
        if (own < 0)
            continue;
        *having |= 1U << r;
        if (!tokens || own >= tokens->count || tokens->alive[own])
            alive |= 1U << r;
    }
    return alive;
}

int compare_words_in_all(const struct comparison *comparison, int stage)
{
    unsigned everywhere = (1U << comparison->count) - 1, having;
    int count = 0;
    for (int t = 0; comparison->count > 0 && t < comparison->runs[0]->token_count; t++)
        count += compare_word(comparison, stage, 0, t, &having) == everywhere;
    return count;
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

static json_t *sets_json(const struct compare_sets *sets, int runs)
{
    return json_pack("{s:i, s:o, s:o, s:i, s:i}", "count", sets->count, "alive", numbers(sets->alive, runs), "only",
                     numbers(sets->only, runs), "all", sets->all, "none", sets->sets[0]);
}

static json_t *words_json(const struct comparison *comparison, int stage)
{
    int count[COMPARE_RUNS], alive[COMPARE_RUNS] = {0};
    for (int r = 0; r < comparison->count; r++) {
        const struct trace_tokens *tokens = trace_tokens_at(comparison->runs[r], stage, TRACE_TEXT_STREAM);
        count[r] = comparison->runs[r]->token_count;
        for (int t = 0; t < count[r]; t++)
            alive[r] += !tokens || t >= tokens->count || tokens->alive[t];
    }
    return json_pack("{s:o, s:o}", "count", numbers(count, comparison->count), "alive",
                     numbers(alive, comparison->count));
}

static json_t *stage_json(const struct comparison *comparison, int stage)
{
    struct compare_sets patches, heads;
    compare_patches(comparison, stage, &patches);
    compare_heads(comparison, stage, &heads);
    return json_pack("{s:s, s:o, s:o, s:o}", "name", comparison->runs[0]->stages[stage].name, "patches",
                     sets_json(&patches, comparison->count), "heads", sets_json(&heads, comparison->count), "words",
                     words_json(comparison, stage));
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
