// A curve in one row of characters.
#ifndef TRIMSCOPE_UI_SPARKLINE_H
#define TRIMSCOPE_UI_SPARKLINE_H

#include "ui/draw.h"

// `value(context, i)` for i = 0 .. count-1, spread over the columns: means of what falls into a column, NaN left blank; from
// `low` (the lowest mark) to `high`. Fewer values than columns stand at the left, one a column.
void sparkline_draw(const struct pane *pane, enum style style, int row, int column, int columns,
                    double (*value)(const void *context, int i), const void *context, int count, double low, double high);

#endif
