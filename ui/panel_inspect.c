// The exact numbers of what the cursor is on; without a cursor, what is alive.
#include "ui/panels.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void panel_number(char *out, size_t size, float value)
{
    double shown = (double)value + 0.0; // + 0.0: no minus zero
    if (isnan(value))
        snprintf(out, size, "%s", in_("a number", "none"));
    else
        snprintf(out, size, "%+.*f", shown != 0 && fabs(shown) < 0.0995 ? 4 : 2, shown);
}

// A name, in `width` columns, and its value.
static void draw_pair(const struct pane *pane, int row, int column, int width, const char *name,
                      const char *value)
{
    draw_text(pane, STYLE_DIM, row, column, width, name);
    draw_text(pane, STYLE_NUMBER, row, column + width + 1, 20, value);
}

void panel_token_state(const struct view *view, int stage, int stream, int token, bool wide, char *out, size_t size)
{
    const struct trace_tokens *tokens = view_tokens(view, stage, stream);
    char name[TRACE_TEXT] = "";
    int died = tokens && token < tokens->count && !tokens->alive[token] ? tokens->dropped_at[token] : -1;
    enum view_hand hand = view_by_hand(view, stream, token);
    if (died >= 0 && died < view->trace.stage_count)
        view_stage_name(view, &view->trace.stages[died], name, sizeof name);
    if (!tokens)
        snprintf(out, size, "%s", _("not read yet"));
    else if (name[0] && hand == VIEW_DROPPED_BY_HAND)
        snprintf(out, size, wide ? _("dropped by hand in %s") : _("by hand in %s"), name);
    else if (died < 0 && hand == VIEW_KEPT_BY_HAND && view_alive(view, stage, stream, token))
        snprintf(out, size, "%s", _("kept alive by hand"));
    else if (died >= 0 && died < view->trace.stage_count)
        snprintf(out, size, died == stage ? _("dropped in %s, just now") : _("dropped in %s"), name);
    else if (view_alive(view, stage, stream, token))
        snprintf(out, size, "%s", in_("a token", "alive"));
    else
        snprintf(out, size, "%s", in_("a token", "dropped"));
}

enum { HISTOGRAM_ROWS = 3, HISTOGRAM_MOST = 256 };

// The word below the threshold: behind it, or before it where the mark of the cursor's token would stand in it.
static void draw_limit(const struct pane *pane, int row, int column, int columns, int limit_at, int mark_at)
{
    int width = draw_width(_("threshold")), from = limit_at;
    bool covered = mark_at >= from && mark_at < from + width;
    if (from + width > columns || (covered && limit_at + 1 >= width))
        from = limit_at - width + (mark_at != limit_at);
    if (from < 0 || (mark_at >= from && mark_at < from + width))
        from = mark_at + 2;
    if (from + width <= columns)
        draw_text(pane, STYLE_DIM, row, column + from, width, _("threshold"));
}

// How many tokens got which score in a stage, where the threshold lies, and where the token with the cursor
// (-1: none).
static void draw_histogram(const struct pane *pane, int row, int stage, int stream, int token)
{
    static const char *const levels[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    struct rect rect = pane->layout->inspect;
    const struct trace_tokens *tokens = &pane->view->trace.stages[stage].tokens[stream];
    int bins[HISTOGRAM_MOST] = {0}, most = 0, columns = rect.columns - 18, column = rect.column + 9;
    float low = INFINITY, high = -INFINITY, limit = view_threshold(pane->view, stage, stream);
    for (int i = 1; i < tokens->count; i++)
        if (!isnan(tokens->score[i])) {
            low = fminf(low, tokens->score[i]);
            high = fmaxf(high, tokens->score[i]);
        }
    if (!(low < high) || isinf(low) || isinf(high) || columns < 16 || !pane->theme->glyphs->unicode)
        return;
    columns = columns < HISTOGRAM_MOST ? columns : HISTOGRAM_MOST;
    float scale = (float)(columns - 1) / (high - low);
    for (int i = 1; i < tokens->count; i++)
        if (!isnan(tokens->score[i])) {
            int *bin = &bins[(int)((tokens->score[i] - low) * scale + 0.5F)];
            most = ++*bin > most ? *bin : most;
        }
    int limit_at = isnan(limit) ? -1 : (int)floorf((limit - low) * scale + 0.5F), at = -1;
    if (token > 0 && token < tokens->count && !isnan(tokens->score[token]))
        at = (int)((tokens->score[token] - low) * scale + 0.5F);
    for (int i = 0; i < columns; i++) {
        int level = bins[i] == 0 ? 0 : 1 + bins[i] * 7 / most;
        theme_set(pane->theme, i < limit_at ? STYLE_DEAD : STYLE_ALIVE);
        mvaddstr(row, column + i, levels[level]);
        theme_set(pane->theme, i == limit_at ? STYLE_STRONG : STYLE_RULE);
        mvaddstr(row + 1, column + i, i == limit_at ? "┃" : "─");
    }
    draw_format(pane, STYLE_DIM, row + 1, rect.column, 8, "%+.2f", (double)low);
    draw_format(pane, STYLE_DIM, row + 1, column + columns + 1, 8, "%+.2f", (double)high);
    draw_text(pane, STYLE_DIM, row, rect.column, 8, _("scores"));
    if (limit_at >= 0 && limit_at < columns)
        draw_limit(pane, row + 2, column, columns, limit_at, at);
    if (at >= 0)
        draw_text(pane, STYLE_WARN, row + 2, column + at, 1, "▲");
}

// The scores in one row ("self +1.2, cross +0.8, total +2.0 against 0.0") or spread over several.
static void draw_token(const struct pane *pane, int stage, int stream, int token)
{
    struct rect rect = pane->layout->inspect;
    const struct view *view = pane->view;
    struct view_score score = view_score(view, stage, stream, token);
    float threshold = score.stage >= 0 ? view_threshold(view, score.stage, stream) : NAN;
    char self[16], cross[16], total[16], limit[16], margin[16], keep[16];
    panel_number(self, sizeof self, score.self);
    panel_number(cross, sizeof cross, score.cross);
    panel_number(total, sizeof total, score.total);
    panel_number(limit, sizeof limit, threshold);
    panel_number(margin, sizeof margin, score.total - threshold);
    panel_number(keep, sizeof keep, NAN);
    if (!isnan(score.keep))
        snprintf(keep, sizeof keep, "%.0f %%", 100 * (double)score.keep);
    int row = rect.row + 1, rows = rect.rows - 1;
    if (rows < 1)
        return;
    if (score.stage < 0) {
        const char *text = _("No score was given yet: nothing up to here decides about it.");
        if (draw_rows(text, rect.columns) > rows)
            text = _("No score was given yet.");
        draw_wrapped(pane, STYLE_DIM, (struct rect){row, rect.column, rows, rect.columns}, text);
        return;
    }
    if (rows < 2) {
        draw_format(pane, STYLE_NUMBER, row, rect.column, rect.columns,
                    _("self %s  cross %s  total %s (limit %s)"), self, cross, total, limit);
        return;
    }
    int third = rect.columns / 3 < 16 ? 16 : rect.columns / 3;
    bool wide = third >= 18; // for "threshold +0.0012" and a space
    const char *names[2][3] = {{in_("score", "self"), in_("score", "cross"), in_("score", "total")},
                               {wide ? _("threshold") : in_("a threshold", "limit"), _("margin"), in_("probability", "keep")}};
    const char *values[2][3] = {{self, cross, total}, {limit, margin, keep}};
    for (int i = 0; i < 3; i++) {
        int width = draw_width(names[0][i]), other = draw_width(names[1][i]);
        for (int r = 0; r < 2; r++)
            draw_pair(pane, row + r, rect.column + i * third, width > other ? width : other, names[r][i],
                      values[r][i]);
    }
    row += 2;
    if (rows < 3)
        return;
    bool unknown = stream == TRACE_TEXT_STREAM && view->trace.tokens[token].unknown;
    char name[TRACE_TEXT];
    view_stage_name(view, &view->trace.stages[score.stage], name, sizeof name);
    draw_format(pane, STYLE_DIM, row, rect.column, rect.columns,
                unknown ? _("scored in %s; the model does not know this word") : _("scored in %s"), name);
    if (rows >= 4 + HISTOGRAM_ROWS)
        draw_histogram(pane, row + 2, score.stage, stream, token);
}

static void inspect_token(const struct pane *pane, int stream, int token)
{
    const struct view *view = pane->view;
    int stage = view_stage(view);
    char name[TRACE_TEXT], title[TRACE_TEXT + 16], state[64];
    view_token_name(view, stream, token, name, sizeof name);
    snprintf(title, sizeof title, stream == TRACE_TEXT_STREAM ? _("WORD '%s'") : _("PATCH %s"), name);
    panel_token_state(view, stage, stream, token, pane->layout->inspect.columns >= 64, state, sizeof state);
    draw_title(pane, pane->layout->inspect, title, state, true);
    draw_token(pane, stage, stream, token);
}

static void inspect_head(const struct pane *pane)
{
    struct rect rect = pane->layout->inspect;
    const struct view *view = pane->view;
    const struct trace_heads *heads =
        view_heads(view, view_stage(view), view->head.stream, view->head.module);
    if (!heads || view->head.head >= heads->count) {
        draw_title(pane, rect, _("HEAD"), _("none in this stage"), true);
        return;
    }
    int h = view->head.head;
    char title[64], score[16], margin[16];
    snprintf(title, sizeof title, _("HEAD %d of %d"), h + 1, heads->count);
    bool by_hand = trace_head_by_hand(&view->trace, view_stage(view), view->head.stream, view->head.module, h) != 0;
    draw_title(pane, rect, title,
               heads->on[h] ? (by_hand ? _("live by hand") : in_("head", "live"))
               : by_hand    ? _("dropped by hand: not computed")
                            : _("dropped: not computed"),
               true);
    panel_number(score, sizeof score, heads->score[h]);
    panel_number(margin, sizeof margin, heads->score[h] + (float)view->trace.shift);
    draw_format(pane, STYLE_TEXT, rect.row + 1, rect.column, rect.columns, _("%s attention of the %s"),
                view_module_name(view->head.module), view_stream_name(view, view->head.stream));
    if (rect.rows >= 3) {
        draw_pair(pane, rect.row + 2, rect.column, draw_width(_("score")), _("score"), score);
        draw_pair(pane, rect.row + 2, rect.column + rect.columns / 3, draw_width(_("margin")), _("margin"),
                  margin);
    }
}

static void draw_alive(const struct pane *pane, int row, const char *name, int alive, int total)
{
    struct rect rect = pane->layout->inspect;
    char text[32];
    snprintf(text, sizeof text, _("%d of %d"), alive, total);
    draw_text(pane, STYLE_TEXT, row, rect.column, 11, name);
    draw_bar(pane, STYLE_ALIVE, row, rect.column + 11, rect.columns - 11 - 13,
             total > 0 ? (double)alive / total : 0);
    draw_right(pane, STYLE_NUMBER, row, rect.column + rect.columns - 12, 12, text);
}

// How alike the living of each kind are; a kind without a figure (fewer than two live) is left out.
static void draw_likeness(const struct pane *pane, int row, const struct stage *now)
{
    struct rect rect = pane->layout->inspect;
    const struct {
        const char *name;
        float value;
    } kinds[] = {{_("patches"), now->redundancy_image},
                 {_("words"), now->redundancy_text},
                 {_("heads"), now->redundancy_heads}};
    char text[200] = "";
    size_t used = 0;
    for (int i = 0; i < 3; i++) {
        float value = fabsf(kinds[i].value) < 0.005f ? 0 : kinds[i].value; // no "-0.00"
        if (!isnan(value) && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %.2f", used ? "  " : "", kinds[i].name,
                                     (double)value);
    }
    if (used)
        draw_format(pane, STYLE_DIM, row, rect.column, rect.columns,
                    rect.columns >= 84 ? _("how alike the living are (cosine, 1: the same): %s") : _("cosine likeness: %s"),
                    text);
}

// Of each stream; of all pictures in one row where there is no room for a row each. Returns the row behind them.
static int draw_all_alive(const struct pane *pane, int stage)
{
    struct rect rect = pane->layout->inspect;
    const struct view *view = pane->view;
    int row = rect.row + 1, end = rect.row + rect.rows, pictures = view->trace.picture_count;
    bool together = pictures > 1 && row + pictures + 1 > end;
    if (together && row < end) {
        int total, alive = view_alive_patches(view, stage, &total);
        draw_alive(pane, row++, _("pictures"), alive, total);
    }
    for (int stream = together ? TRACE_TEXT_STREAM : 0; stream < TRACE_STREAMS && row < end; stream++) {
        int total, alive;
        if (!view_has_stream(view, stream))
            continue;
        alive = view_alive_count(view, stage, stream, &total);
        draw_alive(pane, row++, view_stream_name(view, stream), alive, total);
    }
    return row;
}

static void inspect_nothing(const struct pane *pane)
{
    struct rect rect = pane->layout->inspect;
    const struct view *view = pane->view;
    int stage = view_stage(view);
    draw_title(pane, rect, _("ALIVE"), _("Tab: a cursor for exact scores"), false);
    if (stage < 0)
        return;
    int row = draw_all_alive(pane, stage);
    const struct stage *now = view_stage_at(view);
    int off = 0, heads = 0;
    for (int stream = 0; stream < TRACE_STREAMS; stream++)
        for (int module = 0; module < MODULES; module++)
            for (int h = 0; h < now->heads[stream][module].count; h++)
                heads++, off += !now->heads[stream][module].on[h];
    if (heads > 0 && row < rect.row + rect.rows)
        draw_alive(pane, row++, _("heads"), heads - off, heads);
    if (row < rect.row + rect.rows)
        draw_likeness(pane, row, now);
    int scored = view_has_stream(view, 0) && !view_is_of_words(now) ? 0 : TRACE_TEXT_STREAM;
    if (row + 1 + HISTOGRAM_ROWS < rect.row + rect.rows)
        draw_histogram(pane, row + 2, stage, scored, -1);
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
