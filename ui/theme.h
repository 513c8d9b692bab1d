// Colours and characters: palettes that colour-blind people can tell apart (Okabe and Ito's hues, blue against
// orange), and the same without any colour. Every state also has a mark of its own: nothing is told by hue
// alone.
#ifndef TRIMSCOPE_UI_THEME_H
#define TRIMSCOPE_UI_THEME_H

#include "ui/words.h"

#include <ncurses.h>
#include <stdbool.h>

// The themes: id, how it is written, what it is. Colour-blind and auto follow the terminal's background.
#define THEMES(X)                                                                                            \
    X(DARK, "dark", N_("for a dark background"))                                                             \
    X(LIGHT, "light", N_("for a light background"))                                                          \
    X(CONTRAST, "contrast", N_("high contrast, on black whatever the terminal has"))                         \
    X(COLORBLIND, "colorblind", N_("blue against yellow alone, further apart in brightness"))
#define THEME_ENUM(id, name, help) THEME_##id,
enum theme_kind { THEMES(THEME_ENUM) THEME_COUNT, THEME_AUTO = -1 };
#undef THEME_ENUM
const char *theme_name(enum theme_kind kind);
const char *theme_help(enum theme_kind kind);
bool theme_parse(const char *name, enum theme_kind *kind); // also "auto"

// id; 256 colours in the themes dark, light, contrast, colour-blind on dark and on light (-1: the terminal's own);
// backgrounds dark, light, contrast; 8 colours; attributes with and without colour
#define STYLES(X)                                                                                            \
    X(TEXT, 253, 235, 231, 253, 235, -1, -1, 16, -1, A_NORMAL, A_NORMAL)                                     \
    X(STRONG, 231, 16, 231, 231, 16, -1, -1, 16, -1, A_BOLD, A_BOLD)                                         \
    X(DIM, 247, 241, 252, 247, 241, -1, -1, 16, -1, A_NORMAL, A_DIM)                                         \
    X(TITLE, 110, 25, 159, 75, 19, -1, -1, 16, COLOR_CYAN, A_BOLD, A_BOLD)                                   \
    X(RULE, 238, 251, 250, 238, 251, -1, -1, 16, -1, A_NORMAL, A_DIM)                                        \
    X(BAR, 252, 235, 16, 252, 235, 236, 254, 231, -1, A_NORMAL, A_REVERSE)                                   \
    X(BAR_STRONG, 231, 16, 16, 231, 16, 236, 254, 231, -1, A_BOLD, A_REVERSE | A_BOLD)                       \
    X(BAR_DIM, 248, 241, 16, 248, 241, 236, 254, 231, -1, A_NORMAL, A_REVERSE)                               \
    X(BRAND, 16, 231, 16, 16, 231, 74, 25, 226, COLOR_CYAN, A_BOLD, A_REVERSE | A_BOLD)                      \
    X(ALIVE, 117, 25, 51, 75, 26, -1, -1, 16, COLOR_CYAN, A_NORMAL, A_NORMAL)                                \
    X(ALIVE_STRONG, 117, 25, 51, 75, 26, -1, -1, 16, COLOR_CYAN, A_BOLD, A_BOLD)                             \
    X(DEAD, 245, 242, 248, 245, 242, -1, -1, 16, -1, A_NORMAL, A_DIM)                                        \
    X(NEW_DEAD, 214, 130, 226, 220, 130, -1, -1, 16, COLOR_YELLOW, A_NORMAL, A_BOLD)                         \
    X(SPENT, 74, 31, 51, 69, 26, -1, -1, 16, COLOR_CYAN, A_NORMAL, A_NORMAL)                                 \
    X(TRACK, 238, 251, 246, 238, 251, -1, -1, 16, -1, A_NORMAL, A_DIM)                                       \
    X(ANSWER, 222, 94, 226, 228, 130, -1, -1, 16, COLOR_YELLOW, A_BOLD, A_BOLD)                              \
    X(ANSWER_BAR, 179, 136, 226, 220, 166, -1, -1, 16, COLOR_YELLOW, A_NORMAL, A_NORMAL)                     \
    X(CURSOR, 16, 231, 16, 16, 231, 214, 130, 226, COLOR_YELLOW, A_BOLD, A_REVERSE | A_BOLD)                 \
    X(NUMBER, 152, 24, 231, 153, 19, -1, -1, 16, -1, A_NORMAL, A_NORMAL)                                     \
    X(WARN, 214, 130, 226, 220, 130, -1, -1, 16, COLOR_YELLOW, A_BOLD, A_BOLD)                               \
    X(KEY, 117, 25, 159, 75, 19, -1, -1, 16, COLOR_CYAN, A_BOLD, A_BOLD)                                     \
    X(RAMP_0, 17, 17, 17, 17, 17, -1, -1, 16, COLOR_BLUE, A_NORMAL, A_NORMAL)                                \
    X(RAMP_1, 60, 60, 60, 60, 60, -1, -1, 16, COLOR_BLUE, A_NORMAL, A_NORMAL)                                \
    X(RAMP_2, 242, 242, 242, 242, 242, -1, -1, 16, -1, A_NORMAL, A_NORMAL)                                   \
    X(RAMP_3, 144, 144, 144, 144, 144, -1, -1, 16, -1, A_NORMAL, A_NORMAL)                                   \
    X(RAMP_4, 179, 179, 179, 179, 179, -1, -1, 16, COLOR_YELLOW, A_NORMAL, A_NORMAL)                         \
    X(RAMP_5, 227, 227, 227, 227, 227, -1, -1, 16, COLOR_YELLOW, A_BOLD, A_BOLD)                             \
    X(SELECTED, 16, 231, 16, 16, 231, 74, 25, 159, COLOR_CYAN, A_NORMAL, A_REVERSE)

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

// What the person wants instead of a theme's own: colours -1 the terminal's own, -2 as in the theme.
struct theme_override {
    short front, back;
    bool bold, underline;
    bool given;
};

struct theme {
    enum theme_kind kind;
    bool dark, color;
    bool own; // the background is the theme's, not the terminal's
    int colors; // 8, 256 ...
    const struct glyphs *glyphs;
    attr_t attributes[STYLE_COUNT];
    short pairs[STYLE_COUNT];
    unsigned char background[3]; // behind pictures
    unsigned char ink[3];        // text colour, for pictures
};

// Fills the theme and curses' colour pairs; start_color() must have been called where colours are wanted. `dark`: the
// background is; `own`: the terminal's is otherwise, so that blank cells get one. `overrides` (STYLE_COUNT of them) may be NULL.
void theme_init(struct theme *theme, enum theme_kind kind, bool dark, bool own, bool color, bool unicode,
                const unsigned char background[3], const struct theme_override *overrides);

// "alive", "new-dead": how a style is called in the configuration. STYLE_COUNT: there is none of that name.
enum style style_parse(const char *name);
const char *style_name(enum style style);
const char *style_help(enum style style); // what is drawn in it, marked by N_()

// The colour of a style where the terminal has 8 or 16: on a light background the darker ones of them.
short theme_basic_color(bool dark, enum style style);

// The 256-colour numbers of a style in a theme, for tests; -1: the terminal's own.
void theme_colors(enum theme_kind kind, bool dark, enum style style, short *front, short *back);

// Switches to a style in the standard window.
void theme_set(const struct theme *theme, enum style style);

#endif
