#include "app/screen_picture.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE = 1024 };

// Copies a rectangle, RGB only.
static bool crop(struct backend_picture *to, const struct picture *from, int x, int y, int width, int height)
{
    *to = (struct backend_picture){width, height, malloc((size_t)width * (size_t)height * 3)};
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
        return true;
    part.pixels = to->rgb;
    *to = (struct backend_picture){0};
    bool done = picture_resize(&resized, &part, width, height, err) &&
                (crop(to, &resized, 0, 0, width, height) || error_no_memory(err, "the picture"));
    free(part.pixels);
    picture_free(&resized);
    return done;
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
