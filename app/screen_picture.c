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

bool screen_picture_crop(struct backend_picture *to, const struct picture *from, int grid_rows,
                         int grid_columns, struct error *err)
{
    *to = (struct backend_picture){0};
    int width = from->width, height = from->height;
    int64_t wanted = (int64_t)height * grid_columns / grid_rows;
    if (wanted < width)
        width = wanted > 0 ? (int)wanted : 1;
    else
        height = (int)((int64_t)width * grid_rows / grid_columns);
    height = height > 0 ? height : 1;
    if (!crop(to, from, (from->width - width) / 2, (from->height - height) / 2, width, height))
        return error_no_memory(err, "the picture");
    int side = width < height ? width : height;
    if (side <= SIDE)
        return true;
    struct picture large = {.width = width, .height = height, .channels = 3, .pixels = to->rgb}, small = {0};
    bool done = picture_resize(&small, &large, (int)((int64_t)width * SIDE / side),
                               (int)((int64_t)height * SIDE / side), err);
    free(to->rgb);
    *to = (struct backend_picture){0};
    done = done && crop(to, &small, 0, 0, small.width, small.height);
    picture_free(&small);
    return done;
}

bool screen_picture_load(struct backend_picture *to, const char *path, int grid_rows, int grid_columns,
                         struct error *err)
{
    struct picture picture = {0};
    *to = (struct backend_picture){0};
    if (!picture_load(&picture, path, SIDE, NULL, NULL, err))
        return false;
    bool done = screen_picture_crop(to, &picture, grid_rows, grid_columns, err);
    picture_free(&picture);
    return done;
}
