// What keys and the mouse do.
#include "ui/panels.h"
#include "ui/screen_state.h"

#include "engine/base/thread.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int last_stage(const struct view *view)
{
    int count = view->trace.stage_count, total = view->trace.stage_total;
    return view->has_trace ? (total > count ? total : count) - 1 : 0;
}

static void go_to(struct screen *screen, int stage)
{
    struct view *view = &screen->view;
    int last = last_stage(view), before = view_stage(view);
    view->stage = stage < 0 ? 0 : stage > last ? last : stage;
    if (view->stage >= view->trace.stage_count)
        screen->backend->want_stage(screen->backend->context, last);
    if (view_stage(view) != before) {
        view_clamp(view);
        if (view->show == SHOW_ATTENTION)
            screen_want_attention(screen);
    }
}

void screen_step(struct screen *screen, int stages)
{
    if (screen->view.has_trace)
        go_to(screen, screen->view.stage + stages);
}

// ---- attention ------------------------------------------------------------------------------------------------

void screen_want_attention(struct screen *screen)
{
    const struct view *view = &screen->view;
    int stage = view_stage(view);
    if (stage < 0 || !(view->abilities & BACKEND_ATTENTION))
        return;
    struct backend_attention_request request = {.stage = stage, .head = -1};
    if (screen->attention_of == FOCUS_HEADS) {
        request.stream = view->head.stream;
        request.module = view->head.module;
        request.head = view->head.head;
    } else if (screen->attention_of == FOCUS_PATCHES) {
        request.stream = view->picture;
        request.module = MODULE_MSA;
        request.query = view->patch + 1;
    } else {
        request.stream = TRACE_TEXT_STREAM;
        request.module = view_heads(view, stage, TRACE_TEXT_STREAM, MODULE_MCA) ? MODULE_MCA : MODULE_MSA;
        request.query = view->word;
    }
    if (view_heads(view, stage, request.stream, request.module))
        screen->backend->want_attention(screen->backend->context, &request);
}

static void show_attention(struct screen *screen)
{
    struct view *view = &screen->view;
    if (view->focus != FOCUS_STAGES)
        screen->attention_of = view->focus;
    view->show = SHOW_ATTENTION;
    screen_want_attention(screen);
}

// ---- changes by hand ------------------------------------------------------------------------------------------

// Before a change: what the answer was, so that the difference can be told.
static void remember_answer(struct screen *screen, const char *what)
{
    struct view *view = &screen->view;
    view->answer_before = (struct trace_answer){0};
    if (view->trace.stage_count >= view->trace.stage_total)
        view->answer_before = view->trace.answer;
    snprintf(view->change, sizeof view->change, "%s", what);
}

static void intervene(struct screen *screen, const struct intervention *what, const char *text)
{
    remember_answer(screen, text);
    screen->backend->intervene(screen->backend->context, what);
    screen->backend->want_stage(screen->backend->context, last_stage(&screen->view));
}

static void force_token(struct screen *screen, int stream, int token, bool keep)
{
    struct view *view = &screen->view;
    int stage = view_stage(view);
    char name[TRACE_TEXT], text[160];
    view_token_name(view, stream, token, name, sizeof name);
    const struct trace_tokens *end = view_tokens(view, view->trace.stage_count - 1, stream);
    int died = end && token < end->count && !end->alive[token] ? end->dropped_at[token] : -1;
    if (keep && died < 0) {
        view_say(view, false, "%s is never dropped: nothing to force.", name);
        return;
    }
    if (!keep && !view_alive(view, stage, stream, token)) {
        view_say(view, false, "%s is gone already.", name);
        return;
    }
    if (!keep && token == 0) {
        view_say(view, false, "The first token stands for the whole question and always stays.");
        return;
    }
    struct intervention what = {.kind = keep ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP,
                                .stage = keep ? died : stage,
                                .stream = stream,
                                .token = token};
    snprintf(text, sizeof text, stream == TRACE_TEXT_STREAM ? "'%s' forced to %s" : "Patch in %s forced to %s", name,
             keep ? "stay" : "go");
    intervene(screen, &what, text);
}

static void switch_head(struct screen *screen, bool on)
{
    struct view *view = &screen->view;
    const struct trace_heads *heads = view_heads(view, view_stage(view), view->head.stream, view->head.module);
    if (!heads) {
        view_say(view, false, "There is no attention in this stage.");
        return;
    }
    if (heads->on[view->head.head] == on) {
        view_say(view, false, on ? "This head works already." : "This head rests already.");
        return;
    }
    struct intervention what = {.kind = on ? INTERVENE_HEAD_ON : INTERVENE_HEAD_OFF,
                                .stage = view_stage(view),
                                .stream = view->head.stream,
                                .module = view->head.module,
                                .head = view->head.head};
    char text[160];
    snprintf(text, sizeof text, "Head %d of the %s's %s attention switched %s", view->head.head + 1,
             view_stream_name(view, view->head.stream), view_module_name(view->head.module), on ? "on" : "off");
    intervene(screen, &what, text);
}

static void force(struct screen *screen, bool keep)
{
    struct view *view = &screen->view;
    if (!view->has_trace)
        return;
    if (view->focus == FOCUS_PATCHES)
        force_token(screen, view->picture, view->patch + 1, keep);
    else if (view->focus == FOCUS_WORDS)
        force_token(screen, TRACE_TEXT_STREAM, view->word, keep);
    else if (view->focus == FOCUS_HEADS)
        switch_head(screen, keep);
    else
        view_say(view, false, "Choose a patch, a word or a head first: Tab moves the cursor there.");
}

static void undo(struct screen *screen)
{
    if (screen->view.trace.intervention_count == 0) {
        view_say(&screen->view, false, "There is nothing to undo.");
        return;
    }
    remember_answer(screen, "Last change taken back");
    screen->backend->undo(screen->backend->context);
    screen->backend->want_stage(screen->backend->context, last_stage(&screen->view));
}

static void set_budget(struct screen *screen, double budget)
{
    char text[64];
    if (isnan(budget))
        snprintf(text, sizeof text, "Budget as trained");
    else
        snprintf(text, sizeof text, "Budget %.0f %%", 100 * budget);
    remember_answer(screen, text);
    screen->backend->set_policy(screen->backend->context, screen->view.trace.policy, budget);
    screen->backend->want_stage(screen->backend->context, last_stage(&screen->view));
}

static void nudge_budget(struct screen *screen, double by)
{
    const struct trace *trace = &screen->view.trace;
    double now = trace->budget;
    if (isnan(now))
        now = trace->dense_macs > 0 ? trace->spent_macs / trace->dense_macs : 1;
    double budget = round((now + by) * 20) / 20;
    set_budget(screen, budget < 0.05 ? 0.05 : budget > 1 ? 1 : budget);
}

// ---- prompt ---------------------------------------------------------------------------------------------------

static void update_completions(struct screen *screen)
{
    char word[PROMPT_BYTES];
    screen->completion_count = 0;
    if (screen->prompt.kind == PROMPT_PATH) {
        prompt_text(&screen->prompt, word);
        popup_browse(&screen->popup, word);
    } else if (screen->prompt.kind == PROMPT_QUESTION && screen->view.abilities & BACKEND_COMPLETE) {
        prompt_word(&screen->prompt, word);
        if (word[0])
            screen->completion_count = screen->backend->complete(screen->backend->context, word, screen->completions,
                                                                 (int)(sizeof screen->completions / sizeof(char *)));
    }
}

static void close_prompt(struct screen *screen)
{
    if (screen->prompt.kind == PROMPT_PATH)
        popup_close(&screen->popup);
    prompt_close(&screen->prompt);
    screen->completion_count = 0;
}

// The path typed, or the entry selected below it; a folder is entered. Returns whether the prompt is done.
static bool accept_path(struct screen *screen, char *path, size_t size)
{
    if (popup_path(&screen->popup, path, size)) {
        prompt_set(&screen->prompt, path);
        if (path[strlen(path) - 1] == '/') {
            update_completions(screen);
            return false;
        }
    }
    return path[0] != 0;
}

static void accept_budget(struct screen *screen, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    while (*end == ' ' || *end == '%')
        end++;
    if (!*text)
        value = (double)NAN;
    else if (*end || !(value > 0) || value > 100) {
        view_say(&screen->view, true, "A budget is a share between 0.05 and 1, or 5 to 100 %%, not '%s'.", text);
        return;
    }
    if (value > 1)
        value /= 100;
    set_budget(screen, value < 0.05 ? 0.05 : value);
}

static void accept_prompt(struct screen *screen)
{
    char text[PROMPT_BYTES];
    prompt_text(&screen->prompt, text);
    enum prompt_kind kind = screen->prompt.kind;
    if (kind == PROMPT_PATH && !accept_path(screen, text, sizeof text))
        return;
    prompt_remember(&screen->prompt);
    close_prompt(screen);
    if (kind == PROMPT_QUESTION && strspn(text, " ") < strlen(text))
        screen->backend->ask(screen->backend->context, text);
    else if (kind == PROMPT_PATH)
        screen->backend->open_picture(screen->backend->context, screen->view.picture, text);
    else if (kind == PROMPT_BUDGET)
        accept_budget(screen, text);
    screen->view.change[0] = kind == PROMPT_BUDGET ? screen->view.change[0] : 0;
}

static void complete_prompt(struct screen *screen)
{
    char path[PROMPT_BYTES];
    if (screen->prompt.kind == PROMPT_PATH && popup_path(&screen->popup, path, sizeof path))
        prompt_set(&screen->prompt, path);
    else if (screen->completion_count > 0)
        prompt_replace_word(&screen->prompt, screen->completions[0]);
    update_completions(screen);
}

static void key_in_prompt(struct screen *screen, wint_t key, bool is_code)
{
    bool browsing = screen->prompt.kind == PROMPT_PATH && is_code;
    if (browsing && (key == KEY_UP || key == KEY_DOWN)) {
        popup_move(&screen->popup, key == KEY_UP ? -1 : 1);
        return;
    }
    if (browsing && (key == KEY_PPAGE || key == KEY_NPAGE)) {
        popup_move(&screen->popup, key == KEY_PPAGE ? -10 : 10);
        return;
    }
    switch (prompt_key(&screen->prompt, key, is_code)) {
    case PROMPT_DONE:
        accept_prompt(screen);
        break;
    case PROMPT_CLOSED:
        close_prompt(screen);
        break;
    case PROMPT_COMPLETE:
        complete_prompt(screen);
        break;
    case PROMPT_EDITED:
        update_completions(screen);
        break;
    case PROMPT_IGNORED:
        break;
    }
}

static void open_prompt(struct screen *screen, enum prompt_kind kind)
{
    const struct trace *trace = &screen->view.trace;
    char folder[PROMPT_BYTES] = "";
    popup_close(&screen->popup);
    if (kind == PROMPT_PATH) {
        popup_open(&screen->popup, POPUP_FILES, &screen->view);
        const char *path = screen->view.has_trace && trace->picture_count > 0 ? trace->pictures[screen->view.picture].path : NULL;
        const char *slash = path ? strrchr(path, '/') : NULL;
        if (slash)
            snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    }
    prompt_open(&screen->prompt, kind, folder);
    update_completions(screen);
}

// ---- cursor ---------------------------------------------------------------------------------------------------

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
    int row = view->patch / picture->grid_columns + rows, column = view->patch % picture->grid_columns + columns;
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

static void direction(struct screen *screen, int rows, int columns)
{
    struct view *view = &screen->view;
    if (!view->has_trace)
        return;
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

// ---- mouse ----------------------------------------------------------------------------------------------------

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

// ---- actions --------------------------------------------------------------------------------------------------

static void cycle_graphics(struct screen *screen)
{
    int next = ((int)screen->graphics + 1) % GRAPHICS_COUNT;
    if (next == GRAPHICS_SIXEL && !screen->terminal.sixel)
        next = GRAPHICS_BLOCKS;
    screen->graphics = (enum graphics)next;
    screen_choose_theme(screen); // the characters of the last rung are ASCII everywhere
    view_say(&screen->view, false, "Graphics: %s.", graphics_name(screen->graphics));
}

static void show(struct screen *screen, enum show what)
{
    if (what == SHOW_ATTENTION)
        show_attention(screen);
    else
        screen->view.show = what;
}

static void show_next(struct screen *screen)
{
    int next = ((int)screen->view.show + 1) % SHOW_COUNT;
    if (next == SHOW_ATTENTION && !(screen->view.abilities & BACKEND_ATTENTION))
        next = SHOW_SURVIVORS;
    show(screen, (enum show)next);
}

static void toggle_play(struct screen *screen)
{
    struct view *view = &screen->view;
    view->playing = !view->playing && view->has_trace;
    if (view->playing && view->stage >= last_stage(view))
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

static void reopen(struct screen *screen)
{
    struct intervention what = {.kind = INTERVENE_REOPEN, .stage = view_stage(&screen->view)};
    if (screen->view.has_trace)
        intervene(screen, &what, "Everything reopened from here on");
}

void screen_action(struct screen *screen, enum action action)
{
    struct view *view = &screen->view;
    unsigned needs = key_row(action)->needs;
    if ((view->abilities & needs) != needs) {
        view_say(view, false, "A saved run cannot do that: there is no model behind it.");
        return;
    }
    switch (action) {
    case ACTION_LEFT: direction(screen, 0, -1); break;
    case ACTION_RIGHT: direction(screen, 0, 1); break;
    case ACTION_UP: direction(screen, -1, 0); break;
    case ACTION_DOWN: direction(screen, 1, 0); break;
    case ACTION_PREVIOUS: screen_step(screen, -1); break;
    case ACTION_NEXT: screen_step(screen, 1); break;
    case ACTION_FIRST: go_to(screen, 0); break;
    case ACTION_LAST: go_to(screen, last_stage(view)); break;
    case ACTION_PLAY: toggle_play(screen); break;
    case ACTION_FOCUS_NEXT: cycle_focus(screen, 1); break;
    case ACTION_FOCUS_PREVIOUS: cycle_focus(screen, -1); break;
    case ACTION_SHOW_NEXT: show_next(screen); break;
    case ACTION_SHOW_SURVIVORS: show(screen, SHOW_SURVIVORS); break;
    case ACTION_SHOW_SELF: show(screen, SHOW_SELF); break;
    case ACTION_SHOW_CROSS: show(screen, SHOW_CROSS); break;
    case ACTION_SHOW_TOTAL: show(screen, SHOW_TOTAL); break;
    case ACTION_SHOW_ATTENTION:
    case ACTION_CHOOSE: show(screen, SHOW_ATTENTION); break;
    case ACTION_KEEP: force(screen, true); break;
    case ACTION_DROP: force(screen, false); break;
    case ACTION_REOPEN: reopen(screen); break;
    case ACTION_UNDO: undo(screen); break;
    case ACTION_POLICY: popup_open(&screen->popup, POPUP_POLICY, view); break;
    case ACTION_BUDGET: open_prompt(screen, PROMPT_BUDGET); break;
    case ACTION_LESS: nudge_budget(screen, -0.05); break;
    case ACTION_MORE: nudge_budget(screen, 0.05); break;
    case ACTION_ASK: open_prompt(screen, PROMPT_QUESTION); break;
    case ACTION_OPEN: open_prompt(screen, PROMPT_PATH); break;
    case ACTION_CANCEL:
        if (view->busy)
            screen->backend->cancel(screen->backend->context);
        else
            screen->quit = true;
        break;
    case ACTION_GRAPHICS: cycle_graphics(screen); break;
    case ACTION_THEME:
        screen->dark = !screen->dark;
        screen_choose_theme(screen);
        break;
    case ACTION_MOUSE:
        screen->mouse = !screen->mouse;
        terminal_mouse(screen->mouse);
        view_say(view, false, screen->mouse ? "Mouse on." : "Mouse off: the terminal selects text again.");
        break;
    case ACTION_REDRAW: screen->repaint = true; break;
    case ACTION_SUSPEND: raise(SIGTSTP); break;
    case ACTION_ESCAPE: escape(screen); break;
    case ACTION_HELP: popup_open(&screen->popup, POPUP_HELP, view); break;
    case ACTION_QUIT: screen->quit = true; break;
    case ACTION_NONE:
    case ACTIONS: break;
    }
}

static void accept_policy(struct screen *screen)
{
    char text[64];
    const char *policy = popup_policy(&screen->popup);
    snprintf(text, sizeof text, "Policy %s", policy);
    remember_answer(screen, text);
    screen->backend->set_policy(screen->backend->context, policy, screen->view.trace.budget);
    screen->backend->want_stage(screen->backend->context, last_stage(&screen->view));
    popup_close(&screen->popup);
}

// Keys while a list or the help is open; the rest does nothing, so that nothing changes unseen.
static void key_in_popup(struct screen *screen, enum action action)
{
    switch (action) {
    case ACTION_UP: popup_move(&screen->popup, -1); break;
    case ACTION_DOWN: popup_move(&screen->popup, 1); break;
    case ACTION_PREVIOUS: popup_move(&screen->popup, -10); break;
    case ACTION_NEXT:
    case ACTION_PLAY: popup_move(&screen->popup, 10); break;
    case ACTION_FIRST: popup_move(&screen->popup, -10000); break;
    case ACTION_LAST: popup_move(&screen->popup, 10000); break;
    case ACTION_CHOOSE:
        if (screen->popup.kind == POPUP_POLICY)
            accept_policy(screen);
        else
            popup_close(&screen->popup);
        break;
    case ACTION_ESCAPE:
    case ACTION_HELP:
    case ACTION_QUIT: popup_close(&screen->popup); break;
    case ACTION_CANCEL: screen->quit = true; break;
    case ACTION_REDRAW:
    case ACTION_SUSPEND: screen_action(screen, action); break;
    default: break;
    }
}

void screen_key(struct screen *screen, wint_t key, bool is_code)
{
    screen->view.message[0] = 0;
    if (is_code && key == KEY_MOUSE) {
        mouse_key(screen);
        return;
    }
    if (screen->prompt.kind != PROMPT_NONE) {
        key_in_prompt(screen, key, is_code);
        return;
    }
    enum action action = !is_code && key > 255 ? ACTION_NONE : key_action((int)key);
    if (screen->popup.kind != POPUP_NONE)
        key_in_popup(screen, action);
    else if (action != ACTION_NONE)
        screen_action(screen, action);
}
