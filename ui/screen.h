// The screen: takes the terminal, shows what a backend computes, and lets the person step through it and
// change it.
#ifndef TRIMSCOPE_UI_SCREEN_H
#define TRIMSCOPE_UI_SCREEN_H

#include "ui/backend.h"
#include "ui/terminal.h"
#include "ui/theme.h"

struct config;
struct page_kind;

struct screen_options {
    enum graphics graphics; // GRAPHICS_AUTO: the best the terminal can
    enum theme_kind theme;
    bool mouse;
    double play_seconds;  // how long a stage stands while playing
    struct config *config; // what the page of options changes (ui/config.h), its keys and colours; NULL: none
    char notice[480];             // to be read first, in the note line
    bool question_first;          // open the question prompt at the start
    const char *stage; // where the person starts: its number from 1 on, or its name ("fusion 3"); NULL: at the first
    const struct page_kind *page; // opened above the stepper at the start (ui/page.h); NULL: none
    const void *page_argument;
    const char *assets; // the folder of the bundled files; NULL: there are none
    bool outlives_signals; // a signal that means quit ends the screen as q does: who runs it has something to save
};
struct screen_options screen_options_default(void);

// Runs until the person quits; false and *err when the terminal cannot show it, or
// when there is no first run to be stepped through. After a signal that means
// quit the terminal is given back and the process dies of that signal, so that who started it can tell, unless the
// options say that it outlives it.
bool screen_run(const struct backend *backend, const struct screen_options *options, struct error *err);

#endif
