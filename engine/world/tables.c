#include "engine/world/internal.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"

#include <string.h>

enum { TABLE_BYTES = 1 << 16, FIELD_LIMIT = 3 + COLOR_LIMIT + 1 };

static bool is_name(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || n >= NAME_SIZE)
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] < 'a' || text[i] > 'z')
            return false;
    return true;
}

static int color_find(const struct world *world, const char *name)
{
    for (int i = 0; i < world->color_count; i++)
        if (!strcmp(world->colors[i], name))
            return i;
    return -1;
}

static int category_find(const struct world *world, const char *name)
{
    for (int i = 0; i < world->category_count; i++)
        if (!strcmp(world->categories[i].name, name))
            return i;
    return -1;
}

static bool add_color(struct world *world, char **field, int fields, struct error *err)
{
    if (fields != 2 || !is_name(field[1]))
        return error_set(err, ERROR_INPUT, "a color line holds one lower-case name of at most %d letters",
                         NAME_SIZE - 1);
    if (world->color_count == COLOR_LIMIT)
        return error_set(err, ERROR_INPUT, "more than %d colors", COLOR_LIMIT);
    strcpy(world->colors[world->color_count++], field[1]);
    return true;
}

static bool add_category(struct world *world, char **field, int fields, struct error *err)
{
    bool askable = fields == 3 && strcmp(field[2], "-") != 0;
    if (fields != 3 || !is_name(field[1]) || (askable && !is_name(field[2])))
        return error_set(err, ERROR_INPUT, "a category line holds a name and a plural or \"-\"");
    if (world->category_count == CATEGORY_LIMIT)
        return error_set(err, ERROR_INPUT, "more than %d categories", CATEGORY_LIMIT);
    struct category *category = &world->categories[world->category_count++];
    strcpy(category->name, field[1]);
    strcpy(category->plural, askable ? field[2] : field[1]);
    category->askable = askable;
    return true;
}

// One emoji, or COLOR=EMOJI, or COLOR~EMOJI.
static bool add_cell(struct world *world, struct kind *kind, char *text, struct error *err)
{
    char *mark = strpbrk(text, "=~");
    if (world->cell_count == CELL_LIMIT)
        return error_set(err, ERROR_INPUT, "more than %d pictures", CELL_LIMIT);
    if (mark) {
        *mark = '\0';
        int color = color_find(world, text);
        if (color < 0)
            return error_set(err, ERROR_INPUT, "\"%s\" is not one of the colors above", text);
        kind->color[kind->cell_count] = (signed char)color;
        kind->colored = true;
    }
    if (kind->cell_count > 0 && (!mark || !kind->colored))
        return error_set(err, ERROR_INPUT, "each of several pictures of a kind needs its color: COLOR=EMOJI");
    kind->cell_count++;
    world->cell_count++;
    return true;
}

static bool add_kind(struct world *world, char **field, int fields, struct error *err)
{
    bool pair = fields > 1 && field[1][0] == '+';
    if (fields < 4 || !is_name(field[0]) || !is_name(field[1] + pair))
        return error_set(err, ERROR_INPUT, "a kind's line holds a name, a plural, a category and pictures");
    if (world->kind_count == KIND_LIMIT)
        return error_set(err, ERROR_INPUT, "more than %d kinds", KIND_LIMIT);
    struct kind *kind = &world->kinds[world->kind_count];
    strcpy(kind->name, field[0]);
    strcpy(kind->plural, field[1] + pair);
    kind->pair = pair;
    kind->category = category_find(world, field[2]);
    kind->first_cell = world->cell_count;
    if (kind->category < 0)
        return error_set(err, ERROR_INPUT, "\"%s\" is not one of the categories above", field[2]);
    for (int i = 3; i < fields; i++)
        if (!add_cell(world, kind, field[i], err))
            return false;
    if (kind->colored)
        world->colored[world->colored_count++] = world->kind_count;
    world->kind_count++;
    return true;
}

static bool read_line(struct world *world, char *line, struct error *err)
{
    char *field[FIELD_LIMIT], *rest = NULL;
    int fields = 0;
    for (char *word = strtok_r(line, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest)) {
        if (fields == FIELD_LIMIT)
            return error_set(err, ERROR_INPUT, "more than %d words", FIELD_LIMIT);
        field[fields++] = word;
    }
    if (fields == 0 || field[0][0] == '#')
        return true;
    if (!strcmp(field[0], "color"))
        return add_color(world, field, fields, err);
    if (!strcmp(field[0], "category"))
        return add_category(world, field, fields, err);
    return add_kind(world, field, fields, err);
}

bool world_read_tables(struct world *world, const char *path, struct error *err)
{
    unsigned char *data;
    size_t size;
    if (!file_read(path, TABLE_BYTES, &data, &size, err))
        return false;
    int number = 0;
    bool ok = true;
    for (char *line = (char *)data, *end; ok && line; line = end) {
        number++;
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        ok = read_line(world, line, err);
    }
    memory_free(data);
    if (!ok)
        return error_prefix(err, "%s, line %d", path, number);
    if (world->kind_count < 2 * WORLD_OBJECTS || world->colored_count == 0)
        return error_set(err, ERROR_INPUT,
                         "%s names %d kinds, %d of them in colors; the world needs %d and 1", path,
                         world->kind_count, world->colored_count, 2 * WORLD_OBJECTS);
    return true;
}
