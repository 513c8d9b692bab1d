// Pictures as the screen shows them.
#ifndef TRIMSCOPE_APP_SCREEN_PICTURE_H
#define TRIMSCOPE_APP_SCREEN_PICTURE_H

#include "engine/io/picture.h"
#include "engine/run/trace.h"
#include "ui/backend.h"

// What the model sees of a picture, in more pixels than it sees, in the shape of its patch grid: the centre, or all of it
// squashed (enum picture_fitting), alpha dropped, short side at most 1024. to->rgb is malloc'ed.
bool screen_picture_make(struct backend_picture *to, const struct picture *from, const struct trace_picture *shape,
                         struct error *err);

// The same from a file.
// Adds what the model's crop has cut off (struct backend_picture) to the part of `from` that it sees.
bool screen_picture_add_rim(struct backend_picture *to, const struct picture *from, const struct trace_picture *shape,
                            struct error *err);

bool screen_picture_load(struct backend_picture *to, const char *path, const struct trace_picture *shape,
                         struct error *err);

#endif
