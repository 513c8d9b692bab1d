// What the files of the screen share: not for others.
#ifndef TRIMSCOPE_UI_SCREEN_STATE_H
#define TRIMSCOPE_UI_SCREEN_STATE_H

#include "ui/keys.h"
#include "ui/layout.h"
#include "ui/popup.h"
#include "ui/prompt.h"
#include "ui/scene.h"
#include "ui/screen.h"

struct screen {
    const struct backend *backend;
    struct view view;
    struct terminal terminal;
    struct theme theme;
    unsigned theme_serial;
    bool dark, color;
    enum graphics graphics;
    bool mouse;
    struct layout layout;
    struct scene scene;
    struct prompt prompt;
    struct popup popup;
    struct bytes out;
    const char *completions[8];
    int completion_count;
    enum focus attention_of; // what the attention shown was asked for
    bool quit;
    bool dirty;             // something to be seen changed
    bool repaint;           // everything must be sent again
    bool frame_pending;     // the terminal has not said yet that it drew the last frame
    bool paced;             // it has ever said so
    double frame_sent, play_next, busy_since; // busy_since 0: idle
};

// Makes the state of a screen; the terminal has been opened (or not: tests). screen_end() releases it.
void screen_begin(struct screen *screen, const struct backend *backend, const struct screen_options *options,
                  const struct terminal *terminal);
void screen_end(struct screen *screen);
// Takes what the backend has to say.
void screen_take_news(struct screen *screen);

// Draws what changed, text first, then images; see terminal.h and DESIGN.md.
void screen_draw(struct screen *screen);
// The layout for the present terminal and trace.
void screen_place(struct screen *screen);

// A key or a mouse event.
void screen_key(struct screen *screen, wint_t key, bool is_code);
void screen_action(struct screen *screen, enum action action);
void screen_step(struct screen *screen, int stages);
// Asks for the attention of what was chosen, at the stage shown.
void screen_want_attention(struct screen *screen);
void screen_choose_theme(struct screen *screen);

struct pane screen_pane(const struct screen *screen);
struct scene_context screen_scene_context(const struct screen *screen);

#endif
