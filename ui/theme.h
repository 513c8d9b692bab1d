// Colours and characters: a dark and a light palette that colour-blind people can tell apart (Okabe and Ito's
// hues, blue against orange), and the same without any colour. Every state also has a mark of its own:
// nothing is told by hue alone.
#ifndef TRIMSCOPE_UI_THEME_H
#define TRIMSCOPE_UI_THEME_H

#include <ncurses.h>
#include <stdbool.h>

// id, dark 256, light 256 (-1: the terminal's own), background dark, light, 8 colours, attributes with and
// without colour
#define STYLES(X)                                                                                            \
    X(TEXT, 253, 235, -1, -1, -1, A_NORMAL, A_NORMAL)                                                        \
    X(STRONG, 231, 16, -1, -1, -1, A_BOLD, A_BOLD)                                                           \
    X(DIM, 245, 243, -1, -1, -1, A_NORMAL, A_DIM)                                                            \
    X(TITLE, 110, 25, -1, -1, COLOR_CYAN, A_BOLD, A_BOLD)                                                    \
    X(RULE, 238, 251, -1, -1, -1, A_NORMAL, A_DIM)                                                           \
    X(BAR, 252, 235, 236, 254, -1, A_NORMAL, A_REVERSE)                                                      \
    X(BAR_STRONG, 231, 16, 236, 254, -1, A_BOLD, A_REVERSE | A_BOLD)                                         \
    X(BAR_DIM, 246, 241, 236, 254, -1, A_NORMAL, A_REVERSE)                                                  \
    X(BRAND, 16, 231, 74, 25, COLOR_CYAN, A_BOLD, A_REVERSE | A_BOLD)                                        \
    X(ALIVE, 117, 25, -1, -1, COLOR_CYAN, A_NORMAL, A_NORMAL)                                                \
    X(ALIVE_STRONG, 117, 25, -1, -1, COLOR_CYAN, A_BOLD, A_BOLD)                                             \
    X(DEAD, 242, 247, -1, -1, -1, A_NORMAL, A_DIM)                                                           \
    X(NEW_DEAD, 214, 130, -1, -1, COLOR_YELLOW, A_NORMAL, A_BOLD)                                            \
    X(SPENT, 74, 31, -1, -1, COLOR_CYAN, A_NORMAL, A_NORMAL)                                                 \
    X(TRACK, 238, 251, -1, -1, -1, A_NORMAL, A_DIM)                                                          \
    X(ANSWER, 222, 94, -1, -1, COLOR_YELLOW, A_BOLD, A_BOLD)                                                 \
    X(ANSWER_BAR, 179, 136, -1, -1, COLOR_YELLOW, A_NORMAL, A_NORMAL)                                        \
    X(CURSOR, 16, 231, 214, 166, COLOR_YELLOW, A_BOLD, A_REVERSE | A_BOLD)                                   \
    X(NUMBER, 152, 24, -1, -1, -1, A_NORMAL, A_NORMAL)                                                       \
    X(WARN, 214, 130, -1, -1, COLOR_YELLOW, A_BOLD, A_BOLD)                                                  \
    X(KEY, 117, 25, -1, -1, COLOR_CYAN, A_BOLD, A_BOLD)                                                      \
    X(RAMP_0, 17, 17, -1, -1, COLOR_BLUE, A_NORMAL, A_NORMAL)                                                \
    X(RAMP_1, 60, 60, -1, -1, COLOR_BLUE, A_NORMAL, A_NORMAL)                                                \
    X(RAMP_2, 242, 242, -1, -1, -1, A_NORMAL, A_NORMAL)                                                      \
    X(RAMP_3, 144, 144, -1, -1, -1, A_NORMAL, A_NORMAL)                                                      \
    X(RAMP_4, 179, 179, -1, -1, COLOR_YELLOW, A_NORMAL, A_NORMAL)                                            \
    X(RAMP_5, 227, 227, -1, -1, COLOR_YELLOW, A_BOLD, A_BOLD)                                                \
    X(SELECTED, 16, 231, 74, 25, COLOR_CYAN, A_NORMAL, A_REVERSE)

#define STYLE_ENUM(id, ...) STYLE_##id,
enum style { STYLES(STYLE_ENUM) STYLE_COUNT };
#undef STYLE_ENUM

// Characters for the whole screen: Unicode, or ASCII where the locale or the person wants no other.
struct glyphs {
    const char *bar, *half_bar, *track; // a bar: full cells, half a cell, what it leaves of its length
    const char *live, *dropped;         // a head
    const char *rule, *ellipsis, *dot, *up, *down;
    bool unicode;
};

struct theme {
    bool dark, color;
    int colors; // 8, 256 ...
    const struct glyphs *glyphs;
    attr_t attributes[STYLE_COUNT];
    short pairs[STYLE_COUNT];
    unsigned char background[3]; // behind pictures
    unsigned char ink[3];        // text colour, for pictures
};

// Fills the theme and curses' colour pairs; start_color() must have been called where colours are wanted.
void theme_init(struct theme *theme, bool dark, bool color, bool unicode, const unsigned char background[3]);

// Switches to a style in the standard window.
void theme_set(const struct theme *theme, enum style style);

#endif
