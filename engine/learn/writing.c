#include "engine/learn/writing.h"

#include "engine/learn/objective.h"

#include <string.h>

void writing_start(struct writing *writing, int end)
{
    *writing = (struct writing){.end = end};
}

void writing_add(struct writing *writing, int first, int most, const int *words, int count)
{
    int a = writing->answers++;
    writing->words[a][0] = first;
    writing->count[a] = 1;
    writing->most[a] = most;
    writing->given[a] = writing->finished[a] = words != NULL;
    if (!words)
        return;
    memcpy(writing->words[a] + 1, words, (size_t)count * sizeof *words);
    writing->count[a] += count;
}

struct rows writing_lay_out(struct writing *writing)
{
    int rows = 0, longest = 0;
    for (int a = 0; a < writing->answers; a++) {
        int count = writing->count[a];
        const int *words = writing->words[a];
        writing->first[a] = rows;
        longest = count > longest ? count : longest;
        for (int w = 0; w < count; w++, rows++) {
            writing->ids[rows] = words[w];
            writing->wanted[rows] = !writing->given[a] ? -1 : w + 1 < count ? words[w + 1] : writing->end;
        }
    }
    writing->first[writing->answers] = rows;
    return (struct rows){.n = writing->answers, .stride = longest, .first = writing->first};
}

bool writing_unfinished(const struct writing *writing)
{
    for (int a = 0; a < writing->answers; a++)
        if (!writing->finished[a])
            return true;
    return false;
}

void writing_continue(struct writing *writing, const real *logits, int vocabulary)
{
    for (int a = 0; a < writing->answers; a++) {
        if (writing->finished[a])
            continue;
        const real *last = logits + (size_t)(writing->first[a + 1] - 1) * (size_t)vocabulary;
        int next = objective_best(last, vocabulary);
        writing->finished[a] = next == writing->end || writing->count[a] == writing->most[a];
        if (!writing->finished[a])
            writing->words[a][writing->count[a]++] = next;
    }
}
