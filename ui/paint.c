#include "ui/paint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char white[3] = {255, 255, 255}, black[3] = {0, 0, 0};
static const unsigned char sky[3] = {120, 200, 245}, blue[3] = {0, 95, 175};
static const unsigned char bright_orange[3] = {255, 168, 38}, dark_orange[3] = {205, 85, 0};

static const unsigned char *mark_color(const struct theme *theme)
{
    return theme->dark ? bright_orange : dark_orange;
}

void paint_fixed_colors(const struct theme *theme, unsigned char colors[PAINT_FIXED][3])
{
    memcpy(colors[0], theme->background, 3);
    memcpy(colors[1], theme->ink, 3);
    memcpy(colors[2], white, 3);
    memcpy(colors[3], black, 3);
    memcpy(colors[4], mark_color(theme), 3);
    memcpy(colors[5], sky, 3);
    memcpy(colors[6], blue, 3);
    for (int i = 0; i < 3; i++) // the film strip's paper
        colors[7][i] = (unsigned char)((theme->background[i] * 7 + theme->ink[i]) / 8);
}

void paint_ramp(float value, unsigned char color[3])
{
    static const unsigned char stops[6][3] = {{0, 32, 81},     {51, 67, 108},   {104, 105, 112},
                                              {149, 143, 120}, {202, 186, 106}, {253, 234, 69}};
    float at = (value > 0 ? value < 1 ? value : 1 : 0) * 5;
    int stop = at >= 5 ? 4 : (int)at;
    for (int i = 0; i < 3; i++)
        color[i] = (unsigned char)((float)stops[stop][i] +
                                   (at - (float)stop) * (float)(stops[stop + 1][i] - stops[stop][i]) + 0.5F);
}

void paint_looks(const struct view *view, int stage, int picture, struct patch_look *looks)
{
    float low = 0, high = 1;
    bool tinted = view->show != SHOW_SURVIVORS && view_shown_range(view, stage, picture, &low, &high);
    if (view->show == SHOW_ATTENTION)
        low = 0;
    float span = high > low ? high - low : 1;
    for (int i = 0; i < view_patches(view, picture); i++) {
        looks[i] = (struct patch_look){.alive = view_alive(view, stage, picture, i + 1), .tint = NAN};
        looks[i].fresh = view_dropped_now(view, stage, picture, i + 1);
        if (tinted && (looks[i].alive || looks[i].fresh))
            looks[i].tint = (view_shown_value(view, stage, picture, i + 1) - low) / span;
    }
}

struct area paint_patch_area(struct area area, int rows, int columns, int index)
{
    int row = index / columns, column = index % columns;
    int x0 = area.x + column * area.width / columns, x1 = area.x + (column + 1) * area.width / columns;
    int y0 = area.y + row * area.height / rows, y1 = area.y + (row + 1) * area.height / rows;
    return (struct area){x0, y0, x1 - x0, y1 - y0};
}

// How far patches go towards the background (0 .. 256): for each value of a channel what it becomes.
struct fade {
    unsigned char to[3][256];
};

static void fade_init(struct fade *fade, const struct theme *theme, int share)
{
    for (int i = 0; i < 3; i++)
        for (int v = 0; v < 256; v++)
            fade->to[i][v] = (unsigned char)((v * (256 - share) + theme->background[i] * share) >> 8);
}

// Copies a part of the clear picture; with a fade (may be NULL) greyed, and towards the background.
static void paint_copy(struct canvas *canvas, struct area from, struct area to, const struct paint *paint,
                       const struct fade *fade)
{
    for (int y = 0; y < to.height; y++) {
        const unsigned char *p =
            paint->clear->rgb + ((size_t)(from.y + y) * paint->clear->width + from.x) * 3;
        unsigned char *out = canvas->rgb + ((size_t)(to.y + y) * canvas->width + to.x) * 3;
        if (!fade) {
            memcpy(out, p, (size_t)to.width * 3);
            continue;
        }
        for (int x = 0; x < to.width; x++, p += 3, out += 3) {
            unsigned r = p[0], g = p[1], b = p[2], grey = ((r * 77 + g * 150 + b * 29) >> 8) * 3;
            out[0] = fade->to[0][(grey + r) / 4];
            out[1] = fade->to[1][(grey + g) / 4];
            out[2] = fade->to[2][(grey + b) / 4];
        }
    }
}

// A score: the ramp's colour, with the picture's brightness shining through.
static void paint_tint(struct canvas *canvas, struct area area, float tint)
{
    unsigned char color[3];
    paint_ramp(tint, color);
    for (int y = 0; y < area.height; y++) {
        unsigned char *p = canvas->rgb + ((size_t)(area.y + y) * canvas->width + area.x) * 3;
        for (int x = 0; x < area.width; x++, p += 3) {
            int grey = (p[0] * 77 + p[1] * 150 + p[2] * 29) >> 8;
            for (int i = 0; i < 3; i++)
                p[i] = (unsigned char)((grey * 90 + color[i] * 166) >> 8);
        }
    }
}

// Brightness alone, for characters: living patches keep away from the background, what just went is one faint
// tone.
static void paint_brightness(struct canvas *canvas, struct area area, const struct paint *paint,
                             const struct patch_look *look)
{
    const unsigned char *back = paint->theme->background, *ink = paint->theme->ink;
    for (int y = 0; y < area.height; y++) {
        unsigned char *p = canvas->rgb + ((size_t)(area.y + y) * canvas->width + area.x) * 3;
        for (int x = 0; x < area.width; x++, p += 3) {
            int grey = (p[0] * 77 + p[1] * 150 + p[2] * 29) >> 8;
            int share = look->alive ? 70 + grey * 186 / 255 : look->fresh ? 30 : 0; // of 256
            if (look->alive && !isnan(look->tint))
                share = 70 + (int)(look->tint * 186);
            for (int i = 0; i < 3; i++)
                p[i] = (unsigned char)((back[i] * (256 - share) + ink[i] * share) >> 8);
        }
    }
}

// A small cross: this patch went just now.
static void paint_cross(struct canvas *canvas, struct area area, const unsigned char orange[3])
{
    int size = (area.width < area.height ? area.width : area.height) / 7;
    int x = area.x + area.width / 2, y = area.y + area.height / 2, thick = size > 3 ? 2 : 1;
    for (int i = -size; i <= size; i++) {
        canvas_mix(canvas, (struct area){x + i, y + i, thick, thick}, orange, 0.7F);
        canvas_mix(canvas, (struct area){x + i, y - i, thick, thick}, orange, 0.7F);
    }
}

// A diamond in the middle of the patch: full and orange, or hollow and blue, with an edge that shows on any picture.
static void paint_mark(struct canvas *canvas, struct area area, const struct theme *theme, enum patch_mark mark)
{
    int least = area.width < area.height ? area.width : area.height;
    int size = least * 2 / 7 > 2 ? least * 2 / 7 : 2, hole = mark == PATCH_ELSEWHERE ? size - size / 3 - 1 : 0;
    int x = area.x + area.width / 2, y = area.y + area.height / 2;
    const unsigned char *color = mark == PATCH_ONLY_HERE ? mark_color(theme) : theme->dark ? sky : blue;
    const unsigned char *edge = theme->dark ? black : white;
    for (int row = -size; row <= size; row++) {
        int half = size - abs(row), gap = hole - abs(row) - 1;
        canvas_fill(canvas, (struct area){x - half, y + row, 2 * half + 1, 1}, edge);
        if (half > 0)
            canvas_fill(canvas, (struct area){x - half + 1, y + row, 2 * half - 1, 1}, color);
        if (gap >= 0)
            canvas_fill(canvas, (struct area){x - gap, y + row, 2 * gap + 1, 1}, edge);
    }
}

// The border of the living region: a line inside each living patch towards dead neighbours.
static void paint_border(struct canvas *canvas, struct area area, const struct paint *paint, int index)
{
    int row = index / paint->columns, column = index % paint->columns;
    const struct patch_look *look = &paint->looks[index];
    int thick = area.width >= 24 ? 2 : 1;
    const unsigned char *color = paint->theme->dark ? sky : blue;
    struct area right = {area.x + area.width - thick, area.y, thick, area.height};
    struct area bottom = {area.x, area.y + area.height - thick, area.width, thick};
    if (row > 0 && !look[-paint->columns].alive)
        canvas_fill(canvas, (struct area){area.x, area.y, area.width, thick}, color);
    if (row < paint->rows - 1 && !look[paint->columns].alive)
        canvas_fill(canvas, bottom, color);
    if (column > 0 && !look[-1].alive)
        canvas_fill(canvas, (struct area){area.x, area.y, thick, area.height}, color);
    if (column < paint->columns - 1 && !look[1].alive)
        canvas_fill(canvas, right, color);
}

static void paint_cursor(struct canvas *canvas, struct area area, bool fine, const unsigned char orange[3])
{
    if (!fine) {
        canvas_frame(canvas, area, 1, orange);
        return;
    }
    int thick = area.width >= 24 ? 3 : 2;
    struct area outer = {area.x - thick, area.y - thick, area.width + 2 * thick, area.height + 2 * thick};
    struct area inner = {area.x + thick - 1, area.y + thick - 1, area.width - 2 * thick + 2,
                         area.height - 2 * thick + 2};
    canvas_frame(canvas, outer, 1, black);
    canvas_frame(canvas, (struct area){outer.x + 1, outer.y + 1, outer.width - 2, outer.height - 2},
                 thick + thick - 2, orange);
    canvas_frame(canvas, inner, 1, black);
}

void paint_picture(struct canvas *canvas, struct area area, const struct paint *paint)
{
    int count = paint->rows * paint->columns;
    struct area whole = {0, 0, area.width, area.height};
    struct fade fresh, dim;
    fade_init(&fresh, paint->theme, 150);
    fade_init(&dim, paint->theme, paint->soft ? 130 : paint->theme->dark ? 212 : 200);
    for (int i = 0; i < count; i++) {
        const struct patch_look *look = &paint->looks[i];
        struct area to = paint_patch_area(area, paint->rows, paint->columns, i);
        struct area from = paint_patch_area(whole, paint->rows, paint->columns, i);
        if (paint->ascii) {
            paint_copy(canvas, from, to, paint, NULL);
            paint_brightness(canvas, to, paint, look);
            continue;
        }
        paint_copy(canvas, from, to, paint, look->alive ? NULL : look->fresh ? &fresh : &dim);
        if (!isnan(look->tint) && look->alive)
            paint_tint(canvas, to, look->tint);
        if (paint->fine && to.width >= 8) {
            if (look->alive)
                paint_border(canvas, to, paint, i);
            else if (look->fresh && look->mark == PATCH_UNMARKED)
                paint_cross(canvas, to, mark_color(paint->theme));
            if (look->mark != PATCH_UNMARKED)
                paint_mark(canvas, to, paint->theme, look->mark);
        }
    }
    if (paint->cursor >= 0 && paint->cursor < count)
        paint_cursor(canvas, paint_patch_area(area, paint->rows, paint->columns, paint->cursor), paint->fine,
                     mark_color(paint->theme));
}
