// What the parts of the world share: the tables of an open world, drawing, and the arithmetic rules.
//
// Pixels and layouts must be the same on every machine: they are computed with integers only. (Floats would
// be contracted to fused multiply-adds on some processors.) random_chance() is safe: one exact product, one
// comparison.
#ifndef TRIMSCOPE_WORLD_INTERNAL_H
#define TRIMSCOPE_WORLD_INTERNAL_H

#include "engine/base/random.h"
#include "engine/world/world.h"

enum {
    NAME_SIZE = 16,
    KIND_LIMIT = 256,
    COLOR_LIMIT = 16,
    CATEGORY_LIMIT = 32,
    CELL_LIMIT = 1024,
    CELL_SIDE = 96,   // pixels of a sprite's cell; tools/make-sprites
    CELL_DRAWN = 92,  // longest side of the emoji within
    SPRITE_SIDE = 100, // room for a sprite drawn at 78 pixels and rotated
    NUMBER_LIMIT = 9, // the largest count that is an answer
};

struct category {
    char name[NAME_SIZE], plural[NAME_SIZE];
    bool askable;
};

struct kind {
    char name[NAME_SIZE], plural[NAME_SIZE];
    bool pair; // takes "are" and no article: scissors
    int category;
    int first_cell, cell_count;
    bool colored;
    signed char color[COLOR_LIMIT]; // of each of its cells; only where colored
};

struct world {
    struct kind kinds[KIND_LIMIT];
    struct category categories[CATEGORY_LIMIT];
    char colors[COLOR_LIMIT][NAME_SIZE];
    int kind_count, category_count, color_count, cell_count;
    int colored[KIND_LIMIT], colored_count; // the kinds with a colour series
    const char *answers[KIND_LIMIT + COLOR_LIMIT + 32];
    int answer_count;
    struct world_options options;
    uint32_t *cells[WORLD_STYLE_COUNT]; // cell_count x CELL_SIDE x CELL_SIDE, premultiplied RGBA, R in the lowest byte;
                                        // NULL for styles that the options do not name
};

// tables.c: reads kinds.txt (bounded, checked).
bool world_read_tables(struct world *world, const char *path, struct error *err);

// sprites.c: reads a style's sheet; world->cell_count must be known.
bool world_read_sprites(struct world *world, enum world_style style, const char *path, struct error *err);
// A style of the world's options; `lot` decides where there are several.
enum world_style world_choose_style(const struct world *world, unsigned lot);

// A sprite scaled and turned: premultiplied RGBA, side x side, the emoji's middle in the square's middle.
struct sprite {
    int side;
    uint32_t pixels[SPRITE_SIDE * SPRITE_SIDE];
    struct world_box box; // of the pixels with alpha >= SPRITE_VISIBLE
};
enum { SPRITE_VISIBLE = 64 };
enum { SPRITE_TURNS = 17 }; // -16 to 16 degrees in steps of 2

struct pose {
    int longest; // the emoji's longest side in pixels, 8 to 78
    int turn;    // below SPRITE_TURNS
    int wide, high; // of 256: narrower or lower than it is; wide < 0: mirrored
};
void sprite_draw(const struct world *world, enum world_style style, int cell, struct pose pose, struct sprite *sprite);

// background.c: fills WORLD_SIDE x WORLD_SIDE RGB, and strews meaningless clutter. A scene's background is of a random
// kind and as light or dark as random wants; one of a given kind has its own light.
// The last ones are left out of the default world: what a model makes of them, it has not learnt from them.
enum { BACKGROUND_KINDS = 10, BACKGROUND_USUAL = 7 };
const char *background_name(int kind); // "meadow"; NULL where there is none
void background_draw(struct random *random, bool new_kinds, unsigned char *pixels);
void background_draw_kind(struct random *random, int kind, unsigned char *pixels);
void background_clutter(struct random *random, unsigned char *pixels);

// Value noise: random bytes on a lattice, blended smoothly in between.
enum { NOISE_CELLS = 64 };
struct noise {
    int cells; // along a side of the picture
    unsigned char value[NOISE_CELLS + 1][NOISE_CELLS + 1];
};
void noise_init(struct noise *noise, struct random *random, int cells);
int noise_at(const struct noise *noise, int x, int y); // -128 .. 127 at a pixel

// vary.c: how an object differs from the drawing of its style, in 1/256.
struct variation {
    int wide, high; // as in struct pose
    int turn;       // of the hue, towards the next channel: 256 are 120 degrees
    int saturation, contrast;
    int shade[2];   // how much lighter the right and the lower edge are than the middle
};
struct variation variation_choose(struct random *random, bool colored);
void variation_paint(const struct variation *variation, struct sprite *sprite);
// Mixes, folds and recolours a background of the usual kinds.
void background_vary(struct random *random, unsigned char *pixels);

// canvas.c: objects onto a scene's pixels, and who is seen at each.
enum { CANVAS_NOBODY = 255 };
struct canvas {
    struct world_scene *scene;
    unsigned char owner[WORLD_SIDE * WORLD_SIDE];    // the object seen at each pixel
    int drawn[WORLD_OBJECTS], hidden[WORLD_OBJECTS]; // visible pixels when drawn, and lost since
};
void canvas_begin(struct canvas *canvas, struct world_scene *scene); // without objects; the pixels are left as they are
// Whether the sprite is visible at a pixel of the scene that lies in `at`, where its box is put.
bool canvas_covers(const struct sprite *sprite, struct world_box at, int x, int y);
// Draws the sprite with its box at object->box, which may reach beyond the picture, and adds the object. `light`: 256 as
// the sprite is.
void canvas_paste(struct canvas *canvas, const struct sprite *sprite, int light, const struct world_object *object);
// Boxes around the pixels that are still each object's own; with x0 > x1 where nothing is.
void canvas_tighten(struct canvas *canvas);

// scene.c: the objects of a scene before they find their places; at most 9, returns how many. Questions use a
// second draw as a decoy: asking for what is in one of the two and not in the other is balanced by symmetry.
struct plan {
    int kind, color, cell;
};
int scene_compose(const struct world *world, struct random *random, struct plan plan[WORLD_OBJECTS]);

// vocabulary.c: fills the list of answers from the tables.
void world_list_answers(struct world *world);
// Whether a token is a word of the questions, not the name of a kind, a category or a colour.
bool world_is_question_word(const char *token);

static inline int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static inline int pick(struct random *random, int n)
{
    return (int)random_below(random, (uint32_t)n);
}

// Uniform in low .. high, both inclusive.
static inline int between(struct random *random, int low, int high)
{
    return low + pick(random, high - low + 1);
}

#endif
