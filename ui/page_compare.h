// What the files of the comparison page share: not for others.
//
// Up to four runs side by side. Run A is the stepper's own (its view is the screen's), the others are lanes of the
// backend with views of their own. Stage, cursor and what the pictures show are the screen's, and carried over to every
// view, so that all panels always speak of the same. A word's cursor is a token of the chosen run's question; in the
// others it is on the word of that name. The runs outlive the page while the picture stays the same.
#ifndef TRIMSCOPE_UI_PAGE_COMPARE_H
#define TRIMSCOPE_UI_PAGE_COMPARE_H

#include "engine/run/compare.h"
#include "engine/run/explain.h"
#include "ui/page.h"
#include "ui/portrait.h"
#include "ui/screen_state.h"

// Lanes 1 .. COMPARE_RUNS - 1 are this page's, those behind them the figure's.
enum { COMPARE_FIGURE_LANE = COMPARE_RUNS };

// What an image was painted from; the same again needs no painting. Compared as bytes: zero it before.
struct compare_key {
    unsigned serials[COMPARE_RUNS], theme_serial;
    int count, stage, show, cursor, picture, cell_width, cell_height, graphics, marked;
    struct rect rect;
};

// What another run may differ in, in the order of the list.
#define COMPARE_MENU(X)                                                                                      \
    X(QUESTION, N_("another question…"))                                                                     \
    X(POLICY, N_("another policy…"))                                                                         \
    X(BUDGET, N_("another budget…"))                                                                         \
    X(PICTURE, N_("another picture…"))                                                                       \
    X(SELF, N_("no guidance (learned-self)"))                                                \
    X(NONE, N_("no pruning at all (none)"))
#define COMPARE_MENU_ENUM(id, text) COMPARE_MENU_##id,
enum compare_choice { COMPARE_MENU(COMPARE_MENU_ENUM) COMPARE_MENU_COUNT };
#undef COMPARE_MENU_ENUM

struct compare_run {
    int lane;
    struct backend backend;
    struct view own; // of all lanes but lane 0
    struct portrait portrait;
    struct image image;
    struct compare_key key;
};

struct compare_layout {
    bool beside;      // the numbers stand beside the picture, not below
    int first, shown; // runs in sight
    struct rect words[COMPARE_RUNS], picture[COMPARE_RUNS], text[COMPARE_RUNS]; // of the runs in sight
    struct rect heads[COMPARE_RUNS];                                            // no rows: no room
    struct rect menu, strip, legend, sentence;
};

enum { COMPARE_TYPED = 40 };

struct compare {
    struct compare_run runs[COMPARE_RUNS];
    char *pictures[TRACE_PICTURES]; // while the page is closed: those on the screen when it was
    int picture_count;
    int count, focus;
    int word;     // the cursor's, a token of the chosen run's question
    bool menu;    // the list of what to compare with is open
    bool pending; // the last run waits for what it shall differ in
    int selected; // among the entries that fit what was typed
    char typed[COMPARE_TYPED];
    bool marks; // patches that only some runs keep are marked
    double play_next;
    struct compare_layout layout;
    struct palette palette;
    unsigned palette_serial, palette_pictures[COMPARE_RUNS], palette_theme;
    int palette_count;
};

static inline struct compare *compare_of(const struct page *page)
{
    return page->state;
}

static inline struct view *compare_view(const struct page *page, int run)
{
    struct compare *c = compare_of(page);
    return c->runs[run].lane == 0 ? &page->screen->view : &c->runs[run].own;
}

// The runs as they stand now; borrowed from their views. Fewer than there are while one is still on its way.
void compare_take(const struct page *page, struct comparison *out);

// page_compare_runs.c: runs come and go; the list of what another one may differ in.
void compare_remove_run(struct page *page, int run);
void compare_focus_run(struct page *page, int run); // the one that keys change
void compare_free_run(struct page *page, struct compare_run *run, bool lane);
// Which entries fit what was typed (enum compare_choice); returns how many.
int compare_menu_entries(const struct compare *compare, int out[COMPARE_MENU_COUNT]);
const char *compare_menu_text(int choice);
void compare_choose(struct page *page, int entry);
bool compare_menu_key(struct page *page, wint_t key, bool is_code);
bool compare_menu_act(struct page *page, enum action action);
// The runs that were kept when the page was closed, where they are of the pictures on the screen.
bool compare_take_kept(struct page *page);
bool compare_keep(struct page *page);

// page_compare_cursor.c: stage and cursor, the same in all runs.
void compare_link(struct page *page); // carries the screen's over to all views
void compare_direction(struct page *page, int rows, int columns);
void compare_next_focus(struct page *page);
bool compare_click(struct page *page, int row, int column); // on a patch, word or head
int compare_word_of(const struct page *page, int run);      // the cursor's word in a run, -1: its question has none
// What the cursor is on, seen from a run; false: it is on nothing there.
bool compare_cursor(const struct page *page, int run, struct explain_place *place);
// Marks of a run's words and heads; `marks` must outlive the drawing.
struct compare_marks {
    struct comparison comparison;
    int run, stage;
    struct pane_marks pane;
};
void compare_mark_pane(const struct page *page, int run, struct compare_marks *marks);
bool compare_marked(const struct compare *compare);

// page_compare_draw.c
void compare_place(struct page *page);
void compare_draw(struct page *page, const struct pane *pane);
int compare_images(struct page *page, struct page_image out[PAGE_IMAGES]);

// page_compare_panel.c: one run's words, numbers and answers.
void compare_draw_panel(struct page *page, const struct pane *pane, int run);

#endif
