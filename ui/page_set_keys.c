// What a person does to a question set.
#include "ui/page_set_state.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_FILTER, PROMPT_FILE, PROMPT_SET_POLICY, PROMPT_SET_BUDGET, PROMPT_BESIDE, PROMPT_SWEEP };

static void move_rows(struct page *page, int rows)
{
    struct set_page *set = page->state;
    set->table.selected += rows;
    set_table_scroll(&set->table, set->shown.count);
}

static void sort_by(struct page *page, int by)
{
    struct set_page *set = page->state;
    do
        set->shown.column = (enum set_column)(((int)set->shown.column + by + SET_COLUMN_COUNT) % SET_COLUMN_COUNT);
    while (set->shown.column == SET_OTHER && !set->table.both);
    set_page_sort(page);
}

static void reverse(struct page *page, int unused)
{
    struct set_page *set = page->state;
    (void)unused;
    set->shown.descending = !set->shown.descending;
    set_page_sort(page);
}

static void next_type(struct page *page, int unused)
{
    struct set_page *set = page->state;
    int types[SET_TYPES], count = set->rows ? set_rows_types(set->rows, types, SET_TYPES) : 0, next = 0;
    (void)unused;
    for (int t = 0; t < count; t++)
        if (!strcmp(set->rows->set.questions[types[t]].type, set->shown.filter.type))
            next = t + 1;
    snprintf(set->shown.filter.type, sizeof set->shown.filter.type, "%s",
             next < count ? set->rows->set.questions[types[next]].type : "");
    set_page_sort(page);
}

static void next_right(struct page *page, int unused)
{
    static const enum set_right next[] = {[SET_ANY] = SET_ONLY_WRONG, [SET_ONLY_WRONG] = SET_ONLY_RIGHT,
                                          [SET_ONLY_RIGHT] = SET_ANY};
    struct set_page *set = page->state;
    (void)unused;
    set->shown.filter.right = next[set->shown.filter.right];
    set_page_sort(page);
}

static void next_side(struct page *page, int unused)
{
    struct set_page *set = page->state;
    (void)unused;
    if (!set->table.both) {
        page_say(page, false, "%s", _("There is no other run beside this one: v names a file of results, p or b make one."));
        return;
    }
    set->shown.filter.side = (enum set_side)((set->shown.filter.side + 1) % SET_SIDE_COUNT);
    set->figures = false;
    set_page_sort(page);
}

static void ask_beside(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, PROMPT_BESIDE, _("results to stand beside (empty: none): "), "");
}

// The question chosen in the stepper, with the policy and budget that these results come from.
static void open_instance(struct page *page, int unused)
{
    struct set_page *set = page->state;
    struct screen *screen = page->screen;
    const struct backend *backend = screen->backend;
    const unsigned needs = BACKEND_ASK | BACKEND_OPEN | BACKEND_POLICY;
    (void)unused;
    if (set->table.selected >= set->shown.count)
        return;
    if ((backend->abilities & needs) != needs) {
        page_say(page, false, "%s", _("A saved run cannot do that: there is no model behind it."));
        return;
    }
    const struct question *q = &set->rows->set.questions[set->shown.order[set->table.selected]];
    struct run_wish wish = {.question = q->text, .policy = set->rows->header.policy, .budget = set->rows->header.budget};
    for (int p = 0; p < QUESTION_PICTURES; p++)
        wish.pictures[p] = q->pictures[p];
    if (!kept_run_take(&set->own, &screen->view)) {
        page_say(page, true, "%s", _("There is not enough memory."));
        return;
    }
    run_wish_ask(&wish, view_known(&screen->view), backend);
    view_await(&screen->view, &wish);
    view_set_truth(&screen->view, q->pictures[0], q->text, q->answer);
    screen->cancelled = false;
    screen->view.change[0] = 0;
    screen->view.focus = FOCUS_STAGES; // so that Esc goes back at once
    screen->view.show = SHOW_SURVIVORS;
    if (!page_push(screen, &page_stepper, NULL))
        return;
    screen_await_run(screen);
    view_say(&screen->view, false, "%s", _("Esc goes back to the table; once that is left, what you had comes back."));
}

static void toggle_figures(struct page *page, int unused)
{
    struct set_page *set = page->state;
    (void)unused;
    set->figures = !set->figures;
}

static void ask_filter(struct page *page, int unused)
{
    struct set_page *set = page->state;
    (void)unused;
    set->figures = false; // what is filtered is the table
    page_prompt(page, PROMPT_FILTER, _("filter: "), set->shown.filter.text);
}

static void ask_file(struct page *page, int unused)
{
    const struct set_page *set = page->state;
    (void)unused;
    page_prompt(page, PROMPT_FILE, _("set or results (empty: the bundled questions): "), set->path ? set->path : "");
}

static void ask_policy(struct page *page, int unused)
{
    const struct set_page *set = page->state;
    (void)unused;
    page_prompt(page, PROMPT_SET_POLICY, _("policy for the whole set: "), set->policy);
}

static void ask_budget(struct page *page, int unused)
{
    const struct set_page *set = page->state;
    char text[32] = "";
    (void)unused;
    if (!isnan(set->budget))
        snprintf(text, sizeof text, "%g", set->budget);
    page_prompt(page, PROMPT_SET_BUDGET, _("budget for the whole set, 0 to 1 (empty: as trained): "), text);
}

// A sweep runs the whole set once for each point: what it shall be is asked first.
static void ask_sweep(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, PROMPT_SWEEP, _("sweep policies (or: all) and budgets: "),
                "learned,cross-attention,random 0.33,0.4,0.5,0.67,1");
}

// "learned,random 0.4,1"; no budgets: the usual ones.
static void open_sweep(struct page *page, const char *text)
{
    const struct set_page *set = page->state;
    char policies[PROMPT_BYTES];
    const char *budgets = text + strcspn(text, " ");
    snprintf(policies, sizeof policies, "%.*s", (int)(budgets - text), text);
    budgets += strspn(budgets, " ");
    // Results know the set that they come from.
    const char *path = set->rows && set->rows->header.model[0] ? set->rows->header.set : set->path;
    const struct sweep_page_request request = {.set = path, .limit = set->limit,
                                               .policies = *policies && strcmp(policies, "all") ? policies : NULL,
                                               .budgets = *budgets ? budgets : NULL};
    page_push(page->screen, &page_sweep, &request);
}

static const struct {
    void (*run)(struct page *page, int value);
    int value;
} actions[ACTIONS] = {
    [ACTION_UP] = {move_rows, -1},
    [ACTION_DOWN] = {move_rows, 1},
    [ACTION_FIRST] = {move_rows, -(1 << 28)},
    [ACTION_LAST] = {move_rows, 1 << 28},
    [ACTION_TABLE_LEFT] = {sort_by, -1},
    [ACTION_TABLE_RIGHT] = {sort_by, 1},
    [ACTION_TABLE_REVERSE] = {reverse, 0},
    [ACTION_TABLE_TYPE] = {next_type, 0},
    [ACTION_TABLE_WRONG] = {next_right, 0},
    [ACTION_TABLE_SIDE] = {next_side, 0},
    [ACTION_TABLE_BESIDE] = {ask_beside, 0},
    [ACTION_TABLE_FILTER] = {ask_filter, 0},
    [ACTION_TABLE_OPEN] = {open_instance, 0},
    [ACTION_TABLE_FIGURES] = {toggle_figures, 0},
    [ACTION_SET] = {ask_file, 0},
    [ACTION_POLICY] = {ask_policy, 0},
    [ACTION_BUDGET] = {ask_budget, 0},
    [ACTION_SWEEP] = {ask_sweep, 0},
};

bool set_page_is_filtered(const struct set_filter *filter)
{
    return filter->text[0] || filter->type[0] || filter->right != SET_ANY || filter->side != SET_EITHER;
}

bool set_page_act(struct page *page, enum action action)
{
    struct set_page *set = page->state;
    if (action == ACTION_PREVIOUS || action == ACTION_NEXT) {
        move_rows(page, action == ACTION_NEXT ? set_table_page(&set->table) : -set_table_page(&set->table));
        return true;
    }
    if (action == ACTION_ESCAPE && set_page_is_filtered(&set->shown.filter)) {
        set->shown.filter = (struct set_filter){.right = SET_ANY};
        set_page_sort(page);
        return true;
    }
    if (actions[action].run)
        actions[action].run(page, actions[action].value);
    return actions[action].run;
}

void set_page_typing(struct page *page, int which, const char *text)
{
    struct set_page *set = page->state;
    if (which != PROMPT_FILTER || !strcmp(text, set->shown.filter.text))
        return;
    snprintf(set->shown.filter.text, sizeof set->shown.filter.text, "%s", text);
    set_page_sort(page);
}

static void change_budget(struct page *page, const char *text)
{
    struct set_page *set = page->state;
    char *end;
    double value = strtod(text, &end);
    if (!*text)
        value = (double)NAN;
    else if (*end || !(value > 0 && value <= 1)) {
        page_say(page, true, _("A budget is a share above 0 and at most 1, not '%s'."), text);
        return;
    }
    set->budget = value;
    set_page_start_again(page);
}

static void change_policy(struct page *page, const char *text)
{
    struct set_page *set = page->state;
    enum policy policy;
    if (!policy_find(text, &policy)) {
        page_say(page, true, _("There is no policy '%s'; p in the stepper lists them."), text);
        return;
    }
    snprintf(set->policy, sizeof set->policy, "%s", text);
    set_page_start_again(page);
}

void set_page_typed(struct page *page, int which, const char *text)
{
    struct set_page *set = page->state;
    if (which == PROMPT_FILTER) {
        set_page_typing(page, which, text);
    } else if (which == PROMPT_BESIDE) {
        char path[4096];
        popup_expand_home(text, path, sizeof path);
        set_page_put_beside(page, path);
    } else if (which == PROMPT_SET_POLICY) {
        change_policy(page, text);
    } else if (which == PROMPT_SET_BUDGET) {
        change_budget(page, text);
    } else if (which == PROMPT_SWEEP) {
        open_sweep(page, text);
    } else {
        free(set->path);
        free(set->kept); // belonged to the set before
        set->kept = NULL;
        char path[4096];
        popup_expand_home(text, path, sizeof path);
        set->path = *path ? strdup(path) : NULL;
        set->shown.filter = (struct set_filter){.right = SET_ANY};
        set_page_start_when_known(page);
    }
}

// Where no set was ever named there is nothing to see.
void set_page_untyped(struct page *page, int which)
{
    const struct set_page *set = page->state;
    if (which == PROMPT_FILE && !set->policy[0] && !set->waiting)
        page_pop(page->screen);
}

void set_page_mouse(struct page *page, const struct page_mouse *event)
{
    struct set_page *set = page->state;
    enum set_column title = SET_ID;
    int index;
    if (event->wheel) {
        move_rows(page, 3 * event->wheel);
    } else if (event->pressed && set_table_hit(&set->table, event->row, event->column, &index, &title)) {
        if (index < 0) {
            if (set->shown.column == title)
                set->shown.descending = !set->shown.descending;
            set->shown.column = title;
            set_page_sort(page);
        } else if (index == set->table.selected) {
            open_instance(page, 0);
        } else {
            move_rows(page, index - set->table.selected);
        }
    }
    page_changed(page);
}

void page_set_ask(struct screen *screen)
{
    const struct set_page_request request = {.budget = (double)NAN, .ask = true};
    if (page_push(screen, &page_set, &request))
        ask_file(page_top(screen), 0); // at once: what is typed ahead belongs to the prompt
}

const char *set_page_explain(enum action action)
{
    switch (action) {
    case ACTION_UP: return _("the row above");
    case ACTION_DOWN: return _("the row below");
    case ACTION_PREVIOUS: return _("a page up");
    case ACTION_NEXT: return _("a page down");
    case ACTION_FIRST: return _("the first row");
    case ACTION_LAST: return _("the last row");
    case ACTION_SET: return _("another question set, or a file of results…");
    case ACTION_POLICY: return _("evaluate the whole set under another policy…");
    case ACTION_BUDGET: return _("evaluate the whole set under another budget…");
    case ACTION_ESCAPE: return _("take the filter away, then back to the page before");
    default: return NULL;
    }
}

