// WebP (lossy and lossless) through libwebp.
#include "engine/io/picture_codecs.h"

#include <webp/decode.h>

static bool say_status(const struct picture_source *source, VP8StatusCode status, struct error *err)
{
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return error_no_memory(err, source->name);
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return picture_say_cut_off(source, "WebP", err);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return error_set(err, ERROR_INPUT,
                         "%s cannot be read as a WebP picture: it uses a feature that libwebp "
                         "does not know; convert it to PNG or JPEG",
                         source->name);
    default:
        return error_set(err, ERROR_INPUT,
                         "%s cannot be read as a WebP picture: its data is damaged; get the file "
                         "again",
                         source->name);
    }
}

bool picture_decode_webp(struct picture *picture, struct picture_header *header,
                         const struct picture_source *source, struct error *err)
{
    WebPDecoderConfig config;
    *picture = (struct picture){0};
    if (!WebPInitDecoderConfig(&config))
        return error_set(err, ERROR_MACHINE,
                         "the installed libwebp is not the one this program was built for");
    VP8StatusCode status = WebPGetFeatures(source->bytes, source->size, &config.input);
    if (status != VP8_STATUS_OK)
        return say_status(source, status, err);
    if (config.input.has_animation)
        return error_set(err, ERROR_INPUT, "%s is an animated WebP; save one of its pictures as PNG or JPEG",
                         source->name);
    int width = config.input.width, height = config.input.height;
    // A lossless WebP of one colour has no bits per pixel: only the limit itself bounds the size.
    if (!picture_check_size(source, (size_t)width, (size_t)height, 0, err) ||
        !picture_alloc(picture, width, height, config.input.has_alpha ? 4 : 3, err))
        return false;
    *header = (struct picture_header){width, height, 1, false};
    config.output.colorspace = picture->channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = picture->pixels;
    config.output.u.RGBA.stride = width * picture->channels;
    config.output.u.RGBA.size = (size_t)width * (size_t)height * (size_t)picture->channels;
    status = WebPDecode(source->bytes, source->size, &config);
    WebPFreeDecBuffer(&config.output);
    if (status == VP8_STATUS_OK)
        return true;
    picture_free(picture);
    return say_status(source, status, err);
}
