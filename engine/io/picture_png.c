// PNG through libpng, every kind of it brought to 8-bit RGB or RGBA.
#include "engine/base/file.h"
#include "engine/io/picture_codecs.h"

#include <png.h>

#include <limits.h>
#include <string.h>

// Deflate packs at most 1032 bytes into one, and a byte holds at most eight pixels.
enum { PIXELS_PER_BYTE_MOST = 1032 * 8 };

struct reader {
    png_structp png;
    png_infop info;
    const struct picture_source *source;
    size_t position;
    struct picture *picture;
    struct picture_header *header;
    struct error *err;
};

// libpng reports here when it reads; its text is the reason that is put after the file's name.
static void fail_reading(png_structp png, const char *text)
{
    struct reader *reader = png_get_error_ptr(png);
    error_set(reader->err, ERROR_INPUT, "%s cannot be read as a PNG picture: %s", reader->source->name, text);
    png_longjmp(png, 1);
}

static void fail_writing(png_structp png, const char *text)
{
    error_set(png_get_error_ptr(png), ERROR_MACHINE, "cannot write the PNG picture: %s", text);
    png_longjmp(png, 1);
}

// Warnings are about colour profiles, dates and the like, never about the pixels.
static void ignore_warning(png_structp png, const char *text)
{
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t count)
{
    struct reader *reader = png_get_io_ptr(png);
    if (count > reader->source->size - reader->position) {
        picture_say_cut_off(reader->source, "PNG", reader->err);
        png_longjmp(png, 1);
    }
    memcpy(out, reader->source->bytes + reader->position, count);
    reader->position += count;
}

// Sixteen bits lose their low byte, as in Pillow; palettes, grey and colour keys become RGB and alpha.
static int set_transforms(png_structp png, png_infop info)
{
    int type = png_get_color_type(png, info);
    bool key = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    png_set_expand(png);
    png_set_strip_16(png);
    if (!(type & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(png);
    return key || (type & PNG_COLOR_MASK_ALPHA) ? 4 : 3;
}

static bool read_picture(struct reader *reader)
{
    png_structp png = reader->png;
    png_infop info = reader->info;
    if (setjmp(png_jmpbuf(png)) != 0)
        return false;
    png_set_read_fn(png, reader, read_bytes);
    png_set_user_limits(png, INT_MAX, INT_MAX); // ours come next, with a sentence of their own
    png_read_info(png, info);
    png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    if (!picture_check_size(reader->source, width, height, PIXELS_PER_BYTE_MOST, reader->err))
        return false;
    *reader->header = (struct picture_header){(int)width, (int)height, 1};
    int channels = set_transforms(png, info);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t stride = (size_t)width * (size_t)channels;
    if (png_get_rowbytes(png, info) != stride)
        png_error(png, "its rows have an unexpected length");
    if (!picture_alloc(reader->picture, (int)width, (int)height, channels, reader->err))
        return false;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++)
            png_read_row(png, reader->picture->pixels + y * stride, NULL);
    png_read_end(png, info);
    return true;
}

bool picture_decode_png(struct picture *picture, struct picture_header *header,
                        const struct picture_source *source, struct error *err)
{
    struct reader reader = {.source = source, .picture = picture, .header = header, .err = err};
    *picture = (struct picture){0};
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, fail_reading, ignore_warning);
    reader.info = reader.png ? png_create_info_struct(reader.png) : NULL;
    bool ok = reader.info ? read_picture(&reader) : error_no_memory(err, source->name);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    if (!ok)
        picture_free(picture);
    return ok;
}

struct writer {
    png_structp png;
    png_infop info;
    const struct picture *picture;
    FILE *stream;
    int dots_per_inch;
};

static bool write_picture(struct writer *writer)
{
    const struct picture *picture = writer->picture;
    if (setjmp(png_jmpbuf(writer->png)) != 0)
        return false;
    png_init_io(writer->png, writer->stream);
    png_set_user_limits(writer->png, INT_MAX, INT_MAX);
    png_set_IHDR(writer->png, writer->info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
                 picture->channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (writer->dots_per_inch > 0) {
        png_uint_32 per_metre = (png_uint_32)(writer->dots_per_inch / 0.0254 + 0.5);
        png_set_pHYs(writer->png, writer->info, per_metre, per_metre, PNG_RESOLUTION_METER);
    }
    png_write_info(writer->png, writer->info);
    for (size_t y = 0, stride = (size_t)picture->width * (size_t)picture->channels;
         y < (size_t)picture->height; y++)
        png_write_row(writer->png, picture->pixels + y * stride);
    png_write_end(writer->png, writer->info);
    return true;
}

bool picture_write_png(const struct picture *picture, FILE *stream, int dots_per_inch, struct error *err)
{
    struct writer writer = {.picture = picture, .stream = stream, .dots_per_inch = dots_per_inch};
    writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, err, fail_writing, ignore_warning);
    writer.info = writer.png ? png_create_info_struct(writer.png) : NULL;
    bool ok = writer.info ? write_picture(&writer) : error_no_memory(err, "writing a PNG picture");
    png_destroy_write_struct(&writer.png, &writer.info);
    return ok;
}

bool picture_save_png(const struct picture *picture, const char *path, struct error *err)
{
    struct file_writer file;
    if (!file_writer_open(&file, path, err))
        return false;
    if (picture_write_png(picture, file.stream, 0, err))
        return file_writer_commit(&file, err);
    file_writer_abort(&file);
    return error_prefix(err, "%s", path);
}
