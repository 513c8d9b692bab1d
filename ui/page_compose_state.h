// The page that composes scenes: what its files share.
#ifndef TRIMSCOPE_UI_PAGE_COMPOSE_STATE_H
#define TRIMSCOPE_UI_PAGE_COMPOSE_STATE_H

#include "ui/easel.h"

#include "engine/world/picture_file.h"

enum { COMPOSE_UNDO = 200, COMPOSE_FOUND = 12, COMPOSE_NEW_SIZE = 48 };
enum { COMPOSE_PROMPT_ADD, COMPOSE_PROMPT_ASK, COMPOSE_PROMPT_SAVE, COMPOSE_PROMPT_OPEN };

struct compose_page {
    struct easel easel;
    struct world *world; // NULL: still being opened
    int world_job;
    struct compose now;
    struct compose history[COMPOSE_UNDO]; // history[at] is `now`; beyond it what can be redone
    int at, last;
    int chosen; // object, -1: none
    struct world_scene scene;
    unsigned char ground[sizeof((struct world_scene *)0)->pixels];
    struct compose ground_of; // what the ground was drawn for
    bool has_ground;
    // Objects whose name fits what is typed.
    int found[COMPOSE_FOUND], found_colors[COMPOSE_FOUND], found_count;
    bool adding;
    int question_seed;
    char truth[WORLD_ANSWER]; // of the question, where it is one of the world about what can be seen; "": it is not
    bool truth_stale;         // scene or question have changed since
    bool held; // by the mouse: the chosen object, taken at this cell and pixel
    int held_row, held_column, held_x, held_y;
    int saved;    // place in the history, -1: none of it
    bool leaving; // the person wants to leave what has not been saved
    char path[PICTURE_FILE_PATH], overwrite[PICTURE_FILE_PATH];
};

// page_compose_change.c: the scene, and what keys do to it.
void compose_page_redraw(struct page *page);
void compose_page_changed(struct page *page); // notes the scene as it is now for undo, and shows it
void compose_page_begin(struct page *page);   // three objects that the first question is about
void compose_page_choose(struct page *page, int by);
void compose_page_history(struct page *page, int by);
void compose_page_move(struct page *page, int dx, int dy);
void compose_page_grow(struct page *page, int by);
void compose_page_turn(struct page *page, int by);
void compose_page_raise(struct page *page, int unused);
void compose_page_remove(struct page *page, int unused);
void compose_page_color(struct page *page, int by);
void compose_page_ground(struct page *page, int by);
void compose_page_vary(struct page *page, int by);
void compose_page_clutter(struct page *page, int unused);

// page_compose_add.c: objects whose name fits what is typed.
void compose_page_search(struct compose_page *state, const char *typed);
void compose_page_add(struct page *page, const char *typed);
void compose_page_start_adding(struct page *page, int unused);

// page_compose_file.c: questions and files.
void compose_page_find_truth(struct compose_page *state);
void compose_page_ask_world(struct page *page, int unused);
void compose_page_save(struct page *page, const char *path);
// A description or the picture beside it. False: it cannot be read, which has been said.
bool compose_page_load(struct page *page, const char *path);
void compose_page_start_saving(struct page *page, int unused);
void compose_page_start_opening(struct page *page, int unused);
void compose_page_step_through(struct page *page, int unused);

// page_compose_draw.c
void compose_page_draw(struct page *page, const struct pane *pane);

#endif
