// The two painted images of the screen: the picture of the present stage, and the film strip of all stages.
#ifndef TRIMSCOPE_UI_SCENE_H
#define TRIMSCOPE_UI_SCENE_H

#include "ui/image.h"
#include "ui/layout.h"
#include "ui/portrait.h"
#include "ui/theme.h"
#include "ui/view.h"

// What an image was painted from; the same again needs no painting.
struct scene_key {
    unsigned serial, theme_serial;
    int stage, show, cursor, picture, first;
    unsigned marks;
    struct rect rect;
    int cell_width, cell_height, graphics;
};

struct scene {
    struct image main, strip;
    struct scene_key main_key, strip_key;
    struct portrait portrait;
    struct portrait_colors colors;
};

struct scene_context {
    const struct view *view;
    const struct layout *layout;
    const struct theme *theme;
    unsigned theme_serial;
    const struct terminal *terminal;
    enum graphics graphics;
    // Changes how the patches of the large picture look (ui/portrait.h); NULL: as the view says. Another `marks`: other
    // changes.
    void (*change_looks)(const void *looks_of, int picture, struct patch_look *looks, int count);
    const void *looks_of;
    unsigned marks;
};

// Paints what changed. False: no memory.
bool scene_update(struct scene *scene, const struct scene_context *context);

// Width / height of all pictures side by side, for the layout.
double scene_aspect(const struct view *view);

// The patch at a cell; false: none there.
bool scene_hit(const struct scene *scene, const struct scene_context *context, int row, int column,
               int *picture, int *patch);

void scene_free(struct scene *scene);

#endif
