// What the files of the screen share: not for others.
#ifndef TRIMSCOPE_UI_SCREEN_STATE_H
#define TRIMSCOPE_UI_SCREEN_STATE_H

#include "ui/frame.h"
#include "ui/keys.h"
#include "ui/layout.h"
#include "ui/page.h"
#include "ui/popup.h"
#include "ui/prompt.h"
#include "ui/scene.h"
#include "ui/screen.h"

enum { SCREEN_JOBS = 16 };

struct screen_job {
    int id; // 0: none
    struct page *page;
};

// An image on the screen.
struct screen_placed {
    struct rect cells;
    int width, height; // in pixels
};

struct screen {
    const struct backend *backend;
    const char *assets; // see struct screen_options
    struct page *pages[PAGE_STACK];
    int page_count;
    bool page_turned; // the frame before was of another page
    int awaited_job;  // a frame waits for it,
    double draw_at;   // until then; 0: none waits
    bool awaits_run;  // it waits for the run that the view awaits
    double page_due;  // when the page on top wants the clock; 0: never
    struct screen_job jobs[SCREEN_JOBS];
    struct screen_placed placed[PAGE_IMAGES];
    int placed_count;
    bool placed_odd; // changes whenever images come, go or move: see screen_draw.c
    struct view view;
    struct terminal terminal;
    struct theme theme;
    unsigned theme_serial;
    enum theme_kind theme_kind;
    bool dark, color;
    struct config *config; // NULL: none
    double play_seconds;
    enum graphics graphics;
    bool mouse;
    struct layout layout;
    struct scene scene;
    struct prompt prompt;
    struct popup popup;
    struct bytes out;
    const char *completions[8];
    int completion_count;
    int open_slot;  // which picture the path being typed is for
    bool open_next; // and the one beside it is asked for then
    enum focus attention_of; // what the attention shown was asked for
    struct export_job *exporting; // a file that is being written; NULL: none
    struct compare *compared; // the runs of the comparison page while that is closed; NULL: none
    const char *first_stage; // to be gone to as soon as it is there; NULL: none
    bool quit;
    bool lives_by_run;    // without a first run there is nothing to be done here
    struct error failure; // why there is none; code ERROR_NONE: there is, or may be soon
    bool cancelled;     // the person stopped the computing: it is not asked for until they go on
    bool dirty;         // something to be seen changed
    bool repaint;       // everything must be sent again
    bool frame_pending; // the terminal has not said yet that it drew the last frame
    bool paced;         // it says so, as far as we know
    bool slow_told;     // that the line is slow
    double answer_seconds; // what it took to say so of late; 0: never
    double frame_sent, play_next, busy_since; // busy_since 0: idle
};

// Makes the state of a screen; the terminal has been opened (or not: tests). False: no memory. screen_end() releases
// it in any case.
bool screen_begin(struct screen *screen, const struct backend *backend, const struct screen_options *options,
                  const struct terminal *terminal) __attribute__((warn_unused_result));
void screen_end(struct screen *screen);
// page.c
void page_free_all(struct screen *screen);
void page_take_jobs(struct screen *screen, struct backend_job_news *news);
void page_take_news(struct screen *screen);

// The run that actions change: of the page on top, or the stepper's.
struct page_target screen_target(struct screen *screen);

// Takes what the backend has to say.
void screen_take_news(struct screen *screen);

// Draws what changed, text first, then images; see terminal.h and DESIGN.md.
void screen_draw(struct screen *screen);
// What stands on the screen (or would, were it drawn now), as data; `sharp`: images in pixels, even where the terminal
// cannot show them. False: no memory.
bool screen_take_frame(struct screen *screen, bool sharp, struct frame *frame);
// The layout for the present terminal and trace.
void screen_place(struct screen *screen);

// A frame waits a moment for the run that the view awaits: what is stale is not shown, nor an empty page in passing.
void screen_await_run(struct screen *screen);

// A key or a mouse event.
void screen_key(struct screen *screen, wint_t key, bool is_code);
void screen_action(struct screen *screen, enum action action);
void screen_step(struct screen *screen, int stages);
// page_stepper.c: the patch cursor, over the edge into the picture beside.
void screen_move_patch(struct view *view, int rows, int columns);
// page_export.c: says what became of a file once it is written; or waits for that, and says nothing.
void export_watch(struct screen *screen);
void export_finish(struct screen *screen);
// page_compare_runs.c: the runs that the comparison page left behind go.
void compare_forget(struct screen *screen);
// page_stepper.c
int screen_last_stage(const struct view *view);

// screen_prompt.c: opens a prompt (enum prompt_kind); takes a key while one is open.
void screen_open_prompt(struct screen *screen, int kind);
void screen_key_in_prompt(struct screen *screen, wint_t key, bool is_code);

// screen_change.c: what the cursor is on to stay (or on) or to go (or off); budgets in percent points.
void screen_force(struct screen *screen, int keep);
void screen_undo(struct screen *screen);
void screen_redo(struct screen *screen);
// Several changes as one; `what` is how the note line calls it.
void screen_change(struct screen *screen, const struct intervention *list, int count, const char *what);
void screen_reopen(struct screen *screen);
void screen_set_budget(struct screen *screen, double budget);
// The least budget that the present policy can keep, rounded up to whole percents; 0: not known.
double screen_least_budget(struct screen *screen);
void screen_say_least(struct screen *screen); // that less was asked for
void screen_nudge_budget(struct screen *screen, int percent);
void screen_set_policy(struct screen *screen, const char *policy);
void screen_accept_policy(struct screen *screen);
void screen_show_attention(struct screen *screen);

// Asks for the whole run.
void screen_want_run(struct screen *screen);
// Asks for the attention of what was chosen, at the stage shown.
void screen_want_attention(struct screen *screen);
void screen_choose_theme(struct screen *screen);

struct pane screen_pane(const struct screen *screen);
struct scene_context screen_scene_context(const struct screen *screen);

#endif
