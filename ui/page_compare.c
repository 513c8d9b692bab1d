// The comparison page: runs are added, removed, changed and stepped through together.
#include "ui/page_compare.h"

#include "engine/base/thread.h"
#include "ui/compare_words.h"
#include "ui/figure.h"
#include "ui/lane.h"
#include "ui/panels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double play_seconds = 0.8;

void compare_take(const struct page *page, struct comparison *out)
{
    *out = (struct comparison){.count = 0};
    for (int r = 0; r < compare_of(page)->count; r++) {
        const struct view *view = compare_view(page, r);
        if (!view->has_trace)
            return; // the first run is still on its way
        out->runs[out->count++] = &view->trace;
    }
}

// ---- actions
// --------------------------------------------------------------------------------------------------------

static void step(struct page *page, int stages)
{
    screen_step(page->screen, stages);
    compare_link(page);
}

static void show(struct page *page, int what)
{
    page->screen->view.show = (enum show)(what % SHOW_ATTENTION);
    compare_link(page);
}

static void toggle_play(struct page *page)
{
    struct view *view = &page->screen->view;
    view->playing = !view->playing && view->has_trace;
    if (view->playing && view->stage >= screen_last_stage(view))
        step(page, -TRACE_STAGES);
    compare_of(page)->play_next = clock_seconds() + 0.4;
}

// Esc takes one thing after the other back; false: nothing is left, the page closes.
static bool escape(struct page *page)
{
    struct view *view = &page->screen->view;
    if (view->focus == FOCUS_STAGES && view->show == SHOW_SURVIVORS)
        return false;
    if (view->focus != FOCUS_STAGES)
        view->focus = FOCUS_STAGES;
    else
        view->show = SHOW_SURVIVORS;
    compare_link(page);
    return true;
}

static void stop_all(struct page *page)
{
    struct compare *c = compare_of(page);
    for (int r = 1; r < c->count; r++)
        c->runs[r].backend.cancel(c->runs[r].backend.context);
}

static bool act_on_runs(struct page *page, enum action action)
{
    struct compare *c = compare_of(page);
    switch (action) {
    case ACTION_RUN_ADD:
        c->menu = c->count < COMPARE_RUNS;
        c->typed[0] = 0;
        c->selected = 0;
        if (!c->menu)
            page_say(page, false, _("Four runs are the most that fit: remove one with x first."));
        return true;
    case ACTION_RUN_REMOVE:
        if (c->focus == 0)
            page_say(page, false, _("Run A is the one of the stepper and stays: choose another with n first."));
        else
            compare_remove_run(page, c->focus);
        return true;
    case ACTION_RUN_NEXT:
        compare_focus_run(page, (c->focus + 1) % c->count);
        return true;
    case ACTION_RUN_LESS:
        screen_nudge_budget(page->screen, -5);
        return true;
    case ACTION_RUN_MORE:
        screen_nudge_budget(page->screen, 5);
        return true;
    case ACTION_MARKS:
        c->marks = !c->marks;
        return true;
    case ACTION_CANCEL:
        stop_all(page);
        return false;
    default:
        return false;
    }
}

static bool act(struct page *page, enum action action)
{
    page_changed(page);
    compare_of(page)->pending = false;
    if (compare_of(page)->menu && compare_menu_act(page, action))
        return true;
    switch (action) {
    case ACTION_LEFT: compare_direction(page, 0, -1); return true;
    case ACTION_RIGHT: compare_direction(page, 0, 1); return true;
    case ACTION_UP: compare_direction(page, -1, 0); return true;
    case ACTION_DOWN: compare_direction(page, 1, 0); return true;
    case ACTION_PREVIOUS: step(page, -1); return true;
    case ACTION_NEXT: step(page, 1); return true;
    case ACTION_FIRST: step(page, -TRACE_STAGES); return true;
    case ACTION_LAST: step(page, TRACE_STAGES); return true;
    case ACTION_PLAY: toggle_play(page); return true;
    case ACTION_FOCUS_NEXT: compare_next_focus(page); return true;
    case ACTION_SHOW_NEXT: show(page, (int)page->screen->view.show + 1); return true;
    case ACTION_SHOW_SURVIVORS: show(page, SHOW_SURVIVORS); return true;
    case ACTION_SHOW_SELF: show(page, SHOW_SELF); return true;
    case ACTION_SHOW_CROSS: show(page, SHOW_CROSS); return true;
    case ACTION_SHOW_TOTAL: show(page, SHOW_TOTAL); return true;
    case ACTION_ESCAPE: return escape(page);
    default: return act_on_runs(page, action);
    }
}

static void click(struct page *page, const struct page_mouse *event)
{
    struct compare *c = compare_of(page);
    const struct compare_layout *layout = &c->layout;
    int entries[COMPARE_MENU_COUNT];
    int entry = event->row - layout->menu.row - 2;
    c->pending = false;
    if (c->menu && rect_holds(layout->menu, event->row, event->column)) {
        if (entry >= 0 && entry < compare_menu_entries(c, entries))
            compare_choose(page, entry);
        return;
    }
    for (int i = 0; i < layout->shown; i++)
        if (event->column >= layout->words[i].column &&
            event->column < layout->words[i].column + layout->words[i].columns && event->row < layout->strip.row)
            compare_focus_run(page, layout->first + i);
    compare_click(page, event->row, event->column);
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    page_changed(page);
    if (event->wheel)
        step(page, event->wheel);
    else if (event->pressed)
        click(page, event);
}

// ---- news and the clock
// --------------------------------------------------------------------------------------------

// What a run says goes to the note line, with its letter.
static void pass_message_on(struct page *page, int run)
{
    struct view *view = compare_view(page, run);
    if (view->message[0])
        page_say(page, view->message_is_error, _("%c: %s"), 'A' + run, view->message);
    view->message[0] = 0;
}

static double tick(struct page *page, double now)
{
    struct compare *c = compare_of(page);
    struct view *view = &page->screen->view;
    for (int r = 1; r < c->count; r++)
        if (lane_take_news(&c->runs[r].backend, &c->runs[r].own)) {
            pass_message_on(page, r);
            compare_link(page);
        }
    if (!view->playing)
        return 0;
    if (now >= c->play_next) {
        view->playing = view->stage < screen_last_stage(view);
        step(page, view->playing);
        c->play_next = now + play_seconds;
    }
    return view->playing ? c->play_next : 0;
}

static void news(struct page *page)
{
    compare_link(page);
}

// ---- life
// ----------------------------------------------------------------------------------------------------------

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct compare *c = compare_of(page);
    struct view *view = &page->screen->view;
    (void)argument;
    if (!(view->abilities & BACKEND_COMPARE))
        return error_set(err, ERROR_USAGE, "%s", _("A saved run cannot do that: there is no model behind it."));
    if (!compare_take_kept(page)) {
        c->count = 1;
        c->menu = c->marks = true;
    }
    c->runs[0].backend = *page->screen->backend;
    if (view->show == SHOW_ATTENTION)
        view->show = SHOW_SURVIVORS;
    c->word = view->word;
    compare_focus_run(page, c->focus);
    return true;
}

static void close(struct page *page)
{
    struct compare *c = compare_of(page);
    bool kept = compare_keep(page);
    for (int r = 0; r < c->count; r++)
        compare_free_run(page, &c->runs[r], !kept);
    page->screen->view.playing = false;
}

// A prompt or list for a run that was just added is left: the run goes again.
static void left(struct page *page)
{
    struct compare *c = compare_of(page);
    if (!c->pending)
        return;
    c->pending = false;
    compare_remove_run(page, c->count - 1);
    c->menu = true;
}

static char *command(struct page *page)
{
    struct comparison comparison;
    compare_take(page, &comparison);
    return comparison.count > 1 && comparison.count == compare_of(page)->count
               ? compare_write_command(&page->screen->view, &comparison, false) : NULL;
}

static void status(struct page *page, char *out, size_t size)
{
    const struct view *view = &page->screen->view;
    const struct stage *stage = view_stage_at(view);
    const struct compare *c = compare_of(page);
    char name[TRACE_TEXT];
    if (!stage)
        return;
    view_stage_name(view, stage, name, sizeof name);
    int first = 'A' + c->layout.first, used = 0;
    if (c->layout.shown == 1 && c->count > 1)
        used = snprintf(out, size, _("run %c of %d "), first, c->count);
    else if (c->layout.shown < c->count)
        used = snprintf(out, size, _("runs %c–%c of %d "), first, first + c->layout.shown - 1, c->count);
    used = used > 0 && (size_t)used < size ? used : 0;
    snprintf(out + used, size - (size_t)used, view->playing ? _("playing  %s  stage %d of %d ") : _(" %s  stage %d of %d "),
             name, view_stage(view) + 1, screen_last_stage(view) + 1);
}

static bool offers(struct page *page, enum action action)
{
    const struct compare *c = compare_of(page);
    return action == ACTION_RUN_ADD      ? c->count < COMPARE_RUNS && !c->menu
           : action == ACTION_RUN_REMOVE ? c->focus > 0
           : action == ACTION_RUN_NEXT || action == ACTION_MARKS ? c->count > 1
                                                                 : true;
}

static enum key_hint hints(struct page *page)
{
    if (compare_of(page)->menu)
        return HINT_LIST;
    return page->screen->view.focus != FOCUS_STAGES ? HINT_CURSOR : HINT_STAGES;
}

static struct page_target target(struct page *page)
{
    struct compare *c = compare_of(page);
    return (struct page_target){&c->runs[c->focus].backend, compare_view(page, c->focus)};
}

static const char *explain(enum action action)
{
    return action == ACTION_FOCUS_NEXT ? N_("a cursor on the same patch, word or head of every run, or none")
           : action == ACTION_ASK      ? N_("ask the chosen run another question…")
           : action == ACTION_OPEN     ? N_("show the chosen run another picture…")
           : action == ACTION_POLICY   ? N_("another pruning policy for the chosen run…")
           : action == ACTION_BUDGET   ? N_("another budget for the chosen run…")
           : action == ACTION_CHOOSE   ? N_("compare with what is selected in the list")
                                       : NULL;
}

static const char about[] = N_(
    "Runs side by side, at the same stage and with the cursor on the same patch, word or head. A full orange diamond marks "
    "what this run alone keeps, a hollow blue one what this run has dropped and another keeps; words are the same where they "
    "are called the same. Keys that change something change the run whose letter is highlighted. Below the stages: patches "
    "alive, or words while only the question is read. The runs are kept for the next time, as long as the picture is the "
    "same.");

// A row of the article's figure for each run, for the export.
static bool make_figure(struct page *page, struct figure *out)
{
    *out = (struct figure){.count = 0};
    for (int r = 0; r < compare_of(page)->count && out->count < FIGURE_ROWS; r++) {
        const struct view *view = compare_view(page, r);
        if (view->has_trace)
            out->rows[out->count++] = (struct figure_row){&view->trace, view->pictures};
    }
    return out->count > 0;
}

const struct page_kind page_compare = {
    .id = PAGE_COMPARE,
    .size = sizeof(struct compare),
    .about = about,
    .open = open,
    .close = close,
    .status = status,
    .draw = compare_draw,
    .images = compare_images,
    .key = compare_menu_key,
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .news = news,
    .hints = hints,
    .offers = offers,
    .explain = explain,
    .target = target,
    .figure = make_figure,
    .left = left,
    .command = command,
};
