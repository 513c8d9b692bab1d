// What opens over a page, beside its pictures where it can (they would have to be sent again): the help, a list to
// choose from, a folder to browse.
#ifndef TRIMSCOPE_UI_POPUP_H
#define TRIMSCOPE_UI_POPUP_H

#include "engine/prune/policy.h"
#include "ui/draw.h"
#include "ui/finder.h"

enum popup_kind { POPUP_NONE, POPUP_HELP, POPUP_POLICY, POPUP_FILES, POPUP_PALETTE };

struct popup_entry {
    char *name;
    bool folder;
};

struct popup {
    enum popup_kind kind;
    int selected, first;         // first row shown
    struct popup_entry *entries; // POPUP_FILES
    int count, capacity;
    struct found found[ACTIONS]; // POPUP_PALETTE: `count` of them
    int policies[POLICY_COUNT];  // POPUP_POLICY: the `count` ones that fit what was typed
    char typed[80];
    char folder[4096];
};

void popup_open(struct popup *popup, enum popup_kind kind, const struct view *view);
void popup_close(struct popup *popup);

// All panels beside the picture of the stepper.
struct rect popup_rect(const struct layout *layout);
// Draws into the rectangle that the page on top gives, else over its whole body.
void popup_draw(struct popup *popup, const struct pane *pane);

// In the list of policies: letters narrow it. False: another key, or no such list.
bool popup_type(struct popup *popup, wint_t key, bool is_code);
// Moves the selection (lists) or the text (help).
void popup_move(struct popup *popup, int rows);

// The policy chosen, by its name; NULL: none fits what was typed.
const char *popup_policy(const struct popup *popup);

// A path as the shell would read it: "~/x" lies in the home folder; everything else is left as it is.
void popup_expand_home(const char *path, char *out, size_t size);

// Lists the actions that a text finds (ui/finder.h).
void popup_find(struct popup *popup, enum page_id page, unsigned abilities, const char *text);

// Lists the entries that go on from `path`: folders first, then pictures, by name.
void popup_browse(struct popup *popup, const char *path);
// The path of the selected entry; folders end in '/'. False: nothing is selected.
bool popup_path(const struct popup *popup, char *out, size_t size);

#endif
