// From the trace to pixels: how each patch looks at a stage, and a picture painted with those looks.
#ifndef TRIMSCOPE_UI_PAINT_H
#define TRIMSCOPE_UI_PAINT_H

#include "ui/canvas.h"
#include "ui/theme.h"
#include "ui/view.h"

// Beside other runs: alive in this one alone, or dropped here and alive elsewhere.
enum patch_mark { PATCH_UNMARKED, PATCH_ONLY_HERE, PATCH_ELSEWHERE };

// How one patch is drawn.
struct patch_look {
    bool alive;
    bool fresh; // dropped in this very stage
    enum patch_mark mark;
    float tint; // a score as a place on the colour ramp, 0 .. 1; NaN: none
};

struct paint {
    const struct theme *theme;
    const struct canvas *clear; // the picture in full, at the area's size
    const struct patch_look *looks;
    int rows, columns;
    bool fine;  // pixels are small: draw outlines and marks
    bool ascii; // brightness is all there is: what is dropped becomes blank
    bool soft;  // what is dropped stays easy to make out
    int cursor; // patch with the cursor, -1: none
};

// Fills looks[rows * columns] for a picture at a stage.
void paint_looks(const struct view *view, int stage, int picture, struct patch_look *looks);

// Paints into an area of the canvas with the size of paint->clear.
void paint_picture(struct canvas *canvas, struct area area, const struct paint *paint);

// Where patch `index` lies inside an area: borders are i * width / columns, so that no pixel is lost.
struct area paint_patch_area(struct area area, int rows, int columns, int index);

// The colour ramp for scores, 0 .. 1: cividis-like, dark blue to yellow, brightness rising evenly, so that it
// also reads without hue.
void paint_ramp(float value, unsigned char color[3]);

// Colours that must be exact on the screen, for the palette.
enum { PAINT_FIXED = 8 };
void paint_fixed_colors(const struct theme *theme, unsigned char colors[PAINT_FIXED][3]);

#endif
