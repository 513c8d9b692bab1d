// A painted canvas on its way to the terminal as sixel, blocks or ASCII: remembers what stands on the screen,
// and writes only what differs where the terminal draws that rightly.
#ifndef TRIMSCOPE_UI_IMAGE_H
#define TRIMSCOPE_UI_IMAGE_H

#include "ui/canvas.h"
#include "ui/layout.h"
#include "ui/palette.h"
#include "ui/terminal.h"

struct image {
    struct canvas canvas; // paint here
    struct rect cells;    // where it stands
    // What was sent last: sixel indices or block cells, and how.
    unsigned char *now, *before;
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

// The screen no longer shows it (resize, a popup over it, a redraw): the next frame is a full one.
void image_forget(struct image *image);
void image_free(struct image *image);

#endif
