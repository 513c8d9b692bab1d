#include "ui/pareto.h"

#include "ui/draw.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXIS = 6, DOTS_X = 2, DOTS_Y = 4 };

struct scale {
    double low, high, step;
};

// Ends and ticks at round numbers around what there is.
static struct scale scale_of(double low, double high, int most)
{
    double room = fmax(high - low, 0.01), step = pow(10, floor(log10(room / most)));
    while (room / step > most)
        step *= room / step / 2 <= most ? 2 : room / step / 5 <= most ? 5 : 10;
    double first = floor(low / step + 1e-9) * step, last = ceil(high / step - 1e-9) * step;
    return (struct scale){first, last > first + step / 2 ? last : first + step, step};
}

struct field {
    struct plot_sheet *sheet;
    int row, column, rows, columns; // between the axes
    struct scale x, y;
    unsigned char *dots; // of each cell
    bool *taken;         // cells with a mark or a label
};

static double place_x(const struct field *f, double x) { return (x - f->x.low) / (f->x.high - f->x.low) * (f->columns - 1); }

static double place_y(const struct field *f, double y) { return (f->y.high - y) / (f->y.high - f->y.low) * (f->rows - 1); }

static void dot(struct field *f, double column, double row)
{
    static const unsigned char bits[DOTS_Y][DOTS_X] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    int x = (int)floor((column + 0.5) * DOTS_X), y = (int)floor((row + 0.5) * DOTS_Y);
    if (x < 0 || y < 0 || x >= f->columns * DOTS_X || y >= f->rows * DOTS_Y)
        return;
    f->dots[y / DOTS_Y * f->columns + x / DOTS_X] |= bits[y % DOTS_Y][x % DOTS_X];
}

static void line(struct field *f, double c0, double r0, double c1, double r1)
{
    int steps = (int)(fmax(fabs(c1 - c0) * DOTS_X, fabs(r1 - r0) * DOTS_Y)) + 1;
    for (int i = 0; i <= steps; i++)
        dot(f, c0 + (c1 - c0) * i / steps, r0 + (r1 - r0) * i / steps);
}

static int by_cost(const void *a, const void *b)
{
    const struct pareto_point *p = *(const struct pareto_point *const *)a, *q = *(const struct pareto_point *const *)b;
    return (p->x > q->x) - (p->x < q->x);
}

// A staircase: what can be had for at most so much.
static void draw_front(struct field *f, const struct pareto_point *const *order, int count)
{
    const struct pareto_point *last = NULL;
    for (int i = 0; i < count; i++) {
        const struct pareto_point *p = order[i];
        if (!p->front)
            continue;
        if (last) {
            line(f, place_x(f, last->x), place_y(f, last->y), place_x(f, p->x), place_y(f, last->y));
            line(f, place_x(f, p->x), place_y(f, last->y), place_x(f, p->x), place_y(f, p->y));
        }
        last = p;
    }
    if (last)
        line(f, place_x(f, last->x), place_y(f, last->y), f->columns - 1, place_y(f, last->y));
}

static void write_dots(struct field *f)
{
    for (int i = 0; i < f->rows * f->columns; i++) {
        char text[4] = ".";
        if (!f->dots[i])
            continue;
        if (f->sheet->unicode)
            memcpy(text, (char[]){(char)0xE2, (char)(0xA0 | f->dots[i] >> 6), (char)(0x80 | (f->dots[i] & 0x3F)), 0}, 4);
        plot_text(f->sheet, STYLE_DIM, f->row + i / f->columns, f->column + i % f->columns, 1, text);
    }
}

// Whether a text may stand there: inside, on no other text, and (`dots`) not on the line either.
static bool is_free(const struct field *f, int row, int column, int width, bool dots)
{
    if (row < 0 || row >= f->rows || column < 0 || column + width > f->columns)
        return false;
    for (int i = row * f->columns + column; i < row * f->columns + column + width; i++)
        if (f->taken[i] || (dots && f->dots[i]))
            return false;
    return true;
}

static void write_at(struct field *f, enum style style, int row, int column, int width, const char *text)
{
    plot_text(f->sheet, style, f->row + row, f->column + column, width, text);
    for (int i = 0; i < width; i++)
        f->taken[row * f->columns + column + i] = true;
}

static enum style style_of(const struct pareto_point *p)
{
    return p->chosen ? STYLE_SELECTED : p->front ? STYLE_ALIVE : STYLE_TEXT;
}

static void draw_mark(struct field *f, const struct pareto_point *p)
{
    int row = (int)lround(place_y(f, p->y)), column = (int)lround(place_x(f, p->x));
    char text[2] = {p->front ? (char)toupper((unsigned char)p->letter) : p->letter, 0};
    // A mark of the front, or the chosen one, hides another in the same cell, not the other way round.
    if (p->front || p->chosen || is_free(f, row, column, 1, false))
        write_at(f, style_of(p), row, column, 1, text);
}

// A label needs a blank at both sides: it must not seem to belong to a neighbour.
static void draw_label(struct field *f, const struct pareto_point *p)
{
    int row = (int)lround(place_y(f, p->y)), column = (int)lround(place_x(f, p->x)), width = draw_width(p->label);
    const int places[][2] = {{row, column + 1},     {row, column - 2 - width},     {row - 1, column},
                             {row + 1, column},     {row - 1, column - width - 1}, {row + 1, column - width - 1}};
    enum { PLACES = sizeof places / sizeof *places };
    for (int i = 0; width && i < 2 * PLACES; i++) {
        const int *at = places[i % PLACES];
        if (is_free(f, at[0], at[1], width + 2, i < PLACES)) {
            write_at(f, style_of(p), at[0], at[1] + 1, width, p->label);
            return;
        }
    }
}

static void draw_axes(struct field *f, const struct pareto *pareto, int row, int column, int columns)
{
    char text[32];
    bool unicode = f->sheet->unicode;
    plot_text(f->sheet, STYLE_DIM, row, column, columns, pareto->y_title);
    for (int r = 0; r < f->rows; r++)
        plot_text(f->sheet, STYLE_DIM, f->row + r, f->column - 1, 1, unicode ? "│" : "|");
    for (int c = 0; c < f->columns; c++)
        plot_text(f->sheet, STYLE_DIM, f->row + f->rows, f->column + c, 1, unicode ? "─" : "-");
    plot_text(f->sheet, STYLE_DIM, f->row + f->rows, f->column - 1, 1, unicode ? "└" : "+");
    for (double y = f->y.low; y <= f->y.high + f->y.step / 2; y += f->y.step) {
        snprintf(text, sizeof text, f->y.step < 0.01 ? "%5.1f" : "%4.0f ", 100 * y);
        plot_text(f->sheet, STYLE_DIM, f->row + (int)lround(place_y(f, y)), column, AXIS - 1, text);
        plot_text(f->sheet, STYLE_DIM, f->row + (int)lround(place_y(f, y)), f->column - 1, 1, unicode ? "┤" : "+");
    }
    int digits = f->x.step >= 1 ? 0 : f->x.step >= 0.1 ? 1 : 2;
    for (double x = f->x.low; x <= f->x.high + f->x.step / 2; x += f->x.step) {
        int at = (int)lround(place_x(f, x)), width = snprintf(text, sizeof text, "%.*f", digits, x);
        int left = at - width / 2;
        left = left + width > f->columns ? f->columns - width : left;
        plot_text(f->sheet, STYLE_DIM, f->row + f->rows, f->column + at, 1, unicode ? "┴" : "+");
        plot_text(f->sheet, STYLE_DIM, f->row + f->rows + 1, f->column + left, width, text);
    }
    int title = draw_width(pareto->x_title);
    plot_text(f->sheet, STYLE_DIM, f->row + f->rows + 2, f->column + (f->columns > title ? f->columns - title : 0), title,
              pareto->x_title);
}

// The front last, so that its letters stand on top; its labels first, so that they find room.
static void draw_points(struct field *f, const struct pareto *pareto)
{
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < pareto->count; i++) {
            const struct pareto_point *p = &pareto->points[i];
            if (pass == (p->chosen ? 2 : p->front))
                draw_mark(f, p);
        }
    for (int pass = 2; pass >= 0; pass--)
        for (int i = 0; i < pareto->count; i++) {
            const struct pareto_point *p = &pareto->points[i];
            if (pass == (p->chosen ? 2 : p->front))
                draw_label(f, p);
        }
}

void pareto_draw(struct plot_sheet *sheet, const struct pareto *pareto, int row, int column, int rows, int columns)
{
    struct field f = {.sheet = sheet, .row = row + 1, .column = column + AXIS, .rows = rows - 4, .columns = columns - AXIS};
    double low_x = HUGE_VAL, high_x = -HUGE_VAL, low_y = HUGE_VAL, high_y = -HUGE_VAL;
    if (pareto->count < 1 || rows < PARETO_LEAST_ROWS || columns < PARETO_LEAST_COLUMNS)
        return;
    for (int i = 0; i < pareto->count; i++) {
        low_x = fmin(low_x, pareto->points[i].x), high_x = fmax(high_x, pareto->points[i].x);
        low_y = fmin(low_y, pareto->points[i].y), high_y = fmax(high_y, pareto->points[i].y);
    }
    f.x = scale_of(low_x, high_x, f.columns / 8);
    f.y = scale_of(low_y, high_y, f.rows / 2);
    size_t cells = (size_t)f.rows * (size_t)f.columns;
    f.dots = calloc(cells, sizeof *f.dots);
    f.taken = calloc(cells, sizeof *f.taken);
    const struct pareto_point **order = calloc((size_t)pareto->count, sizeof *order);
    if (f.dots && f.taken && order) {
        for (int i = 0; i < pareto->count; i++)
            order[i] = &pareto->points[i];
        qsort(order, (size_t)pareto->count, sizeof *order, by_cost);
        draw_axes(&f, pareto, row, column, columns);
        draw_front(&f, order, pareto->count);
        write_dots(&f);
        draw_points(&f, pareto);
    }
    free(f.dots);
    free(f.taken);
    free(order);
}
