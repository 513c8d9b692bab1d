// Changes to a copy of a picture: a rectangle is blanked, blurred or moved, to see what depends on it.
#ifndef TRIMSCOPE_IO_EDIT_H
#define TRIMSCOPE_IO_EDIT_H

#include "engine/io/picture.h"

// id, name, what it does
#define EDITS(X)                                                                                               \
    X(BLANK, "blank", "fills the rectangle with grey")                                                         \
    X(MEAN, "mean", "fills it with the mean colour of the rest")                                               \
    X(BLUR, "blur", "smears it until no shape is left")                                                        \
    X(MOVE, "move", "moves it and fills where it was with the mean of what surrounds it")

#define EDIT_ENUM(id, name, help) EDIT_##id,
enum edit_kind { EDITS(EDIT_ENUM) EDIT_KINDS };
#undef EDIT_ENUM
const char *edit_name(enum edit_kind kind); // "blank"

enum { EDIT_LIMIT = 1 << 20 }; // no coordinate is as large

struct edit {
    enum edit_kind kind;
    int x, y, width, height; // pixels; what lies beyond the picture is left out
    int dx, dy;              // EDIT_MOVE: to the right, down
};

// Changes the pixels in place; alpha stays. Integers only: the same everywhere. False: the rectangle does not touch the
// picture, or there is no memory.
bool edit_apply(struct picture *picture, const struct edit *edit, struct error *err);

// "X,Y,W,H", for EDIT_MOVE "X,Y,W,H:DX,DY".
bool edit_parse(const char *text, enum edit_kind kind, struct edit *edit, struct error *err);

// The same rectangle in another resolution of the picture, rounded to whole pixels.
struct edit edit_scale(const struct edit *edit, double scale);

#endif
