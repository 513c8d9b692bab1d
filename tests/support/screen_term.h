// A terminal for tests of the screen: the program runs in a child on a pty, its text goes through libvterm,
// its sixel strings are taken out of the stream before and decoded by libsixel onto a plane of pixels.
// Whatever text touches afterwards is no longer painted: what is left unpainted inside an image is debris.
#ifndef TRIMSCOPE_TESTS_SUPPORT_SCREEN_TERM_H
#define TRIMSCOPE_TESTS_SUPPORT_SCREEN_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

enum { TERM_CELL_WIDTH = 10, TERM_CELL_HEIGHT = 20, TERM_LOG = 1 << 16 };

struct screen_term_options {
    int rows, columns;
    bool sixel;          // DA1 says so
    bool silent;         // answers nothing at all
    const char *version; // for XTVERSION; NULL: none
    const char *term;    // TERM; NULL: xterm-256color
    const char *locale;  // LC_ALL; NULL: C.UTF-8
    bool no_color;       // NO_COLOR=1
    bool white;          // OSC 11 says white
};

struct screen_term {
    struct screen_term_options options;
    pid_t pid;
    int pty, tty; // our end, and the child's (to look at its settings)
    struct termios before;
    VTerm *vterm;
    VTermScreen *screen;
    int rows, columns;
    unsigned char *pixels; // (rows * cell height, columns * cell width, 3)
    unsigned char *painted;
    int images; // sixel strings so far
    size_t image_bytes;
    char *dcs; // a string that has not ended yet
    size_t dcs_used, dcs_capacity;
    char log[TERM_LOG]; // the last bytes from the child
    size_t log_used;
    bool in_escape, in_dcs, dcs_escape;
    bool scrolled; // curses moved rows
    bool cursor_visible, alternate, mouse;
    int frames;  // that ended in CSI 5n
    bool hold;   // as on a slow line, no frame is answered,
    int held;    // these were not
};

// Starts child(context) with the pty as its terminal; its return value is its exit status.
void screen_term_start(struct screen_term *term, const struct screen_term_options *options,
                       int (*child)(void *), void *context);

// The same in a terminal that says that it is xterm.
void screen_term_start_xterm(struct screen_term *term, int rows, int columns, bool sixel, int (*child)(void *), void *context);

// Reads and answers until a frame is complete and nothing has come for `quiet` milliseconds (at most 20 s).
void screen_term_settle(struct screen_term *term, int quiet);
// Until the text is on the screen; false after 20 s.
bool screen_term_wait(struct screen_term *term, const char *text);
// Until it is there no more; false after 20 s. A frame may be read in parts: what goes may go after what comes.
bool screen_term_wait_gone(struct screen_term *term, const char *text);
bool screen_term_find(const struct screen_term *term, const char *text, int *row, int *column);
void screen_term_row(const struct screen_term *term, int row, char *out, size_t size); // UTF-8
VTermScreenCell screen_term_cell(const struct screen_term *term, int row, int column);
void screen_term_release(struct screen_term *term); // answers the frames that were held back
void screen_term_type(struct screen_term *term, const char *keys);
void screen_term_resize(struct screen_term *term, int rows, int columns);

// The colour of a pixel of the image plane; false: not painted.
bool screen_term_pixel(const struct screen_term *term, int x, int y, unsigned char rgb[3]);

// Reads to the end and waits for the child; returns its wait status. The terminal can be looked at until
// _free.
int screen_term_finish(struct screen_term *term);
bool screen_term_restored(const struct screen_term *term); // the tty's settings are those from before
void screen_term_free(struct screen_term *term);

// All rows, to standard error: for looking at a failure.
void screen_term_dump(const struct screen_term *term);

#endif
