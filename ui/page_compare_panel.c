// One run of the comparison: its words, what is alive, what it cost, what it answers, and the cursor's patch.
#include "ui/page_compare.h"

#include "ui/compare_words.h"
#include "ui/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDE = 34 };

// The next row of the numbers; they go down until the rectangle is full.
struct writer {
    const struct pane *pane;
    struct rect rect;
    int used;
    bool wide;
};

static bool next_row(struct writer *writer, int *row)
{
    *row = writer->rect.row + writer->used;
    return writer->used++ < writer->rect.rows;
}

static void count_heads(const struct stage *stage, int *on, int *all)
{
    *on = *all = 0;
    for (int s = 0; s < TRACE_STREAMS; s++)
        for (int m = 0; m < MODULES; m++)
            for (int h = 0; h < stage->heads[s][m].count; h++) {
                *on += stage->heads[s][m].on[h];
                (*all)++;
            }
}

static void write_alive(struct writer *writer, const struct view *view, int index)
{
    int row, on, all, patches = 0, patch_total = 0, words, word_total;
    for (int p = 0; p < view->trace.picture_count; p++) {
        int total;
        patches += view_alive_count(view, index, p, &total);
        patch_total += total;
    }
    words = view_alive_count(view, index, TRACE_TEXT_STREAM, &word_total);
    count_heads(&view->trace.stages[index], &on, &all);
    struct rect rect = writer->rect;
    if (writer->wide) {
        if (next_row(writer, &row))
            draw_format(writer->pane, STYLE_TEXT, row, rect.column, rect.columns,
                        all ? _("%d/%d patches %d/%d words %d/%d heads") : _("%d/%d patches %d/%d words"), patches,
                        patch_total, words, word_total, on, all);
        return;
    }
    if (next_row(writer, &row))
        draw_format(writer->pane, STYLE_TEXT, row, rect.column, rect.columns, _("%d/%d patches"), patches, patch_total);
    if (next_row(writer, &row))
        draw_format(writer->pane, STYLE_TEXT, row, rect.column, rect.columns, _("%d/%d words"), words, word_total);
    if (all && next_row(writer, &row))
        draw_format(writer->pane, STYLE_TEXT, row, rect.column, rect.columns, _("%d/%d heads"), on, all);
}

// "227 of 314 MFLOP", in the unit of the second.
static void cost_text(char *out, size_t size, double spent_macs, double dense_macs)
{
    double spent = spent_macs > 0 ? 2 * spent_macs : 0, dense = dense_macs > 0 ? 2 * dense_macs : 0;
    if (dense >= 1e12)
        snprintf(out, size, _("%.1f of %.1f TFLOP"), spent / 1e12, dense / 1e12);
    else if (dense >= 1e9)
        snprintf(out, size, _("%.1f of %.1f GFLOP"), spent / 1e9, dense / 1e9);
    else
        snprintf(out, size, _("%.0f of %.0f MFLOP"), spent / 1e6, dense / 1e6);
}

static void write_cost(struct writer *writer, const struct view *view, int index)
{
    const struct trace_macs *macs = &view->trace.stages[index].macs;
    double share = macs->cumulative_dense > 0 ? macs->cumulative_spent / macs->cumulative_dense : 1, ms = 0;
    char percent[32], cost[64], time[24];
    struct rect rect = writer->rect;
    int row;
    for (int s = 0; s <= index; s++)
        ms += view->trace.stages[s].ms;
    cost_text(cost, sizeof cost, macs->cumulative_spent, macs->cumulative_dense);
    snprintf(percent, sizeof percent, _("%.0f %% of dense"), 100 * share);
    snprintf(time, sizeof time, _("%.1f ms"), ms);
    if (next_row(writer, &row)) {
        int width = draw_width(percent) + 1;
        draw_bar(writer->pane, STYLE_SPENT, row, rect.column, rect.columns - width, share);
        draw_right(writer->pane, STYLE_NUMBER, row, rect.column, rect.columns, percent);
    }
    if (next_row(writer, &row)) {
        int start = rect.column + rect.columns;
        if (writer->wide)
            start = draw_right(writer->pane, STYLE_NUMBER, row, rect.column, rect.columns, time) - 1;
        draw_text(writer->pane, STYLE_NUMBER, row, rect.column, start - rect.column, cost);
    }
    if (!writer->wide && next_row(writer, &row))
        draw_text(writer->pane, STYLE_NUMBER, row, rect.column, rect.columns, time);
}

static void write_answers(struct writer *writer, const struct stage *stage)
{
    struct rect rect = writer->rect;
    int row;
    if (stage->answer_count == 0 && next_row(writer, &row))
        draw_text(writer->pane, STYLE_DIM, row, rect.column, rect.columns, _("no answer yet"));
    for (int i = 0; i < stage->answer_count && i < 3 && next_row(writer, &row); i++) {
        const struct trace_answer *answer = &stage->answers[i];
        char percent[16];
        snprintf(percent, sizeof percent, "%3.0f %%", 100 * (double)answer->p);
        int name = rect.columns - 6, bar = 0;
        if (writer->wide) {
            bar = rect.columns / 2 - 6;
            name = rect.columns - 6 - bar - 1;
        }
        draw_text(writer->pane, i == 0 ? STYLE_ANSWER : STYLE_TEXT, row, rect.column, name - 1, answer->text);
        draw_bar(writer->pane, i == 0 ? STYLE_ANSWER_BAR : STYLE_SPENT, row, rect.column + name, bar, (double)answer->p);
        draw_right(writer->pane, i == 0 ? STYLE_ANSWER : STYLE_NUMBER, row, rect.column, rect.columns, percent);
    }
}

static void write_score(struct writer *writer, const char *name, float score)
{
    char number[16];
    int row, columns = writer->rect.columns;
    if (isnan(score) || !next_row(writer, &row))
        return;
    snprintf(number, sizeof number, "%+.3f", (double)score);
    draw_text(writer->pane, STYLE_TEXT, row, writer->rect.column, columns - draw_width(number) - 1, name);
    draw_right(writer->pane, STYLE_NUMBER, row, writer->rect.column, columns, number);
}

// What the linked cursor is on, as this run calls it.
static void name_cursor(const struct view *view, const struct explain_place *place, bool wide, char *out, size_t size)
{
    char name[TRACE_TEXT];
    if (place->is_head) {
        snprintf(out, size, wide ? _("head %d, %s, %s") : _("head %d"), place->head + 1,
                 view_stream_name(view, place->stream), view_module_name(place->module));
        return;
    }
    view_token_name(view, place->stream, place->token, name, sizeof name);
    snprintf(out, size, place->stream == TRACE_TEXT_STREAM ? "'%s'" : "%s", name);
}

// Alive here alone, here and elsewhere, elsewhere alone, or nowhere: by glyph and colour, as the marks are.
static const char *cursor_glyph(const struct page *page, const struct pane *pane, int run,
                                const struct explain_place *place, enum style *style)
{
    struct comparison comparison;
    unsigned having, alive;
    compare_take(page, &comparison);
    alive = compare_alive_at(&comparison, run, place, &having);
    const struct glyphs *glyphs = pane->theme->glyphs;
    bool alone = (having & (having - 1)) == 0; // no other run has it at all
    *style = alive & 1U << run ? STYLE_ALIVE_STRONG : STYLE_DEAD;
    switch (compare_mark(alive, run)) {
    case COMPARE_ONLY:
        return alone ? glyphs->live : draw_patch_mark(pane, PATCH_ONLY_HERE, style);
    case COMPARE_ELSEWHERE:
        return draw_patch_mark(pane, PATCH_ELSEWHERE, style);
    case COMPARE_SHARED:
        return glyphs->live;
    case COMPARE_NOWHERE:
        break;
    }
    return glyphs->dropped;
}

static void name_state(const struct view *view, const struct explain_place *place, bool wide, char *out, size_t size)
{
    const struct trace_heads *heads = view_heads(view, place->stage, place->stream, place->module);
    if (!place->is_head)
        panel_token_state(view, place->stage, place->stream, place->token, wide, out, size);
    else
        snprintf(out, size, "%s", heads && heads->on[place->head] ? _("computed") : _("left out"));
}

// The decision about what the cursor is on; NaN: was not taken, or has no such part.
struct decision {
    float self, cross, score, threshold;
};

static struct decision find_decision(const struct view *view, const struct explain_place *place)
{
    if (place->is_head) {
        const struct trace_heads *heads = view_heads(view, place->stage, place->stream, place->module);
        float score = heads ? heads->score[place->head] : NAN;
        return (struct decision){NAN, NAN, score, isnan(score) ? NAN : (float)(0 - view->trace.shift)};
    }
    struct view_score score = view_score(view, place->stage, place->stream, place->token);
    return (struct decision){score.self, score.cross, score.total,
                             score.stage >= 0 ? view_threshold(view, score.stage, place->stream) : NAN};
}

// "margin  +7.80"; what there is not is left out.
static void write_number(struct writer *writer, const char *name, float value)
{
    struct rect rect = writer->rect;
    char number[24];
    int row;
    if (isnan(value) || !next_row(writer, &row))
        return;
    panel_number(number, sizeof number, value);
    draw_text(writer->pane, STYLE_DIM, row, rect.column, rect.columns, name);
    draw_right(writer->pane, STYLE_NUMBER, row, rect.column, rect.columns, number);
}

static void write_decision_wide(struct writer *writer, const struct decision *d)
{
    char self[24], cross[24], score[24], threshold[24], margin[24];
    struct rect rect = writer->rect;
    int row;
    panel_number(self, sizeof self, d->self);
    panel_number(cross, sizeof cross, d->cross);
    panel_number(score, sizeof score, d->score);
    panel_number(threshold, sizeof threshold, d->threshold);
    panel_number(margin, sizeof margin, d->score - d->threshold);
    if (!isnan(d->threshold) && next_row(writer, &row))
        draw_format(writer->pane, STYLE_NUMBER, row, rect.column, rect.columns, _("margin %s to threshold %s"), margin,
                    threshold);
    if (!next_row(writer, &row))
        return;
    if (isnan(d->self))
        draw_format(writer->pane, STYLE_NUMBER, row, rect.column, rect.columns, _("score %s"), score);
    else
        draw_format(writer->pane, STYLE_NUMBER, row, rect.column, rect.columns, _("score %s = self %s cross %s"), score, self,
                    cross);
}

// What is under the linked cursor: in which runs it is alive, and how this one decided about it.
static void write_cursor(struct writer *writer, const struct page *page, int run)
{
    const struct view *view = compare_view(page, run);
    struct explain_place place;
    char name[TRACE_TEXT + 8], state[96], text[200];
    struct rect rect = writer->rect;
    enum style style;
    int row;
    if (!compare_cursor(page, run, &place)) {
        if (next_row(writer, &row))
            draw_text(writer->pane, STYLE_DIM, row, rect.column, rect.columns,
                      view->focus == FOCUS_WORDS ? _("no such word here") : _("no head here"));
        return;
    }
    const struct decision d = find_decision(view, &place);
    name_cursor(view, &place, writer->wide, name, sizeof name);
    name_state(view, &place, writer->wide, state, sizeof state);
    if (next_row(writer, &row)) {
        const char *glyph = cursor_glyph(page, writer->pane, run, &place, &style);
        draw_text(writer->pane, style, row, rect.column, 2, glyph);
        snprintf(text, sizeof text, writer->wide ? _("%s: %s") : "%s", name, state);
        draw_text(writer->pane, STYLE_CURSOR, row, rect.column + 2, rect.columns - 2, text);
    }
    if (writer->wide) {
        write_decision_wide(writer, &d);
        return;
    }
    if (next_row(writer, &row))
        draw_text(writer->pane, STYLE_TEXT, row, rect.column, rect.columns, state);
    if (isnan(d.score) && next_row(writer, &row))
        draw_text(writer->pane, STYLE_DIM, row, rect.column, rect.columns, _("no score given yet"));
    write_number(writer, _("score"), d.score);
    write_number(writer, _("threshold"), d.threshold);
    write_number(writer, _("margin"), d.score - d.threshold);
    write_number(writer, _("self"), d.self);
    write_number(writer, _("cross"), d.cross);
}

// " A " and how it prunes; at the right what no other place tells: the picture's file where the pictures differ.
static void draw_head(const struct page *page, const struct pane *pane, struct rect rect, int run)
{
    const struct view *view = compare_view(page, run), *first = compare_view(page, 0);
    char how[TRACE_NAME + 96], letter[8], right[64] = "";
    bool chosen = run == compare_of(page)->focus;
    snprintf(letter, sizeof letter, chosen ? "[%c]" : " %c ", 'A' + run);
    if (!view->has_trace)
        return;
    compare_tell_policy(&view->trace, how, sizeof how);
    const char *path = view->trace.pictures[0].path, *other = first->trace.pictures[0].path;
    if (path && other && strcmp(path, other) != 0)
        snprintf(right, sizeof right, "%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    else if (view->trace.intervention_count > 0)
        snprintf(right, sizeof right,
                 ngettext_(view->trace.intervention_count, "%d change by hand", "%d changes by hand"),
                 view->trace.intervention_count);
    struct rect after = {rect.row, rect.column + 4, 1, rect.columns - 4};
    mvhline(rect.row, rect.column, ' ', rect.columns);
    draw_title(pane, after, how, right, false);
    draw_text(pane, chosen ? STYLE_SELECTED : STYLE_BAR_STRONG, rect.row, rect.column, 3, letter);
}

void compare_draw_panel(struct page *page, const struct pane *pane, int place)
{
    const struct compare *c = compare_of(page);
    int run = c->layout.first + place;
    struct view shown = *compare_view(page, run); // borrowed: only where its cursor is may differ
    struct compare_marks marks;
    struct layout layout = *pane->layout;
    compare_mark_pane(page, run, &marks);
    if (shown.focus == FOCUS_WORDS && compare_word_of(page, run) < 0)
        shown.focus = FOCUS_STAGES; // its question does not have the word
    struct pane of_run = {pane->theme, &layout, &shown, page, compare_marked(c) ? &marks.pane : NULL};
    layout.words = c->layout.words[place];
    layout.heads = c->layout.heads[place];
    panel_words(&of_run);
    draw_head(page, pane, layout.words, run); // over the title that the words have elsewhere
    int index = view_stage(&shown);
    if (index < 0)
        return;
    if (layout.heads.rows > 0)
        panel_heads(&of_run);
    struct writer writer = {.pane = &of_run, .rect = c->layout.text[place]};
    writer.wide = writer.rect.columns >= WIDE;
    write_alive(&writer, &shown, index);
    write_cost(&writer, &shown, index);
    if (writer.rect.rows > 12)
        writer.used++;
    bool cursor = compare_view(page, run)->focus != FOCUS_STAGES;
    bool tight = writer.rect.rows - writer.used < (writer.wide ? 7 : 11);
    if (cursor && tight) // it was asked for: the lesser answers make room
        write_cursor(&writer, page, run);
    write_answers(&writer, &shown.trace.stages[index]);
    write_score(&writer, _("ITC"), shown.trace.stages[index].similarity); // beside ITM, which the answers are
    write_score(&writer, _("rank score"), shown.trace.stages[index].rank);
    writer.used += !tight && writer.rect.rows > 12;
    if (cursor && !tight)
        write_cursor(&writer, page, run);
}
