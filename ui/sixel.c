#include "ui/sixel.h"

#include <stdlib.h>
#include <string.h>

// One band is six rows high; bits[color * width + x] has bit r set where row r of column x has this colour.
struct band {
    unsigned char *bits;
    short first[PALETTE_MOST], last[PALETTE_MOST]; // columns used by a colour; first > last: none
    unsigned char order[PALETTE_MOST];             // colours of this band
    int colors;
};

static char *write_number(char *to, int value)
{
    char digits[12];
    int count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

static char *write_run(char *to, unsigned char bits, int length)
{
    char sixel = (char)('?' + bits);
    if (length > 3) {
        *to++ = '!';
        to = write_number(to, length);
        *to++ = sixel;
    } else {
        while (length-- > 0)
            *to++ = sixel;
    }
    return to;
}

// Sorts the pixels of a band by colour. Returns how many are to be written.
static int band_fill(struct band *band, const unsigned char *now, const unsigned char *before, int stride,
                     int width, int rows)
{
    int written = 0;
    band->colors = 0;
    for (int r = 0; r < rows; r++) {
        const unsigned char *line = now + (size_t)r * stride;
        const unsigned char *old = before ? before + (size_t)r * stride : NULL;
        if (old && !memcmp(line, old, (size_t)width))
            continue;
        for (int x = 0; x < width; x++) {
            if (old && old[x] == line[x])
                continue;
            int color = line[x];
            if (band->first[color] > band->last[color]) {
                band->order[band->colors++] = (unsigned char)color;
                band->first[color] = band->last[color] = (short)x;
            }
            if (x < band->first[color])
                band->first[color] = (short)x;
            if (x > band->last[color])
                band->last[color] = (short)x;
            band->bits[(size_t)color * width + x] |= (unsigned char)(1 << r);
            written++;
        }
    }
    return written;
}

// Writes the colours of a band and leaves it empty for the next one.
static void band_write(struct band *band, struct bytes *out, int width)
{
    for (int i = 0; i < band->colors; i++) {
        int color = band->order[i], first = band->first[color], last = band->last[color];
        unsigned char *bits = band->bits + (size_t)color * width;
        // "$#254!32767?" and at most one character a column: runs of four and more are shorter than they are
        // long.
        char *to = bytes_reserve(out, (size_t)(last - first + 1) + 32);
        if (to) {
            char *start = to;
            if (i > 0)
                *to++ = '$';
            *to++ = '#';
            to = write_number(to, color + 1); // register 0 stays the background: a pixel that is not set
            to = write_run(to, 0, first);
            for (int x = first; x <= last;) {
                int end = x + 1;
                while (end <= last && bits[end] == bits[x])
                    end++;
                to = write_run(to, bits[x], end - x);
                x = end;
            }
            out->used += (size_t)(to - start);
        }
        memset(bits + first, 0, (size_t)(last - first + 1));
        band->first[color] = 1;
        band->last[color] = 0;
    }
}

int sixel_write(struct bytes *out, const struct palette *palette, const unsigned char *now,
                const unsigned char *before, int stride, int left, int width, int height)
{
    struct band band = {.bits = calloc((size_t)PALETTE_MOST * (width > 0 ? width : 1), 1)};
    if (!band.bits) {
        out->failed = true;
        return 0;
    }
    for (int i = 0; i < PALETTE_MOST; i++)
        band.first[i] = 1;
    bytes_format(out, "\033P0;1q\"1;1;%d;%d", width, height);
    for (int i = 0; i < palette->count; i++) {
        const unsigned char *c = palette->rgb[i];
        bytes_format(out, "#%d;2;%d;%d;%d", i + 1, (c[0] * 100 + 127) / 255, (c[1] * 100 + 127) / 255,
                     (c[2] * 100 + 127) / 255);
    }
    int written = 0, pending = 0; // bands that had nothing to say before this one
    for (int y = 0; y < height; y += 6, pending++) {
        size_t at = (size_t)y * stride + left;
        int rows = height - y < 6 ? height - y : 6;
        int more = band_fill(&band, now + at, before ? before + at : NULL, stride, width, rows);
        if (!more)
            continue;
        for (; pending > 0; pending--)
            bytes_add(out, "-", 1);
        band_write(&band, out, width);
        written += more;
    }
    bytes_add(out, "\033\\", 2);
    free(band.bits);
    return written;
}
