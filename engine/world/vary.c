// More ways to draw what the default world shows: for training alone, so that a model does not hang on the colours, the
// outlines and the backgrounds of a few drawing styles. Integers only, see internal.h.
#include "engine/world/internal.h"

#include <string.h>

struct variation variation_choose(struct random *random, bool colored)
{
    struct variation v = {.wide = 256, .high = 256};
    *(pick(random, 2) ? &v.wide : &v.high) = between(random, 196, 256);
    if (pick(random, 2))
        v.wide = -v.wide;
    // What is asked for by its colour keeps its hue.
    v.turn = colored ? 0 : between(random, -72, 72);
    v.saturation = between(random, 180, 330);
    v.contrast = between(random, 200, 316);
    v.shade[0] = between(random, -50, 50);
    v.shade[1] = between(random, -50, 50);
    return v;
}

void variation_paint(const struct variation *v, struct sprite *sprite)
{
    int half = sprite->side / 2;
    for (int y = 0; y < sprite->side; y++)
        for (int x = 0; x < sprite->side; x++) {
            uint32_t *pixel = &sprite->pixels[y * sprite->side + x], out = *pixel & 0xff000000u;
            int alpha = (int)(*pixel >> 24), c[3];
            for (int i = 0; i < 3; i++)
                c[i] = (int)(*pixel >> (8 * i) & 255);
            int light = (77 * c[0] + 150 * c[1] + 29 * c[2]) >> 8; // Rec. 601
            int shaded = 256 + (v->shade[0] * (x - half) + v->shade[1] * (y - half)) / (half + 1);
            int level = (alpha / 2 + ((light - alpha / 2) * v->contrast >> 8)) * shaded >> 8;
            for (int i = 0; i < 3; i++) {
                // A step towards the next channel turns the hue, all the way by 120 degrees.
                int next = c[(v->turn < 0 ? i + 2 : i + 1) % 3], turn = v->turn < 0 ? -v->turn : v->turn;
                int hued = c[i] + ((next - c[i]) * turn >> 8);
                out |= (uint32_t)clamp(level + ((hued - light) * v->saturation >> 8), 0, alpha) << (8 * i);
            }
            *pixel = out;
        }
}

// Where the second of two backgrounds shows, of 256: in blotches, beyond a line, or through the first everywhere.
static void draw_mask(struct random *random, unsigned char *mask)
{
    int form = pick(random, 3), even = between(random, 60, 200);
    int ax = between(random, -256, 256), ay = between(random, -256, 256), at = between(random, -40, 40) * 256;
    struct noise noise;
    noise_init(&noise, random, between(random, 2, 14));
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int beyond = ax * (x - WORLD_SIDE / 2) + ay * (y - WORLD_SIDE / 2) - at;
            mask[y * WORLD_SIDE + x] = (unsigned char)(form == 0   ? clamp(128 + 12 * noise_at(&noise, x, y), 0, 255)
                                                       : form == 1 ? clamp(beyond, 0, 255)
                                                                   : even);
        }
}

static void mix_second(struct random *random, unsigned char *pixels)
{
    unsigned char second[WORLD_SIDE * WORLD_SIDE * 3], mask[WORLD_SIDE * WORLD_SIDE];
    background_draw(random, false, second);
    draw_mask(random, mask);
    for (int i = 0; i < WORLD_SIDE * WORLD_SIDE * 3; i++)
        pixels[i] = (unsigned char)(pixels[i] + (second[i] - pixels[i]) * mask[i / 3] / 255);
}

// The picture four times, in half the size; two of them mirrored, so that nothing breaks off between them.
static void halve(unsigned char *pixels)
{
    unsigned char whole[WORLD_SIDE * WORLD_SIDE * 3];
    memcpy(whole, pixels, sizeof whole);
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int u = x * 2 < WORLD_SIDE ? x * 2 : 2 * WORLD_SIDE - 2 - x * 2, v = y * 2 % WORLD_SIDE;
            const unsigned char *from = whole + (v * WORLD_SIDE + u) * 3;
            for (int c = 0; c < 3; c++) // mean of 2 x 2
                pixels[(y * WORLD_SIDE + x) * 3 + c] =
                    (unsigned char)((from[c] + from[c + 3] + from[c + WORLD_SIDE * 3] + from[c + WORLD_SIDE * 3 + 3]) / 4);
        }
}

static void transpose(unsigned char *pixels)
{
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < y; x++)
            for (int c = 0; c < 3; c++) {
                unsigned char *a = &pixels[(y * WORLD_SIDE + x) * 3 + c], *b = &pixels[(x * WORLD_SIDE + y) * 3 + c], swap = *a;
                *a = *b;
                *b = swap;
            }
}

void background_vary(struct random *random, unsigned char *pixels)
{
    if (pick(random, 2) == 0)
        mix_second(random, pixels);
    if (pick(random, 3) == 0)
        halve(pixels);
    if (pick(random, 2) == 0)
        transpose(pixels);
    int negative = pick(random, 4) ? 0 : 255, turn = pick(random, 3);
    for (int i = 0; i < WORLD_SIDE * WORLD_SIDE; i++) {
        unsigned char *p = pixels + i * 3, old[3] = {p[0], p[1], p[2]};
        for (int c = 0; c < 3; c++)
            p[c] = (unsigned char)(old[(c + turn) % 3] ^ negative);
    }
}
