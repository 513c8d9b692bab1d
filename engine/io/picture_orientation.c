// EXIF orientation: cameras store the sensor's rows and note how the camera was held.
#include "engine/io/picture_codecs.h"

#include <stdint.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

// A TIFF structure in either byte order. Reading past its end gives 0, which no orientation is.
struct tiff {
    const unsigned char *bytes;
    size_t size;
    bool big_endian;
};

static uint32_t read_number(const struct tiff *tiff, size_t offset, size_t width)
{
    uint32_t value = 0;
    if (offset > tiff->size || width > tiff->size - offset)
        return 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | tiff->bytes[offset + (tiff->big_endian ? i : width - 1 - i)];
    return value;
}

// Only the first directory is looked at: it describes the picture, the second its thumbnail.
int picture_exif_orientation(const unsigned char *bytes, size_t size)
{
    if (size < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    struct tiff tiff = {bytes, size, bytes[0] == 'M'};
    size_t directory = read_number(&tiff, 4, 4);
    size_t count = read_number(&tiff, directory, 2);
    for (size_t i = 0; i < count; i++) {
        size_t entry = directory + 2 + i * ENTRY_BYTES;
        if (read_number(&tiff, entry, 2) != TAG_ORIENTATION)
            continue;
        uint32_t type = read_number(&tiff, entry + 2, 2);
        uint32_t value = type == TYPE_SHORT  ? read_number(&tiff, entry + 8, 2)
                         : type == TYPE_LONG ? read_number(&tiff, entry + 8, 4)
                                             : 0;
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

// Where the pixels of the upright picture come from: first + x * across + y * down, in pixels of the stored
// one.
struct walk {
    ptrdiff_t first, across, down;
};

static struct walk find_walk(ptrdiff_t width, ptrdiff_t height, int orientation)
{
    ptrdiff_t right = width - 1, bottom = (height - 1) * width;
    switch (orientation) {
    case 2: // mirrored left to right
        return (struct walk){right, -1, width};
    case 3: // upside down
        return (struct walk){bottom + right, -1, -width};
    case 4: // mirrored top to bottom
        return (struct walk){bottom, 1, -width};
    case 5: // mirrored along the falling diagonal
        return (struct walk){0, width, 1};
    case 6: // to be turned clockwise
        return (struct walk){bottom, -width, 1};
    case 7: // mirrored along the rising diagonal
        return (struct walk){bottom + right, -width, -1};
    default: // 8, to be turned anticlockwise
        return (struct walk){right, width, -1};
    }
}

// Square blocks, because a turned picture is read down its columns: a whole column touches a cache line per
// pixel.
static void copy_block(struct picture *to, const struct picture *from, struct walk walk, int x0, int y0,
                       int side)
{
    size_t channels = (size_t)to->channels;
    int x1 = to->width - x0 < side ? to->width : x0 + side;
    int y1 = to->height - y0 < side ? to->height : y0 + side;
    for (int y = y0; y < y1; y++) {
        unsigned char *out = to->pixels + ((size_t)y * (size_t)to->width + (size_t)x0) * channels;
        for (int x = x0; x < x1; x++, out += channels) {
            ptrdiff_t source = walk.first + x * walk.across + y * walk.down;
            memcpy(out, from->pixels + (size_t)source * channels, channels);
        }
    }
}

bool picture_orient(struct picture *picture, int orientation, struct error *err)
{
    enum { BLOCK = 64 };
    if (orientation < 2 || orientation > 8)
        return true;
    bool turned = orientation >= 5;
    struct picture upright;
    if (!picture_alloc(&upright, turned ? picture->height : picture->width,
                       turned ? picture->width : picture->height, picture->channels, err))
        return false;
    struct walk walk = find_walk(picture->width, picture->height, orientation);
    for (int y = 0; y < upright.height; y += BLOCK)
        for (int x = 0; x < upright.width; x += BLOCK)
            copy_block(&upright, picture, walk, x, y, BLOCK);
    picture_free(picture);
    *picture = upright;
    return true;
}
