// What the files of the comparison page share: not for others.
//
// Up to four runs side by side. Run A is the stepper's own (its view is the screen's), the others are lanes of the
// backend with views of their own. Stage, cursor and what the pictures show are the screen's, and carried over to every
// view, so that all panels always speak of the same.
#ifndef TRIMSCOPE_UI_PAGE_COMPARE_H
#define TRIMSCOPE_UI_PAGE_COMPARE_H

#include "engine/run/compare.h"
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
    struct rect menu, strip, legend, sentence;
};

struct compare {
    struct compare_run runs[COMPARE_RUNS];
    int count, focus;
    bool menu; // the list of what to compare with is open
    int selected;
    bool marks; // patches that only some runs keep are marked
    double play_next;
    struct compare_layout layout;
    struct palette palette;
    unsigned palette_serial, palette_pictures[COMPARE_RUNS], palette_theme;
    int palette_count;
};

// What another run may differ in, in the order of the list.
#define COMPARE_MENU(X)                                                                                      \
    X(QUESTION, N_("another question…"))                                                                     \
    X(POLICY, N_("another policy…"))                                                                         \
    X(BUDGET, N_("another budget…"))                                                                         \
    X(PICTURE, N_("another picture…"))                                                                       \
    X(SELF, N_("no guidance by the question (learned-self)"))                                                \
    X(NONE, N_("no pruning at all (none)"))
#define COMPARE_MENU_ENUM(id, text) COMPARE_MENU_##id,
enum compare_choice { COMPARE_MENU(COMPARE_MENU_ENUM) COMPARE_MENU_COUNT };
#undef COMPARE_MENU_ENUM

static inline struct compare *compare_of(const struct page *page)
{
    return page->state;
}

static inline struct view *compare_view(const struct page *page, int run)
{
    struct compare *c = compare_of(page);
    return c->runs[run].lane == 0 ? &page->screen->view : &c->runs[run].own;
}

// The runs as they stand now; borrowed from their views.
void compare_take(const struct page *page, struct comparison *out);

// page_compare_draw.c
void compare_place(struct page *page);
void compare_draw(struct page *page, const struct pane *pane);
int compare_images(struct page *page, struct page_image out[PAGE_IMAGES]);

// page_compare_panel.c: one run's words, numbers and answers.
void compare_draw_panel(struct page *page, const struct pane *pane, int run);

#endif
