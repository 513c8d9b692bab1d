// The page that edits a copy of the picture: what its files share.
#ifndef TRIMSCOPE_UI_PAGE_EDIT_STATE_H
#define TRIMSCOPE_UI_PAGE_EDIT_STATE_H

#include "ui/easel.h"

#include "engine/world/picture_file.h"

enum { EDIT_PROMPT_ASK, EDIT_PROMPT_SAVE };
enum { EDIT_PARTS = 4, EDIT_WHOLE = EDIT_PARTS, EDIT_QUARTER = 1 }; // the rectangle lies on quarters of patches

struct edit_page {
    struct easel easel;
    struct backend_picture original;
    int grid;                           // patches a side
    int column, row, columns, rows;     // the rectangle, in quarters of patches
    int step;                           // WHOLE or QUARTER
    bool carrying;                      // a piece is in the hand, taken from here:
    int from_column, from_row;
    struct edit edits[PICTURE_FILE_EDITS]; // in pixels of the picture on the screen
    int count, undone;                  // beyond count: what can be redone
    int original_job;
    struct trace_answer original_answer; // text "": not known yet
    double original_share;
    char path[PICTURE_FILE_PATH]; // of that; "": none
    int drag_row, drag_column;    // cell where the mouse's button went down; -1: it did not
    int saved;    // changes in the copy that was saved last
    bool leaving; // the person wants to leave what has not been saved
    char overwrite[PICTURE_FILE_PATH];
};

// page_edit_change.c: the rectangle, and what is done to what is in it.
void edit_page_redraw(struct page *page);
void edit_page_make(struct page *page, int kind); // a change of this enum edit_kind
void edit_page_take_up(struct page *page, int unused);
void edit_page_history(struct page *page, int by);
void edit_page_hold(struct edit_page *state); // keeps the rectangle within the picture
void edit_page_shift(struct page *page, int columns, int rows);
void edit_page_resize(struct page *page, int columns, int rows);
// The rectangle around these patches, from the first to the last, in quarters of patches.
void edit_page_place(struct page *page, int column, int row, int end_column, int end_row);
// The rectangle around the next group of patches that are alive in the stage shown and touch each other.
void edit_page_next_group(struct page *page, int unused);

// page_edit_file.c: questions and files.
void edit_page_look_at_original(struct page *page);
void edit_page_start_saving(struct page *page, int unused);
void edit_page_save(struct page *page, const char *path);
void edit_page_step_through(struct page *page);
// The command that makes the copy and asks about it, malloc'ed; NULL: nothing has been changed, or there is no memory.
char *edit_page_command(struct page *page);

// page_edit_draw.c
void edit_page_draw(struct page *page, const struct pane *pane);

#endif
