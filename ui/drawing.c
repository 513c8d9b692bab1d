#include "ui/drawing_private.h"

#include "engine/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void drawing_rect(struct drawing *drawing, struct drawing_box box, const unsigned char color[3], double opacity)
{
    if (box.width > 0 && box.height > 0)
        drawing->kind->rect(drawing, box, color, opacity);
}

void drawing_line(struct drawing *drawing, double x0, double y0, double x1, double y1, double thickness,
                  const unsigned char color[3])
{
    drawing->kind->line(drawing, (const double[4]){x0, y0, x1, y1}, thickness, color);
}

void drawing_text(struct drawing *drawing, const struct drawing_text *text)
{
    char *clean = strdup(text->text);
    if (!clean) {
        drawing->failed = true;
        return;
    }
    text_clean(clean);
    if (*clean)
        drawing->kind->text(drawing, text, clean);
    free(clean);
}

int drawing_add_image(struct drawing *drawing, const unsigned char *rgb, int width, int height, bool pixelated)
{
    int image = drawing->image_count;
    if (image == DRAWING_IMAGES || width <= 0 || height <= 0) {
        drawing->failed = true;
        return -1;
    }
    drawing->images[image] = (struct drawing_pixels){rgb, width, height, pixelated};
    if (!drawing->kind->add_image(drawing, image)) {
        drawing->failed = true;
        return -1;
    }
    return drawing->image_count++;
}

void drawing_image(struct drawing *drawing, int image, struct drawing_box box, const struct drawing_box *clips,
                   int clip_count)
{
    if (image >= 0 && image < drawing->image_count)
        drawing->kind->image(drawing, image, box, clips, clip_count);
}

bool drawing_finish(struct drawing *drawing, struct bytes *out, struct error *err)
{
    bool ok = drawing->kind->finish(drawing, out, err);
    if (ok && (drawing->failed || out->failed))
        ok = error_no_memory(err, "the drawing");
    return ok;
}

void drawing_free(struct drawing *drawing)
{
    if (drawing)
        drawing->kind->free(drawing);
}

// Thousandths of the font's size, from ' ' on: Adobe's measures of Helvetica.
static const short helvetica[95] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667,
    556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556,
    556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722,
    500, 500, 500, 334, 260, 334, 584};

double drawing_width(enum drawing_font font, bool bold, double size, const char *text)
{
    double width = 0;
    mbstate_t state = {0};
    size_t left = strlen(text);
    while (left > 0) {
        wchar_t wide;
        size_t used = mbrtowc(&wide, text, left, &state);
        if (used == 0 || used > left) { // no UTF-8, or no such locale
            memset(&state, 0, sizeof state);
            wide = L'?';
            used = 1;
        }
        int columns = wide < 0x80 ? 1 : wcwidth(wide);
        if (font == DRAWING_MONO)
            width += DRAWING_MONO_ADVANCE * (columns > 0 ? columns : 0);
        else if (wide >= L' ' && wide <= L'~')
            width += helvetica[wide - L' '] / 1000.0 * (bold ? 1.06 : 1);
        else
            width += columns == 2 ? 1 : columns == 1 ? 0.6 : 0;
        text += used;
        left -= used;
    }
    return width * size;
}
