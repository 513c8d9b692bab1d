// A scene: which objects, where, and what of them remains visible.
#include "engine/world/internal.h"

#include <string.h>

enum { NOBODY = 255, TRIES = 30 };

struct canvas {
    struct world_scene *scene;
    unsigned char owner[WORLD_SIDE * WORLD_SIDE];    // the object seen at each pixel
    int drawn[WORLD_OBJECTS], hidden[WORLD_OBJECTS]; // visible pixels when drawn, and lost since
};

// Kinds with colours come more often, and so do kinds of a category that is there already: colour, counting
// and category questions need their material.
static int choose_kind(const struct world *world, struct random *random, const struct plan *plan, int count)
{
    int chance = pick(random, 100);
    if (chance < 30)
        return world->colored[pick(random, world->colored_count)];
    if (chance < 50 && count > 0) {
        int category = world->kinds[plan[pick(random, count)].kind].category;
        for (int tries = 0; tries < 200; tries++) {
            int kind = pick(random, world->kind_count);
            if (world->kinds[kind].category == category)
                return kind;
        }
    }
    return pick(random, world->kind_count);
}

static void choose_color(const struct world *world, struct random *random, struct plan *plan)
{
    const struct kind *kind = &world->kinds[plan->kind];
    int variant = pick(random, kind->cell_count);
    plan->cell = kind->first_cell + variant;
    plan->color = kind->colored ? kind->color[variant] : -1;
}

int scene_compose(const struct world *world, struct random *random, struct plan plan[WORLD_OBJECTS])
{
    int want = between(random, 2, 9), count = 0;
    while (count < want) {
        int kind = choose_kind(world, random, plan, count);
        int copies = pick(random, 100) < 35 ? between(random, 2, 5) : 1;
        bool same_color = pick(random, 3) == 0;
        for (int i = 0; i < copies && count < want; i++, count++) {
            plan[count].kind = kind;
            if (i > 0 && same_color)
                plan[count] = plan[count - 1];
            else
                choose_color(world, random, &plan[count]);
        }
    }
    for (int i = count - 1; i > 0; i--) {
        int j = pick(random, i + 1);
        struct plan swap = plan[i];
        plan[i] = plan[j];
        plan[j] = swap;
    }
    return count;
}

// Boxes closer than `gap` pixels.
static bool touch(struct world_box a, struct world_box b, int gap)
{
    return a.x0 < b.x1 + gap && b.x0 < a.x1 + gap && a.y0 < b.y1 + gap && b.y0 < a.y1 + gap;
}

static uint32_t sprite_pixel(const struct sprite *sprite, struct world_box at, int x, int y)
{
    return sprite->pixels[(y - at.y0 + sprite->box.y0) * sprite->side + x - at.x0 + sprite->box.x0];
}

// Whether an object at `at` would leave at least seven eighths of every earlier one in sight. `lost` gets
// what each would lose.
static bool leaves_visible(const struct canvas *canvas, const struct sprite *sprite, struct world_box at,
                           int lost[WORLD_OBJECTS])
{
    memset(lost, 0, WORLD_OBJECTS * sizeof *lost);
    for (int y = at.y0; y < at.y1; y++)
        for (int x = at.x0; x < at.x1; x++) {
            int owner = canvas->owner[y * WORLD_SIDE + x];
            if (owner != NOBODY && sprite_pixel(sprite, at, x, y) >> 24 >= SPRITE_VISIBLE)
                lost[owner]++;
        }
    for (int i = 0; i < canvas->scene->object_count; i++)
        if ((canvas->hidden[i] + lost[i]) * 8 > canvas->drawn[i])
            return false;
    return true;
}

static bool find_place(const struct canvas *canvas, struct random *random, const struct sprite *sprite,
                       struct world_box *place, int lost[WORLD_OBJECTS])
{
    int width = sprite->box.x1 - sprite->box.x0, height = sprite->box.y1 - sprite->box.y0;
    bool may_overlap = pick(random, 4) == 0;
    for (int tries = 0; tries < TRIES; tries++) {
        int x = between(random, 1, WORLD_SIDE - width - 1), y = between(random, 1, WORLD_SIDE - height - 1);
        struct world_box at = {(int16_t)x, (int16_t)y, (int16_t)(x + width), (int16_t)(y + height)};
        bool free = true;
        for (int i = 0; i < canvas->scene->object_count; i++)
            free = free && !touch(at, canvas->scene->objects[i].box, 2);
        if (!free && !may_overlap)
            continue;
        if (leaves_visible(canvas, sprite, at, lost)) {
            *place = at;
            return true;
        }
    }
    return false;
}

static void paste(struct canvas *canvas, struct random *random, const struct sprite *sprite,
                  struct world_box at)
{
    int number = canvas->scene->object_count,
        light = between(random, 232, 292); // of 256, or orange would pass for brown
    // Half-transparent edge pixels outside the box of visible ones are drawn too.
    for (int v = 0; v < sprite->side; v++)
        for (int u = 0; u < sprite->side; u++) {
            uint32_t p = sprite->pixels[v * sprite->side + u], alpha = p >> 24;
            int x = at.x0 - sprite->box.x0 + u, y = at.y0 - sprite->box.y0 + v;
            if (alpha == 0 || x < 0 || y < 0 || x >= WORLD_SIDE || y >= WORLD_SIDE)
                continue;
            unsigned char *to = canvas->scene->pixels + (y * WORLD_SIDE + x) * 3;
            for (int c = 0; c < 3; c++) {
                int own = (int)(p >> (8 * c) & 255) * light >> 8;
                own = own > (int)alpha ? (int)alpha : own; // never brighter than white
                to[c] = (unsigned char)(own + (to[c] * (int)(255 - alpha) + 127) / 255);
            }
            if (alpha >= SPRITE_VISIBLE) {
                canvas->owner[y * WORLD_SIDE + x] = (unsigned char)number;
                canvas->drawn[number]++;
            }
        }
}

// Boxes around the pixels that are still each object's own.
static void tighten_boxes(struct canvas *canvas)
{
    struct world_object *objects = canvas->scene->objects;
    for (int i = 0; i < canvas->scene->object_count; i++)
        objects[i].box = (struct world_box){WORLD_SIDE, WORLD_SIDE, 0, 0};
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int owner = canvas->owner[y * WORLD_SIDE + x];
            if (owner == NOBODY)
                continue;
            struct world_box *box = &objects[owner].box;
            box->x0 = (int16_t)(x < box->x0 ? x : box->x0);
            box->y0 = (int16_t)(y < box->y0 ? y : box->y0);
            box->x1 = (int16_t)(x >= box->x1 ? x + 1 : box->x1);
            box->y1 = (int16_t)(y + 1);
        }
}

bool world_make_scene(const struct world *world, uint64_t seed, uint64_t index, struct world_scene *scene)
{
    struct random random;
    random_init(&random, seed, 2 * index);
    struct plan plan[WORLD_OBJECTS];
    struct canvas canvas = {.scene = scene};
    memset(canvas.owner, NOBODY, sizeof canvas.owner);
    memset(scene->objects, 0, sizeof scene->objects);
    scene->object_count = 0;
    background_draw(&random, scene->pixels);
    background_clutter(&random, scene->pixels);
    int count = scene_compose(world, &random, plan);
    int largest = count <= 5 ? 60 : count <= 7 ? 52 : 46;
    for (int i = 0; i < count; i++) {
        struct sprite sprite;
        struct world_box place = {0};
        int lost[WORLD_OBJECTS];
        int longest = between(&random, 28, largest), turn = pick(&random, SPRITE_TURNS);
        sprite_draw(world, plan[i].cell, longest, turn, &sprite);
        if (!find_place(&canvas, &random, &sprite, &place, lost))
            continue;
        for (int j = 0; j < scene->object_count; j++)
            canvas.hidden[j] += lost[j];
        paste(&canvas, &random, &sprite, place);
        scene->objects[scene->object_count++] =
            (struct world_object){.kind = plan[i].kind, .color = plan[i].color, .box = place};
    }
    tighten_boxes(&canvas);
    return scene->object_count >= 2;
}
