// The article's motivation figure: how alike the tokens and the heads of each layer are, for both modalities,
// unpruned and pruned, as four plots in characters and a sentence that says what they show.
#ifndef TRIMSCOPE_UI_REDUNDANCY_FIGURE_H
#define TRIMSCOPE_UI_REDUNDANCY_FIGURE_H

#include "engine/run/redundancy.h"
#include "ui/plot.h"

enum { REDUNDANCY_SENTENCE = 700 };

// Draws `count` plots over the whole sheet, two beside each other: all four, or those of tokens or of heads (`first`).
// `lines`: unpruned, pruned; NULL or without inputs: not drawn.
void redundancy_figure_draw(struct plot_sheet *sheet, const struct redundancy *const lines[PLOT_LINES],
                            enum redundancy_series first, int count);

// Up to five sentences with the figure's own numbers, one a line.
void redundancy_figure_say(const struct redundancy *const lines[PLOT_LINES], char out[REDUNDANCY_SENTENCE]);

#endif
