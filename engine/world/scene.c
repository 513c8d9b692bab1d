// A scene: which objects, where, and what of them remains visible.
#include "engine/world/internal.h"

#include <string.h>

enum { TRIES = 30 };

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

// Whether an object at `at` would leave at least seven eighths of every earlier one in sight. `lost` gets
// what each would lose.
static bool leaves_visible(const struct canvas *canvas, const struct sprite *sprite, struct world_box at,
                           int lost[WORLD_OBJECTS])
{
    memset(lost, 0, WORLD_OBJECTS * sizeof *lost);
    for (int y = at.y0; y < at.y1; y++)
        for (int x = at.x0; x < at.x1; x++) {
            int owner = canvas->owner[y * WORLD_SIDE + x];
            if (owner != CANVAS_NOBODY && canvas_covers(sprite, at, x, y))
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

// How all objects of a scene are drawn.
struct look {
    enum world_style style;
    int size;    // percent
    bool varied; // vary.c
    struct random lot;
};

// From a stream of its own: the same things in every style, and, as far as there is room, in the same places.
static struct look choose_look(const struct world *world, uint64_t seed, uint64_t index)
{
    const struct world_options *options = &world->options;
    struct look look;
    random_init(&look.lot, seed ^ 0x73747931u, 2 * index);
    look.style = world_choose_style(world, random_below(&look.lot, 1u << 16));
    look.size = between(&look.lot, options->size_low, options->size_high);
    look.varied = pick(&look.lot, 100) < options->varied;
    return look;
}

// One of three varied objects has a style of its own.
static void draw_object(const struct world *world, struct look *look, const struct plan *plan, struct pose pose,
                        struct sprite *sprite)
{
    if (!look->varied) {
        sprite_draw(world, look->style, plan->cell, pose, sprite);
        return;
    }
    bool own = pick(&look->lot, 3) == 0;
    enum world_style style = own ? world_choose_style(world, (unsigned)pick(&look->lot, 1 << 16)) : look->style;
    struct variation variation = variation_choose(&look->lot, plan->color >= 0);
    pose.wide = variation.wide;
    pose.high = variation.high;
    sprite_draw(world, style, plan->cell, pose, sprite);
    variation_paint(&variation, sprite);
}

// The background of a scene, with clutter.
static void draw_ground(const struct world *world, struct random *random, struct look *look, unsigned char *pixels)
{
    background_draw(random, world->options.new_backgrounds, pixels);
    if (look->varied)
        background_vary(&look->lot, pixels);
    background_clutter(random, pixels);
}

// Draws the objects of a plan onto a canvas that has its background, where they find a place.
static void place_all(const struct world *world, struct random *random, struct look *look,
                      const struct plan plan[WORLD_OBJECTS], int count, struct canvas *canvas)
{
    int largest = count <= 5 ? 60 : count <= 7 ? 52 : 46;
    for (int i = 0; i < count; i++) {
        struct sprite sprite;
        struct world_box place = {0};
        int lost[WORLD_OBJECTS];
        struct pose pose = {.longest = between(random, 28, largest) * look->size / 100, .wide = 256, .high = 256};
        pose.turn = pick(random, SPRITE_TURNS);
        draw_object(world, look, &plan[i], pose, &sprite);
        if (!find_place(canvas, random, &sprite, &place, lost))
            continue;
        for (int j = 0; j < canvas->scene->object_count; j++)
            canvas->hidden[j] += lost[j];
        int light = between(random, 232, 292); // or orange would pass for brown
        struct world_object object = {.kind = plan[i].kind, .color = plan[i].color, .box = place};
        canvas_paste(canvas, &sprite, light, &object);
    }
    canvas_tighten(canvas);
}

bool world_make_scene(const struct world *world, uint64_t seed, uint64_t index, struct world_scene *scene)
{
    struct random random;
    random_init(&random, seed, 2 * index);
    struct plan plan[WORLD_OBJECTS];
    struct canvas canvas;
    canvas_begin(&canvas, scene);
    struct look look = choose_look(world, seed, index);
    draw_ground(world, &random, &look, scene->pixels);
    int count = scene_compose(world, &random, plan);
    place_all(world, &random, &look, plan, count, &canvas);
    return scene->object_count >= 2;
}

// The second picture of a pair: things of its own, and some of the first one's in another number, another colour or
// another place, so that there is something to compare.
static int compose_second(const struct world *world, struct random *random, const struct plan first[WORLD_OBJECTS],
                          int first_count, struct plan plan[WORLD_OBJECTS])
{
    int count = scene_compose(world, random, plan);
    int shared = between(random, 0, 2);
    for (int i = 0; i < shared; i++) {
        struct plan like = first[pick(random, first_count)];
        int copies = pick(random, 100) < 50 ? 1 : between(random, 2, 4);
        for (int k = 0; k < copies; k++) {
            int at = count < 9 ? count++ : pick(random, count);
            plan[at] = like;
            if (pick(random, 3) > 0)
                choose_color(world, random, &plan[at]);
        }
    }
    return count;
}

bool world_make_pair(const struct world *world, uint64_t seed, uint64_t index, struct world_scene scenes[2])
{
    struct random random;
    random_init(&random, seed ^ 0x70616972u, 2 * index);
    struct plan plan[2][WORLD_OBJECTS];
    int count[2];
    count[0] = scene_compose(world, &random, plan[0]);
    count[1] = compose_second(world, &random, plan[0], count[0], plan[1]);
    bool swap = pick(&random, 2);
    struct look look = choose_look(world, seed, index);
    for (int s = 0; s < 2; s++) {
        int from = swap ? 1 - s : s;
        struct canvas canvas;
        canvas_begin(&canvas, &scenes[s]);
        draw_ground(world, &random, &look, scenes[s].pixels);
        place_all(world, &random, &look, plan[from], count[from], &canvas);
    }
    return scenes[0].object_count >= 2 && scenes[1].object_count >= 2;
}
