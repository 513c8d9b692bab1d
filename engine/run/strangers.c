#include "engine/run/strangers.h"

#include "engine/base/memory.h"
#include "engine/base/random.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXTURES = 48,
    TEXTURE_SIDE = 256, // a power of two: textures tile
    SURFACES = 6,       // at most, in a scene
    BLUR_TAPS = 32,     // of the wider side of a Gaussian's kernel
};

struct strangers {
    float textures[TEXTURES][TEXTURE_SIDE][TEXTURE_SIDE]; // mean 0, variance 1
};

// Float planes that a picture is painted on before it is rounded.
struct painting {
    int side;
    float *planes[3], *spare; // (side, side) each
    const struct strangers *strangers;
    struct random *random;
    float saturation, hue[3]; // of the whole scene
};

// What covers a region: a colour, its texture, and how light falls off over it.
struct surface {
    float color[3], tint[3]; // tint: of the second texture
    float roughness, patchy, slope[2]; // patchy: how much the second texture scales the first
    int texture[2], shift[2][2];
};

static float normal(struct random *random)
{
    return random_normal(random);
}

// Uniform on a logarithmic scale.
static float log_range(struct random *random, float low, float high)
{
    return expf(random_range(random, logf(low), logf(high)));
}

// Adds Gaussian lattice noise of `cells` cells a side, blended smoothly, to a texture.
static void add_octave(float (*texture)[TEXTURE_SIDE], struct random *random, int cells, float strength)
{
    float lattice[TEXTURE_SIDE / 2][TEXTURE_SIDE / 2];
    assert(cells <= TEXTURE_SIDE / 2);
    for (int y = 0; y < cells; y++)
        for (int x = 0; x < cells; x++)
            lattice[y][x] = normal(random) * strength;
    float step = (float)cells / TEXTURE_SIDE;
    for (int y = 0; y < TEXTURE_SIDE; y++) {
        float v = (float)y * step;
        int y0 = (int)v, y1 = (y0 + 1) % cells;
        float fy = v - (float)y0;
        fy = fy * fy * (3 - 2 * fy);
        for (int x = 0; x < TEXTURE_SIDE; x++) {
            float u = (float)x * step;
            int x0 = (int)u, x1 = (x0 + 1) % cells;
            float fx = u - (float)x0;
            fx = fx * fx * (3 - 2 * fx);
            float above = lattice[y0][x0] + (lattice[y0][x1] - lattice[y0][x0]) * fx;
            float below = lattice[y1][x0] + (lattice[y1][x1] - lattice[y1][x0]) * fx;
            texture[y][x] += above + (below - above) * fy;
        }
    }
}

// Noise whose amplitude spectrum falls with frequency^-slope: octaves with shares 2^(k (1 - slope)).
static void make_texture(float (*texture)[TEXTURE_SIDE], struct random *random, float slope)
{
    memset(texture, 0, sizeof(float[TEXTURE_SIDE][TEXTURE_SIDE]));
    for (int octave = 1; octave <= 7; octave++)
        add_octave(texture, random, 1 << octave, powf(2, (float)octave * (1 - slope)));
    float grain = powf(2, 8 * (1 - slope));
    double sum = 0, squares = 0;
    for (int y = 0; y < TEXTURE_SIDE; y++)
        for (int x = 0; x < TEXTURE_SIDE; x++) {
            float v = texture[y][x] += normal(random) * grain;
            sum += (double)v;
            squares += (double)(v * v);
        }
    double mean = sum / (TEXTURE_SIDE * TEXTURE_SIDE);
    double scale = 1 / sqrt(squares / (TEXTURE_SIDE * TEXTURE_SIDE) - mean * mean);
    for (int y = 0; y < TEXTURE_SIDE; y++)
        for (int x = 0; x < TEXTURE_SIDE; x++)
            texture[y][x] = (float)(((double)texture[y][x] - mean) * scale);
}

struct strangers *strangers_new(uint64_t seed)
{
    struct strangers *strangers = memory_alloc(1, sizeof *strangers);
    for (int i = 0; strangers && i < TEXTURES; i++) {
        struct random random;
        random_init(&random, seed, (uint64_t)i);
        make_texture(strangers->textures[i], &random, 0.5f + 1.4f * (float)i / (TEXTURES - 1));
    }
    return strangers;
}

void strangers_free(struct strangers *strangers)
{
    memory_free(strangers);
}

static float texture_at(const struct painting *painting, const struct surface *surface, int which, int x, int y)
{
    const int *shift = surface->shift[which], mask = TEXTURE_SIDE - 1;
    return painting->strangers->textures[surface->texture[which]][(y + shift[1]) & mask][(x + shift[0]) & mask];
}

static void mix_color(const struct painting *painting, float color[3])
{
    struct random *random = painting->random;
    float light = 120 + 65 * normal(random), mean = 0;
    for (int c = 0; c < 3; c++) {
        color[c] = (18 * normal(random) + 14 * painting->hue[c]) * painting->saturation;
        mean += color[c] / 3;
    }
    light = light < 5 ? 5 : light > 250 ? 250 : light;
    for (int c = 0; c < 3; c++)
        color[c] += light - mean;
}

static struct surface make_surface(const struct painting *painting)
{
    struct random *random = painting->random;
    struct surface surface = {.roughness = log_range(random, 1, 60),
                              .patchy = random_chance(random, 0.5f) ? random_range(random, 0, 1) : 0};
    mix_color(painting, surface.color);
    float tint = random_chance(random, 0.4f) ? random_range(random, 0, 25) * painting->saturation : 0;
    float mean = 0, slope = random_range(random, 0, 60) / (float)painting->side;
    for (int c = 0; c < 3; c++)
        mean += (surface.tint[c] = normal(random) * tint) / 3;
    for (int c = 0; c < 3; c++)
        surface.tint[c] -= mean;
    for (int i = 0; i < 2; i++) {
        surface.slope[i] = normal(random) * slope;
        surface.texture[i] = (int)random_below(random, TEXTURES);
        for (int k = 0; k < 2; k++)
            surface.shift[i][k] = (int)random_below(random, TEXTURE_SIDE);
    }
    return surface;
}

// Paints one pixel: share `alpha` of the surface, `add` brighter.
static void paint(struct painting *painting, const struct surface *surface, int x, int y, float alpha, float add)
{
    float middle = (float)painting->side / 2;
    float tint = texture_at(painting, surface, 1, x, y), rough = surface->roughness * (1 + surface->patchy * tint);
    float light = add + texture_at(painting, surface, 0, x, y) * rough +
                  ((float)x - middle) * surface->slope[0] + ((float)y - middle) * surface->slope[1];
    for (int c = 0; c < 3; c++) {
        float *to = &painting->planes[c][y * painting->side + x];
        *to += alpha * (surface->color[c] + light + tint * surface->tint[c] - *to);
    }
}

static void paint_all(struct painting *painting, const struct surface *surface)
{
    for (int y = 0; y < painting->side; y++)
        for (int x = 0; x < painting->side; x++)
            paint(painting, surface, x, y, 1, 0);
}

// One direction of a separable blur; `step` is the distance of neighbours, `across` that of lines.
static void blur_lines(const float *from, float *to, int side, int step, int across, const float *taps, int radius)
{
    for (int line = 0; line < side; line++)
        for (int i = 0; i < side; i++) {
            float sum = 0;
            for (int t = -radius; t <= radius; t++) {
                int at = i + t < 0 ? 0 : i + t >= side ? side - 1 : i + t;
                sum += taps[abs(t)] * from[line * across + at * step];
            }
            to[line * across + i * step] = sum;
        }
}

static void blur(struct painting *painting, float sigma)
{
    if (sigma < 0.3f)
        return;
    float taps[BLUR_TAPS], sum = 0;
    int radius = (int)(3 * sigma) + 1;
    assert(radius < BLUR_TAPS);
    for (int t = 0; t <= radius; t++)
        sum += (taps[t] = expf(-(float)(t * t) / (2 * sigma * sigma))) * (t ? 2 : 1);
    for (int t = 0; t <= radius; t++)
        taps[t] /= sum;
    for (int c = 0; c < 3; c++) {
        blur_lines(painting->planes[c], painting->spare, painting->side, 1, painting->side, taps, radius);
        blur_lines(painting->spare, painting->planes[c], painting->side, painting->side, 1, taps, radius);
    }
}

static void paint_sky(struct painting *painting)
{
    struct random *random = painting->random;
    struct surface sky = make_surface(painting);
    float side = (float)painting->side, light = random_range(random, 140, 240), blue = random_range(random, -10, 80);
    for (int c = 0; c < 3; c++)
        sky.color[c] = sky.color[c] * 0.3f + light + blue * (float)(c - 1);
    sky.slope[0] = 0;
    sky.slope[1] = random_range(random, -60, 60) / side;
    sky.roughness = random_chance(random, 0.5f) ? 0 : random_range(random, 5, 25); // clouds
    float horizon = random_range(random, 0.2f, 0.7f) * side, ragged = random_range(random, 0, 20);
    for (int x = 0; x < painting->side; x++) {
        float end = horizon + ragged * texture_at(painting, &sky, 1, x, 0);
        for (int y = 0; y < painting->side && (float)y < end; y++)
            paint(painting, &sky, x, y, 1, 0);
    }
}

enum form { ELLIPSE, BOX, RAGGED, FORMS };

struct leaf {
    enum form form;
    float x, y, radius, narrow, cosine, sine;
    float add, shade[2]; // brighter by `add`, and by so much along and across
};

// Distance outside the leaf's edge, about in pixels, at (a, b) along and across its axes.
static float outside(const struct leaf *leaf, float a, float b, float noise)
{
    b /= leaf->narrow;
    if (leaf->form == BOX)
        return fmaxf(fabsf(a), fabsf(b)) - leaf->radius * 0.8f;
    return sqrtf(a * a + b * b) - leaf->radius * (leaf->form == RAGGED ? 1 + 0.25f * noise : 1);
}

static void paint_leaf(struct painting *painting, const struct surface *surface, const struct leaf *leaf)
{
    int reach = (int)(leaf->radius * (leaf->form == RAGGED ? 2 : 1.2f)) + 2, side = painting->side;
    int left = (int)leaf->x - reach, right = (int)leaf->x + reach, top = (int)leaf->y - reach,
        bottom = (int)leaf->y + reach;
    for (int y = top < 0 ? 0 : top; y < side && y <= bottom; y++)
        for (int x = left < 0 ? 0 : left; x < side && x <= right; x++) {
            float dx = (float)x - leaf->x, dy = (float)y - leaf->y;
            float a = dx * leaf->cosine + dy * leaf->sine, b = dy * leaf->cosine - dx * leaf->sine;
            float alpha = 0.5f - outside(leaf, a, b, texture_at(painting, surface, 1, x, y)) / 1.5f;
            if (alpha > 0)
                paint(painting, surface, x, y, alpha < 1 ? alpha : 1,
                      leaf->add + (a * leaf->shade[0] + b * leaf->shade[1]) / leaf->radius);
        }
}

// How the leaves of a scene, an object or a pattern vary.
struct foliage {
    struct surface surfaces[SURFACES];
    int surface_count, form; // form FORMS: any
    float spread;            // of their light
    float narrowest;
};

static struct foliage make_foliage(const struct painting *painting)
{
    struct random *random = painting->random;
    struct foliage foliage = {.surface_count = 1 + (int)random_below(random, SURFACES),
                              .form = (int)random_below(random, FORMS + 1),
                              .spread = random_range(random, 0, 60),
                              .narrowest = random_chance(random, 0.3f) ? 0.02f : 0.15f};
    for (int i = 0; i < foliage.surface_count; i++)
        foliage.surfaces[i] = make_surface(painting);
    return foliage;
}

static void scatter_leaf(struct painting *painting, const struct foliage *foliage, float x, float y, float radius)
{
    struct random *random = painting->random;
    float turn = random_chance(random, 0.7f) ? random_range(random, 0, 3.1416f) : 0;
    float shade = random_chance(random, 0.5f) ? random_range(random, 0, 50) : 0;
    struct leaf leaf = {
        .form = foliage->form < FORMS ? (enum form)foliage->form : (enum form)random_below(random, FORMS),
        .x = x,
        .y = y,
        .radius = radius,
        .narrow = random_range(random, foliage->narrowest, 1),
        .cosine = cosf(turn),
        .sine = sinf(turn),
        .add = normal(random) * foliage->spread,
        .shade = {normal(random) * shade, normal(random) * shade},
    };
    paint_leaf(painting, &foliage->surfaces[random_below(random, (uint32_t)foliage->surface_count)], &leaf);
}

// Leaves everywhere, their sizes by a power law; what was painted before some of them is out of focus.
static void paint_leaves(struct painting *painting)
{
    struct random *random = painting->random;
    static const float blurs[] = {0, 0, 1.5f, 4, 8};
    int count = (int)log_range(random, 1, 250), focus = (int)random_below(random, (uint32_t)count + 1);
    float least = log_range(random, 2, 40), most = random_range(random, 60, 220), side = (float)painting->side;
    float power = 1 - random_range(random, 1.2f, 2.2f), low = powf(least, power), high = powf(most, power);
    float behind = blurs[random_below(random, 5)];
    struct foliage foliage = make_foliage(painting);
    for (int i = 0; i < count; i++) {
        if (i == focus)
            blur(painting, behind);
        scatter_leaf(painting, &foliage, random_range(random, -20, side + 20), random_range(random, -20, side + 20),
                     powf(low + (high - low) * random_unit(random), 1 / power));
    }
}

// One thing in many parts: a large leaf and smaller ones on it.
static void paint_object(struct painting *painting)
{
    struct random *random = painting->random;
    float side = (float)painting->side, radius = log_range(random, 25, 110);
    float x = side / 2 + normal(random) * side / 5, y = side / 2 + normal(random) * side / 5;
    int parts = (int)log_range(random, 1, 60);
    struct foliage foliage = make_foliage(painting);
    scatter_leaf(painting, &foliage, x, y, radius);
    for (int i = 0; i < parts; i++)
        scatter_leaf(painting, &foliage, x + normal(random) * radius / 2, y + normal(random) * radius / 2,
                     log_range(random, 2, radius * 0.7f));
}

// The same form again and again in rows: windows, planks, panels.
static void paint_rows(struct painting *painting)
{
    struct random *random = painting->random;
    struct surface surface = make_surface(painting);
    float turn = random_chance(random, 0.5f) ? random_range(random, -0.6f, 0.6f) : 0, step = log_range(random, 7, 60);
    float wide = step * random_range(random, 0.5f, 3), left = random_range(random, -60, 120),
          top = random_range(random, -60, 120);
    struct leaf leaf = {.form = random_chance(random, 0.7f) ? BOX : ELLIPSE, .cosine = cosf(turn), .sine = sinf(turn),
                        .radius = wide * random_range(random, 0.4f, 0.65f)};
    leaf.narrow = step * random_range(random, 0.2f, 0.5f) / leaf.radius;
    int rows = 1 + (int)random_below(random, 16), columns = 1 + (int)random_below(random, 16);
    float spread = random_range(random, 0, 25), shade = normal(random) * 25;
    leaf.shade[1] = shade;
    for (int i = 0; i < rows * columns; i++) {
        float a = (float)(i % columns) * wide, b = (float)(i / columns) * step;
        leaf.x = left + a * leaf.cosine - b * leaf.sine;
        leaf.y = top + a * leaf.sine + b * leaf.cosine;
        leaf.add = normal(random) * spread;
        paint_leaf(painting, &surface, &leaf);
    }
}

static void paint_scene(struct painting *painting)
{
    struct random *random = painting->random;
    struct surface ground = make_surface(painting);
    paint_all(painting, &ground);
    if (random_chance(random, 0.35f))
        paint_sky(painting);
    if (random_chance(random, 0.6f))
        paint_leaves(painting);
    for (int objects = (int)random_below(random, 4); objects > 0; objects--)
        if (random_chance(random, 0.3f))
            paint_rows(painting);
        else
            paint_object(painting);
    blur(painting, random_chance(random, 0.6f) ? random_range(random, 0, 0.7f) : log_range(random, 0.5f, 2.5f));
}

// Rows of strokes in one ink on even paper, and a few boxes: pages, screens of text, tables.
static void paint_page(struct painting *painting)
{
    struct random *random = painting->random;
    struct surface paper = make_surface(painting), ink = make_surface(painting);
    paper.roughness = ink.roughness = 0;
    memset(paper.tint, 0, sizeof paper.tint);
    memset(ink.tint, 0, sizeof ink.tint);
    bool dark = random_chance(random, 0.3f);
    for (int c = 0; c < 3; c++) {
        paper.color[c] = paper.color[c] * 0.15f + (dark ? 0.0f : 217.0f);
        ink.color[c] = ink.color[c] * 0.4f + (dark ? 150.0f : 0.0f);
    }
    paint_all(painting, &paper);
    int boxes = (int)random_below(random, 4), side = painting->side;
    for (int i = 0; i < boxes; i++) {
        struct surface box = make_surface(painting);
        struct leaf leaf = {.form = BOX, .narrow = random_range(random, 0.2f, 1), .cosine = 1,
                            .x = random_range(random, 0, (float)side), .y = random_range(random, 0, (float)side),
                            .radius = random_range(random, 15, 90)};
        paint_leaf(painting, &box, &leaf);
    }
    int height = 5 + (int)random_below(random, 14), line = height + 2 + (int)random_below(random, 8);
    float stroke = random_range(random, 0.6f, 0.6f + (float)height / 8);
    for (int y = (int)random_below(random, 20); y < side; y += line)
        for (int x = (int)random_below(random, 12), end = side - (int)random_below(random, (uint32_t)side); x < end;) {
            int wide = 2 + (int)random_below(random, (uint32_t)height);
            for (int k = 0; k < 2 + (int)random_below(random, 3); k++) {
                bool upright = random_chance(random, 0.6f);
                struct leaf leaf = {.form = BOX, .cosine = upright ? 0 : 1, .sine = upright,
                                    .x = (float)x + random_range(random, 0, (float)wide),
                                    .y = (float)y + random_range(random, 0, (float)height),
                                    .radius = (float)(upright ? height : wide) * 0.6f, .narrow = 1};
                leaf.narrow = stroke / leaf.radius;
                paint_leaf(painting, &ink, &leaf);
            }
            x += wide + 2 + (random_chance(random, 0.2f) ? height : 0);
        }
    blur(painting, random_range(random, 0, 0.8f));
}

// Light that falls off, contrast, exposure and the sensor's noise; then 8 bits.
static void develop(struct painting *painting, unsigned char *pixels, bool lit)
{
    static const float noises[] = {0, 1, 3};
    struct random *random = painting->random;
    int side = painting->side, count = side * side;
    float strength = lit ? random_range(random, 0, 0.8f) / (float)side : 0, noise = lit ? noises[random_below(random, 3)] : 0;
    float fall[2] = {normal(random) * strength, normal(random) * strength};
    float contrast = lit ? random_range(random, 0.7f, 1.9f) : 1, exposure = lit ? 20 * normal(random) : 0;
    for (int c = 0; c < 3; c++) {
        double mean = 0;
        for (int i = 0; i < count; i++)
            mean += (double)painting->planes[c][i] / count;
        for (int i = 0; i < count; i++) {
            float light = 1 + (float)(i % side - side / 2) * fall[0] + (float)(i / side - side / 2) * fall[1];
            float v = painting->planes[c][i] * light;
            v = (v - (float)mean) * contrast + (float)mean + exposure + (noise > 0 ? normal(random) * noise : 0);
            pixels[i * 3 + c] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f);
        }
    }
}

bool strangers_draw(const struct strangers *strangers, uint64_t seed, uint64_t index, struct picture *picture)
{
    static const float saturations[] = {0, 0.3f, 0.6f, 0.6f, 1, 1, 1.5f, 1.5f, 2.2f, 3};
    assert(picture->width == picture->height && picture->channels == 3);
    struct random random;
    random_init(&random, seed, index);
    size_t count = (size_t)picture->width * (size_t)picture->width;
    float *planes = memory_alloc(4 * count, sizeof *planes);
    if (!planes)
        return false;
    struct painting painting = {.side = picture->width, .strangers = strangers, .random = &random,
                                .planes = {planes, planes + count, planes + 2 * count}, .spare = planes + 3 * count};
    memset(planes, 0, 3 * count * sizeof *planes);
    painting.saturation = saturations[random_below(&random, sizeof saturations / sizeof *saturations)];
    for (int c = 0; c < 3; c++)
        painting.hue[c] = normal(&random);
    int kind = (int)random_below(&random, 100);
    struct surface surface = make_surface(&painting);
    if (kind < 82) {
        paint_scene(&painting);
    } else if (kind < 92) {
        paint_page(&painting);
    } else { // noise alone, or nothing at all
        surface.patchy = 0;
        surface.roughness = kind < 97 ? random_range(&random, 8, 60) : 0;
        paint_all(&painting, &surface);
    }
    develop(&painting, picture->pixels, kind < 82);
    memory_free(planes);
    return true;
}
