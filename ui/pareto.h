// Accuracy against cost, drawn in characters: a letter for each policy, capital where nothing beats the point, and the
// front as a line of braille dots (ASCII: of full stops) between those. Nothing hangs on colour.
#ifndef TRIMSCOPE_UI_PARETO_H
#define TRIMSCOPE_UI_PARETO_H

#include "ui/plot.h"

struct pareto_point {
    char letter;       // of its policy, small
    const char *label; // written beside it where there is room
    double x, y;       // cost; accuracy, 0 .. 1
    bool front, chosen;
};

struct pareto {
    const char *x_title, *y_title;
    const struct pareto_point *points;
    int count;
};

enum { PARETO_LEAST_ROWS = 8, PARETO_LEAST_COLUMNS = 40 };

// Draws into a rectangle of the sheet.
void pareto_draw(struct plot_sheet *sheet, const struct pareto *pareto, int row, int column, int rows, int columns);

#endif
