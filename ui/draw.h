// Text on the standard window: clipped to a width, safe against whatever bytes come from outside.
#ifndef TRIMSCOPE_UI_DRAW_H
#define TRIMSCOPE_UI_DRAW_H

#include "ui/layout.h"
#include "ui/paint.h"
#include "ui/theme.h"
#include "ui/view.h"

struct page;

// Which words and heads are alive here alone, or elsewhere alone (ui/paint.h), for pages that show runs side by side.
struct pane_marks {
    enum patch_mark (*word)(const void *context, int token);
    enum patch_mark (*head)(const void *context, const struct head_place *place);
    const void *context;
};

// What every panel gets.
struct pane {
    const struct theme *theme;
    const struct layout *layout;
    const struct view *view;
    struct page *page; // the one on top
    const struct pane_marks *marks; // NULL: none
};

// The glyph of a mark and its colour; "" where there is none.
const char *draw_patch_mark(const struct pane *pane, enum patch_mark mark, enum style *style);

// Columns that a UTF-8 text takes; what cannot be printed takes one.
int draw_width(const char *text);

// Writes at most `columns` columns of the text, ending in an ellipsis where it is cut. Returns the columns
// used.
int draw_text(const struct pane *pane, enum style style, int row, int column, int columns, const char *text);
int draw_format(const struct pane *pane, enum style style, int row, int column, int columns,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

// Text at the right end of [column, column + columns). Returns the column where it starts.
int draw_right(const struct pane *pane, enum style style, int row, int column, int columns, const char *text);

// The text with a stroke through each character, where the characters allow it (ASCII: ~text~ needs the room
// given).
int draw_struck(const struct pane *pane, enum style style, int row, int column, int columns,
                const char *text);

// Rows that the text takes when it is wrapped.
int draw_rows(const char *text, int columns);
// Words wrapped into a rectangle; the last row ends in an ellipsis when there is more. Returns the rows used.
int draw_wrapped(const struct pane *pane, enum style style, struct rect rect, const char *text);

// The text in a row where there is room for it, or else the brief one.
int draw_fitting(const struct pane *pane, enum style style, int row, int column, int columns, const char *text,
                 const char *brief);

// As many whole sentences (a line each, the first in any case) as a rectangle of this size holds, joined in `out`.
void draw_fit_sentences(const char *lines, int rows, int columns, char *out, size_t size);

// A horizontal bar: `share` (0 .. 1) of the columns filled, to half a cell, the rest a thin track.
void draw_bar(const struct pane *pane, enum style style, int row, int column, int columns, double share);

// "TITLE ───────── right": the first row of a panel.
void draw_title(const struct pane *pane, struct rect rect, const char *title, const char *right,
                bool focused);

// A number of FLOPs (2 x multiply-adds): "12.9 M".
void draw_flops(char *out, size_t size, double macs);

#endif
