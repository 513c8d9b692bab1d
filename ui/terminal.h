// The terminal: what it can do, and how it is taken over and given back whatever happens.
#ifndef TRIMSCOPE_UI_TERMINAL_H
#define TRIMSCOPE_UI_TERMINAL_H

#include "engine/base/error.h"
#include "ui/blocks.h"
#include "ui/words.h"

#include <stdbool.h>
#include <stddef.h>

#define GRAPHICS_MODES(X)                                                                                    \
    X(SIXEL, "sixel", N_("pixels"))                                                                              \
    X(BLOCKS, "blocks", N_("block characters in colour"))                                                        \
    X(ASCII, "ascii", N_("plain characters"))
#define GRAPHICS_ENUM(id, name, help) GRAPHICS_##id,
enum graphics { GRAPHICS_MODES(GRAPHICS_ENUM) GRAPHICS_COUNT, GRAPHICS_AUTO = -1 };
#undef GRAPHICS_ENUM
const char *graphics_name(enum graphics graphics);
const char *graphics_help(enum graphics graphics); // of a mode, not of auto; marked by N_()
bool graphics_parse(const char *name, enum graphics *graphics); // also "auto"

enum { TERMINAL_TEXT = 96, TERMINAL_BYTES = 4096 };

// What is known about the terminal. Filled by terminal_query().
struct terminal {
    bool answered;                  // DA1 came
    bool sixel;                     // DA1 attribute 4
    char attributes[TERMINAL_TEXT]; // DA1's parameters
    char version[TERMINAL_TEXT];    // XTVERSION
    int cell_width, cell_height;
    const char *cell_source;     // which way the cell size was found
    int most_width, most_height; // of one sixel image
    bool most_known;
    int registers;       // colour registers, 0: not told
    bool synchronized;   // private mode 2026
    bool deltas;         // draws over an image with P2=1 rightly: xterm from 300 on, foot
    bool has_background; // OSC 11 answered
    unsigned char background[3];
    enum block_colors block_colors;
    bool unicode;
    bool tmux;
    double answer_ms;
    // Bytes that arrived but are no answers: typed ahead.
    char typed[256];
    size_t typed_size;
};

// Pure: reads the answers in `bytes` into *terminal. Returns true once DA1 is complete. What is no answer
// goes to typed. Sizes of the window are for the ways to the cell size that need them.
struct terminal_window {
    int rows, columns, pixel_width, pixel_height; // TIOCGWINSZ
};
bool terminal_parse(struct terminal *terminal, const char *bytes, size_t size,
                    const struct terminal_window *window);

// Whether this system can describe the terminal that TERM names; one that it cannot is asked nothing.
bool terminal_known(void);

// Asks the terminal everything in one write and reads until DA1 (at most `seconds`); before curses starts.
// Asks nothing when input or output is no terminal, or TERM is dumb.
void terminal_query(struct terminal *terminal, double seconds);

// What pictures are drawn with: what was asked for, or the best that works.
enum graphics terminal_graphics(const struct terminal *terminal, enum graphics wanted);

// Asks for the cell size again: fonts change with the window. Curses may be on.
void terminal_query_size(struct terminal *terminal, double seconds);

// What getch() returns when the terminal answers CSI 5n: everything sent before it has been drawn.
enum { TERMINAL_FRAME_DONE = 600 };

// Takes the terminal over: curses, alternate screen, raw keys, signal handlers. False (and one sentence) when
// that is impossible. terminal_close() gives it back; a crash or a signal does too.
bool terminal_open(struct terminal *terminal, struct error *err);
void terminal_close(void);

// Makes getch() return what was typed among the answers.
void terminal_give_back_typed(struct terminal *terminal);

// Stops this job as Ctrl-Z should, and returns when it is continued, with the terminal taken over again.
void terminal_suspend(void);

// Signals that arrived since the last call, as bits.
enum { SIGNALLED_RESIZE = 1, SIGNALLED_STOP = 2, SIGNALLED_CONTINUED = 4, SIGNALLED_QUIT = 8 };
int terminal_signals(void);
int terminal_signal_fd(void);   // readable when there are some
int terminal_quit_signal(void); // the signal behind SIGNALLED_QUIT

// Mouse reports on or off.
void terminal_mouse(bool on);

// Writes everything, waiting where the terminal is slow; gives up (false) when a signal says quit or it is
// gone.
bool terminal_write(const char *bytes, size_t size);

// Sets LC_CTYPE from the environment, C.UTF-8 where that says nothing. Returns whether characters are UTF-8.
bool terminal_locale(void);
// Whether this is a tmux that shows ASCII only to its client, since no locale says otherwise. Asks tmux, once.
bool terminal_tmux_is_ascii(void);

#endif
