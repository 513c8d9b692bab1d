#include "engine/learn/fusion_compact.h"

#include <string.h>

struct compact_rows compact_enter(const struct compact_rows *before, struct rows full)
{
    struct rows rows = before ? before->at : full;
    const int *token = before ? before->token : NULL;
    return (struct compact_rows){.in = rows, .at = rows, .in_token = token, .token = token};
}

void compact_choose(struct tape *tape, struct compact_rows *compact, const real *mask, const real *alive_before)
{
    struct rows in = compact->in;
    if (!mask || !alive_before)
        return;
    int *pick = tape_ints(tape, rows_total(in)), *token = tape_ints(tape, rows_total(in));
    int *first = tape_ints(tape, in.n + 1), taken = 0, longest = 0;
    for (int i = 0; i < in.n; i++) {
        first[i] = taken;
        for (int r = rows_first(in, i); r < rows_first(in, i) + rows_count(in, i); r++) {
            int full = compact->in_token ? compact->in_token[r] : r;
            if (mask[r] == 0 && alive_before[full] == 0)
                continue;
            pick[taken] = r;
            token[taken++] = full;
        }
        longest = taken - first[i] > longest ? taken - first[i] : longest;
    }
    first[in.n] = taken;
    compact->at = (struct rows){.n = in.n, .stride = longest, .first = first};
    compact->pick = pick;
    compact->token = token;
}

const real *compact_take(struct tape *tape, const struct compact_rows *compact, const real *from, int width)
{
    if (!compact->pick)
        return from;
    int count = rows_total(compact->at);
    real *to = tape_alloc(tape, (size_t)count * (size_t)width);
    for (int r = 0; r < count; r++)
        memcpy(to + (size_t)r * (size_t)width, from + (size_t)compact->pick[r] * (size_t)width,
               (size_t)width * sizeof *to);
    return to;
}

void compact_give(const struct compact_rows *compact, real *to, const real *from, int width)
{
    for (int r = 0; r < rows_total(compact->at); r++)
        for (int c = 0; c < width; c++)
            to[(size_t)compact->pick[r] * (size_t)width + (size_t)c] += from[(size_t)r * (size_t)width + (size_t)c];
}

const real *compact_gather(struct tape *tape, const int *token, int count, const real *from)
{
    if (!token || !from)
        return from;
    real *to = tape_alloc(tape, (size_t)count);
    for (int r = 0; r < count; r++)
        to[r] = from[token[r]];
    return to;
}

void compact_scatter(const int *token, int count, real *to, const real *from)
{
    for (int r = 0; token && r < count; r++)
        to[token[r]] += from[r];
}
