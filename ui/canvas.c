#include "ui/canvas.h"

#include "engine/io/picture.h"

#include <stdlib.h>
#include <string.h>

bool canvas_resize(struct canvas *canvas, int width, int height)
{
    if (canvas->width == width && canvas->height == height && canvas->rgb)
        return true;
    size_t size = (size_t)width * (size_t)height * 3;
    unsigned char *rgb = realloc(canvas->rgb, size > 0 ? size : 1);
    if (!rgb)
        return false;
    *canvas = (struct canvas){width, height, rgb};
    return true;
}

void canvas_free(struct canvas *canvas)
{
    free(canvas->rgb);
    *canvas = (struct canvas){0};
}

static struct area canvas_clip(const struct canvas *canvas, struct area area)
{
    if (area.x < 0)
        area.width += area.x, area.x = 0;
    if (area.y < 0)
        area.height += area.y, area.y = 0;
    if (area.width > canvas->width - area.x)
        area.width = canvas->width - area.x;
    if (area.height > canvas->height - area.y)
        area.height = canvas->height - area.y;
    return area;
}

void canvas_mix(struct canvas *canvas, struct area area, const unsigned char color[3], float share)
{
    area = canvas_clip(canvas, area);
    int parts = (int)(share * 256 + 0.5F);
    for (int y = 0; y < area.height; y++) {
        unsigned char *p = canvas->rgb + ((size_t)(area.y + y) * canvas->width + area.x) * 3;
        for (int x = 0; x < area.width; x++)
            for (int i = 0; i < 3; i++, p++)
                *p = (unsigned char)((*p * (256 - parts) + color[i] * parts) >> 8);
    }
}

void canvas_fill(struct canvas *canvas, struct area area, const unsigned char color[3])
{
    area = canvas_clip(canvas, area);
    for (int y = 0; y < area.height; y++) {
        unsigned char *p = canvas->rgb + ((size_t)(area.y + y) * canvas->width + area.x) * 3;
        for (int x = 0; x < area.width; x++, p += 3)
            memcpy(p, color, 3);
    }
}

void canvas_frame(struct canvas *canvas, struct area area, int thickness, const unsigned char color[3])
{
    int inner = area.height - 2 * thickness;
    canvas_fill(canvas, (struct area){area.x, area.y, area.width, thickness}, color);
    canvas_fill(canvas, (struct area){area.x, area.y + area.height - thickness, area.width, thickness},
                color);
    canvas_fill(canvas, (struct area){area.x, area.y + thickness, thickness, inner}, color);
    canvas_fill(canvas, (struct area){area.x + area.width - thickness, area.y + thickness, thickness, inner},
                color);
}

bool canvas_scale(struct canvas *canvas, const unsigned char *rgb, int width, int height)
{
    struct picture from = {.width = width, .height = height, .channels = 3}, to = {0};
    memcpy(&from.pixels, &rgb, sizeof from.pixels); // read only, though struct picture cannot say so
    if (!picture_resize(&to, &from, canvas->width, canvas->height, NULL))
        return false;
    memcpy(canvas->rgb, to.pixels, (size_t)canvas->width * (size_t)canvas->height * 3);
    picture_free(&to);
    return true;
}
