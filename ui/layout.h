// Where everything goes: a pure function from the size of the terminal to rectangles of cells.
#ifndef TRIMSCOPE_UI_LAYOUT_H
#define TRIMSCOPE_UI_LAYOUT_H

#include <stdbool.h>

enum { LAYOUT_LEAST_ROWS = 24, LAYOUT_LEAST_COLUMNS = 80 };

struct rect {
    int row, column, rows, columns; // rows == 0: not shown
};

bool rect_holds(struct rect rect, int row, int column);

struct layout_request {
    int rows, columns;           // of the terminal
    int cell_width, cell_height; // in pixels; only their ratio matters here
    double aspect;               // width / height of the picture (both pictures side by side)
    double wider, higher;        // shares by which a border around it makes it so, if there is room
    int stages;                  // of the whole run, for the film strip
    int head_rows;               // streams that have heads
    int question_columns;        // of the question written in one row
};

struct layout {
    bool too_small;
    bool roomy; // blank lines between panels, longer texts
    struct rect body; // between the header and the note line
    struct rect header, picture, legend, words, heads, cost, answer, inspect, story, strip, note, hints;
    bool strip_titled;      // the row above the film strip is its title
    int strip_column_width; // cells of one stage in the film strip, gap included
    int strip_shown;        // stages that fit
};

void layout_compute(struct layout *layout, const struct layout_request *request);

#endif
