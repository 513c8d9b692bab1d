// The options that every command with a screen takes.
#ifndef TRIMSCOPE_APP_SCREEN_OPTIONS_H
#define TRIMSCOPE_APP_SCREEN_OPTIONS_H

#include "app/options.h"
#include "ui/screen.h"

struct screen_settings {
    const char *graphics, *theme; // NULL: what the environment says, or auto
    bool no_mouse, plain;
    const char *record; // a file for the recording of the session, NULL: none
};

// Rows of a command's table; `settings` is a struct screen_settings. A command that can tell what it shows line by line
// has OPTION_ROW_PLAIN, too.
#define OPTION_ROWS_DRAWN(settings)                                                                            \
    {"graphics", OPTION_TEXT, &(settings).graphics, "MODE",                                                    \
     N_("how pictures are drawn: sixel, blocks, ascii or auto, which asks the terminal (default auto, or "     \
        "TRIMSCOPE_GRAPHICS)"),                                                                                    \
     0, 0},                                                                                                    \
        {"theme", OPTION_TEXT, &(settings).theme, "NAME",                                                      \
         N_("dark, light, contrast, colorblind or auto (default auto, or TRIMSCOPE_THEME); NO_COLOR=1 takes all "  \
            "colours away"),                                                                                       \
         0, 0},                                                                                                \
        {"no-mouse", OPTION_FLAG, &(settings).no_mouse, NULL, N_("leave the mouse to the terminal, for selecting text"), \
         0, 0},                                                                                                \
        {"record", OPTION_TEXT, &(settings).record, "FILE.cast",                                               \
         N_("record the session for asciinema; in block graphics unless --graphics says otherwise, because its players " \
         "cannot show sixel"),                                                                                  \
         0, 0}
#define OPTION_ROW_PLAIN(settings)                                                                             \
    {"plain", OPTION_FLAG, &(settings).plain, NULL,                                                            \
     N_("line by line, for screen readers and pipes: stages in sentences, commands as words (help lists them)"), 0, 0}
#define OPTION_ROWS_SCREEN(settings) OPTION_ROWS_DRAWN(settings), OPTION_ROW_PLAIN(settings)

// Whether there is a terminal that can show a screen.
bool screen_settings_possible(void);

// The screen; line by line where that is wanted, or where no screen is possible, which is said on stderr.
bool screen_settings_show(const struct screen_settings *settings, const struct backend *backend,
                          const struct screen_options *options, struct error *err);

// The screen's options from the settings, the environment (TRIMSCOPE_GRAPHICS, TRIMSCOPE_THEME) and the defaults.
// With --record the graphics are blocks where nothing else was asked for.
bool screen_settings_apply(const struct screen_settings *settings, struct screen_options *options, struct error *err);

// Runs a command's screen, show(context), and returns its exit status; with --record in a terminal of its own, whose
// recording is written when it has ended. What goes wrong with the recording is said on stderr.
int screen_settings_run(const struct screen_settings *settings, const char *title, int (*show)(void *context),
                        void *context);

#endif
