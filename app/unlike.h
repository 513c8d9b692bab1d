// Whether a picture is unlike those that the model was trained on, in words.
#ifndef TRIMSCOPE_APP_UNLIKE_H
#define TRIMSCOPE_APP_UNLIKE_H

#include "engine/io/picture.h"
#include "engine/model/model.h"

enum { UNLIKE_TEXT = 360 };

// Fills `text` with a sentence when the picture is unlike them, and with "" when it is not, or when the model does not
// know what its pictures look like. Returns whether there is a sentence.
bool unlike_note(const struct model *model, const struct picture *picture, char text[UNLIKE_TEXT]);

#endif
