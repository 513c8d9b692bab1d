// JPEG through libjpeg-turbo. With its defaults (slow integer DCT, fancy upsampling) the pixels are Pillow's.
#include "engine/base/file.h"
#include "engine/io/picture_codecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// Pictures up to this size are always decoded whole, so that their pixels are exact; above it, a reduced
// decoding still has twice the pixels asked for, so that the resize that follows has something to average
// over.
enum { REDUCE_ABOVE_PIXELS = 4000000, REDUCE_MARGIN = 2 };

// A coded block of 8 x 8 pixels takes a bit at the least, of 32 x 32 pixels at the coarsest subsampling.
enum { PIXELS_PER_BYTE_MOST = 8192 };

// Each scan of a progressive file goes over the whole picture; real encoders write about ten.
enum { SCANS_MOST = 200 };

// libjpeg calls back with a pointer to its first member.
struct errors {
    struct jpeg_error_mgr manager;
    jmp_buf escape;
    const struct picture_source *source; // NULL when writing
    struct error *err;
};

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct errors errors;
    struct jpeg_progress_mgr progress;
    struct picture *picture;
    struct picture_header *header;
};

static void fail(j_common_ptr jpeg)
{
    struct errors *errors = (struct errors *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    const char *name = errors->source ? errors->source->name : "";
    switch (jpeg->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        error_no_memory(errors->err, errors->source ? name : "writing a JPEG picture");
        break;
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JERR_INPUT_EOF:
        picture_say_cut_off(errors->source, "JPEG", errors->err);
        break;
    default:
        if (errors->source)
            error_set(errors->err, ERROR_INPUT, "%s cannot be read as a JPEG picture: %s", name, text);
        else
            error_set(errors->err, ERROR_MACHINE, "cannot write the JPEG picture: %s", text);
    }
    longjmp(errors->escape, 1);
}

// libjpeg goes on with grey areas where data is missing or damaged; here that is an error. What leaves the
// pixels whole (padding before a marker, odd headers) is let through.
static void warn(j_common_ptr jpeg, int level)
{
    if (level >= 0)
        return;
    switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        fail(jpeg);
    }
}

static void count_scans(j_common_ptr jpeg)
{
    struct errors *errors = (struct errors *)jpeg->err;
    if (((j_decompress_ptr)jpeg)->input_scan_number <= SCANS_MOST)
        return;
    error_set(errors->err, ERROR_INPUT, "%s cannot be read as a JPEG picture: it has more than %d scans",
              errors->source->name, SCANS_MOST);
    longjmp(errors->escape, 1);
}

static void set_errors(struct errors *errors, const struct picture_source *source, struct error *err)
{
    jpeg_std_error(&errors->manager);
    errors->manager.error_exit = fail;
    errors->manager.emit_message = warn;
    errors->source = source;
    errors->err = err;
}

static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const char head[] = "Exif\0";
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > sizeof head &&
            memcmp(m->data, head, sizeof head) == 0)
            return picture_exif_orientation(m->data + sizeof head, m->data_length - sizeof head);
    return 1;
}

// Picks the smallest of libjpeg's scales (1/8 .. 8/8; the inverse DCT gives fewer pixels per block, at less
// cost) that keeps enough pixels.
static void choose_scale(struct jpeg_decompress_struct *jpeg, int least_side)
{
    size_t pixels = (size_t)jpeg->image_width * jpeg->image_height;
    if (least_side <= 0 || pixels <= REDUCE_ABOVE_PIXELS)
        return;
    jpeg->scale_denom = 8;
    for (jpeg->scale_num = 1; jpeg->scale_num < 8; jpeg->scale_num *= 2) {
        jpeg_calc_output_dimensions(jpeg);
        JDIMENSION side = jpeg->output_width < jpeg->output_height ? jpeg->output_width : jpeg->output_height;
        if (side / REDUCE_MARGIN >= (JDIMENSION)least_side)
            return;
    }
}

// v * k / 255, rounded.
static int scale_255(int v, int k)
{
    int t = v * k + 128;
    return ((t >> 8) + t) >> 8;
}

// Four inks to RGB as Pillow does it. As there (and in browsers) the file's values count as Adobe's, where
// 255 is no ink: libjpeg and all common programs write them so.
static void convert_cmyk(unsigned char *rgb, const unsigned char *cmyk, size_t count)
{
    for (size_t i = 0; i < count; i++, rgb += 3, cmyk += 4)
        for (int c = 0; c < 3; c++)
            rgb[c] = (unsigned char)(cmyk[3] - scale_255(255 - cmyk[c], cmyk[3]));
}

static void read_rows(struct reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    struct picture *picture = reader->picture;
    bool cmyk = jpeg->out_color_space == JCS_CMYK;
    size_t stride = (size_t)picture->width * 3;
    JSAMPARRAY inks = NULL;
    if (cmyk)
        inks = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        unsigned char *row = picture->pixels + stride * jpeg->output_scanline;
        JSAMPROW rows[] = {cmyk ? inks[0] : row};
        jpeg_read_scanlines(jpeg, rows, 1);
        if (cmyk)
            convert_cmyk(row, inks[0], jpeg->output_width);
    }
}

static bool read_picture(struct reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    const struct picture_source *source = reader->errors.source;
    if (setjmp(reader->errors.escape) != 0)
        return false;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &reader->progress;
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(jpeg, source->bytes, (unsigned long)source->size);
    jpeg_read_header(jpeg, TRUE);
    *reader->header =
        (struct picture_header){(int)jpeg->image_width, (int)jpeg->image_height, find_orientation(jpeg), false};
    if (!picture_check_size(source, jpeg->image_width, jpeg->image_height, PIXELS_PER_BYTE_MOST,
                            reader->errors.err))
        return false;
    bool inks = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = inks ? JCS_CMYK : JCS_RGB;
    choose_scale(jpeg, source->reading.least_side);
    jpeg_start_decompress(jpeg);
    reader->header->reduced = jpeg->output_width < jpeg->image_width || jpeg->output_height < jpeg->image_height;
    if (!picture_alloc(reader->picture, (int)jpeg->output_width, (int)jpeg->output_height, 3,
                       reader->errors.err))
        return false;
    read_rows(reader);
    jpeg_finish_decompress(jpeg);
    return true;
}

bool picture_decode_jpeg(struct picture *picture, struct picture_header *header,
                         const struct picture_source *source, struct error *err)
{
    struct reader reader = {.progress.progress_monitor = count_scans, .picture = picture, .header = header};
    *picture = (struct picture){0};
    set_errors(&reader.errors, source, err);
    reader.jpeg.err = &reader.errors.manager;
    bool ok = read_picture(&reader);
    jpeg_destroy_decompress(&reader.jpeg);
    if (!ok)
        picture_free(picture);
    return ok;
}

struct writer {
    struct jpeg_compress_struct jpeg;
    struct errors errors;
    const struct picture *picture;
    FILE *stream;
};

static bool write_picture(struct writer *writer, int quality)
{
    struct jpeg_compress_struct *jpeg = &writer->jpeg;
    const struct picture *picture = writer->picture;
    if (setjmp(writer->errors.escape) != 0)
        return false;
    jpeg_create_compress(jpeg);
    jpeg_stdio_dest(jpeg, writer->stream);
    jpeg->image_width = (JDIMENSION)picture->width;
    jpeg->image_height = (JDIMENSION)picture->height;
    jpeg->input_components = picture->channels;
    jpeg->in_color_space = picture->channels == 4 ? JCS_EXT_RGBX : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    size_t stride = (size_t)picture->width * (size_t)picture->channels;
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW rows[] = {picture->pixels + stride * jpeg->next_scanline};
        jpeg_write_scanlines(jpeg, rows, 1);
    }
    jpeg_finish_compress(jpeg);
    return true;
}

static bool write_stream(const struct picture *picture, FILE *stream, int quality, struct error *err)
{
    struct writer writer = {.picture = picture, .stream = stream};
    set_errors(&writer.errors, NULL, err);
    writer.jpeg.err = &writer.errors.manager;
    bool ok = write_picture(&writer, quality);
    jpeg_destroy_compress(&writer.jpeg);
    return ok;
}

bool picture_save_jpeg(const struct picture *picture, const char *path, int quality, struct error *err)
{
    struct file_writer file;
    if (!file_writer_open(&file, path, err))
        return false;
    if (write_stream(picture, file.stream, quality, err))
        return file_writer_commit(&file, err);
    error_prefix(err, "%s", path);
    return file_writer_give_up(&file, err);
}

bool picture_encode_jpeg(const struct picture *picture, int quality, unsigned char **bytes, size_t *size,
                         struct error *err)
{
    char *data = NULL;
    FILE *stream = open_memstream(&data, size);
    if (!stream)
        return error_no_memory(err, "a JPEG picture");
    bool ok = write_stream(picture, stream, quality, err);
    if (fclose(stream) != 0 && ok)
        ok = error_no_memory(err, "a JPEG picture");
    *bytes = ok ? (unsigned char *)data : NULL;
    if (!ok)
        free(data);
    return ok;
}
