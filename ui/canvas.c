#include "ui/canvas.h"

#include <math.h>
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
    canvas_fill(canvas, (struct area){area.x, area.y + area.height - thickness, area.width, thickness}, color);
    canvas_fill(canvas, (struct area){area.x, area.y + thickness, thickness, inner}, color);
    canvas_fill(canvas, (struct area){area.x + area.width - thickness, area.y + thickness, thickness, inner}, color);
}

// Filter weights of one axis: output i is the sum of input first[i] + k times weights[i * taps + k].
struct filter {
    int taps;
    int *first;
    float *weights;
};

static bool filter_make(struct filter *filter, int from, int to)
{
    float scale = (float)from / (float)to, reach = scale > 1 ? scale : 1;
    filter->taps = (int)ceilf(reach) * 2 + 1;
    if (filter->taps > from)
        filter->taps = from;
    filter->first = malloc((size_t)to * sizeof *filter->first);
    filter->weights = malloc((size_t)to * filter->taps * sizeof *filter->weights);
    if (!filter->first || !filter->weights)
        return false;
    for (int i = 0; i < to; i++) {
        float centre = ((float)i + 0.5F) * scale, sum = 0;
        int first = (int)floorf(centre - reach);
        first = first < 0 ? 0 : first > from - filter->taps ? from - filter->taps : first;
        float *weights = filter->weights + (size_t)i * filter->taps;
        for (int k = 0; k < filter->taps; k++) {
            float distance = fabsf((float)(first + k) + 0.5F - centre) / reach;
            sum += weights[k] = distance < 1 ? 1 - distance : 0;
        }
        for (int k = 0; k < filter->taps; k++)
            weights[k] /= sum;
        filter->first[i] = first;
    }
    return true;
}

static void scale_rows(const struct filter *filter, const unsigned char *rgb, int width, int rows, int to, float *out)
{
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < to; x++, out += 3) {
            const unsigned char *p = rgb + ((size_t)y * width + filter->first[x]) * 3;
            const float *weights = filter->weights + (size_t)x * filter->taps;
            float sum[3] = {0, 0, 0};
            for (int k = 0; k < filter->taps; k++, p += 3)
                for (int i = 0; i < 3; i++)
                    sum[i] += weights[k] * p[i];
            memcpy(out, sum, sizeof sum);
        }
}

static void scale_columns(const struct filter *filter, const float *rows, struct canvas *canvas, struct area area)
{
    for (int y = 0; y < area.height; y++) {
        unsigned char *to = canvas->rgb + ((size_t)(area.y + y) * canvas->width + area.x) * 3;
        const float *weights = filter->weights + (size_t)y * filter->taps;
        for (int x = 0; x < area.width * 3; x++) {
            const float *p = rows + (size_t)filter->first[y] * area.width * 3 + x;
            float sum = 0.5F;
            for (int k = 0; k < filter->taps; k++, p += area.width * 3)
                sum += weights[k] * *p;
            to[x] = (unsigned char)(sum > 255 ? 255 : sum);
        }
    }
}

bool canvas_scale(struct canvas *canvas, struct area area, const unsigned char *rgb, int width, int height)
{
    struct filter across = {0}, down = {0};
    float *rows = malloc((size_t)height * area.width * 3 * sizeof *rows);
    bool done = rows && filter_make(&across, width, area.width) && filter_make(&down, height, area.height);
    if (done) {
        scale_rows(&across, rgb, width, height, area.width, rows);
        scale_columns(&down, rows, canvas, area);
    }
    free(rows);
    free(across.first);
    free(across.weights);
    free(down.first);
    free(down.weights);
    return done;
}
