// The screen opened on a page above the stepper: what `eval --screen`, `sweep --screen`, `browse` and `lessons` show.
#ifndef TRIMSCOPE_APP_PAGE_SCREEN_H
#define TRIMSCOPE_APP_PAGE_SCREEN_H

#include "app/screen_options.h"
#include "engine/base/error.h"

struct page_screen {
    const char *model; // NULL: the bundled one
    enum policy policy;
    double budget;
    bool exact; // as in struct run_options
    int threads;
    const struct writing_settings *writing; // NULL: as published
    const struct screen_settings *screen;
    const struct page_kind *page; // opened above the stepper
    const void *page_request;     // what that page takes as its argument
    bool outlives_signals;        // as in ui/screen.h
};

bool page_screen_run(const struct page_screen *settings, struct error *err);

#endif
