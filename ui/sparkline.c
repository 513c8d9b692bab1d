#include "ui/sparkline.h"

#include <math.h>

enum { LEVELS = 8 };

static double mean(double (*value)(const void *context, int i), const void *context, int from, int to)
{
    double sum = 0;
    int n = 0;
    for (int i = from; i < to; i++) {
        double v = value(context, i);
        if (isnan(v))
            continue;
        sum += v;
        n++;
    }
    return n ? sum / n : (double)NAN;
}

void sparkline_draw(const struct pane *pane, enum style style, int row, int column, int columns,
                    double (*value)(const void *context, int i), const void *context, int count, double low, double high)
{
    static const char *const marks[2][LEVELS] = {{"_", ".", "-", "~", "=", "+", "*", "#"},
                                                 {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
    int shown = count < columns ? count : columns;
    for (int c = 0; c < shown; c++) {
        int from = (int)((long)c * count / shown), to = (int)((long)(c + 1) * count / shown);
        double v = mean(value, context, from, to);
        if (isnan(v))
            continue;
        double part = high > low ? (v - low) / (high - low) : 0;
        int level = (int)(part * LEVELS);
        level = level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : level;
        draw_text(pane, style, row, column + c, 1, marks[pane->theme->glyphs->unicode][level]);
    }
}
