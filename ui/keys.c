#include "ui/keys.h"

#include <ncurses.h>

#define K(...)                                                                                               \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define KEY_ROW(id, codes, text, on, in_group, ability, at, short_word, sentence)                                \
    [ACTION_##id] = {.keys = codes,                                                                          \
                     .written = text,                                                                        \
                     .pages = on,                                                                            \
                     .group = KEYS_##in_group,                                                               \
                     .needs = ability,                                                                       \
                     .hint = HINT_##at,                                                                      \
                     .word = short_word,                                                                     \
                     .help = sentence},
static const struct key_row rows[ACTIONS] = {KEYS(KEY_ROW)};
#undef KEY_ROW

static const char *const titles[KEY_GROUPS] = {
    [KEYS_STEP] = N_("Step"), [KEYS_LOOK] = N_("Look"),      [KEYS_CHANGE] = N_("Change"),
    [KEYS_ASK] = N_("Ask"),   [KEYS_PROGRAM] = N_("Screen"),
};

const char *key_group_title(enum key_group group)
{
    return _(titles[group]);
}

const struct key_row *key_row(enum action action)
{
    return &rows[action];
}

// A lesson shows the run and lets it be stepped through: what it has no key of its own for is as on the stepper.
static bool is_lent(enum action action, enum page_id page)
{
    if (page != PAGE_LESSON || !(rows[action].pages & ON(STEPPER)) || action == ACTION_LESSONS)
        return false;
    for (int a = 0; a < ACTIONS; a++)
        for (int k = 0; rows[a].pages >> page & 1 && k < KEYS_PER_ACTION; k++)
            if (rows[a].keys[k] && rows[a].keys[k] == rows[action].keys[0])
                return false;
    return true;
}

bool key_works_on(enum action action, enum page_id page)
{
    return rows[action].pages >> page & 1 || is_lent(action, page);
}

enum action key_action(enum page_id page, int key)
{
    if (key <= 0)
        return ACTION_NONE;
    for (int own = 1; own >= 0; own--)
        for (int a = 0; a < ACTIONS; a++)
            for (int k = 0; k < KEYS_PER_ACTION && key_works_on((enum action)a, page); k++)
                if (rows[a].keys[k] == key && (rows[a].pages >> page & 1) == (unsigned)own)
                    return (enum action)a;
    return ACTION_NONE;
}

static const struct {
    const char *name, *title;
} pages[PAGE_COUNT] = {
#define PAGE_ROW(id, page_name, page_title) {#page_name, page_title},
    PAGES(PAGE_ROW)
#undef PAGE_ROW
};

const char *page_name(enum page_id page)
{
    return pages[page].name;
}

const char *page_title(enum page_id page)
{
    return pages[page].title;
}
