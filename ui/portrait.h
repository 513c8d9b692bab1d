// A run's picture (or both, side by side) painted as it is after a stage: large with cursor and marks, or as a thumbnail.
#ifndef TRIMSCOPE_UI_PORTRAIT_H
#define TRIMSCOPE_UI_PORTRAIT_H

#include "ui/image.h"
#include "ui/paint.h"
#include "ui/view.h"

// What painting remembers from frame to frame: the pictures scaled to the sizes they were last painted in.
struct portrait {
    struct canvas clear[TRACE_PICTURES], small[TRACE_PICTURES];
    unsigned clear_serial[TRACE_PICTURES], small_serial[TRACE_PICTURES];
    struct backend_picture clear_of[TRACE_PICTURES]; // copies of what the large ones were scaled from
    struct area areas[TRACE_PICTURES]; // of the pictures in the large canvas
    int rims[TRACE_PICTURES];          // and how thick the border of each is there
};

struct portrait_request {
    const struct view *view;
    int stage;
    struct rect rect; // room for the large one
    const struct theme *theme;
    const struct terminal *terminal;
    enum graphics graphics;
    bool rim;            // with a border of what the model never sees, as far as there is room
    bool soft;           // what is dropped stays easy to make out
    int picture, cursor; // the patch with the cursor and its picture; cursor -1: none
    // Changes how the patches of a picture look; NULL: as the view says.
    void (*change_looks)(const void *context, int picture, struct patch_look *looks, int count);
    const void *context;
};

// Width / height of all pictures side by side.
double portrait_aspect(const struct view *view);

// Paints into image->canvas, as large as rect and terminal allow, and sets image->cells. False: no memory, or there is
// no picture.
bool portrait_paint(struct portrait *portrait, struct image *image, const struct portrait_request *request);

// Paints the survivors small into a part of a canvas. False: no memory.
bool portrait_thumbnail(struct portrait *portrait, struct canvas *canvas, struct area area,
                        const struct portrait_request *request);

// The patch of a painted portrait at a cell; false: none there.
bool portrait_hit(const struct portrait *portrait, const struct image *image, const struct portrait_request *request,
                  int row, int column, int *picture, int *patch);

// A palette for the pictures of some views as they can come to look. Costs about 20 ms a picture. False: no memory.
bool portrait_palette(struct palette *palette, const struct view *const views[], int count, const struct theme *theme);

// The palette of one view's pictures, made again when those or the theme change.
struct portrait_colors {
    struct palette palette;
    unsigned serial; // another number: another palette; 0: none yet
    unsigned picture, theme; // serial numbers of what it was made of
};
bool portrait_colors_update(struct portrait_colors *colors, const struct view *view, unsigned picture_serial,
                            const struct theme *theme, unsigned theme_serial);

void portrait_free(struct portrait *portrait);

#endif
