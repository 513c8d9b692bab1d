// Names, counts and the marker of the film strip.
#include "ui/panels.h"
#include "ui/words.h"

#include <stdio.h>

int panel_strip_first(const struct layout *layout, const struct view *view)
{
    int total =
        view->trace.stage_total > view->trace.stage_count ? view->trace.stage_total : view->trace.stage_count;
    int stage = view_stage(view), shown = layout->strip_shown;
    if (total <= shown || stage < shown / 2)
        return 0;
    int first = stage - shown / 2;
    return first > total - shown ? total - shown : first;
}

static void count_text(const struct view *view, int index, char *out, size_t size)
{
    const struct stage *stage = &view->trace.stages[index];
    out[0] = 0;
    int stream = view_is_of_words(stage) ? TRACE_TEXT_STREAM : stage->stream; // -1: patches of all pictures
    if (stage->kind != STAGE_ANSWER)
        snprintf(out, size, "%d", stream < 0 ? view_alive_patches(view, index, NULL)
                                             : view_alive_count(view, index, stream, NULL));
    else if (stage->answer_count > 0)
        snprintf(out, size, _("'%s'"), stage->answers[0].text); // an answer may be a number, and is no count
}

static void draw_strip_title(const struct pane *pane, struct rect rect)
{
    int total = pane->view->trace.stage_total, shown = pane->layout->strip_shown;
    int first = panel_strip_first(pane->layout, pane->view);
    char name[64];
    snprintf(name, sizeof name, "%s", _("STAGES"));
    if (total > shown)
        snprintf(name, sizeof name, _("STAGES %d to %d of %d"), first + 1, first + shown, total);
    draw_title(pane, rect, name, _("below each: patches alive, or words while only the question is read"), false);
}

void panel_strip(const struct pane *pane)
{
    const struct view *view = pane->view;
    struct rect rect = pane->layout->strip;
    if (!view->has_trace)
        return;
    struct rect title = {rect.row - 1, rect.column, 1, rect.columns};
    if (pane->layout->strip_titled)
        draw_strip_title(pane, title);
    int width = pane->layout->strip_column_width, inner = width - 1, now = view_stage(view);
    int first = panel_strip_first(pane->layout, view);
    int names = rect.row + rect.rows - 2;
    for (int i = 0; i < pane->layout->strip_shown; i++) {
        int index = first + i, column = rect.column + i * width;
        if (index >= view->trace.stage_count) {
            draw_text(pane, STYLE_DIM, names, column + inner / 2, 1, pane->theme->glyphs->dot);
            continue;
        }
        char name[TRACE_TEXT], count[TRACE_TEXT + 8];
        view_fit_stage_name(&view->trace, &view->trace.stages[index], inner, name, sizeof name);
        count_text(view, index, count, sizeof count);
        int name_width = draw_width(name), count_width = draw_width(count);
        if (count_width > inner && view->trace.stages[index].kind == STAGE_ANSWER)
            count[0] = 0; // half an answer says nothing that the panel above does not say whole
        int indent = name_width < inner ? (inner - name_width) / 2 : 0;
        if (index == now) {
            theme_set(pane->theme, STYLE_CURSOR);
            for (int c = 0; c < inner; c++)
                mvaddch(names, column + c, ' ');
        }
        draw_text(pane, index == now ? STYLE_CURSOR : STYLE_TEXT, names, column + indent, inner - indent,
                  name);
        indent = count_width < inner ? (inner - count_width) / 2 : 0;
        draw_text(pane, index == now ? STYLE_STRONG : STYLE_DIM, names + 1, column + indent, inner - indent,
                  count);
    }
}

int panel_strip_hit(const struct pane *pane, int row, int column)
{
    struct rect rect = pane->layout->strip;
    if (!rect_holds(rect, row, column) || !pane->view->has_trace)
        return -1;
    int index = panel_strip_first(pane->layout, pane->view) +
                (column - rect.column) / pane->layout->strip_column_width;
    return index < pane->view->trace.stage_count ? index : -1;
}
