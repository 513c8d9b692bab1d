// A picture in memory that the screen paints: 8-bit RGB.
#ifndef TRIMSCOPE_UI_CANVAS_H
#define TRIMSCOPE_UI_CANVAS_H

#include <stdbool.h>

struct canvas {
    int width, height;
    unsigned char *rgb;
};

// A part of a canvas, in its pixels.
struct area {
    int x, y, width, height;
};

// Gives the canvas this size; its pixels are undefined afterwards. False when there is no memory.
bool canvas_resize(struct canvas *canvas, int width, int height);
void canvas_free(struct canvas *canvas);

void canvas_fill(struct canvas *canvas, struct area area, const unsigned char color[3]);
// Mixes a colour in: share 1 is the colour alone.
void canvas_mix(struct canvas *canvas, struct area area, const unsigned char color[3], float share);
// A frame of this thickness inside the area.
void canvas_frame(struct canvas *canvas, struct area area, int thickness, const unsigned char color[3]);

// Scales a picture (8-bit RGB) to the size of the canvas. False: no memory.
bool canvas_scale(struct canvas *canvas, const unsigned char *rgb, int width, int height);

// The same where the canvas holds `before`, another picture of the same size, scaled: only where they differ is scaled
// again.
bool canvas_scale_change(struct canvas *canvas, const unsigned char *before, const unsigned char *rgb, int width,
                         int height);

#endif
