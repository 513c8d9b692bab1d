// Runs beside each other on one opened model, for commands: the comparison and the article's figure.
#ifndef TRIMSCOPE_APP_SIDES_H
#define TRIMSCOPE_APP_SIDES_H

#include "app/notes.h"
#include "app/options.h"
#include "app/scenes.h"
#include "engine/run/compare.h"
#include "engine/run/run.h"
#include "ui/figure.h"

enum { SIDES_QUESTIONS = 8 };

struct model;
struct writing_settings;

// What one run is made of. The strings are borrowed.
struct side {
    const char *pictures[TRACE_PICTURES]; // as many as the model's task takes
    const char *question;
    enum policy policy;
    double budget;              // NaN: as trained
    struct option_list changes; // by hand, as prepare_changes() takes them
    bool exact;                 // struct run_options
    const struct writing_settings *writing; // NULL: as published
};

struct sides {
    int count;
    struct run *runs[COMPARE_RUNS];
    struct backend_picture pictures[COMPARE_RUNS][TRACE_PICTURES]; // as the model sees them, for drawing
    struct notes said; // what is out of the ordinary about the inputs, on stderr
};

// Runs all of them to the end. False and *err (what is empty then is safe to free); `pool` may be NULL.
bool sides_run(struct sides *sides, const struct side *list, int count, const struct model *model,
               struct thread_pool *pool, struct error *err);
void sides_free(struct sides *sides);

void sides_show_comparison(const struct sides *sides, struct comparison *out);
void sides_show_figure(const struct sides *sides, struct figure *out);

// The article's figure for a picture: rows (a) to (c) ask `question` and up to two more with guidance, (d) asks the first
// without. The further questions are `more` (may be NULL), then the bundled ones about this picture, then general ones. Without a budget
// given, the last row gets the share that the learned policy has as trained: its own threshold was made for scores with
// guidance. A model without trimmers shows what
// policies that need none do: text-similarity, and last cls-attention. Fills list[] and returns how many rows there are; `room` keeps the bundled questions.
struct sides_questions {
    char text[SIDES_QUESTIONS][SCENES_QUESTION];
};
int sides_make_figure(struct side list[FIGURE_ROWS], const struct side *first, const char *const more[], int more_count,
                      const struct model *model, struct sides_questions *room);

// Says on stderr that general questions fill the figure, where they do.
void sides_note_general(const struct side list[], int count);

#endif
