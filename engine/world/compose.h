// Scenes that a person puts together: objects of the world where they want them, on a background of the world. The same
// description gives the same pixels on every machine.
#ifndef TRIMSCOPE_WORLD_COMPOSE_H
#define TRIMSCOPE_WORLD_COMPOSE_H

#include "engine/world/world.h"

#include <stddef.h>

enum {
    COMPOSE_LEAST = 8, COMPOSE_MOST = 68, // pixels of an object's longest side
    COMPOSE_TURN = 16,                    // degrees to either side
    COMPOSE_SEEDS = 1000000,              // a background's seed is below
    COMPOSE_QUESTIONS = 16,
    COMPOSE_TEXT = 512,
};

struct compose_object {
    int kind, color; // color -1 where the kind has no colour series
    int x, y;        // of its middle, pixels of the scene
    int size;        // longest side, COMPOSE_LEAST to COMPOSE_MOST
    int turn;        // degrees, even
};

struct compose {
    int background, seed; // which kind of background, and which of its kind
    bool clutter;         // strewn with meaningless small shapes
    struct compose_object objects[WORLD_OBJECTS]; // later ones lie in front
    int count;
};

// A picture's description as it is kept beside it.
struct compose_file {
    struct compose scene;
    char questions[COMPOSE_QUESTIONS][COMPOSE_TEXT];
    int question_count;
};

// The kinds of background, 0 ..; NULL: no such.
const char *compose_background_name(int background);

// The colours that a kind comes in; 0 where it has no colour series. colors[] has room for world_color_count().
int compose_colors(const struct world *world, int kind, int *colors);

// Draws it. scene->objects are compose->objects in their order; a box with x0 >= x1: nothing of it can be seen.
void compose_draw(const struct world *world, const struct compose *compose, struct world_scene *scene);

// The background alone, WORLD_SIDE x WORLD_SIDE RGB; and the objects on one that was drawn before. Both together are
// compose_draw().
void compose_draw_ground(const struct compose *compose, unsigned char *pixels);
void compose_draw_objects(const struct world *world, const struct compose *compose, const unsigned char *ground,
                          struct world_scene *scene);

// Changes; false where there is no such object or no room. compose_add() puts it in front. Everything is held within
// the limits.
bool compose_add(struct compose *compose, const struct compose_object *object);
bool compose_remove(struct compose *compose, int index);
bool compose_raise(struct compose *compose, int index); // to the front: it becomes the last
void compose_hold(struct compose_object *object);

// The object in front at a pixel of a drawn scene, by the boxes; -1: none.
int compose_at(const struct world_scene *scene, int x, int y);

// Questions of the world about what can be seen, with true answers; fewer than two visible objects allow none.
int compose_ask(const struct world *world, const struct world_scene *scene, int seed, struct world_question *questions,
                int want);

// A question that somebody typed, where it is one of the world (world_find_question()).
bool compose_find_question(const struct world *world, const struct world_scene *scene, const char *text,
                           struct world_question *question);

// The description as JSON (malloc'ed, for free(); NULL: no memory), with the boxes of what can be seen and the name of the
// picture (may be NULL); and back: bounded, with a sentence that names the member which is wrong.
char *compose_to_json(const struct world *world, const struct compose_file *file, const char *picture);
bool compose_from_json(const struct world *world, const char *text, size_t size, struct compose_file *file,
                       struct error *err);

#endif
