// The procedural world: pictures of emoji objects on backgrounds, and questions about them whose answers, and the
// objects that they depend on, are known exactly. Everything follows from a seed.
#ifndef TRIMSCOPE_WORLD_WORLD_H
#define TRIMSCOPE_WORLD_WORLD_H

#include "engine/base/error.h"
#include "engine/io/picture.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WORLD_SIDE = 192,  // pixels
    WORLD_PATCH = 16,  // pixels of a patch's side
    WORLD_GRID = 12,   // patches a side
    WORLD_OBJECTS = 12, // at most, in a scene
    WORLD_QUESTIONS = 12, // at most, asked of one scene
    WORLD_TEXT = 128,
    WORLD_ANSWER = 24,
};

// Question families. The name is the "type" of a question set and of accuracy tables.
#define WORLD_FAMILIES(X)                                                                                      \
    X(EXIST, "exist") X(EXIST_COLOR, "exist-color") X(EXIST_CATEGORY, "exist-category") X(COLOR, "color")      \
    X(COUNT, "count") X(COUNT_CATEGORY, "count-category") X(POSITION, "position") X(SIDE, "side")              \
    X(RELATION, "relation") X(RELATION_CHECK, "relation-check") X(CATEGORY, "category") X(COMPARE, "compare")
// WORLD_ASK_EXIST, ... in this order.
#define WORLD_FAMILY_ENUM(id, name) WORLD_ASK_##id,
enum world_family { WORLD_FAMILIES(WORLD_FAMILY_ENUM) WORLD_FAMILY_COUNT };
#undef WORLD_FAMILY_ENUM
const char *world_family_name(enum world_family family);

struct world_box {
    int16_t x0, y0, x1, y1; // pixels, x1 and y1 exclusive
};

struct world_object {
    int kind, color; // indices into the world's lists; color -1 where the kind has no colour series
    struct world_box box; // tight around its visible pixels
};

struct world_scene {
    unsigned char pixels[WORLD_SIDE * WORLD_SIDE * 3];
    struct world_object objects[WORLD_OBJECTS];
    int object_count;
};

struct world_question {
    enum world_family family;
    char text[WORLD_TEXT]; // as a person would type it, without question mark handling: "what color is the cup?"
    char answer[WORLD_ANSWER];
    uint32_t needed; // bit i: object i must be seen to answer
    // Auxiliary training targets; what a family does not have is -1 (counts) or NaN (centres).
    int counts[2];     // of the kind(s) or category asked about
    float centres[4];  // x, y of the first and second object concerned, in [-1, 1]
};

struct tokenizer;
struct world; // sprites and names: immutable once opened, shared by threads

// Drawing styles: sets of emoji that show the same kinds. assets/world/sprites-<name>.<ending>.
#define WORLD_STYLES(X) X(NOTO, "noto", "webp") X(TWEMOJI, "twemoji", "webp") X(FLUENT, "fluent", "webp")                    \
    X(OPENMOJI, "openmoji", "webp") X(EMOJIONE, "emojione", "webp") X(BLOB, "blob", "webp")
#define WORLD_STYLE_ENUM(id, name, ending) WORLD_STYLE_##id,
enum world_style { WORLD_STYLES(WORLD_STYLE_ENUM) WORLD_STYLE_COUNT };
#undef WORLD_STYLE_ENUM
const char *world_style_name(enum world_style style);

// Which world. The bundled model was trained on the default one.
struct world_options {
    unsigned styles; // bit 1 << style; each scene is drawn in one of these, by lot
    bool reworded;   // questions in more words too: polite, terse, asked round corners; and their vocabulary
    int size_low, size_high; // percent of the usual size in which a scene's objects are drawn, by lot
    bool new_backgrounds;    // of kinds that the default world, on which models are trained, does not have
    int varied; // percent of the scenes, by lot, whose objects and backgrounds are drawn in more ways than the world has
                // otherwise: mirrored, stretched, of other light and colours (not of those that have names), mixed
};
enum { WORLD_SIZE_LEAST = 50, WORLD_SIZE_MOST = 130 };
#define WORLD_DEFAULT                                                                                          \
    ((struct world_options){.styles = 1u << WORLD_STYLE_NOTO | 1u << WORLD_STYLE_TWEMOJI, .reworded = true, .size_low = 100,   \
                            .size_high = 100})

// Opens the sprite sheets and tables below `assets` (the bundled assets folder).
struct world *world_open(const char *assets, const struct world_options *options, struct error *err);
void world_free(struct world *world);

// Scene number `index` of the world with this seed; the same on every machine. False (rarely) when no scene with at
// least two objects could be laid out: take the next index.
bool world_make_scene(const struct world *world, uint64_t seed, uint64_t index, struct world_scene *scene);

// Up to `want` different questions about a scene, families balanced as the world prescribes. Returns how many.
int world_make_questions(const struct world *world, uint64_t seed, uint64_t index, const struct world_scene *scene,
                         struct world_question *questions, int want);

// Statements about two pictures, true or false, as in NLVR2 (Suhr et al., ACL 2019). The name is the "type" of a set.
#define WORLD_STATEMENTS(X)                                                                                    \
    X(BOTH, "both") X(ONE, "one") X(NEITHER, "neither") X(SIDE, "in-one") X(COUNT, "count-in-one")                \
    X(TOTAL, "count-in-all") X(COMPARE, "compare-pictures") X(RELATION, "relation-in-one")
#define WORLD_STATEMENT_ENUM(id, name) WORLD_STATE_##id,
enum world_statement_family { WORLD_STATEMENTS(WORLD_STATEMENT_ENUM) WORLD_STATEMENT_COUNT };
#undef WORLD_STATEMENT_ENUM
const char *world_statement_name(enum world_statement_family family);

struct world_statement {
    enum world_statement_family family;
    char text[WORLD_TEXT];
    bool truth;
    uint32_t needed[2]; // bit i: object i of that picture must be seen to judge
};

// Two pictures to compare: they share some of their things. False (rarely) when they could not be laid out.
bool world_make_pair(const struct world *world, uint64_t seed, uint64_t index, struct world_scene scenes[2]);

// Up to `want` different statements about a pair, as many true as false. Needs the words of a reworded world. Returns
// how many.
int world_make_statements(const struct world *world, uint64_t seed, uint64_t index, const struct world_scene scenes[2],
                          struct world_statement *statements, int want);

// The question of the world that says `text` (whatever the case and the signs) about this scene, with its true answer.
// False: none was found that does, or the scene leaves its answer open. What is asked is drawn by lot until the words fit,
// so that a few questions about things that are not there are missed; some ten milliseconds at most.
bool world_find_question(const struct world *world, const struct world_scene *scene, const char *text,
                         struct world_question *question);

// Whether a question (of two pictures: a statement) has a form in which the world asks (states), in whatever words: a model
// trained on the world learnt no other. Words that change nothing may be more or fewer ("please", "in the picture").
// `tokenizer` is the world's; an unknown word has no form.
bool world_has_form(const struct tokenizer *tokenizer, int pictures, const char *text);

// The lists that the model is built on. Kinds have a category each; answers are all that questions can have.
int world_kind_count(const struct world *world);
const char *world_kind_name(const struct world *world, int kind);
int world_kind_category(const struct world *world, int kind); // -1 when there is no such kind
int world_category_count(const struct world *world);
const char *world_category_name(const struct world *world, int category);
int world_color_count(const struct world *world);
const char *world_color_name(const struct world *world, int color);
int world_answer_count(const struct world *world);
const char *world_answer(const struct world *world, int answer);
int world_answer_find(const struct world *world, const char *answer); // -1 when there is none

// The tokenizer of the world's language as the JSON that tokenizer_from_json() reads; malloc'ed.
char *world_tokenizer_json(const struct world *world);

#endif
