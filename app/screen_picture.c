#include "app/screen_picture.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE = 1024 };

// Copies a rectangle, RGB only.
static bool crop(struct backend_picture *to, const struct picture *from, int x, int y, int width, int height)
{
    *to = (struct backend_picture){.width = width, .height = height, .rgb = malloc((size_t)width * (size_t)height * 3)};
    if (!to->rgb)
        return false;
    unsigned char *out = to->rgb;
    for (int row = 0; row < height; row++) {
        const unsigned char *p = from->pixels + ((size_t)(y + row) * from->width + x) * from->channels;
        for (int column = 0; column < width; column++, p += from->channels, out += 3)
            memcpy(out, p, 3);
    }
    return true;
}

// The largest rectangle of the grid's shape within the picture's sides.
static void find_shape(const struct picture *from, const struct trace_picture *shape, int *width, int *height)
{
    int64_t rows = shape->grid_rows, columns = shape->grid_columns, wide = from->width, tall = from->height;
    if (tall * columns / rows < wide)
        wide = tall * columns / rows;
    else
        tall = wide * rows / columns;
    *width = wide > 0 ? (int)wide : 1;
    *height = tall > 0 ? (int)tall : 1;
}

struct box {
    int x, y, width, height;
};

// A rectangle of the picture at another size, RGB only, into to[width * height * 3].
static bool copy_scaled(unsigned char *to, const struct picture *from, struct box box, int width, int height,
                        struct error *err)
{
    struct backend_picture part = {0};
    struct picture resized = {0};
    if (!crop(&part, from, box.x, box.y, box.width, box.height))
        return error_no_memory(err, "the picture");
    struct picture source = {.width = box.width, .height = box.height, .channels = 3, .pixels = part.rgb};
    bool done = picture_resize(&resized, &source, width, height, err);
    if (done)
        memcpy(to, resized.pixels, (size_t)width * (size_t)height * 3);
    free(part.rgb);
    picture_free(&resized);
    return done;
}

bool screen_picture_add_rim(struct backend_picture *to, const struct picture *from, const struct trace_picture *shape,
                            struct error *err)
{
    int wide, tall;
    find_shape(from, shape, &wide, &tall);
    bool sides = wide < from->width;
    // As much of it as there is of the picture at most.
    int own = sides ? wide : tall, cut = ((sides ? from->width : from->height) - own) / 2, seen = sides ? to->width : to->height;
    cut = cut < own ? cut : own;
    int rim = (int)((int64_t)cut * seen / own);
    if (shape->squashed || rim < 1)
        return true;
    size_t bytes = backend_picture_size(to);
    to->rim = rim;
    to->rim_sides = sides;
    unsigned char *grown = realloc(to->rgb, backend_picture_size(to));
    if (!grown) {
        to->rim = 0;
        return error_no_memory(err, "the picture");
    }
    to->rgb = grown;
    struct box first = {sides ? (from->width - wide) / 2 - cut : 0, sides ? 0 : (from->height - tall) / 2 - cut,
                        sides ? cut : wide, sides ? tall : cut};
    struct box second = first;
    second.x += sides ? cut + wide : 0;
    second.y += sides ? 0 : cut + tall;
    int width = sides ? rim : to->width, height = sides ? to->height : rim;
    return copy_scaled(grown + bytes, from, first, width, height, err) &&
           copy_scaled(grown + bytes + (size_t)width * (size_t)height * 3, from, second, width, height, err);
}

bool screen_picture_make(struct backend_picture *to, const struct picture *from, const struct trace_picture *shape,
                         struct error *err)
{
    int wide, tall;
    find_shape(from, shape, &wide, &tall);
    int64_t side = wide < tall ? wide : tall;
    int width = side > SIDE ? (int)(wide * SIDE / side) : wide, height = side > SIDE ? (int)(tall * SIDE / side) : tall;
    if (shape->squashed) {
        wide = from->width;
        tall = from->height;
    }
    struct picture part = {.width = wide, .height = tall, .channels = 3}, resized = {0};
    if (!crop(to, from, (from->width - wide) / 2, (from->height - tall) / 2, wide, tall))
        return error_no_memory(err, "the picture");
    if (width == wide && height == tall)
        return screen_picture_add_rim(to, from, shape, err);
    part.pixels = to->rgb;
    *to = (struct backend_picture){0};
    bool done = picture_resize(&resized, &part, width, height, err) &&
                (crop(to, &resized, 0, 0, width, height) || error_no_memory(err, "the picture"));
    free(part.pixels);
    picture_free(&resized);
    return done && screen_picture_add_rim(to, from, shape, err);
}

bool screen_picture_load(struct backend_picture *to, const char *path, const struct trace_picture *shape,
                         struct error *err)
{
    struct picture picture = {0};
    struct picture_reading reading = {.least_side = SIDE, .as_stored = shape->as_stored};
    *to = (struct backend_picture){0};
    if (!picture_load(&picture, path, reading, NULL, err))
        return false;
    bool done = screen_picture_make(to, &picture, shape, err);
    picture_free(&picture);
    return done;
}
