// Making questions about one scene: what is shared by the families.
#ifndef TRIMSCOPE_WORLD_ASK_H
#define TRIMSCOPE_WORLD_ASK_H

#include "engine/world/internal.h"

// A scene as the families see it.
struct asker {
    const struct world *world;
    const struct world_scene *scene;
    struct random random;
    int meaning[4]; // what the last question is about, set by its family: the same in other words is not
                    // asked again
    uint32_t of_kind[KIND_LIMIT], of_category[CATEGORY_LIMIT]; // bit i: object i
    int kinds[WORLD_OBJECTS], kind_count;                      // that are present, each once
    int singles[WORLD_OBJECTS], single_count;                  // objects that are the only ones of their kind
    int x[WORLD_OBJECTS], y[WORLD_OBJECTS]; // of the box's middle: half pixels from the picture's middle
    const char *wanted; // the question that is looked for, as ask_plain() makes it; NULL: any
    bool found;         // the last question was written in these words
};

enum { ASK_PLAIN = 512 };
// The words of a text alone, in small letters and with one space between.
void ask_plain(const char *text, char out[ASK_PLAIN]);

// The words for a thing: "a red car", "red car", "red cars"; a pair has no article and takes "are".
struct noun {
    char article[3 * NAME_SIZE], singular[2 * NAME_SIZE], plural[2 * NAME_SIZE];
    bool pair;
};
void noun_of_kind(const struct world *world, int kind, int color, struct noun *noun); // color -1: none named
void noun_of_category(const struct world *world, int category, struct noun *noun);

// Writes one of the templates, chosen at random; a NULL ends the list. Those after REWORDED are for worlds with
// world_options.reworded. $a, $n, $p: article, singular and
// plural of `first`; $m, $q: singular and plural of `second`; $v: "is" or "are" for `first`; $d: `direction`; $k:
// `number`, $w: `where`.
#define REWORDED ""
struct phrase {
    const struct noun *first, *second;
    const char *direction, *number, *where;
};
void ask_write(struct asker *asker, struct world_question *question, const char *const *templates,
               struct phrase phrase);
void ask_write_text(const struct world *world, struct random *random, const char *const *templates, struct phrase phrase,
                    char text[WORLD_TEXT]);
void ask_answer(struct world_question *question, const char *answer);
void ask_answer_number(struct world_question *question, int number);
// centres[2 * which ..] = the middle of the object.
void ask_centre(const struct asker *asker, struct world_question *question, int which, int object);

// Whether one of the meanings (struct asker) of what was asked or stated before is this one.
bool ask_before(int asked[][4], int count, const int meaning[4]);

// Fills what follows from asker->world and asker->scene.
void ask_look(struct asker *asker);

// Something that is in `here` and not in `there`, both of n numbers; -1 for nothing.
int ask_only_in(struct random *random, const uint32_t *here, const uint32_t *there, int n);

// Two single objects that clearly lie to each other in a direction or its opposite; false: the draw was unlucky. *phrase
// names the direction, *holds says whether `first` lies in it from `second`.
bool ask_clear_relation(const struct asker *asker, struct random *random, int *first, int *second, const char **phrase,
                        bool *holds);

static inline void ask_about(struct asker *asker, int a, int b, int c)
{
    asker->meaning[1] = a;
    asker->meaning[2] = b;
    asker->meaning[3] = c;
}

static inline int count_bits(uint32_t bits)
{
    return __builtin_popcount(bits);
}

// A list of templates, and what else can stand in them. A slot's function gives all that it can say, from index 0 on, NULL
// behind the last; NULL where no template has the slot.
struct ask_forms {
    const char *const *templates; // NULL: the end of the forms
    const char *(*direction)(int index), *(*number)(int index), *(*where)(int index);
    bool colored; // a colour can stand before the nouns
};
extern const struct ask_forms ask_things_forms[], ask_place_forms[], ask_statement_forms[];
const char *ask_direction(int index);

// One function per family: false when the scene does not allow such a question, or the draw was unlucky.
#define ASK_DECLARE(id, name) bool ask_##id(struct asker *asker, struct world_question *question);
WORLD_FAMILIES(ASK_DECLARE)
#undef ASK_DECLARE

#endif
