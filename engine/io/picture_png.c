// PNG through libpng, every kind of it brought to 8-bit RGB or RGBA.
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/picture_codecs.h"

#include <png.h>

#include <limits.h>
#include <stdint.h>
#include <string.h>

// Deflate packs at most 1032 bytes into one, and a byte holds at most eight pixels.
enum { PIXELS_PER_BYTE_MOST = 1032 * 8 };

// From so many pixels on a picture is made smaller while it is read, as far as its reader's wish allows: a small file
// may hold a picture that takes more than a gigabyte as a whole.
enum { WHOLE_PIXELS_MOST = 16000000 };

struct reader {
    png_structp png;
    png_infop info;
    const struct picture_source *source;
    size_t position;
    struct picture *picture;
    struct picture_header *header;
    unsigned char *row; // of a picture that is made smaller, and its sums
    uint64_t *sums;
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

// Adds a row to the sums of squares of `step` pixels; colours count as much as they are opaque.
static void add_row(const struct reader *reader, int width, int step)
{
    const unsigned char *p = reader->row;
    int channels = reader->picture->channels;
    for (int x = 0; x < width; x++, p += channels) {
        uint64_t *sum = reader->sums + (size_t)(x / step) * (size_t)channels, weight = channels == 4 ? p[3] : 1;
        for (int c = 0; c < 3; c++)
            sum[c] += p[c] * weight;
        if (channels == 4)
            sum[3] += weight;
    }
}

// Writes the means of a row of squares, `rows` high, and begins the next.
static void finish_row(const struct reader *reader, int width, int step, int rows, int y)
{
    const struct picture *picture = reader->picture;
    int channels = picture->channels;
    unsigned char *out = picture->pixels + (size_t)y * (size_t)picture->width * (size_t)channels;
    for (int x = 0; x < picture->width; x++, out += channels) {
        uint64_t *sum = reader->sums + (size_t)x * (size_t)channels;
        int columns = width - x * step < step ? width - x * step : step;
        uint64_t pixels = (uint64_t)columns * (uint64_t)rows, weight = channels == 4 ? sum[3] : pixels;
        for (int c = 0; c < 3; c++)
            out[c] = (unsigned char)(weight ? (sum[c] + weight / 2) / weight : 0);
        if (channels == 4)
            out[3] = (unsigned char)((weight + pixels / 2) / pixels);
    }
    memset(reader->sums, 0, (size_t)picture->width * (size_t)channels * sizeof *reader->sums);
}

// The mean of each square of `step` pixels, row by row, so that no more than a row is in memory.
static bool read_reduced(struct reader *reader, int width, int height, int channels, int step)
{
    int across = (width + step - 1) / step, down = (height + step - 1) / step;
    if (!picture_alloc(reader->picture, across, down, channels, reader->err))
        return false;
    reader->row = memory_alloc((size_t)width, (size_t)channels);
    reader->sums = memory_alloc((size_t)across * (size_t)channels, sizeof *reader->sums); // zeros
    if (!reader->row || !reader->sums)
        return error_no_memory(reader->err, reader->source->name);
    for (int y = 0; y < height; y++) {
        png_read_row(reader->png, reader->row, NULL);
        add_row(reader, width, step);
        if (y % step == step - 1 || y == height - 1)
            finish_row(reader, width, step, y % step + 1, y / step);
    }
    png_read_end(reader->png, reader->info);
    return true;
}

// How many pixels become one: as many as leave the sides that were asked for, for pictures too large to be whole.
static int reduction(const struct picture_source *source, size_t width, size_t height, int passes)
{
    size_t least = width < height ? width : height;
    if (passes > 1 || source->reading.least_side < 1 || width * height <= WHOLE_PIXELS_MOST)
        return 1; // the passes of an interlaced picture each touch all of it
    size_t step = least / (size_t)source->reading.least_side;
    return step > 1 ? (int)step : 1;
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
    *reader->header = (struct picture_header){(int)width, (int)height, 1, false};
    int channels = set_transforms(png, info);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t stride = (size_t)width * (size_t)channels;
    if (png_get_rowbytes(png, info) != stride)
        png_error(png, "its rows have an unexpected length");
    int step = reduction(reader->source, width, height, passes);
    reader->header->reduced = step > 1;
    if (step > 1)
        return read_reduced(reader, (int)width, (int)height, channels, step);
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
    memory_free(reader.row);
    memory_free(reader.sums);
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
    error_prefix(err, "%s", path);
    return file_writer_give_up(&file, err);
}
