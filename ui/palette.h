// A fixed palette and the table that maps any colour to it, so that a frame costs one look-up a pixel.
#ifndef TRIMSCOPE_UI_PALETTE_H
#define TRIMSCOPE_UI_PALETTE_H

#include <stdbool.h>

// Two of 256 registers stay free: decoders use one of them for pixels that are not set.
enum { PALETTE_MOST = 254, PALETTE_TABLE = 1 << 15 };

struct palette {
    int count; // 0: not made
    int fixed; // the first ones are exact
    unsigned char rgb[PALETTE_MOST][3];
    unsigned char table[PALETTE_TABLE]; // index of the nearest colour, by the upper five bits of r, g and b
};

// Makes the palette from sample pixels (8-bit RGB, width * height of them) by libsixel's quantizer, with
// `fixed` colours that must be in it exactly. Costs about 20 ms: once for a picture, not once a frame. False
// when there is no memory.
bool palette_make(struct palette *palette, const unsigned char *rgb, int width, int height,
                  const unsigned char (*fixed)[3], int fixed_count, int colors);

// out[i] = the palette index of pixel i, with a light ordered dither (a pixel's place alone decides, so that
// what does not change stays the same); the fixed colours are left flat.
void palette_map(const struct palette *palette, const unsigned char *rgb, int width, int height,
                 unsigned char *out);

// `count` pixels of row y from column x on; rgb and out are theirs.
void palette_map_row(const struct palette *palette, const unsigned char *rgb, int x, int y, int count,
                     unsigned char *out);

#endif
