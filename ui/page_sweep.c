// Policies times budgets over one set: accuracy against FLOPs or time, the Pareto front, and the points as a list.
#include "ui/export.h"
#include "ui/export_csv.h"
#include "ui/page.h"
#include "ui/page_set.h"
#include "ui/pareto.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_COLUMNS = 60, LABEL = 16, WIDE = 120 };

struct sweep_page {
    struct backend_sweep_request request; // own copies
    int job;
    float done;
    char progress[120], error[480];
    struct sweep_point *points;
    int count;
    int selected, first, in_sight;
    bool ms; // against time
};

static bool copy_request(struct backend_job *to, const struct sweep_page_request *from)
{
    struct backend_job job = {.kind = JOB_SWEEP};
    // What it points to is only read.
    job.sweep = (struct backend_sweep_request){.set = (char *)(size_t)from->set,
                                               .files = (char **)(size_t)from->files,
                                               .file_count = from->file_count,
                                               .policies = (char *)(size_t)from->policies,
                                               .budgets = (char *)(size_t)from->budgets,
                                               .folder = (char *)(size_t)from->folder,
                                               .limit = from->limit};
    return backend_job_copy(to, &job);
}

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct sweep_page *sweep = page->state;
    struct backend_job job;
    if (!copy_request(&job, argument))
        return error_no_memory(err, "the page");
    sweep->request = job.sweep;
    sweep->job = page_start_job(page, &job);
    return true;
}

static void close(struct page *page)
{
    struct sweep_page *sweep = page->state;
    struct backend_job job = {.kind = JOB_SWEEP, .sweep = sweep->request};
    backend_job_free(&job);
    free(sweep->points);
}

// Files that could not be read are named in the list; how many there are is told once.
static void tell_unread(struct page *page)
{
    const struct sweep_page *sweep = page->state;
    int unread = 0;
    for (int i = 0; i < sweep->count; i++)
        unread += sweep->points[i].unknown;
    if (unread)
        page_say(page, true, ngettext_(unread, "%d file could not be read: the list says why.",
                                       "%d files could not be read: the list says why."), unread);
}

static void job(struct page *page, struct backend_job_news *news)
{
    struct sweep_page *sweep = page->state;
    if (news->id != sweep->job)
        return;
    if (news->state == JOB_WORKING) {
        sweep->done = news->done;
        snprintf(sweep->progress, sizeof sweep->progress, "%s", news->progress);
    }
    if ((news->state == JOB_PART || news->state == JOB_DONE) && news->sweep.points) {
        free(sweep->points);
        sweep->points = news->sweep.points;
        sweep->count = news->sweep.count;
        news->sweep.points = NULL;
    }
    if (news->state == JOB_FAILED)
        snprintf(sweep->error, sizeof sweep->error, "%s", news->error);
    if (news->state == JOB_CANCELLED)
        page_say(page, false, "%s", _("Stopped: the points that are done stay."));
    if (news->state == JOB_DONE)
        tell_unread(page);
    if (news->state != JOB_WORKING && news->state != JOB_PART)
        sweep->job = 0;
    page_changed(page);
}

static bool all_known(const struct sweep_page *sweep)
{
    for (int i = 0; i < sweep->count; i++)
        if (!sweep->points[i].done && !sweep->points[i].why[0])
            return false;
    return true;
}

// The set under the point chosen: the file that it comes from, or evaluated anew.
static void open_point(struct page *page)
{
    const struct sweep_page *sweep = page->state;
    if (sweep->selected >= sweep->count)
        return;
    const struct sweep_point *point = &sweep->points[sweep->selected];
    struct set_page_request request = {.policy = policy_name(point->policy), .budget = point->budget,
                                       .path = sweep->request.set, .limit = sweep->request.limit};
    if (sweep->request.file_count)
        request.path = sweep->request.files[sweep->selected];
    if (point->why[0])
        page_say(page, true, "%s", point->why);
    else if (sweep->job && !all_known(sweep))
        page_say(page, false, "%s", _("The sweep is at work; ^C stops it."));
    else
        page_push(page->screen, &page_set, &request);
}

static bool act(struct page *page, enum action action)
{
    struct sweep_page *sweep = page->state;
    int page_rows = sweep->in_sight > 1 ? sweep->in_sight : 1;
    switch (action) {
    case ACTION_UP: sweep->selected--; break;
    case ACTION_DOWN: sweep->selected++; break;
    case ACTION_PREVIOUS: sweep->selected -= page_rows; break;
    case ACTION_NEXT: sweep->selected += page_rows; break;
    case ACTION_FIRST: sweep->selected = 0; break;
    case ACTION_LAST: sweep->selected = sweep->count; break;
    case ACTION_SWEEP_AXIS: sweep->ms = !sweep->ms; break;
    case ACTION_TABLE_OPEN: open_point(page); break;
    default: return false;
    }
    sweep->selected = sweep->selected >= sweep->count ? sweep->count - 1 : sweep->selected;
    sweep->selected = sweep->selected < 0 ? 0 : sweep->selected;
    return true;
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    if (event->wheel)
        act(page, event->wheel < 0 ? ACTION_UP : ACTION_DOWN);
    page_changed(page);
}

static void status(struct page *page, char *out, size_t size)
{
    const struct sweep_page *sweep = page->state;
    if (sweep->job && sweep->progress[0])
        snprintf(out, size, "%s ", sweep->progress);
    else if (sweep->count)
        snprintf(out, size, _("%d points "), sweep->count);
}

static void write_budget(const struct sweep_point *p, char *out, size_t size)
{
    *out = 0;
    if (p->unknown)
        return;
    if (!isnan(p->budget))
        snprintf(out, size, "%g", p->budget);
    else if (p->policy != POLICY_NONE)
        snprintf(out, size, "%s", _("trained"));
}

static void draw_sheet(const struct pane *pane, const struct plot_sheet *sheet, struct rect rect)
{
    for (int r = 0; r < sheet->rows; r++)
        for (int c = 0; c < sheet->columns; c++) {
            const struct plot_cell *cell = &sheet->cells[r * sheet->columns + c];
            if (cell->text[0] && cell->text[0] != '\x01')
                draw_text(pane, cell->style, rect.row + r, rect.column + c, 2, cell->text);
        }
}

static void draw_plot(const struct pane *pane, const struct sweep_page *sweep, struct rect rect)
{
    struct plot_sheet sheet = {0};
    struct pareto_point *shown = calloc((size_t)sweep->count, sizeof *shown);
    char (*labels)[LABEL] = calloc((size_t)sweep->count, sizeof *labels);
    struct pareto pareto = {.x_title = sweep->ms ? _("milliseconds a question") : _("share of the dense FLOPs"),
                            .y_title = _("accuracy, %"), .points = shown};
    for (int i = 0; shown && labels && i < sweep->count; i++) {
        const struct sweep_point *p = &sweep->points[i];
        if (!p->done || !p->summary.questions)
            continue;
        write_budget(p, labels[i], LABEL);
        shown[pareto.count++] = (struct pareto_point){.letter = (char)('a' + (int)p->policy), .label = labels[i],
                                                      .x = sweep->ms ? p->summary.ms : p->summary.share.value,
                                                      .y = p->summary.accuracy.value,
                                                      .front = sweep->ms ? p->front_ms : p->front_flops,
                                                      .chosen = i == sweep->selected};
    }
    if (pareto.count && plot_sheet_init(&sheet, rect.rows, rect.columns, pane->theme->glyphs->unicode)) {
        pareto_draw(&sheet, &pareto, 0, 0, rect.rows, rect.columns);
        draw_sheet(pane, &sheet, rect);
    }
    plot_sheet_free(&sheet);
    free(shown);
    free(labels);
}

// Where the columns of the list end (numbers) or begin; texts are measured, since translations take other widths.
enum { AT_POLICY = 2, TO_BUDGET = 27, TO_ACCURACY = 36, TO_SHARE = 43, TO_MS = 52, AT_FRONT = 54 };

static void draw_number(const struct pane *pane, enum style style, struct rect rect, int row, int from, int to, const char *text)
{
    if (to <= rect.columns)
        draw_right(pane, style, row, rect.column + from, to - from, text);
}

// The policy, or the file that it would come from.
static const char *point_name(const struct sweep_page *sweep, int index)
{
    const struct sweep_point *p = &sweep->points[index];
    if (!p->unknown || index >= sweep->request.file_count)
        return policy_name(p->policy);
    const char *path = sweep->request.files[index], *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void draw_point(const struct pane *pane, const struct sweep_page *sweep, struct rect rect, int row, int index)
{
    const struct sweep_point *p = &sweep->points[index];
    bool front = sweep->ms ? p->front_ms : p->front_flops, chosen = index == sweep->selected;
    enum style style = chosen ? STYLE_SELECTED : front ? STYLE_ALIVE_STRONG : p->done ? STYLE_TEXT : STYLE_DIM;
    char text[64];
    int letter = p->unknown ? '?' : (front ? 'A' : 'a') + (int)p->policy;
    draw_format(pane, style, row, rect.column, rect.columns, "%*s", rect.columns, "");
    draw_format(pane, style, row, rect.column, TO_BUDGET, "%c %s", letter, point_name(sweep, index));
    write_budget(p, text, sizeof text);
    draw_number(pane, style, rect, row, TO_BUDGET - 8, TO_BUDGET, text);
    if (!p->done) {
        const char *why = p->why[0] ? p->why : sweep->job ? _("to come") : "";
        draw_text(pane, style, row, rect.column + TO_BUDGET + 2, rect.columns - TO_BUDGET - 2, why);
        return;
    }
    snprintf(text, sizeof text, "%.1f %%", 100 * p->summary.accuracy.value);
    draw_number(pane, style, rect, row, TO_BUDGET, TO_ACCURACY, text);
    snprintf(text, sizeof text, "%.3f", p->summary.share.value);
    draw_number(pane, style, rect, row, TO_ACCURACY, TO_SHARE, text);
    snprintf(text, sizeof text, "%.2f", p->summary.ms);
    draw_number(pane, style, rect, row, TO_SHARE, TO_MS, text);
    if (front)
        draw_text(pane, style, row, rect.column + AT_FRONT, rect.columns - AT_FRONT, "*");
}

static void draw_list(const struct pane *pane, struct sweep_page *sweep, struct rect rect)
{
    sweep->in_sight = rect.rows - 1;
    if (sweep->selected < sweep->first)
        sweep->first = sweep->selected;
    if (sweep->selected >= sweep->first + sweep->in_sight)
        sweep->first = sweep->selected - sweep->in_sight + 1;
    draw_text(pane, STYLE_TITLE, rect.row, rect.column + AT_POLICY, TO_BUDGET - AT_POLICY, _("policy"));
    draw_number(pane, STYLE_TITLE, rect, rect.row, TO_BUDGET - 8, TO_BUDGET, _("budget"));
    draw_number(pane, STYLE_TITLE, rect, rect.row, TO_BUDGET, TO_ACCURACY, _("accuracy"));
    draw_number(pane, STYLE_TITLE, rect, rect.row, TO_ACCURACY, TO_SHARE, _("share"));
    draw_number(pane, STYLE_TITLE, rect, rect.row, TO_SHARE, TO_MS, _("ms"));
    draw_text(pane, STYLE_TITLE, rect.row, rect.column + AT_FRONT, rect.columns - AT_FRONT, _("front"));
    for (int i = 0; i < sweep->in_sight && sweep->first + i < sweep->count; i++)
        draw_point(pane, sweep, rect, rect.row + 1 + i, sweep->first + i);
}

// The interval of the point chosen, and what letters mean.
static void draw_foot(const struct pane *pane, const struct sweep_page *sweep, struct rect rect)
{
    const struct sweep_point *p = &sweep->points[sweep->selected];
    char budget[LABEL], name[2 * LABEL + 16];
    write_budget(p, budget, sizeof budget);
    snprintf(name, sizeof name, "%s%s%s", policy_name(p->policy), *budget ? " " : "", budget);
    if (p->done)
        draw_format(pane, STYLE_TEXT, rect.row, rect.column, rect.columns,
                    _("%s: accuracy %.1f %% (%.1f–%.1f), %.1f %% of the FLOPs, %.2f ms"), name, 100 * p->summary.accuracy.value, 100 * p->summary.accuracy.low,
                    100 * p->summary.accuracy.high, 100 * p->summary.share.value, p->summary.ms);
    if (p->why[0]) {
        draw_wrapped(pane, STYLE_WARN, rect, p->why);
        return;
    }
    draw_fitting(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns,
                 _("Letters are policies, capital on the front: nothing is as accurate for less. Numbers are budgets."),
                 _("Letters are policies, capitals the Pareto front, numbers budgets."));
}

static void draw(struct page *page, const struct pane *pane)
{
    struct sweep_page *sweep = page->state;
    struct rect body = page->body, foot = {body.row + body.rows - 2, body.column + 1, 2, body.columns - 2};
    struct rect plot = {body.row + 1, body.column + 1, body.rows - 4, body.columns - 2}, list = plot;
    if (sweep->error[0]) {
        draw_wrapped(pane, STYLE_WARN, plot, sweep->error);
        return;
    }
    if (!sweep->count) {
        draw_text(pane, STYLE_DIM, plot.row, plot.column, plot.columns, sweep->job ? _("Opening…") : _("There is nothing to show."));
        return;
    }
    if (sweep->job)
        draw_bar(pane, STYLE_SPENT, body.row, plot.column, plot.columns, (double)sweep->done);
    if (body.columns >= WIDE) {
        plot.columns -= LIST_COLUMNS + 2;
        list.column += plot.columns + 2;
        list.columns = LIST_COLUMNS;
    } else {
        list.rows = plot.rows > 24 ? 10 : plot.rows > 20 ? 6 : 4;
        plot.rows -= list.rows + 1;
        list.row += plot.rows + 1;
    }
    draw_plot(pane, sweep, plot);
    draw_list(pane, sweep, list);
    draw_foot(pane, sweep, foot);
}

static const char *explain(enum action action)
{
    switch (action) {
    case ACTION_UP: return _("the point above");
    case ACTION_DOWN: return _("the point below");
    case ACTION_PREVIOUS: return _("a page up");
    case ACTION_NEXT: return _("a page down");
    case ACTION_FIRST: return _("the first point");
    case ACTION_LAST: return _("the last point");
    case ACTION_TABLE_OPEN: return _("the questions under this policy and budget");
    default: return NULL;
    }
}

static const char about[] = N_(
    "Each letter is one policy under one budget, evaluated over the whole set: how often it answers rightly, against what "
    "it spends. Points with a capital letter are on the Pareto front: nothing else is at least as accurate for less. x "
    "changes between counted FLOPs and measured time. Enter opens the questions behind the point chosen.");

static unsigned exports(struct page *page)
{
    (void)page;
    return 1U << EXPORT_FRAME | 1U << EXPORT_TABLE;
}

static void table(struct page *page, struct bytes *out)
{
    const struct sweep_page *sweep = page->state;
    export_csv_points(sweep->points, sweep->count, out);
}

const struct page_kind page_sweep = {
    .id = PAGE_SWEEP,
    .size = sizeof(struct sweep_page),
    .about = about,
    .open = open,
    .close = close,
    .status = status,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .job = job,
    .explain = explain,
    .exports = exports,
    .table = table,
};
