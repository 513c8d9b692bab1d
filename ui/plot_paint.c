#include "ui/plot_paint.h"

#include "ui/frame.h"

#include <math.h>
#include <string.h>

enum { SHADES = 24 };

// The colour of a style as the terminal most probably has it; the ink where it is the terminal's own.
static void color_of(const struct theme *theme, enum style style, unsigned char rgb[3])
{
    short front, back;
    theme_colors(theme->kind, theme->dark, style, &front, &back);
    if (front >= 0)
        frame_palette_color(front, rgb);
    else
        memcpy(rgb, theme->ink, 3);
}

static const enum style styles[] = {STYLE_ALIVE, STYLE_ANSWER_BAR, STYLE_RULE};

static void mix(struct canvas *canvas, int x, int y, const unsigned char color[3], float share)
{
    if (share > 0)
        canvas_mix(canvas, (struct area){x, y, 1, 1}, color, share < 1 ? share : 1);
}

struct point {
    float x, y;
};

// A line of this thickness, its edges smoothed by how much of a pixel it covers; in dashes where `dash` (pixels) is above
// 0, counted from *at on, which goes on from one piece of a curve to the next.
static void paint_line(struct canvas *canvas, struct point a, struct point b, float thick, float dash, float *at,
                       const unsigned char color[3])
{
    float dx = b.x - a.x, dy = b.y - a.y, length = sqrtf(dx * dx + dy * dy), half = thick / 2;
    int x0 = (int)floorf(fminf(a.x, b.x) - half - 1), x1 = (int)ceilf(fmaxf(a.x, b.x) + half + 1);
    int y0 = (int)floorf(fminf(a.y, b.y) - half - 1), y1 = (int)ceilf(fmaxf(a.y, b.y) + half + 1);
    x0 = x0 < 0 ? 0 : x0, y0 = y0 < 0 ? 0 : y0;
    x1 = x1 < canvas->width ? x1 : canvas->width - 1, y1 = y1 < canvas->height ? y1 : canvas->height - 1;
    for (int y = y0; y <= y1 && length > 0; y++)
        for (int x = x0; x <= x1; x++) {
            float px = (float)x + 0.5F - a.x, py = (float)y + 0.5F - a.y, along = (px * dx + py * dy) / length;
            float inside = fminf(fmaxf(along, 0), length);
            float away = hypotf(px - inside * dx / length, py - inside * dy / length);
            if (dash <= 0 || fmodf(*at + inside, 2 * dash) < dash)
                mix(canvas, x, y, color, half + 0.5F - away);
        }
    *at += length;
}

static void paint_disc(struct canvas *canvas, struct point c, float radius, const unsigned char color[3])
{
    for (int y = (int)(c.y - radius - 1); y <= (int)(c.y + radius + 1); y++)
        for (int x = (int)(c.x - radius - 1); x <= (int)(c.x + radius + 1); x++)
            mix(canvas, x, y, color, radius + 0.5F - hypotf((float)x + 0.5F - c.x, (float)y + 0.5F - c.y));
}

struct painter {
    struct canvas *canvas;
    const struct plot_field *field;
    int cell_width, cell_height;
    float thick;
    unsigned char background[3];
};

static struct point place(const struct painter *p, int index, float value)
{
    return (struct point){((float)plot_point_column(p->field, index) + 0.5F) * (float)p->cell_width,
                          (plot_row(p->field, value) + 0.5F) * (float)p->cell_height};
}

static void paint_grid(const struct painter *p, const unsigned char color[3])
{
    const struct plot_field *f = p->field;
    for (int k = (int)ceilf(f->low / f->step - 0.01F); (float)k * f->step <= f->plot->high + 0.01F; k++) {
        int y = (int)place(p, 0, (float)k * f->step).y;
        canvas_mix(p->canvas, (struct area){0, y, p->canvas->width, 1}, color, k == 0 ? 1 : 0.45F);
    }
}

static void paint_curve(const struct painter *p, int line, const unsigned char color[3])
{
    const struct plot_point *points = p->field->plot->lines[line];
    float at = 0, radius = 1.6F * p->thick, beside = (line == 0 ? -0.8F : 0.8F) * p->thick;
    for (int i = 0; i < p->field->plot->count; i++) { // the spread of both stands beside the other
        if (isnan(points[i].low) || isnan(points[i].high) || points[i].high <= points[i].low)
            continue;
        struct point top = place(p, i, points[i].high), bottom = place(p, i, points[i].low);
        struct area bar = {(int)(top.x + beside - p->thick / 2), (int)top.y, (int)p->thick, (int)(bottom.y - top.y) + 1};
        canvas_mix(p->canvas, bar, color, 0.5F);
    }
    for (int i = 0, before = -1; i < p->field->plot->count; i++) {
        if (isnan(points[i].value))
            continue;
        if (before >= 0)
            paint_line(p->canvas, place(p, before, points[before].value), place(p, i, points[i].value), p->thick,
                       line == 0 ? 0 : 3 * p->thick, &at, color);
        before = i;
    }
    for (int i = 0; i < p->field->plot->count; i++) {
        if (isnan(points[i].value))
            continue;
        paint_disc(p->canvas, place(p, i, points[i].value), radius, color);
        if (line > 0) // hollow, as in characters
            paint_disc(p->canvas, place(p, i, points[i].value), radius - 0.7F * p->thick, p->background);
    }
}

void plot_paint(struct canvas *canvas, const struct plot_field *field, int cell_width, int cell_height,
                const struct theme *theme)
{
    struct painter p = {canvas, field, cell_width, cell_height, fmaxf(2, (float)cell_height / 9), {0}};
    unsigned char color[3];
    memcpy(p.background, theme->background, 3);
    canvas_fill(canvas, (struct area){0, 0, canvas->width, canvas->height}, theme->background);
    color_of(theme, STYLE_RULE, color);
    paint_grid(&p, color);
    for (int line = 0; line < PLOT_LINES; line++)
        if (field->plot->lines[line]) {
            color_of(theme, styles[line], color);
            paint_curve(&p, line, color);
        }
}

bool plot_paint_palette(struct palette *palette, const struct theme *theme)
{
    enum { COUNT = sizeof styles / sizeof *styles };
    unsigned char sample[COUNT * COUNT * SHADES][3], colors[COUNT + 1][3];
    memcpy(colors[COUNT], theme->background, 3);
    for (int s = 0; s < COUNT; s++)
        color_of(theme, styles[s], colors[s]);
    for (int a = 0; a < COUNT; a++) // each over the background, and over each other
        for (int b = 0; b < COUNT; b++)
            for (int i = 0; i < SHADES; i++)
                for (int c = 0; c < 3; c++)
                    sample[(a * COUNT + b) * SHADES + i][c] = (unsigned char)(
                        (colors[a][c] * i + colors[a == b ? COUNT : b][c] * (SHADES - 1 - i)) / (SHADES - 1));
    return palette_make(palette, sample[0], SHADES, COUNT * COUNT, (const unsigned char(*)[3])colors, COUNT + 1, PALETTE_MOST);
}
