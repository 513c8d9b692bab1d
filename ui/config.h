// What the person wants to be otherwise: options, keys and colours, from a file of lines
//
//     theme = contrast             # an option of CONFIG_OPTIONS
//     key ask = a / F2             # the keys of an action (ui/keys.h)
//     color new-dead = 208 on 16 bold   # a style (ui/theme.h): numbers of the 256 colours, "default"; bold, underline
//
// One table of options feeds the parser, the options page, the help and the man page. What is unknown or wrong is named
// with its line and otherwise ignored. The text is kept, so that a change from within leaves the comments alone.
#ifndef TRIMSCOPE_UI_CONFIG_H
#define TRIMSCOPE_UI_CONFIG_H

#include "engine/base/error.h"
#include "engine/prune/policy.h"
#include "ui/keys.h"
#include "ui/theme.h"

enum { CONFIG_VALUE = 64, CONFIG_PROBLEMS = 64, CONFIG_MOST = 1 << 18, CONFIG_PATH = 4096 };

enum config_kind {
    CONFIG_CHOICE, // one of the words in `values`
    CONFIG_NUMBER, // from low to high, or the word in `values`
};

// id, name, kind, values or a word beside numbers, default, low, high, help
#define CONFIG_OPTIONS(X)                                                                                    \
    X(THEME, "theme", CHOICE, "auto dark light contrast colorblind", "auto", 0, 0,                           \
      N_("the colours; auto follows the background, NO_COLOR=1 takes all colours away"))                     \
    X(GRAPHICS, "graphics", CHOICE, "auto sixel blocks ascii", "auto", 0, 0,                                 \
      N_("how pictures are drawn; auto takes the best that the terminal can"))                               \
    X(MOUSE, "mouse", CHOICE, "on off", "on", 0, 0,                                                          \
      N_("off leaves the mouse to the terminal, for selecting text"))                                        \
    X(PLAY, "play-seconds", NUMBER, "", "0.8", 0.1, 10, N_("how long a stage stands while playing"))         \
    X(LANGUAGE, "language", CHOICE, "auto en zh_CN", "auto", 0, 0,                                           \
      N_("of the program; auto asks the environment; from the next start on"))                               \
    X(POLICY, "policy", CHOICE, CONFIG_POLICIES, "learned", 0, 0,                                            \
      N_("how the screen prunes at its start; the commands do not look here"))                               \
    X(BUDGET, "budget", NUMBER, "trained", "trained", 0.05, 1,                                               \
      N_("what the screen may spend at its start, as a share of the dense FLOPs"))
#define CONFIG_POLICY(id, name, help) name " "
#define CONFIG_POLICIES POLICIES(CONFIG_POLICY)
#define CONFIG_ENUM(id, ...) CONFIG_##id,
enum config_option { CONFIG_OPTIONS(CONFIG_ENUM) CONFIG_COUNT };
#undef CONFIG_ENUM

struct config_row {
    const char *name;
    enum config_kind kind;
    const char *values; // separated by spaces
    const char *standard;
    double low, high;
    const char *help;
};
const struct config_row *config_row(enum config_option option);

struct config_problem {
    int line;       // from 1
    char text[200]; // one sentence
};

struct config {
    char path[CONFIG_PATH]; // where it is, or would be; "": nowhere
    char *text;             // the file as it is; malloc'ed, NULL: there is none
    size_t size;
    char values[CONFIG_COUNT][CONFIG_VALUE]; // "": not set
    int keys[ACTIONS][KEYS_PER_ACTION];
    bool has_keys[ACTIONS];
    int key_lines[ACTIONS]; // where the file says something of them, even if it is wrong; 0: nowhere
    struct theme_override colors[STYLE_COUNT];
    struct config_problem problems[CONFIG_PROBLEMS];
    int problem_count; // all; as many as there is room for are in `problems`
};

// $XDG_CONFIG_HOME/trimscope/config, or ~/.config/trimscope/config. False: neither variable says where.
bool config_find_path(char path[CONFIG_PATH]);

// Reads the file; that there is none is fine. What cannot be read at all is a problem of line 0.
void config_load(struct config *config);
// Takes `size` bytes as the text (copied). False: no memory.
bool config_read(struct config *config, const char *text, size_t size);
void config_free(struct config *config);

// What counts: the value in the file, or the default.
const char *config_value(const struct config *config, enum config_option option);
double config_number(const struct config *config, enum config_option option); // NaN: the word beside numbers

// Whether a value is right for an option.
bool config_check(enum config_option option, const char *value);

// Changes the text: the line that sets it, or a new one at the end. What else stands there stays. False: no memory.
bool config_set(struct config *config, enum config_option option, const char *value);
bool config_set_color(struct config *config, enum style style, const char *value);
bool config_set_keys(struct config *config, enum action action, const int *keys, int count);

// Takes the lines that set something out: "theme", "key ask", "color alive".
bool config_unset(struct config *config, const char *name);

// Makes the keys count (ui/keys.h).
void config_apply_keys(const struct config *config);

// Writes the text, whole or not at all; makes the folder where it is missing.
bool config_save(const struct config *config, struct error *err);

#endif
