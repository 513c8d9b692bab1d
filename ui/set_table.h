// The table of a question set: columns for the room there is, and the row the cursor is on in full.
#ifndef TRIMSCOPE_UI_SET_TABLE_H
#define TRIMSCOPE_UI_SET_TABLE_H

#include "ui/draw.h"
#include "ui/set_rows.h"

struct set_table {
    struct rect rect;    // header row, rows, and two rows about the row chosen
    int selected, first; // among the rows
    bool both;           // another run stands beside: its answers have a column
};

// Puts `first` where `selected` is in sight.
void set_table_scroll(struct set_table *table, int count);
int set_table_page(const struct set_table *table); // rows in sight

void set_table_draw(const struct pane *pane, const struct set_table *table, const struct results *results,
                    const struct set_rows *rows);

// What a cell of the screen belongs to: a row (its index), or a column's title. False: neither.
bool set_table_hit(const struct set_table *table, int row, int column, int *index, enum set_column *title);

#endif
