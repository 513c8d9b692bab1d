#include "ui/panel_why.h"

#include "engine/run/intervention_text.h"
#include "ui/measure.h"
#include "ui/why_words.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 10, VALUE = 8, CELL = 7, BAR_MOST = 61 };

// Where the next row goes; `end` is the first row that must stay free.
struct pen {
    const struct pane *pane;
    struct rect rect;
    int row, end;
};

static bool has_room(const struct pen *pen) { return pen->row < pen->end; }

static void put_text(struct pen *pen, enum style style, const char *text)
{
    if (has_room(pen))
        draw_text(pen->pane, style, pen->row++, pen->rect.column, pen->rect.columns, text);
}

// Wrapped into at most `most` rows.
static void put_wrapped(struct pen *pen, enum style style, const char *text, int most)
{
    struct rect rect = {pen->row, pen->rect.column, pen->end - pen->row, pen->rect.columns};
    rect.rows = rect.rows < most ? rect.rows : most;
    if (rect.rows > 0)
        pen->row += draw_wrapped(pen->pane, style, rect, text);
}

static void put_title(struct pen *pen, const char *title, const char *right)
{
    if (has_room(pen))
        draw_title(pen->pane, (struct rect){pen->row++, pen->rect.column, 1, pen->rect.columns}, title, right, true);
}

static void put_gap(struct pen *pen, int wanted)
{
    if (pen->end - pen->row > wanted)
        pen->row++;
}

// ---- bars

static const char *threshold_glyph(const struct pane *pane)
{
    return pane->theme->glyphs->unicode ? "┃" : "#";
}

// From the middle to the right for what is above zero, to the left for what is below; `mark` is where the threshold is.
static void draw_signed(const struct pane *pane, int row, int column, int columns, float value, float most, float mark)
{
    int half = (columns - 1) / 2, zero = column + half;
    int cells = most > 0 && isfinite(value) ? (int)lroundf(fabsf(value) / most * (float)half) : 0;
    const struct glyphs *glyphs = pane->theme->glyphs;
    for (int i = -half; i <= half; i++) {
        bool filled = value > 0 ? i > 0 && i <= cells : i < 0 && i >= -cells;
        enum style style = !filled ? STYLE_TRACK : value > 0 ? STYLE_SPENT : STYLE_NEW_DEAD;
        draw_text(pane, style, row, zero + i, 1, filled ? glyphs->bar : i ? glyphs->track : glyphs->unicode ? "│" : "|");
    }
    if (isfinite(mark) && most > 0) {
        int at = (int)lroundf(mark / most * (float)half);
        draw_text(pane, STYLE_STRONG, row, zero + at, 1, threshold_glyph(pane));
    }
}

// Columns of a bar beside which `note` columns stay free.
static int bar_columns(const struct pen *pen, int note)
{
    int columns = pen->rect.columns - NAME - VALUE - 1 - note;
    return columns < BAR_MOST ? columns : BAR_MOST;
}

static void put_bar(struct pen *pen, const char *name, float value, float most, float mark, int columns)
{
    char number[16];
    int column = pen->rect.column + NAME + VALUE + 1;
    if (!has_room(pen))
        return;
    snprintf(number, sizeof number, "%+.3f", (double)value);
    if (isnan(value))
        snprintf(number, sizeof number, "%s", _("none"));
    draw_text(pen->pane, STYLE_DIM, pen->row, pen->rect.column, NAME - 1, name);
    draw_right(pen->pane, STYLE_NUMBER, pen->row, pen->rect.column + NAME, VALUE, number);
    if (!isnan(value))
        draw_signed(pen->pane, pen->row, column, columns, value, most, mark);
    pen->row++;
}

// ---- the decision

static void verdict_title(const struct trace *trace, const struct explain_verdict *v, char *out, size_t size)
{
    char stage[WHY_STAGE];
    if (v->forced)
        snprintf(out, size, "%s", v->forced > 0 ? _("forced to stay") : _("forced to go"));
    else if (v->place.is_head)
        snprintf(out, size, "%s", v->kept ? _("computed") : _("left out"));
    else if (v->died >= 0)
        snprintf(out, size, _("dropped in %s"), why_stage_name(trace, v->died, stage));
    else
        snprintf(out, size, "%s", _("alive at the end"));
}

static void put_scores(struct pen *pen, const struct trace *trace, const struct explain_verdict *v)
{
    char text[WHY_TEXT], stage[WHY_STAGE];
    float most = fmaxf(fabsf(v->score), isnan(v->threshold) ? 0 : fabsf(v->threshold));
    if (!isnan(v->self))
        most = fmaxf(most, fmaxf(fabsf(v->self), isnan(v->cross) ? 0 : fabsf(v->cross)));
    if (!isnan(v->self) && !(v->place.is_head && isnan(v->cross))) { // a head that only looks at its own is all self
        put_bar(pen, _("self"), v->self, most, NAN, bar_columns(pen, 0));
        put_bar(pen, _("cross"), v->cross, most, NAN, bar_columns(pen, 0));
    }
    put_bar(pen, _("score"), v->score, most, v->threshold, bar_columns(pen, 0));
    if (isnan(v->threshold))
        snprintf(text, sizeof text, _("in %s; no threshold there"), why_stage_name(trace, v->stage, stage));
    else
        snprintf(text, sizeof text, _("in %s: margin %+.3f, threshold %+.3f"), why_stage_name(trace, v->stage, stage),
                 (double)(v->score - v->threshold), (double)v->threshold);
    if (!isnan(v->threshold)) { // what marks it in the bar
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, " (%s)", threshold_glyph(pen->pane));
    }
    put_text(pen, STYLE_TEXT, text);
    if (why_falls_later(v)) {
        snprintf(text, sizeof text, _("kept here; it falls in %s (. steps there)"), why_stage_name(trace, v->died, stage));
        put_wrapped(pen, STYLE_STRONG, text, 2);
    }
    snprintf(text, sizeof text, _("rank %d of %d scored there (kept: %d)"), v->rank, v->of, v->survivors);
    if (!v->place.is_head && v->place.stream == TRACE_TEXT_STREAM) { // else it seems to contradict the count of tokens
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s", _("; CLS is not scored"));
    }
    put_text(pen, STYLE_TEXT, text);
    if (v->nearest > 0) {
        char name[WHY_TEXT];
        struct explain_place near = {.stream = v->place.stream, .token = v->nearest};
        why_name_place(trace, &near, name, sizeof name);
        bool marked = v->place.stream != TRACE_TEXT_STREAM && pen->pane->theme->glyphs->unicode;
        snprintf(text, sizeof text,
                 marked ? _("◇ survivor most like it: %s (cosine %.2f, mean %.2f)")
                        : _("survivor most like it: %s (cosine %.2f, mean %.2f)"),
                 name, (double)v->likeness, (double)v->likeness_mean);
        put_wrapped(pen, STYLE_TEXT, text, 2);
    }
}

// ---- what pulls

// The scale of the bars; what is next to nothing shall not fill them.
static float strongest(const struct explain_pulls *pulls)
{
    float most = 0.05f;
    for (int i = 0; i < pulls->count; i++)
        most = isnan(pulls->list[i].score) ? most : fmaxf(most, fabsf(pulls->list[i].score));
    return most;
}

static const char *decides_note(const struct explain_verdict *v)
{
    return v->place.is_head ? (v->kept ? _("without: off") : _("without: on"))
           : v->kept        ? _("without: dropped")
                            : _("without: kept");
}

// Whether so many are stronger that there is no room for this one.
static bool is_too_weak(const struct explain_pulls *pulls, int index, int room)
{
    const struct explain_pull *p = &pulls->list[index];
    int stronger = 0;
    for (int k = 0; k < pulls->count; k++)
        stronger += fabsf(pulls->list[k].score) > fabsf(p->score) ||
                    (k < index && fabsf(pulls->list[k].score) >= fabsf(p->score));
    return stronger >= room;
}

// A row for each word, with its bar, in reading order.
static void put_word_bars(struct pen *pen, const struct trace *trace, const struct explain_pulls *pulls,
                          const struct explain_verdict *v)
{
    const char *note = decides_note(v);
    int width = 0;
    for (int i = 0; i < pulls->count; i++)
        width = pulls->list[i].decides ? draw_width(note) + 1 : width;
    for (int i = 0; i < pulls->count; i++) {
        const struct explain_pull *p = &pulls->list[i];
        int columns = bar_columns(pen, width), row = pen->row;
        char name[TRACE_TEXT];
        put_bar(pen, trace_token_text(trace, p->token, name, sizeof name), p->score, strongest(pulls), NAN, columns);
        if (p->decides && pen->row > row)
            draw_text(pen->pane, STYLE_WARN, row, pen->rect.column + NAME + VALUE + 2 + columns, width, note);
    }
}

enum { PAIR = NAME + VALUE + 2 };

static int pairs_in_row(const struct pen *pen)
{
    int fit = (pen->rect.columns + 1) / PAIR;
    return fit > 0 ? fit : 1;
}

// Where there is no row for each: several in a row, without bars, the one that decides with a mark; the weakest are left
// out where even so there is no room.
static void put_word_pairs(struct pen *pen, const struct trace *trace, const struct explain_pulls *pulls)
{
    int fit = pairs_in_row(pen), room = fit * (pen->end - pen->row), at = 0;
    float most = strongest(pulls);
    for (int i = 0; i < pulls->count; i++) {
        const struct explain_pull *p = &pulls->list[i];
        char name[TRACE_TEXT], number[24];
        if (is_too_weak(pulls, i, room))
            continue;
        int row = pen->row + at / fit, column = pen->rect.column + at % fit * PAIR;
        at++;
        snprintf(number, sizeof number, "%+.3f%s", (double)p->score, p->decides ? "!" : "");
        enum style style = fabsf(p->score) < 0.15f * most ? STYLE_DIM : p->score > 0 ? STYLE_ALIVE_STRONG : STYLE_WARN;
        int start = draw_right(pen->pane, style, row, column, PAIR - 2, number);
        draw_text(pen->pane, STYLE_TEXT, row, column, start - column - 1,
                  trace_token_text(trace, p->token, name, sizeof name));
    }
    pen->row += (at + fit - 1) / fit;
}

// The picture as a table of its blocks.
static void put_blocks(struct pen *pen, const struct explain_pulls *pulls)
{
    float most = strongest(pulls);
    for (int i = 0; i < pulls->count; i++) {
        const struct explain_pull *p = &pulls->list[i];
        if (i > 0 && p->row != pulls->list[i - 1].row)
            pen->row++;
        if (i > 0 && p->stream != pulls->list[i - 1].stream)
            put_gap(pen, 1);
        if (!has_room(pen))
            return;
        int at = 0; // of its row: the last block may be smaller than the others
        for (; at < i && pulls->list[i - at - 1].row == p->row && pulls->list[i - at - 1].stream == p->stream;)
            at++;
        char text[24];
        float share = most > 0 ? fabsf(p->score) / most : 0;
        if (fabsf(p->score) < 0.005f)
            snprintf(text, sizeof text, "0.00%s", p->decides ? "!" : "");
        else
            snprintf(text, sizeof text, "%+.2f%s", (double)p->score, p->decides ? "!" : "");
        enum style style = share < 0.15f ? STYLE_DIM : p->score > 0 ? STYLE_ALIVE_STRONG : STYLE_WARN;
        draw_right(pen->pane, style, pen->row, pen->rect.column + at * (CELL + 1), CELL, text);
    }
    pen->row += pulls->count > 0;
}

static void put_side(struct pen *pen, const struct trace *trace, const struct explain_pulls *pulls,
                     const struct explain_verdict *v)
{
    if (pulls->count == 0 || pen->end - pen->row < 2)
        return;
    put_gap(pen, pulls->words ? 1 + pulls->count : 5);
    if (!pulls->words) {
        put_title(pen, _("PARTS OF THE PICTURE THAT PULL"), _("laid out as the picture: score with − without"));
        put_blocks(pen, pulls);
        return;
    }
    int rows = pen->end - pen->row - 1, room = rows * pairs_in_row(pen);
    char left_out[64];
    bool bars = pulls->count <= rows;
    snprintf(left_out, sizeof left_out, ngettext_(pulls->count - room, "%d weaker one left out", "%d weaker ones left out"),
             pulls->count - room);
    put_title(pen, _("WORDS THAT PULL"), bars                       ? _("score with it − without it; own scale")
                                        : pulls->count <= room ? _("score with it − without it")
                                                               : left_out);
    if (bars)
        put_word_bars(pen, trace, pulls, v);
    else
        put_word_pairs(pen, trace, pulls);
}

// What pulls hardest comes first: where there is little room the rest is left out.
static void put_pulls(struct pen *pen, const struct trace *trace, const struct backend_why *why)
{
    const struct explain_pulls *own = &why->pulls[EXPLAIN_OWN], *other = &why->pulls[EXPLAIN_OTHER];
    bool own_first = why->has_pulls[EXPLAIN_OWN] && strongest(own) > strongest(other);
    if (!why->has_pulls[EXPLAIN_OTHER]) {
        put_gap(pen, 5);
        put_title(pen, _("WHAT PULLS"), _("leaving out one by one…"));
        return;
    }
    put_side(pen, trace, own_first ? own : other, &why->verdict);
    if (why->has_pulls[EXPLAIN_OWN])
        put_side(pen, trace, own_first ? other : own, &why->verdict);
}

static void put_decision(struct pen *pen, const struct trace *trace, const struct panel_why *panel)
{
    char name[WHY_TEXT], right[64];
    if (!panel->why) {
        put_title(pen, _("WHY"), "");
        put_text(pen, STYLE_DIM, _("asking the model…"));
        return;
    }
    const struct explain_verdict *v = &panel->why->verdict;
    why_name_place(trace, &v->place, name, sizeof name);
    verdict_title(trace, v, right, sizeof right);
    put_title(pen, _("WHY"), panel->stale ? "…" : right);
    put_wrapped(pen, STYLE_STRONG, name, 2);
    if (v->stage < 0 || isnan(v->score)) {
        put_wrapped(pen, STYLE_DIM,
                    v->place.is_head || v->place.token > 0
                        ? _("No score was given to it: this policy does not decide about it.")
                        : _("It stands for the whole and always stays."),
                    2);
        return;
    }
    put_scores(pen, trace, v);
    put_pulls(pen, trace, panel->why);
}

// ---- sets

const char *panel_why_over(unsigned over)
{
    return over == EXPLAIN_PATCHES ? _("patches") : over == EXPLAIN_WORDS ? _("words") : over == EXPLAIN_HEADS ? _("heads")
                                                                                         : _("patches, words, heads");
}

// Columns that the last row of a wrapped text takes.
static int last_row_width(const char *text, int columns)
{
    bool all = false;
    while (!all) {
        int length = measure_row(text, columns, &all);
        if (all)
            break;
        text += length;
        text += strspn(text, " ");
    }
    return measure_width(text);
}

// The rows of a member: its name, and behind it or in a row of its own the place as commands take it.
static int member_rows(const char *name, const char *place, int columns)
{
    int rows = draw_rows(name, columns);
    return rows + (last_row_width(name, columns) + 3 + draw_width(place) > columns);
}

// False: there is no room for it. Below all but the last one a row stays free, for how many more there are.
static bool put_member(struct pen *pen, const struct trace *trace, const struct intervention *member, bool last)
{
    char name[WHY_TEXT], place[96] = "";
    struct rect rect = {pen->row, pen->rect.column + 2, pen->end - pen->row, pen->rect.columns - 2};
    why_name_change(trace, member, name, sizeof name);
    if (!intervention_write(trace, member, place, sizeof place))
        place[0] = 0;
    int rows = member_rows(name, place, rect.columns);
    if (rows > rect.rows - !last)
        return false;
    bool patch = member->stream != TRACE_TEXT_STREAM && member->kind <= INTERVENE_TOKEN_DROP;
    const struct glyphs *glyphs = pen->pane->theme->glyphs;
    draw_text(pen->pane, STYLE_WARN, rect.row, pen->rect.column, 1, patch && glyphs->unicode ? "◆" : glyphs->dot);
    draw_wrapped(pen->pane, STYLE_STRONG, rect, name);
    draw_right(pen->pane, STYLE_DIM, rect.row + rows - 1, rect.column, rect.columns, place);
    pen->row += rows;
    return true;
}

static void put_members(struct pen *pen, const struct trace *trace, const struct explain_set *set)
{
    for (int i = 0; i < set->count; i++) {
        char more[96];
        if (put_member(pen, trace, &set->members[i], i == set->count - 1))
            continue;
        snprintf(more, sizeof more, ngettext_(set->count - i, "… and %d more", "… and %d more"), set->count - i);
        put_text(pen, STYLE_DIM, more);
        return;
    }
}

static void put_set(struct pen *pen, const struct trace *trace, const struct panel_why *panel)
{
    char text[2 * WHY_TEXT];
    put_title(pen, panel->search == EXPLAIN_RESTORE ? _("WHAT MUST COME BACK?") : _("WHAT DOES THE ANSWER HANG ON?"),
              panel_why_over(panel->over));
    if (panel->searching) {
        put_text(pen, STYLE_TEXT, panel->progress[0] ? panel->progress : _("asking the unpruned model…"));
        if (has_room(pen) && !isnan(panel->done))
            draw_bar(pen->pane, STYLE_SPENT, pen->row++, pen->rect.column, pen->rect.columns, (double)panel->done);
        put_text(pen, STYLE_DIM, _("^C stops it; what has been found by then is shown"));
        return;
    }
    if (!panel->set) {
        put_wrapped(pen, STYLE_DIM,
                    _("W searches what must come back for the unpruned model's answer, B what the present answer hangs "
                      "on; o chooses what they try."),
                    3);
        return;
    }
    why_tell_set(panel->set, text, sizeof text);
    put_wrapped(pen, STYLE_ANSWER, text, 4);
    pen->end -= 2; // for what can be done with it
    put_members(pen, trace, panel->set);
    pen->end += 2;
    if (panel->set->outcome == EXPLAIN_SAME)
        put_wrapped(pen, STYLE_DIM, _("B searches what it hangs on."), 1);
    else
        snprintf(text, sizeof text, ngettext_(panel->set->candidates, "%d candidate, %d runs", "%d candidates, %d runs"),
                 panel->set->candidates, panel->set->runs);
    if (panel->set->outcome != EXPLAIN_SAME)
        put_text(pen, STYLE_DIM, text);
    if (panel->applied)
        put_text(pen, STYLE_ALIVE_STRONG, _("The run has it now: u takes it back."));
    else if (panel->set->outcome == EXPLAIN_FOUND)
        put_text(pen, STYLE_KEY, _("Enter makes it so; u takes it back"));
}

// ---- the whole

// At the bottom stays the run with the opposite decision. Returns the first row that is taken.
static int draw_effect(const struct pane *pane, struct rect rect, const struct panel_why *panel)
{
    char effect[WHY_TEXT];
    int end = rect.row + rect.rows;
    if (panel->set_shown || !panel->why || !panel->why->has_effect)
        return end;
    why_tell_effect(&pane->view->trace, &panel->why->verdict, &panel->why->effect, panel->why->change.kind, effect,
                    sizeof effect);
    int rows = draw_rows(effect, rect.columns);
    rows = rows < 2 ? rows : 2;
    draw_wrapped(pane, panel->why->effect.flips ? STYLE_WARN : STYLE_ANSWER,
                 (struct rect){end - rows, rect.column, rows, rect.columns}, effect);
    draw_title(pane, (struct rect){end - rows - 1, rect.column, 1, rect.columns}, _("WHAT IF"), _("Enter makes it so"),
               false);
    return end - rows - 1;
}

void panel_why(const struct pane *pane, struct rect rect, const struct panel_why *panel)
{
    if (rect.rows < 1 || !pane->view->has_trace)
        return;
    struct pen pen = {pane, rect, rect.row, draw_effect(pane, rect, panel)};
    if (panel->set_shown)
        put_set(&pen, &pane->view->trace, panel);
    else
        put_decision(&pen, &pane->view->trace, panel);
}
