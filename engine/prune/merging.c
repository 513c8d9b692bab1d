#include "engine/prune/merging.h"

#include <math.h>
#include <string.h>

static float dot(const float *a, const float *b, int width)
{
    float sum = 0;
    for (int i = 0; i < width; i++)
        sum += a[i] * b[i];
    return sum;
}

uint64_t merging_macs(int rows, int width)
{
    return (uint64_t)(rows / 2) * (uint64_t)((rows - 1) / 2) * (uint64_t)width;
}

void merging_score(struct forward *forward, const float *x, int rows, int width, float *score, int *partner)
{
    score[0] = 0;
    partner[0] = -1;
    for (int r = 1; r < rows; r++) {
        const float *own = x + (size_t)r * (size_t)width;
        float length = sqrtf(dot(own, own, width)), best = -2;
        partner[r] = -1;
        score[r] = 2; // above minus any cosine
        for (int b = 2; r % 2 && b < rows; b += 2) {
            const float *other = x + (size_t)b * (size_t)width;
            float cosine = dot(own, other, width) / fmaxf(length * sqrtf(dot(other, other, width)), 1e-20f);
            if (cosine > best) {
                best = cosine;
                partner[r] = b;
                score[r] = -cosine;
            }
        }
    }
    forward->macs.trimmer += merging_macs(rows, width);
}

// Where a token is among those that stay (rising); -1: it goes.
static int place_of(int token, const int *kept, int kept_count)
{
    int low = 0, high = kept_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (kept[middle] < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low < kept_count && kept[low] == token ? low : -1;
}

void merging_gather(const struct merging_rows *in, int width, const int *kept, int kept_count, const int *partner,
                    float *out, float *out_size)
{
    for (int r = 0; r < in->rows; r++) {
        int place = place_of(in->tokens[r], kept, kept_count);
        if (place < 0)
            continue;
        memcpy(out + (size_t)place * (size_t)width, in->x + (size_t)r * (size_t)width, (size_t)width * sizeof *out);
        out_size[place] = in->size[r];
    }
    for (int r = 0; r < in->rows; r++) {
        bool goes = place_of(in->tokens[r], kept, kept_count) < 0;
        int to = goes && partner[r] >= 0 ? place_of(in->tokens[partner[r]], kept, kept_count) : -1;
        if (to < 0)
            continue;
        const float *from = in->x + (size_t)r * (size_t)width;
        float *mean = out + (size_t)to * (size_t)width, weight = in->size[r], sum = out_size[to] + weight;
        for (int i = 0; i < width; i++)
            mean[i] += (from[i] - mean[i]) * weight / sum;
        out_size[to] = sum;
    }
}
