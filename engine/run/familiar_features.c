// Features of a picture that tell kinds of pictures apart, not their contents.
#include "engine/run/familiar.h"

#include "engine/base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Energies below about this many squared grey levels are rounding and compression; their logarithm is levelled out.
static const float FLOOR = 4;
// The same for the variance of a measure over patches.
static const float SPREAD_FLOOR = 0.05f;
static const float QUANTILES[] = {0.05f, 0.25f, 0.5f, 0.75f, 0.95f};

enum { Y, B, R, PLANES };

struct planes {
    int width, height;
    float *plane[PLANES];
};

// Mean squares of the Haar bands of one level in a patch, and the mean absolute value of the first two.
struct energies {
    float horizontal, vertical, diagonal, absolute;
};

static void to_planes(const struct picture *picture, struct planes *planes)
{
    for (int i = 0; i < picture->width * picture->height; i++) {
        const unsigned char *p = picture->pixels + (size_t)i * 3;
        float y = 0.299f * (float)p[0] + 0.587f * (float)p[1] + 0.114f * (float)p[2]; // ITU-R BT.601
        planes->plane[Y][i] = y;
        planes->plane[B][i] = 0.564f * ((float)p[2] - y);
        planes->plane[R][i] = 0.713f * ((float)p[0] - y);
    }
}

// One level of the Haar transform of a patch: adds its energies, halves the plane in place.
static struct energies split_patch(const float *from, float *to, int width, int side)
{
    struct energies e = {0};
    for (int y = 0; y < side; y += 2)
        for (int x = 0; x < side; x += 2) {
            const float *above = from + y * width + x, *below = above + width;
            float h = (above[0] - above[1] + below[0] - below[1]) / 4;
            float v = (above[0] + above[1] - below[0] - below[1]) / 4;
            float d = (above[0] - above[1] - below[0] + below[1]) / 4;
            e.horizontal += h * h;
            e.vertical += v * v;
            e.diagonal += d * d;
            e.absolute += fabsf(h) + fabsf(v);
            to[y / 2 * (width / 2) + x / 2] = (above[0] + above[1] + below[0] + below[1]) / 4;
        }
    float blocks = (float)(side * side / 4);
    e.horizontal /= blocks;
    e.vertical /= blocks;
    e.diagonal /= blocks;
    e.absolute /= blocks;
    return e;
}

static int measure_luminance(const struct energies *e, int level, float *out)
{
    int n = 0;
    float edges = e->horizontal + e->vertical;
    out[n++] = logf(edges + FLOOR / 4);
    out[n++] = logf((e->diagonal + FLOOR / 16) / (edges + FLOOR / 8));
    out[n++] = fabsf(logf((e->horizontal + FLOOR / 8) / (e->vertical + FLOOR / 8)));
    if (level < FAMILIAR_LEVELS - 1) // how evenly the detail is spread; the last level is a single block
        out[n++] = logf((e->absolute * e->absolute + FLOOR / 8) / (edges + FLOOR / 4));
    return n;
}

// All measures of one patch. `patch` holds its three planes, FAMILIAR_PATCH squared each, and is used up.
static void measure_patch(float patch[PLANES][FAMILIAR_PATCH * FAMILIAR_PATCH], float *out)
{
    int n = 0;
    for (int p = 0; p < PLANES; p++) {
        int side = FAMILIAR_PATCH;
        for (int level = 0; level < FAMILIAR_LEVELS; level++, side /= 2) {
            float halved[FAMILIAR_PATCH * FAMILIAR_PATCH / 4];
            struct energies e = split_patch(patch[p], halved, side, side);
            memcpy(patch[p], halved, (size_t)(side * side / 4) * sizeof(float));
            if (p == Y)
                n += measure_luminance(&e, level, out + n);
            else
                out[n++] = logf(e.horizontal + e.vertical + e.diagonal + FLOOR / 4);
        }
        out[n++] = patch[p][0] / 32;
    }
    assert(n == FAMILIAR_MEASURES);
}

static void cut_patch(const struct planes *planes, int row, int column,
                      float patch[PLANES][FAMILIAR_PATCH * FAMILIAR_PATCH])
{
    for (int p = 0; p < PLANES; p++)
        for (int y = 0; y < FAMILIAR_PATCH; y++)
            memcpy(patch[p] + y * FAMILIAR_PATCH,
                   planes->plane[p] + (size_t)(row * FAMILIAR_PATCH + y) * (size_t)planes->width +
                       column * FAMILIAR_PATCH,
                   FAMILIAR_PATCH * sizeof(float));
}

static int rising(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Quantiles of one measure over the patches, and the logarithm of the mean square difference between neighbours
// relative to that between any two patches: 0 when places do not matter. `values` (rows, columns) is sorted.
static void summarize(float *values, int rows, int columns, float out[FAMILIAR_SUMMARIES])
{
    int count = rows * columns;
    double sum = 0, squares = 0, across = 0, down = 0;
    for (int i = 0; i < count; i++) {
        double v = (double)values[i];
        sum += v;
        squares += v * v;
        if (i % columns) {
            double d = v - (double)values[i - 1];
            across += d * d;
        }
        if (i >= columns) {
            double d = v - (double)values[i - columns];
            down += d * d;
        }
    }
    double variance = fmax(0, squares / count - sum / count * (sum / count));
    double between = across / (rows * (columns - 1)) + down / ((rows - 1) * columns);
    qsort(values, (size_t)count, sizeof *values, rising);
    for (int q = 0; q < FAMILIAR_SUMMARIES - 1; q++)
        out[q] = values[(int)(QUANTILES[q] * (float)count)];
    out[FAMILIAR_SUMMARIES - 1] =
        (float)log((between + (double)SPREAD_FLOOR) / (2 * variance + (double)SPREAD_FLOOR));
}

bool familiarity_features(const struct picture *picture, float features[FAMILIAR_FEATURES])
{
    int rows = picture->height / FAMILIAR_PATCH, columns = picture->width / FAMILIAR_PATCH;
    assert(picture->channels == 3 && rows >= 2 && columns >= 2 && picture->width % FAMILIAR_PATCH == 0 &&
           picture->height % FAMILIAR_PATCH == 0);
    size_t pixels = (size_t)picture->width * (size_t)picture->height, patches = (size_t)rows * (size_t)columns;
    float *block = memory_alloc(PLANES * pixels + FAMILIAR_MEASURES * patches, sizeof *block);
    if (!block)
        return false;
    struct planes planes = {picture->width, picture->height, {block, block + pixels, block + 2 * pixels}};
    float *measures = block + PLANES * pixels; // (FAMILIAR_MEASURES, rows, columns)
    to_planes(picture, &planes);
    for (int i = 0; i < rows * columns; i++) {
        float patch[PLANES][FAMILIAR_PATCH * FAMILIAR_PATCH], out[FAMILIAR_MEASURES];
        cut_patch(&planes, i / columns, i % columns, patch);
        measure_patch(patch, out);
        for (int m = 0; m < FAMILIAR_MEASURES; m++)
            measures[(size_t)m * patches + (size_t)i] = out[m];
    }
    for (int m = 0; m < FAMILIAR_MEASURES; m++)
        summarize(measures + (size_t)m * patches, rows, columns, features + m * FAMILIAR_SUMMARIES);
    memory_free(block);
    return true;
}
