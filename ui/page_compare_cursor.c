// The linked cursor of the comparison page: one stage and one patch, word or head in all runs, and which of them are alive
// in which run.
#include "ui/page_compare.h"

#include "ui/compare_words.h"
#include "ui/panels.h"

#include <stdlib.h>

int compare_word_of(const struct page *page, int run)
{
    const struct compare *c = compare_of(page);
    struct comparison comparison;
    compare_take(page, &comparison);
    return run < comparison.count && c->focus < comparison.count ? compare_word_in(&comparison, c->focus, c->word, run) : -1;
}

// A run's own cursor is its view's, but for words, which are found anew in each question.
void compare_link(struct page *page)
{
    struct compare *c = compare_of(page);
    struct view *from = &page->screen->view, *chosen = compare_view(page, c->focus);
    int words = chosen->has_trace ? chosen->trace.token_count : 0;
    c->word = c->word < words ? c->word : words > 0 ? words - 1 : 0;
    for (int r = 0; r < c->count; r++) {
        struct view *view = compare_view(page, r);
        int word = compare_word_of(page, r);
        view->stage = from->stage;
        view->show = from->show;
        view->focus = from->focus;
        view->picture = from->picture;
        view->patch = from->patch;
        view->head = from->head;
        view->word = word >= 0 ? word : view->word;
        if (view->has_trace)
            view_clamp(view);
    }
    page_changed(page);
}

// ---- moving

void compare_direction(struct page *page, int rows, int columns)
{
    struct compare *c = compare_of(page);
    struct view *view = &page->screen->view;
    if (view->focus == FOCUS_PATCHES)
        screen_move_patch(view, rows, columns);
    else if (view->focus == FOCUS_WORDS)
        c->word = c->word + rows + columns > 0 ? c->word + rows + columns : 0;
    else if (view->focus == FOCUS_HEADS)
        panel_heads_move(view, &view->head, rows, columns);
    else
        screen_step(page->screen, rows + columns);
    view->word_chosen = view->word_chosen || view->focus == FOCUS_WORDS;
    compare_link(page);
}

void compare_next_focus(struct page *page)
{
    struct compare *c = compare_of(page);
    struct view *view = &page->screen->view, *chosen = compare_view(page, c->focus);
    view->focus = (enum focus)(((int)view->focus + 1) % FOCUS_COUNT);
    if (view->focus == FOCUS_PATCHES)
        view_find_patch(view);
    if (view->focus == FOCUS_WORDS) {
        view_find_word(chosen);
        c->word = chosen->word;
    }
    if (view->focus == FOCUS_HEADS && !view_first_head(view, view_stage(view), &view->head))
        view->focus = FOCUS_STAGES;
    compare_link(page);
}

bool compare_click(struct page *page, int row, int column)
{
    struct compare *c = compare_of(page);
    struct screen *screen = page->screen;
    struct view *view = &screen->view;
    for (int i = 0; i < c->layout.shown; i++) {
        int run = c->layout.first + i, picture, patch, word;
        struct layout layout = {.words = c->layout.words[i], .heads = c->layout.heads[i]};
        struct pane pane = {&screen->theme, &layout, compare_view(page, run), page, NULL};
        struct portrait_request request = {
            .view = pane.view, .terminal = &screen->terminal, .graphics = screen->graphics};
        struct head_place head;
        if (portrait_hit(&c->runs[run].portrait, &c->runs[run].image, &request, row, column, &picture, &patch)) {
            view->picture = picture;
            view->patch = patch;
            view->patch_chosen = true;
            view->focus = FOCUS_PATCHES;
        } else if (row > layout.words.row && (word = panel_words_hit(&pane, row, column)) >= 0) {
            c->word = word; // the run that was clicked on is the chosen one
            view->focus = FOCUS_WORDS;
        } else if (panel_heads_hit(&pane, row, column, &head)) {
            view->head = head;
            view->focus = FOCUS_HEADS;
        } else {
            continue;
        }
        compare_link(page);
        return true;
    }
    return false;
}

// ---- what it is on

bool compare_cursor(const struct page *page, int run, struct explain_place *place)
{
    const struct view *view = compare_view(page, run);
    int stage = view_stage(view);
    *place = (struct explain_place){.stage = stage, .stream = view->picture, .token = view->patch + 1};
    if (stage < 0 || view->focus == FOCUS_STAGES)
        return false;
    if (view->focus == FOCUS_WORDS) {
        place->stream = TRACE_TEXT_STREAM;
        place->token = compare_word_of(page, run);
        return place->token >= 0;
    }
    if (view->focus == FOCUS_HEADS) {
        place->is_head = true;
        place->stream = view->head.stream;
        place->module = view->head.module;
        place->head = view->head.head;
        const struct trace_heads *heads = view_heads(view, stage, place->stream, place->module);
        return heads && place->head < heads->count;
    }
    return true;
}

// ---- marks

bool compare_marked(const struct compare *c)
{
    return c->marks && c->count > 1;
}

static enum patch_mark to_mark(unsigned alive, int run)
{
    enum compare_mark mark = compare_mark(alive, run);
    return mark == COMPARE_ONLY ? PATCH_ONLY_HERE : mark == COMPARE_ELSEWHERE ? PATCH_ELSEWHERE : PATCH_UNMARKED;
}

static enum patch_mark mark_word(const void *context, int token)
{
    const struct compare_marks *marks = context;
    unsigned having, alive = compare_word(&marks->comparison, marks->stage, marks->run, token, &having);
    bool shared = (having & ~(1U << marks->run)) != 0; // a word that no other question has tells nothing
    return shared ? to_mark(alive, marks->run) : PATCH_UNMARKED;
}

static enum patch_mark mark_head(const void *context, const struct head_place *place)
{
    const struct compare_marks *marks = context;
    return to_mark(compare_head(&marks->comparison, marks->stage, place->stream, place->module, place->head), marks->run);
}

void compare_mark_pane(const struct page *page, int run, struct compare_marks *marks)
{
    *marks = (struct compare_marks){.run = run, .stage = view_stage(compare_view(page, run))};
    compare_take(page, &marks->comparison);
    marks->pane = (struct pane_marks){mark_word, mark_head, marks};
}
