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
    X(OTHER, N_("other run"))                                                                                \
    X(RIGHT, N_("right"))                                                                                    \
    X(P, N_("p"))                                                                                            \
    X(SHARE, N_("share"))                                                                                    \
    X(MS, N_("ms"))
#define SET_COLUMN_ENUM(id, title) SET_##id,
enum set_column { SET_COLUMNS(SET_COLUMN_ENUM) SET_COLUMN_COUNT };
#undef SET_COLUMN_ENUM

enum set_right { SET_ANY, SET_ONLY_RIGHT, SET_ONLY_WRONG, SET_RIGHT_COUNT };

// Which of two runs is right.
enum set_side { SET_EITHER, SET_ONE_SIDE, SET_THIS_SIDE, SET_OTHER_SIDE, SET_NO_SIDE, SET_SIDE_COUNT };

struct set_filter {
    char text[128]; // in the question, truth, answer or picture, whatever the case; "": all
    char type[64];  // "": all
    enum set_right right;
    enum set_side side; // needs another run
};

// Another run over the same set.
struct set_other {
    struct results *results; // NULL: none
    int *places;             // for each row of this run that of the other, -1: it has none
};

struct set_rows {
    int *order; // places in the results of the rows shown
    int count, capacity;
    int right; // of those shown
    enum set_column column;
    bool descending;
    struct set_filter filter;
    struct set_other other;
};

// Takes another run (malloc'ed; freed with the rows, or here on failure) and finds its rows. NULL: none any more.
bool set_rows_put_beside(struct set_rows *rows, const struct results *results, struct results *other, struct error *err);
// What the other run answered to the question of this row; NULL: there is none, or it has not.
const struct evaluation *set_rows_other(const struct set_rows *rows, int place);
// The rows that both have answered, by who was right: all, both, only this one, only the other, neither.
struct set_pairs {
    int all, both, only_this, only_other, neither;
};
struct set_pairs set_rows_count_pairs(const struct set_rows *rows, const struct results *results);

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
