// The page of a question set: what its files share.
#ifndef TRIMSCOPE_UI_PAGE_SET_STATE_H
#define TRIMSCOPE_UI_PAGE_SET_STATE_H

#include "ui/kept_run.h"
#include "ui/page.h"
#include "ui/page_set.h"
#include "ui/set_table.h"

struct set_page {
    char *path, *kept; // the request's
    char policy[TRACE_NAME];
    double budget;
    int limit;
    bool waiting;           // for a run whose policy shall be used
    int job;                // 0: none is going on
    char *beside;           // results that shall stand beside once there are rows; NULL: none, or they do already
    int beside_job;         // reads them
    struct kept_run own;    // of the stepper, before a question of the set was opened in it
    struct results *before; // what was shown under another policy or budget: shall stand beside
    char progress[120], error[480];

    struct results *rows;
    struct set_summary *summary;
    int answered, right;
    struct set_rows shown;
    struct set_pairs pairs;             // with the run beside
    struct results_comparison compared; // the same with intervals; questions 0: not known
    struct set_table table;
    bool figures; // instead of the table, where there is no room for both
    bool stale;   // rows have come that are not sorted in yet
    bool pairs_stale;
    double sort_due;
};

// The page's job on what was asked for; what an earlier one brought is gone.
void set_page_start(struct page *page);
// The same set again, under the policy and budget that the page has now: what is shown will stand beside.
void set_page_start_again(struct page *page);
// Policy and budget are those of the run on the screen unless something else was asked for.
void set_page_start_when_known(struct page *page);
// Sorts what is shown; the cursor stays on its row, unless it is at the top, where new rows may come in above.
void set_page_sort(struct page *page);
// Reads this file of results and puts it beside; "": nothing shall stand beside any more.
void set_page_put_beside(struct page *page, const char *path);

// page_set_keys.c: what the person does.
bool set_page_act(struct page *page, enum action action);
void set_page_typed(struct page *page, int which, const char *text);
void set_page_typing(struct page *page, int which, const char *text);
void set_page_untyped(struct page *page, int which);
void set_page_mouse(struct page *page, const struct page_mouse *event);
const char *set_page_explain(enum action action);
bool set_page_is_filtered(const struct set_filter *filter);

// page_set_draw.c: what is seen.
void set_page_draw(struct page *page, const struct pane *pane);

#endif
