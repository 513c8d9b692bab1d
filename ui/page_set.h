// What the pages of question sets and of sweeps are opened with.
#ifndef TRIMSCOPE_UI_PAGE_SET_H
#define TRIMSCOPE_UI_PAGE_SET_H

#include "engine/run/trace.h"

// page_set. The texts are copied.
struct set_page_request {
    const char *path;    // a question set, or results; NULL: the bundled questions
    const char *results; // keeps the results of a set; NULL: none
    const char *policy;  // NULL: policy and budget of the run on the screen, once there is one
    double budget;
    int limit;
    bool ask; // nothing is opened before the person has said what
    const char *beside; // results of another run over the same set; NULL: none
};

// Opens the page and asks which set it shall show.
struct screen;
void page_set_ask(struct screen *screen);

// page_sweep.
struct sweep_page_request {
    const char *set;          // NULL: the bundled questions, unless there are files
    const char *const *files; // results
    int file_count;
    const char *policies, *budgets, *folder;
    int limit;
};

#endif
