// The options that every command with a screen takes.
#ifndef TRIMSCOPE_APP_SCREEN_OPTIONS_H
#define TRIMSCOPE_APP_SCREEN_OPTIONS_H

#include "engine/base/error.h"
#include "ui/screen.h"

#include <stdbool.h>

// Rows for getopt_long(); the values are outside the range of characters.
enum { OPTION_GRAPHICS = 1000, OPTION_THEME, OPTION_NO_MOUSE };
#define SCREEN_LONG_OPTIONS                                                                                    \
    {"graphics", required_argument, NULL, OPTION_GRAPHICS}, {"theme", required_argument, NULL, OPTION_THEME},  \
        {"no-mouse", no_argument, NULL, OPTION_NO_MOUSE}

// The lines about them for a command's --help.
#define SCREEN_OPTIONS_HELP                                                                                    \
    "  --graphics auto|sixel|blocks|ascii   how pictures are drawn (also: TRIMSCOPE_GRAPHICS); auto asks the "  \
    "terminal\n"                                                                                               \
    "  --theme auto|dark|light              colours; auto asks the terminal. NO_COLOR=1 takes them away\n"      \
    "  --no-mouse                           leave the mouse to the terminal\n"

// The defaults, and what the environment says (TRIMSCOPE_GRAPHICS, TRIMSCOPE_THEME).
bool screen_options_environment(struct screen_options *options, struct error *err);

// Takes one option of getopt_long(). False with *err->code == 0: it is none of the screen's.
bool screen_options_take(struct screen_options *options, int option, const char *argument, struct error *err);

#endif
