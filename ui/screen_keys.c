// What keys and the mouse do.
#include "ui/page.h"
#include "ui/page_set.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <signal.h>

// ---- mouse
// ----------------------------------------------------------------------------------------------------

static void mouse_event(struct screen *screen, const MEVENT *event)
{
    int wheel = event->bstate & BUTTON4_PRESSED ? -1 : event->bstate & BUTTON5_PRESSED ? 1 : 0;
    if (screen->popup.kind != POPUP_NONE) {
        if (wheel)
            popup_move(&screen->popup, wheel);
        return;
    }
    struct page_mouse mouse = {.row = event->y,
                               .column = event->x,
                               .wheel = wheel,
                               .pressed = event->bstate & (BUTTON1_PRESSED | BUTTON3_PRESSED),
                               .released = event->bstate & BUTTON1_RELEASED};
    struct page *page = page_top(screen);
    if (page->kind->mouse && (!mouse.released || page->kind->drags))
        page->kind->mouse(page, &mouse);
}

// Curses gives one key for all that has come together, a button pressed and let go of, and the newest of it first.
static void mouse_key(struct screen *screen)
{
    MEVENT events[8];
    int count = 0;
    while (count < (int)(sizeof events / sizeof *events) && getmouse(&events[count]) == OK)
        count++;
    while (count > 0 && !screen->layout.too_small)
        mouse_event(screen, &events[--count]);
}

// ---- actions
// --------------------------------------------------------------------------------------------------

static void cycle_graphics(struct screen *screen)
{
    int next = ((int)screen->graphics + 1) % GRAPHICS_COUNT;
    bool missed = next == GRAPHICS_SIXEL && !screen->terminal.sixel;
    if (missed)
        next = GRAPHICS_BLOCKS;
    screen->graphics = (enum graphics)next;
    screen_choose_theme(screen); // the characters of the last rung are ASCII everywhere
    const char *name = graphics_name(screen->graphics), *help = _(graphics_help(screen->graphics));
    if (missed)
        view_say(&screen->view, false, _("Graphics: %s, %s; why not sixel, `trimscope doctor` says."), name, help);
    else
        view_say(&screen->view, false, _("Graphics: %s, %s."), name, help);
}

static void cancel_or_quit(struct screen *screen)
{
    if (!screen->view.busy) {
        screen->quit = true;
        return;
    }
    screen->cancelled = true; // until something is asked for again
    screen->backend->cancel(screen->backend->context);
    view_say(&screen->view, false, _("Stopped. Stepping on computes again."));
}

static void toggle_theme(struct screen *screen)
{
    enum theme_kind now = screen->theme_kind;
    if (now == THEME_AUTO)
        now = screen->dark ? THEME_DARK : THEME_LIGHT;
    screen->theme_kind = (enum theme_kind)(((int)now + 1) % THEME_COUNT);
    screen_choose_theme(screen);
    view_say(&screen->view, false, _("Theme: %s, %s."), theme_name(screen->theme_kind),
             _(theme_help(screen->theme_kind)));
}

static void toggle_mouse(struct screen *screen)
{
    screen->mouse = !screen->mouse;
    terminal_mouse(screen->mouse);
    view_say(&screen->view, false,
             "%s", screen->mouse ? _("Mouse on.") : _("Mouse off: the terminal selects text again."));
}

static void open_popup(struct screen *screen, int kind)
{
    popup_open(&screen->popup, (enum popup_kind)kind, screen_target(screen).view);
}

static void open_page(struct screen *screen, int id)
{
    page_push(screen, page_kind_of((enum page_id)id), NULL);
}

static void redraw(struct screen *screen)
{
    screen->repaint = true;
}

static void suspend(struct screen *screen)
{
    (void)screen;
    raise(SIGTSTP);
}

static void quit(struct screen *screen)
{
    if (screen->page_count > 1) // a stepper above another page: back to that
        page_pop(screen);
    else
        screen->quit = true;
}

static void open_why(struct screen *screen, int action)
{
    enum action first = (enum action)action;
    if (screen->view.has_trace)
        page_push(screen, &page_why, &first);
}

// What each action does on every page that does not take it. Either of `run` (with a value) and `simply`.
static const struct {
    void (*run)(struct screen *screen, int value);
    int value;
    void (*simply)(struct screen *screen);
} actions[ACTIONS] = {
    [ACTION_KEEP] = {screen_force, true, NULL},
    [ACTION_DROP] = {screen_force, false, NULL},
    [ACTION_REOPEN] = {.simply = screen_reopen},
    [ACTION_UNDO] = {.simply = screen_undo},
    [ACTION_REDO] = {.simply = screen_redo},
    [ACTION_WHY] = {open_why, ACTION_WHY, NULL},
    [ACTION_RESTORE] = {open_why, ACTION_RESTORE, NULL},
    [ACTION_LESS] = {screen_nudge_budget, -5, NULL},
    [ACTION_MORE] = {screen_nudge_budget, 5, NULL},
    [ACTION_POLICY] = {open_popup, POPUP_POLICY, NULL},
    [ACTION_OPTIONS] = {open_page, PAGE_OPTIONS, NULL},
    [ACTION_HELP] = {open_popup, POPUP_HELP, NULL},
    [ACTION_COMPARE] = {open_page, PAGE_COMPARE, NULL},
    [ACTION_FIGURE] = {open_page, PAGE_FIGURE, NULL},
    [ACTION_BUDGET] = {screen_open_prompt, PROMPT_BUDGET, NULL},
    [ACTION_PALETTE] = {screen_open_prompt, PROMPT_COMMAND, NULL},
    [ACTION_ASK] = {screen_open_prompt, PROMPT_QUESTION, NULL},
    [ACTION_OPEN] = {screen_open_prompt, PROMPT_PATH, NULL},
    [ACTION_LESSONS] = {open_page, PAGE_LESSON, NULL},
    [ACTION_COPY] = {open_page, PAGE_COMMAND_LINE, NULL},
    [ACTION_EXPORT] = {open_page, PAGE_EXPORT, NULL},
    [ACTION_CANCEL] = {.simply = cancel_or_quit},
    [ACTION_GRAPHICS] = {.simply = cycle_graphics},
    [ACTION_THEME] = {.simply = toggle_theme},
    [ACTION_MOUSE] = {.simply = toggle_mouse},
    [ACTION_REDRAW] = {.simply = redraw},
    [ACTION_SUSPEND] = {.simply = suspend},
    [ACTION_ESCAPE] = {.simply = page_pop},
    [ACTION_BACK] = {.simply = page_pop},
    [ACTION_QUIT] = {.simply = quit},
    [ACTION_SET] = {.simply = page_set_ask},
    [ACTION_REDUNDANCY] = {open_page, PAGE_REDUNDANCY, NULL},
    [ACTION_HEADS] = {open_page, PAGE_HEADS, NULL},
    [ACTION_COMPOSE] = {open_page, PAGE_COMPOSE, NULL},
    [ACTION_EDIT] = {open_page, PAGE_EDIT, NULL},
};

void screen_action(struct screen *screen, enum action action)
{
    struct page *page = page_top(screen);
    unsigned needs = key_row(action)->needs;
    if ((screen->view.abilities & needs) != needs)
        view_say(&screen->view, false, _("A saved run cannot do that: there is no model behind it."));
    else if (page->kind->act && page->kind->act(page, action))
        return;
    else if (actions[action].run)
        actions[action].run(screen, actions[action].value);
    else if (actions[action].simply)
        actions[action].simply(screen);
}

// Keys while a list or the help is open, with their meaning on the lowest page; the rest does nothing, so that nothing
// changes unseen.
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
             action == ACTION_QUIT) {
        popup_close(&screen->popup);
        if (page_top(screen)->kind->left)
            page_top(screen)->kind->left(page_top(screen));
    }
    else if (action == ACTION_CANCEL || action == ACTION_REDRAW || action == ACTION_SUSPEND)
        screen_action(screen, action);
}

void screen_key(struct screen *screen, wint_t key, bool is_code)
{
    screen->view.message[0] = 0;
    screen->view.note_read = true;
    if (is_code && key == KEY_MOUSE) {
        mouse_key(screen);
        return;
    }
    if (screen->prompt.kind != PROMPT_NONE) {
        screen_key_in_prompt(screen, key, is_code);
        return;
    }
    bool listed = screen->popup.kind != POPUP_NONE;
    if (popup_type(&screen->popup, key, is_code))
        return;
    if (!listed && page_top(screen)->kind->key && page_top(screen)->kind->key(page_top(screen), key, is_code))
        return;
    enum page_id page = listed ? PAGE_STEPPER : page_top(screen)->kind->id;
    enum action action = !is_code && key > 255 ? ACTION_NONE : key_action(page, (int)key);
    if (listed)
        key_in_popup(screen, action);
    else if (action != ACTION_NONE)
        screen_action(screen, action);
}
