// How a composed scene and its objects are drawn.
#include "ui/page_compose_state.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 50 }; // columns for whole words

static void object_name(const struct compose_page *state, int kind, int color, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", color >= 0 ? world_color_name(state->world, color) : "", color >= 0 ? " " : "",
             world_kind_name(state->world, kind));
}

static void draw_found(const struct compose_page *state, const struct pane *pane, struct rect rect)
{
    draw_title(pane, rect, _("ADD"), state->found_count ? _("Enter takes the first") : NULL, true);
    if (state->found_count == 0)
        draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns, _("the world has nothing of this name"));
    for (int i = 0; i < state->found_count && i + 1 < rect.rows; i++) {
        char name[64];
        object_name(state, state->found[i], state->found_colors[i], name, sizeof name);
        draw_text(pane, i == 0 ? STYLE_SELECTED : STYLE_TEXT, rect.row + 1 + i, rect.column, rect.columns, name);
    }
}

static void draw_object(const struct compose_page *state, const struct pane *pane, struct rect line, int index)
{
    const struct compose_object *o = &state->now.objects[index];
    const struct world_box *box = &state->scene.objects[index].box;
    bool seen = box->x0 < box->x1;
    enum style style = index == state->chosen ? STYLE_CURSOR : seen ? STYLE_TEXT : STYLE_DEAD;
    char name[64];
    int alive, all, end = line.column + line.columns;
    object_name(state, o->kind, o->color, name, sizeof name);
    if (line.columns < WIDE && seen) {
        draw_format(pane, style, line.row, line.column, line.columns, "%-15.15s %3d, %3d %4d", name, o->x, o->y, o->size);
        if (easel_count(&state->easel, (struct area){box->x0, box->y0, box->x1 - box->x0, box->y1 - box->y0}, &alive, &all)) {
            snprintf(name, sizeof name, "%d/%d", alive, all);
            draw_right(pane, alive ? STYLE_ALIVE : STYLE_DEAD, line.row, line.column, line.columns, name);
        }
        return;
    }
    int column = line.column + draw_format(pane, style, line.row, line.column, line.columns,
                                           seen ? _("%-18s %3d, %3d  size %2d") : _("%-18s %3d, %3d  hidden"), name, o->x,
                                           o->y, o->size);
    if (!seen || !easel_count(&state->easel, (struct area){box->x0, box->y0, box->x1 - box->x0, box->y1 - box->y0}, &alive, &all))
        return;
    char kept[64];
    snprintf(kept, sizeof kept, _("  %d of %d patches kept"), alive, all);
    if (draw_width(kept) > end - column)
        snprintf(kept, sizeof kept, " %d/%d", alive, all);
    draw_text(pane, alive ? STYLE_ALIVE : STYLE_DEAD, line.row, column, end - column, kept);
}

static void draw_objects(const struct compose_page *state, const struct pane *pane, struct rect rect)
{
    int rows = rect.rows - 1, first = state->chosen >= rows && rows > 0 ? state->chosen - rows + 1 : 0;
    bool wide = rect.columns >= WIDE;
    draw_title(pane, rect, _("OBJECTS"), wide ? _("back to front") : in_("patches", "kept"), false);
    if (!wide) { // above the numbers
        draw_right(pane, STYLE_DIM, rect.row, rect.column + 15, 9, " x, y");
        draw_right(pane, STYLE_DIM, rect.row, rect.column + 24, 6, _(" size "));
    }
    for (int i = first; i < state->now.count && i - first < rows; i++)
        draw_object(state, pane, (struct rect){rect.row + 1 + i - first, rect.column, 1, rect.columns}, i);
}

static void draw_truth(const struct compose_page *state, const struct pane *pane, struct rect rect)
{
    const struct trace_answer *answer = easel_answer(&state->easel);
    if (!state->truth[0] || !answer || state->truth_stale)
        return;
    bool right = !strcmp(answer->text, state->truth);
    char text[sizeof state->truth + 96], brief[sizeof text];
    snprintf(text, sizeof text, right ? _("true answer: '%s', the model is right") : _("true answer: '%s', the model is wrong"),
             state->truth);
    snprintf(brief, sizeof brief, right ? _("'%s' is right") : _("wrong: it is '%s'"), state->truth);
    draw_fitting(pane, right ? STYLE_ALIVE : STYLE_WARN, rect.row, rect.column, rect.columns, text, brief);
}

void compose_page_draw(struct page *page, const struct pane *pane)
{
    struct compose_page *state = page->state;
    if (!state->world) {
        draw_text(pane, STYLE_DIM, page->body.row, page->body.column, page->body.columns, _("opening the world …"));
        return;
    }
    struct rect rest = easel_draw(&state->easel, pane);
    draw_truth(state, pane, rest);
    rest.row++;
    rest.rows--;
    if (state->adding && page->screen->prompt.kind == PROMPT_PAGE)
        draw_found(state, pane, rest);
    else
        draw_objects(state, pane, rest);
}
