// Line plots: curves in braille with the spread of the inputs as bars, numbers below; or in pixels (ui/plot_paint.h) where
// the terminal shows them. Read without colour: the two lines differ in stroke. Plain ASCII where nothing else is there.
#ifndef TRIMSCOPE_UI_PLOT_H
#define TRIMSCOPE_UI_PLOT_H

#include "ui/draw.h"
#include "ui/theme.h"

#include <stdbool.h>
#include <stddef.h>

enum { PLOT_LINES = 2 };

struct plot_point {
    float value, low, high; // NaN: none
};

struct plot {
    const char *title;
    const char *const *labels; // count of them, short
    int count;
    const struct plot_point *lines[PLOT_LINES]; // NULL: no such line; the second is drawn dotted
    float low, high; // of the y axis, which may begin lower
};

// A sheet of character cells that plots are drawn on.
struct plot_cell {
    char text[8]; // one UTF-8 character, "": blank
    enum style style;
};
// The area between the axes of a plot, in cells of its sheet.
struct plot_field {
    const struct plot *plot;
    int row, column, rows, columns;
    float low, step; // end of the y axis; where its ticks are
};

struct plot_sheet {
    int rows, columns;
    bool unicode;
    struct plot_cell *cells;
    // Paints curves and grid, in the place of characters, while plot_draw() runs; NULL: they are drawn in characters.
    void (*paint)(void *context, const struct plot_field *field);
    void *context;
};

// The column of a point, and the row of a value (not rounded; outside of the axis: its end), counted from the field's corner.
int plot_point_column(const struct plot_field *field, int index);
float plot_row(const struct plot_field *field, float value);

bool plot_sheet_init(struct plot_sheet *sheet, int rows, int columns, bool unicode);
void plot_sheet_free(struct plot_sheet *sheet);

// Writes text into the sheet, clipped at its right edge and at `columns`. Returns the columns used.
int plot_text(struct plot_sheet *sheet, enum style style, int row, int column, int columns, const char *text);

// The least size that a plot of so many points needs.
enum { PLOT_LEAST_ROWS = 8 };
int plot_least_columns(const struct plot *plot);

// Draws the plot into a rectangle of the sheet: title, axes, lines, labels and a row of numbers for each
// line.
void plot_draw(struct plot_sheet *sheet, const struct plot *plot, int row, int column, int rows, int columns);

// What stands for a line in a legend: "⠶⠶" or "⠂⠂".
const char *plot_mark(bool unicode, int line);

// Draws the sheet onto the screen.
void plot_sheet_show(const struct plot_sheet *sheet, const struct pane *pane, int row, int column);

// One row as text without trailing blanks; `out` has 8 * columns + 1 bytes.
void plot_row_text(const struct plot_sheet *sheet, int row, char *out);

#endif
