#include "engine/world/internal.h"

#include "engine/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world *world_open(const char *assets, struct error *err)
{
    struct world *world = memory_alloc(1, sizeof *world);
    char path[2][4096];
    if (!world) {
        error_no_memory(err, "the world");
        return NULL;
    }
    snprintf(path[0], sizeof path[0], "%s/world/kinds.txt", assets);
    snprintf(path[1], sizeof path[1], "%s/world/sprites.png", assets);
    if (world_read_tables(world, path[0], err) && world_read_sprites(world, path[1], err)) {
        world_list_answers(world);
        return world;
    }
    world_free(world);
    return NULL;
}

void world_free(struct world *world)
{
    if (world)
        memory_free(world->cells);
    memory_free(world);
}

const char *world_family_name(enum world_family family)
{
    static const char *const names[] = {
#define FAMILY_NAME(id, name) name,
        WORLD_FAMILIES(FAMILY_NAME)
#undef FAMILY_NAME
    };
    return (unsigned)family < WORLD_FAMILY_COUNT ? names[family] : "";
}

int world_kind_count(const struct world *world)
{
    return world->kind_count;
}

const char *world_kind_name(const struct world *world, int kind)
{
    return kind >= 0 && kind < world->kind_count ? world->kinds[kind].name : "";
}

int world_kind_category(const struct world *world, int kind)
{
    return kind >= 0 && kind < world->kind_count ? world->kinds[kind].category : -1;
}

int world_category_count(const struct world *world)
{
    return world->category_count;
}

const char *world_category_name(const struct world *world, int category)
{
    return category >= 0 && category < world->category_count ? world->categories[category].name : "";
}

int world_color_count(const struct world *world)
{
    return world->color_count;
}

const char *world_color_name(const struct world *world, int color)
{
    return color >= 0 && color < world->color_count ? world->colors[color] : "";
}

int world_answer_count(const struct world *world)
{
    return world->answer_count;
}

const char *world_answer(const struct world *world, int answer)
{
    return answer >= 0 && answer < world->answer_count ? world->answers[answer] : "";
}

int world_answer_find(const struct world *world, const char *answer)
{
    for (int i = 0; i < world->answer_count; i++)
        if (!strcmp(world->answers[i], answer))
            return i;
    return -1;
}
