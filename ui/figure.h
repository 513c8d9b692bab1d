// The article's figure as data: several runs below each other, their stages from left to right, what survives in each
// cell. The screen's figure page and the exporters draw the same struct.
//
// How to fill it: one row per run, trace and pictures borrowed from whoever has them (they must outlive the figure); the
// first rows are (a), (b), (c) with guidance, the last is without. app/sides.h makes the runs and fills a figure
// (sides_make_figure(), sides_show_figure()); on the screen the lanes of the backend do.
#ifndef TRIMSCOPE_UI_FIGURE_H
#define TRIMSCOPE_UI_FIGURE_H

#include "ui/backend.h"

#include <stddef.h>

enum { FIGURE_ROWS = 4, FIGURE_COLUMNS = 16 };

struct figure_row {
    const struct trace *trace;              // a run, whole or as far as it has come; NULL: none yet
    const struct backend_picture *pictures; // trace->picture_count of them; rgb NULL: no pixels
};

struct figure {
    int count;
    struct figure_row rows[FIGURE_ROWS];
};

// Questions that can be asked about any picture, or statements about any two, for rows of pictures about which none are known;
// NULL: no more.
const char *figure_general_question(int pictures, int index);

// "(a)" for row 0, and so on.
void figure_label(int row, char out[8]);

// What stands above a row: 'learned: with cross-modal guidance'. Translated.
const char *figure_guidance(const struct figure_row *row);

// The stages that become columns, from the left: those that have patches to show, and the answer. At most `most` (1 ..
// FIGURE_COLUMNS): evenly chosen, the first and the answer always among them. Returns how many; 0: no row has a trace.
int figure_columns(const struct figure *figure, int most, int stages[FIGURE_COLUMNS]);

struct figure_cell {
    bool computed;               // the run has come that far
    int alive, patches;          // of all its pictures, CLS not counted
    const struct trace_answer *answer; // the best one read after this stage; NULL: none can be read yet
};
void figure_cell(const struct figure_row *row, int stage, struct figure_cell *out);

// Whether a word (token of the question) is alive after a stage.
bool figure_word_alive(const struct figure_row *row, int stage, int token);

#endif
