// The options that every command with a screen takes.
#ifndef TRIMSCOPE_APP_SCREEN_OPTIONS_H
#define TRIMSCOPE_APP_SCREEN_OPTIONS_H

#include "app/options.h"
#include "ui/screen.h"

struct screen_settings {
    const char *graphics, *theme; // NULL: what the environment says, or auto
    bool no_mouse;
};

// Rows of a command's table; `settings` is a struct screen_settings.
#define OPTION_ROWS_SCREEN(settings)                                                                           \
    {"graphics", OPTION_TEXT, &(settings).graphics, "MODE",                                                    \
     "how pictures are drawn: sixel, blocks, ascii or auto, which asks the terminal (default auto, or "        \
     "TRIMSCOPE_GRAPHICS)",                                                                                    \
     0, 0},                                                                                                    \
        {"theme", OPTION_TEXT, &(settings).theme, "NAME",                                                      \
         "dark, light or auto (default auto, or TRIMSCOPE_THEME); NO_COLOR=1 takes all colours away", 0, 0},   \
        {"no-mouse", OPTION_FLAG, &(settings).no_mouse, NULL, "leave the mouse to the terminal, for selecting text", \
         0, 0}

// The screen's options from the settings, the environment (TRIMSCOPE_GRAPHICS, TRIMSCOPE_THEME) and the defaults.
bool screen_settings_apply(const struct screen_settings *settings, struct screen_options *options, struct error *err);

#endif
