#include "engine/io/picture.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/picture_codecs.h"

#include <string.h>

enum { MEGAPIXELS_MOST = 400 };
static const size_t FILE_BYTES_MOST = (size_t)1 << 30;

typedef bool decode_function(struct picture *, struct picture_header *, const struct picture_source *,
                             struct error *);

// Formats by their first bytes, in which '.' stands for any byte; those without a decoder are here so that
// they can be called by their name.
struct format {
    size_t offset;
    const char *magic;
    size_t magic_size;
    const char *name;
    decode_function *decode;
};

#define MAGIC(text) text, sizeof text - 1
static const struct format formats[] = {
    {0, MAGIC("\xff\xd8\xff"), "JPEG", picture_decode_jpeg},
    {0, MAGIC("\x89PNG\r\n\x1a\n"), "PNG", picture_decode_png},
    {0, MAGIC("RIFF....WEBP"), "WebP", picture_decode_webp},
    {0, MAGIC("GIF87a"), "GIF", NULL},
    {0, MAGIC("GIF89a"), "GIF", NULL},
    {0, MAGIC("II*\0"), "TIFF", NULL},
    {0, MAGIC("MM\0*"), "TIFF", NULL},
    {4, MAGIC("ftypavif"), "AVIF", NULL},
    {4, MAGIC("ftypavis"), "AVIF", NULL},
    {4, MAGIC("ftyphei"), "HEIC", NULL},
    {4, MAGIC("ftyphev"), "HEIC", NULL},
    {4, MAGIC("ftypmif1"), "HEIC", NULL},
    {4, MAGIC("ftypmsf1"), "HEIC", NULL},
    {4, MAGIC("jP  \r\n\x87\n"), "JPEG 2000", NULL},
    {4, MAGIC("JXL \r\n\x87\n"), "JPEG XL", NULL},
    {0, MAGIC("\xff\x0a"), "JPEG XL", NULL},
    {0, MAGIC("8BPS"), "Photoshop", NULL},
};

// "BM" alone also begins ordinary words; in a BMP file bytes 6 to 9 are reserved and zero.
static bool is_bmp(const unsigned char *bytes, size_t size)
{
    return size >= 26 && memcmp(bytes, "BM", 2) == 0 && memcmp(bytes + 6, "\0\0\0\0", 4) == 0;
}

static bool has_magic(const struct format *format, const unsigned char *bytes, size_t size)
{
    if (size < format->offset + format->magic_size)
        return false;
    for (size_t i = 0; i < format->magic_size; i++)
        if (format->magic[i] != '.' && bytes[format->offset + i] != (unsigned char)format->magic[i])
            return false;
    return true;
}

static const struct format *find_format(const unsigned char *bytes, size_t size)
{
    static const struct format bmp = {.name = "BMP"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (has_magic(&formats[i], bytes, size))
            return &formats[i];
    return is_bmp(bytes, size) ? &bmp : NULL;
}

void picture_free(struct picture *picture)
{
    memory_free(picture->pixels);
    *picture = (struct picture){0};
}

bool picture_alloc(struct picture *picture, int width, int height, int channels, struct error *err)
{
    *picture = (struct picture){0};
    if (width < 1 || height < 1 || (channels != 3 && channels != 4))
        return error_set(err, ERROR_INPUT, "a picture cannot have %d x %d pixels of %d channels", width,
                         height, channels);
    size_t count = (size_t)width * (size_t)height;
    if (count > (size_t)MEGAPIXELS_MOST * 1000000)
        return error_set(err, ERROR_INPUT, "a picture of %d x %d pixels is above the limit of %d megapixels",
                         width, height, MEGAPIXELS_MOST);
    unsigned char *pixels = memory_alloc(count, (size_t)channels);
    if (!pixels)
        return error_set(err, ERROR_MACHINE, "not enough memory for a picture of %d x %d pixels", width,
                         height);
    *picture = (struct picture){width, height, channels, pixels};
    return true;
}

bool picture_say_cut_off(const struct picture_source *source, const char *format_name, struct error *err)
{
    return error_set(
        err, ERROR_INPUT,
        "%s is cut off or damaged: its %zu bytes end before the %s picture does; get the file again",
        source->name, source->size, format_name);
}

bool picture_check_size(const struct picture_source *source, size_t width, size_t height,
                        size_t most_per_byte, struct error *err)
{
    size_t pixels;
    if (__builtin_mul_overflow(width, height, &pixels) || pixels > (size_t)MEGAPIXELS_MOST * 1000000)
        return error_set(err, ERROR_INPUT,
                         "%s has %zu x %zu pixels, above the limit of %d megapixels; make it smaller first",
                         source->name, width, height, MEGAPIXELS_MOST);
    if (most_per_byte && pixels / most_per_byte > source->size)
        return error_set(
            err, ERROR_INPUT,
            "%s is cut off or damaged: %zu bytes cannot hold the %zu x %zu pixels that it claims; "
            "get the file again",
            source->name, source->size, width, height);
    return true;
}

static bool decode(struct picture *picture, const struct picture_source *source, struct picture_origin *origin,
                   struct error *err)
{
    *picture = (struct picture){0};
    const struct format *format = find_format(source->bytes, source->size);
    if (!format)
        return error_set(err, ERROR_INPUT, "%s is not a JPEG, PNG or WebP picture", source->name);
    if (!format->decode)
        return error_set(err, ERROR_INPUT,
                         "%s is a picture in the %s format, which is not read; convert it to PNG or JPEG",
                         source->name, format->name);
    struct picture_header header = {.orientation = 1};
    if (!format->decode(picture, &header, source, err))
        return false;
    bool upright = !source->reading.as_stored, turned = upright && header.orientation >= 5;
    if (upright && !picture_orient(picture, header.orientation, err)) {
        picture_free(picture);
        return false;
    }
    if (origin)
        *origin = (struct picture_origin){.width = turned ? header.height : header.width,
                                          .height = turned ? header.width : header.height,
                                          .orientation = header.orientation,
                                          .as_stored = !upright,
                                          .reduced = header.reduced};
    return true;
}

bool picture_decode(struct picture *picture, const unsigned char *bytes, size_t size, struct picture_reading reading,
                    struct picture_origin *origin, struct error *err)
{
    struct picture_source source = {"the data", bytes, size, reading};
    return decode(picture, &source, origin, err);
}

bool picture_load(struct picture *picture, const char *path, struct picture_reading reading, struct picture_origin *origin,
                  struct error *err)
{
    struct picture_source source = {.name = path, .reading = reading};
    unsigned char *bytes;
    *picture = (struct picture){0};
    if (!file_read(path, FILE_BYTES_MOST, &bytes, &source.size, err))
        return false;
    source.bytes = bytes;
    bool ok = decode(picture, &source, origin, err);
    memory_free(bytes);
    return ok;
}
