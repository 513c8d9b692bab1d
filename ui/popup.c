#include "ui/popup.h"

#include "engine/run/run.h"
#include "ui/page.h"
#include "ui/words.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { FILES_MOST = 5000 };

static const struct {
    const char *name, *help;
} policies[POLICY_COUNT] = {
#define POLICY_ROW(id, name, help) {name, help},
    POLICIES(POLICY_ROW)
#undef POLICY_ROW
};

static const char *policy_at(int index)
{
    return policies[index].name;
}

static void forget_entries(struct popup *popup)
{
    for (int i = 0; popup->entries && i < popup->count; i++)
        free(popup->entries[i].name);
    popup->count = 0;
}

void popup_close(struct popup *popup)
{
    forget_entries(popup);
    free(popup->entries);
    *popup = (struct popup){0};
}

void popup_open(struct popup *popup, enum popup_kind kind, const struct view *view)
{
    popup_close(popup);
    popup->kind = kind;
    if (kind == POPUP_POLICY) {
        popup->count = finder_narrow(policy_at, POLICY_COUNT, "", popup->policies);
        for (int i = 0; i < POLICY_COUNT; i++)
            if (view->has_trace && !strcmp(view->trace.policy, policies[i].name))
                popup->selected = i;
    }
}

struct rect popup_rect(const struct layout *layout)
{
    struct rect words = layout->words;
    return (struct rect){words.row, words.column, layout->story.row - layout->roomy - words.row,
                         words.columns};
}

const char *popup_policy(const struct popup *popup)
{
    return popup->count > 0 ? policies[popup->policies[popup->selected]].name : NULL;
}

static int popup_count(const struct popup *popup)
{
    return popup->kind == POPUP_HELP ? 10000 : popup->count;
}

bool popup_type(struct popup *popup, wint_t key, bool is_code)
{
    char typed[sizeof popup->typed];
    int fit[POLICY_COUNT];
    memcpy(typed, popup->typed, sizeof typed);
    if (popup->kind != POPUP_POLICY || !finder_type(typed, sizeof typed, key, is_code))
        return false;
    int count = finder_narrow(policy_at, POLICY_COUNT, typed, fit);
    if (count == 0 && !popup->typed[0]) // begins no name: it moves or leaves, as in lists that are not narrowed
        return false;
    memcpy(popup->typed, typed, sizeof typed);
    memcpy(popup->policies, fit, sizeof fit);
    popup->count = count;
    popup->selected = 0;
    return true;
}

void popup_move(struct popup *popup, int rows)
{
    if (popup->kind == POPUP_HELP) {
        popup->first = popup->first + rows < 0 ? 0 : popup->first + rows; // the drawing knows the end
        return;
    }
    int count = popup_count(popup), selected = popup->selected + rows;
    popup->selected = selected < 0 ? 0 : selected >= count ? (count > 0 ? count - 1 : 0) : selected;
}

// ---- files
// ----------------------------------------------------------------------------------------------------

static bool is_picture_name(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp", ".jpe", ".jfif"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot, endings[i]))
            return true;
    return false;
}

static int compare_entries(const void *a, const void *b)
{
    const struct popup_entry *one = a, *two = b;
    if (one->folder != two->folder)
        return two->folder - one->folder;
    return strcmp(one->name, two->name);
}

static void add_entry(struct popup *popup, const char *name, bool folder)
{
    if (popup->count == popup->capacity) {
        int capacity = popup->capacity * 2 + 64;
        struct popup_entry *entries = realloc(popup->entries, (size_t)capacity * sizeof *entries);
        if (!entries)
            return;
        popup->entries = entries;
        popup->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy)
        popup->entries[popup->count++] = (struct popup_entry){copy, folder};
}

void popup_expand_home(const char *path, char *out, size_t size)
{
    const char *home = getenv("HOME");
    if (path[0] == '~' && (path[1] == '/' || !path[1]) && home)
        snprintf(out, size, "%s%s", home, path + 1);
    else
        snprintf(out, size, "%s", path);
}

void popup_browse(struct popup *popup, const char *path)
{
    char full[sizeof popup->folder], start[sizeof popup->folder];
    popup_expand_home(path, full, sizeof full);
    char *slash = strrchr(full, '/');
    snprintf(start, sizeof start, "%s", slash ? slash + 1 : full);
    if (slash)
        slash[1] = 0;
    else
        full[0] = 0;
    forget_entries(popup);
    popup->selected = popup->first = 0;
    memcpy(popup->folder, full, sizeof full);
    DIR *folder = opendir(full[0] ? full : ".");
    if (!folder)
        return;
    size_t length = strlen(start);
    for (struct dirent *entry; (entry = readdir(folder)) && popup->count < FILES_MOST;) {
        const char *name = entry->d_name;
        bool hidden = name[0] == '.' && start[0] != '.';
        if (hidden || !strcmp(name, ".") || strncasecmp(name, start, length) != 0)
            continue;
        struct stat status;
        if (fstatat(dirfd(folder), name, &status, 0) < 0)
            continue;
        if (S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && is_picture_name(name)))
            add_entry(popup, name, S_ISDIR(status.st_mode));
    }
    closedir(folder);
    if (popup->count > 0)
        qsort(popup->entries, (size_t)popup->count, sizeof *popup->entries, compare_entries);
}

void popup_find(struct popup *popup, enum page_id page, unsigned abilities, const char *text)
{
    popup->count = finder_search(page, abilities, text, popup->found);
    popup->selected = popup->first = 0;
    snprintf(popup->typed, sizeof popup->typed, "%s", text);
}

bool popup_path(const struct popup *popup, char *out, size_t size)
{
    if (popup->kind != POPUP_FILES || popup->selected >= popup->count)
        return false;
    const struct popup_entry *entry = &popup->entries[popup->selected];
    return snprintf(out, size, "%s%s%s", popup->folder, entry->name, entry->folder ? "/" : "") < (int)size;
}

// ---- drawing
// --------------------------------------------------------------------------------------------------

static void draw_row(const struct pane *pane, struct rect rect, int row, bool selected, const char *name,
                     const char *about)
{
    enum style style = selected ? STYLE_SELECTED : STYLE_TEXT;
    const char *mark = selected ? (pane->theme->glyphs->unicode ? "▸ " : "> ") : "  ";
    theme_set(pane->theme, style);
    for (int i = 0; i < rect.columns; i++)
        mvaddch(row, rect.column + i, ' ');
    int used = draw_text(pane, style, row, rect.column, rect.columns, mark);
    used += draw_text(pane, style, row, rect.column + used, rect.columns - used, name);
    if (about)
        draw_text(pane, selected ? STYLE_SELECTED : STYLE_DIM, row, rect.column + 20, rect.columns - 20,
                  about);
}

// Keeps the selected row in sight.
static void scroll_to_selected(struct popup *popup, int room)
{
    if (popup->selected < popup->first)
        popup->first = popup->selected;
    if (popup->selected >= popup->first + room)
        popup->first = popup->selected - room + 1;
}

static void draw_policies(struct popup *popup, const struct pane *pane, struct rect rect)
{
    draw_title(pane, rect, _("POLICY"), _("Enter takes it, Esc leaves"), true);
    if (popup->typed[0])
        draw_text(pane, STYLE_STRONG, rect.row + 1, rect.column + 2, rect.columns - 2, popup->typed);
    int row = rect.row + 2;
    for (int i = 0; i < popup->count && row < rect.row + rect.rows; i++, row++)
        draw_row(pane, rect, row, i == popup->selected, policies[popup->policies[i]].name,
                 rect.columns >= 60 ? _(policies[popup->policies[i]].help) : NULL);
    const char *chosen = popup->count > 0 ? policies[popup->policies[popup->selected]].help
                                          : N_("Nothing here is called like this.");
    struct rect below = {row + 1, rect.column, rect.row + rect.rows - row - 1, rect.columns};
    if (below.rows > 0)
        draw_wrapped(pane, STYLE_DIM, below, _(chosen));
}

static void draw_files(struct popup *popup, const struct pane *pane, struct rect rect)
{
    char count[64];
    snprintf(count, sizeof count, _("%d here"), popup->count);
    draw_title(pane, rect, _("OPEN A PICTURE"), count, true);
    draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns,
              popup->count > 0 ? _("Up and down choose, Tab completes, Enter opens, Esc leaves")
                               : _("No folder or picture (JPEG, PNG, WebP) starts like this."));
    int room = rect.rows - 3;
    scroll_to_selected(popup, room);
    for (int i = 0; i < room && popup->first + i < popup->count; i++) {
        const struct popup_entry *entry = &popup->entries[popup->first + i];
        char name[300];
        snprintf(name, sizeof name, "%s%s", entry->name, entry->folder ? "/" : "");
        draw_row(pane, rect, rect.row + 3 + i, popup->first + i == popup->selected, name, NULL);
    }
}

// One action of the palette: its name, its keys, what it does, and what it will be given.
static void draw_found(const struct popup *popup, const struct pane *pane, struct rect rect, int row, int index)
{
    const struct found *found = &popup->found[index];
    const struct key_row *key = key_row(found->action);
    const struct page_kind *kind = pane->page->kind;
    const char *argument, *help = kind->explain ? kind->explain(found->action) : NULL;
    bool selected = index == popup->selected, takes = finder_argument(found->action, popup->typed, &argument);
    char name[120];
    snprintf(name, sizeof name, takes && *argument ? "%s %s" : takes ? "%s %s…" : "%s", action_name(found->action),
             argument);
    if (found->elsewhere)
        snprintf(name, sizeof name, _("page: %s"), action_name(found->action));
    draw_row(pane, rect, row, selected, name, NULL);
    char keys[32];
    if (draw_width(name) >= 18) // a long one takes the room of the rest
        return;
    draw_text(pane, selected ? STYLE_SELECTED : STYLE_KEY, row, rect.column + 20, 9, key_shown(key, keys, sizeof keys));
    if (rect.columns > 34)
        draw_text(pane, selected ? STYLE_SELECTED : STYLE_DIM, row, rect.column + 30, rect.columns - 30,
                  _(help ? help : key->help));
}

// What was named in full and does not work here: on which pages it does. Returns the rows used.
static int draw_elsewhere(const struct popup *popup, const struct pane *pane, struct rect rect)
{
    enum action named = finder_named(popup->typed);
    char text[400] = "";
    for (int i = 0; i < popup->count; i++)
        if (popup->found[i].action == named)
            return 0;
    if (named == ACTIONS || key_works_on(named, pane->page->kind->id))
        return 0;
    for (int p = 0; p < PAGE_COUNT; p++)
        if (key_works_on(named, (enum page_id)p)) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", _(page_title((enum page_id)p)));
        }
    char whole[500];
    snprintf(whole, sizeof whole, _("%s does not work on this page, but on: %s."), action_name(named), text);
    return draw_wrapped(pane, STYLE_WARN, (struct rect){rect.row + 1, rect.column, 3, rect.columns}, whole);
}

static void draw_palette(struct popup *popup, const struct pane *pane, struct rect rect)
{
    int room = rect.rows - 1, told = draw_elsewhere(popup, pane, rect);
    draw_title(pane, rect, _("COMMANDS"), _("Enter runs it, Esc leaves"), true);
    if (popup->count == 0 && !told)
        draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns, _("Nothing here is called like this."));
    rect.row += told;
    room -= told;
    scroll_to_selected(popup, room);
    for (int i = 0; i < room && popup->first + i < popup->count; i++)
        draw_found(popup, pane, rect, rect.row + 1 + i, popup->first + i);
}

// What a key does on the page as it is now; NULL: nothing.
static const char *help_of(struct page *page, enum action action)
{
    const struct page_kind *kind = page->kind;
    if (!key_works_on(action, kind->id))
        return NULL;
    const char *now = kind->help ? kind->help(page, action) : NULL;
    if (now)
        return *now ? now : NULL;
    const char *help = kind->explain ? kind->explain(action) : NULL;
    return help ? help : _(key_row(action)->help);
}

// One row of the help, where it is in sight.
static void draw_key(const struct pane *pane, struct rect rect, int at, enum action action)
{
    const struct key_row *row = key_row(action);
    bool possible = (pane->view->abilities & row->needs) == row->needs;
    int line = rect.row + 1 + at;
    if (at < 0 || line >= rect.row + rect.rows)
        return;
    char keys[32];
    draw_text(pane, possible ? STYLE_KEY : STYLE_DIM, line, rect.column + 1, 9, key_shown(row, keys, sizeof keys));
    draw_format(pane, possible ? STYLE_TEXT : STYLE_DIM, line, rect.column + 11, rect.columns - 11,
                possible ? "%s" : _("%s (not in a replay)"), help_of(pane->page, action));
}

// The rows of a group that work on the page on top; nothing where there are none. Returns the line after
// them.
static int draw_group(const struct pane *pane, struct rect rect, int at, enum key_group group)
{
    int line = at + 1;
    for (int a = 0; a < ACTIONS; a++)
        if (key_row((enum action)a)->group == group && help_of(pane->page, (enum action)a))
            draw_key(pane, rect, line++, (enum action)a);
    if (line == at + 1)
        return at;
    if (at >= 0 && rect.row + 1 + at < rect.row + rect.rows)
        draw_text(pane, STYLE_TITLE, rect.row + 1 + at, rect.column, rect.columns, key_group_title(group));
    return line + 1;
}

static int count_lines(struct page *page)
{
    int lines = 0;
    for (int group = 0; group < KEY_GROUPS; group++) {
        int rows = 0;
        for (int a = 0; a < ACTIONS; a++)
            rows += (int)key_row((enum action)a)->group == group && help_of(page, (enum action)a);
        lines += rows ? rows + 2 : 0;
    }
    return lines;
}

static void draw_help(struct popup *popup, const struct pane *pane, struct rect rect)
{
    const char *about = pane->page->kind->about ? _(pane->page->kind->about) : NULL;
    int room = rect.rows - 1, intro = about ? draw_rows(about, rect.columns) + 1 : 0;
    int total = intro + count_lines(pane->page);
    int most = total > room ? total - room : 0;
    draw_title(pane, rect, _("HELP"), _("arrows scroll, Esc leaves"), true);
    popup->first = popup->first > most ? most : popup->first;
    if (popup->first == 0 && about) {
        struct rect top = {rect.row + 1, rect.column, intro - 1 < room ? intro - 1 : room, rect.columns};
        draw_wrapped(pane, STYLE_TEXT, top, about);
    }
    int at = intro - popup->first;
    for (int group = 0; group < KEY_GROUPS; group++)
        at = draw_group(pane, rect, at, (enum key_group)group);
}

void popup_draw(struct popup *popup, const struct pane *pane)
{
    struct page *page = pane->page;
    struct rect rect = page->kind->popup ? page->kind->popup(page) : page->body;
    if (popup->kind == POPUP_NONE || rect.rows < 4)
        return;
    theme_set(pane->theme, STYLE_TEXT);
    for (int row = 0; row < rect.rows; row++)
        for (int column = 0; column < rect.columns; column++)
            mvaddch(rect.row + row, rect.column + column, ' ');
    if (popup->kind == POPUP_POLICY)
        draw_policies(popup, pane, rect);
    else if (popup->kind == POPUP_FILES)
        draw_files(popup, pane, rect);
    else if (popup->kind == POPUP_PALETTE)
        draw_palette(popup, pane, rect);
    else
        draw_help(popup, pane, rect);
}
