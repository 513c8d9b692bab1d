// What an edited copy does to the answer, and its changes.
#include "ui/page_edit_state.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

static void draw_original(const struct edit_page *state, const struct pane *pane, struct rect rect)
{
    const struct trace_answer *now = easel_answer(&state->easel), *was = &state->original_answer;
    const struct trace *trace = &state->easel.view.trace;
    int by_hand = state->easel.page->screen->view.trace.intervention_count;
    char right[96] = "";
    if (by_hand)
        snprintf(right, sizeof right, ngettext_(by_hand, "without the %d change by hand", "without the %d changes by hand"), by_hand);
    draw_title(pane, rect, _("ORIGINAL"), by_hand ? right : NULL, false);
    if (!was->text[0]) {
        draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns, _("asking …"));
        return;
    }
    draw_format(pane, STYLE_TEXT, rect.row + 1, rect.column, rect.columns, _("'%s' %.1f %%, %.0f %% of the unpruned FLOPs"),
                was->text, 100 * (double)was->p, 100 * state->original_share);
    if (!now || rect.rows < 3 || state->count + state->carrying == 0)
        return;
    double share = trace->dense_macs > 0 ? 100 * (trace->spent_macs / trace->dense_macs - state->original_share) : 0;
    if (!strcmp(now->text, was->text))
        draw_format(pane, STYLE_DIM, rect.row + 2, rect.column, rect.columns,
                    _("changed: the answer stays, %+.1f points; FLOPs %+.0f points"), 100 * (double)(now->p - was->p), share);
    else
        draw_format(pane, STYLE_WARN, rect.row + 2, rect.column, rect.columns,
                    _("changed: the answer turns to '%s' %.1f %%; FLOPs %+.0f points"), now->text, 100 * (double)now->p, share);
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
        int row = rect.row + 1 + i - first;
        if (e->kind == EDIT_MOVE)
            draw_format(pane, STYLE_TEXT, row, rect.column, rect.columns, _("%d × %d pixels at %d, %d %s by %+d, %+d"), e->width,
                        e->height, e->x, e->y, change_name(e->kind), e->dx, e->dy);
        else
            draw_format(pane, STYLE_TEXT, row, rect.column, rect.columns, _("%d × %d pixels at %d, %d %s"), e->width, e->height,
                        e->x, e->y, change_name(e->kind));
    }
}

void edit_page_draw(struct page *page, const struct pane *pane)
{
    struct edit_page *state = page->state;
    struct rect rest = easel_draw(&state->easel, pane);
    int rows = rest.rows < 4 ? rest.rows : 4;
    draw_original(state, pane, (struct rect){rest.row, rest.column, rows < 3 ? rows : 3, rest.columns});
    draw_changes(state, pane, (struct rect){rest.row + rows, rest.column, rest.rows - rows, rest.columns});
}
