// The page "why": what the cursor is on, taken apart beside the picture, and what would have been otherwise; sets that
// must come back, or that the answer hangs on. The picture, the words, the heads and the cursor are the stepper's.
#include "ui/page.h"
#include "ui/panel_why.h"
#include "ui/panels.h"
#include "ui/screen_state.h"
#include "ui/why_words.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct why {
    int why_job, set_job; // 0: none
    struct explain_place asked;
    char *asked_command, *set_command; // the run that each is about, by its command line
    struct backend_why result;
    bool has_result;
    struct explain_set set;
    bool has_set;
    struct panel_why panel;
    unsigned sets; // counts those that have come and gone
    unsigned searched_over;
    int member;    // of the set, that w goes to next
};

static struct view *view_of(struct page *page) { return &page->screen->view; }

static void keep_text(char **to, const char *from)
{
    char *copy = from ? strdup(from) : NULL;
    free(*to);
    *to = copy;
}

static bool same_text(const char *a, const char *b) { return a && b && !strcmp(a, b); }

// ---- what is asked

// What the cursor is on; false: on nothing.
static bool find_place(const struct view *view, struct explain_place *place)
{
    *place = (struct explain_place){.stage = view_stage(view), .stream = TRACE_TEXT_STREAM, .token = view->word};
    if (place->stage < 0 || view->focus == FOCUS_STAGES)
        return false;
    if (view->focus == FOCUS_PATCHES) {
        place->stream = view->picture;
        place->token = view->patch + 1;
    } else if (view->focus == FOCUS_HEADS) {
        if (!view_heads(view, place->stage, view->head.stream, view->head.module))
            return false;
        *place = (struct explain_place){.is_head = true, .stage = place->stage, .stream = view->head.stream,
                                        .module = view->head.module, .head = view->head.head};
    }
    return true;
}

static bool same_place(const struct explain_place *a, const struct explain_place *b)
{
    return a->is_head == b->is_head && a->stage == b->stage && a->stream == b->stream && a->token == b->token &&
           a->module == b->module && a->head == b->head;
}

// Asks about what the cursor is on, unless that is what was asked last.
static void ask(struct page *page)
{
    struct why *why = page->state;
    struct view *view = view_of(page);
    struct backend_job job = {.kind = JOB_WHY};
    if (!find_place(view, &job.why) || why->panel.set_shown)
        return;
    if (same_place(&job.why, &why->asked) && same_text(why->asked_command, view->command))
        return;
    page_cancel_job(page, why->why_job);
    why->why_job = page_start_job(page, &job);
    why->asked = job.why;
    keep_text(&why->asked_command, view->command);
    why->panel.stale = why->has_result;
}

static void forget_set(struct why *why)
{
    if (why->has_set)
        explain_set_free(&why->set);
    why->has_set = why->panel.applied = false;
    why->sets++;
    why->member = 0;
}

// The cursor goes to where a change acts.
static void go_to_change(struct page *page, const struct intervention *change)
{
    struct view *view = view_of(page);
    bool head = change->kind == INTERVENE_HEAD_ON || change->kind == INTERVENE_HEAD_OFF;
    screen_step(page->screen, change->stage - view->stage);
    if (head) {
        view->head = (struct head_place){change->stream, change->module, change->head};
        view->focus = FOCUS_HEADS;
    } else if (change->stream == TRACE_TEXT_STREAM) {
        view->word = change->token;
        view->word_chosen = true;
        view->focus = FOCUS_WORDS;
    } else {
        view->picture = change->stream;
        view->patch = change->token - 1;
        view->patch_chosen = true;
        view->focus = FOCUS_PATCHES;
    }
    view_clamp(view);
}

static void search(struct page *page, enum explain_search kind)
{
    struct why *why = page->state;
    struct backend_job job = {.kind = JOB_SEARCH, .search = {kind, why->panel.over}};
    page_cancel_job(page, why->set_job);
    page_cancel_job(page, why->why_job);
    keep_text(&why->asked_command, NULL);
    forget_set(why);
    why->panel.set_shown = true;
    why->panel.search = kind;
    why->panel.progress[0] = 0;
    why->panel.done = NAN;
    why->set_job = page_start_job(page, &job);
    why->panel.searching = why->set_job > 0;
    why->searched_over = why->panel.over;
    keep_text(&why->set_command, view_of(page)->command);
}

// A set that is known needs no second search.
static void search_once(struct page *page, enum explain_search kind)
{
    struct why *why = page->state;
    bool known = why->has_set && why->set.search == kind && why->searched_over == why->panel.over && !why->panel.applied;
    if (!known) {
        search(page, kind);
        return;
    }
    why->panel.set_shown = true;
    why->panel.search = kind;
}

// From a set: why its next member was decided so. Otherwise why what the cursor is on was.
static void show_decision(struct page *page)
{
    struct why *why = page->state;
    if (why->panel.set_shown && why->has_set && why->set.count > 0) {
        go_to_change(page, &why->set.members[why->member % why->set.count]);
        why->member++;
    }
    if (view_of(page)->focus == FOCUS_STAGES)
        page_stepper.act(page, ACTION_FOCUS_NEXT);
    why->panel.set_shown = false;
    ask(page);
}

// ---- life

static bool open_page(struct page *page, const void *argument, struct error *err)
{
    struct why *why = page->state;
    enum action first = argument ? *(const enum action *)argument : ACTION_WHY;
    (void)err;
    why->panel.over = EXPLAIN_ALL;
    screen_want_run(page->screen);
    if (first == ACTION_RESTORE)
        search(page, EXPLAIN_RESTORE);
    else
        show_decision(page);
    return true;
}

static void close_page(struct page *page)
{
    struct why *why = page->state;
    forget_set(why);
    free(why->asked_command);
    free(why->set_command);
}

static void take_job(struct page *page, struct backend_job_news *news)
{
    struct why *why = page->state;
    bool mine = news->id == why->why_job || news->id == why->set_job;
    if (!mine)
        return;
    if (news->state == JOB_WORKING && news->id == why->set_job) {
        snprintf(why->panel.progress, sizeof why->panel.progress, "%s", news->progress);
        why->panel.done = news->done;
    }
    if (news->state == JOB_FAILED)
        page_say(page, true, "%s", news->error);
    if (news->kind == JOB_WHY && (news->state == JOB_PART || news->state == JOB_DONE)) {
        why->result = news->why;
        why->has_result = true;
        why->panel.stale = false;
    }
    if (news->kind == JOB_SEARCH && news->state == JOB_DONE) {
        forget_set(why);
        why->set = news->search;
        why->has_set = true;
        news->search = (struct explain_set){0};
    }
    if (news->kind == JOB_SEARCH && news->state == JOB_CANCELLED)
        page_say(page, false, "%s", _("Stopped before anything was found."));
    if (news->kind == JOB_SEARCH && news->state != JOB_WORKING)
        why->panel.searching = false;
    page_changed(page);
}

// Another run: what was found out about the one before is of no use.
static void take_news(struct page *page)
{
    struct why *why = page->state;
    const struct view *view = view_of(page);
    if (view->trace.stage_count < view->trace.stage_total)
        return;
    if (!why->set_command && why->panel.searching)
        keep_text(&why->set_command, view->command);
    if (!same_text(why->set_command, view->command)) {
        if (why->panel.searching) {
            page_cancel_job(page, why->set_job);
            why->panel.searching = false;
        }
        forget_set(why);
        keep_text(&why->set_command, view->command);
    }
    ask(page);
}

// ---- actions

static void accept_set(struct page *page)
{
    struct why *why = page->state;
    const struct view *view = view_of(page);
    if (!why->has_set || why->set.count == 0 || why->panel.applied) {
        page_say(page, false, "%s", _("There is no set to be applied: W or B searches one."));
        return;
    }
    char *command = view_make_command(view, why->set.members, why->set.count);
    free(why->set_command);
    why->set_command = command;
    why->panel.applied = true;
    screen_change(page->screen, why->set.members, why->set.count,
                  why->set.search == EXPLAIN_RESTORE ? _("The set came back") : _("The set was taken away"));
}

static void accept_what_if(struct page *page)
{
    struct why *why = page->state;
    char name[WHY_TEXT], text[160];
    if (!why->has_result || !why->result.has_effect || why->panel.stale) {
        page_say(page, false, "%s", _("There is nothing to be changed here."));
        return;
    }
    why_name_change(&view_of(page)->trace, &why->result.change, name, sizeof name);
    bool on = why->result.change.kind == INTERVENE_TOKEN_KEEP || why->result.change.kind == INTERVENE_HEAD_ON;
    snprintf(text, sizeof text, on ? _("Forced to stay: %.120s") : _("Forced to go: %.120s"), name);
    screen_change(page->screen, &why->result.change, 1, text);
}

static void next_over(struct page *page)
{
    struct why *why = page->state;
    static const unsigned kinds[] = {EXPLAIN_ALL, EXPLAIN_PATCHES, EXPLAIN_WORDS, EXPLAIN_HEADS};
    int at = 0;
    while (kinds[at] != why->panel.over)
        at++;
    why->panel.over = kinds[(at + 1) % 4];
    page_say(page, false, _("W and B try: %s."), panel_why_over(why->panel.over));
    if (why->panel.set_shown && (why->panel.searching || why->has_set))
        search(page, why->panel.search);
}

// Without a cursor there is nothing to ask about: that place of the cycle is left out.
static void move_cursor(struct page *page, enum action action)
{
    struct view *view = view_of(page);
    page_stepper.act(page, action);
    if (view->focus == FOCUS_STAGES && (action == ACTION_FOCUS_NEXT || action == ACTION_FOCUS_PREVIOUS))
        page_stepper.act(page, action);
    if (view->focus == FOCUS_WORDS && view->word == 0 && !view->word_chosen && view->trace.token_count > 2)
        view->word = 1; // about the mark of the beginning there is nothing to be asked
    ask(page);
}

static bool stop(struct page *page)
{
    struct why *why = page->state;
    if (!why->panel.searching && why->panel.set_shown)
        page_say(page, false, "%s", _("The search has ended already.")); // who meant to stop it does not want to quit
    if (!why->panel.searching)
        return why->panel.set_shown;
    // Not page_cancel_job(): what was found by then is wanted.
    page->screen->backend->cancel_job(page->screen->backend->context, why->set_job);
    return true;
}

static bool act(struct page *page, enum action action)
{
    struct why *why = page->state;
    switch (action) {
    case ACTION_LEFT:
    case ACTION_RIGHT:
    case ACTION_UP:
    case ACTION_DOWN:
    case ACTION_PREVIOUS:
    case ACTION_NEXT:
    case ACTION_FIRST:
    case ACTION_LAST:
    case ACTION_FOCUS_NEXT:
    case ACTION_FOCUS_PREVIOUS: move_cursor(page, action); return true;
    case ACTION_WHY: show_decision(page); return true;
    case ACTION_RESTORE: search_once(page, EXPLAIN_RESTORE); return true;
    case ACTION_BREAK: search_once(page, EXPLAIN_BREAK); return true;
    case ACTION_OVER: next_over(page); return true;
    case ACTION_ACCEPT: why->panel.set_shown ? accept_set(page) : accept_what_if(page); return true;
    case ACTION_CANCEL: return stop(page);
    default: return false;
    }
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    page_stepper.mouse(page, event);
    ask(page);
}

// ---- what is seen

static void mark(struct patch_look *looks, int count, int token, enum patch_mark with)
{
    if (token >= 1 && token <= count)
        looks[token - 1].mark = with;
}

// The survivor most like the patch; the patches of a set.
static void change_looks(const void *context, int picture, struct patch_look *looks, int count)
{
    const struct why *why = context;
    if (!why->panel.set_shown) {
        const struct explain_verdict *v = &why->result.verdict;
        if (why->has_result && !v->place.is_head && v->place.stream == picture)
            mark(looks, count, v->nearest, PATCH_ELSEWHERE);
        return;
    }
    for (int i = 0; why->has_set && i < why->set.count; i++) {
        const struct intervention *v = &why->set.members[i];
        if ((v->kind == INTERVENE_TOKEN_KEEP || v->kind == INTERVENE_TOKEN_DROP) && v->stream == picture)
            mark(looks, count, v->token, PATCH_ONLY_HERE);
    }
}

// Another number where other patches are marked; 0: none, as on the stepper.
static unsigned marks_of(const struct why *why)
{
    const struct explain_verdict *v = &why->result.verdict;
    if (why->panel.set_shown)
        return why->has_set ? 2 * why->sets + 1 : 0;
    bool marked = why->has_result && !v->place.is_head && v->nearest > 0 && v->place.stream != TRACE_TEXT_STREAM;
    return marked ? 2 * ((unsigned)v->nearest * TRACE_STREAMS + (unsigned)v->place.stream) + 2 : 0;
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    const struct why *why = page->state;
    struct screen *screen = page->screen;
    struct scene_context context = screen_scene_context(screen);
    context.change_looks = change_looks;
    context.looks_of = why;
    context.marks = marks_of(why);
    if (!scene_update(&screen->scene, &context))
        return -1;
    if (view_stage(context.view) < 0 || context.view->trace.picture_count == 0)
        return 0;
    out[0] = (struct page_image){&screen->scene.main, &screen->scene.colors.palette, screen->scene.colors.serial};
    out[1] = (struct page_image){&screen->scene.strip, &screen->scene.colors.palette, screen->scene.colors.serial};
    return screen->layout.roomy ? 2 : 1;
}

// Beside the picture, below the words and heads. Where there is little room the heads are shown only while the cursor is
// on them, and the film strip gives its place to the panel and, across the screen, to the command line.
static void draw_page(struct page *page, const struct pane *pane)
{
    struct why *why = page->state;
    const struct layout *layout = pane->layout;
    bool roomy = layout->roomy, heads = roomy || pane->view->focus == FOCUS_HEADS;
    struct rect rect = heads ? layout->cost : layout->heads, command = layout->body;
    int end = roomy ? layout->story.row + layout->story.rows : layout->body.row + layout->body.rows;
    rect.rows = end - rect.row;
    why->panel.why = why->has_result ? &why->result : NULL;
    why->panel.set = why->has_set ? &why->set : NULL;
    panel_legend(pane, page->screen->graphics);
    panel_words(pane);
    if (heads)
        panel_heads(pane);
    if (roomy) {
        panel_strip(pane);
        command = (struct rect){end - 3, rect.column, 3, rect.columns};
    } else {
        command = (struct rect){end - 2, command.column, 2, command.columns};
    }
    rect.rows -= panel_command(pane, command, pane->view->command);
    panel_why(pane, rect, &why->panel);
}

static enum key_hint hints(struct page *page)
{
    (void)page;
    return HINT_CURSOR;
}

static bool offers(struct page *page, enum action action)
{
    const struct why *why = page->state;
    if (action != ACTION_ACCEPT)
        return true;
    return why->panel.set_shown ? why->has_set && why->set.count > 0 && !why->panel.applied
                                : why->has_result && why->result.has_effect;
}

static struct rect popup(struct page *page)
{
    return popup_rect(&page->screen->layout);
}

static const char about[] = N_(
    "Why what the cursor is on was kept or dropped. Its score is taken apart; what pulls at it is measured: the same run "
    "without one word (or without one part of the picture), score with it minus score without it. A hollow diamond marks "
    "the survivor whose state is most like it. The what-if is a run of its own, beside yours, until Enter makes it so. W "
    "searches dropped patches, words and heads whose return gives the unpruned model's answer and none of which can be "
    "left out, B those whose loss changes the answer; full diamonds mark them, and w goes from one to the next. The last lines are the command that "
    "makes the same run.");

static void status(struct page *page, char *out, size_t size) { page_stepper.status(page, out, size); }

const struct page_kind page_why = {
    .id = PAGE_WHY,
    .size = sizeof(struct why),
    .about = about,
    .open = open_page,
    .close = close_page,
    .status = status,
    .draw = draw_page,
    .images = images,
    .act = act,
    .mouse = mouse,
    .news = take_news,
    .job = take_job,
    .hints = hints,
    .offers = offers,
    .popup = popup,
};
