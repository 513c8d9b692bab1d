// A frame of the screen as a file: SVG with real text, PNG, or text with ANSI colours for `cat`.
#ifndef TRIMSCOPE_UI_EXPORT_FRAME_H
#define TRIMSCOPE_UI_EXPORT_FRAME_H

#include "ui/bytes.h"
#include "ui/frame.h"

bool export_frame_svg(const struct frame *frame, struct bytes *out, struct error *err);
// Twice the size of the screen's pixels, so that text is crisp.
bool export_frame_png(const struct frame *frame, struct bytes *out, struct error *err);
// Each row a line; images as block characters, colours as 24 bits.
void export_frame_ansi(const struct frame *frame, struct bytes *out);

#endif
