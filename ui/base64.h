// Bytes as text, for pictures inside SVG and HTML.
#ifndef TRIMSCOPE_UI_BASE64_H
#define TRIMSCOPE_UI_BASE64_H

#include "ui/bytes.h"

void base64_add(struct bytes *out, const unsigned char *data, size_t size);

#endif
