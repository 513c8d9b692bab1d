// What an edited copy does to the answer, and its changes.
#include "ui/page_edit_state.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Returns the rows used.
static int draw_original(const struct edit_page *state, const struct pane *pane, struct rect rect)
{
    const struct trace_answer *now = easel_answer(&state->easel), *was = &state->original_answer;
    const struct trace *trace = &state->easel.view.trace;
    int by_hand = state->easel.page->screen->view.trace.intervention_count;
    char right[96] = "", text[sizeof was->text + 160];
    struct rect below = {rect.row + 1, rect.column, rect.rows - 1, rect.columns};
    if (by_hand)
        snprintf(right, sizeof right, ngettext_(by_hand, "without the %d change by hand", "without the %d changes by hand"), by_hand);
    draw_title(pane, rect, _("ORIGINAL"), by_hand ? right : NULL, false);
    if (!was->text[0]) {
        draw_text(pane, STYLE_DIM, below.row, below.column, below.columns, _("asking …"));
        return 2;
    }
    snprintf(text, sizeof text, _("'%s' %.1f %%, %.0f %% of the unpruned FLOPs"), was->text, 100 * (double)was->p,
             100 * state->original_share);
    int used = draw_wrapped(pane, STYLE_TEXT, below, text);
    below.row += used;
    below.rows -= used;
    if (!now || below.rows < 1 || state->count + state->carrying == 0)
        return 1 + used;
    double share = trace->dense_macs > 0 ? 100 * (trace->spent_macs / trace->dense_macs - state->original_share) : 0;
    share = fabs(share) < 0.5 ? 0 : share; // no "-0 points"
    bool same = !strcmp(now->text, was->text);
    if (same)
        snprintf(text, sizeof text, _("changed: the answer stays, %+.1f points; FLOPs %+.0f points"),
                 100 * (double)(now->p - was->p), share);
    else
        snprintf(text, sizeof text, _("changed: the answer turns to '%s' %.1f %%; FLOPs %+.0f points"), now->text,
                 100 * (double)now->p, share);
    return 1 + used + draw_wrapped(pane, same ? STYLE_DIM : STYLE_WARN, below, text);
}

static const char *change_name(enum edit_kind kind)
{
    static const char *const names[EDIT_KINDS] = {N_("blanked"), N_("filled with the mean"), N_("blurred"), N_("moved")};
    return _(names[kind]);
}

static void draw_changes(const struct edit_page *state, const struct pane *pane, struct rect rect)
{
    int rows = rect.rows - 1, first = state->count > rows ? state->count - rows : 0;
    if (rect.rows < 2)
        return;
    draw_title(pane, rect, _("CHANGES"), NULL, false);
    for (int i = first; i < state->count; i++) {
        const struct edit *e = &state->edits[i];
        bool wide = rect.columns >= 50;
        int row = rect.row + 1 + i - first;
        if (e->kind == EDIT_MOVE)
            draw_format(pane, STYLE_TEXT, row, rect.column, rect.columns,
                        wide ? _("%d × %d pixels at %d, %d %s by %+d, %+d") : _("%d×%d at %d, %d %s by %+d, %+d"), e->width,
                        e->height, e->x, e->y, change_name(e->kind), e->dx, e->dy);
        else
            draw_format(pane, STYLE_TEXT, row, rect.column, rect.columns,
                        wide ? _("%d × %d pixels at %d, %d %s") : _("%d×%d at %d, %d %s"), e->width, e->height, e->x, e->y,
                        change_name(e->kind));
    }
}

void edit_page_draw(struct page *page, const struct pane *pane)
{
    struct edit_page *state = page->state;
    struct rect rest = easel_draw(&state->easel, pane);
    int used = draw_original(state, pane, (struct rect){rest.row, rest.column, rest.rows < 5 ? rest.rows : 5, rest.columns});
    used = used < 4 ? 4 : used; // the changes stay where they are
    used += page->body.rows >= 30;
    draw_changes(state, pane, (struct rect){rest.row + used, rest.column, rest.rows - used, rest.columns});
}
