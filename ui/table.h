// Results as text in columns, printed as they come: every column is as wide as its head in the language spoken, and a
// Chinese character takes two columns of the terminal. Without state beyond the struct; nothing is allocated.
//
//     const struct table_column columns[] = {{N_("stage"), -12}, {N_("ms"), 8}};
//     table_begin(&table, stdout, columns, 2);
//     table_cell(&table, "%s", name);
//     table_cell(&table, "%.2f", ms);       // the row's last cell ends the line
#ifndef TRIMSCOPE_UI_TABLE_H
#define TRIMSCOPE_UI_TABLE_H

#include <stdio.h>

enum { TABLE_COLUMNS = 16, TABLE_GAP = 2, TABLE_TEXT = 1024 };

struct table_column {
    const char *head; // marked by N_(), looked up here; "": none; a line break makes a head of two lines
    int width;        // at least so many columns; below 0: to the left, as in printf()
};

struct table {
    FILE *out; // NULL: nothing is printed
    int count, at;
    int widths[TABLE_COLUMNS]; // as in struct table_column
};

// Prints the heads, unless all of them are "".
void table_begin(struct table *table, FILE *out, const struct table_column *columns, int count);

// The next cell of the row. What is in it is made harmless for a terminal (text_clean()); it may be wider than its column.
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Ends a row before its last cell; nothing at the start of one.
void table_end_row(struct table *table);

#endif
