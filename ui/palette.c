#include "ui/palette.h"

#include <sixel.h>
#include <string.h>

static int bucket(int r, int g, int b)
{
    return (r >> 3) << 10 | (g >> 3) << 5 | b >> 3;
}

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
    SIXELSTATUS status =
        sixel_dither_initialize(dither, pixels, width, height, SIXEL_PIXELFORMAT_RGB888, SIXEL_LARGE_NORM,
                                SIXEL_REP_AVERAGE_PIXELS, SIXEL_QUALITY_HIGH);
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
    palette->fixed = fixed_count < colors ? fixed_count : colors;
    for (int i = 0; i < fixed_count && palette->count < colors; i++)
        memcpy(palette->rgb[palette->count++], fixed[i], 3);
    if (colors - palette->count >= 2 && !quantize(palette, rgb, width, height, colors - palette->count)) {
        palette->count = 0;
        return false;
    }
    for (int i = 0; i < PALETTE_TABLE; i++)
        palette->table[i] =
            (unsigned char)nearest(palette, (i >> 10) * 8 + 4, (i >> 5 & 31) * 8 + 4, (i & 31) * 8 + 4);
    // The fixed colours must come out as themselves.
    for (int i = palette->fixed - 1; i >= 0; i--)
        palette->table[bucket(fixed[i][0], fixed[i][1], fixed[i][2])] = (unsigned char)i;
    return true;
}

static int held(int value)
{
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

void palette_map_row(const struct palette *palette, const unsigned char *rgb, int x, int y, int count,
                     unsigned char *out)
{
    // Bayer's 8 x 8 matrix, spread over -4 .. 3: half of the table's step, enough against bands.
    static const signed char bayer[8][8] = {
        {-4, 0, -3, 1, -4, 0, -3, 1}, {2, -2, 3, -1, 2, -2, 3, -1}, {-3, 1, -4, 0, -3, 1, -4, 0},
        {3, -1, 2, -2, 3, -1, 2, -2}, {-4, 0, -3, 1, -4, 0, -3, 1}, {2, -2, 3, -1, 2, -2, 3, -1},
        {-3, 1, -4, 0, -3, 1, -4, 0}, {3, -1, 2, -2, 3, -1, 2, -2},
    };
    for (const unsigned char *end = out + count; out < end; x++, rgb += 3, out++) {
        int plain = palette->table[bucket(rgb[0], rgb[1], rgb[2])], offset = bayer[y & 7][x & 7];
        *out = (unsigned char)plain;
        if (plain < palette->fixed && !memcmp(palette->rgb[plain], rgb, 3))
            continue;
        *out = palette->table[bucket(held(rgb[0] + offset), held(rgb[1] + offset), held(rgb[2] + offset))];
    }
}

void palette_map(const struct palette *palette, const unsigned char *rgb, int width, int height,
                 unsigned char *out)
{
    for (int y = 0; y < height; y++)
        palette_map_row(palette, rgb + (size_t)y * width * 3, 0, y, width, out + (size_t)y * width);
}
