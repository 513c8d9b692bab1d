// What the two kinds of drawing share: not for others.
#ifndef TRIMSCOPE_UI_DRAWING_PRIVATE_H
#define TRIMSCOPE_UI_DRAWING_PRIVATE_H

#include "ui/drawing.h"

enum { DRAWING_IMAGES = 64 };

struct drawing_kind {
    void (*rect)(struct drawing *drawing, struct drawing_box box, const unsigned char color[3], double opacity);
    void (*line)(struct drawing *drawing, const double ends[4], double thickness, const unsigned char color[3]);
    // The text is clean UTF-8 and not empty.
    void (*text)(struct drawing *drawing, const struct drawing_text *text, const char *clean);
    bool (*add_image)(struct drawing *drawing, int image);
    void (*image)(struct drawing *drawing, int image, struct drawing_box box, const struct drawing_box *clips,
                  int clip_count);
    bool (*finish)(struct drawing *drawing, struct bytes *out, struct error *err);
    void (*free)(struct drawing *drawing);
};

struct drawing_pixels {
    const unsigned char *rgb;
    int width, height;
    bool pixelated;
};

// The first member of each kind's own structure.
struct drawing {
    const struct drawing_kind *kind;
    struct drawing_page page;
    struct drawing_pixels images[DRAWING_IMAGES];
    int image_count;
    bool failed; // no memory: the result would not be whole
};

#endif
