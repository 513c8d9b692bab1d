// A picture from memory on the screen, with a question that is asked again whenever either changes: what compose and edit
// share. The picture with the survivors stands left, words, answer and cost beside it.
#ifndef TRIMSCOPE_UI_EASEL_H
#define TRIMSCOPE_UI_EASEL_H

#include "ui/page.h"
#include "ui/portrait.h"

enum { EASEL_QUESTION = COMPOSE_TEXT, EASEL_PANEL_LEAST = 36 };

struct easel {
    struct page *page;
    struct view view; // the picture, and what the model made of it the last time
    char question[EASEL_QUESTION];
    int job;               // 0: the view's trace is about the picture and the question as they are
    bool plain;            // the picture alone
    int back;              // stages before the last one that are shown
    struct area frame;     // around what is chosen, in pixels of the picture; width 0: nothing is
    unsigned colors;       // another number: the picture's colours are others, not only their places
    struct trace_answer answer_before; // before the last change, once it has been answered; text "": none
    struct portrait portrait;
    struct image image;
    struct portrait_colors palette; // of the pixels with the serial number `colors`
};

// Begins with the question and the grid of the run on the screen. False: no memory.
bool easel_begin(struct easel *easel, struct page *page);
void easel_end(struct easel *easel);

// Shows these pixels (copied; square, RGB) and asks about them. False: no memory.
bool easel_show(struct easel *easel, const unsigned char *rgb, int side);
void easel_ask(struct easel *easel, const char *question);

// Takes the news of a job that was the easel's. False: it was not.
bool easel_take_job(struct easel *easel, struct backend_job_news *news);

// Stages back (-1) or forth. Returns whether there was one.
bool easel_step(struct easel *easel, int by);

int easel_images(struct easel *easel, struct page_image out[PAGE_IMAGES]);
// Draws legend and panels; returns the rectangle that is left for the page's own, below the panels.
struct rect easel_draw(struct easel *easel, const struct pane *pane);
// The pixel of the picture at a cell.
bool easel_hit(const struct easel *easel, int row, int column, int *x, int *y);

// How many of the patches that a rectangle of the picture (in its pixels) covers to more than a quarter are alive in the
// stage shown, and how many there are. False: not known now.
bool easel_count(const struct easel *easel, struct area area, int *alive, int *all);

// The final answer, NULL while it is not known.
const struct trace_answer *easel_answer(const struct easel *easel);

#endif
