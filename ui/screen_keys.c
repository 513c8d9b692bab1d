// What keys and the mouse do.
#include "ui/panels.h"
#include "ui/screen_state.h"

#include "engine/base/thread.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int screen_last_stage(const struct view *view)
{
    int count = view->trace.stage_count, total = view->trace.stage_total;
    return view->has_trace ? (total > count ? total : count) - 1 : 0;
}

void screen_want_run(struct screen *screen)
{
    screen->cancelled = false;
    screen->backend->want_stage(screen->backend->context, screen_last_stage(&screen->view));
}

static void go_to(struct screen *screen, int stage)
{
    struct view *view = &screen->view;
    if (!view->has_trace) { // the first run is still on its way
        view->stage = stage < 0 ? 0 : stage;
        return;
    }
    int last = screen_last_stage(view), before = view_stage(view);
    view->stage = stage < 0 ? 0 : stage > last ? last : stage;
    if (view->stage >= view->trace.stage_count)
        screen_want_run(screen);
    if (view_stage(view) != before) {
        view_clamp(view);
        if (view->show == SHOW_ATTENTION)
            screen_want_attention(screen);
    }
}

void screen_step(struct screen *screen, int stages)
{
    go_to(screen, screen->view.stage + stages);
}

// ---- cursor
// ---------------------------------------------------------------------------------------------------

static void set_focus(struct screen *screen, enum focus focus)
{
    struct view *view = &screen->view;
    view->focus = focus;
    if (focus == FOCUS_PATCHES)
        view_find_patch(view);
    if (focus == FOCUS_WORDS)
        view_find_word(view);
    if (focus == FOCUS_HEADS && !view_first_head(view, view_stage(view), &view->head))
        view->focus = FOCUS_STAGES;
}

static void cycle_focus(struct screen *screen, int by)
{
    struct view *view = &screen->view;
    enum focus next = (enum focus)(((int)view->focus + by + FOCUS_COUNT) % FOCUS_COUNT);
    if (next == FOCUS_HEADS && !view_first_head(view, view_stage(view), &view->head))
        next = (enum focus)(((int)next + by + FOCUS_COUNT) % FOCUS_COUNT);
    set_focus(screen, next);
}

static void move_patch(struct view *view, int rows, int columns)
{
    const struct trace_picture *picture = &view->trace.pictures[view->picture];
    if (picture->grid_columns <= 0)
        return;
    int row = view->patch / picture->grid_columns + rows,
        column = view->patch % picture->grid_columns + columns;
    if (column >= picture->grid_columns && view->picture + 1 < view->trace.picture_count) {
        view->picture++; // over the edge into the picture beside
        view->patch = row * view->trace.pictures[view->picture].grid_columns;
    } else if (column < 0 && view->picture > 0) {
        view->picture--;
        view->patch = (row + 1) * view->trace.pictures[view->picture].grid_columns - 1;
    } else if (row >= 0 && row < picture->grid_rows && column >= 0 && column < picture->grid_columns) {
        view->patch = row * picture->grid_columns + column;
    }
    view_clamp(view);
}

enum { GO_LEFT, GO_RIGHT, GO_UP, GO_DOWN };

static void direction(struct screen *screen, int way)
{
    struct view *view = &screen->view;
    static const int steps[4][2] = {
        [GO_LEFT] = {0, -1}, [GO_RIGHT] = {0, 1}, [GO_UP] = {-1, 0}, [GO_DOWN] = {1, 0}};
    int rows = steps[way][0], columns = steps[way][1];
    if (view->focus == FOCUS_STAGES) {
        view->playing = false;
        screen_step(screen, rows + columns);
    } else if (view->focus == FOCUS_PATCHES) {
        move_patch(view, rows, columns);
        view->patch_chosen = true;
    } else if (view->focus == FOCUS_WORDS) {
        view->word += rows + columns;
        view->word_chosen = true;
        view_clamp(view);
    } else {
        panel_heads_move(view, &view->head, rows, columns);
    }
    if (view->show == SHOW_ATTENTION && view->focus == screen->attention_of)
        screen_want_attention(screen);
}

// ---- mouse
// ----------------------------------------------------------------------------------------------------

static void click(struct screen *screen, int row, int column)
{
    struct view *view = &screen->view;
    struct pane pane = screen_pane(screen);
    struct scene_context context = screen_scene_context(screen);
    struct head_place head;
    int picture, patch, word, stage = panel_strip_hit(&pane, row, column);
    if (stage >= 0) {
        view->playing = false;
        go_to(screen, stage);
    } else if (scene_hit(&screen->scene, &context, row, column, &picture, &patch)) {
        view->picture = picture;
        view->patch = patch;
        view->patch_chosen = true;
        set_focus(screen, FOCUS_PATCHES);
    } else if ((word = panel_words_hit(&pane, row, column)) >= 0) {
        view->word = word;
        view->word_chosen = true;
        set_focus(screen, FOCUS_WORDS);
    } else if (panel_heads_hit(&pane, row, column, &head)) {
        view->head = head;
        set_focus(screen, FOCUS_HEADS);
    }
    if (view->show == SHOW_ATTENTION && view->focus == screen->attention_of)
        screen_want_attention(screen);
}

static void mouse_key(struct screen *screen)
{
    MEVENT event;
    if (getmouse(&event) != OK || screen->layout.too_small)
        return;
    int wheel = event.bstate & BUTTON4_PRESSED ? -1 : event.bstate & BUTTON5_PRESSED ? 1 : 0;
    if (screen->popup.kind != POPUP_NONE) {
        if (wheel)
            popup_move(&screen->popup, wheel);
        return;
    }
    if (wheel)
        screen_step(screen, wheel);
    else if (event.bstate & (BUTTON1_PRESSED | BUTTON3_PRESSED))
        click(screen, event.y, event.x);
}

// ---- actions
// --------------------------------------------------------------------------------------------------

static void cycle_graphics(struct screen *screen)
{
    int next = ((int)screen->graphics + 1) % GRAPHICS_COUNT;
    if (next == GRAPHICS_SIXEL && !screen->terminal.sixel)
        next = GRAPHICS_BLOCKS;
    screen->graphics = (enum graphics)next;
    screen_choose_theme(screen); // the characters of the last rung are ASCII everywhere
    view_say(&screen->view, false, "Graphics: %s.", graphics_name(screen->graphics));
}

static void show(struct screen *screen, int what)
{
    if (what == SHOW_ATTENTION)
        screen_show_attention(screen);
    else
        screen->view.show = (enum show)what;
}

static void show_next(struct screen *screen)
{
    int next = ((int)screen->view.show + 1) % SHOW_COUNT;
    if (next == SHOW_ATTENTION && !(screen->view.abilities & BACKEND_ATTENTION))
        next = SHOW_SURVIVORS;
    show(screen, next);
}

static void toggle_play(struct screen *screen)
{
    struct view *view = &screen->view;
    view->playing = !view->playing && view->has_trace;
    if (view->playing && view->stage >= screen_last_stage(view))
        go_to(screen, 0);
    screen->play_next = clock_seconds() + 0.4;
}

static void escape(struct screen *screen)
{
    struct view *view = &screen->view;
    if (screen->popup.kind != POPUP_NONE)
        popup_close(&screen->popup);
    else if (view->focus != FOCUS_STAGES)
        view->focus = FOCUS_STAGES;
    else if (view->show != SHOW_SURVIVORS)
        view->show = SHOW_SURVIVORS;
    else
        view->playing = false;
}

static void cancel_or_quit(struct screen *screen)
{
    if (!screen->view.busy) {
        screen->quit = true;
        return;
    }
    screen->cancelled = true; // until something is asked for again
    screen->backend->cancel(screen->backend->context);
    view_say(&screen->view, false, "Stopped. Stepping on computes again.");
}

static void toggle_theme(struct screen *screen)
{
    screen->dark = !screen->dark;
    screen_choose_theme(screen);
}

static void toggle_mouse(struct screen *screen)
{
    screen->mouse = !screen->mouse;
    terminal_mouse(screen->mouse);
    view_say(&screen->view, false,
             screen->mouse ? "Mouse on." : "Mouse off: the terminal selects text again.");
}

// What has no function of its own; `value` is the action.
static void do_action(struct screen *screen, int value)
{
    struct view *view = &screen->view;
    switch (value) {
    case ACTION_LAST:
        go_to(screen, screen_last_stage(view));
        break;
    case ACTION_PLAY:
        toggle_play(screen);
        break;
    case ACTION_SHOW_NEXT:
        show_next(screen);
        break;
    case ACTION_REOPEN:
        screen_reopen(screen);
        break;
    case ACTION_UNDO:
        screen_undo(screen);
        break;
    case ACTION_CANCEL:
        cancel_or_quit(screen);
        break;
    case ACTION_GRAPHICS:
        cycle_graphics(screen);
        break;
    case ACTION_THEME:
        toggle_theme(screen);
        break;
    case ACTION_MOUSE:
        toggle_mouse(screen);
        break;
    case ACTION_REDRAW:
        screen->repaint = true;
        break;
    case ACTION_SUSPEND:
        raise(SIGTSTP);
        break;
    case ACTION_ESCAPE:
        escape(screen);
        break;
    case ACTION_QUIT:
        screen->quit = true;
        break;
    }
}

static void open_popup(struct screen *screen, int kind)
{
    popup_open(&screen->popup, (enum popup_kind)kind, &screen->view);
}

// What each action runs, with a value. Actions that stand alone are in do_action().
static const struct {
    void (*run)(struct screen *screen, int value);
    int value;
} actions[ACTIONS] = {
    [ACTION_LEFT] = {direction, GO_LEFT},
    [ACTION_RIGHT] = {direction, GO_RIGHT},
    [ACTION_UP] = {direction, GO_UP},
    [ACTION_DOWN] = {direction, GO_DOWN},
    [ACTION_PREVIOUS] = {screen_step, -1},
    [ACTION_NEXT] = {screen_step, 1},
    [ACTION_FIRST] = {go_to, 0},
    [ACTION_FOCUS_NEXT] = {cycle_focus, 1},
    [ACTION_FOCUS_PREVIOUS] = {cycle_focus, -1},
    [ACTION_SHOW_SURVIVORS] = {show, SHOW_SURVIVORS},
    [ACTION_SHOW_SELF] = {show, SHOW_SELF},
    [ACTION_SHOW_CROSS] = {show, SHOW_CROSS},
    [ACTION_SHOW_TOTAL] = {show, SHOW_TOTAL},
    [ACTION_SHOW_ATTENTION] = {show, SHOW_ATTENTION},
    [ACTION_CHOOSE] = {show, SHOW_ATTENTION},
    [ACTION_KEEP] = {screen_force, true},
    [ACTION_DROP] = {screen_force, false},
    [ACTION_LESS] = {screen_nudge_budget, -5},
    [ACTION_MORE] = {screen_nudge_budget, 5},
    [ACTION_POLICY] = {open_popup, POPUP_POLICY},
    [ACTION_HELP] = {open_popup, POPUP_HELP},
    [ACTION_BUDGET] = {screen_open_prompt, PROMPT_BUDGET},
    [ACTION_ASK] = {screen_open_prompt, PROMPT_QUESTION},
    [ACTION_OPEN] = {screen_open_prompt, PROMPT_PATH},
};

void screen_action(struct screen *screen, enum action action)
{
    unsigned needs = key_row(action)->needs;
    if ((screen->view.abilities & needs) != needs)
        view_say(&screen->view, false, "A saved run cannot do that: there is no model behind it.");
    else if (actions[action].run)
        actions[action].run(screen, actions[action].value);
    else
        do_action(screen, (int)action);
}

// Keys while a list or the help is open; the rest does nothing, so that nothing changes unseen.
static void key_in_popup(struct screen *screen, enum action action)
{
    static const struct {
        enum action action;
        int rows;
    } moves[] = {{ACTION_UP, -1},   {ACTION_DOWN, 1},       {ACTION_PREVIOUS, -10}, {ACTION_NEXT, 10},
                 {ACTION_PLAY, 10}, {ACTION_FIRST, -10000}, {ACTION_LAST, 10000}};
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (moves[i].action == action)
            popup_move(&screen->popup, moves[i].rows);
    if (action == ACTION_CHOOSE && screen->popup.kind == POPUP_POLICY)
        screen_accept_policy(screen);
    else if (action == ACTION_CHOOSE || action == ACTION_ESCAPE || action == ACTION_HELP ||
             action == ACTION_QUIT)
        popup_close(&screen->popup);
    else if (action == ACTION_CANCEL || action == ACTION_REDRAW || action == ACTION_SUSPEND)
        screen_action(screen, action);
}

void screen_key(struct screen *screen, wint_t key, bool is_code)
{
    screen->view.message[0] = 0;
    if (is_code && key == KEY_MOUSE) {
        mouse_key(screen);
        return;
    }
    if (screen->prompt.kind != PROMPT_NONE) {
        screen_key_in_prompt(screen, key, is_code);
        return;
    }
    enum action action = !is_code && key > 255 ? ACTION_NONE : key_action((int)key);
    if (screen->popup.kind != POPUP_NONE)
        key_in_popup(screen, action);
    else if (action != ACTION_NONE)
        screen_action(screen, action);
}
