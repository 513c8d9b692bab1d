// Resizing as Pillow's Image.resize(BICUBIC) does it, to the bit (vlm_spec §6), and METER's transform on top
// of it.
#include "engine/base/memory.h"
#include "engine/io/picture.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

// Weights are fixed-point numbers with 22 bits after the point: 8 bits of pixel and 2 of headroom fill an
// int32.
enum { WEIGHT_BITS = 22, HALF = 1 << (WEIGHT_BITS - 1) };

// One axis of a resize from `in` to `full` pixels, of which only [first, first + count) are wanted.
struct axis {
    int64_t in, full, first;
    int count;
    // What output i is made of: taps[i] pixels from from[i] on, with weights + i * most.
    int *from, *taps;
    int32_t *weights;
    size_t most;
};

static void axis_free(struct axis *axis)
{
    memory_free(axis->from);
    memory_free(axis->taps);
    memory_free(axis->weights);
    *axis = (struct axis){0};
}

// Keys' cubic convolution with a = -0.5.
static double bicubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

// Fills the weights of output i; `scratch` has room for axis->most numbers.
static void find_weights(struct axis *axis, int i, double *scratch)
{
    double scale = (double)axis->in / (double)axis->full;
    double stretch = scale > 1 ? scale : 1; // wider when shrinking: the filter averages what it skips
    double support = 2 * stretch, inverse = 1 / stretch;
    double centre = ((double)(axis->first + i) + 0.5) * scale;
    int64_t low = (int64_t)(centre - support + 0.5), high = (int64_t)(centre + support + 0.5);
    low = low < 0 ? 0 : low;
    high = high > axis->in ? axis->in : high;
    double sum = 0;
    int taps = (int)(high - low);
    for (int j = 0; j < taps; j++) {
        scratch[j] = bicubic(((double)(j + low) - centre + 0.5) * inverse);
        sum += scratch[j];
    }
    for (int j = 0; j < taps; j++) {
        double weight = (sum != 0 ? scratch[j] / sum : scratch[j]) * (1 << WEIGHT_BITS);
        axis->weights[(size_t)i * axis->most + (size_t)j] =
            (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    axis->from[i] = (int)low;
    axis->taps[i] = taps;
}

static bool axis_init(struct axis *axis, int64_t in, int64_t full, int64_t first, int count,
                      struct error *err)
{
    double scale = (double)in / (double)full;
    *axis = (struct axis){.in = in, .full = full, .first = first, .count = count};
    if (in == full)
        return true; // this pass is a copy
    axis->most = (size_t)ceil(2 * (scale > 1 ? scale : 1)) * 2 + 1;
    axis->from = memory_alloc((size_t)count, sizeof *axis->from);
    axis->taps = memory_alloc((size_t)count, sizeof *axis->taps);
    size_t weights;
    if (!__builtin_mul_overflow((size_t)count, axis->most, &weights))
        axis->weights = memory_alloc(weights, sizeof *axis->weights);
    double *scratch = memory_alloc(axis->most, sizeof *scratch);
    bool ok = axis->from && axis->taps && axis->weights && scratch;
    for (int i = 0; ok && i < count; i++)
        find_weights(axis, i, scratch);
    memory_free(scratch);
    return ok || error_no_memory(err, "resizing a picture");
}

static unsigned char clip(int32_t sum)
{
    int32_t v = sum >> WEIGHT_BITS;
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static inline __attribute__((always_inline)) void weigh_row(unsigned char *to, const unsigned char *from,
                                                            const struct axis *axis, const int channels)
{
    for (int i = 0; i < axis->count; i++, to += channels) {
        const int32_t *weights = axis->weights + (size_t)i * axis->most;
        const unsigned char *pixel = from + (size_t)axis->from[i] * (size_t)channels;
        int32_t sum[4] = {HALF, HALF, HALF, HALF};
        for (int j = 0; j < axis->taps[i]; j++, pixel += channels)
            for (int c = 0; c < channels; c++)
                sum[c] += pixel[c] * weights[j];
        for (int c = 0; c < channels; c++)
            to[c] = clip(sum[c]);
    }
}

static void resize_row(unsigned char *to, const unsigned char *from, const struct axis *axis, int channels)
{
    if (!axis->weights)
        memcpy(to, from + (size_t)axis->first * (size_t)channels, (size_t)axis->count * (size_t)channels);
    else if (channels == 3)
        weigh_row(to, from, axis, 3);
    else
        weigh_row(to, from, axis, 4);
}

// One output row from rows that lie `stride` bytes apart; `sums` has room for a row.
static void weigh_rows(unsigned char *to, const unsigned char *from, size_t stride, const int32_t *weights,
                       int taps, int32_t *sums)
{
    for (size_t x = 0; x < stride; x++)
        sums[x] = HALF;
    for (int j = 0; j < taps; j++, from += stride)
#pragma omp simd
        for (size_t x = 0; x < stride; x++)
            sums[x] += from[x] * weights[j];
#pragma omp simd
    for (size_t x = 0; x < stride; x++)
        to[x] = clip(sums[x]);
}

// Transparent pixels must not bleed their colour: RGBA is resized with colours multiplied by alpha.
static void multiply_alpha(unsigned char *to, const unsigned char *from, size_t count)
{
    for (size_t i = 0; i < count; i++, to += 4, from += 4) {
        unsigned alpha = from[3];
        for (int c = 0; c < 3; c++) {
            unsigned t = from[c] * alpha + 128;
            to[c] = (unsigned char)(((t >> 8) + t) >> 8);
        }
        to[3] = (unsigned char)alpha;
    }
}

static void divide_alpha(unsigned char *pixel, size_t count)
{
    for (size_t i = 0; i < count; i++, pixel += 4) {
        unsigned alpha = pixel[3];
        if (alpha == 0 || alpha == 255)
            continue;
        for (int c = 0; c < 3; c++) {
            unsigned v = 255 * pixel[c] / alpha;
            pixel[c] = (unsigned char)(v > 255 ? 255 : v);
        }
    }
}

// The rows between the passes: those of the source that the wanted output rows are made of, already narrowed.
struct middle {
    int first, count;
    unsigned char *rows;
};

static void find_rows(struct middle *middle, const struct axis *down)
{
    int last = down->count - 1;
    middle->first = down->weights ? down->from[0] : (int)down->first;
    middle->count = down->weights ? down->from[last] + down->taps[last] - middle->first : down->count;
}

static bool run_across(struct middle *middle, const struct picture *from, const struct axis *across,
                       struct error *err)
{
    size_t channels = (size_t)from->channels, stride = (size_t)across->count * channels;
    size_t width = (size_t)from->width;
    unsigned char *multiplied = memory_alloc(width, channels);
    middle->rows = memory_alloc((size_t)middle->count, stride);
    bool ok = multiplied && middle->rows;
    for (int y = 0; ok && y < middle->count; y++) {
        const unsigned char *row = from->pixels + (size_t)(middle->first + y) * width * channels;
        if (channels == 4) {
            multiply_alpha(multiplied, row, width);
            row = multiplied;
        }
        resize_row(middle->rows + (size_t)y * stride, row, across, from->channels);
    }
    memory_free(multiplied);
    return ok || error_no_memory(err, "resizing a picture");
}

static bool run_down(struct picture *to, const struct middle *middle, const struct axis *down,
                     struct error *err)
{
    size_t stride = (size_t)to->width * (size_t)to->channels;
    if (!down->weights) {
        memcpy(to->pixels, middle->rows, stride * (size_t)to->height);
        return true;
    }
    int32_t *sums = memory_alloc(stride, sizeof *sums);
    if (!sums)
        return error_no_memory(err, "resizing a picture");
    for (int y = 0; y < to->height; y++)
        weigh_rows(to->pixels + (size_t)y * stride,
                   middle->rows + (size_t)(down->from[y] - middle->first) * stride, stride,
                   down->weights + (size_t)y * down->most, down->taps[y], sums);
    memory_free(sums);
    return true;
}

static bool resize_with(struct picture *to, const struct picture *from, const struct axis *across,
                        const struct axis *down, struct error *err)
{
    struct middle middle = {0};
    find_rows(&middle, down);
    bool ok = run_across(&middle, from, across, err) && run_down(to, &middle, down, err);
    memory_free(middle.rows);
    if (ok && to->channels == 4)
        divide_alpha(to->pixels, (size_t)to->width * (size_t)to->height);
    return ok;
}

// What a resize should give: a window of the picture scaled to full_width x full_height.
struct window {
    int64_t full_width, full_height, left, top;
    int width, height;
};

static void copy_window(struct picture *to, const struct picture *from, const struct window *w)
{
    size_t channels = (size_t)from->channels, stride = (size_t)w->width * channels;
    for (size_t y = 0; y < (size_t)w->height; y++) {
        size_t source = ((size_t)w->top + y) * (size_t)from->width + (size_t)w->left;
        memcpy(to->pixels + y * stride, from->pixels + source * channels, stride);
    }
}

// Rows and columns outside the window are never computed: a 20,000 x 3 picture scaled to 64 pixels of height
// would be half a million pixels wide.
static bool resize_window(struct picture *to, const struct picture *from, const struct window *w,
                          struct error *err)
{
    if (!picture_alloc(to, w->width, w->height, from->channels, err))
        return false;
    if (w->full_width == from->width && w->full_height == from->height) {
        copy_window(to, from, w); // Pillow, too, leaves alpha alone here
        return true;
    }
    struct axis across = {0}, down = {0};
    bool ok = axis_init(&across, from->width, w->full_width, w->left, w->width, err) &&
              axis_init(&down, from->height, w->full_height, w->top, w->height, err) &&
              resize_with(to, from, &across, &down, err);
    axis_free(&across);
    axis_free(&down);
    if (!ok)
        picture_free(to);
    return ok;
}

bool picture_resize(struct picture *to, const struct picture *from, int width, int height, struct error *err)
{
    *to = (struct picture){0};
    if (width < 1 || height < 1)
        return error_set(err, ERROR_INPUT, "a picture cannot be resized to %d x %d pixels", width, height);
    return resize_window(to, from, &(struct window){width, height, 0, 0, width, height}, err);
}

bool picture_resize_part(struct picture *to, const struct picture *from, int width, int height,
                         struct picture_part part, struct error *err)
{
    *to = (struct picture){0};
    if (part.width < 1 || part.height < 1 || part.x < 0 || part.y < 0 || part.x > width - part.width ||
        part.y > height - part.height)
        return error_set(err, ERROR_INPUT, "there is no such part of a picture of %d x %d pixels", width, height);
    return resize_window(to, from, &(struct window){width, height, part.x, part.y, part.width, part.height}, err);
}

// One axis; a pixel more than the filter reaches to either side, against rounding.
static void find_reach(int in, int full, int from, int count, int *first, int *reached)
{
    double scale = (double)in / (double)full, support = 2 * (scale > 1 ? scale : 1) + 1;
    double low = floor((from - support) / scale), high = ceil((from + count + support) / scale);
    *first = low > 0 ? (int)low : 0;
    *reached = (high < full ? (int)high : full) - *first;
}

struct picture_part picture_resize_reach(const struct picture *from, int width, int height, struct picture_part changed)
{
    struct picture_part part;
    find_reach(from->width, width, changed.x, changed.width, &part.x, &part.width);
    find_reach(from->height, height, changed.y, changed.height, &part.y, &part.height);
    return part;
}

// n / 2, halves to the even neighbour, as Python's round(n / 2.0).
static int64_t half_to_even(int64_t n)
{
    return n % 2 == 0 ? n / 2 : n / 2 + (n / 2) % 2;
}

static void drop_alpha(struct picture *picture)
{
    if (picture->channels == 3)
        return;
    size_t count = (size_t)picture->width * (size_t)picture->height;
    for (size_t i = 0; i < count; i++)
        memmove(picture->pixels + i * 3, picture->pixels + i * 4, 3);
    picture->channels = 3;
}

static bool fit_crop(struct picture *to, const struct picture *from, int side, struct error *err)
{
    int64_t width = from->width, height = from->height;
    int64_t brief = width < height ? width : height;
    struct window window = {.full_width = side * width / brief,
                            .full_height = side * height / brief,
                            .width = side,
                            .height = side};
    window.left = half_to_even(window.full_width - side);
    window.top = half_to_even(window.full_height - side);
    if (!resize_window(to, from, &window, err))
        return false;
    drop_alpha(to);
    return true;
}

static bool fit_squash(struct picture *to, const struct picture *from, int side, struct error *err)
{
    struct picture opaque = {0};
    if (from->channels == 3)
        return picture_resize(to, from, side, side, err);
    if (!picture_alloc(&opaque, from->width, from->height, from->channels, err))
        return false;
    memcpy(opaque.pixels, from->pixels, (size_t)from->width * (size_t)from->height * (size_t)from->channels);
    drop_alpha(&opaque);
    bool ok = picture_resize(to, &opaque, side, side, err);
    picture_free(&opaque);
    return ok;
}

bool picture_fit(struct picture *to, const struct picture *from, int side, enum picture_fitting fitting,
                 struct error *err)
{
    *to = (struct picture){0};
    if (side < 1)
        return error_set(err, ERROR_INPUT, "a picture cannot be fitted into %d x %d pixels", side, side);
    return fitting == PICTURE_CROP ? fit_crop(to, from, side, err) : fit_squash(to, from, side, err);
}

void picture_normalize_clip(const struct picture *picture, float *out)
{
    static const float mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
    static const float deviation[3] = {0.26862954f, 0.26130258f, 0.27577711f};
    size_t count = (size_t)picture->width * (size_t)picture->height, channels = (size_t)picture->channels;
    for (size_t c = 0; c < 3; c++) {
        float table[256];
        for (int v = 0; v < 256; v++)
            table[v] = ((float)v / 255.0f - mean[c]) / deviation[c];
        for (size_t i = 0; i < count; i++)
            out[c * count + i] = table[picture->pixels[i * channels + c]];
    }
}
