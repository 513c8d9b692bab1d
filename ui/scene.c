#include "ui/scene.h"

#include "ui/paint.h"
#include "ui/panels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int grid_rows(const struct view *view, int picture)
{
    return view->trace.pictures[picture].grid_rows;
}

static int grid_columns(const struct view *view, int picture)
{
    return view->trace.pictures[picture].grid_columns;
}

static int scene_pictures(const struct view *view)
{
    return view->has_trace ? view->trace.picture_count : 0;
}

double scene_aspect(const struct view *view)
{
    double aspect = 0;
    for (int p = 0; p < scene_pictures(view); p++)
        aspect += (double)grid_columns(view, p) / grid_rows(view, p);
    return aspect > 0 ? (aspect < 8 ? aspect : 8) : 1;
}

// Fills a canvas with the picture, or with a grey board where there is none.
static bool scale_picture(struct canvas *canvas, const struct backend_picture *picture)
{
    if (picture->rgb && picture->width > 0 && picture->height > 0)
        return canvas_scale(canvas, picture->rgb, picture->width, picture->height);
    int field = canvas->width / 24 + 1;
    for (int y = 0; y < canvas->height; y++)
        for (int x = 0; x < canvas->width; x++)
            memset(canvas->rgb + ((size_t)y * canvas->width + x) * 3, (x / field + y / field) % 2 ? 150 : 136,
                   3);
    return true;
}

// The canvas and the areas of the pictures in it: as large as the rectangle and the terminal allow. Where
// pixels are small every patch gets the same whole number of them.
static bool place_pictures(struct scene *scene, const struct scene_context *context)
{
    const struct view *view = context->view;
    struct rect rect = context->layout->picture;
    int cell_width, cell_height, pictures = scene_pictures(view);
    image_cell_pixels(context->terminal, context->graphics, &cell_width, &cell_height);
    int width = rect.columns * cell_width, height = rect.rows * cell_height;
    bool sixel = context->graphics == GRAPHICS_SIXEL;
    if (sixel && height > context->terminal->most_height)
        height = context->terminal->most_height;
    double pixel = image_pixel_aspect(context->terminal, context->graphics), aspect = scene_aspect(view);
    int gap = pictures > 1 ? cell_width : 0, across = 0, tall = 0, x = 0;
    double tallest = fmin(height, (width - gap) * pixel / aspect);
    for (int p = 0; p < pictures; p++) {
        double patch = tallest / grid_rows(view, p);
        if (sixel && patch >= 4)
            patch = floor(patch);
        struct area *area = &scene->areas[p];
        *area = (struct area){x, 0, (int)(patch * grid_columns(view, p) / pixel),
                              (int)(patch * grid_rows(view, p))};
        area->width = area->width > 0 ? area->width : 1;
        area->height = area->height > 0 ? area->height : 1;
        across = x + area->width;
        tall = area->height > tall ? area->height : tall;
        x += area->width + gap;
    }
    if (!sixel) { // whole cells
        across = (across + cell_width - 1) / cell_width * cell_width;
        tall = (tall + cell_height - 1) / cell_height * cell_height;
    }
    int columns = (across + cell_width - 1) / cell_width, rows = (tall + cell_height - 1) / cell_height;
    scene->main.cells = (struct rect){rect.row, rect.column, rows, columns};
    return pictures > 0 && canvas_resize(&scene->main.canvas, across, tall);
}

static bool update_scaled(struct canvas *canvas, unsigned *serial, const struct view *view, int picture,
                          int width, int height)
{
    if (canvas->rgb && canvas->width == width && canvas->height == height &&
        *serial == view->picture_serial + 1)
        return true;
    *serial = view->picture_serial + 1;
    return canvas_resize(canvas, width, height) && scale_picture(canvas, &view->pictures[picture]);
}

static bool paint_main(struct scene *scene, const struct scene_context *context)
{
    const struct view *view = context->view;
    struct image *image = &scene->main;
    if (!place_pictures(scene, context))
        return false;
    struct area whole = {0, 0, image->canvas.width, image->canvas.height};
    canvas_fill(&image->canvas, whole, context->theme->background);
    for (int p = 0; p < scene_pictures(view); p++) {
        int rows = grid_rows(view, p), columns = grid_columns(view, p);
        struct area area = scene->areas[p];
        if (!update_scaled(&scene->clear[p], &scene->clear_serial[p], view, p, area.width, area.height))
            return false;
        struct patch_look *looks = malloc((size_t)rows * columns * sizeof *looks);
        if (!looks)
            return false;
        paint_looks(view, view_stage(view), p, looks);
        struct paint paint = {.theme = context->theme,
                              .clear = &scene->clear[p],
                              .looks = looks,
                              .rows = rows,
                              .columns = columns,
                              .fine = context->graphics == GRAPHICS_SIXEL,
                              .ascii = context->graphics == GRAPHICS_ASCII,
                              .cursor =
                                  view->focus == FOCUS_PATCHES && view->picture == p ? view->patch : -1};
        paint_picture(&image->canvas, area, &paint);
        free(looks);
    }
    return true;
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
    const struct view *view = context->view;
    int pictures = scene_pictures(view), x = area.x;
    int each = (area.width - (pictures - 1)) / pictures;
    for (int p = 0; p < pictures; p++, x += each + 1) {
        int rows = grid_rows(view, p), columns = grid_columns(view, p);
        int height = area.height / (pictures > 1 ? pictures : 1);
        struct area part = {x, area.y + (area.height - height) / 2, each, height};
        if (!update_scaled(&scene->small[p], &scene->small_serial[p], view, p, part.width, part.height))
            return false;
        struct patch_look *looks = malloc((size_t)rows * columns * sizeof *looks);
        if (!looks)
            return false;
        struct view plain = *view;
        plain.show = SHOW_SURVIVORS;
        paint_looks(&plain, stage, p, looks);
        for (int i = 0; i < rows * columns; i++)
            looks[i].fresh = false;
        struct paint paint = {.theme = context->theme,
                              .clear = &scene->small[p],
                              .looks = looks,
                              .rows = rows,
                              .columns = columns,
                              .ascii = context->graphics == GRAPHICS_ASCII,
                              .cursor = -1};
        paint_picture(&scene->strip.canvas, part, &paint);
        free(looks);
    }
    return true;
}

static bool is_text_stage(const struct view *view, int index)
{
    const struct stage *stage = &view->trace.stages[index];
    return stage->kind == STAGE_TEXT || (stage->kind == STAGE_EMBED && stage->stream == TRACE_TEXT_STREAM);
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
        else if (is_text_stage(view, index))
            paint_page(canvas, area, context, index);
        else if (!paint_thumbnail(scene, context, index, area))
            return false;
    }
    return true;
}

// ---- palette
// --------------------------------------------------------------------------------------------------

// Trained on the picture as it can come to look: clear, dim, just dropped, and under every score.
static bool update_palette(struct scene *scene, const struct scene_context *context)
{
    enum { SIDE = 96, FIELDS = 12, VARIANTS = 8, DIM = 4, FRESH = 5, TINTED = 6 }; // clear ones count most
    const struct view *view = context->view;
    if (scene->palette.count > 0 && scene->palette_picture_serial == view->picture_serial &&
        scene->palette_theme_serial == context->theme_serial)
        return true;
    struct canvas sample = {0}, clear = {0};
    struct patch_look looks[FIELDS * FIELDS];
    int pictures = scene_pictures(view);
    bool done = canvas_resize(&sample, SIDE, SIDE * VARIANTS * pictures) && canvas_resize(&clear, SIDE, SIDE);
    for (int p = 0; done && p < pictures; p++) {
        done = scale_picture(&clear, &view->pictures[p]);
        for (int variant = 0; done && variant < VARIANTS; variant++) {
            for (int i = 0; i < FIELDS * FIELDS; i++)
                looks[i] = (struct patch_look){.alive = variant != DIM && variant != FRESH,
                                               .fresh = variant == FRESH,
                                               .tint = variant >= TINTED ? (float)(i * 37 % 101) / 100 : NAN};
            struct paint paint = {.theme = context->theme,
                                  .clear = &clear,
                                  .looks = looks,
                                  .rows = FIELDS,
                                  .columns = FIELDS,
                                  .cursor = -1};
            paint_picture(&sample, (struct area){0, (p * VARIANTS + variant) * SIDE, SIDE, SIDE}, &paint);
        }
    }
    unsigned char fixed[PAINT_FIXED][3];
    paint_fixed_colors(context->theme, fixed);
    done = done && palette_make(&scene->palette, sample.rgb, sample.width, sample.height,
                                (const unsigned char(*)[3])fixed, PAINT_FIXED, PALETTE_MOST);
    canvas_free(&sample);
    canvas_free(&clear);
    scene->palette_serial++;
    scene->palette_picture_serial = view->picture_serial;
    scene->palette_theme_serial = context->theme_serial;
    return done;
}

static bool same_key(const struct scene_key *a, const struct scene_key *b)
{
    return a->serial == b->serial && a->theme_serial == b->theme_serial && a->stage == b->stage &&
           a->show == b->show && a->cursor == b->cursor && a->picture == b->picture && a->first == b->first &&
           a->rect.row == b->rect.row && a->rect.column == b->rect.column && a->rect.rows == b->rect.rows &&
           a->rect.columns == b->rect.columns && a->cell_width == b->cell_width &&
           a->cell_height == b->cell_height && a->graphics == b->graphics;
}

bool scene_update(struct scene *scene, const struct scene_context *context)
{
    const struct view *view = context->view;
    if (view_stage(view) < 0 || scene_pictures(view) == 0)
        return true;
    if (context->graphics == GRAPHICS_SIXEL && !update_palette(scene, context))
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
                            .graphics = (int)context->graphics};
    if (!same_key(&key, &scene->main_key)) {
        if (!paint_main(scene, context))
            return false;
        scene->main_key = key;
    }
    key.stage = key.show = key.cursor = key.picture = 0;
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
    if (!rect_holds(scene->main.cells, row, column))
        return false;
    int cell_width, cell_height;
    image_cell_pixels(context->terminal, context->graphics, &cell_width, &cell_height);
    int x = (column - scene->main.cells.column) * cell_width + cell_width / 2;
    int y = (row - scene->main.cells.row) * cell_height + cell_height / 2;
    for (int p = 0; p < scene_pictures(context->view); p++) {
        struct area area = scene->areas[p];
        int rows = grid_rows(context->view, p), columns = grid_columns(context->view, p);
        for (int i = 0; i < rows * columns; i++) {
            struct area one = paint_patch_area(area, rows, columns, i);
            if (x >= one.x && x < one.x + one.width && y >= one.y && y < one.y + one.height) {
                *picture = p;
                *patch = i;
                return true;
            }
        }
    }
    return false;
}

void scene_free(struct scene *scene)
{
    image_free(&scene->main);
    image_free(&scene->strip);
    for (int p = 0; p < TRACE_PICTURES; p++) {
        canvas_free(&scene->clear[p]);
        canvas_free(&scene->small[p]);
    }
    *scene = (struct scene){0};
}
