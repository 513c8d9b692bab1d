// SVG written by hand: text stays text, pictures are PNG data inside, nothing is fetched from outside.
#include "ui/drawing_private.h"

#include "engine/base/text.h"
#include "engine/io/picture.h"
#include "ui/base64.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct svg {
    struct drawing drawing;
    struct bytes defs, body;
    int clips;
};

static struct svg *svg_of(struct drawing *drawing)
{
    return (struct svg *)(void *)drawing;
}

static void put(struct bytes *out, const char *text)
{
    bytes_add(out, text, strlen(text));
}

// At most three digits behind a point, whatever the locale writes there.
static void put_number(struct bytes *out, double value)
{
    long long thousandths = llround(value * 1000);
    if (thousandths < 0)
        put(out, "-");
    thousandths = llabs(thousandths);
    int rest = (int)(thousandths % 1000), digits = 3;
    bytes_format(out, "%lld", thousandths / 1000);
    if (rest == 0)
        return;
    for (; rest % 10 == 0; rest /= 10)
        digits--;
    bytes_format(out, ".%0*d", digits, rest);
}

static void put_member(struct bytes *out, const char *name, double value)
{
    bytes_format(out, " %s=\"", name);
    put_number(out, value);
    put(out, "\"");
}

static void put_color(struct bytes *out, const char *name, const unsigned char c[3])
{
    bytes_format(out, " %s=\"#%02x%02x%02x\"", name, c[0], c[1], c[2]);
}

// Clean UTF-8 as XML: text_clean() leaves two characters that XML does not have, U+FFFE and U+FFFF.
static void put_text(struct bytes *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            put(out, "&amp;");
        else if (*text == '<')
            put(out, "&lt;");
        else if (*text == '>')
            put(out, "&gt;");
        else if (*text == '"')
            put(out, "&quot;");
        else if (!strncmp(text, "\xEF\xBF\xBE", 3) || !strncmp(text, "\xEF\xBF\xBF", 3))
            put(out, "?"), text += 2;
        else
            bytes_add(out, text, 1);
    }
}

static void put_box(struct bytes *out, struct drawing_box box)
{
    put_member(out, "x", box.x);
    put_member(out, "y", box.y);
    put_member(out, "width", box.width);
    put_member(out, "height", box.height);
}

static void svg_rect(struct drawing *drawing, struct drawing_box box, const unsigned char color[3], double opacity)
{
    struct bytes *out = &svg_of(drawing)->body;
    put(out, "<rect");
    put_box(out, box);
    put_color(out, "fill", color);
    if (opacity < 1)
        put_member(out, "fill-opacity", opacity);
    put(out, "/>\n");
}

static void svg_line(struct drawing *drawing, const double ends[4], double thickness, const unsigned char color[3])
{
    static const char *const names[4] = {"x1", "y1", "x2", "y2"};
    struct bytes *out = &svg_of(drawing)->body;
    put(out, "<line");
    for (int i = 0; i < 4; i++)
        put_member(out, names[i], ends[i]);
    put_color(out, "stroke", color);
    put_member(out, "stroke-width", thickness);
    put(out, "/>\n");
}

static void svg_text(struct drawing *drawing, const struct drawing_text *text, const char *clean)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    struct bytes *out = &svg_of(drawing)->body;
    put(out, text->font == DRAWING_MONO ? "<text class=\"m\"" : "<text class=\"s\"");
    put_member(out, "x", text->x);
    put_member(out, "y", text->y);
    put_member(out, "font-size", text->size);
    put_color(out, "fill", text->color);
    if (text->anchor != DRAWING_START)
        bytes_format(out, " text-anchor=\"%s\"", anchors[text->anchor]);
    if (text->bold)
        put(out, " font-weight=\"bold\"");
    if (text->underlined)
        put(out, " text-decoration=\"underline\"");
    if (text->fit > 0) {
        put_member(out, "textLength", text->fit);
        put(out, " lengthAdjust=\"spacingAndGlyphs\"");
    }
    put(out, ">");
    put_text(out, clean);
    put(out, "</text>\n");
}

static bool svg_add_image(struct drawing *drawing, int image)
{
    struct bytes *out = &svg_of(drawing)->defs;
    const struct drawing_pixels *pixels = &drawing->images[image];
    struct picture picture = {pixels->width, pixels->height, 3, (unsigned char *)(size_t)pixels->rgb};
    char *png = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&png, &size);
    bool ok = stream && picture_write_png(&picture, stream, 0, NULL);
    if (stream)
        ok = fclose(stream) == 0 && ok;
    if (ok) {
        bytes_format(out, "<image id=\"i%d\" width=\"1\" height=\"1\" preserveAspectRatio=\"none\"%s", image,
                     pixels->pixelated ? " image-rendering=\"pixelated\" style=\"image-rendering:pixelated\"" : "");
        put(out, " xlink:href=\"data:image/png;base64,");
        base64_add(out, (const unsigned char *)png, size);
        put(out, "\"/>\n");
    }
    free(png);
    return ok;
}

static void put_subpath(struct bytes *out, struct drawing_box box)
{
    static const char *const commands[] = {"M", " ", "h", "v", "h"};
    const double numbers[] = {box.x, box.y, box.width, box.height, -box.width};
    for (int i = 0; i < 5; i++) {
        put(out, commands[i]);
        put_number(out, numbers[i]);
    }
    put(out, "z");
}

static void svg_image(struct drawing *drawing, int image, struct drawing_box box, const struct drawing_box *clips,
                      int clip_count)
{
    struct svg *svg = svg_of(drawing);
    struct bytes *out = &svg->body;
    if (clip_count > 0) {
        bytes_format(&svg->defs, "<clipPath id=\"c%d\"><path d=\"", svg->clips);
        for (int i = 0; i < clip_count; i++)
            put_subpath(&svg->defs, clips[i]);
        put(&svg->defs, "\"/></clipPath>\n");
        bytes_format(out, "<g clip-path=\"url(#c%d)\">", svg->clips++);
    }
    bytes_format(out, "<use xlink:href=\"#i%d\" transform=\"translate(", image);
    put_number(out, box.x);
    put(out, " ");
    put_number(out, box.y);
    put(out, ") scale(");
    put_number(out, box.width);
    put(out, " ");
    put_number(out, box.height);
    put(out, clip_count > 0 ? ")\"/></g>\n" : ")\"/>\n");
}

static bool svg_finish(struct drawing *drawing, struct bytes *out, struct error *err)
{
    struct svg *svg = svg_of(drawing);
    const struct drawing_page *page = &drawing->page;
    const char *unit = page->points > 0 ? "pt" : "";
    double width = page->points > 0 ? page->points : page->width;
    put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
             "xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" width=\"");
    put_number(out, width);
    bytes_format(out, "%s\" height=\"", unit);
    put_number(out, width * page->height / page->width);
    bytes_format(out, "%s\" viewBox=\"0 0 ", unit);
    put_number(out, page->width);
    put(out, " ");
    put_number(out, page->height);
    put(out, "\">\n");
    if (page->title) {
        char title[512];
        put(out, "<title>");
        put_text(out, text_fit(title, sizeof title, page->title));
        put(out, "</title>\n");
    }
    put(out, "<style>.s{font-family:Helvetica,Arial,'Liberation Sans','Noto Sans CJK SC',sans-serif}"
             ".m{font-family:'DejaVu Sans Mono','Liberation Mono',Menlo,'Noto Sans Mono CJK SC',monospace}"
             "text{white-space:pre}</style>\n<defs>\n");
    bytes_add(out, svg->defs.data ? svg->defs.data : "", svg->defs.used);
    put(out, "</defs>\n");
    bytes_add(out, svg->body.data ? svg->body.data : "", svg->body.used);
    put(out, "</svg>\n");
    return !(svg->defs.failed || svg->body.failed) || error_no_memory(err, "the drawing");
}

static void svg_free(struct drawing *drawing)
{
    struct svg *svg = svg_of(drawing);
    bytes_free(&svg->defs);
    bytes_free(&svg->body);
    free(svg);
}

struct drawing *drawing_new_svg(const struct drawing_page *page, struct error *err)
{
    static const struct drawing_kind kind = {svg_rect,  svg_line,   svg_text, svg_add_image,
                                             svg_image, svg_finish, svg_free};
    struct svg *svg = calloc(1, sizeof *svg);
    if (!svg) {
        error_no_memory(err, "the drawing");
        return NULL;
    }
    svg->drawing.kind = &kind;
    svg->drawing.page = *page;
    return &svg->drawing;
}
