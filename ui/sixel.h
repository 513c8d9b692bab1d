// A run-length sixel writer for pictures with a fixed palette: about five times quicker than libsixel's own,
// and able to write only what changed (reference: DEC STD 070, chapter 9; measured in terminals, see the
// tests).
#ifndef TRIMSCOPE_UI_SIXEL_H
#define TRIMSCOPE_UI_SIXEL_H

#include "ui/bytes.h"
#include "ui/palette.h"

// Adds one sixel image, ESC P to ESC \: the pixels [left, left + width) of an indexed picture with rows of
// `stride` pixels. With `before` (the same pixels as last drawn at this place with this palette) only pixels
// that differ are written, over what stands there; NULL writes all. Returns the number of pixels written.
int sixel_write(struct bytes *out, const struct palette *palette, const unsigned char *now,
                const unsigned char *before, int stride, int left, int width, int height);

#endif
