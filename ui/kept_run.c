#include "ui/kept_run.h"

bool kept_run_take(struct kept_run *kept, const struct view *view)
{
    struct trace shown = view->trace;
    if (kept->kept || !view->has_trace)
        return true;
    shown.stage_count = 0; // they are computed anew
    if (!trace_copy(&kept->trace, &shown))
        return false;
    kept->kept = true;
    view_truth_copy(&kept->truth, &view->truth);
    kept->stage = view->stage;
    kept->picture = view->picture;
    kept->patch = view->patch;
    kept->word = view->word;
    kept->focus = view->focus;
    kept->show = view->show;
    kept->head = view->head;
    kept->patch_chosen = view->patch_chosen;
    kept->word_chosen = view->word_chosen;
    return true;
}

bool kept_run_give_back(struct kept_run *kept, struct view *view, const struct backend *backend)
{
    if (!kept->kept)
        return false;
    const struct run_wish wish = run_wish_of(&kept->trace);
    run_wish_ask(&wish, view_known(view), backend);
    for (int i = 0; i < kept->trace.intervention_count; i++)
        backend->intervene(backend->context, &kept->trace.interventions[i]);
    backend->want_stage(backend->context, TRACE_STAGES);
    view_await(view, &wish);
    view_truth_copy(&view->truth, &kept->truth);
    view->stage = kept->stage;
    view->picture = kept->picture;
    view->patch = kept->patch;
    view->word = kept->word;
    view->focus = kept->focus;
    view->show = kept->show;
    view->head = kept->head;
    view->patch_chosen = kept->patch_chosen;
    view->word_chosen = kept->word_chosen;
    view->change[0] = 0;
    kept_run_free(kept);
    return true;
}

void kept_run_free(struct kept_run *kept)
{
    if (!kept->kept)
        return;
    trace_free(&kept->trace);
    view_truth_free(&kept->truth);
    *kept = (struct kept_run){.kept = false};
}
