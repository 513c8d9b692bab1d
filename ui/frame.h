// What stands on the screen, as data: cells with their colours, and the painted images in their places. Taken from
// curses' window and from the canvases the images were painted on; nothing is read back from the terminal.
#ifndef TRIMSCOPE_UI_FRAME_H
#define TRIMSCOPE_UI_FRAME_H

#include "ui/image.h"
#include "ui/theme.h"

enum { FRAME_IMAGES = 16 };

struct frame_cell {
    char text[28];         // UTF-8: a character and its combining marks; "" for a blank and the half behind a wide one
    unsigned char columns; // that the text takes: 1 or 2; 0 behind a wide one
    bool bold, underlined, struck, filled; // filled: has a background of its own
    unsigned char front[3], back[3];
};

struct frame_image {
    struct rect cells;
    int width, height; // in pixels
    unsigned char *rgb;
};

struct frame {
    int rows, columns;
    int cell_width, cell_height; // in pixels
    struct frame_cell *cells;
    struct frame_image images[FRAME_IMAGES];
    int image_count;
    bool pixelated; // images are coarse: two pixels in a cell, drawn as squares
    bool dark;
    unsigned char background[3];
    char title[256];
};

// Copies the standard window and the images. `graphics` says how many pixels of the images a cell has; ASCII images
// become characters. False: no memory (and the frame is empty).
bool frame_take(struct frame *frame, const struct theme *theme, const struct terminal *terminal,
                enum graphics graphics, const struct image *const images[], int image_count);
void frame_free(struct frame *frame);

// The colour of an entry of xterm's palette of 256.
void frame_palette_color(int index, unsigned char rgb[3]);

#endif
