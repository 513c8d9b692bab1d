// Typing in the screen's last row: questions, paths, budgets.
#include "ui/screen_state.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void update_completions(struct screen *screen)
{
    char word[PROMPT_BYTES];
    screen->completion_count = 0;
    if (screen->prompt.kind == PROMPT_PATH) {
        prompt_text(&screen->prompt, word);
        popup_browse(&screen->popup, word);
    } else if (screen->prompt.kind == PROMPT_COMMAND) {
        prompt_text(&screen->prompt, word);
        popup_find(&screen->popup, page_top(screen)->kind->id, screen->view.abilities, word);
    } else if (screen->prompt.kind >= PROMPT_PAGE) {
        struct page *page = page_top(screen);
        prompt_text(&screen->prompt, word);
        if (page->kind->typing)
            page->kind->typing(page, (int)screen->prompt.kind - PROMPT_PAGE, word);
    } else if (screen->prompt.kind == PROMPT_QUESTION && !screen->prompt.length && screen->view.suggestion[0]) {
        screen->completions[0] = screen->view.suggestion; // the whole question as it was probably meant
        screen->completion_count = 1;
    } else if (screen->prompt.kind == PROMPT_QUESTION && screen->view.abilities & BACKEND_COMPLETE) {
        prompt_word(&screen->prompt, word);
        if (word[0])
            screen->completion_count =
                screen->backend->complete(screen->backend->context, word, screen->completions,
                                          (int)(sizeof screen->completions / sizeof(char *)));
    }
}

static void close_prompt(struct screen *screen)
{
    if (screen->prompt.kind == PROMPT_PATH || screen->prompt.kind == PROMPT_COMMAND)
        popup_close(&screen->popup);
    prompt_close(&screen->prompt);
    screen->completion_count = 0;
}

static void leave_prompt(struct screen *screen)
{
    enum prompt_kind kind = screen->prompt.kind;
    struct page *page = page_top(screen);
    close_prompt(screen);
    if (kind >= PROMPT_PAGE && page->kind->untyped)
        page->kind->untyped(page, (int)kind - PROMPT_PAGE);
    else if (kind < PROMPT_PAGE && page->kind->left)
        page->kind->left(page);
}

// The path typed, or the entry selected below it; a folder is entered. Returns whether the prompt is done.
static bool accept_path(struct screen *screen, char *path, size_t size)
{
    struct stat status;
    char typed[PROMPT_BYTES];
    snprintf(typed, sizeof typed, "%s", path);
    popup_expand_home(typed, path, size);
    bool exact = screen->popup.selected == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
    if (!exact && popup_path(&screen->popup, path, size)) {
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
        view_say(&screen->view, true, _("A budget is a share above 0 and at most 1, or up to 100 %%, not '%s'."), text);
        return;
    }
    if (value > 1)
        value /= 100;
    if (value < screen_least_budget(screen))
        screen_say_least(screen);
    else
        screen_set_budget(screen, value);
}

// Beside other runs the question stays: two pictures are compared under one.
static void open_picture(struct screen *screen, const struct page_target *target, const char *path)
{
    bool keeps = page_top(screen)->kind->target && target->view->has_trace;
    target->backend->open_picture(target->backend->context, screen->open_slot, path, keeps);
    if (keeps)
        target->backend->ask(target->backend->context, target->view->trace.question);
}

// An action that was given what it would ask for.
static void run_with(struct screen *screen, enum action action, const char *argument)
{
    struct page_target target = screen_target(screen);
    enum policy policy;
    screen->cancelled = false;
    if (action == ACTION_BUDGET) {
        accept_budget(screen, argument);
        return;
    }
    target.view->change[0] = 0;
    if (action == ACTION_ASK)
        target.backend->ask(target.backend->context, argument);
    else if (action == ACTION_OPEN) {
        screen->open_slot = screen->view.picture;
        open_picture(screen, &target, argument);
    }
    else if (policy_find(argument, &policy))
        screen_set_policy(screen, argument);
    else
        view_say(&screen->view, true, _("There is no policy '%s'; p lists them."), argument);
}

// The selected action of the palette; what was typed behind its name is its argument.
static void accept_command(struct screen *screen, const char *text)
{
    const struct popup *popup = &screen->popup;
    if (popup->selected >= popup->count)
        return;
    struct found found = popup->found[popup->selected];
    const char *argument;
    bool given = finder_argument(found.action, text, &argument) && *argument;
    prompt_remember(&screen->prompt);
    close_prompt(screen);
    while (found.elsewhere && screen->page_count > 1)
        page_pop(screen);
    if (given)
        run_with(screen, found.action, argument);
    else
        screen_action(screen, found.action);
}

// Of two pictures the one that the cursor is on is asked for; with the cursor elsewhere one after the other.
static void open_path_prompt(struct screen *screen, int slot)
{
    const struct view *view = screen_target(screen).view;
    const struct trace *trace = &view->trace;
    int count = view->has_trace ? trace->picture_count : 0;
    char folder[PROMPT_BYTES] = "";
    const char *path = slot < count ? trace->pictures[slot].path : NULL;
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    screen->open_slot = slot;
    screen->open_next = slot + 1 < count && screen->view.focus != FOCUS_PATCHES;
    popup_open(&screen->popup, POPUP_FILES, view);
    prompt_open(&screen->prompt, PROMPT_PATH, folder);
    if (count > 1) {
        snprintf(screen->prompt.own_label, sizeof screen->prompt.own_label, _("Picture %d of %d: "), slot + 1, count);
        screen->prompt.label = screen->prompt.own_label;
    }
    update_completions(screen);
}

static void accept_prompt(struct screen *screen)
{
    char text[PROMPT_BYTES];
    prompt_text(&screen->prompt, text);
    enum prompt_kind kind = screen->prompt.kind;
    if (kind == PROMPT_COMMAND) {
        accept_command(screen, text);
        return;
    }
    if (kind == PROMPT_PATH && !accept_path(screen, text, sizeof text))
        return;
    prompt_remember(&screen->prompt);
    close_prompt(screen);
    if (kind >= PROMPT_PAGE) {
        struct page *page = page_top(screen);
        if (page->kind->typed)
            page->kind->typed(page, (int)kind - PROMPT_PAGE, text);
        return;
    }
    struct page_target target = screen_target(screen);
    if (kind == PROMPT_QUESTION && strspn(text, " ") < strlen(text))
        target.backend->ask(target.backend->context, text);
    else if (kind == PROMPT_PATH)
        open_picture(screen, &target, text);
    screen->cancelled = false;
    if (kind == PROMPT_BUDGET)
        accept_budget(screen, text);
    target.view->change[0] = kind == PROMPT_BUDGET ? target.view->change[0] : 0;
    if (kind == PROMPT_PATH && screen->open_next)
        open_path_prompt(screen, screen->open_slot + 1);
}

static void complete_prompt(struct screen *screen)
{
    char path[PROMPT_BYTES];
    if (screen->prompt.kind == PROMPT_PATH && popup_path(&screen->popup, path, sizeof path))
        prompt_set(&screen->prompt, path);
    else if (screen->completion_count > 0 && screen->completions[0] == screen->view.suggestion)
        prompt_set(&screen->prompt, screen->view.suggestion);
    else if (screen->prompt.kind == PROMPT_COMMAND && screen->popup.selected < screen->popup.count) {
        snprintf(path, sizeof path, "%s ", action_name(screen->popup.found[screen->popup.selected].action));
        prompt_set(&screen->prompt, path);
    } else if (screen->completion_count > 0)
        prompt_replace_word(&screen->prompt, screen->completions[0]);
    update_completions(screen);
}

void screen_key_in_prompt(struct screen *screen, wint_t key, bool is_code)
{
    bool browsing = (screen->prompt.kind == PROMPT_PATH || screen->prompt.kind == PROMPT_COMMAND) && is_code;
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
        leave_prompt(screen);
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

void screen_open_prompt(struct screen *screen, int which)
{
    enum prompt_kind kind = (enum prompt_kind)which;
    const struct view *view = screen_target(screen).view;
    const struct trace *trace = &view->trace;
    popup_close(&screen->popup);
    if (kind == PROMPT_PATH) {
        open_path_prompt(screen, screen->view.focus == FOCUS_PATCHES ? screen->view.picture : 0);
        return;
    }
    if (kind == PROMPT_QUESTION && screen->view.has_trace && trace->question) { // Up brings it back, whoever asked it
        prompt_open(&screen->prompt, kind, trace->question);
        prompt_remember(&screen->prompt);
    }
    if (kind == PROMPT_COMMAND)
        popup_open(&screen->popup, POPUP_PALETTE, &screen->view);
    prompt_open(&screen->prompt, kind, "");
    double least = kind == PROMPT_BUDGET ? screen_least_budget(screen) : 0;
    if (least > 0) {
        snprintf(screen->prompt.own_label, sizeof screen->prompt.own_label,
                 view_spends_on_average(view) ? _("Budget on average, %.3f to 1 (empty: as trained): ")
                                          : _("Budget, %.3f to 1 (empty: as trained): "), least);
        screen->prompt.label = screen->prompt.own_label;
    }
    update_completions(screen);
}
