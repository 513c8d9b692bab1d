#include "engine/world/internal.h"

#include "engine/base/memory.h"

enum { SHEET_COLUMNS = 16 };

// Cosine and sine of 2 degrees times 0 .. 8, in 1/65536: a table, because libm's last bits differ between
// machines.
static const int cosine[] = {65536, 65496, 65376, 65177, 64898, 64540, 64104, 63589, 62997};
static const int sine[] = {0, 2287, 4572, 6850, 9121, 11380, 13626, 15855, 18064};

static uint32_t premultiplied(const unsigned char *rgba)
{
    uint32_t a = rgba[3], out = a << 24;
    for (int c = 0; c < 3; c++)
        out |= ((rgba[c] * a + 127) / 255) << (8 * c);
    return out;
}

static void cut_cells(uint32_t *to, int cell_count, const unsigned char *sheet, int width)
{
    for (int cell = 0; cell < cell_count; cell++) {
        int left = cell % SHEET_COLUMNS * CELL_SIDE, top = cell / SHEET_COLUMNS * CELL_SIDE;
        for (int y = 0; y < CELL_SIDE; y++)
            for (int x = 0; x < CELL_SIDE; x++)
                *to++ = premultiplied(sheet + ((size_t)(top + y) * (size_t)width + (size_t)(left + x)) * 4);
    }
}

bool world_read_sprites(struct world *world, enum world_style style, const char *path, struct error *err)
{
    int rows = (world->cell_count + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    int width = SHEET_COLUMNS * CELL_SIDE, height = rows * CELL_SIDE;
    struct picture sheet;
    if (!picture_load(&sheet, path, (struct picture_reading){0}, NULL, err))
        return false;
    bool ok = true;
    if (sheet.width != width || sheet.height != height || sheet.channels != 4)
        ok = error_set(err, ERROR_INPUT,
                       "%s is %d x %d pixels with %d channels; %d sprites need %d x %d with 4: run "
                       "tools/make-sprites",
                       path, sheet.width, sheet.height, sheet.channels, world->cell_count, width, height);
    else if (!(world->cells[style] =
                   memory_alloc((size_t)world->cell_count, sizeof(uint32_t) * CELL_SIDE * CELL_SIDE)))
        ok = error_no_memory(err, "the sprites");
    else
        cut_cells(world->cells[style], world->cell_count, sheet.pixels, width);
    picture_free(&sheet);
    return ok;
}

// Mean of 4 x 4 points of the cell around the place where the target pixel comes from: an area filter down to
// a quarter, and fine enough above. u, v: the first point; right, down: the steps in the cell for a quarter pixel in
// each direction; 1/65536 pixels.
static uint32_t sample(const uint32_t *cell, int u, int v, const int right[2], const int down[2])
{
    uint32_t even = 0, odd = 0; // R and B, G and A: two sums in one word
    for (int j = 0; j < 4; j++, u += down[0], v += down[1]) {
        int x = u, y = v;
        for (int i = 0; i < 4; i++, x += right[0], y += right[1]) {
            unsigned column = (unsigned)(x >> 16), row = (unsigned)(y >> 16);
            if (column >= CELL_SIDE || row >= CELL_SIDE)
                continue;
            uint32_t p = cell[row * CELL_SIDE + column];
            even += p & 0xff00ff;
            odd += (p >> 8) & 0xff00ff;
        }
    }
    even = ((even + 0x080008) >> 4) & 0xff00ff;
    odd = ((odd + 0x080008) >> 4) & 0xff00ff;
    return even | odd << 8;
}

static struct world_box visible_box(const struct sprite *sprite)
{
    struct world_box box = {(int16_t)sprite->side, (int16_t)sprite->side, 0, 0};
    for (int y = 0; y < sprite->side; y++)
        for (int x = 0; x < sprite->side; x++)
            if (sprite->pixels[y * sprite->side + x] >> 24 >= SPRITE_VISIBLE) {
                box.x0 = (int16_t)(x < box.x0 ? x : box.x0);
                box.y0 = (int16_t)(y < box.y0 ? y : box.y0);
                box.x1 = (int16_t)(x >= box.x1 ? x + 1 : box.x1);
                box.y1 = (int16_t)(y + 1);
            }
    return box;
}

enum world_style world_choose_style(const struct world *world, unsigned lot)
{
    int found[WORLD_STYLE_COUNT], count = 0;
    for (int s = 0; s < WORLD_STYLE_COUNT; s++)
        if (world->cells[s])
            found[count++] = s;
    return (enum world_style)found[lot % (unsigned)count];
}

void sprite_draw(const struct world *world, enum world_style style, int cell, struct pose pose, struct sprite *sprite)
{
    const uint32_t *from = world->cells[style] + (size_t)cell * CELL_SIDE * CELL_SIDE;
    int angle = pose.turn - SPRITE_TURNS / 2, size = angle < 0 ? -angle : angle;
    int scale = (CELL_DRAWN << 12) / pose.longest; // cell pixels in a target pixel, 1/4096
    // A quarter of the step in the cell for one target pixel to the right.
    int a = (int)((int64_t)cosine[size] * scale >> 14), b = (int)((int64_t)sine[size] * scale >> 14);
    if (angle < 0)
        b = -b;
    const int right[2] = {a * 256 / pose.wide, b * 256 / pose.high}, down[2] = {-b * 256 / pose.wide, a * 256 / pose.high};
    sprite->side = pose.longest * 5 / 4 + 2;
    if (sprite->side > SPRITE_SIDE)
        sprite->side = SPRITE_SIDE;
    int half = sprite->side * 2; // quarter pixels from the left edge to the middle
    for (int y = 0; y < sprite->side; y++)
        for (int x = 0; x < sprite->side; x++) {
            // Twice the distance of the pixel's first point from the middle, in quarter pixels.
            int dx = 2 * (4 * x - half) + 1, dy = 2 * (4 * y - half) + 1;
            int u = (CELL_SIDE << 15) + (dx * right[0] + dy * down[0]) / 2;
            int v = (CELL_SIDE << 15) + (dx * right[1] + dy * down[1]) / 2;
            sprite->pixels[y * sprite->side + x] = sample(from, u, v, right, down);
        }
    sprite->box = visible_box(sprite);
}
