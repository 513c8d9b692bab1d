// Changes by hand and what they ask of the backend: forced tokens, switched heads, policy and budget,
// attention.
#include "ui/screen_state.h"
#include "ui/words.h"

#include "engine/prune/budget.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

void screen_show_attention(struct screen *screen)
{
    struct view *view = &screen->view;
    if (view->focus != FOCUS_STAGES)
        screen->attention_of = view->focus;
    view->show = SHOW_ATTENTION;
    screen_want_attention(screen);
}

// ---- changes by hand
// ------------------------------------------------------------------------------------------

// Before a change: what the answer was, so that the difference can be told.
static void remember_answer(struct view *view, const char *what)
{
    view->answer_before = (struct trace_answer){0};
    if (view->trace.stage_count >= view->trace.stage_total)
        view->answer_before = view->trace.answer;
    snprintf(view->change, sizeof view->change, "%s", what);
}

static void intervene(struct screen *screen, const struct intervention *what, const char *text)
{
    remember_answer(&screen->view, text);
    screen->backend->intervene(screen->backend->context, what);
    screen_want_run(screen);
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
        view_say(view, false, _("%s is never dropped: nothing to force."), name);
        return;
    }
    if (!keep && !view_alive(view, stage, stream, token)) {
        view_say(view, false, _("%s is gone already."), name);
        return;
    }
    if (!keep && token == 0) {
        view_say(view, false, _("The first token stands for the whole question and always stays."));
        return;
    }
    struct intervention what = {.kind = keep ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP,
                                .stage = keep ? died : stage,
                                .stream = stream,
                                .token = token};
    snprintf(text, sizeof text,
             stream == TRACE_TEXT_STREAM
                 ? (keep ? _("'%s' forced to stay") : _("'%s' forced to go"))
                 : (keep ? _("Patch in %s forced to stay") : _("Patch in %s forced to go")),
             name);
    intervene(screen, &what, text);
}

static void switch_head(struct screen *screen, bool on)
{
    struct view *view = &screen->view;
    const struct trace_heads *heads =
        view_heads(view, view_stage(view), view->head.stream, view->head.module);
    if (!heads) {
        view_say(view, false, _("There is no attention in this stage."));
        return;
    }
    if (heads->on[view->head.head] == on) {
        view_say(view, false, "%s",
                 on ? _("This head is live already.") : _("This head is dropped already."));
        return;
    }
    struct intervention what = {.kind = on ? INTERVENE_HEAD_ON : INTERVENE_HEAD_OFF,
                                .stage = view_stage(view),
                                .stream = view->head.stream,
                                .module = view->head.module,
                                .head = view->head.head};
    char text[160];
    snprintf(text, sizeof text,
             on ? _("Head %d, %s, %s attention switched on") : _("Head %d, %s, %s attention switched off"),
             view->head.head + 1, view_stream_name(view, view->head.stream),
             view_module_name(view->head.module));
    intervene(screen, &what, text);
}

void screen_force(struct screen *screen, int keep)
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
        view_say(view, false, _("Choose a patch, a word or a head first: Tab moves the cursor there."));
}

void screen_undo(struct screen *screen)
{
    if (screen->view.trace.intervention_count == 0) {
        view_say(&screen->view, false, _("There is nothing to undo."));
        return;
    }
    remember_answer(&screen->view, _("Last change taken back"));
    screen->backend->undo(screen->backend->context);
    screen_want_run(screen);
}

void screen_redo(struct screen *screen)
{
    remember_answer(&screen->view, _("The change taken back is made again"));
    screen->backend->redo(screen->backend->context);
    screen_want_run(screen);
}

void screen_change(struct screen *screen, const struct intervention *list, int count, const char *what)
{
    remember_answer(&screen->view, what);
    screen->backend->intervene_all(screen->backend->context, list, count);
    screen_want_run(screen);
}

void screen_set_budget(struct screen *screen, double budget)
{
    char text[64];
    if (isnan(budget))
        snprintf(text, sizeof text, "%s", _("Budget as trained"));
    else
        snprintf(text, sizeof text, _("Budget %.0f %%"), 100 * budget);
    struct page_target target = screen_target(screen);
    remember_answer(target.view, text);
    target.backend->set_policy(target.backend->context, target.view->trace.policy, budget);
    screen_want_run(screen);
}

double screen_least_budget(struct screen *screen)
{
    double least = screen_target(screen).view->least;
    return least > 0 ? budget_told(least) : 0;
}

void screen_say_least(struct screen *screen)
{
    view_say(&screen->view, true, _("%s spends %.3f of the unpruned FLOPs at least (p: another policy)."),
             screen_target(screen).view->trace.policy, screen_least_budget(screen));
}

void screen_nudge_budget(struct screen *screen, int percent)
{
    const struct trace *trace = &screen_target(screen).view->trace;
    double now = trace->budget, least = screen_least_budget(screen);
    if (isnan(now))
        now = trace->dense_macs > 0 ? trace->spent_macs / trace->dense_macs : 1;
    double budget = round((now + percent / 100.0) * 20) / 20;
    if (percent < 0 && least > 0 && now <= least) {
        screen_say_least(screen);
        return;
    }
    least = least > 0 ? least : 0.05;
    screen_set_budget(screen, budget < least ? least : budget > 1 ? 1 : budget);
}

void screen_reopen(struct screen *screen)
{
    struct intervention what = {.kind = INTERVENE_REOPEN, .stage = view_stage(&screen->view)};
    if (screen->view.has_trace)
        intervene(screen, &what, _("Everything reopened from here on"));
}

void screen_set_policy(struct screen *screen, const char *policy)
{
    char text[64];
    snprintf(text, sizeof text, _("Policy %s"), policy);
    struct page_target target = screen_target(screen);
    remember_answer(target.view, text);
    target.backend->set_policy(target.backend->context, policy, target.view->trace.budget);
    screen_want_run(screen);
}

void screen_accept_policy(struct screen *screen)
{
    const char *policy = popup_policy(&screen->popup);
    const struct view *view = screen_target(screen).view;
    struct page *page = page_top(screen);
    if (!policy)
        return;
    popup_close(&screen->popup);
    if (!view->has_trace || view_awaits(view) || strcmp(policy, view->trace.policy) != 0) {
        screen_set_policy(screen, policy);
        return;
    }
    if (page->kind->left)
        page->kind->left(page);
    view_say(&screen->view, false, _("The run has the policy %s already."), policy);
}
