#include "ui/portrait.h"

#include "ui/rim.h"

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

static int picture_count(const struct view *view)
{
    return view->has_trace ? view->trace.picture_count : 0;
}

double portrait_aspect(const struct view *view)
{
    double aspect = 0;
    for (int p = 0; p < picture_count(view); p++)
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

// Keeps a copy of what was scaled. No memory for it: the next picture is scaled as a whole.
static void keep_picture(struct backend_picture *kept, const struct backend_picture *picture)
{
    size_t bytes = picture->rgb ? (size_t)picture->width * (size_t)picture->height * 3 : 0;
    if (kept->width != picture->width || kept->height != picture->height || !bytes) {
        free(kept->rgb);
        *kept = (struct backend_picture){.width = picture->width, .height = picture->height, .rgb = bytes ? malloc(bytes) : NULL};
    }
    if (kept->rgb)
        memcpy(kept->rgb, picture->rgb, bytes);
}

// Where a picture is changed little by little (compose, edit), only what is another is scaled again.
static bool update_clear(struct portrait *portrait, const struct view *view, int p, int width, int height)
{
    const struct backend_picture *now = &view->pictures[p];
    struct backend_picture *kept = &portrait->clear_of[p];
    struct canvas *clear = &portrait->clear[p];
    bool fits = clear->rgb && clear->width == width && clear->height == height;
    if (fits && portrait->clear_serial[p] == view->picture_serial + 1)
        return true;
    bool change = fits && portrait->clear_serial[p] > 0 && kept->rgb && now->rgb && kept->width == now->width &&
                  kept->height == now->height;
    portrait->clear_serial[p] = 0;
    if (change ? !canvas_scale_change(clear, kept->rgb, now->rgb, now->width, now->height)
               : !canvas_resize(clear, width, height) || !scale_picture(clear, now))
        return false;
    portrait->clear_serial[p] = view->picture_serial + 1;
    keep_picture(kept, now);
    return true;
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

// ---- the large one
// ---------------------------------------------------------------------------------------------

// How thick the border of a picture is at either end, where so many pixels are left there; whole cells, where pixels are
// cells, so that the patches stay where cells begin.
static int rim_pixels(const struct portrait_request *request, int p, const struct area *area, int across, int down,
                      bool *sides)
{
    int cell_width, cell_height;
    double share = rim_share(request->view, p, sides);
    image_cell_pixels(request->terminal, request->graphics, &cell_width, &cell_height);
    if (!request->rim || share <= 0)
        return 0;
    int rim = (int)(share * (*sides ? area->width : area->height) + 0.5), most = *sides ? across : down;
    rim = rim < most ? rim : most;
    if (request->graphics != GRAPHICS_SIXEL)
        rim -= rim % (*sides ? cell_width : cell_height);
    return rim > 0 ? rim : 0;
}

// The canvas and the areas of the pictures in it: as large as the rectangle and the terminal allow. Where
// pixels are small every patch gets the same whole number of them.
static bool place_pictures(struct portrait *portrait, struct image *image, const struct portrait_request *request)
{
    const struct view *view = request->view;
    struct rect rect = request->rect;
    int cell_width, cell_height, pictures = picture_count(view);
    image_cell_pixels(request->terminal, request->graphics, &cell_width, &cell_height);
    int width = rect.columns * cell_width, height = rect.rows * cell_height;
    bool sixel = request->graphics == GRAPHICS_SIXEL;
    if (sixel && height > request->terminal->most_height)
        height = request->terminal->most_height;
    double pixel = image_pixel_aspect(request->terminal, request->graphics), aspect = portrait_aspect(view);
    int gap = pictures > 1 ? cell_width : 0, across = 0, tall = 0, top = 0, x = 0;
    double wider = 0, higher = 0;
    if (request->rim)
        rim_of_all(view, &wider, &higher);
    int least = wider > 0 ? 2 * pictures * cell_width : 0; // of what goes on at the sides something is to be seen
    double tallest = fmin(height / (1 + higher), (width - gap - least) * pixel / aspect);
    int left = width - gap;
    for (int p = 0; p < pictures; p++) {
        double patch = tallest / grid_rows(view, p);
        if (sixel && patch >= 4)
            patch = floor(patch);
        struct area *area = &portrait->areas[p];
        area->width = (int)(patch * grid_columns(view, p) / pixel);
        area->height = (int)(patch * grid_rows(view, p));
        area->width = area->width > 0 ? area->width : 1;
        area->height = area->height > 0 ? area->height : 1;
        left -= area->width;
    }
    for (int p = 0; p < pictures; p++) {
        struct area *area = &portrait->areas[p];
        bool sides;
        int rim = rim_pixels(request, p, area, left / pictures / 2, (height - area->height) / 2, &sides);
        portrait->rims[p] = rim;
        area->x = x + (sides ? rim : 0);
        top = !sides && rim > top ? rim : top;
        across = area->x + area->width + (sides ? rim : 0);
        x = across + gap;
    }
    for (int p = 0; p < pictures; p++) { // what is seen of two begins in one line
        portrait->areas[p].y = top;
        tall = portrait->areas[p].height + 2 * top > tall ? portrait->areas[p].height + 2 * top : tall;
    }
    if (!sixel) { // whole cells
        across = (across + cell_width - 1) / cell_width * cell_width;
        tall = (tall + cell_height - 1) / cell_height * cell_height;
    }
    int columns = (across + cell_width - 1) / cell_width, rows = (tall + cell_height - 1) / cell_height;
    image->cells = (struct rect){rect.row, rect.column, rows, columns};
    return pictures > 0 && canvas_resize(&image->canvas, across, tall);
}

// Where pixels are cells, a mark is a character in the middle of its patch.
static bool mark_cells(struct image *image, struct area area, const struct portrait_request *request,
                       const struct patch_look *looks, int rows, int columns)
{
    int cell_width, cell_height;
    image_cell_pixels(request->terminal, request->graphics, &cell_width, &cell_height);
    for (int i = 0; i < rows * columns; i++) {
        struct area patch = paint_patch_area(area, rows, columns, i);
        if (looks[i].mark != PATCH_UNMARKED &&
            !image_mark(image, (patch.y + patch.height / 2) / cell_height, (patch.x + patch.width / 2) / cell_width,
                        looks[i].mark == PATCH_ONLY_HERE ? IMAGE_MARK_FULL : IMAGE_MARK_HOLLOW))
            return false;
    }
    return true;
}

static bool paint_one(struct portrait *portrait, struct image *image, const struct portrait_request *request, int p)
{
    const struct view *view = request->view;
    int rows = grid_rows(view, p), columns = grid_columns(view, p);
    struct area area = portrait->areas[p];
    if (!update_clear(portrait, view, p, area.width, area.height))
        return false;
    struct patch_look *looks = malloc((size_t)rows * columns * sizeof *looks);
    if (!looks)
        return false;
    paint_looks(view, request->stage, p, looks);
    if (request->change_looks)
        request->change_looks(request->context, p, looks, rows * columns);
    struct paint paint = {.theme = request->theme,
                          .clear = &portrait->clear[p],
                          .looks = looks,
                          .rows = rows,
                          .columns = columns,
                          .fine = request->graphics == GRAPHICS_SIXEL,
                          .ascii = request->graphics == GRAPHICS_ASCII,
                          .soft = request->soft,
                          .cursor = request->picture == p ? request->cursor : -1};
    paint_picture(&image->canvas, area, &paint);
    bool done = paint.fine || mark_cells(image, area, request, looks, rows, columns);
    free(looks);
    return done;
}

bool portrait_paint(struct portrait *portrait, struct image *image, const struct portrait_request *request)
{
    if (!place_pictures(portrait, image, request))
        return false;
    image_unmark(image);
    struct area whole = {0, 0, image->canvas.width, image->canvas.height};
    canvas_fill(&image->canvas, whole, request->theme->background);
    for (int p = 0; p < picture_count(request->view); p++)
        if (!paint_one(portrait, image, request, p) ||
            (portrait->rims[p] > 0 && !rim_paint(&image->canvas, portrait->areas[p], portrait->rims[p],
                                                 &request->view->pictures[p], request->theme)))
            return false;
    return true;
}

bool portrait_hit(const struct portrait *portrait, const struct image *image, const struct portrait_request *request,
                  int row, int column, int *picture, int *patch)
{
    if (!rect_holds(image->cells, row, column))
        return false;
    int cell_width, cell_height;
    image_cell_pixels(request->terminal, request->graphics, &cell_width, &cell_height);
    int x = (column - image->cells.column) * cell_width + cell_width / 2;
    int y = (row - image->cells.row) * cell_height + cell_height / 2;
    for (int p = 0; p < picture_count(request->view); p++) {
        struct area area = portrait->areas[p];
        int rows = grid_rows(request->view, p), columns = grid_columns(request->view, p);
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

// ---- thumbnails
// ------------------------------------------------------------------------------------------------

bool portrait_thumbnail(struct portrait *portrait, struct canvas *canvas, struct area area,
                        const struct portrait_request *request)
{
    const struct view *view = request->view;
    int pictures = picture_count(view), x = area.x;
    int each = pictures > 0 ? (area.width - (pictures - 1)) / pictures : 0;
    for (int p = 0; p < pictures; p++, x += each + 1) {
        int rows = grid_rows(view, p), columns = grid_columns(view, p);
        int height = (int)(each * image_pixel_aspect(request->terminal, request->graphics) * rows / columns + 0.5);
        height = height < area.height ? height : area.height;
        struct area part = {x, area.y + (area.height - height) / 2, each, height};
        if (part.width < 1 || part.height < 1)
            continue; // too small to be seen
        if (!update_scaled(&portrait->small[p], &portrait->small_serial[p], view, p, part.width, part.height))
            return false;
        struct patch_look *looks = malloc((size_t)rows * columns * sizeof *looks);
        if (!looks)
            return false;
        struct view plain = *view;
        plain.show = SHOW_SURVIVORS;
        paint_looks(&plain, request->stage, p, looks);
        for (int i = 0; i < rows * columns; i++)
            looks[i].fresh = false;
        struct paint paint = {.theme = request->theme,
                              .clear = &portrait->small[p],
                              .looks = looks,
                              .rows = rows,
                              .columns = columns,
                              .ascii = request->graphics == GRAPHICS_ASCII,
                              .cursor = -1};
        paint_picture(canvas, part, &paint);
        free(looks);
    }
    return true;
}

// ---- palette
// --------------------------------------------------------------------------------------------------

enum { SIDE = 96, FIELDS = 12, VARIANTS = 8, DIM = 4, FRESH = 5, TINTED = 6 }; // clear ones count most

// One picture as it can come to look: clear, dim, just dropped, and under every score.
static bool add_samples(struct canvas *sample, int at, struct canvas *clear, const struct backend_picture *picture,
                        const struct theme *theme)
{
    struct patch_look looks[FIELDS * FIELDS];
    if (!scale_picture(clear, picture))
        return false;
    for (int variant = 0; variant < VARIANTS; variant++) {
        for (int i = 0; i < FIELDS * FIELDS; i++)
            looks[i] = (struct patch_look){.alive = variant != DIM && variant != FRESH,
                                           .fresh = variant == FRESH,
                                           .tint = variant >= TINTED ? (float)(i * 37 % 101) / 100 : NAN};
        struct paint paint = {
            .theme = theme, .clear = clear, .looks = looks, .rows = FIELDS, .columns = FIELDS, .cursor = -1};
        paint_picture(sample, (struct area){0, (at * VARIANTS + variant) * SIDE, SIDE, SIDE}, &paint);
    }
    return true;
}

bool portrait_palette(struct palette *palette, const struct view *const views[], int count, const struct theme *theme)
{
    struct canvas sample = {0}, clear = {0};
    int pictures = 0, at = 0;
    for (int v = 0; v < count; v++)
        pictures += picture_count(views[v]);
    bool done = pictures > 0 && canvas_resize(&sample, SIDE, SIDE * VARIANTS * pictures) &&
                canvas_resize(&clear, SIDE, SIDE);
    for (int v = 0; v < count; v++)
        for (int p = 0; done && p < picture_count(views[v]); p++)
            done = add_samples(&sample, at++, &clear, &views[v]->pictures[p], theme);
    unsigned char fixed[PAINT_FIXED][3];
    paint_fixed_colors(theme, fixed);
    done = done && palette_make(palette, sample.rgb, sample.width, sample.height, (const unsigned char(*)[3])fixed,
                                PAINT_FIXED, PALETTE_MOST);
    canvas_free(&sample);
    canvas_free(&clear);
    return done;
}

bool portrait_colors_update(struct portrait_colors *colors, const struct view *view, unsigned picture_serial,
                            const struct theme *theme, unsigned theme_serial)
{
    if (colors->palette.count > 0 && colors->picture == picture_serial && colors->theme == theme_serial)
        return true;
    colors->serial++;
    colors->picture = picture_serial;
    colors->theme = theme_serial;
    return portrait_palette(&colors->palette, &view, 1, theme);
}

void portrait_free(struct portrait *portrait)
{
    for (int p = 0; p < TRACE_PICTURES; p++) {
        canvas_free(&portrait->clear[p]);
        canvas_free(&portrait->small[p]);
        free(portrait->clear_of[p].rgb);
    }
    *portrait = (struct portrait){0};
}
