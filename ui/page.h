// Pages: what fills the screen between the header line and the footer. The stepper is the page below all others;
// further pages (a comparison, a browser, ...) are opened above it, and Esc or q goes back to the one before.
//
// How to add a page:
//   1. A row in PAGES (ui/keys.h): id, name, title. It makes PAGE_<ID>, and expects `page_<name>` to be defined.
//   2. Rows in KEYS: one that opens it (on the pages where that makes sense), and one for each of its own actions, with
//      ON(<ID>) in the page column. A key may mean something else on each page. Rows that other pages have already
//      (LEFT, NEXT, PLAY ...) are joined by adding ON(<ID>) to their column; `explain` words them for this page. Help,
//      footer hints and the palette follow from the table. `action_opens` (ui/keys.c) names the page that a key opens.
//   3. ui/page_<name>.c with the functions below and
//          const struct page_kind page_<name> = {.id = PAGE_<ID>, .size = sizeof(struct <name>), .draw = draw, ...};
//      Whatever is left NULL is not needed. It may include ui/screen_state.h, for what all pages share.
//   4. A test that types its keys through a terminal, see tests/ui/test_page.c.
// The screen draws the header, the note line and the footer; a page draws into page->body, text first (draw), while
// its pictures (images) are placed, sent, and taken off the screen by the screen: a page only paints their canvases.
// Long work is asked of the backend with page_start_job(); what comes of it arrives at the page's `job`.
#ifndef TRIMSCOPE_UI_PAGE_H
#define TRIMSCOPE_UI_PAGE_H

#include "ui/bytes.h"
#include "ui/draw.h"
#include "ui/image.h"
#include "ui/keys.h"

enum { PAGE_IMAGES = 16, PAGE_STACK = 8 };

struct figure;
struct screen;

struct page {
    const struct page_kind *kind;
    struct screen *screen;
    void *state;      // kind->size bytes, zero before open()
    struct rect body; // what may be drawn into; set before any other call but open() and close()
};

// An image on the page: cells and canvas are the page's to fill; the palette is needed for sixel.
struct page_image {
    struct image *image;
    const struct palette *palette;
    unsigned palette_serial; // another number: another palette
};

struct page_mouse {
    int row, column;
    int wheel;    // -1 up, 1 down, 0: a button
    bool pressed; // a button went down here
    bool released; // it was let go of here; only told to pages that drag
};

// A run that can be changed, and what is seen of it.
struct page_target {
    const struct backend *backend;
    struct view *view;
};

struct page_kind {
    enum page_id id;   // decides which rows of KEYS work here
    size_t size;       // of the page's state
    const char *about; // a few sentences for the help

    // `argument` is what the one who opens it passes on, for the time of the call only. False: it does not open, and
    // *err says why; close() is not called then.
    bool (*open)(struct page *page, const void *argument, struct error *err);
    void (*close)(struct page *page);

    // Moves the panels of the run about (layout.h) for a page that shows them in another place.
    void (*place)(struct page *page, const struct layout_request *request, struct layout *layout);

    // At the right of the header: where in it the person is.
    void (*status)(struct page *page, char *out, size_t size);
    void (*draw)(struct page *page, const struct pane *pane);

    // Paints what changed and lists the images in sight (at most PAGE_IMAGES); returns how many, -1: no memory. Called
    // before draw(). Text must stay off their cells; two images must not share any.
    int (*images)(struct page *page, struct page_image out[PAGE_IMAGES]);

    // Every key first, while no prompt and no list is open; true: taken. For pages that catch keys as they are.
    bool (*key)(struct page *page, wint_t key, bool is_code);
    // Does an action; false: not mine, the screen does what it does everywhere (also for Esc: go back).
    bool (*act)(struct page *page, enum action action);
    void (*mouse)(struct page *page, const struct page_mouse *mouse);
    bool drags; // wants to know where a button is let go of

    // The line typed into the prompt that page_prompt() opened, once Enter was pressed, and (may be NULL) after each key.
    void (*typed)(struct page *page, int which, const char *text);
    void (*typing)(struct page *page, int which, const char *text);
    // That prompt was left with Esc; NULL: nothing follows from it.
    void (*untyped)(struct page *page, int which);

    // A prompt or list that is the screen's own (question, path, budget, policy) was left without choosing.
    void (*left)(struct page *page);

    // The command line that makes what the page shows, malloc'ed; NULL (or no such function): the stepper's run.
    char *(*command)(struct page *page);
    const char *command_about; // where that command makes something else: what; NULL: it makes what the page shows

    // What of the page can be exported (bits 1 << enum export_what, ui/export.h); NULL: all that can be of a run. Its table
    // as CSV, added to `out`; NULL: it has none.
    unsigned (*exports)(struct page *page);
    void (*table)(struct page *page, struct bytes *out);

    // The runs that the page shows, as rows of the article's figure, for the export (ui/figure.h); they live until the
    // page changes. False, or NULL: it shows the stepper's run.
    bool (*figure)(struct page *page, struct figure *out);

    // The clock: does what is due and returns when (clock_seconds()) something will be again; 0: never. Only the page on
    // top is called, so that a page below stands still.
    double (*tick)(struct page *page, double now);

    // The view has a new trace or picture. Called for pages below the top, too.
    void (*news)(struct page *page);
    // Progress, a part or the result of a job that this page started (ui/backend.h). What `news` points to is freed
    // afterwards; a page that keeps it takes it and zeroes the field.
    void (*job)(struct page *page, struct backend_job_news *news);

    // Which footer hints come first now: those of HINT_STAGES or HINT_CURSOR; HINT_LIST: there are no others; NULL: neither.
    enum key_hint (*hints)(struct page *page);
    // Whether there is something for this key to be done to: without, the footer does not offer it. NULL: always.
    bool (*offers)(struct page *page, enum action action);
    // The run that the screen's own actions change (ask, open, policy, budget); NULL: the one of the stepper.
    struct page_target (*target)(struct page *page);
    // What a key does on this page as it is now: NULL: as `explain` or the table says; "": nothing, the help leaves it out.
    const char *(*help)(struct page *page, enum action action);
    // What an action does on this page, where that differs from the table; NULL: as the table says.
    const char *(*explain)(enum action action);
    // Where help and lists may open without covering an image; NULL: over the whole body, images hidden meanwhile.
    struct rect (*popup)(struct page *page);
};

// Opens a page above the others. Says why in the note line where it cannot.
bool page_push(struct screen *screen, const struct page_kind *kind, const void *argument);
// Back to the page before. The lowest page stays.
void page_pop(struct screen *screen);
struct page *page_top(const struct screen *screen);
bool page_is_lowest(const struct page *page);
const struct page_kind *page_kind_of(enum page_id id);

#define PAGE_DECLARED(id, name, title) extern const struct page_kind page_##name;
PAGES(PAGE_DECLARED)
#undef PAGE_DECLARED

// The command line that makes what a page shows, malloc'ed; NULL: there is none, or it is not known yet.
char *page_make_command(struct page *page);

// `exports` of a page that shows no run: what stands on the screen.
unsigned page_exports_frame(struct page *page);

// Something to be seen changed.
void page_changed(struct page *page);
// The frame waits for this job, at most for `seconds`: what it brings would make another frame needed at once.
void page_wait_for(struct page *page, int id, double seconds);
// One sentence for the note line, until the next key.
void page_say(struct page *page, bool is_error, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Opens the prompt in the last row, with `text` in it; `label` ends in ": " and must outlive it. Each `which` (from 0
// to 5) has its own history.
void page_prompt(struct page *page, int which, const char *label, const char *text);

// Starts a job of the backend in the name of this page; it is cancelled when the page closes. Returns its number, 0
// where that is impossible (which has been said in the note line).
int page_start_job(struct page *page, const struct backend_job *job);
void page_cancel_job(struct page *page, int id);

#endif
