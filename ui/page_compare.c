// The comparison page: runs are added, removed, changed and stepped through together.
#include "ui/page_compare.h"

#include "engine/base/thread.h"
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

// Stage, cursor and show of the screen's view are those of all.
static void link_views(struct page *page)
{
    const struct view *from = &page->screen->view;
    for (int r = 1; r < compare_of(page)->count; r++) {
        struct view *view = compare_view(page, r);
        view->stage = from->stage;
        view->show = from->show;
        view->focus = from->focus;
        view->picture = from->picture;
        view->patch = from->patch;
        if (view->has_trace)
            view_clamp(view);
    }
    page_changed(page);
}

// ---- runs come and go
// ----------------------------------------------------------------------------------------------

static int free_lane(const struct compare *c)
{
    for (int lane = 1; lane < COMPARE_RUNS; lane++) {
        bool used = false;
        for (int r = 0; r < c->count; r++)
            used |= c->runs[r].lane == lane;
        if (!used)
            return lane;
    }
    return 0;
}

static bool add_run(struct page *page)
{
    struct compare *c = compare_of(page);
    struct screen *screen = page->screen;
    int lane = free_lane(c);
    if (c->count == COMPARE_RUNS || lane == 0) {
        page_say(page, false, _("Four runs are the most that fit: remove one with x first."));
        return false;
    }
    struct compare_run *run = &c->runs[c->count];
    *run = (struct compare_run){.lane = lane};
    if (!lane_open(screen->backend, lane, &screen->view, &run->backend, &run->own)) {
        page_say(page, true, _("There is no memory for another run."));
        return false;
    }
    c->focus = c->count++;
    link_views(page);
    return true;
}

static void free_run(struct page *page, struct compare_run *run)
{
    const struct backend *backend = page->screen->backend;
    if (run->lane > 0)
        backend->close_lane(backend->context, run->lane);
    portrait_free(&run->portrait);
    image_free(&run->image);
    view_free(&run->own);
}

static void remove_run(struct page *page)
{
    struct compare *c = compare_of(page);
    if (c->focus == 0) {
        page_say(page, false, _("Run A is the one of the stepper and stays: choose another with n first."));
        return;
    }
    free_run(page, &c->runs[c->focus]);
    c->count--;
    memmove(&c->runs[c->focus], &c->runs[c->focus + 1], (size_t)(c->count - c->focus) * sizeof *c->runs);
    c->runs[c->count] = (struct compare_run){.lane = 0};
    c->focus = c->focus < c->count ? c->focus : c->count - 1;
    for (int r = 0; r < c->count; r++)
        c->runs[r].key = (struct compare_key){.count = 0}; // the marks are others now
    c->menu = c->count == 1;
}

// ---- the list of what to compare with
// ------------------------------------------------------------------------------

// A question known about the picture that no run asks yet, as a proposal.
static bool propose_question(struct page *page, char *out, size_t size)
{
    const struct backend *backend = page->screen->backend;
    const struct trace *trace = &page->screen->view.trace;
    const char *path = page->screen->view.has_trace ? trace->pictures[0].path : NULL;
    for (int i = 0; path && backend->known_question(backend->context, path, i, out, size); i++) {
        bool asked = false;
        for (int r = 0; r < compare_of(page)->count; r++) {
            const struct view *view = compare_view(page, r);
            asked |= view->has_trace && !strcmp(view->trace.question, out);
        }
        if (!asked)
            return true;
    }
    return false;
}

static void set_policy(struct page *page, const char *policy, double budget)
{
    struct compare *c = compare_of(page);
    const struct backend *backend = &c->runs[c->focus].backend;
    backend->set_policy(backend->context, policy, budget);
}

static void choose(struct page *page, enum compare_choice choice)
{
    struct screen *screen = page->screen;
    const struct backend *backend = screen->backend;
    char question[PROMPT_BYTES];
    bool proposed = choice == COMPARE_MENU_QUESTION && propose_question(page, question, sizeof question);
    double budget = screen->view.trace.budget;
    compare_of(page)->menu = false;
    if (!add_run(page))
        return;
    switch (choice) {
    case COMPARE_MENU_QUESTION:
        screen_open_prompt(screen, PROMPT_QUESTION);
        if (proposed)
            prompt_suggest(&screen->prompt, question);
        break;
    case COMPARE_MENU_POLICY:
        popup_open(&screen->popup, POPUP_POLICY, screen_target(screen).view);
        break;
    case COMPARE_MENU_BUDGET:
        screen_open_prompt(screen, PROMPT_BUDGET);
        break;
    case COMPARE_MENU_PICTURE:
        screen_open_prompt(screen, PROMPT_PATH);
        break;
    case COMPARE_MENU_SELF: // its threshold was not trained: the share makes it comparable
        set_policy(page, "learned-self", isnan(budget) ? backend->learned_share(backend->context) : budget);
        break;
    case COMPARE_MENU_NONE:
        set_policy(page, "none", (double)NAN);
        break;
    case COMPARE_MENU_COUNT:
        break;
    }
}

// Keys while the list is open; false: they mean what they mean without it.
static bool act_in_menu(struct page *page, enum action action)
{
    struct compare *c = compare_of(page);
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
        c->selected = (c->selected + (action == ACTION_UP ? COMPARE_MENU_COUNT - 1 : 1)) % COMPARE_MENU_COUNT;
        return true;
    case ACTION_CHOOSE:
        choose(page, (enum compare_choice)c->selected);
        return true;
    case ACTION_ESCAPE:
        c->menu = false;
        return c->count > 1; // alone: there is nothing to compare, back
    default:
        return false;
    }
}

// ---- actions
// --------------------------------------------------------------------------------------------------------

static void step(struct page *page, int stages)
{
    screen_step(page->screen, stages);
    link_views(page);
}

static void direction(struct page *page, int rows, int columns)
{
    struct view *view = &page->screen->view;
    if (view->focus == FOCUS_PATCHES)
        screen_move_patch(view, rows, columns);
    else
        step(page, rows + columns);
    link_views(page);
}

static void toggle_cursor(struct page *page)
{
    struct view *view = &page->screen->view;
    view->focus = view->focus == FOCUS_PATCHES ? FOCUS_STAGES : FOCUS_PATCHES;
    if (view->focus == FOCUS_PATCHES)
        view_find_patch(view);
    link_views(page);
}

static void show(struct page *page, int what)
{
    page->screen->view.show = (enum show)(what % SHOW_ATTENTION);
    link_views(page);
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
    link_views(page);
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
        if (!c->menu)
            page_say(page, false, _("Four runs are the most that fit: remove one with x first."));
        return true;
    case ACTION_RUN_REMOVE:
        remove_run(page);
        return true;
    case ACTION_RUN_NEXT:
        c->focus = (c->focus + 1) % c->count;
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
    if (compare_of(page)->menu && act_in_menu(page, action))
        return true;
    switch (action) {
    case ACTION_LEFT: direction(page, 0, -1); return true;
    case ACTION_RIGHT: direction(page, 0, 1); return true;
    case ACTION_UP: direction(page, -1, 0); return true;
    case ACTION_DOWN: direction(page, 1, 0); return true;
    case ACTION_PREVIOUS: step(page, -1); return true;
    case ACTION_NEXT: step(page, 1); return true;
    case ACTION_FIRST: step(page, -TRACE_STAGES); return true;
    case ACTION_LAST: step(page, TRACE_STAGES); return true;
    case ACTION_PLAY: toggle_play(page); return true;
    case ACTION_FOCUS_NEXT: toggle_cursor(page); return true;
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
    struct screen *screen = page->screen;
    int choice = event->row - layout->menu.row - 2, picture, patch;
    if (c->menu && rect_holds(layout->menu, event->row, event->column) && choice >= 0 && choice < COMPARE_MENU_COUNT) {
        c->selected = choice;
        choose(page, (enum compare_choice)choice);
        return;
    }
    for (int i = 0; i < layout->shown; i++) {
        int run = layout->first + i;
        struct portrait_request request = {
            .view = compare_view(page, run), .terminal = &screen->terminal, .graphics = screen->graphics};
        if (portrait_hit(&c->runs[run].portrait, &c->runs[run].image, &request, event->row, event->column, &picture,
                         &patch)) {
            screen->view.picture = picture;
            screen->view.patch = patch;
            screen->view.patch_chosen = true;
            screen->view.focus = FOCUS_PATCHES;
            c->focus = run;
            link_views(page);
        } else if (event->column >= layout->words[i].column &&
                   event->column < layout->words[i].column + layout->words[i].columns &&
                   event->row < layout->strip.row) {
            c->focus = run;
        }
    }
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
            link_views(page);
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
    link_views(page);
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
    c->runs[0].backend = *page->screen->backend;
    c->count = 1;
    c->menu = c->marks = true;
    if (view->focus != FOCUS_PATCHES)
        view->focus = FOCUS_STAGES;
    if (view->show == SHOW_ATTENTION)
        view->show = SHOW_SURVIVORS;
    return true;
}

static void close(struct page *page)
{
    struct compare *c = compare_of(page);
    for (int r = 0; r < c->count; r++)
        free_run(page, &c->runs[r]);
    page->screen->view.playing = false;
}

static void status(struct page *page, char *out, size_t size)
{
    const struct view *view = &page->screen->view;
    const struct stage *stage = view_stage_at(view);
    char name[TRACE_TEXT];
    if (!stage)
        return;
    view_stage_name(view, stage, name, sizeof name);
    snprintf(out, size, view->playing ? _("playing  %s  stage %d of %d ") : _(" %s  stage %d of %d "), name,
             view_stage(view) + 1, screen_last_stage(view) + 1);
}

static enum key_hint hints(struct page *page)
{
    return page->screen->view.focus == FOCUS_PATCHES ? HINT_CURSOR : HINT_STAGES;
}

static struct page_target target(struct page *page)
{
    struct compare *c = compare_of(page);
    return (struct page_target){&c->runs[c->focus].backend, compare_view(page, c->focus)};
}

static const char *explain(enum action action)
{
    return action == ACTION_FOCUS_NEXT ? N_("a cursor on the same patch of every run, or none")
           : action == ACTION_ASK      ? N_("ask the chosen run another question…")
           : action == ACTION_OPEN     ? N_("show the chosen run another picture…")
           : action == ACTION_POLICY   ? N_("another pruning policy for the chosen run…")
           : action == ACTION_BUDGET   ? N_("another budget for the chosen run…")
           : action == ACTION_CHOOSE   ? N_("compare with what is selected in the list")
                                       : NULL;
}

static const char about[] = N_(
    "Runs side by side, at the same stage and with the cursor on the same patch. A full orange diamond marks a patch that "
    "this run alone keeps, a hollow blue one a patch that this run has dropped and another keeps. Keys that change "
    "something change the run whose letter is highlighted.");

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
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .news = news,
    .hints = hints,
    .explain = explain,
    .target = target,
    .figure = make_figure,
};
