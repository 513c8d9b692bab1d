// The curves of a plot in pixels, where the terminal shows them: smooth lines over the grid, the spread as bars behind.
#ifndef TRIMSCOPE_UI_PLOT_PAINT_H
#define TRIMSCOPE_UI_PLOT_PAINT_H

#include "ui/canvas.h"
#include "ui/palette.h"
#include "ui/plot.h"

// Paints a field (ui/plot.h) over the whole canvas, whose cells have this size in pixels.
void plot_paint(struct canvas *canvas, const struct plot_field *field, int cell_width, int cell_height,
                const struct theme *theme);

// The colours that plot_paint() mixes in a theme. False: no memory.
bool plot_paint_palette(struct palette *palette, const struct theme *theme);

#endif
