#include "engine/world/internal.h"

#include "engine/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct style {
    const char *name, *ending;
};
static const struct style styles[] = {
#define STYLE_ROW(id, name, ending) {name, ending},
    WORLD_STYLES(STYLE_ROW)
#undef STYLE_ROW
};

const char *world_style_name(enum world_style style)
{
    return (unsigned)style < WORLD_STYLE_COUNT ? styles[style].name : "";
}

static bool read_styles(struct world *world, const char *assets, struct error *err)
{
    char path[4096];
    for (int s = 0; s < WORLD_STYLE_COUNT; s++) {
        if (!(world->options.styles >> s & 1))
            continue;
        snprintf(path, sizeof path, "%s/world/sprites-%s.%s", assets, styles[s].name, styles[s].ending);
        if (!world_read_sprites(world, (enum world_style)s, path, err))
            return false;
    }
    return true;
}

struct world *world_open(const char *assets, const struct world_options *options, struct error *err)
{
    struct world *world = memory_alloc(1, sizeof *world);
    char path[4096];
    if (!world) {
        error_no_memory(err, "the world");
        return NULL;
    }
    world->options = *options;
    snprintf(path, sizeof path, "%s/world/kinds.txt", assets);
    if (world_read_tables(world, path, err) && read_styles(world, assets, err)) {
        world_list_answers(world);
        return world;
    }
    world_free(world);
    return NULL;
}

void world_free(struct world *world)
{
    for (int s = 0; world && s < WORLD_STYLE_COUNT; s++)
        memory_free(world->cells[s]);
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
