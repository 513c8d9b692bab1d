// A page to draw on that becomes a file: SVG with real text, or the same as pixels (PNG). What is drawn is written
// once; both kinds take it. Lengths are in units of the page; y grows downwards.
#ifndef TRIMSCOPE_UI_DRAWING_H
#define TRIMSCOPE_UI_DRAWING_H

#include "engine/base/error.h"
#include "ui/bytes.h"

enum drawing_font { DRAWING_SANS, DRAWING_MONO };
enum drawing_anchor { DRAWING_START, DRAWING_MIDDLE, DRAWING_END };

struct drawing_box {
    double x, y, width, height;
};

struct drawing_text {
    double x, y; // of the anchor, on the base line
    double size; // of the font
    enum drawing_font font;
    enum drawing_anchor anchor;
    bool bold, underlined;
    double fit; // above 0: the text is stretched or squeezed to this width
    unsigned char color[3];
    const char *text; // any bytes: made harmless where they are drawn
};

struct drawing_page {
    double width, height;
    double points;   // the width on paper in points (1/72 inch); 0: on a screen, one unit is one pixel
    double scale;    // PNG: pixels of one unit
    const char *title; // for SVG's readers; may be NULL
};

struct drawing;

// NULL and *err: no memory; for a PNG also where the libraries that draw text are not installed, or the page is too
// large. Release with drawing_free().
struct drawing *drawing_new_svg(const struct drawing_page *page, struct error *err);
struct drawing *drawing_new_png(const struct drawing_page *page, struct error *err);
void drawing_free(struct drawing *drawing);

void drawing_rect(struct drawing *drawing, struct drawing_box box, const unsigned char color[3], double opacity);
void drawing_line(struct drawing *drawing, double x0, double y0, double x1, double y1, double thickness,
                  const unsigned char color[3]);
void drawing_text(struct drawing *drawing, const struct drawing_text *text);

// Pixels to be used by drawing_image() as often as wanted: 8-bit RGB, kept by the caller until drawing_finish().
// Returns their number, -1: no memory (drawing_finish() will tell). `pixelated`: enlarged as squares.
int drawing_add_image(struct drawing *drawing, const unsigned char *rgb, int width, int height, bool pixelated);

// The image scaled into `box`; with `clip_count` above 0 only what lies in one of the clips.
void drawing_image(struct drawing *drawing, int image, struct drawing_box box, const struct drawing_box *clips,
                   int clip_count);

// The file's bytes, added to `out`. False and *err when there was no memory on the way.
bool drawing_finish(struct drawing *drawing, struct bytes *out, struct error *err);

// Width of a text, from the measures that Helvetica, Arial and Liberation Sans share (or a monospace's): an estimate
// for other fonts and for what is not ASCII.
double drawing_width(enum drawing_font font, bool bold, double size, const char *text);

// Where a cell of the monospace font of size 1 ends: its advance.
#define DRAWING_MONO_ADVANCE 0.602

#endif
