// One cell per attention head of the stage: a row for each stream, its modules side by side.
#include "ui/panels.h"
#include "ui/words.h"

#include <stdio.h>

enum { NAME_WIDTH = 10 };

// Cells per head: two where all heads of a row fit, else one.
static int head_step(const struct pane *pane, int stage)
{
    int widest = 0;
    for (int stream = 0; stream < TRACE_STREAMS; stream++) {
        int width = 0;
        for (int module = 0; module < MODULES; module++) {
            const struct trace_heads *heads =
                view_heads(pane->view, stage, stream, (enum attention_module)module);
            if (heads)
                width += 9 + 2 * heads->count;
        }
        widest = width > widest ? width : widest;
    }
    return NAME_WIDTH + widest <= pane->layout->heads.columns ? 2 : 1;
}

// Where the cells of a module start, relative to the panel.
static int module_column(const struct pane *pane, int stage, int stream, enum attention_module module,
                         int step)
{
    int column = NAME_WIDTH;
    for (int m = 0; m < (int)module; m++) {
        const struct trace_heads *heads = view_heads(pane->view, stage, stream, (enum attention_module)m);
        if (heads)
            column += draw_width(view_module_name((enum attention_module)m)) + 1 + step * heads->count + 2;
    }
    return column + draw_width(view_module_name(module)) + 1;
}

static void draw_module(const struct pane *pane, int row, int stage, int stream, enum attention_module module,
                        int step)
{
    const struct view *view = pane->view;
    const struct trace_heads *heads = view_heads(view, stage, stream, module);
    struct rect rect = pane->layout->heads;
    if (!heads)
        return;
    const char *name = view_module_name(module);
    int column = module_column(pane, stage, stream, module, step), end = rect.columns;
    draw_text(pane, STYLE_DIM, row, rect.column + column - draw_width(name) - 1, draw_width(name), name);
    for (int h = 0; h < heads->count && column + h * step < end; h++) {
        bool here = view->focus == FOCUS_HEADS && view->head.stream == stream &&
                    view->head.module == module && view->head.head == h;
        struct head_place place = {stream, module, h};
        enum style marked, style = heads->on[h] ? STYLE_ALIVE : STYLE_DEAD;
        const char *glyph = heads->on[h] ? pane->theme->glyphs->live : pane->theme->glyphs->dropped;
        const char *mark = pane->marks ? draw_patch_mark(pane, pane->marks->head(pane->marks->context, &place), &marked) : "";
        if (*mark) {
            glyph = mark;
            style = marked;
        }
        style = here ? STYLE_CURSOR : style;
        draw_text(pane, style, row, rect.column + column + h * step, 1, glyph);
    }
}

void panel_heads(const struct pane *pane)
{
    const struct view *view = pane->view;
    struct rect rect = pane->layout->heads;
    int stage = view_stage(view), live = 0, all = 0;
    for (int stream = 0; stream < TRACE_STREAMS; stream++)
        for (int module = 0; module < MODULES; module++) {
            const struct trace_heads *heads = view_heads(view, stage, stream, (enum attention_module)module);
            for (int h = 0; heads && h < heads->count; h++)
                all++, live += heads->on[h] != 0;
        }
    char right[96];
    const struct glyphs *glyphs = pane->theme->glyphs;
    snprintf(right, sizeof right, _("%s live  %s dropped   %d of %d"), glyphs->live, glyphs->dropped, live,
             all);
    draw_title(pane, rect, _("HEADS"), all > 0 ? right : NULL, view->focus == FOCUS_HEADS);
    if (stage < 0)
        return;
    int step = head_step(pane, stage), row = rect.row + 1;
    for (int stream = 0; stream < TRACE_STREAMS; stream++) {
        if (!view_has_stream(view, stream) || row >= rect.row + rect.rows)
            continue;
        bool any = false;
        for (int module = 0; module < MODULES; module++)
            any |= view_heads(view, stage, stream, (enum attention_module)module) != NULL;
        draw_text(pane, any ? STYLE_TEXT : STYLE_DIM, row, rect.column, NAME_WIDTH - 1,
                  view_stream_name(view, stream));
        bool decoder = !any && view->trace.stages[stage].kind == STAGE_DECODE;
        if (!any)
            draw_text(pane, STYLE_DIM, row, rect.column + NAME_WIDTH, rect.columns - NAME_WIDTH,
                      decoder ? _("in the decoder: press A") : _("no attention in this stage"));
        for (int module = 0; module < MODULES; module++)
            draw_module(pane, row, stage, stream, (enum attention_module)module, step);
        row++;
    }
}

bool panel_heads_hit(const struct pane *pane, int row, int column, struct head_place *place)
{
    struct rect rect = pane->layout->heads;
    int stage = view_stage(pane->view), step, at = rect.row + 1;
    if (stage < 0 || !rect_holds(rect, row, column))
        return false;
    step = head_step(pane, stage);
    for (int stream = 0; stream < TRACE_STREAMS; stream++) {
        if (!view_has_stream(pane->view, stream))
            continue;
        for (int module = 0; row == at && module < MODULES; module++) {
            const struct trace_heads *heads =
                view_heads(pane->view, stage, stream, (enum attention_module)module);
            int first = rect.column + module_column(pane, stage, stream, (enum attention_module)module, step);
            if (heads && column >= first && column < first + step * heads->count) {
                *place = (struct head_place){stream, (enum attention_module)module, (column - first) / step};
                return true;
            }
        }
        at++;
    }
    return false;
}

static bool move_module(const struct view *view, int stage, struct head_place *place, int direction)
{
    for (int m = (int)place->module + direction; m >= 0 && m < MODULES; m += direction) {
        const struct trace_heads *heads = view_heads(view, stage, place->stream, (enum attention_module)m);
        if (heads) {
            place->module = (enum attention_module)m;
            place->head = direction > 0 ? 0 : heads->count - 1;
            return true;
        }
    }
    return false;
}

bool panel_heads_move(const struct view *view, struct head_place *place, int rows, int columns)
{
    int stage = view_stage(view);
    const struct trace_heads *heads = view_heads(view, stage, place->stream, place->module);
    if (!heads)
        return view_first_head(view, stage, place);
    if (columns != 0) {
        int head = place->head + columns;
        if (head < 0 || head >= heads->count)
            return move_module(view, stage, place, columns);
        place->head = head;
        return true;
    }
    for (int stream = place->stream + rows; stream >= 0 && stream < TRACE_STREAMS; stream += rows) {
        struct head_place other = {stream, place->module, place->head};
        const struct trace_heads *there = view_heads(view, stage, stream, place->module);
        if (!there)
            continue;
        other.head = other.head < there->count ? other.head : there->count - 1;
        *place = other;
        return true;
    }
    return false;
}
