// A frame of the screen drawn without a terminal: the same panels and images, on a window that nobody sees.
#ifndef TRIMSCOPE_UI_OFFSCREEN_H
#define TRIMSCOPE_UI_OFFSCREEN_H

#include "ui/frame.h"
#include "ui/view.h"

enum { OFFSCREEN_MOST_COLUMNS = 500, OFFSCREEN_MOST_ROWS = 200 };

struct offscreen_options {
    int rows, columns;
    enum graphics graphics;
    bool dark;
    int stage;
    enum show show;
};

bool offscreen_fits(int columns, int rows);

// Not while a screen is open. Curses must be able to describe a colour terminal (terminfo's xterm-256color).
bool offscreen_frame(struct frame *frame, const struct trace *trace, const struct backend_picture *pictures,
                     const struct offscreen_options *options, struct error *err);

#endif
