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
    if (area.width <= 0 || area.height <= 0)
        return;
    unsigned char *first = canvas->rgb + ((size_t)area.y * canvas->width + area.x) * 3;
    for (int x = 0; x < area.width; x++)
        memcpy(first + x * 3, color, 3);
    for (int y = 1; y < area.height; y++)
        memcpy(first + (size_t)y * canvas->width * 3, first, (size_t)area.width * 3);
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

// A picture to read from, though struct picture cannot say so.
static struct picture source(const unsigned char *rgb, int width, int height)
{
    struct picture from = {.width = width, .height = height, .channels = 3};
    memcpy(&from.pixels, &rgb, sizeof from.pixels);
    return from;
}

bool canvas_scale(struct canvas *canvas, const unsigned char *rgb, int width, int height)
{
    struct picture from = source(rgb, width, height), to = {0};
    if (!picture_resize(&to, &from, canvas->width, canvas->height, NULL))
        return false;
    memcpy(canvas->rgb, to.pixels, (size_t)canvas->width * (size_t)canvas->height * 3);
    picture_free(&to);
    return true;
}

// The rectangle in which two pictures differ; height 0: nowhere.
static struct picture_part difference(const unsigned char *a, const unsigned char *b, int width, int height)
{
    size_t stride = (size_t)width * 3;
    int left = width, right = 0, top = height, bottom = 0;
    for (int y = 0; y < height; y++, a += stride, b += stride) {
        if (!memcmp(a, b, stride))
            continue;
        int first = 0, last = width - 1;
        while (!memcmp(a + first * 3, b + first * 3, 3))
            first++;
        while (!memcmp(a + last * 3, b + last * 3, 3))
            last--;
        left = first < left ? first : left;
        right = last + 1 > right ? last + 1 : right;
        top = y < top ? y : top;
        bottom = y + 1;
    }
    return bottom == 0 ? (struct picture_part){0} : (struct picture_part){left, top, right - left, bottom - top};
}

bool canvas_scale_change(struct canvas *canvas, const unsigned char *before, const unsigned char *rgb, int width,
                         int height)
{
    struct picture from = source(rgb, width, height), to;
    struct picture_part part = difference(before, rgb, width, height);
    if (part.height == 0)
        return true;
    part = picture_resize_reach(&from, canvas->width, canvas->height, part);
    if (!picture_resize_part(&to, &from, canvas->width, canvas->height, part, NULL))
        return false;
    for (int y = 0; y < part.height; y++)
        memcpy(canvas->rgb + ((size_t)(part.y + y) * canvas->width + part.x) * 3, to.pixels + (size_t)y * part.width * 3,
               (size_t)part.width * 3);
    picture_free(&to);
    return true;
}
