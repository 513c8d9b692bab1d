#include "ui/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXIS_WIDTH = 6, DOTS_X = 2, DOTS_Y = 4, NUMBER_WIDTH = 4 };

bool plot_sheet_init(struct plot_sheet *sheet, int rows, int columns, bool unicode)
{
    *sheet = (struct plot_sheet){rows, columns, unicode, NULL};
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
    static const char *const marks[2][PLOT_LINES] = {{"*-", "o."}, {"●─", "○┄"}};
    return marks[unicode][line];
}

static const char *mark_of(bool unicode, int line)
{
    static const char *const marks[2][PLOT_LINES] = {{"*", "o"}, {"●", "○"}};
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
    const struct plot *plot;
    float low;                      // end of the y axis
    int row, column, rows, columns; // in cells
    unsigned char *dots;            // braille bits of each cell
    unsigned char *line;            // which line owns a cell's dots, +1
};

static int point_column(const struct field *f, int index)
{
    return f->columns * (2 * index + 1) / (2 * f->plot->count);
}

// The row of a value in steps of 1/`fine` of a cell, from above; outside of the axis: at its end.
static int value_row(const struct field *f, float value, int fine)
{
    float share = (value - f->low) / (f->plot->high - f->low);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return (int)lroundf((1 - share) * (float)(f->rows * fine - 1));
}

static void dot(struct field *f, int line, int x, int y)
{
    static const unsigned char bits[DOTS_Y][DOTS_X] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= f->columns * DOTS_X || y >= f->rows * DOTS_Y)
        return;
    int cell = y / DOTS_Y * f->columns + x / DOTS_X;
    f->dots[cell] |= bits[y % DOTS_Y][x % DOTS_X];
    f->line[cell] = (unsigned char)(line + 1);
}

// The second line has gaps.
static void join(struct field *f, int line, int from, int to)
{
    const struct plot_point *points = f->plot->lines[line];
    int x0 = point_column(f, from) * DOTS_X, x1 = point_column(f, to) * DOTS_X;
    int y0 = value_row(f, points[from].value, DOTS_Y), y1 = value_row(f, points[to].value, DOTS_Y);
    int steps = x1 - x0 > abs(y1 - y0) ? x1 - x0 : abs(y1 - y0);
    for (int i = 0; i <= steps; i++)
        if (line == 0 || i % 4 < 1)
            dot(f, line, x0 + (x1 - x0) * i / (steps ? steps : 1), y0 + (y1 - y0) * i / (steps ? steps : 1));
}

// What 90 % of the inputs reach: a bar of cells, ended by a tick; the second line's stands one column to the
// right.
static void draw_spread(struct field *f, int line, int index)
{
    static const char *const bars[2][PLOT_LINES] = {{"|", ":"}, {"│", "┊"}};
    const struct plot_point *p = &f->plot->lines[line][index];
    if (isnan(p->low) || isnan(p->high) || p->high <= p->low)
        return;
    int top = value_row(f, p->high, 1), bottom = value_row(f, p->low, 1),
        column = point_column(f, index) + line;
    for (int r = top; r <= bottom; r++)
        put(f->sheet, line == 0 ? STYLE_SPENT : STYLE_ANSWER_BAR, f->row + r, f->column + column,
            bars[f->sheet->unicode][line]);
}

static void draw_marks(struct field *f, int line)
{
    for (int i = 0; i < f->plot->count; i++) {
        float value = f->plot->lines[line][i].value;
        if (!isnan(value))
            put(f->sheet, style_of(line), f->row + value_row(f, value, 1),
                f->column + point_column(f, i) + line, mark_of(f->sheet->unicode, line));
    }
}

static void draw_dots(struct field *f)
{
    for (int i = 0; i < f->rows * f->columns; i++) {
        unsigned code = 0x2800U + f->dots[i];
        char text[4] = {(char)(0xE0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3F)),
                        (char)(0x80 | (code & 0x3F)), 0};
        if (f->dots[i])
            put(f->sheet, style_of(f->line[i] - 1), f->row + i / f->columns, f->column + i % f->columns,
                f->sheet->unicode ? text
                : f->line[i] == 1 ? "."
                                  : "'");
    }
}

static void draw_lines(struct field *f)
{
    for (int line = PLOT_LINES - 1; line >= 0; line--) {
        const struct plot_point *points = f->plot->lines[line];
        for (int i = 0, before = -1; points && i < f->plot->count; i++) {
            if (isnan(points[i].value))
                continue;
            if (before >= 0)
                join(f, line, before, i);
            before = i;
        }
    }
    draw_dots(f);
    for (int line = PLOT_LINES - 1; line >= 0; line--)
        for (int i = 0; f->plot->lines[line] && i < f->plot->count; i++)
            draw_spread(f, line, i);
    for (int line = PLOT_LINES - 1; line >= 0; line--)
        if (f->plot->lines[line])
            draw_marks(f, line);
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

// Ticks at whole steps of 0.2 (0.5 where rows are few), with a faint rule through the field at each.
static void draw_axis(struct field *f)
{
    const struct plot *plot = f->plot;
    bool unicode = f->sheet->unicode;
    float step = f->rows >= 12 ? 0.2F : 0.5F;
    for (int r = 0; r < f->rows; r++)
        put(f->sheet, STYLE_RULE, f->row + r, f->column - 1, unicode ? "│" : "|");
    for (int k = (int)ceilf(f->low / step - 0.01F); (float)k * step <= plot->high + 0.01F; k++) {
        char text[16];
        int r = f->row + value_row(f, (float)k * step, 1);
        snprintf(text, sizeof text, "%4.1f", (double)((float)k * step + 0.0F));
        plot_text(f->sheet, STYLE_DIM, r, f->column - AXIS_WIDTH, 4, text);
        put(f->sheet, STYLE_RULE, r, f->column - 1, unicode ? "┤" : "+");
        for (int i = 0; i < f->columns; i++)
            put(f->sheet, STYLE_RULE, r, f->column + i,
                k == 0 ? (unicode ? "─" : "-") : (unicode ? "·" : "."));
    }
    for (int i = 0; i < f->columns; i++)
        put(f->sheet, STYLE_RULE, f->row + f->rows, f->column + i, unicode ? "─" : "-");
    put(f->sheet, STYLE_RULE, f->row + f->rows, f->column - 1, unicode ? "└" : "+");
    for (int i = 0; i < plot->count; i++)
        put(f->sheet, STYLE_RULE, f->row + f->rows, f->column + point_column(f, i), unicode ? "┴" : "+");
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
    plot_text(f->sheet, style, row, f->column + point_column(f, index) - width / 2, width, text);
}

static void draw_numbers(struct field *f)
{
    int row = f->row + f->rows + 1;
    int every = (f->plot->count * NUMBER_WIDTH + f->columns) /
                (f->columns + 1); // where it is narrow, some are left out
    for (int i = 0; i < f->plot->count; i += every)
        centred(f, STYLE_TEXT, row, i, f->plot->labels[i]);
    for (int line = 0; line < PLOT_LINES; line++) {
        if (!f->plot->lines[line])
            continue;
        row++;
        plot_text(f->sheet, style_of(line), row, f->column - AXIS_WIDTH + 2, 2,
                  plot_mark(f->sheet->unicode, line));
        for (int i = 0; i < f->plot->count; i += every) {
            char text[16];
            short_number(text, sizeof text, f->plot->lines[line][i].value);
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
                      .plot = plot,
                      .row = row + 1,
                      .column = column + AXIS_WIDTH,
                      .rows = rows - 3 - lines,
                      .columns = columns - AXIS_WIDTH};
    f.low = axis_end(plot, f.rows);
    plot_text(sheet, STYLE_TITLE, row, column, columns, plot->title);
    if (f.rows < 2 || f.columns < 2 || plot->count < 1)
        return;
    f.dots = calloc((size_t)f.rows * (size_t)f.columns, 2);
    if (!f.dots)
        return;
    f.line = f.dots + f.rows * f.columns;
    draw_axis(&f);
    draw_lines(&f);
    draw_numbers(&f);
    free(f.dots);
}
