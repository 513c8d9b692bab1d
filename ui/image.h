// A painted canvas on its way to the terminal as sixel, blocks or ASCII: remembers what stands on the screen,
// and writes only what differs where the terminal draws that rightly.
#ifndef TRIMSCOPE_UI_IMAGE_H
#define TRIMSCOPE_UI_IMAGE_H

#include "ui/canvas.h"
#include "ui/layout.h"
#include "ui/palette.h"
#include "ui/terminal.h"

enum image_mark { IMAGE_MARK_NONE, IMAGE_MARK_FULL, IMAGE_MARK_HOLLOW };

struct image {
    struct canvas canvas; // paint here
    struct rect cells;    // where it stands
    unsigned char *marks; // enum image_mark of each cell, row by row; NULL: none
    size_t marks_capacity;
    bool marked;
    // What was sent last: sixel indices or block cells, and how.
    unsigned char *now, *before;
    unsigned char *mapped; // pixels that `before` was made of
    struct block_cell *cells_now, *cells_before;
    size_t capacity, cells_capacity;
    bool valid; // `before` is on the screen
    enum graphics graphics;
    unsigned palette_serial;
    int width, height;
};

struct image_output {
    enum graphics graphics;
    const struct terminal *terminal;
    const struct palette *palette; // sixel
    unsigned palette_serial;       // another number: another palette
    bool dark;
};

// Pixels of one cell in a mode.
void image_cell_pixels(const struct terminal *terminal, enum graphics graphics, int *width, int *height);

// Width / height of a pixel, as it looks on the screen.
double image_pixel_aspect(const struct terminal *terminal, enum graphics graphics);

// Adds what brings the canvas to the screen at image->cells. Nothing when the screen shows it already.
void image_write(struct image *image, const struct image_output *output, struct bytes *out);

// Where pixels are as large as cells: a character instead of the picture's cell, counted from the image's corner. Cells
// outside are ignored. False: no memory.
bool image_mark(struct image *image, int row, int column, enum image_mark mark);
void image_unmark(struct image *image);

// The screen no longer shows it (resize, a popup over it, a redraw): the next frame is a full one.
void image_forget(struct image *image);
void image_free(struct image *image);

#endif
