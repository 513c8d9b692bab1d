#include "engine/model/beam.h"

#include "engine/math/math.h"

#include <string.h>

enum { CHOICES = 2 * BEAMS_MOST };

struct choice {
    int beam, token;
    float total;
};

void beam_start(struct beam_search *search, int beams, const int *start, int count, int min_length, int max_length,
                int end)
{
    *search = (struct beam_search){
        .beams = beams, .length = count, .min_length = min_length, .max_length = max_length, .end = end, .worst = 1e9};
    for (int b = 0; b < search->beams; b++) {
        memcpy(search->ids[b], start, (size_t)count * sizeof *start);
        search->scores[b] = b == 0 ? 0 : -1e9f;
        search->parent[b] = b;
    }
}

// The best continuations of all beams, twice as many as there are beams, descending; the lower beam and token first among equals.
static int choose(const struct beam_search *search, const float *logits, int vocabulary, struct choice best[CHOICES])
{
    int count = 0, most = 2 * search->beams;
    for (int b = 0; b < search->beams; b++) {
        const float *z = logits + (long)b * vocabulary;
        float whole = (float)log_sum_exp(z, vocabulary, NULL);
        for (int t = 0; t < vocabulary; t++) {
            float total = z[t] - whole + search->scores[b];
            if (t == search->end && search->length < search->min_length)
                continue;
            if (count == most && !(total > best[count - 1].total))
                continue;
            int at = count < most ? count++ : count - 1;
            for (; at > 0 && total > best[at - 1].total; at--)
                best[at] = best[at - 1];
            best[at] = (struct choice){b, t, total};
        }
    }
    return count;
}

static void forget_worst(struct beam_search *search)
{
    int worst = 0;
    for (int h = 1; h < search->kept_count; h++)
        if (search->kept[h].score < search->kept[worst].score)
            worst = h;
    search->kept_count--;
    for (int h = worst; h < search->kept_count; h++)
        search->kept[h] = search->kept[h + 1];
    search->worst = search->kept[0].score;
    for (int h = 1; h < search->kept_count; h++)
        search->worst = search->kept[h].score < search->worst ? search->kept[h].score : search->worst;
}

static void keep(struct beam_search *search, int beam, float total)
{
    double score = (double)total / search->length;
    if (search->kept_count >= search->beams && !(score > search->worst))
        return;
    struct hypothesis *h = &search->kept[search->kept_count++];
    memcpy(h->ids, search->ids[beam], sizeof h->ids);
    h->length = search->length;
    h->score = score;
    if (search->kept_count > search->beams)
        forget_worst(search);
    else if (score < search->worst)
        search->worst = score;
}

void beam_step(struct beam_search *search, const float *logits, int vocabulary)
{
    struct choice best[CHOICES];
    int count = choose(search, logits, vocabulary, best), next = 0, ids[BEAMS_MOST][BEAM_LENGTH];
    struct choice chosen[BEAMS_MOST];
    for (int rank = 0; rank < count && next < search->beams; rank++) {
        if (best[rank].token != search->end)
            chosen[next++] = best[rank];
        else if (rank < search->beams)
            keep(search, best[rank].beam, best[rank].total);
    }
    bool done = search->kept_count >= search->beams && search->worst >= (double)best[0].total / search->length;
    memcpy(ids, search->ids, sizeof ids);
    for (int b = 0; b < next; b++) {
        memcpy(search->ids[b], ids[chosen[b].beam], sizeof ids[b]);
        search->ids[b][search->length] = chosen[b].token;
        search->parent[b] = chosen[b].beam;
        search->scores[b] = chosen[b].total;
    }
    search->length++;
    if (!done && search->length >= search->max_length)
        for (int b = 0; b < search->beams; b++)
            keep(search, b, search->scores[b]);
    search->done = done || search->length >= search->max_length;
}

void beam_best(const struct beam_search *search, struct hypothesis *best)
{
    if (search->done) {
        int top = 0;
        for (int h = 1; h < search->kept_count; h++)
            if (search->kept[h].score >= search->kept[top].score)
                top = h;
        *best = search->kept[top];
        return;
    }
    memcpy(best->ids, search->ids[0], sizeof best->ids);
    best->length = search->length;
    best->score = (double)search->scores[0] / search->length;
}
