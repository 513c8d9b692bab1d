// Objects onto a scene's pixels, and who is seen at each.
#include "engine/world/internal.h"

#include <string.h>

void canvas_begin(struct canvas *canvas, struct world_scene *scene)
{
    *canvas = (struct canvas){.scene = scene};
    memset(canvas->owner, CANVAS_NOBODY, sizeof canvas->owner);
    memset(scene->objects, 0, sizeof scene->objects);
    scene->object_count = 0;
}

bool canvas_covers(const struct sprite *sprite, struct world_box at, int x, int y)
{
    uint32_t pixel = sprite->pixels[(y - at.y0 + sprite->box.y0) * sprite->side + x - at.x0 + sprite->box.x0];
    return pixel >> 24 >= SPRITE_VISIBLE;
}

void canvas_paste(struct canvas *canvas, const struct sprite *sprite, int light, const struct world_object *object)
{
    int number = canvas->scene->object_count;
    struct world_box at = object->box;
    canvas->scene->objects[canvas->scene->object_count++] = *object;
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

void canvas_tighten(struct canvas *canvas)
{
    struct world_object *objects = canvas->scene->objects;
    for (int i = 0; i < canvas->scene->object_count; i++)
        objects[i].box = (struct world_box){WORLD_SIDE, WORLD_SIDE, 0, 0};
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            int owner = canvas->owner[y * WORLD_SIDE + x];
            if (owner == CANVAS_NOBODY)
                continue;
            struct world_box *box = &objects[owner].box;
            box->x0 = (int16_t)(x < box->x0 ? x : box->x0);
            box->y0 = (int16_t)(y < box->y0 ? y : box->y0);
            box->x1 = (int16_t)(x >= box->x1 ? x + 1 : box->x1);
            box->y1 = (int16_t)(y + 1);
        }
}
