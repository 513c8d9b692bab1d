// One table of everything a key can do: the enum, the dispatch, the help and the footer hints come from it.
#ifndef TRIMSCOPE_UI_KEYS_H
#define TRIMSCOPE_UI_KEYS_H

#include "ui/backend.h"
#include "ui/words.h"

#include <stddef.h>

enum key_group { KEYS_STEP, KEYS_LOOK, KEYS_CHANGE, KEYS_ASK, KEYS_PROGRAM, KEY_GROUPS };
const char *key_group_title(enum key_group group);

// Where a hint is worth a place in the footer, by focus; ANYWHERE hints come after those of the focus, and
// ALWAYS ones have their place at the right.
enum key_hint { HINT_NONE, HINT_STAGES, HINT_CURSOR, HINT_ANYWHERE, HINT_ALWAYS };

// id, keys (curses codes, at most 6), how they are written, group, ability needed (0: none), footer hint,
// footer word, help.
#define KEYS(X)                                                                                              \
    X(LEFT, K(KEY_LEFT, 'h'), "← h", STEP, 0, NONE, "", "previous stage; with a cursor: left")               \
    X(RIGHT, K(KEY_RIGHT, 'l'), "→ l", STEP, 0, STAGES, "step", "next stage; with a cursor: right")          \
    X(UP, K(KEY_UP, 'k'), "↑ k", STEP, 0, NONE, "", "previous stage; with a cursor: up")                     \
    X(DOWN, K(KEY_DOWN, 'j'), "↓ j", STEP, 0, NONE, "", "next stage; with a cursor: down")                   \
    X(PREVIOUS, K(',', KEY_PPAGE), ", PgUp", STEP, 0, NONE, "", "previous stage, wherever the cursor is")    \
    X(NEXT, K('.', KEY_NPAGE), ". PgDn", STEP, 0, CURSOR, "step", "next stage, wherever the cursor is")      \
    X(FIRST, K(KEY_HOME, '0', '^'), "Home 0", STEP, 0, NONE, "", "first stage")                              \
    X(LAST, K(KEY_END, '$', 'G'), "End $", STEP, 0, NONE, "", "last stage: the answer")                      \
    X(PLAY, K(' '), "space", STEP, 0, STAGES, "play", "play the stages one after the other, or pause")       \
    X(FOCUS_NEXT, K('\t'), "Tab", LOOK, 0, ANYWHERE, "cursor", "cursor to: patches, words, heads, none")     \
    X(FOCUS_PREVIOUS, K(KEY_BTAB), "S-Tab", LOOK, 0, NONE, "", "the same, backwards")                        \
    X(SHOW_NEXT, K('s'), "s", LOOK, 0, ANYWHERE, "show", "what the picture shows: next of 1 to 5")           \
    X(SHOW_SURVIVORS, K('1'), "1", LOOK, 0, NONE, "", "survivors: dropped patches are dimmed")               \
    X(SHOW_SELF, K('2'), "2", LOOK, 0, NONE, "", "self scores: what matters within its own modality")        \
    X(SHOW_CROSS, K('3'), "3", LOOK, 0, NONE, "", "cross scores: what matters to the other modality")        \
    X(SHOW_TOTAL, K('4'), "4", LOOK, 0, NONE, "", "total scores, against the threshold")                     \
    X(SHOW_ATTENTION, K('5'), "5", LOOK, BACKEND_ATTENTION, NONE, "",                                        \
      "attention of the chosen word, patch or head")                                                         \
    X(CHOOSE, K('\n', '\r', KEY_ENTER), "Enter", LOOK, BACKEND_ATTENTION, NONE, "",                          \
      "show the attention of what the cursor is on")                                                         \
    X(KEEP, K('f'), "f", CHANGE, BACKEND_INTERVENE, CURSOR, "force stay",                                    \
      "force the patch or word to stay, the head on")                                                        \
    X(DROP, K('x'), "x", CHANGE, BACKEND_INTERVENE, CURSOR, "force go",                                      \
      "force the patch or word to go, the head off")                                                         \
    X(REOPEN, K('R'), "R", CHANGE, BACKEND_INTERVENE, NONE, "", "reopen everything from this stage on")      \
    X(UNDO, K('u'), "u", CHANGE, BACKEND_INTERVENE, CURSOR, "undo", "take the last change back")             \
    X(POLICY, K('p'), "p", CHANGE, BACKEND_POLICY, STAGES, "policy…", "choose the pruning policy…")          \
    X(BUDGET, K('b'), "b", CHANGE, BACKEND_POLICY, STAGES, "budget…",                                        \
      "type the budget: share of the unpruned FLOPs…")                                                       \
    X(LESS, K('[', '-'), "[ -", CHANGE, BACKEND_POLICY, NONE, "", "budget down by 0.05")                     \
    X(MORE, K(']', '+', '='), "] +", CHANGE, BACKEND_POLICY, NONE, "", "budget up by 0.05")                  \
    X(ASK, K('a', '/'), "a /", ASK, BACKEND_ASK, ANYWHERE, "ask…", "ask another question…")                  \
    X(OPEN, K('o'), "o", ASK, BACKEND_OPEN, ANYWHERE, "open…", "open another picture…")                      \
    X(CANCEL, K(3), "^C", ASK, 0, NONE, "", "stop what is being computed; when idle: quit")                  \
    X(GRAPHICS, K('g'), "g", PROGRAM, 0, NONE, "", "draw the picture as sixel, blocks or ascii")             \
    X(THEME, K('t'), "t", PROGRAM, 0, NONE, "", "dark or light colours")                                     \
    X(MOUSE, K('m'), "m", PROGRAM, 0, NONE, "", "mouse on or off (off: the terminal selects text)")          \
    X(REDRAW, K(12), "^L", PROGRAM, 0, NONE, "", "draw everything again")                                    \
    X(SUSPEND, K(26), "^Z", PROGRAM, 0, NONE, "", "back to the shell for a while")                           \
    X(ESCAPE, K(27), "Esc", PROGRAM, 0, NONE, "", "close, or take the cursor away")                          \
    X(HELP, K('?', KEY_F(1)), "? F1", PROGRAM, 0, ALWAYS, "help", "this help")                               \
    X(QUIT, K('q', 'Q'), "q", PROGRAM, 0, ALWAYS, N_("quit"), N_("quit"))

#define KEY_ENUM(id, keys, written, group, needs, hint, word, help) ACTION_##id,
enum action { ACTION_NONE = -1, KEYS(KEY_ENUM) ACTIONS };
#undef KEY_ENUM

enum { KEYS_PER_ACTION = 6 };
struct key_row {
    int keys[KEYS_PER_ACTION]; // curses codes, 0-terminated where fewer
    const char *written;       // as the help writes them
    enum key_group group;
    unsigned needs; // abilities of the backend, 0: always possible
    enum key_hint hint;
    const char *word; // for the footer
    const char *help;
};

// The row of an action, 0 .. ACTIONS-1.
const struct key_row *key_row(enum action action);

// What a key does, ACTION_NONE for nothing.
enum action key_action(int key);

#endif
