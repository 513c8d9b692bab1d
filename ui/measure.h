// Text in columns of a terminal: characters are told apart, measured, and broken into rows as their script
// has it (words at spaces, Chinese anywhere but before a full stop).
#ifndef TRIMSCOPE_UI_MEASURE_H
#define TRIMSCOPE_UI_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

// The next character of a UTF-8 text and its columns. Bytes that are none, and what cannot be printed, become
// '?' of one column; a combining mark takes none.
wchar_t measure_next(const char **text, int *columns);

// Columns that a text takes.
int measure_width(const char *text);

// Bytes of `text` that a row of so many columns takes; text that starts with spaces is measured behind them
// by the caller. *all: that is everything. A word that is wider than the row is cut, so the row is never
// empty.
int measure_row(const char *text, int columns, bool *all);

// Rows that a text takes.
int measure_rows(const char *text, int columns);

// Spaces that bring a text to a width: for printf("%s%*s", text, measure_pad(text, 12), "").
int measure_pad(const char *text, int columns);

#endif
