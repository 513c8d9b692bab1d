// What the stepper had before a page showed other runs in it: given back as it was, cursors and changes by hand included.
#ifndef TRIMSCOPE_UI_KEPT_RUN_H
#define TRIMSCOPE_UI_KEPT_RUN_H

#include "ui/view.h"

struct kept_run {
    bool kept;
    struct trace trace; // without its stages
    struct view_truth truth;
    int stage, picture, patch, word;
    enum focus focus;
    enum show show;
    struct head_place head;
    bool patch_chosen, word_chosen;
};

// Keeps what the view shows, unless something is kept already or there is nothing yet. False: no memory.
bool kept_run_take(struct kept_run *kept, const struct view *view) __attribute__((warn_unused_result));

// Asks for what was kept and puts the cursors back; the view awaits it (view_await()). Nothing is kept any more. False:
// nothing was.
bool kept_run_give_back(struct kept_run *kept, struct view *view, const struct backend *backend);
void kept_run_free(struct kept_run *kept);

#endif
