// The screen opened on a question set or a sweep: what `eval --screen`, `sweep --screen` and `browse` show.
#ifndef TRIMSCOPE_APP_SET_SCREEN_H
#define TRIMSCOPE_APP_SET_SCREEN_H

#include "app/screen_options.h"
#include "engine/base/error.h"

struct set_screen {
    const char *model; // NULL: the bundled one
    enum policy policy;
    double budget;
    int threads;
    const struct screen_settings *screen;
    const struct page_kind *page; // opened above the stepper
    const void *page_request;     // ui/page_set.h
};

bool set_screen_run(const struct set_screen *settings, struct error *err);

#endif
