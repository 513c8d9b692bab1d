// The rows around the panels: header, story, note, key hints, legend.
#include "ui/keys.h"
#include "ui/narrate.h"
#include "ui/paint.h"
#include "ui/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void fill_row(const struct pane *pane, enum style style, struct rect rect)
{
    theme_set(pane->theme, style);
    for (int i = 0; i < rect.columns; i++)
        mvaddch(rect.row, rect.column + i, ' ');
    theme_set(pane->theme, STYLE_TEXT);
}

static void header_right(const struct pane *pane, char *out, size_t size)
{
    const struct view *view = pane->view;
    const struct stage *stage = view_stage_at(view);
    if (!stage) {
        snprintf(out, size, " ");
        return;
    }
    int total = view->trace.stage_total > view->trace.stage_count ? view->trace.stage_total : view->trace.stage_count;
    snprintf(out, size, "%s %s  stage %d of %d ", view->playing ? "playing" : "", stage->name, view_stage(view) + 1, total);
}

void panel_header(const struct pane *pane)
{
    struct rect rect = pane->layout->header;
    const struct view *view = pane->view;
    const struct trace *trace = &view->trace;
    char right[96], budget[32] = "as trained";
    fill_row(pane, STYLE_BAR, rect);
    int column = draw_text(pane, STYLE_BRAND, rect.row, 0, rect.columns, " trimscope ") + 1;
    header_right(pane, right, sizeof right);
    int end = draw_right(pane, STYLE_BAR_STRONG, rect.row, column, rect.columns - column, right);
    if (!view->has_trace)
        return;
    if (!isnan(trace->budget))
        snprintf(budget, sizeof budget, "%.0f %%", 100 * trace->budget);
    column += draw_format(pane, STYLE_BAR_STRONG, rect.row, column, end - column - 1, "%s", trace->model_name) + 2;
    column += draw_text(pane, STYLE_BAR_DIM, rect.row, column, end - column - 1, "policy ");
    column += draw_text(pane, STYLE_BAR, rect.row, column, end - column - 1, trace->policy) + 2;
    column += draw_text(pane, STYLE_BAR_DIM, rect.row, column, end - column - 1, "budget ");
    column += draw_text(pane, STYLE_BAR, rect.row, column, end - column - 1, budget) + 2;
    if (trace->intervention_count > 0)
        draw_format(pane, STYLE_BAR, rect.row, column, end - column - 1, "%d change%s by hand",
                    trace->intervention_count, trace->intervention_count == 1 ? "" : "s");
}

void panel_story(const struct pane *pane)
{
    char text[600];
    int stage = view_stage(pane->view);
    if (stage < 0)
        snprintf(text, sizeof text, "Nothing has been computed yet.");
    else
        narrate_stage(pane->view, stage, text, sizeof text);
    draw_wrapped(pane, STYLE_STRONG, pane->layout->story, text);
}

void panel_note(const struct pane *pane)
{
    struct rect rect = pane->layout->note;
    const struct view *view = pane->view;
    const char *mark = pane->theme->glyphs->unicode ? "▌" : "!";
    if (view->message[0]) {
        enum style style = view->message_is_error ? STYLE_WARN : STYLE_ANSWER;
        int used = draw_text(pane, style, rect.row, rect.column, 2, mark) + 1;
        draw_text(pane, style, rect.row, rect.column + used, rect.columns - used, view->message);
    } else if (view->busy) {
        const char *what = view->progress[0] ? view->progress : "computing";
        int used = draw_format(pane, STYLE_NUMBER, rect.row, rect.column, rect.columns, "%s ", what);
        if (!isnan(view->done) && rect.columns - used > 12)
            draw_bar(pane, STYLE_SPENT, rect.row, rect.column + used, 12, (double)view->done), used += 13;
        draw_text(pane, STYLE_DIM, rect.row, rect.column + used, rect.columns - used, "^C stops it");
    } else if (view->note[0]) {
        int used = draw_text(pane, STYLE_WARN, rect.row, rect.column, 2, mark) + 1;
        draw_text(pane, STYLE_TEXT, rect.row, rect.column + used, rect.columns - used, view->note);
    }
}

static int hint(const struct pane *pane, int column, int end, const struct key_row *row)
{
    char key[16];
    snprintf(key, sizeof key, "%.*s", (int)strcspn(row->written, " "), row->written); // the first of its keys
    if (column + draw_width(key) + 1 + draw_width(row->word) > end)
        return column;
    column += draw_text(pane, STYLE_KEY, pane->layout->hints.row, column, end - column, key) + 1;
    column += draw_text(pane, STYLE_DIM, pane->layout->hints.row, column, end - column, row->word) + 2;
    return column;
}

void panel_hints(const struct pane *pane)
{
    struct rect rect = pane->layout->hints;
    const struct view *view = pane->view;
    enum key_hint mine = view->focus == FOCUS_STAGES ? HINT_STAGES : HINT_CURSOR;
    int column = rect.column + 1, end = rect.column + rect.columns - 1;
    if (mine == HINT_CURSOR) {
        column += draw_text(pane, STYLE_KEY, rect.row, column, end - column, "arrows") + 1;
        column += draw_text(pane, STYLE_DIM, rect.row, column, end - column, "move") + 2;
    }
    for (int pass = 0; pass < 2; pass++)
        for (int a = 0; a < ACTIONS; a++) {
            const struct key_row *row = key_row((enum action)a);
            if (row->hint == (pass == 0 ? mine : HINT_ANYWHERE) && (view->abilities & row->needs) == row->needs)
                column = hint(pane, column, end, row);
        }
}

static void draw_ramp(const struct pane *pane, int row, int column, int columns)
{
    // A ramp of characters: its brightness order is the picture's.
    static const char *const shades[] = {"░", "▒", "▓", "█"};
    theme_set(pane->theme, STYLE_ANSWER_BAR);
    move(row, column);
    for (int i = 0; i < columns; i++)
        addstr(pane->theme->glyphs->unicode ? shades[i * 4 / columns] : (i * 2 < columns ? "." : "#"));
    theme_set(pane->theme, STYLE_TEXT);
}

static const char *const show_names[SHOW_COUNT] = {"survivors", "self score", "cross score", "total score", "attention"};

void panel_legend(const struct pane *pane, enum graphics graphics)
{
    struct rect rect = pane->layout->legend;
    const struct view *view = pane->view;
    int stage = view_stage(view), total, end = rect.column + rect.columns;
    int column = rect.column;
    column += draw_text(pane, STYLE_TITLE, rect.row, column, end - column, show_names[view->show]) + 1;
    if (stage < 0)
        return;
    float low, high;
    if (view->show == SHOW_SURVIVORS) {
        int alive = view_alive_count(view, stage, view->picture, &total);
        draw_format(pane, STYLE_TEXT, rect.row, column, end - column, "%d of %d patches", alive, total);
        return;
    }
    if (!view_shown_range(view, stage, view->picture, &low, &high)) {
        draw_text(pane, STYLE_DIM, rect.row, column, end - column,
                  view->show == SHOW_ATTENTION ? "none here: Tab, then Enter" : "none given yet");
        return;
    }
    (void)graphics;
    if (view->show == SHOW_ATTENTION)
        low = 0;
    int digits = view->show == SHOW_ATTENTION ? 3 : 2;
    column += draw_format(pane, STYLE_NUMBER, rect.row, column, end - column, "%.*f", digits, (double)low) + 1;
    draw_ramp(pane, rect.row, column, 8);
    column += 9;
    draw_format(pane, STYLE_NUMBER, rect.row, column, end - column, "%.*f", digits, (double)high);
}
