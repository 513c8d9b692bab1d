#include "ui/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXIS_WIDTH = 6, DOTS_X = 2, DOTS_Y = 4, NUMBER_WIDTH = 4 };

bool plot_sheet_init(struct plot_sheet *sheet, int rows, int columns, bool unicode)
{
    *sheet = (struct plot_sheet){.rows = rows, .columns = columns, .unicode = unicode};
    if (rows > 0 && columns > 0)
        sheet->cells = calloc((size_t)rows * (size_t)columns, sizeof *sheet->cells);
    return sheet->cells != NULL;
}

void plot_sheet_free(struct plot_sheet *sheet)
{
    free(sheet->cells);
    *sheet = (struct plot_sheet){0};
}

static struct plot_cell *cell_at(struct plot_sheet *sheet, int row, int column)
{
    bool inside = row >= 0 && row < sheet->rows && column >= 0 && column < sheet->columns;
    return inside ? &sheet->cells[row * sheet->columns + column] : NULL;
}

static void put(struct plot_sheet *sheet, enum style style, int row, int column, const char *text)
{
    struct plot_cell *cell = cell_at(sheet, row, column);
    if (!cell)
        return;
    snprintf(cell->text, sizeof cell->text, "%s", text);
    cell->style = style;
}

// Bytes of the UTF-8 character that starts here.
static int character_bytes(const char *text)
{
    int bytes = 1;
    while (bytes < 4 && ((unsigned char)text[bytes] & 0xC0) == 0x80)
        bytes++;
    return bytes;
}

int plot_text(struct plot_sheet *sheet, enum style style, int row, int column, int columns, const char *text)
{
    int used = 0;
    while (*text && used < columns) {
        char one[8] = "";
        int bytes = character_bytes(text);
        memcpy(one, text, (size_t)bytes);
        int width = draw_width(one);
        if (used + width > columns)
            break;
        put(sheet, style, row, column + used, one);
        for (int i = 1; i < width; i++) // the second half of a wide character
            put(sheet, style, row, column + used + i, "\x01");
        used += width;
        text += bytes;
    }
    return used;
}

void plot_row_text(const struct plot_sheet *sheet, int row, char *out)
{
    char *end = out, *last = out;
    for (int i = 0; i < sheet->columns; i++) {
        const char *text = sheet->cells[row * sheet->columns + i].text;
        if (text[0] == '\x01')
            continue;
        end = stpcpy(end, text[0] ? text : " ");
        if (text[0] && strcmp(text, " ") != 0)
            last = end;
    }
    *last = 0;
}

void plot_sheet_show(const struct plot_sheet *sheet, const struct pane *pane, int row, int column)
{
    for (int i = 0; i < sheet->rows * sheet->columns; i++) {
        const struct plot_cell *cell = &sheet->cells[i];
        if (cell->text[0] && cell->text[0] != '\x01')
            draw_text(pane, cell->style, row + i / sheet->columns, column + i % sheet->columns,
                      sheet->columns - i % sheet->columns, cell->text);
    }
}

const char *plot_mark(bool unicode, int line)
{
    static const char *const marks[2][PLOT_LINES] = {{"*-", "o."}, {"⠶⠶", "⠂⠂"}};
    return marks[unicode][line];
}

static enum style style_of(int line)
{
    return line == 0 ? STYLE_ALIVE : STYLE_ANSWER_BAR;
}

int plot_least_columns(const struct plot *plot)
{
    return AXIS_WIDTH + plot->count * NUMBER_WIDTH;
}

// ---- the area between the axes
// ----------------------------------------------------------------------------------

struct field {
    struct plot_sheet *sheet;
    struct plot_field at;
    unsigned char *dots; // braille bits of each cell
    unsigned char *line; // which line owns a cell's dots, +1
};

int plot_point_column(const struct plot_field *f, int index)
{
    return f->columns * (2 * index + 1) / (2 * f->plot->count);
}

float plot_row(const struct plot_field *f, float value)
{
    float share = (value - f->low) / (f->plot->high - f->low);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return (1 - share) * (float)(f->rows - 1);
}

// In cells, and in the dots of a braille cell, of which the middle of a row is between the second and the third.
static int cell_row(const struct field *f, float value) { return (int)lroundf(plot_row(&f->at, value)); }

static int dot_row(const struct field *f, float value)
{
    return (int)lroundf(plot_row(&f->at, value) * DOTS_Y + (DOTS_Y - 1) / 2.0F);
}

static void dot(struct field *f, int line, int x, int y)
{
    static const unsigned char bits[DOTS_Y][DOTS_X] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= f->at.columns * DOTS_X || y >= f->at.rows * DOTS_Y)
        return;
    int cell = y / DOTS_Y * f->at.columns + x / DOTS_X;
    f->dots[cell] |= bits[y % DOTS_Y][x % DOTS_X];
    f->line[cell] = (unsigned char)(line + 1);
}

// The first line is two dots thick, the second one thin and with gaps.
static void join(struct field *f, int line, int from, int to)
{
    const struct plot_point *points = f->at.plot->lines[line];
    int x0 = plot_point_column(&f->at, from) * DOTS_X, x1 = plot_point_column(&f->at, to) * DOTS_X;
    int y0 = dot_row(f, points[from].value), y1 = dot_row(f, points[to].value);
    int steps = x1 - x0 > abs(y1 - y0) ? x1 - x0 : abs(y1 - y0);
    bool thick = line == 0 && f->sheet->unicode;
    for (int i = 0; i <= steps; i++) {
        int x = x0 + (x1 - x0) * i / (steps ? steps : 1), y = y0 + (y1 - y0) * i / (steps ? steps : 1);
        if (line == 0 || i % 4 < 1)
            dot(f, line, x, y);
        if (thick)
            dot(f, line, x, y + 1);
    }
}

// What 90 % of the inputs reach; the second line's stands beside the first one's.
static void draw_spread(struct field *f, int line, int index)
{
    static const char *const bars[PLOT_LINES] = {"|", ":"};
    const struct plot_point *p = &f->at.plot->lines[line][index];
    int column = plot_point_column(&f->at, index) + line;
    if (isnan(p->low) || isnan(p->high) || p->high <= p->low)
        return;
    if (f->sheet->unicode) {
        for (int y = dot_row(f, p->high); y <= dot_row(f, p->low); y++)
            dot(f, line, column * DOTS_X, y);
        return;
    }
    for (int r = cell_row(f, p->high); r <= cell_row(f, p->low); r++)
        put(f->sheet, line == 0 ? STYLE_SPENT : STYLE_ANSWER_BAR, f->at.row + r, f->at.column + column, bars[line]);
}

// A point as a spot of dots, which tells it to a quarter of a row; in ASCII a mark in a row.
static void draw_mark(struct field *f, int line, int index)
{
    static const char *const marks[PLOT_LINES] = {"*", "o"};
    float value = f->at.plot->lines[line][index].value;
    int column = plot_point_column(&f->at, index) + (f->sheet->unicode ? 0 : line);
    if (isnan(value))
        return;
    if (!f->sheet->unicode) {
        put(f->sheet, style_of(line), f->at.row + cell_row(f, value), f->at.column + column, marks[line]);
        return;
    }
    for (int i = 0; i < 2 * (line == 0 ? 4 : 2); i++)
        dot(f, line, column * DOTS_X + i % 2, dot_row(f, value) + i / 2 - (line == 0));
}

static void draw_dots(struct field *f)
{
    for (int i = 0; i < f->at.rows * f->at.columns; i++) {
        unsigned code = 0x2800U + f->dots[i];
        char text[4] = {(char)(0xE0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3F)),
                        (char)(0x80 | (code & 0x3F)), 0};
        if (f->dots[i])
            put(f->sheet, style_of(f->line[i] - 1), f->at.row + i / f->at.columns, f->at.column + i % f->at.columns,
                f->sheet->unicode ? text
                : f->line[i] == 1 ? "."
                                  : "'");
    }
}

static void draw_lines(struct field *f)
{
    const struct plot *plot = f->at.plot;
    for (int line = PLOT_LINES - 1; line >= 0; line--) {
        const struct plot_point *points = plot->lines[line];
        for (int i = 0, before = -1; points && i < plot->count; i++) {
            if (isnan(points[i].value))
                continue;
            if (before >= 0)
                join(f, line, before, i);
            before = i;
        }
    }
    if (!f->sheet->unicode)
        draw_dots(f); // bars and marks stand on the lines
    for (int line = PLOT_LINES - 1; line >= 0; line--)
        for (int i = 0; plot->lines[line] && i < plot->count; i++)
            draw_spread(f, line, i);
    for (int line = PLOT_LINES - 1; line >= 0; line--)
        for (int i = 0; plot->lines[line] && i < plot->count; i++)
            draw_mark(f, line, i);
    if (f->sheet->unicode)
        draw_dots(f);
}

// ---- around it
// --------------------------------------------------------------------------------------------------

// The y axis goes on below what is wanted where that makes each row a whole number of hundredths: ticks stand evenly.
static float axis_end(const struct plot *plot, int rows)
{
    static const float steps[] = {0.05F, 0.1F};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * (float)(rows - 1) > plot->high - plot->low - 0.001F)
            return plot->high - steps[i] * (float)(rows - 1);
    return plot->low;
}

// Ticks, with a faint rule through the field at each, which is painted where the lines are.
static void draw_axis(struct field *f)
{
    const struct plot_field *at = &f->at;
    bool unicode = f->sheet->unicode;
    for (int r = 0; r < at->rows; r++)
        put(f->sheet, STYLE_RULE, at->row + r, at->column - 1, unicode ? "│" : "|");
    for (int k = (int)ceilf(at->low / at->step - 0.01F); (float)k * at->step <= at->plot->high + 0.01F; k++) {
        char text[16];
        int r = at->row + cell_row(f, (float)k * at->step);
        snprintf(text, sizeof text, "%4.1f", (double)((float)k * at->step + 0.0F));
        plot_text(f->sheet, STYLE_DIM, r, at->column - AXIS_WIDTH, 4, text);
        put(f->sheet, STYLE_RULE, r, at->column - 1, unicode ? "┤" : "+");
        for (int i = 0; i < at->columns && !f->sheet->paint; i++)
            put(f->sheet, STYLE_RULE, r, at->column + i,
                k == 0 ? (unicode ? "─" : "-") : (unicode ? "·" : "."));
    }
    for (int i = 0; i < at->columns; i++)
        put(f->sheet, STYLE_RULE, at->row + at->rows, at->column + i, unicode ? "─" : "-");
    put(f->sheet, STYLE_RULE, at->row + at->rows, at->column - 1, unicode ? "└" : "+");
    for (int i = 0; i < at->plot->count; i++)
        put(f->sheet, STYLE_RULE, at->row + at->rows, at->column + plot_point_column(at, i), unicode ? "┴" : "+");
}

// "-.04" and ".79": as short as a number below 1 can be told to two places.
static void short_number(char *out, size_t size, float value)
{
    char text[16];
    if (isnan(value)) {
        snprintf(out, size, "-");
        return;
    }
    snprintf(text, sizeof text, "%.2f", (double)value);
    bool minus = text[0] == '-';
    if (!strcmp(text, "-0.00"))
        minus = false;
    const char *digits = text + (text[0] == '-');
    snprintf(out, size, "%s%s", minus ? "-" : "", digits[0] == '0' ? digits + 1 : digits);
}

static void centred(struct field *f, enum style style, int row, int index, const char *text)
{
    int width = draw_width(text);
    plot_text(f->sheet, style, row, f->at.column + plot_point_column(&f->at, index) - width / 2, width, text);
}

static void draw_numbers(struct field *f)
{
    const struct plot *plot = f->at.plot;
    int row = f->at.row + f->at.rows + 1;
    int every = (plot->count * NUMBER_WIDTH + f->at.columns) /
                (f->at.columns + 1); // where it is narrow, some are left out
    for (int i = 0; i < plot->count; i += every)
        centred(f, STYLE_TEXT, row, i, plot->labels[i]);
    for (int line = 0; line < PLOT_LINES; line++) {
        if (!plot->lines[line])
            continue;
        row++;
        plot_text(f->sheet, style_of(line), row, f->at.column - AXIS_WIDTH + 2, 2,
                  plot_mark(f->sheet->unicode, line));
        for (int i = 0; i < plot->count; i += every) {
            char text[16];
            short_number(text, sizeof text, plot->lines[line][i].value);
            centred(f, style_of(line), row, i, text);
        }
    }
}

void plot_draw(struct plot_sheet *sheet, const struct plot *plot, int row, int column, int rows, int columns)
{
    int lines = 0;
    for (int i = 0; i < PLOT_LINES; i++)
        lines += plot->lines[i] != NULL;
    struct field f = {.sheet = sheet,
                      .at = {.plot = plot,
                             .row = row + 1,
                             .column = column + AXIS_WIDTH,
                             .rows = rows - 3 - lines,
                             .columns = columns - AXIS_WIDTH}};
    f.at.low = axis_end(plot, f.at.rows);
    f.at.step = f.at.rows >= 12 ? 0.2F : 0.5F; // at whole steps
    plot_text(sheet, STYLE_TITLE, row, column, columns, plot->title);
    if (f.at.rows < 2 || f.at.columns < 2 || plot->count < 1)
        return;
    draw_axis(&f);
    draw_numbers(&f);
    if (sheet->paint) {
        sheet->paint(sheet->context, &f.at);
        return;
    }
    f.dots = calloc((size_t)f.at.rows * (size_t)f.at.columns, 2);
    if (!f.dots)
        return;
    f.line = f.dots + f.at.rows * f.at.columns;
    draw_lines(&f);
    free(f.dots);
}
