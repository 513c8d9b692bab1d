// What the picture formats share; only picture*.c include this.
#ifndef TRIMSCOPE_IO_PICTURE_CODECS_H
#define TRIMSCOPE_IO_PICTURE_CODECS_H

#include "engine/io/picture.h"

struct picture_source {
    const char *name; // begins the sentences about it
    const unsigned char *bytes;
    size_t size;
    struct picture_reading reading;
};

// What the file says of itself: its size as stored, and the EXIF orientation (1..8) yet to be applied.
struct picture_header {
    int width, height, orientation;
    bool reduced; // decoded at a reduced size
};

// Each fills `picture` and `header`, or leaves the picture empty and says in *err what is wrong with the
// file.
bool picture_decode_jpeg(struct picture *picture, struct picture_header *header,
                         const struct picture_source *source, struct error *err);
bool picture_decode_png(struct picture *picture, struct picture_header *header,
                        const struct picture_source *source, struct error *err);
bool picture_decode_webp(struct picture *picture, struct picture_header *header,
                         const struct picture_source *source, struct error *err);

// Whether a file may claim this size: not above the limit, and not more than `most_per_byte` pixels for each
// byte of the file (0: the format has no such bound), so that a few forged bytes cannot ask for gigabytes.
bool picture_check_size(const struct picture_source *source, size_t width, size_t height,
                        size_t most_per_byte, struct error *err);
bool picture_say_cut_off(const struct picture_source *source, const char *format_name, struct error *err);

// The orientation (1..8) that an EXIF block (a TIFF structure, without the "Exif\0\0" before it) asks for; 1
// where it says nothing or nothing valid.
int picture_exif_orientation(const unsigned char *tiff, size_t size);

// Turns and mirrors the picture so that it can be shown upright; orientation 1 changes nothing.
bool picture_orient(struct picture *picture, int orientation, struct error *err);

#endif
