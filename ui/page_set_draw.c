// How a question set is drawn.
#include "ui/page_set_state.h"
#include "ui/screen_state.h"
#include "ui/set_figures.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BOTH_ROWS = 34, FIGURE_ROWS = 16 };

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
    static const char *const sides[] = {[SET_EITHER] = "",
                                        [SET_ONE_SIDE] = N_("only one of the two right  "),
                                        [SET_THIS_SIDE] = N_("this right, the other wrong  "),
                                        [SET_OTHER_SIDE] = N_("this wrong, the other right  "),
                                        [SET_NO_SIDE] = N_("both wrong  ")};
    const struct set_filter *f = &set->shown.filter;
    char text[512];
    if (!set_page_is_filtered(f) || !set->rows)
        return;
    if (set->shown.count)
        snprintf(text, sizeof text, _("%d of %d rows, %.0f %% of them right:"), set->shown.count, set->answered,
                 100.0 * set->shown.right / set->shown.count);
    else
        snprintf(text, sizeof text, "%s", _("No row fits:"));
    column += draw_text(pane, STYLE_WARN, row, column, columns, text) + 1;
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s", f->side == SET_EITHER ? "" : _(sides[f->side]),
             f->right == SET_ANY ? "" : _(rights[f->right]), f->type, f->type[0] ? "  " : "",
             f->text[0] ? "\"" : "", f->text, f->text[0] ? "\"" : "");
    draw_text(pane, STYLE_TEXT, row, column, columns, text);
}

static void name_run(const struct results_header *header, char *out, size_t size)
{
    if (isnan(header->budget))
        snprintf(out, size, _("%s, as trained"), header->policy);
    else
        snprintf(out, size, _("%s, budget %.0f %%"), header->policy, 100 * header->budget);
}

// This run against the one beside.
static void draw_pairs(const struct pane *pane, const struct set_page *set, int row, int column, int columns)
{
    const struct set_pairs *p = &set->pairs;
    char name[TRACE_NAME + 64];
    int end = column + columns;
    name_run(&set->shown.other.results->header, name, sizeof name);
    column += draw_format(pane, STYLE_TEXT, row, column, columns,
                          _("other run: %s; right: both %d, only this %d, only the other %d, neither %d"), name, p->both,
                          p->only_this, p->only_other, p->neither);
    if (set->compared.questions && isfinite(set->compared.accuracy.low))
        draw_format(pane, STYLE_DIM, row, column, end - column, _("   this − other: %+.1f points (%+.1f to %+.1f)"),
                    100 * set->compared.accuracy.value, 100 * set->compared.accuracy.low,
                    100 * set->compared.accuracy.high);
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
    if (set->table.both)
        draw_pairs(pane, set, body.row + 2, column, columns);
    draw_filter(pane, set, body.row + 2 + set->table.both, column, columns);
}

static void draw_figures(const struct pane *pane, const struct set_page *set, struct rect rect)
{
    int half = (rect.columns < 110 ? rect.columns * 2 / 5 : rect.columns / 2) - 1; // bars need room
    struct rect left = {rect.row, rect.column, rect.rows, half};
    struct rect right = {rect.row, rect.column + half + 2, rect.rows, rect.columns - half - 2};
    set_figures_histogram(pane, left, set->rows);
    set_figures_types(pane, right, set->rows, set->summary, set->shown.filter.type);
}

void set_page_draw(struct page *page, const struct pane *pane)
{
    struct set_page *set = page->state;
    struct rect body = page->body, rest;
    int head = 3 + set->table.both;
    rest = (struct rect){body.row + head, body.column + 1, body.rows - head, body.columns - 2};
    bool both = body.rows >= BOTH_ROWS;
    draw_head(pane, page);
    set->table.rect = (struct rect){0};
    if (set->error[0]) { // above what was answered before
        int used = draw_wrapped(pane, STYLE_WARN, rest, set->error) + 1;
        if (!set->rows || !set->answered)
            return;
        rest.row += used;
        rest.rows -= used;
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

