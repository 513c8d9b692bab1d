#include "engine/io/edit.h"

#include "engine/base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GREY = 128, BLUR_PASSES = 3, RING = 2 };

const char *edit_name(enum edit_kind kind)
{
    static const char *const names[EDIT_KINDS] = {
#define EDIT_NAME(id, name, help) name,
        EDITS(EDIT_NAME)
#undef EDIT_NAME
    };
    return (unsigned)kind < EDIT_KINDS ? names[kind] : "";
}

struct box {
    int x0, y0, x1, y1; // x1 and y1 exclusive
};

static int held(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static struct box clip(const struct picture *picture, int x, int y, int width, int height)
{
    return (struct box){held(x, 0, picture->width), held(y, 0, picture->height), held(x + width, 0, picture->width),
                        held(y + height, 0, picture->height)};
}

static bool empty(struct box box)
{
    return box.x0 >= box.x1 || box.y0 >= box.y1;
}

static unsigned char *pixel_at(const struct picture *picture, int x, int y)
{
    return picture->pixels + ((size_t)y * (size_t)picture->width + (size_t)x) * (size_t)picture->channels;
}

static void fill(struct picture *picture, struct box box, const unsigned char color[3])
{
    for (int y = box.y0; y < box.y1; y++)
        for (int x = box.x0; x < box.x1; x++)
            memcpy(pixel_at(picture, x, y), color, 3);
}

// The mean of what lies in `outer` and not in `inner`; grey where there is nothing.
static void mean_around(const struct picture *picture, struct box outer, struct box inner, unsigned char color[3])
{
    uint64_t sum[3] = {0}, count = 0;
    for (int y = outer.y0; y < outer.y1; y++)
        for (int x = outer.x0; x < outer.x1; x++) {
            if (x >= inner.x0 && x < inner.x1 && y >= inner.y0 && y < inner.y1)
                continue;
            const unsigned char *p = pixel_at(picture, x, y);
            for (int c = 0; c < 3; c++)
                sum[c] += p[c];
            count++;
        }
    for (int c = 0; c < 3; c++)
        color[c] = (unsigned char)(count ? (sum[c] + count / 2) / count : GREY);
}

// A moving mean over `length` values with the given stride, the ends repeated.
static void blur_line(unsigned char *from, size_t stride, int length, int radius, unsigned char *line)
{
    for (int i = 0; i < length; i++)
        line[i] = from[(size_t)i * stride];
    int sum = 0, window = 2 * radius + 1;
    for (int i = -radius; i <= radius; i++)
        sum += line[held(i, 0, length - 1)];
    for (int i = 0; i < length; i++) {
        from[(size_t)i * stride] = (unsigned char)((sum + window / 2) / window);
        sum += line[held(i + radius + 1, 0, length - 1)] - line[held(i - radius, 0, length - 1)];
    }
}

// Three box filters come close to a Gaussian; only what lies in the rectangle takes part, so that nothing of it can be
// guessed from its surroundings, nor they from it.
static bool blur(struct picture *picture, struct box box, struct error *err)
{
    int width = box.x1 - box.x0, height = box.y1 - box.y0, longest = width > height ? width : height;
    int radius = (width < height ? width : height) / 3 + 1;
    size_t channels = (size_t)picture->channels, row = (size_t)picture->width * channels;
    unsigned char *line = memory_alloc((size_t)longest, 1);
    if (!line)
        return error_no_memory(err, "blurring");
    for (int pass = 0; pass < BLUR_PASSES; pass++)
        for (int c = 0; c < 3; c++) {
            for (int y = box.y0; y < box.y1; y++)
                blur_line(pixel_at(picture, box.x0, y) + c, channels, width, radius, line);
            for (int x = box.x0; x < box.x1; x++)
                blur_line(pixel_at(picture, x, box.y0) + c, row, height, radius, line);
        }
    memory_free(line);
    return true;
}

static bool move(struct picture *picture, struct box box, int dx, int dy, struct error *err)
{
    int width = box.x1 - box.x0, height = box.y1 - box.y0;
    size_t channels = (size_t)picture->channels;
    unsigned char *piece = memory_alloc((size_t)width * (size_t)height, channels), color[3];
    if (!piece)
        return error_no_memory(err, "moving");
    for (int y = 0; y < height; y++)
        memcpy(piece + (size_t)y * (size_t)width * channels, pixel_at(picture, box.x0, box.y0 + y),
               (size_t)width * channels);
    struct box around = clip(picture, box.x0 - RING, box.y0 - RING, width + 2 * RING, height + 2 * RING);
    mean_around(picture, around, box, color);
    fill(picture, box, color);
    struct box to = clip(picture, box.x0 + dx, box.y0 + dy, width, height);
    for (int y = to.y0; y < to.y1; y++)
        for (int x = to.x0; x < to.x1; x++)
            memcpy(pixel_at(picture, x, y),
                   piece + ((size_t)(y - box.y0 - dy) * (size_t)width + (size_t)(x - box.x0 - dx)) * channels, 3);
    memory_free(piece);
    return true;
}

bool edit_apply(struct picture *picture, const struct edit *edit, struct error *err)
{
    static const unsigned char grey[3] = {GREY, GREY, GREY};
    struct box box = clip(picture, edit->x, edit->y, edit->width, edit->height);
    struct box whole = {0, 0, picture->width, picture->height};
    unsigned char color[3];
    if (empty(box))
        return error_set(err, ERROR_INPUT, "the rectangle %d,%d,%d,%d lies outside of the picture, which has %d x %d pixels",
                         edit->x, edit->y, edit->width, edit->height, picture->width, picture->height);
    switch (edit->kind) {
    case EDIT_BLANK: fill(picture, box, grey); return true;
    case EDIT_MEAN:
        mean_around(picture, whole, box, color);
        fill(picture, box, color);
        return true;
    case EDIT_BLUR: return blur(picture, box, err);
    case EDIT_MOVE: return move(picture, box, edit->dx, edit->dy, err);
    default: return error_set(err, ERROR_USAGE, "no such change");
    }
}

// `count` whole numbers with commas between them; returns what follows, NULL when they are not there or too large.
static const char *parse_numbers(const char *text, int *out, int count)
{
    for (int i = 0; i < count; i++) {
        char *end;
        if (i > 0 && *text++ != ',')
            return NULL;
        if (*text != '-' && (*text < '0' || *text > '9'))
            return NULL;
        long value = strtol(text, &end, 10);
        if (end == text || value <= -EDIT_LIMIT || value >= EDIT_LIMIT)
            return NULL;
        out[i] = (int)value;
        text = end;
    }
    return text;
}

bool edit_parse(const char *text, enum edit_kind kind, struct edit *edit, struct error *err)
{
    int box[4] = {0}, by[2] = {0};
    const char *rest = parse_numbers(text, box, 4);
    if (rest && kind == EDIT_MOVE)
        rest = *rest == ':' ? parse_numbers(rest + 1, by, 2) : NULL;
    if (!rest || *rest)
        return error_set(err, ERROR_USAGE, "\"%s\" should be %s, in pixels", text,
                         kind == EDIT_MOVE ? "X,Y,W,H:DX,DY" : "X,Y,W,H");
    if (box[2] < 1 || box[3] < 1)
        return error_set(err, ERROR_USAGE, "\"%s\": width and height should be at least 1", text);
    *edit = (struct edit){kind, box[0], box[1], box[2], box[3], by[0], by[1]};
    return true;
}

struct edit edit_scale(const struct edit *e, double scale)
{
    int x0 = (int)lround(e->x * scale), y0 = (int)lround(e->y * scale);
    int x1 = (int)lround((e->x + e->width) * scale), y1 = (int)lround((e->y + e->height) * scale);
    return (struct edit){e->kind, x0, y0, x1 > x0 ? x1 - x0 : 1, y1 > y0 ? y1 - y0 : 1,
                         (int)lround(e->dx * scale), (int)lround(e->dy * scale)};
}
