// The exact numbers of what the cursor is on; without a cursor, what is alive.
#include "ui/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void number_text(char *out, size_t size, float value)
{
    if (isnan(value))
        snprintf(out, size, "none");
    else
        snprintf(out, size, "%+.2f", (double)value);
}

static void draw_pair(const struct pane *pane, int row, int column, const char *name, const char *value)
{
    int used = draw_text(pane, STYLE_DIM, row, column, 20, name);
    draw_text(pane, STYLE_NUMBER, row, column + used + 1, 20, value);
}

static void state_text(const struct view *view, int stage, int stream, int token, char *out, size_t size)
{
    const struct trace_tokens *tokens = view_tokens(view, stage, stream);
    int died = tokens && token < tokens->count && !tokens->alive[token] ? tokens->dropped_at[token] : -1;
    if (!tokens)
        snprintf(out, size, "not read yet");
    else if (died >= 0 && died < view->trace.stage_count)
        snprintf(out, size, "dropped in %s%s", view->trace.stages[died].name, died == stage ? ", just now" : "");
    else if (view_alive(view, stage, stream, token))
        snprintf(out, size, "alive");
    else
        snprintf(out, size, "dropped");
}

// The scores in one row ("self +1.2, cross +0.8, total +2.0 against 0.0") or spread over several.
static void draw_token(const struct pane *pane, int stage, int stream, int token)
{
    struct rect rect = pane->layout->inspect;
    const struct view *view = pane->view;
    struct view_score score = view_score(view, stage, stream, token);
    float threshold = score.stage >= 0 ? view_threshold(view, score.stage, stream) : NAN;
    char self[16], cross[16], total[16], limit[16], margin[16], keep[16] = "none";
    number_text(self, sizeof self, score.self);
    number_text(cross, sizeof cross, score.cross);
    number_text(total, sizeof total, score.total);
    number_text(limit, sizeof limit, threshold);
    number_text(margin, sizeof margin, score.total - threshold);
    if (!isnan(score.keep))
        snprintf(keep, sizeof keep, "%.0f %%", 100 * (double)score.keep);
    int row = rect.row + 1, rows = rect.rows - 1;
    if (score.stage < 0) {
        draw_text(pane, STYLE_DIM, row, rect.column, rect.columns, "No score was given yet: nothing up to here decides about it.");
        return;
    }
    if (rows < 3) {
        draw_format(pane, STYLE_NUMBER, row, rect.column, rect.columns, "%s self %s cross = %s, limit %s, keep %s", self,
                    cross, total, limit, keep);
        return;
    }
    int third = rect.columns / 3;
    draw_pair(pane, row, rect.column, "self ", self);
    draw_pair(pane, row, rect.column + third, "cross", cross);
    draw_pair(pane, row, rect.column + 2 * third, "total", total);
    row++;
    draw_pair(pane, row, rect.column, "limit", limit);
    draw_pair(pane, row, rect.column + third, "margin", margin);
    draw_pair(pane, row, rect.column + 2 * third, "keep ", keep);
    row++;
    draw_format(pane, STYLE_DIM, row, rect.column, rect.columns, "scored in %s%s", view->trace.stages[score.stage].name,
                stream == TRACE_TEXT_STREAM && view->trace.tokens[token].unknown ? "; the model does not know this word" : "");
}

static void inspect_token(const struct pane *pane, int stream, int token)
{
    const struct view *view = pane->view;
    int stage = view_stage(view);
    char name[TRACE_TEXT], title[TRACE_TEXT + 16], state[64];
    view_token_name(view, stream, token, name, sizeof name);
    snprintf(title, sizeof title, stream == TRACE_TEXT_STREAM ? "WORD '%s'" : "PATCH %s", name);
    state_text(view, stage, stream, token, state, sizeof state);
    draw_title(pane, pane->layout->inspect, title, state, true);
    draw_token(pane, stage, stream, token);
}

static void inspect_head(const struct pane *pane)
{
    struct rect rect = pane->layout->inspect;
    const struct view *view = pane->view;
    const struct trace_heads *heads = view_heads(view, view_stage(view), view->head.stream, view->head.module);
    if (!heads || view->head.head >= heads->count) {
        draw_title(pane, rect, "HEAD", "none in this stage", true);
        return;
    }
    int h = view->head.head;
    char title[64], score[16], margin[16];
    snprintf(title, sizeof title, "HEAD %d of %d", h + 1, heads->count);
    draw_title(pane, rect, title, heads->on[h] ? "works" : "rests: not computed", true);
    number_text(score, sizeof score, heads->score[h]);
    number_text(margin, sizeof margin, heads->score[h] + (float)view->trace.shift);
    draw_format(pane, STYLE_TEXT, rect.row + 1, rect.column, rect.columns, "%s attention of the %s",
                view_module_name(view->head.module), view_stream_name(view, view->head.stream));
    if (rect.rows >= 3) {
        draw_pair(pane, rect.row + 2, rect.column, "score", score);
        draw_pair(pane, rect.row + 2, rect.column + rect.columns / 3, "margin", margin);
    }
}

static void draw_alive(const struct pane *pane, int row, const char *name, int alive, int total)
{
    struct rect rect = pane->layout->inspect;
    char text[32];
    snprintf(text, sizeof text, "%d of %d", alive, total);
    draw_text(pane, STYLE_TEXT, row, rect.column, 11, name);
    draw_bar(pane, STYLE_ALIVE, row, rect.column + 11, rect.columns - 11 - 13, total > 0 ? (double)alive / total : 0);
    draw_right(pane, STYLE_NUMBER, row, rect.column + rect.columns - 12, 12, text);
}

static void inspect_nothing(const struct pane *pane)
{
    struct rect rect = pane->layout->inspect;
    const struct view *view = pane->view;
    int stage = view_stage(view), row = rect.row + 1;
    draw_title(pane, rect, "ALIVE", "Tab: a cursor for exact scores", false);
    if (stage < 0)
        return;
    for (int stream = 0; stream < TRACE_STREAMS && row < rect.row + rect.rows; stream++) {
        int total, alive;
        if (!view_has_stream(view, stream))
            continue;
        alive = view_alive_count(view, stage, stream, &total);
        draw_alive(pane, row++, stream == TRACE_TEXT_STREAM ? "words" : view_stream_name(view, stream), alive, total);
    }
    const struct stage *now = view_stage_at(view);
    if (row < rect.row + rect.rows && !isnan(now->redundancy_image))
        draw_format(pane, STYLE_DIM, row, rect.column, rect.columns, "mean likeness: patches %.2f  words %.2f  heads %.2f",
                    (double)now->redundancy_image, (double)now->redundancy_text, (double)now->redundancy_heads);
}

void panel_inspect(const struct pane *pane)
{
    const struct view *view = pane->view;
    if (pane->layout->inspect.rows < 1)
        return;
    if (!view->has_trace || view->focus == FOCUS_STAGES)
        inspect_nothing(pane);
    else if (view->focus == FOCUS_PATCHES)
        inspect_token(pane, view->picture, view->patch + 1);
    else if (view->focus == FOCUS_WORDS)
        inspect_token(pane, TRACE_TEXT_STREAM, view->word);
    else
        inspect_head(pane);
}
