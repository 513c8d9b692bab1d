#include "ui/scene.h"

#include "ui/paint.h"
#include "ui/panels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int scene_pictures(const struct view *view)
{
    return view->has_trace ? view->trace.picture_count : 0;
}

double scene_aspect(const struct view *view)
{
    return portrait_aspect(view);
}

// ---- film strip
// -----------------------------------------------------------------------------------------------

// A page of text: a line for each few words, bright while they live.
static void paint_page(struct canvas *canvas, struct area area, const struct scene_context *context,
                       int stage)
{
    const struct view *view = context->view;
    unsigned char colors[PAINT_FIXED][3], dim[3];
    paint_fixed_colors(context->theme, colors);
    for (int i = 0; i < 3; i++)
        dim[i] = (unsigned char)((colors[0][i] * 3 + colors[1][i]) / 4);
    canvas_fill(canvas, area, colors[7]);
    bool fine = area.width >= 24;
    int margin = fine ? area.width / 8 : 1, line = fine ? area.height / 8 : 1, x = margin, y = margin;
    int letter = fine ? (area.width - 2 * margin) / 14 : 1;
    for (int i = 0; i < view->trace.token_count; i++) {
        const struct trace_token *token = &view->trace.tokens[i];
        int letters = !fine ? 2 : token->to > token->from ? token->to - token->from : 1;
        int width = letters * (letter > 0 ? letter : 1);
        if (x + width > area.width - margin && x > margin) {
            x = margin;
            y += fine ? line + line / 2 + 1 : 2;
        }
        if (y + line > area.height || x >= area.width)
            break;
        width = x + width > area.width - margin ? area.width - margin - x : width;
        bool alive = view_alive(view, stage, TRACE_TEXT_STREAM, i);
        int sunk = fine && !alive ? line / 3 : 0; // a dropped word is a thin line
        canvas_fill(canvas, (struct area){area.x + x, area.y + y + sunk, width, line - 2 * sunk},
                    alive ? colors[context->theme->dark ? 5 : 6] : dim);
        x += width + (fine ? letter : 1);
    }
}

static bool paint_thumbnail(struct scene *scene, const struct scene_context *context, int stage,
                            struct area area)
{
    struct portrait_request request = {.view = context->view,
                                       .stage = stage,
                                       .theme = context->theme,
                                       .terminal = context->terminal,
                                       .graphics = context->graphics,
                                       .cursor = -1};
    return portrait_thumbnail(&scene->portrait, &scene->strip.canvas, area, &request);
}

static bool paint_strip(struct scene *scene, const struct scene_context *context)
{
    const struct view *view = context->view;
    const struct layout *layout = context->layout;
    struct rect rect = layout->strip;
    int cell_width, cell_height, rows = rect.rows - 2;
    image_cell_pixels(context->terminal, context->graphics, &cell_width, &cell_height);
    int column = layout->strip_column_width * cell_width, shown = layout->strip_shown;
    int width = shown * column - cell_width, height = rows * cell_height;
    struct canvas *canvas = &scene->strip.canvas;
    if (!canvas_resize(canvas, width, height))
        return false;
    scene->strip.cells = (struct rect){rect.row, rect.column, rows, width / cell_width};
    canvas_fill(canvas, (struct area){0, 0, width, height}, context->theme->background);
    unsigned char colors[PAINT_FIXED][3];
    paint_fixed_colors(context->theme, colors);
    double pixel = image_pixel_aspect(context->terminal, context->graphics), aspect = scene_aspect(view);
    int wide = column - cell_width, tall = (int)(wide * pixel / aspect + 0.5);
    if (tall > height) {
        tall = height;
        wide = (int)(tall * aspect / pixel + 0.5);
        wide = wide > column - cell_width ? column - cell_width : wide;
    }
    int first = panel_strip_first(layout, view);
    for (int i = 0; i < shown; i++) {
        struct area area = {i * column + (column - cell_width - wide) / 2, (height - tall) / 2, wide, tall};
        int index = first + i;
        if (index >= view->trace.stage_count)
            canvas_fill(canvas, area, colors[7]);
        else if (view_is_of_words(&view->trace.stages[index]))
            paint_page(canvas, area, context, index);
        else if (!paint_thumbnail(scene, context, index, area))
            return false;
    }
    return true;
}

// ---- frames
// ---------------------------------------------------------------------------------------------------

static bool paint_main(struct scene *scene, const struct scene_context *context)
{
    const struct view *view = context->view;
    struct portrait_request request = {
        .view = view,
        .stage = view_stage(view),
        .rect = context->layout->picture,
        .theme = context->theme,
        .terminal = context->terminal,
        .graphics = context->graphics,
        .rim = true,
        .picture = view->picture,
        .cursor = view->focus == FOCUS_PATCHES ? view->patch : -1,
        .change_looks = context->change_looks,
        .context = context->looks_of,
    };
    return portrait_paint(&scene->portrait, &scene->main, &request);
}

static bool same_key(const struct scene_key *a, const struct scene_key *b)
{
    return a->serial == b->serial && a->theme_serial == b->theme_serial && a->stage == b->stage &&
           a->show == b->show && a->cursor == b->cursor && a->picture == b->picture && a->first == b->first && a->marks == b->marks &&
           a->rect.row == b->rect.row && a->rect.column == b->rect.column && a->rect.rows == b->rect.rows &&
           a->rect.columns == b->rect.columns && a->cell_width == b->cell_width &&
           a->cell_height == b->cell_height && a->graphics == b->graphics;
}

bool scene_update(struct scene *scene, const struct scene_context *context)
{
    const struct view *view = context->view;
    if (view_stage(view) < 0 || scene_pictures(view) == 0)
        return true;
    if (context->graphics == GRAPHICS_SIXEL &&
        !portrait_colors_update(&scene->colors, context->view, context->view->picture_serial, context->theme,
                                context->theme_serial))
        return false;
    struct scene_key key = {.serial = view->serial + 1,
                            .theme_serial = context->theme_serial,
                            .stage = view_stage(view),
                            .show = (int)view->show,
                            .cursor = view->focus == FOCUS_PATCHES ? view->patch : -1,
                            .picture = view->picture,
                            .rect = context->layout->picture,
                            .cell_width = context->terminal->cell_width,
                            .cell_height = context->terminal->cell_height,
                            .marks = context->marks,
                            .graphics = (int)context->graphics};
    if (!same_key(&key, &scene->main_key)) {
        if (!paint_main(scene, context))
            return false;
        scene->main_key = key;
    }
    key.stage = key.show = key.cursor = key.picture = 0;
    key.marks = 0;
    key.first = panel_strip_first(context->layout, view);
    key.rect = context->layout->strip;
    if (!same_key(&key, &scene->strip_key)) {
        if (!paint_strip(scene, context))
            return false;
        scene->strip_key = key;
    }
    return true;
}

bool scene_hit(const struct scene *scene, const struct scene_context *context, int row, int column,
               int *picture, int *patch)
{
    struct portrait_request request = {.view = context->view, .terminal = context->terminal, .graphics = context->graphics};
    return portrait_hit(&scene->portrait, &scene->main, &request, row, column, picture, patch);
}

void scene_free(struct scene *scene)
{
    image_free(&scene->main);
    image_free(&scene->strip);
    portrait_free(&scene->portrait);
    *scene = (struct scene){0};
}
