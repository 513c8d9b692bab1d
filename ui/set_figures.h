// Figures about a question set: how much single questions cost, and how often each type is answered rightly.
#ifndef TRIMSCOPE_UI_SET_FIGURES_H
#define TRIMSCOPE_UI_SET_FIGURES_H

#include "ui/draw.h"

// Histogram of the share of the dense FLOPs that each question spent: easy at the left, hard at the right, with the
// question at either end below. At least SET_HISTOGRAM_ROWS rows and 30 columns.
enum { SET_HISTOGRAM_ROWS = 7 };
void set_figures_histogram(const struct pane *pane, struct rect rect, const struct results *results);

// A row for each type, and one for all: a bar to the accuracy, the interval marked in it, and the numbers.
void set_figures_types(const struct pane *pane, struct rect rect, const struct results *results,
                       const struct set_summary *summary, const char *chosen);
int set_figures_type_rows(const struct set_summary *summary);

// The cells of such a bar: full up to the low end of the interval, half to the value, thin to the high end.
enum set_cell { SET_CELL_FULL, SET_CELL_LOW, SET_CELL_HIGH, SET_CELL_EMPTY };
enum set_cell set_figures_cell(struct estimate estimate, int cell, int cells);

// Counts of questions answered in equal parts of [low, high]; returns the most in one. Costs that nobody has: low == high.
int set_figures_bins(const struct results *results, int *bins, int count, double *low, double *high);

#endif
