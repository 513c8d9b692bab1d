// What a model's crop has cut off a picture, drawn as a grey border around the part that it sees.
#ifndef TRIMSCOPE_UI_RIM_H
#define TRIMSCOPE_UI_RIM_H

#include "ui/canvas.h"
#include "ui/theme.h"
#include "ui/view.h"

// How far a picture goes on at either end, as a share of the part that is seen: of its width where `sides` (left and right), else
// of its height (above and below). 0: the model sees all of it.
double rim_share(const struct view *view, int picture, bool *sides);

// What the layout needs: the share by which all pictures side by side get wider, and higher, at both ends together.
void rim_of_all(const struct view *view, double *wider, double *higher);

// How much of it is drawn above and below at most, a share of the height that is seen: it costs height.
#define RIM_HIGHEST 0.12

// Paints both strips beside `seen`, as far as they go on there: `thick` pixels at each end. False: no memory.
bool rim_paint(struct canvas *canvas, struct area seen, int thick, const struct backend_picture *picture,
               const struct theme *theme);

#endif
