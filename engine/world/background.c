// Backgrounds: what a model must learn to look past. Integers only, see internal.h.
#include "engine/world/internal.h"

void noise_init(struct noise *noise, struct random *random, int cells)
{
    noise->cells = cells;
    for (int y = 0; y <= cells; y++) {
        uint64_t bits = 0;
        for (int x = 0; x <= cells; x++, bits >>= 8) {
            if (x % 8 == 0)
                bits = random_bits(random);
            noise->value[y][x] = (unsigned char)bits;
        }
    }
}

static int smooth(int t)
{
    return t * t * (768 - 2 * t) >> 16; // 3t^2 - 2t^3 over 0 .. 256
}

int noise_at(const struct noise *noise, int x, int y)
{
    int u = (x * noise->cells << 8) / WORLD_SIDE, v = (y * noise->cells << 8) / WORLD_SIDE;
    const unsigned char *above = &noise->value[v >> 8][u >> 8], *below = above + NOISE_CELLS + 1;
    int fx = smooth(u & 255), fy = smooth(v & 255);
    int top = above[0] * (256 - fx) + above[1] * fx, bottom = below[0] * (256 - fx) + below[1] * fx;
    return ((top * (256 - fy) + bottom * fy) >> 16) - 128;
}

struct color {
    int c[3];
};

static struct color random_color(struct random *random)
{
    struct color color;
    bool vivid = pick(random, 4) == 0;
    int level = between(random, 70, 230);
    for (int i = 0; i < 3; i++)
        color.c[i] = vivid ? between(random, 20, 245) : clamp(level + between(random, -45, 45), 10, 250);
    return color;
}

static struct color shade(struct color color, int by)
{
    for (int i = 0; i < 3; i++)
        color.c[i] = clamp(color.c[i] * (256 + by) >> 8, 0, 255);
    return color;
}

static void put(unsigned char *pixels, int x, int y, struct color color, int add)
{
    for (int i = 0; i < 3; i++)
        pixels[(y * WORLD_SIDE + x) * 3 + i] = (unsigned char)clamp(color.c[i] + add, 0, 255);
}

static struct color blend(struct color from, struct color to, int part) // part of 256
{
    for (int i = 0; i < 3; i++)
        from.c[i] += (to.c[i] - from.c[i]) * part >> 8;
    return from;
}

static void gradient(struct random *random, unsigned char *pixels)
{
    struct color from = random_color(random), to = random_color(random);
    int ax = between(random, -256, 256), ay = between(random, -256, 256);
    int span = (ax < 0 ? -ax : ax) + (ay < 0 ? -ay : ay) + 1;
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int along = (ax * (2 * x - WORLD_SIDE) + ay * (2 * y - WORLD_SIDE)) / span; // within +-WORLD_SIDE
            put(pixels, x, y, blend(from, to, clamp(128 + along * 128 / WORLD_SIDE, 0, 256)), 0);
        }
}

static void meadow(struct random *random, unsigned char *pixels)
{
    struct noise hills, grass, clouds;
    noise_init(&hills, random, between(random, 2, 6));
    noise_init(&grass, random, NOISE_CELLS);
    noise_init(&clouds, random, between(random, 3, 7));
    struct color sky = shade((struct color){{120, 180, 235}}, between(random, -90, 30));
    struct color ground = pick(random, 4) ? (struct color){{95, 160, 65}} : (struct color){{200, 175, 120}};
    ground = shade(ground, between(random, -80, 50));
    int horizon = between(random, 60, 140), height = between(random, 2, 14),
        cloudy = pick(random, 3) ? 0 : 70;
    for (int x = 0; x < WORLD_SIDE; x++) {
        int edge = horizon + (noise_at(&hills, x, horizon) * height >> 6);
        for (int y = 0; y < WORLD_SIDE; y++) {
            if (y < edge)
                put(pixels, x, y, sky, y / 5 + clamp(noise_at(&clouds, x, y) * cloudy >> 7, 0, 60));
            else
                put(pixels, x, y, ground, (noise_at(&grass, x, y) >> 2) - (y - edge) / 8);
        }
    }
}

static void blotches(struct random *random, unsigned char *pixels)
{
    struct noise wide[3], fine;
    for (int i = 0; i < 3; i++)
        noise_init(&wide[i], random, between(random, 2, 6));
    noise_init(&fine, random, between(random, 16, 40));
    struct color base = random_color(random);
    int strength = between(random, 60, 180), grain = between(random, 10, 50);
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            struct color color = base;
            for (int i = 0; i < 3; i++)
                color.c[i] += noise_at(&wide[i], x, y) * strength >> 8;
            put(pixels, x, y, color, noise_at(&fine, x, y) * grain >> 8);
        }
}

static void stripes(struct random *random, unsigned char *pixels)
{
    struct color a = random_color(random), b = shade(a, between(random, -90, -25));
    // Directions of about unit length, in 1/256.
    static const int directions[][2] = {{256, 0}, {0, 256}, {181, 181}, {181, -181}, {229, 114}, {114, -229}};
    const int *d = directions[pick(random, 6)];
    int period = between(random, 10, 40) << 8, wide = period * between(random, 3, 7) / 10;
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int along = (x * d[0] + y * d[1] + (WORLD_SIDE << 9)) % period;
            put(pixels, x, y, along < wide ? a : b, 0);
        }
}

// Tiles or bricks with joints, each of its own shade; without joints and with two shades a checker board.
static void tiles(struct random *random, unsigned char *pixels)
{
    struct noise tone, grain;
    noise_init(&tone, random, NOISE_CELLS);
    noise_init(&grain, random, 48);
    struct color base = random_color(random), joint = shade(base, between(random, -80, 60));
    bool checker = pick(random, 2) == 0;
    int high = between(random, 12, 34), wide = high * between(random, 1, 2),
        gap = checker ? 0 : between(random, 1, 2);
    int shift = pick(random, 2) && !checker ? wide / 2 : 0, depth = between(random, 20, 60);
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int row = y / high, column = (x + row % 2 * shift) / wide;
            int own = checker ? ((row + column) % 2 ? depth : -depth)
                              : (tone.value[row][column] - 128) * depth / 96;
            bool in_joint = y % high < gap || (x + row % 2 * shift) % wide < gap;
            put(pixels, x, y, in_joint ? joint : base,
                (in_joint ? 0 : own / 2) + (noise_at(&grain, x, y) >> 4));
        }
}

static void paper(struct random *random, unsigned char *pixels)
{
    struct noise wide;
    noise_init(&wide, random, between(random, 4, 12));
    struct color base = random_color(random);
    int grain = between(random, 20, 60), strength = between(random, 10, 50);
    uint64_t bits = 0;
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++, bits >>= 8) {
            if (x % 8 == 0)
                bits = random_bits(random);
            int speck = ((int)(bits & 255) - 128) * grain;
            put(pixels, x, y, base, (speck + noise_at(&wide, x, y) * strength) >> 8);
        }
}

static void plain(struct random *random, unsigned char *pixels)
{
    struct noise wide;
    noise_init(&wide, random, between(random, 3, 8));
    struct color base = random_color(random);
    if (pick(random, 2) == 0)
        base = (struct color){{237, 237, 230}};
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++)
            put(pixels, x, y, base, noise_at(&wide, x, y) >> 4);
}

// Round spots in rows, every second row shifted.
static void dots(struct random *random, unsigned char *pixels)
{
    struct color base = random_color(random), spot = random_color(random);
    int apart = between(random, 14, 36), radius = apart * between(random, 2, 4) / 10;
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int row = y / apart, dx = (x + row % 2 * (apart / 2)) % apart - apart / 2, dy = y % apart - apart / 2;
            put(pixels, x, y, dx * dx + dy * dy <= radius * radius ? spot : base, 0);
        }
}

// Bands between the heights of a landscape, as on a map.
static void contours(struct random *random, unsigned char *pixels)
{
    struct noise height;
    noise_init(&height, random, between(random, 3, 7));
    struct color low = random_color(random), high = random_color(random);
    int bands = between(random, 5, 12);
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int band = (noise_at(&height, x, y) + 128) * bands >> 8;
            put(pixels, x, y, blend(low, high, 256 * band / bands), band % 2 ? -12 : 12);
        }
}

// Threads that cross over and under each other.
static void weave(struct random *random, unsigned char *pixels)
{
    struct noise wear;
    noise_init(&wear, random, NOISE_CELLS);
    struct color warp = random_color(random), weft = shade(warp, between(random, -70, 70));
    int wide = between(random, 6, 16), round = between(random, 30, 70);
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            bool over = (x / wide + y / wide) % 2;
            int from_middle = 2 * ((over ? x : y) % wide) - wide + 1;
            int fall = from_middle * from_middle * round / (wide * wide);
            put(pixels, x, y, over ? warp : weft, (noise_at(&wear, x, y) >> 4) - fall);
        }
}

static const struct {
    const char *name;
    void (*draw)(struct random *random, unsigned char *pixels);
} kinds[BACKGROUND_KINDS] = {{"gradient", gradient}, {"meadow", meadow}, {"blotches", blotches}, {"stripes", stripes},
                             {"tiles", tiles},       {"paper", paper},   {"plain", plain},       {"dots", dots},
                             {"contours", contours}, {"weave", weave}};

const char *background_name(int kind)
{
    return kind >= 0 && kind < BACKGROUND_KINDS ? kinds[kind].name : NULL;
}

void background_draw_kind(struct random *random, int kind, unsigned char *pixels)
{
    kinds[kind].draw(random, pixels);
}

void background_draw(struct random *random, bool new_kinds, unsigned char *pixels)
{
    int kind = new_kinds ? between(random, BACKGROUND_USUAL, BACKGROUND_KINDS - 1) : pick(random, BACKGROUND_USUAL);
    background_draw_kind(random, kind, pixels);
    int light = between(random, 205, 290); // of 256
    for (int i = 0; i < WORLD_SIDE * WORLD_SIDE * 3; i++) {
        int value = pixels[i] * light >> 8;
        pixels[i] = (unsigned char)(value > 255 ? 255 : value);
    }
}

// Whether a point belongs to a small shape of this form: disc, box, ring, stroke, triangle.
static bool in_shape(int form, int x, int y, int radius)
{
    int distance = x * x + y * y;
    switch (form) {
    case 0:
        return distance <= radius * radius;
    case 1:
        return true;
    case 2:
        return distance <= radius * radius && distance >= (radius - 1) * (radius - 1);
    case 3:
        return x - y <= 1 && y - x <= 1;
    default:
        return y >= 0 || (x <= radius + y && -x <= radius + y);
    }
}

void background_clutter(struct random *random, unsigned char *pixels)
{
    int count = pick(random, 3) ? pick(random, 14) : 0;
    for (int n = 0; n < count; n++) {
        struct color color = random_color(random);
        int form = pick(random, 5), radius = between(random, 1, 4);
        int left = between(random, 5, WORLD_SIDE - 6), top = between(random, 5, WORLD_SIDE - 6);
        for (int y = -radius; y <= radius; y++)
            for (int x = -radius; x <= radius; x++)
                if (in_shape(form, x, y, radius))
                    put(pixels, left + x, top + y, color, 0);
    }
}
