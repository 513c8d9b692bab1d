#include "ui/keys.h"

#include "ui/names.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define K(...)                                                                                               \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define KEY_ROW(id, codes, text, on, in_group, ability, at, short_word, sentence)                                \
    [ACTION_##id] = {.identifier = #id,                                                                      \
                     .keys = codes,                                                                          \
                     .written = text,                                                                        \
                     .pages = on,                                                                            \
                     .group = KEYS_##in_group,                                                               \
                     .needs = ability,                                                                       \
                     .hint = HINT_##at,                                                                      \
                     .word = short_word,                                                                     \
                     .help = sentence},
static const struct key_row defaults[ACTIONS] = {KEYS(KEY_ROW)};
static struct key_row rows[ACTIONS] = {KEYS(KEY_ROW)}; // as the person has them
static char written[ACTIONS][32];                      // of those that were changed
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

const struct key_row *key_default(enum action action)
{
    return &defaults[action];
}

// Keys are called as they are labelled; only the long one has no label.
static const char *show_keys(const char *keys, bool first, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    do {
        size_t length = strcspn(keys, " ");
        bool space = length == 5 && !strncasecmp(keys, "space", length);
        int added = snprintf(out + used, size - used, "%s%.*s", used ? " " : "", space ? 64 : (int)length,
                             space ? in_("a key", "space") : keys);
        if (added < 0 || used + (size_t)added >= size)
            break;
        used += (size_t)added;
        keys += length;
        keys += strspn(keys, " ");
    } while (*keys && !first);
    return out;
}

const char *key_shown(const struct key_row *row, char *out, size_t size)
{
    return show_keys(row->written, false, out, size);
}

const char *key_shown_first(const struct key_row *row, char *out, size_t size)
{
    return show_keys(row->written, true, out, size);
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

// ---- names
// ----------------------------------------------------------------------------------------------------

const char *action_name(enum action action)
{
    static char names[ACTIONS][24];
    return name_lower(names[action], sizeof names[action], rows[action].identifier);
}

enum action action_parse(const char *name)
{
    int action = 0;
    while (action < ACTIONS && strcmp(name, action_name((enum action)action)))
        action++;
    return (enum action)action;
}

static const struct {
    const char *name;
    int key;
} named[] = {
    {"Left", KEY_LEFT},   {"Right", KEY_RIGHT},    {"Up", KEY_UP},         {"Down", KEY_DOWN},
    {"Home", KEY_HOME},   {"End", KEY_END},        {"PgUp", KEY_PPAGE},    {"PgDn", KEY_NPAGE},
    {"Tab", '\t'},        {"S-Tab", KEY_BTAB},     {"Enter", '\n'},        {"Esc", 27},
    {"Space", ' '},       {"Delete", KEY_DC},      {"Insert", KEY_IC},     {"Backspace", KEY_BACKSPACE},
    {"S-Left", KEY_SLEFT}, {"S-Right", KEY_SRIGHT}, {"Hash", '#'}, // a comment in the configuration
};

void key_write(int key, char *out, size_t size)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].key == key) {
            snprintf(out, size, "%s", named[i].name);
            return;
        }
    if (key >= KEY_F(1) && key <= KEY_F(20))
        snprintf(out, size, "F%d", key - KEY_F0);
    else if (key > 0 && key < 32)
        snprintf(out, size, "^%c", key + 64);
    else if (key > 32 && key < 127)
        snprintf(out, size, "%c", key);
    else
        snprintf(out, size, "%s", "");
}

int key_parse(const char *text, size_t length)
{
    char name[16];
    int number;
    if (length == 0 || length >= sizeof name)
        return 0;
    memcpy(name, text, length);
    name[length] = 0;
    if (length == 1)
        return name[0] > 32 && name[0] < 127 ? name[0] : 0;
    if (length == 2 && name[0] == '^') { // ^@ cannot be told from nothing
        int key = name[1] & 31;
        return ((name[1] >= 'A' && name[1] <= '_') || (name[1] >= 'a' && name[1] <= 'z')) ? key : 0;
    }
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!strcmp(named[i].name, name))
            return named[i].key;
    if (name[0] == 'F' && name[1] >= '1' && name[1] <= '9' && sscanf(name + 1, "%2d", &number) == 1 && number <= 20 &&
        length == (number < 10 ? 2U : 3U))
        return KEY_F(number);
    return 0;
}

// ---- other keys
// -----------------------------------------------------------------------------------------------

enum { KEY_STOP = 3 };

static void write_keys(enum action action)
{
    size_t used = 0;
    written[action][0] = 0;
    for (int k = 0; k < KEYS_PER_ACTION && rows[action].keys[k]; k++) {
        char name[16];
        key_write(rows[action].keys[k], name, sizeof name);
        int length = snprintf(written[action] + used, sizeof written[action] - used, "%s%s", used ? " " : "", name);
        if (length < 0 || used + (size_t)length >= sizeof written[action])
            break;
        used += (size_t)length;
    }
    rows[action].written = written[action];
}

static void take_away(enum action action, int key)
{
    int kept = 0;
    int *keys = rows[action].keys;
    for (int k = 0; k < KEYS_PER_ACTION; k++)
        if (keys[k] != key)
            keys[kept++] = keys[k];
    if (kept == KEYS_PER_ACTION)
        return;
    memset(keys + kept, 0, (size_t)(KEYS_PER_ACTION - kept) * sizeof *keys);
    write_keys(action);
}

void key_bind(enum action action, const int *keys, int count)
{
    if (action == ACTION_CANCEL)
        return;
    memset(rows[action].keys, 0, sizeof rows[action].keys);
    for (int i = 0, used = 0; i < count && used < KEYS_PER_ACTION; i++) {
        if (keys[i] == KEY_STOP)
            continue;
        for (int a = 0; a < ACTIONS; a++)
            if (a != (int)action && rows[a].pages & rows[action].pages)
                take_away((enum action)a, keys[i]);
        rows[action].keys[used++] = keys[i];
        if (keys[i] == '\n' && used + 1 < KEYS_PER_ACTION) { // Enter comes in three guises
            rows[action].keys[used++] = '\r';
            rows[action].keys[used++] = KEY_ENTER;
        }
    }
    write_keys(action);
}

void key_reset(void)
{
    memcpy(rows, defaults, sizeof rows);
}
