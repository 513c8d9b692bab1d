// The same drawing as pixels, by Cairo, with Pango for the text: fonts for every script that are there are found.
#include "ui/drawing_private.h"
#include "ui/pango.h"

#include "engine/io/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIXELS_MOST = 64 << 20 }; // 8192 x 8192

struct png {
    struct drawing drawing;
    const struct pango_functions *call;
    int width, height;
    cairo_surface_t *surface, *images[DRAWING_IMAGES];
    cairo_t *cairo;
    PangoLayout *layout;
};

static struct png *png_of(struct drawing *drawing)
{
    return (struct png *)(void *)drawing;
}

static void set_color(struct png *png, const unsigned char c[3], double opacity)
{
    png->call->cairo_set_source_rgba(png->cairo, c[0] / 255.0, c[1] / 255.0, c[2] / 255.0, opacity);
}

static void png_rect(struct drawing *drawing, struct drawing_box box, const unsigned char color[3], double opacity)
{
    struct png *png = png_of(drawing);
    set_color(png, color, opacity);
    png->call->cairo_rectangle(png->cairo, box.x, box.y, box.width, box.height);
    png->call->cairo_fill(png->cairo);
}

static void png_line(struct drawing *drawing, const double ends[4], double thickness, const unsigned char color[3])
{
    struct png *png = png_of(drawing);
    set_color(png, color, 1);
    png->call->cairo_set_line_width(png->cairo, thickness);
    png->call->cairo_move_to(png->cairo, ends[0], ends[1]);
    png->call->cairo_line_to(png->cairo, ends[2], ends[3]);
    png->call->cairo_stroke(png->cairo);
}

static void set_font(struct png *png, const struct drawing_text *text)
{
    const struct pango_functions *call = png->call;
    PangoFontDescription *font = call->pango_font_description_new();
    call->pango_font_description_set_family(
        font, text->font == DRAWING_MONO ? "DejaVu Sans Mono,Liberation Mono,Noto Sans Mono CJK SC,monospace"
                                         : "Helvetica,Arial,Liberation Sans,Noto Sans CJK SC,sans-serif");
    call->pango_font_description_set_absolute_size(font, text->size * PANGO_SCALE);
    call->pango_font_description_set_weight(font, text->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    call->pango_layout_set_font_description(png->layout, font);
    call->pango_font_description_free(font);
}

static void png_text(struct drawing *drawing, const struct drawing_text *text, const char *clean)
{
    struct png *png = png_of(drawing);
    const struct pango_functions *call = png->call;
    int width_units, height_units;
    set_font(png, text);
    call->pango_layout_set_text(png->layout, clean, -1);
    call->pango_layout_get_size(png->layout, &width_units, &height_units);
    double width = (double)width_units / PANGO_SCALE, stretch = 1;
    if (text->fit > 0 && width > 0)
        stretch = text->fit / width;
    double baseline = (double)call->pango_layout_get_baseline(png->layout) / PANGO_SCALE;
    double left = text->x - width * stretch * (double)text->anchor / 2;
    set_color(png, text->color, 1);
    call->cairo_save(png->cairo);
    call->cairo_translate(png->cairo, left, text->y - baseline);
    call->cairo_scale(png->cairo, stretch, 1);
    call->cairo_move_to(png->cairo, 0, 0);
    call->pango_cairo_show_layout(png->cairo, png->layout);
    call->cairo_restore(png->cairo);
    double under = text->y + text->size * 0.12;
    if (text->underlined)
        drawing_line(drawing, left, under, left + width * stretch, under, text->size / 16, text->color);
}

static bool png_add_image(struct drawing *drawing, int image)
{
    struct png *png = png_of(drawing);
    const struct pango_functions *call = png->call;
    const struct drawing_pixels *pixels = &drawing->images[image];
    cairo_surface_t *surface = call->cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixels->width, pixels->height);
    png->images[image] = surface;
    if (call->cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        drawing->image_count++; // so that it is released
        return false;
    }
    int stride = call->cairo_image_surface_get_stride(surface);
    unsigned char *data = call->cairo_image_surface_get_data(surface);
    const unsigned char *p = pixels->rgb;
    for (int y = 0; y < pixels->height; y++) {
        uint32_t *to = (uint32_t *)(void *)(data + (size_t)y * stride);
        for (int x = 0; x < pixels->width; x++, p += 3)
            to[x] = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    }
    call->cairo_surface_mark_dirty(surface);
    return true;
}

static void png_image(struct drawing *drawing, int image, struct drawing_box box, const struct drawing_box *clips,
                      int clip_count)
{
    struct png *png = png_of(drawing);
    const struct pango_functions *call = png->call;
    const struct drawing_pixels *pixels = &drawing->images[image];
    call->cairo_save(png->cairo);
    for (int i = 0; i < clip_count; i++)
        call->cairo_rectangle(png->cairo, clips[i].x, clips[i].y, clips[i].width, clips[i].height);
    if (clip_count == 0)
        call->cairo_rectangle(png->cairo, box.x, box.y, box.width, box.height);
    call->cairo_clip(png->cairo);
    call->cairo_translate(png->cairo, box.x, box.y);
    call->cairo_scale(png->cairo, box.width / pixels->width, box.height / pixels->height);
    call->cairo_set_source_surface(png->cairo, png->images[image], 0, 0);
    cairo_pattern_t *pattern = call->cairo_get_source(png->cairo);
    call->cairo_pattern_set_filter(pattern, pixels->pixelated ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    call->cairo_pattern_set_extend(pattern, CAIRO_EXTEND_PAD); // or the edges would fade
    call->cairo_paint(png->cairo);
    call->cairo_restore(png->cairo);
}

static bool png_finish(struct drawing *drawing, struct bytes *out, struct error *err)
{
    struct png *png = png_of(drawing);
    const struct pango_functions *call = png->call;
    struct picture picture;
    if (call->cairo_status(png->cairo) != CAIRO_STATUS_SUCCESS)
        return error_no_memory(err, "the drawing");
    call->cairo_surface_flush(png->surface);
    if (!picture_alloc(&picture, png->width, png->height, 3, err))
        return false;
    const unsigned char *data = call->cairo_image_surface_get_data(png->surface);
    int stride = call->cairo_image_surface_get_stride(png->surface);
    unsigned char *to = picture.pixels;
    for (int y = 0; y < png->height; y++) {
        const uint32_t *from = (const uint32_t *)(const void *)(data + (size_t)y * stride);
        for (int x = 0; x < png->width; x++, to += 3) {
            to[0] = (unsigned char)(from[x] >> 16);
            to[1] = (unsigned char)(from[x] >> 8);
            to[2] = (unsigned char)from[x];
        }
    }
    const struct drawing_page *page = &drawing->page;
    int dots = page->points > 0 ? (int)lround(png->width / (page->points / 72)) : 0;
    char *file = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&file, &size);
    bool ok = stream ? picture_write_png(&picture, stream, dots, err) : error_no_memory(err, "the drawing");
    if (stream && fclose(stream) != 0 && ok)
        ok = error_no_memory(err, "the drawing");
    if (ok)
        bytes_add(out, file, size);
    free(file);
    picture_free(&picture);
    return ok;
}

static void png_free(struct drawing *drawing)
{
    struct png *png = png_of(drawing);
    const struct pango_functions *call = png->call;
    for (int i = 0; i < drawing->image_count; i++)
        call->cairo_surface_destroy(png->images[i]);
    if (png->layout)
        call->g_object_unref(png->layout);
    if (png->cairo)
        call->cairo_destroy(png->cairo);
    if (png->surface)
        call->cairo_surface_destroy(png->surface);
    free(png);
}

// Widths must not hang on the resolution: no hinting of measures.
static void set_options(struct png *png)
{
    const struct pango_functions *call = png->call;
    cairo_font_options_t *options = call->cairo_font_options_create();
    call->cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    call->cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    call->cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    PangoContext *context = call->pango_layout_get_context(png->layout);
    call->pango_cairo_context_set_font_options(context, options);
    call->pango_context_set_round_glyph_positions(context, FALSE);
    call->cairo_font_options_destroy(options);
    call->pango_layout_set_single_paragraph_mode(png->layout, TRUE);
}

struct drawing *drawing_new_png(const struct drawing_page *page, struct error *err)
{
    static const struct drawing_kind kind = {png_rect,  png_line,   png_text, png_add_image,
                                             png_image, png_finish, png_free};
    const struct pango_functions *call = pango_load(err);
    if (!call)
        return NULL;
    double width = ceil(page->width * page->scale), height = ceil(page->height * page->scale);
    if (!(width >= 1 && height >= 1 && width * height <= PIXELS_MOST)) {
        error_set(err, ERROR_INPUT, "a PNG of %.0f x %.0f pixels is too large to draw; SVG has no such limit", width,
                  height);
        return NULL;
    }
    struct png *png = calloc(1, sizeof *png);
    if (!png) {
        error_no_memory(err, "the drawing");
        return NULL;
    }
    png->drawing.kind = &kind;
    png->drawing.page = *page;
    png->call = call;
    png->width = (int)width;
    png->height = (int)height;
    png->surface = call->cairo_image_surface_create(CAIRO_FORMAT_RGB24, png->width, png->height);
    png->cairo = call->cairo_create(png->surface);
    if (call->cairo_status(png->cairo) != CAIRO_STATUS_SUCCESS) {
        png_free(&png->drawing);
        error_no_memory(err, "the drawing");
        return NULL;
    }
    call->cairo_scale(png->cairo, page->scale, page->scale);
    png->layout = call->pango_cairo_create_layout(png->cairo);
    set_options(png);
    return &png->drawing;
}
