// A composed scene's description, kept beside its picture.
#include "engine/world/compose.h"

#include "engine/io/json_place.h"
#include "engine/world/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, BYTES_LIMIT = 1 << 20 };

// ---- writing ----------------------------------------------------------------------------------------------------

static json_t *json_of_object(const struct world *world, const struct compose_object *o, struct world_box box)
{
    json_t *object = json_pack("{s:s, s:i, s:i, s:i, s:i}", "kind", world_kind_name(world, o->kind), "x", o->x, "y", o->y,
                               "size", o->size, "turn", o->turn);
    if (o->color >= 0)
        json_object_set_new(object, "color", json_string(world_color_name(world, o->color)));
    if (box.x0 < box.x1)
        json_object_set_new(object, "box", json_pack("[i, i, i, i]", box.x0, box.y0, box.x1, box.y1));
    return object;
}

char *compose_to_json(const struct world *world, const struct compose_file *file, const char *picture)
{
    const struct compose *compose = &file->scene;
    struct world_scene *scene = malloc(sizeof *scene);
    json_t *objects = json_array(), *questions = json_array();
    char *text = NULL;
    if (scene)
        compose_draw(world, compose, scene);
    for (int i = 0; scene && i < compose->count; i++)
        json_array_append_new(objects, json_of_object(world, &compose->objects[i], scene->objects[i].box));
    for (int i = 0; i < file->question_count; i++)
        json_array_append_new(questions, json_string(file->questions[i]));
    json_t *root = json_pack("{s:i, s:{s:s, s:i, s:b}, s:o, s:o}", "trimscope_scene", VERSION, "background", "kind",
                             background_name(compose->background), "seed", compose->seed, "clutter", compose->clutter,
                             "objects", objects, "questions", questions);
    if (picture)
        json_object_set_new(root, "picture", json_string(picture));
    if (scene && root)
        text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    free(scene);
    return text;
}

// ---- reading ----------------------------------------------------------------------------------------------------

static int find_kind(const struct world *world, const char *name)
{
    for (int i = 0; i < world->kind_count; i++)
        if (!strcmp(world->kinds[i].name, name))
            return i;
    return -1;
}

static bool read_kind(struct place place, const struct world *world, int *kind, struct error *err)
{
    char name[NAME_SIZE + 1], found[NAME_SIZE + 8];
    if (!place_read_text(place, name, sizeof name, err))
        return false;
    *kind = find_kind(world, name);
    snprintf(found, sizeof found, "\"%s\"", name);
    return *kind >= 0 ||
           place_refuse_found(&place, err, "a thing of the world (assets/world/kinds.txt lists them)", found);
}

// Without a colour a kind that comes in several has its first.
static bool read_color(struct place place, const struct world *world, struct compose_object *object, struct error *err)
{
    int colors[COLOR_LIMIT], count = compose_colors(world, object->kind, colors);
    char name[NAME_SIZE + 1], found[NAME_SIZE + 8], expected[160];
    object->color = count ? colors[0] : -1;
    if (!place.value || json_is_null(place.value))
        return true;
    if (!place_read_text(place, name, sizeof name, err))
        return false;
    int used = snprintf(expected, sizeof expected, count ? "one of" : "left out: a %s has no choice of colors",
                        world_kind_name(world, object->kind));
    for (int i = 0; i < count; i++) {
        const char *color = world_color_name(world, colors[i]);
        if (!strcmp(color, name)) {
            object->color = colors[i];
            return true;
        }
        used += snprintf(expected + used, sizeof expected - (size_t)used, "%s %s", i > 0 ? "," : "", color);
    }
    snprintf(found, sizeof found, "\"%s\"", name);
    return place_refuse_found(&place, err, expected, found);
}

static bool read_object(struct place place, const struct world *world, struct compose *compose, struct error *err)
{
    static const char *const members[] = {"kind", "color", "x", "y", "size", "turn", "box", NULL};
    struct compose_object *o = &compose->objects[compose->count];
    struct place turn = place_member(&place, "turn");
    *o = (struct compose_object){0};
    if (!place_check_members(&place, members, err) || !read_kind(place_member(&place, "kind"), world, &o->kind, err) ||
        !read_color(place_member(&place, "color"), world, o, err) ||
        !place_read_int(place_member(&place, "x"), 0, WORLD_SIDE - 1, &o->x, err) ||
        !place_read_int(place_member(&place, "y"), 0, WORLD_SIDE - 1, &o->y, err) ||
        !place_read_int(place_member(&place, "size"), COMPOSE_LEAST, COMPOSE_MOST, &o->size, err) ||
        (turn.value && !place_read_int(turn, -COMPOSE_TURN, COMPOSE_TURN, &o->turn, err)))
        return false;
    compose_hold(o);
    compose->count++;
    return true;
}

static bool read_background(struct place place, struct compose *compose, struct error *err)
{
    static const char *const members[] = {"kind", "seed", "clutter", NULL};
    struct place seed = place_member(&place, "seed"), clutter = place_member(&place, "clutter");
    return place_check_members(&place, members, err) &&
           place_read_name(place_member(&place, "kind"), background_name, &compose->background, err) &&
           (!seed.value || place_read_int(seed, 0, COMPOSE_SEEDS - 1, &compose->seed, err)) &&
           (!clutter.value || place_read_bool(clutter, &compose->clutter, err));
}

static bool read_questions(struct place place, struct compose_file *file, struct error *err)
{
    size_t count = 0;
    if (place.value && !place_read_length(&place, COMPOSE_QUESTIONS, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!place_read_text(place_element(&place, i), file->questions[i], COMPOSE_TEXT, err))
            return false;
    file->question_count = (int)count;
    return true;
}

static bool read_file(struct place root, const struct world *world, struct compose_file *file, struct error *err)
{
    static const char *const members[] = {"trimscope_scene", "background", "objects", "questions", "picture", NULL};
    struct place version = place_member(&root, "trimscope_scene"), objects = place_member(&root, "objects");
    size_t count;
    int number;
    if (!version.value)
        return error_set(err, ERROR_INPUT, "not a scene: the member \"trimscope_scene\", its version, is missing");
    if (!place_read_int(version, VERSION, VERSION, &number, err) || !place_check_members(&root, members, err) ||
        !read_background(place_member(&root, "background"), &file->scene, err) ||
        !place_read_length(&objects, WORLD_OBJECTS, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_object(place_element(&objects, i), world, &file->scene, err))
            return false;
    return read_questions(place_member(&root, "questions"), file, err);
}

bool compose_from_json(const struct world *world, const char *text, size_t size, struct compose_file *file,
                       struct error *err)
{
    json_error_t problem;
    *file = (struct compose_file){0};
    if (size > BYTES_LIMIT)
        return error_set(err, ERROR_INPUT, "a scene of %zu bytes; the limit is %d", size, BYTES_LIMIT);
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!json && json_error_code(&problem) == json_error_out_of_memory)
        return error_no_memory(err, "the scene");
    if (!json)
        return error_set(err, ERROR_INPUT, "the scene is not valid JSON: line %d, column %d: %s", problem.line,
                         problem.column, problem.text);
    bool ok = read_file((struct place){.subject = "the scene", .value = json}, world, file, err);
    json_decref(json);
    if (!ok)
        *file = (struct compose_file){0};
    return ok;
}
