// Training as it is seen: what the screen asks of whatever trains (app/train_screen.c, or a fake one in tests).
#ifndef TRIMSCOPE_UI_TRAIN_FEED_H
#define TRIMSCOPE_UI_TRAIN_FEED_H

#include "ui/backend.h"

enum { TRAIN_TERMS = 8, TRAIN_TYPES = 16, TRAIN_LAYERS = 16 };

// Where a run stands; means over the steps since the point before. NaN: not asked, or there is none.
struct train_point {
    long step, steps, questions; // so far, and of the whole run; questions so far
    double loss[TRAIN_TERMS], accuracy, type_accuracy[TRAIN_TYPES];
    double share, target;                              // of the dense multiply-adds: spent, and asked for
    double alive[TRAIN_LAYERS], budget[TRAIN_LAYERS];  // share of patches alive in each fusion layer, and the curriculum's
    double rate, questions_per_second, seconds_left;
};

// One thing that happened; the flags say which parts are filled in. Trace and pixels become the receiver's.
struct train_news {
    bool has_point, has_look, has_words, ended;
    bool leave; // with ended: a signal that came before the screen was there has ended it, and the screen goes, too
    struct train_point point;
    struct trace look; // a validation picture under the present weights
    struct backend_picture picture;
    char truth[64];    // the right answer there
    char words[480];   // one sentence: a validation, a state written, what went wrong
    bool is_error;     // the sentence is about that
};

struct train_feed {
    void *context;
    bool trim; // the SmartTrim stage: shares and budgets mean something
    const char *command; // the command line that it was started with; NULL: not shown
    int terms, types, layers;
    const char *term_names[TRAIN_TERMS], *type_names[TRAIN_TYPES];
    // Called on the screen's thread. False: nothing new; *news (zeroed by the caller) is left alone.
    bool (*poll)(void *context, struct train_news *news);
    void (*next_look)(void *context); // another validation picture, soon
};

#endif
