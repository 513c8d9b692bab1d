// The rows around the panels: header, story, note, key hints, legend.
#include "ui/narrate.h"
#include "ui/page.h"
#include "ui/paint.h"
#include "ui/panels.h"
#include "ui/rim.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_row(const struct pane *pane, enum style style, struct rect rect)
{
    theme_set(pane->theme, style);
    for (int i = 0; i < rect.columns; i++)
        mvaddch(rect.row, rect.column + i, ' ');
    theme_set(pane->theme, STYLE_TEXT);
}

// How much of the picture the model does not see.
static void draw_cut_off(const struct pane *pane, int *column, int end)
{
    bool sides;
    const struct trace *trace = &pane->view->trace;
    double cut_off = trace->picture_count > 0 ? trace_cut_off_told(&trace->pictures[0], &sides) : 0;
    char text[64];
    if (cut_off <= 0)
        return;
    snprintf(text, sizeof text, sides ? _("%.0f %% cut off left and right") : _("%.0f %% cut off at top and bottom"), cut_off);
    if (draw_width(text) >= end - *column)
        snprintf(text, sizeof text, _("%.0f %% cut off"), cut_off);
    if (draw_width(text) < end - *column)
        *column += draw_text(pane, STYLE_BAR_DIM, pane->layout->header.row, *column, end - *column - 1, text) + 2;
}

void panel_header(const struct pane *pane)
{
    struct rect rect = pane->layout->header;
    const struct view *view = pane->view;
    const struct trace *trace = &view->trace;
    struct page *page = pane->page;
    char right[96] = " ", budget[64];
    fill_row(pane, STYLE_BAR, rect);
    int column = draw_text(pane, STYLE_BRAND, rect.row, 0, rect.columns, " trimscope ") + 1;
    if (page->kind->status)
        page->kind->status(page, right, sizeof right);
    int end = draw_right(pane, STYLE_BAR_STRONG, rect.row, column, rect.columns - column, right);
    if (page->kind->id != PAGE_STEPPER)
        column +=
            draw_text(pane, STYLE_BAR_STRONG, rect.row, column, end - column - 1, _(page_title(page->kind->id))) +
            2;
    if (!view->has_trace || view_awaits(view) || page->kind->id != PAGE_STEPPER)
        return;
    snprintf(budget, sizeof budget, "%s", _("as trained"));
    if (!isnan(trace->budget))
        snprintf(budget, sizeof budget, "%.0f %%", 100 * trace->budget);
    const char *policy = title_policy(trace->policy);
    // In a narrow window what can be changed comes first.
    int least = draw_width(trace->model_name) + 2 + draw_width(_("policy ")) + draw_width(policy) + 2 +
                draw_width(_("budget ")) + draw_width(budget) + 2;
    if (!isnan(trace->budget) && view_spends_on_average(view) && trace->intervention_count == 0) { // else these need the room
        char mean[sizeof budget];
        snprintf(mean, sizeof mean, _("%.0f %% on average"), 100 * trace->budget);
        int more = draw_width(mean) - draw_width(budget);
        bool unnamed = least > end - column; // the model's name would be left out anyway
        if (least + more - (unnamed ? draw_width(trace->model_name) + 2 : 0) <= end - column) {
            strcpy(budget, mean);
            least += more;
        }
    }
    if (least <= end - column)
        column +=
            draw_text(pane, STYLE_BAR_STRONG, rect.row, column, end - column - 1, trace->model_name) + 2;
    column += draw_text(pane, STYLE_BAR_DIM, rect.row, column, end - column - 1, _("policy "));
    column += draw_text(pane, STYLE_BAR, rect.row, column, end - column - 1, policy) + 2;
    column += draw_text(pane, STYLE_BAR_DIM, rect.row, column, end - column - 1, _("budget "));
    column += draw_text(pane, STYLE_BAR, rect.row, column, end - column - 1, budget) + 2;
    for (int p = 0; p < trace->picture_count && end - column > (p == 0 ? 40 : 20); p++) {
        const char *path = trace->pictures[p].path ? trace->pictures[p].path : "", *slash = strrchr(path, '/');
        if (!path[0])
            break;
        if (p == 0)
            column += draw_text(pane, STYLE_BAR_DIM, rect.row, column, end - column - 1,
                                trace->picture_count > 1 ? _("pictures ") : _("picture "));
        column += draw_text(pane, STYLE_BAR, rect.row, column, 28, slash ? slash + 1 : path) + 2;
    }
    draw_cut_off(pane, &column, end);
    char changes[48];
    snprintf(changes, sizeof changes,
             ngettext_(trace->intervention_count, "%d change by hand", "%d changes by hand"),
             trace->intervention_count);
    if (trace->intervention_count > 0 && draw_width(changes) < end - column)
        draw_text(pane, STYLE_BAR, rect.row, column, end - column - 1, changes);
}

// As many whole sentences as there is room for.
void panel_story(const struct pane *pane)
{
    struct rect rect = pane->layout->story;
    char all[800], text[800];
    int stage = view_stage(pane->view);
    if (stage < 0)
        snprintf(all, sizeof all, "%s", _("Nothing has been computed yet."));
    else
        narrate_stage(pane->view, stage, all, sizeof all);
    draw_fit_sentences(all, rect.rows, rect.columns, text, sizeof text);
    draw_wrapped(pane, STYLE_STRONG, rect, text);
}

// How the whole command can be had where it is cut.
static void tell_of_whole(const struct pane *pane, struct rect rect)
{
    char key[16], text[64];
    key_shown_first(key_row(ACTION_COPY), key, sizeof key);
    snprintf(text, sizeof text, _("%s %s: whole"), pane->theme->glyphs->ellipsis, key);
    draw_right(pane, STYLE_KEY, rect.row + rect.rows - 1, rect.column, rect.columns, text);
}

int panel_command(const struct pane *pane, struct rect rect, const char *command)
{
    char *line = command ? malloc(strlen(command) + 3) : NULL;
    if (!line)
        return 0;
    sprintf(line, "$ %s", command);
    int rows = draw_rows(line, rect.columns);
    bool cut = rows > rect.rows;
    rows = cut ? rect.rows : rows;
    rect = (struct rect){rect.row + rect.rows - rows, rect.column, rows, rect.columns};
    draw_wrapped(pane, STYLE_DIM, rect, line);
    if (cut)
        tell_of_whole(pane, rect);
    free(line);
    return rows;
}

static void draw_command(const struct pane *pane)
{
    struct page *page = pane->page;
    char *command = page->kind->id == PAGE_WHY ? NULL : page_make_command(page); // a panel there has it
    panel_command(pane, pane->layout->note, command);
    free(command);
}

int panel_note(const struct pane *pane, int most)
{
    struct rect rect = pane->layout->note;
    const struct view *view = pane->view;
    const char *mark = pane->theme->glyphs->unicode ? "▌" : "!";
    if (view->message[0]) {
        enum style style = view->message_is_error ? STYLE_WARN : STYLE_ANSWER;
        int used = draw_text(pane, style, rect.row, rect.column, 2, mark) + 1;
        return draw_wrapped(pane, style, (struct rect){rect.row, rect.column + used, most, rect.columns - used}, view->message);
    } else if (view->busy_for_long) {
        const char *what = view->progress[0] ? view->progress : _("computing");
        int used = draw_format(pane, STYLE_NUMBER, rect.row, rect.column, rect.columns, "%s ", what);
        if (!isnan(view->done) && rect.columns - used > 12)
            draw_bar(pane, STYLE_SPENT, rect.row, rect.column + used, 12, (double)view->done), used += 13;
        draw_text(pane, STYLE_DIM, rect.row, rect.column + used, rect.columns - used, _("^C stops it"));
    } else if (view->note[0]) {
        int used = draw_text(pane, STYLE_WARN, rect.row, rect.column, 2, mark) + 1;
        struct rect text = {rect.row, rect.column + used, view->note_read ? 1 : most, rect.columns - used};
        return draw_wrapped(pane, STYLE_TEXT, text, view->note); // lasting: it gives the hints their row back
    } else {
        draw_command(pane);
    }
    return 1;
}

// "key word", where it fits; returns the column after it.
static int draw_hint(const struct pane *pane, int column, int end, const struct key_row *row)
{
    char key[16];
    key_shown_first(row, key, sizeof key);
    if (column + draw_width(key) + 1 + draw_width(_(row->word)) > end)
        return column;
    column += draw_text(pane, STYLE_KEY, pane->layout->hints.row, column, end - column, key) + 1;
    column += draw_text(pane, STYLE_DIM, pane->layout->hints.row, column, end - column, _(row->word)) + 2;
    return column;
}

static bool offers(struct page *page, enum action action)
{
    return !page->kind->offers || page->kind->offers(page, action);
}

// The row of an action as the footer tells it: a stepper above a table is left, not the program.
static const struct key_row *hinted(const struct page *page, enum action action)
{
    return key_row(action == ACTION_QUIT && !page_is_lowest(page) ? ACTION_BACK : action);
}

static int draw_hints(const struct pane *pane, int column, int end, enum key_hint which)
{
    for (int a = 0; a < ACTIONS; a++) {
        const struct key_row *row = hinted(pane->page, (enum action)a);
        if (row->hint == which && key_works_on((enum action)a, pane->page->kind->id) &&
            (pane->view->abilities & row->needs) == row->needs && offers(pane->page, (enum action)a))
            column = draw_hint(pane, column, end, row);
    }
    return column;
}

void panel_hints(const struct pane *pane)
{
    struct rect rect = pane->layout->hints;
    struct page *page = pane->page;
    enum key_hint first = page->kind->hints ? page->kind->hints(page) : HINT_NONE;
    int column = rect.column + 1, end = rect.column + rect.columns - 1, always = 0;
    char key[16];
    for (int a = 0; a < ACTIONS; a++) {
        const struct key_row *row = hinted(page, (enum action)a);
        if (row->hint == HINT_ALWAYS && key_works_on((enum action)a, page->kind->id))
            always += draw_width(key_shown_first(row, key, sizeof key)) + 1 + draw_width(_(row->word)) + 2;
    }
    draw_hints(pane, end - always + 2, end, HINT_ALWAYS);
    end -= always;
    if (first == HINT_LIST) {
        column += draw_text(pane, STYLE_KEY, rect.row, column, end - column, "↑↓") + 1;
        column += draw_text(pane, STYLE_DIM, rect.row, column, end - column, _("choose")) + 2;
        column += draw_text(pane, STYLE_KEY, rect.row, column, end - column, "Enter") + 1;
        draw_text(pane, STYLE_DIM, rect.row, column, end - column, _("open"));
        return;
    }
    if (first == HINT_CURSOR) {
        column += draw_text(pane, STYLE_KEY, rect.row, column, end - column, _("arrows")) + 1;
        column += draw_text(pane, STYLE_DIM, rect.row, column, end - column, in_("a cursor", "move")) + 2;
    }
    if (first != HINT_NONE)
        column = draw_hints(pane, column, end, first);
    column = draw_hints(pane, column, end, HINT_ANYWHERE);
    draw_hints(pane, column, end, HINT_ROOM);
}

// The picture's colour ramp; where there are few colours, its order of brightness.
static int draw_ramp(const struct pane *pane, int row, int column, bool wide)
{
    static const char *const shades[] = {"░", "░", "▒", "▒", "▓", "█"};
    bool colors = pane->theme->colors >= 256;
    int steps = wide ? 12 : 6;
    move(row, column);
    for (int i = 0; i < steps; i++) {
        int step = i * 6 / steps;
        theme_set(pane->theme, (enum style)(STYLE_RAMP_0 + step));
        addstr(pane->theme->glyphs->unicode ? (colors ? "█" : shades[step]) : step < 3 ? "." : "#");
    }
    theme_set(pane->theme, STYLE_TEXT);
    return steps;
}

static const char *const show_names[SHOW_COUNT] = {N_("SURVIVORS"), N_("SELF SCORE"), N_("CROSS SCORE"),
                                                   N_("TOTAL SCORE"), N_("ATTENTION")};

// "of 'apple'", "of row 4, column 7", "of head 2": what the attention shown was asked for.
static void attention_text(const struct view *view, char *out, size_t size)
{
    const struct backend_attention_request *request = &view->attention.request;
    char name[TRACE_TEXT];
    view_token_name(view, request->stream, request->query, name, sizeof name);
    if (request->head >= 0)
        snprintf(out, size, _("of head %d"), request->head + 1);
    else if (request->stream == TRACE_TEXT_STREAM)
        snprintf(out, size, _("of '%s'"), name);
    else
        snprintf(out, size, _("of %s"), name);
}

enum { LEGEND_LEAST = 10 }; // columns for the ends of a scale

void panel_legend(const struct pane *pane, enum graphics graphics)
{
    struct rect rect = pane->layout->legend;
    const struct view *view = pane->view;
    int stage = view_stage(view), total, end = rect.column + rect.columns;
    int column = rect.column;
    enum style style = view->focus == FOCUS_PATCHES ? STYLE_CURSOR : STYLE_TITLE;
    const char *name = _(show_names[view->show]);
    char count[48] = "", brief[48] = "";
    if (stage >= 0 && view->show == SHOW_SURVIVORS) {
        int alive = view_alive_patches(view, stage, &total);
        snprintf(count, sizeof count, _("%d of %d patches"), alive, total);
        snprintf(brief, sizeof brief, _("%d of %d"), alive, total);
        if (draw_width(name) + 1 + draw_width(brief) > rect.columns) // below a small picture the count tells more
            name = "";
    }
    if (*name)
        column += draw_text(pane, style, rect.row, column, end - column, name) + 1;
    if (stage < 0)
        return;
    float low, high;
    if (view->show == SHOW_SURVIVORS) {
        draw_fitting(pane, *name ? STYLE_TEXT : style, rect.row, column, end - column, count, brief);
        return;
    }
    if (end - column < LEGEND_LEAST)
        return;
    bool asked =
        view->show == SHOW_ATTENTION && view->has_attention && view->attention.request.stage == stage;
    if (asked) {
        char of[TRACE_TEXT + 16];
        attention_text(view, of, sizeof of);
        column += draw_text(pane, STYLE_TEXT, rect.row, column, end - column, of) + 1;
    }
    if (!view_shown_range(view, stage, view->picture, &low, &high)) {
        draw_text(pane, STYLE_DIM, rect.row, column, end - column,
                  asked                          ? _("goes to the words")
                  : view->show == SHOW_ATTENTION ? _("none here: Tab, then Enter")
                                                 : _("none given yet"));
        return;
    }
    (void)graphics;
    if (view->show == SHOW_ATTENTION)
        low = 0;
    int digits = (view->show == SHOW_ATTENTION ? 3 : 2) - (rect.columns < 30);
    for (double told = pow(10, digits) * (double)(high - low); told > 0 && told < 10 && digits < 5; told *= 10)
        digits++; // both ends of a short scale would read the same
    column +=
        draw_format(pane, STYLE_NUMBER, rect.row, column, end - column, "%.*f", digits, (double)low) + 1;
    if (end - column >= 6)
        column += draw_ramp(pane, rect.row, column, rect.columns >= 40) + 1;
    column += draw_format(pane, STYLE_NUMBER, rect.row, column, end - column, "%.*f", digits, (double)high);
    const char *scale = _("  in this stage"); // another stage has another scale
    if (view->show != SHOW_ATTENTION && draw_width(scale) <= end - column)
        draw_text(pane, STYLE_DIM, rect.row, column, end - column, scale);
}
