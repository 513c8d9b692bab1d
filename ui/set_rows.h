// The rows of a question set as a table shows them: which, and in what order.
#ifndef TRIMSCOPE_UI_SET_ROWS_H
#define TRIMSCOPE_UI_SET_ROWS_H

#include "engine/run/results.h"

// id, title, sorts texts; where it is a number the least comes first
#define SET_COLUMNS(X)                                                                                       \
    X(ID, N_("no."))                                                                                         \
    X(PICTURE, N_("picture"))                                                                                \
    X(QUESTION, N_("question"))                                                                              \
    X(TYPE, N_("type"))                                                                                      \
    X(TRUTH, N_("truth"))                                                                                    \
    X(ANSWER, N_("answer"))                                                                                  \
    X(RIGHT, N_("right"))                                                                                    \
    X(P, N_("p"))                                                                                            \
    X(SHARE, N_("share"))                                                                                    \
    X(MS, N_("ms"))
#define SET_COLUMN_ENUM(id, title) SET_##id,
enum set_column { SET_COLUMNS(SET_COLUMN_ENUM) SET_COLUMN_COUNT };
#undef SET_COLUMN_ENUM

enum set_right { SET_ANY, SET_ONLY_RIGHT, SET_ONLY_WRONG, SET_RIGHT_COUNT };

struct set_filter {
    char text[128]; // in the question, truth, answer or picture, whatever the case; "": all
    char type[64];  // "": all
    enum set_right right;
};

struct set_rows {
    int *order; // places in the results of the rows shown
    int count, capacity;
    int right; // of those shown
    enum set_column column;
    bool descending;
    struct set_filter filter;
};

// The rows that have been answered and fit the filter, sorted. False: no memory, nothing has changed.
bool set_rows_update(struct set_rows *rows, const struct results *results) __attribute__((warn_unused_result));
void set_rows_free(struct set_rows *rows);

// Where a place in the results is among the rows; -1: not shown.
int set_rows_find(const struct set_rows *rows, int place);

// The types of the set in the order of their first question; fills types[most] with places of those, returns how many.
int set_rows_types(const struct results *results, int *types, int most);

// The name of a picture without its folders.
const char *set_rows_picture(const struct question *question);

#endif
