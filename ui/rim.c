#include "ui/rim.h"

#include <stdlib.h>
#include <string.h>

double rim_share(const struct view *view, int picture, bool *sides)
{
    const struct backend_picture *of = &view->pictures[picture];
    *sides = of->rim_sides;
    if (!of->rgb || of->rim < 1)
        return 0;
    return (double)of->rim / (of->rim_sides ? of->width : of->height);
}

void rim_of_all(const struct view *view, double *wider, double *higher)
{
    int count = view->has_trace ? view->trace.picture_count : 0;
    *wider = *higher = 0;
    for (int p = 0; p < count; p++) {
        bool sides;
        double share = rim_share(view, p, &sides), highest = share < RIM_HIGHEST ? share : RIM_HIGHEST;
        if (sides)
            *wider += 2 * share / count;
        else if (2 * highest > *higher)
            *higher = 2 * highest;
    }
}

// The part of a strip that lies next to what is seen, `thick` wide (or high) on the canvas; malloc'ed, NULL: no memory.
static unsigned char *inner_part(const struct backend_picture *picture, bool first, int kept)
{
    int width = picture->rim_sides ? picture->rim : picture->width, height = picture->rim_sides ? picture->height : picture->rim;
    const unsigned char *strip = picture->rgb + (size_t)picture->width * (size_t)picture->height * 3;
    strip += first ? 0 : (size_t)width * (size_t)height * 3;
    int columns = picture->rim_sides ? kept : width, rows = picture->rim_sides ? height : kept;
    int left = picture->rim_sides && first ? width - kept : 0, top = !picture->rim_sides && first ? height - kept : 0;
    unsigned char *part = malloc((size_t)columns * (size_t)rows * 3);
    for (int y = 0; part && y < rows; y++)
        memcpy(part + (size_t)y * (size_t)columns * 3, strip + ((size_t)(top + y) * (size_t)width + (size_t)left) * 3,
               (size_t)columns * 3);
    return part;
}

// Grey, and near to the background: nothing that looks like a patch, alive or dropped.
static void fade(const struct canvas *strip, struct canvas *canvas, struct area to, const unsigned char background[3])
{
    for (int y = 0; y < to.height; y++)
        for (int x = 0; x < to.width; x++) {
            const unsigned char *from = strip->rgb + ((size_t)y * (size_t)strip->width + (size_t)x) * 3;
            unsigned char *out = canvas->rgb + ((size_t)(to.y + y) * (size_t)canvas->width + (size_t)(to.x + x)) * 3;
            int grey = (3 * from[0] + 6 * from[1] + from[2]) / 10;
            for (int i = 0; i < 3; i++)
                out[i] = (unsigned char)((2 * grey + 3 * background[i]) / 5);
        }
}

bool rim_paint(struct canvas *canvas, struct area seen, int thick, const struct backend_picture *picture,
               const struct theme *theme)
{
    struct canvas strip = {0};
    bool done = true, sides = picture->rim_sides;
    int scaled = sides ? seen.width : seen.height, own = sides ? picture->width : picture->height;
    int kept = (int)((double)thick * own / scaled + 0.5);
    kept = kept < 1 ? 1 : kept > picture->rim ? picture->rim : kept;
    for (int end = 0; done && end < 2; end++) {
        struct area to = seen;
        unsigned char *part = inner_part(picture, end == 0, kept);
        if (sides) {
            to.x = end == 0 ? seen.x - thick : seen.x + seen.width;
            to.width = thick;
        } else {
            to.y = end == 0 ? seen.y - thick : seen.y + seen.height;
            to.height = thick;
        }
        done = part && canvas_resize(&strip, to.width, to.height) &&
               canvas_scale(&strip, part, sides ? kept : picture->width, sides ? picture->height : kept);
        if (done)
            fade(&strip, canvas, to, theme->background);
        free(part);
    }
    canvas_free(&strip);
    return done;
}
