// The question, word by word: what was dropped is struck through and dim.
#include "ui/panels.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Walks over the tokens as they stand in the panel and calls `each` for every piece of text.
struct walker {
    const struct pane *pane;
    int row, column, lines; // where the next piece goes; rows per line of text (2 with bars)
    int first_line;         // lines scrolled away
    void (*each)(struct walker *walker, int token, const char *text, int row, int column, int width);
    int wanted_row, wanted_column, found; // hit test
};

static bool is_special(const struct trace_token *token)
{
    return token->from >= token->to;
}

static void place(struct walker *walker, int token, const char *text)
{
    struct rect rect = walker->pane->layout->words;
    int width = draw_width(text);
    bool hangs = token >= 0 && walker->column + width == rect.columns + 1 && !strcmp(text, "›");
    if (walker->column + width > rect.columns && walker->column > 0 && !hangs) {
        walker->row++;
        walker->column = 0;
        if (token < 0 && strspn(text, " ") == strlen(text))
            return; // no space at the start of a line
    }
    if (width > rect.columns)
        width = rect.columns;
    int row = rect.row + 1 + (walker->row - walker->first_line) * walker->lines;
    if (row > rect.row && row < rect.row + rect.rows)
        walker->each(walker, token, text, row, rect.column + walker->column, width);
    walker->column += width;
}

// What the model does not read any more, word by word, so that it breaks into rows.
static void walk_unread(struct walker *walker, const char *rest)
{
    enum { MOST = 2000 }; // bytes: no panel shows more
    for (const char *end = rest + strnlen(rest, MOST); rest < end;) {
        char text[256];
        size_t word = strcspn(rest, " ");
        snprintf(text, sizeof text, "%.*s", (int)(word ? word : 1), rest);
        place(walker, -1, text);
        rest += word ? word : 1;
    }
}

static void walk(struct walker *walker)
{
    const struct trace *trace = &walker->pane->view->trace;
    int length = trace->question ? (int)strlen(trace->question) : 0, at = 0, unread = trace_unread(trace);
    walker->row = walker->column = 0;
    for (int i = 0; i < trace->token_count; i++) {
        const struct trace_token *token = &trace->tokens[i];
        char text[256];
        bool special = is_special(token), inside = !special && token->from >= at && token->to <= length;
        if (inside && token->from > at)
            snprintf(text, sizeof text, "%.*s", token->from - at, trace->question + at);
        else
            snprintf(text, sizeof text, "%s", special && i > 0 ? " " : "");
        if (text[0])
            place(walker, -1, text);
        if (inside)
            at = token->to;
        bool first = i == 0, last = i == trace->token_count - 1;
        if (special && (first || last)) // the start and end tokens stand like quotation marks
            snprintf(text, sizeof text, "%s", first ? "‹" : "›");
        else
            trace_token_text(trace, i, text, sizeof text);
        place(walker, i, text);
        if (special && first)
            place(walker, -1, " ");
    }
    if (unread >= 0) {
        if (trace->question[unread] != ' ')
            place(walker, -1, " ");
        walk_unread(walker, trace->question + unread);
    }
}

static void draw_level(const struct pane *pane, int row, int column, int columns, float share, bool alive)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (isnan(share) || !pane->theme->glyphs->unicode)
        return;
    int level = (int)(share * 7.99F);
    theme_set(pane->theme, alive ? STYLE_SPENT : STYLE_TRACK);
    move(row, column);
    for (int i = 0; i < columns; i++)
        addstr(levels[level < 0 ? 0 : level > 7 ? 7 : level]);
    theme_set(pane->theme, STYLE_TEXT);
}

static float word_share(const struct view *view, int stage, int token)
{
    float low, high;
    if (view->show == SHOW_SURVIVORS)
        return view_score(view, stage, TRACE_TEXT_STREAM, token).keep;
    if (!view_shown_range(view, stage, TRACE_TEXT_STREAM, &low, &high) || high <= low)
        return NAN;
    return (view_shown_value(view, stage, TRACE_TEXT_STREAM, token) - low) / (high - low);
}

// In the space before the word: it takes no room of its own. Where there is none (a piece that goes on, the start of a
// row) colour alone tells.
static void draw_word_mark(struct walker *walker, int token, int row, int column, enum style *style)
{
    const struct pane *pane = walker->pane;
    const struct trace_token *here = &pane->view->trace.tokens[token];
    enum patch_mark mark = pane->marks ? pane->marks->word(pane->marks->context, token) : PATCH_UNMARKED;
    enum style marked;
    const char *glyph = draw_patch_mark(pane, mark, &marked);
    if (!*glyph)
        return;
    *style = *style == STYLE_CURSOR ? *style : marked;
    bool space = token > 0 && column > pane->layout->words.column && (here[-1].to < here->from || here[-1].to == 0);
    if (space)
        draw_text(pane, marked, row, column - 1, 1, glyph);
}

static void draw_piece(struct walker *walker, int token, const char *text, int row, int column, int width)
{
    const struct pane *pane = walker->pane;
    const struct view *view = pane->view;
    int stage = view_stage(view);
    if (token < 0) {
        draw_text(pane, STYLE_DIM, row, column, width, text);
        return;
    }
    bool alive = view_alive(view, stage, TRACE_TEXT_STREAM, token);
    bool fresh = view_dropped_now(view, stage, TRACE_TEXT_STREAM, token);
    bool special = is_special(&view->trace.tokens[token]);
    bool cursor = view->focus == FOCUS_WORDS && view->word == token;
    enum style style = cursor  ? STYLE_CURSOR
                       : fresh ? STYLE_NEW_DEAD
                       : alive ? (special ? STYLE_DIM : STYLE_ALIVE_STRONG)
                               : STYLE_DEAD;
    draw_word_mark(walker, token, row, column, &style);
    if (alive) {
        draw_text(pane, style, row, column, width, text);
    } else if (pane->theme->glyphs->unicode) {
        draw_struck(pane, style, row, column, width, text);
    } else {
        char dashes[256]; // ASCII cannot strike: "the" becomes "t--"
        snprintf(dashes, sizeof dashes, "%.1s", width > 1 ? text : "");
        for (int i = (int)strlen(dashes); i < width && i + 1 < (int)sizeof dashes; i++)
            dashes[i] = '-', dashes[i + 1] = 0;
        draw_text(pane, style, row, column, width, dashes);
    }
    if (walker->lines == 2 && row + 1 < pane->layout->words.row + pane->layout->words.rows && !special)
        draw_level(pane, row + 1, column, width, word_share(view, stage, token), alive);
}

static void count_piece(struct walker *walker, int token, const char *text, int row, int column, int width)
{
    (void)text, (void)row, (void)column, (void)width;
    if (token >= 0 && token == walker->pane->view->word)
        walker->found = walker->row;
}

static void hit_piece(struct walker *walker, int token, const char *text, int row, int column, int width)
{
    (void)text;
    bool here = walker->wanted_row >= row && walker->wanted_row < row + walker->lines &&
                walker->wanted_column >= column && walker->wanted_column < column + width;
    if (token >= 0 && here)
        walker->found = token;
}

// One row or two per line of text, and scrolled so that the cursor's word is in sight.
static struct walker prepare(const struct pane *pane)
{
    struct rect rect = pane->layout->words;
    struct layout tall = *pane->layout;
    struct pane measure = *pane;
    measure.layout = &tall;
    tall.words.rows = 1000;
    struct walker counter = {.pane = &measure, .lines = 1, .each = count_piece};
    walk(&counter);
    int lines = counter.row + 1, room = rect.rows - 1;
    bool any = false; // bars need a row of their own
    for (int i = 0; i < pane->view->trace.token_count; i++)
        any |= !isnan(word_share(pane->view, view_stage(pane->view), i));
    struct walker walker = {.pane = pane, .lines = any && lines * 2 <= room ? 2 : 1};
    if (lines > room && counter.found >= room)
        walker.first_line = counter.found - room + 1;
    return walker;
}

// From where to where the bars go.
static const char *bar_scale(const struct view *view, int stage, char *out, size_t size)
{
    float low = 0, high = 1;
    if (view->show != SHOW_SURVIVORS && view_shown_range(view, stage, TRACE_TEXT_STREAM, &low, &high))
        snprintf(out, size, _("%.2f to %.2f"), view->show == SHOW_ATTENTION ? 0 : (double)low, (double)high);
    else
        snprintf(out, size, "%s", _("0 to 1"));
    return out;
}

void panel_words(const struct pane *pane)
{
    const struct view *view = pane->view;
    struct rect rect = pane->layout->words;
    int stage = view_stage(view), total;
    char right[128] = "", scale[32];
    if (stage >= 0) {
        int alive = view_alive_count(view, stage, TRACE_TEXT_STREAM, &total);
        static const char *const bars[SHOW_COUNT] = {N_("keep probability"), N_("self score"),
                                                     N_("cross score"), N_("total score"), N_("attention")};
        bool any = false;
        for (int i = 0; i < view->trace.token_count; i++)
            any |= !isnan(word_share(view, stage, i));
        bool explained = any && rect.columns >= 64 && rect.rows >= 3 && pane->theme->glyphs->unicode;
        if (explained)
            snprintf(right, sizeof right, _("bars: %s, %s   %d of %d tokens"), _(bars[view->show]),
                     bar_scale(view, stage, scale, sizeof scale), alive, total);
        else
            snprintf(right, sizeof right, _("%d of %d tokens"), alive, total);
    }
    draw_title(pane, rect, _("QUESTION"), right, view->focus == FOCUS_WORDS);
    if (stage < 0)
        return;
    struct walker walker = prepare(pane);
    walker.each = draw_piece;
    walk(&walker);
}

int panel_words_hit(const struct pane *pane, int row, int column)
{
    if (!rect_holds(pane->layout->words, row, column) || !pane->view->has_trace)
        return -1;
    struct walker walker = prepare(pane);
    walker.each = hit_piece;
    walker.wanted_row = row;
    walker.wanted_column = column;
    walker.found = -1;
    walk(&walker);
    return walker.found;
}
