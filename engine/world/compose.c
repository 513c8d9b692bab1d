#include "engine/world/compose.h"

#include "engine/world/internal.h"

#include <string.h>

enum { BACKGROUND_STREAM = 0xC0 }; // of the seed: another sequence than any scene of the world has

const char *compose_background_name(int background)
{
    return background_name(background);
}

int compose_colors(const struct world *world, int kind, int *colors)
{
    const struct kind *k = &world->kinds[kind];
    for (int i = 0; k->colored && i < k->cell_count; i++)
        colors[i] = k->color[i];
    return k->colored ? k->cell_count : 0;
}

static int cell_of(const struct world *world, const struct compose_object *object)
{
    const struct kind *kind = &world->kinds[object->kind];
    for (int i = 0; kind->colored && i < kind->cell_count; i++)
        if (kind->color[i] == object->color)
            return kind->first_cell + i;
    return kind->first_cell;
}

void compose_draw_ground(const struct compose *compose, unsigned char *pixels)
{
    struct random random;
    random_init(&random, (uint64_t)compose->seed, BACKGROUND_STREAM);
    background_draw_kind(&random, compose->background, pixels);
    if (compose->clutter)
        background_clutter(&random, pixels);
}

static void draw_objects(const struct world *world, const struct compose *compose, struct world_scene *scene)
{
    struct canvas canvas;
    canvas_begin(&canvas, scene);
    for (int i = 0; i < compose->count; i++) {
        const struct compose_object *o = &compose->objects[i];
        struct sprite sprite;
        struct pose pose = {.longest = o->size, .turn = o->turn / 2 + SPRITE_TURNS / 2, .wide = 256, .high = 256};
        sprite_draw(world, world_choose_style(world, 0), cell_of(world, o), pose, &sprite);
        int width = sprite.box.x1 - sprite.box.x0, height = sprite.box.y1 - sprite.box.y0;
        int x = o->x - width / 2, y = o->y - height / 2;
        struct world_object placed = {
            o->kind, o->color, {(int16_t)x, (int16_t)y, (int16_t)(x + width), (int16_t)(y + height)}};
        canvas_paste(&canvas, &sprite, 256, &placed);
    }
    canvas_tighten(&canvas);
}

void compose_draw_objects(const struct world *world, const struct compose *compose, const unsigned char *ground,
                          struct world_scene *scene)
{
    memcpy(scene->pixels, ground, sizeof scene->pixels);
    draw_objects(world, compose, scene);
}

void compose_draw(const struct world *world, const struct compose *compose, struct world_scene *scene)
{
    compose_draw_ground(compose, scene->pixels);
    draw_objects(world, compose, scene);
}

void compose_hold(struct compose_object *object)
{
    object->x = clamp(object->x, 0, WORLD_SIDE - 1);
    object->y = clamp(object->y, 0, WORLD_SIDE - 1);
    object->size = clamp(object->size, COMPOSE_LEAST, COMPOSE_MOST);
    object->turn = clamp(object->turn, -COMPOSE_TURN, COMPOSE_TURN) / 2 * 2;
}

bool compose_add(struct compose *compose, const struct compose_object *object)
{
    if (compose->count >= WORLD_OBJECTS)
        return false;
    compose->objects[compose->count] = *object;
    compose_hold(&compose->objects[compose->count++]);
    return true;
}

bool compose_remove(struct compose *compose, int index)
{
    if (index < 0 || index >= compose->count)
        return false;
    compose->count--;
    memmove(compose->objects + index, compose->objects + index + 1,
            (size_t)(compose->count - index) * sizeof *compose->objects);
    return true;
}

bool compose_raise(struct compose *compose, int index)
{
    if (index < 0 || index >= compose->count)
        return false;
    struct compose_object object = compose->objects[index];
    compose_remove(compose, index);
    return compose_add(compose, &object);
}

int compose_at(const struct world_scene *scene, int x, int y)
{
    for (int i = scene->object_count - 1; i >= 0; i--) {
        struct world_box box = scene->objects[i].box;
        if (x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1)
            return i;
    }
    return -1;
}

// What hides wholly behind others cannot be asked for. original[i]: which object seen->objects[i] is.
static void see(const struct world_scene *scene, struct world_scene *seen, int original[WORLD_OBJECTS])
{
    seen->object_count = 0;
    for (int i = 0; i < scene->object_count; i++)
        if (scene->objects[i].box.x0 < scene->objects[i].box.x1) {
            original[seen->object_count] = i;
            seen->objects[seen->object_count++] = scene->objects[i];
        }
}

static void name_originals(struct world_question *question, const int *original, int count)
{
    uint32_t needed = 0;
    for (int i = 0; i < count; i++)
        if (question->needed >> i & 1)
            needed |= 1u << original[i];
    question->needed = needed;
}

int compose_ask(const struct world *world, const struct world_scene *scene, int seed, struct world_question *questions,
                int want)
{
    struct world_scene seen;
    int original[WORLD_OBJECTS];
    see(scene, &seen, original);
    if (seen.object_count < 2)
        return 0;
    int count = world_make_questions(world, (uint64_t)seed, BACKGROUND_STREAM, &seen, questions, want);
    for (int q = 0; q < count; q++)
        name_originals(&questions[q], original, seen.object_count);
    return count;
}

bool compose_find_question(const struct world *world, const struct world_scene *scene, const char *text,
                           struct world_question *question)
{
    struct world_scene seen;
    int original[WORLD_OBJECTS];
    see(scene, &seen, original);
    if (seen.object_count < 2 || !world_find_question(world, &seen, text, question))
        return false;
    name_originals(question, original, seen.object_count);
    return true;
}
