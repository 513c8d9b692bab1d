#include "ui/keys.h"

#include <ncurses.h>

#define K(...)                                                                                               \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define KEY_ROW(id, codes, text, in_group, ability, at, short_word, sentence)                                \
    [ACTION_##id] = {.keys = codes,                                                                          \
                     .written = text,                                                                        \
                     .group = KEYS_##in_group,                                                               \
                     .needs = ability,                                                                       \
                     .hint = HINT_##at,                                                                      \
                     .word = short_word,                                                                     \
                     .help = sentence},
static const struct key_row rows[ACTIONS] = {KEYS(KEY_ROW)};
#undef KEY_ROW

static const char *const titles[KEY_GROUPS] = {
    [KEYS_STEP] = "Step", [KEYS_LOOK] = "Look",      [KEYS_CHANGE] = "Change",
    [KEYS_ASK] = "Ask",   [KEYS_PROGRAM] = "Screen",
};

const char *key_group_title(enum key_group group)
{
    return titles[group];
}

const struct key_row *key_row(enum action action)
{
    return &rows[action];
}

enum action key_action(int key)
{
    if (key <= 0)
        return ACTION_NONE;
    for (int a = 0; a < ACTIONS; a++)
        for (int k = 0; k < KEYS_PER_ACTION; k++)
            if (rows[a].keys[k] == key)
                return (enum action)a;
    return ACTION_NONE;
}
