// A question set: figures, and the table of its instances, while it is evaluated and afterwards.
#include "ui/page_set.h"

#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "ui/page.h"
#include "ui/screen_state.h"
#include "ui/set_figures.h"
#include "ui/set_table.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double SORT_SECONDS = 0.25; // rows that keep coming are sorted in this often

enum { HEAD_ROWS = 4, BOTH_ROWS = 34, FIGURE_ROWS = 16, HISTOGRAM_LEAST = 30 };
enum { PROMPT_FILTER, PROMPT_FILE, PROMPT_SET_POLICY, PROMPT_SET_BUDGET };

struct set_page {
    char *path, *kept; // the request's
    char policy[TRACE_NAME];
    double budget;
    int limit;
    bool waiting; // for a run whose policy shall be used
    int job;              // 0: none is going on
    char progress[120], error[480];

    struct results *rows;
    struct set_summary *summary;
    int answered, right;
    struct set_rows shown;
    struct set_table table;
    bool figures; // instead of the table, where there is no room for both
    bool stale;   // rows have come that are not sorted in yet
    double sort_due;
};

// ---- what comes of the job
// -------------------------------------------------------------------------------------

static void forget_rows(struct set_page *set)
{
    if (set->rows)
        results_free(set->rows);
    free(set->rows);
    free(set->summary);
    set->rows = NULL;
    set->summary = NULL;
    set->answered = set->right = 0;
    set->shown.count = set->shown.right = 0;
}

// The job on what was asked for; what an earlier one brought is gone.
static void start(struct page *page)
{
    struct set_page *set = page->state;
    struct backend_job job = {.kind = JOB_SET};
    page_cancel_job(page, set->job);
    forget_rows(set);
    set->error[0] = set->progress[0] = 0;
    set->table.selected = set->table.first = 0;
    job.set = (struct backend_set_request){.path = set->path, .results = set->kept, .budget = set->budget,
                                           .limit = set->limit};
    snprintf(job.set.policy, sizeof job.set.policy, "%s", set->policy);
    set->job = page_start_job(page, &job);
    page_changed(page);
}

// Policy and budget are those of the run on the screen unless something else was asked for.
static void start_when_known(struct page *page)
{
    struct set_page *set = page->state;
    const struct view *view = &page->screen->view;
    if (!set->policy[0] && view->has_trace) {
        snprintf(set->policy, sizeof set->policy, "%s", view->trace.policy);
        set->budget = view->trace.budget;
    }
    set->waiting = !set->policy[0];
    if (!set->waiting)
        start(page);
}

static void take_rows(struct set_page *set, struct backend_set_result *part)
{
    if (part->rows) {
        forget_rows(set);
        set->rows = part->rows;
        part->rows = NULL;
        for (int i = 0; i < set->rows->set.count; i++) {
            set->answered += set->rows->evaluations[i].done;
            set->right += set->rows->evaluations[i].done && set->rows->evaluations[i].correct;
        }
    }
    for (int i = 0; set->rows && i < part->count; i++) {
        struct evaluation *e = &set->rows->evaluations[part->places[i]];
        set->answered += !e->done;
        set->right += part->evaluations[i].correct - (e->done && e->correct);
        *e = part->evaluations[i];
    }
    if (part->summary) {
        free(set->summary);
        set->summary = part->summary;
        part->summary = NULL;
    }
    set->stale = true;
}

static void job(struct page *page, struct backend_job_news *news)
{
    struct set_page *set = page->state;
    if (news->id != set->job)
        return;
    if (news->state == JOB_WORKING) {
        snprintf(set->progress, sizeof set->progress, "%s", news->progress);
    }
    if (news->state == JOB_PART || news->state == JOB_DONE)
        take_rows(set, &news->set);
    if (news->state == JOB_FAILED)
        snprintf(set->error, sizeof set->error, "%s", news->error);
    if (news->state == JOB_CANCELLED)
        page_say(page, false, "%s", set->kept ? _("Stopped: what was answered stays, and the next start goes on from there.")
                                              : _("Stopped: what was answered stays on the screen."));
    if (news->state != JOB_WORKING && news->state != JOB_PART) {
        set->job = 0;
        set->sort_due = 0;
    }
    page_changed(page);
}

// Sorts what is shown; the cursor stays on its row, unless it is at the top, where new rows may come in above.
static void sort_rows(struct page *page)
{
    struct set_page *set = page->state;
    int place = set->table.selected > 0 && set->table.selected < set->shown.count
                    ? set->shown.order[set->table.selected]
                    : -1;
    if (!set->rows)
        return;
    if (!set_rows_update(&set->shown, set->rows))
        page_say(page, true, "%s", _("There is no memory to sort the rows."));
    int found = place >= 0 ? set_rows_find(&set->shown, place) : 0;
    set->table.selected = found >= 0 ? found : 0;
    set_table_scroll(&set->table, set->shown.count);
    set->stale = false;
    set->sort_due = clock_seconds() + SORT_SECONDS;
    page_changed(page);
}

static double tick(struct page *page, double now)
{
    struct set_page *set = page->state;
    if (set->stale && now >= set->sort_due)
        sort_rows(page);
    return set->stale ? set->sort_due : 0;
}

static void news(struct page *page)
{
    struct set_page *set = page->state;
    if (set->waiting)
        start_when_known(page);
}

// ---- what the person does
// --------------------------------------------------------------------------------------

static void move_rows(struct page *page, int rows)
{
    struct set_page *set = page->state;
    set->table.selected += rows;
    set_table_scroll(&set->table, set->shown.count);
}

static void sort_by(struct page *page, int by)
{
    struct set_page *set = page->state;
    set->shown.column = (enum set_column)(((int)set->shown.column + by + SET_COLUMN_COUNT) % SET_COLUMN_COUNT);
    sort_rows(page);
}

static void reverse(struct page *page, int unused)
{
    struct set_page *set = page->state;
    (void)unused;
    set->shown.descending = !set->shown.descending;
    sort_rows(page);
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
    sort_rows(page);
}

static void next_right(struct page *page, int unused)
{
    static const enum set_right next[] = {[SET_ANY] = SET_ONLY_WRONG, [SET_ONLY_WRONG] = SET_ONLY_RIGHT,
                                          [SET_ONLY_RIGHT] = SET_ANY};
    struct set_page *set = page->state;
    (void)unused;
    set->shown.filter.right = next[set->shown.filter.right];
    sort_rows(page);
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
    backend->set_policy(backend->context, set->rows->header.policy, set->rows->header.budget);
    for (int p = 0; p < QUESTION_PICTURES && q->pictures[p]; p++)
        backend->open_picture(backend->context, p, q->pictures[p]);
    backend->ask(backend->context, q->text);
    screen->cancelled = false;
    screen->view.change[0] = 0;
    if (page_push(screen, &page_stepper, NULL))
        view_say(&screen->view, false, "%s", _("Esc goes back to the table."));
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

static void open_sweep(struct page *page, int unused)
{
    const struct set_page *set = page->state;
    (void)unused;
    // Results know the set that they come from.
    const char *path = set->rows && set->rows->header.model[0] ? set->rows->header.set : set->path;
    const struct sweep_page_request request = {.set = path, .limit = set->limit};
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
    [ACTION_TABLE_FILTER] = {ask_filter, 0},
    [ACTION_TABLE_OPEN] = {open_instance, 0},
    [ACTION_TABLE_FIGURES] = {toggle_figures, 0},
    [ACTION_SET] = {ask_file, 0},
    [ACTION_POLICY] = {ask_policy, 0},
    [ACTION_BUDGET] = {ask_budget, 0},
    [ACTION_SWEEP] = {open_sweep, 0},
};

static bool is_filtered(const struct set_filter *filter)
{
    return filter->text[0] || filter->type[0] || filter->right != SET_ANY;
}

static bool act(struct page *page, enum action action)
{
    struct set_page *set = page->state;
    if (action == ACTION_PREVIOUS || action == ACTION_NEXT) {
        move_rows(page, action == ACTION_NEXT ? set_table_page(&set->table) : -set_table_page(&set->table));
        return true;
    }
    if (action == ACTION_ESCAPE && is_filtered(&set->shown.filter)) {
        set->shown.filter = (struct set_filter){.right = SET_ANY};
        sort_rows(page);
        return true;
    }
    if (actions[action].run)
        actions[action].run(page, actions[action].value);
    return actions[action].run;
}

static void filter_by(struct page *page, int which, const char *text)
{
    struct set_page *set = page->state;
    if (which != PROMPT_FILTER || !strcmp(text, set->shown.filter.text))
        return;
    snprintf(set->shown.filter.text, sizeof set->shown.filter.text, "%s", text);
    sort_rows(page);
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
    start(page);
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
    start(page);
}

static void typed(struct page *page, int which, const char *text)
{
    struct set_page *set = page->state;
    if (which == PROMPT_FILTER) {
        filter_by(page, which, text);
    } else if (which == PROMPT_SET_POLICY) {
        change_policy(page, text);
    } else if (which == PROMPT_SET_BUDGET) {
        change_budget(page, text);
    } else {
        free(set->path);
        free(set->kept); // belonged to the set before
        set->kept = NULL;
        char path[4096];
        popup_expand_home(text, path, sizeof path);
        set->path = *path ? strdup(path) : NULL;
        set->shown.filter = (struct set_filter){.right = SET_ANY};
        start_when_known(page);
    }
}

// Where no set was ever named there is nothing to see.
static void untyped(struct page *page, int which)
{
    const struct set_page *set = page->state;
    if (which == PROMPT_FILE && !set->policy[0] && !set->waiting)
        page_pop(page->screen);
}

static void mouse(struct page *page, const struct page_mouse *event)
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
            sort_rows(page);
        } else if (index == set->table.selected) {
            open_instance(page, 0);
        } else {
            move_rows(page, index - set->table.selected);
        }
    }
    page_changed(page);
}

// ---- what is seen
// ---------------------------------------------------------------------------------------------

static void status(struct page *page, char *out, size_t size)
{
    const struct set_page *set = page->state;
    if (set->job && set->progress[0])
        snprintf(out, size, "%s ", set->progress);
    else if (set->rows)
        snprintf(out, size, _("%d questions "), set->answered);
}

static void name_set(const struct set_page *set, char *out, size_t size)
{
    char budget[32];
    const char *policy = set->rows ? set->rows->header.policy : set->policy;
    double share = set->rows ? set->rows->header.budget : set->budget;
    const char *path = set->rows ? set->rows->header.set : set->path, *slash = path ? strrchr(path, '/') : NULL;
    snprintf(budget, sizeof budget, "%s", _("as trained"));
    if (!isnan(share))
        snprintf(budget, sizeof budget, _("budget %.0f %%"), 100 * share);
    if (snprintf(out, size, "%s   %s, %s", slash ? slash + 1 : path ? path : _("bundled questions"), policy, budget) < 0)
        *out = 0;
}

static void draw_numbers(const struct pane *pane, const struct set_page *set, int row, int column, int columns)
{
    char text[256], flops[32];
    int end = column + columns;
    const struct set_summary *s = set->summary;
    if (!set->answered)
        return;
    if (!s || !s->all.questions) {
        draw_format(pane, STYLE_STRONG, row, column, columns, _("accuracy %.1f %%"), 100.0 * set->right / set->answered);
        return;
    }
    draw_flops(flops, sizeof flops, s->all.spent);
    snprintf(text, sizeof text, _("accuracy %.1f %% (%.1f–%.1f)   %.1f %% of the dense FLOPs   %.1f ms"),
             100.0 * set->right / set->answered, 100 * s->all.accuracy.low, 100 * s->all.accuracy.high,
             100 * s->all.share.value, s->all.ms);
    column += draw_text(pane, STYLE_STRONG, row, column, columns, text);
    // What finds room behind it.
    snprintf(text, sizeof text, _("   relevance lift %.1f"), s->all.lift.value);
    if (isfinite(s->all.lift.value) && draw_width(text) <= end - column)
        column += draw_text(pane, STYLE_STRONG, row, column, end - column, text);
    snprintf(text, sizeof text, _("   %sFLOPs a question"), flops);
    if (draw_width(text) <= end - column)
        draw_text(pane, STYLE_STRONG, row, column, end - column, text);
}

static void draw_filter(const struct pane *pane, const struct set_page *set, int row, int column, int columns)
{
    static const char *const rights[] = {[SET_ANY] = "", [SET_ONLY_RIGHT] = N_("right only  "),
                                         [SET_ONLY_WRONG] = N_("wrong only  ")};
    const struct set_filter *f = &set->shown.filter;
    char text[512];
    if (!is_filtered(f) || !set->rows)
        return;
    if (set->shown.count)
        snprintf(text, sizeof text, _("%d of %d rows, %.0f %% of them right:"), set->shown.count, set->answered,
                 100.0 * set->shown.right / set->shown.count);
    else
        snprintf(text, sizeof text, "%s", _("No row fits:"));
    column += draw_text(pane, STYLE_WARN, row, column, columns, text) + 1;
    snprintf(text, sizeof text, "%s%s%s%s%s%s", f->right == SET_ANY ? "" : _(rights[f->right]), f->type, f->type[0] ? "  " : "",
             f->text[0] ? "\"" : "", f->text, f->text[0] ? "\"" : "");
    draw_text(pane, STYLE_TEXT, row, column, columns, text);
}

static void draw_head(const struct pane *pane, struct page *page)
{
    const struct set_page *set = page->state;
    struct rect body = page->body;
    char text[512];
    int column = body.column + 1, columns = body.columns - 2;
    *text = 0;
    if (set->rows || set->policy[0])
        name_set(set, text, sizeof text);
    draw_text(pane, STYLE_TITLE, body.row, column, columns, text);
    const struct trace *trace = &page->screen->view.trace;
    if (set->rows && set->rows->header.model[0] && page->screen->view.has_trace &&
        strcmp(set->rows->header.model, trace->model_name))
        draw_right(pane, STYLE_WARN, body.row, column + columns / 2, columns - columns / 2, _("these come from another model"));
    draw_numbers(pane, set, body.row + 1, column, columns);
    draw_filter(pane, set, body.row + 2, column, columns);
}

static void draw_figures(const struct pane *pane, const struct set_page *set, struct rect rect)
{
    int half = (rect.columns < 110 ? rect.columns * 2 / 5 : rect.columns / 2) - 1; // bars need room
    struct rect left = {rect.row, rect.column, rect.rows, half};
    struct rect right = {rect.row, rect.column + half + 2, rect.rows, rect.columns - half - 2};
    set_figures_histogram(pane, left, set->rows);
    set_figures_types(pane, right, set->rows, set->summary, set->shown.filter.type);
}

static void draw(struct page *page, const struct pane *pane)
{
    struct set_page *set = page->state;
    struct rect body = page->body, rest = {body.row + 3, body.column + 1, body.rows - 3, body.columns - 2};
    bool both = body.rows >= BOTH_ROWS;
    draw_head(pane, page);
    set->table.rect = (struct rect){0};
    if (set->error[0]) {
        draw_wrapped(pane, STYLE_WARN, rest, set->error);
        return;
    }
    if (!set->rows || !set->answered) {
        draw_text(pane, STYLE_DIM, rest.row, rest.column, rest.columns,
                  set->job || set->waiting ? _("Opening…") : _("S asks for a question set or a file of results."));
        return;
    }
    if (both || set->figures) {
        struct rect figures = rest;
        if (both) {
            int wanted = set_figures_type_rows(set->summary);
            figures.rows = wanted < 10 ? 10 : wanted > FIGURE_ROWS ? FIGURE_ROWS : wanted;
        } else {
            figures.rows = rest.rows > FIGURE_ROWS + 4 ? FIGURE_ROWS + 4 : rest.rows;
        }
        draw_figures(pane, set, figures);
        rest.row += figures.rows + 1;
        rest.rows -= figures.rows + 1;
    }
    if (both || !set->figures) {
        set->table.rect = rest;
        set_table_scroll(&set->table, set->shown.count);
        set_table_draw(pane, &set->table, set->rows, &set->shown);
    }
}

// ---- beginning and end
// ----------------------------------------------------------------------------------------

static bool open(struct page *page, const void *argument, struct error *err)
{
    const struct set_page_request *request = argument;
    struct set_page *set = page->state;
    set->path = request->path ? strdup(request->path) : NULL;
    set->kept = request->results ? strdup(request->results) : NULL;
    if ((request->path && !set->path) || (request->results && !set->kept)) {
        free(set->path);
        return error_no_memory(err, "the page");
    }
    snprintf(set->policy, sizeof set->policy, "%s", request->policy ? request->policy : "");
    set->budget = request->budget;
    set->limit = request->limit;
    if (!request->ask)
        start_when_known(page);
    return true;
}

static void close(struct page *page)
{
    struct set_page *set = page->state;
    forget_rows(set);
    set_rows_free(&set->shown);
    free(set->path);
    free(set->kept);
}

void page_set_ask(struct screen *screen)
{
    const struct set_page_request request = {.budget = (double)NAN, .ask = true};
    if (page_push(screen, &page_set, &request))
        ask_file(page_top(screen), 0); // at once: what is typed ahead belongs to the prompt
}

static const char *explain(enum action action)
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

static const char about[] = N_(
    /* xgettext:no-c-format */
    "Every question of a set, asked under one policy and budget. The histogram shows that easy questions cost less: "
    "each column counts the questions that spent such a share of the unpruned model's FLOPs. Bars show how often "
    "questions of a type are answered rightly; the thinner ends are 95 % intervals, by bootstrap over "
    "pictures. Enter steps through the question that the cursor is on. p and b evaluate the set again with another "
    "policy or budget.");

const struct page_kind page_set = {
    .id = PAGE_SET,
    .size = sizeof(struct set_page),
    .about = about,
    .open = open,
    .close = close,
    .status = status,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .typed = typed,
    .typing = filter_by,
    .untyped = untyped,
    .tick = tick,
    .news = news,
    .job = job,
    .explain = explain,
};
