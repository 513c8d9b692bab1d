// Pictures: JPEG, PNG and WebP in, 8-bit RGB inside, JPEG out; resizing bit-exact with Pillow.
#ifndef TRIMSCOPE_IO_PICTURE_H
#define TRIMSCOPE_IO_PICTURE_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Row by row, no padding. channels is 3 (RGB) or 4 (RGBA, straight alpha).
struct picture {
    int width, height, channels;
    unsigned char *pixels;
};

void picture_free(struct picture *picture);
bool picture_alloc(struct picture *picture, int width, int height, int channels, struct error *err);

// How a file is read.
struct picture_reading {
    int least_side; // pixels on the short side that will do: JPEGs above 4 megapixels and PNGs above 16 may be decoded at a
                    // reduced size (JPEGs keep twice as many), which gives slightly other pixels; 0: always whole
    bool as_stored; // the EXIF orientation is left alone, as METER's and BLIP's own code leaves it
};

// What a file was before it was read so.
struct picture_origin {
    int width, height; // of the whole picture; upright unless as_stored
    int orientation;   // EXIF's, 1 to 8; above 1: the file does not store it upright
    bool as_stored;    // as it was asked for
    bool reduced;      // decoded at a reduced size
};

// Decodes a JPEG (grey, YCbCr, CMYK), PNG (any depth, palette, alpha) or WebP file, told
// by its first bytes, not its name; the pixels are Pillow's, 16-bit samples losing their low byte as there.
// A file that is cut off, damaged, of another format or above 400 megapixels is an ERROR_INPUT with a sentence that
// begins with the path ("the data" for picture_decode); `picture` is then empty.
// *origin may be NULL.
bool picture_load(struct picture *picture, const char *path, struct picture_reading reading, struct picture_origin *origin,
                  struct error *err);
bool picture_decode(struct picture *picture, const unsigned char *bytes, size_t size, struct picture_reading reading,
                    struct picture_origin *origin, struct error *err);

// Whole or not at all: after an error a file that was there before is untouched. quality is 1..100; JPEG has no
// alpha, so it is dropped.
bool picture_save_jpeg(const struct picture *picture, const char *path, int quality, struct error *err);
bool picture_save_png(const struct picture *picture, const char *path, struct error *err);
// A PNG file into a stream, which stays open; dots_per_inch 0: the file does not say.
bool picture_write_png(const struct picture *picture, FILE *stream, int dots_per_inch, struct error *err);
// The bytes of a JPEG file, for free().
bool picture_encode_jpeg(const struct picture *picture, int quality, unsigned char **bytes, size_t *size,
                         struct error *err);

// Pillow's bicubic (a = -0.5, antialiased, rounded to 8 bits between the passes): vlm_spec §6, bit-exact.
// With alpha the resize is done on premultiplied values, as Pillow does.
bool picture_resize(struct picture *to, const struct picture *from, int width, int height, struct error *err);

// A part of what picture_resize() would give, without computing the rest.
struct picture_part {
    int x, y, width, height;
};
bool picture_resize_part(struct picture *to, const struct picture *from, int width, int height,
                         struct picture_part part, struct error *err);

// The part of a picture resized to width x height that can change when nothing but a part of the source does.
struct picture_part picture_resize_reach(const struct picture *from, int width, int height, struct picture_part changed);

// How a picture becomes side x side pixels, RGB: what the model sees, and what the screen shows.
enum picture_fitting {
    PICTURE_CROP,   // METER (vlm_spec §3.6): short side to `side`, centre crop, then alpha is dropped
    PICTURE_SQUASH, // BLIP (§4.3): alpha is dropped, then both sides to `side`, whatever the shape
};
bool picture_fit(struct picture *to, const struct picture *from, int side, enum picture_fitting fitting,
                 struct error *err);

// (v/255 - mean)/std per channel with CLIP's constants; out is (3, height, width), planar.
void picture_normalize_clip(const struct picture *picture, float *out);

#endif
