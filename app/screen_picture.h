// Pictures as the screen shows them.
#ifndef TRIMSCOPE_APP_SCREEN_PICTURE_H
#define TRIMSCOPE_APP_SCREEN_PICTURE_H

#include "engine/io/picture.h"
#include "ui/backend.h"

// The part of a picture that the model sees, in more pixels than it sees: the centre, cropped to the shape of
// the patch grid (METER's transform, vlm_spec §3.6: short side to the model's side, centre crop), alpha
// dropped, short side at most 1024. to->rgb is malloc'ed.
bool screen_picture_crop(struct backend_picture *to, const struct picture *from, int grid_rows,
                         int grid_columns, struct error *err);

// The same from a file.
bool screen_picture_load(struct backend_picture *to, const char *path, int grid_rows, int grid_columns,
                         struct error *err);

#endif
