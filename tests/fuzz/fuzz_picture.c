// Any bytes as a picture: a sentence or pixels, never a crash; what was decoded can be resized and fitted.
#include "engine/io/picture.h"

#include <webp/decode.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A few bytes can rightly be a WebP of 268 megapixels in one colour: correct, but too slow to be fuzzed.
static bool is_slow(const uint8_t *data, size_t size)
{
    enum { PIXELS_MOST = 1000000 };
    int width, height;
    return WebPGetInfo(data, size, &width, &height) && width > PIXELS_MOST / height;
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void use(const struct picture *picture)
{
    struct picture small;
    if (picture_fit(&small, picture, 8, picture->width % 2 ? PICTURE_CROP : PICTURE_SQUASH, NULL)) {
        float planes[3 * 8 * 8];
        check(small.width == 8 && small.height == 8 && small.channels == 3);
        picture_normalize_clip(&small, planes);
        picture_free(&small);
    }
    if (picture_resize(&small, picture, 5, 11, NULL)) {
        check(small.channels == picture->channels);
        picture_free(&small);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picture picture;
    struct error err = {0};
    struct picture_origin origin = {0};
    struct picture_reading reading = {.least_side = 8, .as_stored = size % 2};
    if (is_slow(data, size))
        return 0;
    if (picture_decode(&picture, data, size, reading, &origin, &err)) {
        check(picture.width >= 1 && picture.width <= origin.width && picture.height >= 1 &&
              picture.height <= origin.height);
        use(&picture);
        picture_free(&picture);
    } else {
        check(err.code != ERROR_NONE && err.text[0] && !strchr(err.text, '\n') && !picture.pixels);
    }
    return 0;
}
