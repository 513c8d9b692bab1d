#include "ui/palette.h"

#include <sixel.h>
#include <string.h>

static int nearest(const struct palette *palette, int r, int g, int b)
{
    int best = 0, best_distance = 1 << 30;
    for (int i = 0; i < palette->count; i++) {
        int dr = palette->rgb[i][0] - r, dg = palette->rgb[i][1] - g, db = palette->rgb[i][2] - b;
        int distance = 3 * dr * dr + 6 * dg * dg + db * db; // the eye's weights, roughly
        if (distance < best_distance) {
            best_distance = distance;
            best = i;
        }
    }
    return best;
}

static bool quantize(struct palette *palette, const unsigned char *rgb, int width, int height, int colors)
{
    // A dither object keeps the colour cache of its first palette: each palette needs a new one.
    sixel_dither_t *dither = NULL;
    if (SIXEL_FAILED(sixel_dither_new(&dither, colors, NULL)))
        return false;
    // The quantizer does not write to the pixels; its interface only lacks the const.
    unsigned char *pixels;
    memcpy(&pixels, &rgb, sizeof pixels);
    SIXELSTATUS status = sixel_dither_initialize(dither, pixels, width, height, SIXEL_PIXELFORMAT_RGB888,
                                                 SIXEL_LARGE_NORM, SIXEL_REP_CENTER_BOX, SIXEL_QUALITY_LOW);
    if (!SIXEL_FAILED(status)) {
        int count = sixel_dither_get_num_of_palette_colors(dither);
        const unsigned char *entries = sixel_dither_get_palette(dither);
        for (int i = 0; i < count && palette->count < PALETTE_MOST; i++)
            memcpy(palette->rgb[palette->count++], entries + i * 3, 3);
    }
    sixel_dither_unref(dither);
    return !SIXEL_FAILED(status);
}

bool palette_make(struct palette *palette, const unsigned char *rgb, int width, int height,
                  const unsigned char (*fixed)[3], int fixed_count, int colors)
{
    if (colors > PALETTE_MOST)
        colors = PALETTE_MOST;
    palette->count = 0;
    for (int i = 0; i < fixed_count && palette->count < colors; i++)
        memcpy(palette->rgb[palette->count++], fixed[i], 3);
    if (colors - palette->count >= 2 && !quantize(palette, rgb, width, height, colors - palette->count)) {
        palette->count = 0;
        return false;
    }
    for (int i = 0; i < PALETTE_TABLE; i++)
        palette->table[i] = (unsigned char)nearest(palette, (i >> 10) * 8 + 4, (i >> 5 & 31) * 8 + 4, (i & 31) * 8 + 4);
    // The fixed colours must come out as themselves.
    for (int i = fixed_count - 1; i >= 0; i--)
        palette->table[(fixed[i][0] >> 3) << 10 | (fixed[i][1] >> 3) << 5 | fixed[i][2] >> 3] = (unsigned char)i;
    return true;
}

void palette_map(const struct palette *palette, const unsigned char *rgb, int pixels, unsigned char *out)
{
    for (int i = 0; i < pixels; i++, rgb += 3)
        out[i] = palette->table[(rgb[0] >> 3) << 10 | (rgb[1] >> 3) << 5 | rgb[2] >> 3];
}
