// Families about where things are. Distances are in half pixels from the picture's middle (struct asker).
#include "engine/world/ask.h"

#include <stdlib.h>

enum {
    NEAR_MIDDLE = 52,    // an object is in the middle when its own middle is within this of the picture's
    AROUND_MIDDLE = 88,  // and no other's is within this
    INSIDE_CORNER = 40,  // past the picture's middle lines by this: in that corner
    ALMOST_CORNER = -20, // this far short of them: somebody might call it so
    CLEARLY_ASIDE = 28,  // from the middle line, for left and right halves
    CLEARLY_BEYOND = 36, // between two objects, for yes or no
    BESIDE = 24,         // between two objects, for what is to the left of
};

struct direction {
    int x, y;
    const char *phrases[5]; // ends with NULL
};

static const struct direction directions[] = {
    {-1, 0, {"to the left of", "left of", "on the left of", "on the left side of", NULL}},
    {1, 0, {"to the right of", "right of", "on the right of", "on the right side of", NULL}},
    {0, -1, {"above", "over", NULL}},
    {0, 1, {"below", "under", NULL}},
};

static const char *direction_phrase(struct random *random, const struct direction *direction)
{
    int n = 0;
    while (direction->phrases[n])
        n++;
    return direction->phrases[pick(random, n)];
}

const char *ask_direction(int index)
{
    for (int d = 0; d < 4; d++)
        for (int n = 0; directions[d].phrases[n]; n++)
            if (index-- == 0)
                return directions[d].phrases[n];
    return NULL;
}

static bool within(const struct asker *asker, int i, int distance)
{
    return abs(asker->x[i]) < distance && abs(asker->y[i]) < distance;
}

static bool in_corner(const struct asker *asker, int i, int sx, int sy, int margin)
{
    return asker->x[i] * sx > margin && asker->y[i] * sy > margin;
}

// `inside` is the one object that is there and `around` those that somebody might mean: both must be one and
// the same, or none at all, seldom.
static bool answer_place(struct asker *asker, struct world_question *question, uint32_t inside,
                         uint32_t around)
{
    if (around == 0 && pick(&asker->random, 40) == 0) {
        ask_answer(question, "nothing");
        return true;
    }
    if (count_bits(around) != 1 || inside != around)
        return false;
    int object = __builtin_ctz(inside);
    ask_answer(question, world_kind_name(asker->world, asker->scene->objects[object].kind));
    question->needed = inside;
    ask_centre(asker, question, 0, object);
    return true;
}

static const char *const middle_templates[] = {
    "what is in the middle?", "what is in the center?", "what is in the middle of the picture?",
    "what object is in the center?", "which object is in the middle?",
    "what can you see in the center of the image?",
    REWORDED,
    "name the object in the middle", "tell me what is in the center of this picture",
    "what is shown in the middle?", "please tell me what you see in the middle", NULL};

static bool ask_middle(struct asker *asker, struct world_question *question)
{
    uint32_t inside = 0, around = 0;
    for (int i = 0; i < asker->scene->object_count; i++) {
        inside |= (uint32_t)within(asker, i, NEAR_MIDDLE) << i;
        around |= (uint32_t)within(asker, i, AROUND_MIDDLE) << i;
    }
    ask_write(asker, question, middle_templates, (struct phrase){0});
    return answer_place(asker, question, inside, around);
}

static const char *const position_templates[] = {
    "what is in the $d corner?", "what is in the $d part of the picture?", "what is at the $d?",
    "which object is in the $d corner?", "what object is in the $d corner of the image?",
    "what can you see in the $d corner?", "what do you see at the $d of the picture?",
    REWORDED,
    "what is $d?", "name the object in the $d corner", "tell me what is in the $d corner",
    "please tell me what you see at the $d", "what is shown in the $d part of this picture?",
    "which thing is in the $d corner?", "could you tell me what is in the $d of the image?", NULL};

static const char *const corners[2][2][2] = {{{"top left", "upper left"}, {"top right", "upper right"}},
                                             {{"bottom left", "lower left"}, {"bottom right", "lower right"}}};

static const char *corner(int index)
{
    return index < 8 ? corners[index / 4][index / 2 % 2][index % 2] : NULL;
}

bool ask_POSITION(struct asker *asker, struct world_question *question)
{
    int place = pick(&asker->random, 5);
    ask_about(asker, place, 0, 0);
    if (place == 4)
        return ask_middle(asker, question);
    int sx = place % 2 ? 1 : -1, sy = place / 2 ? 1 : -1;
    uint32_t inside = 0, around = 0;
    for (int i = 0; i < asker->scene->object_count; i++) {
        inside |= (uint32_t)in_corner(asker, i, sx, sy, INSIDE_CORNER) << i;
        around |= (uint32_t)in_corner(asker, i, sx, sy, ALMOST_CORNER) << i;
    }
    const char *name = corners[place / 2][place % 2][pick(&asker->random, 3) == 0];
    ask_write(asker, question, position_templates, (struct phrase){.direction = name});
    return answer_place(asker, question, inside, around);
}

static const char *const across[] = {
    "$v the $n on the left or on the right?", "$v the $n on the left or right side?",
    "$v the $n on the left or right side of the picture?", "which side $v the $n on, left or right?",
    "$v the $n located on the left or right?",
    REWORDED,
    "the $n, left or right?", "left or right, where $v the $n?",
    "tell me if the $n $v on the left or on the right",
    "please tell me which side the $n $v on, left or right", "on which side $v the $n, left or right?", NULL};

static const char *const upright[] = {
    "$v the $n at the top or at the bottom?", "$v the $n at the top or bottom of the picture?",
    "$v the $n in the top or bottom half?", "which half $v the $n in, top or bottom?",
    "$v the $n located at the top or bottom?",
    REWORDED,
    "the $n, top or bottom?", "top or bottom, where $v the $n?",
    "tell me if the $n $v at the top or at the bottom",
    "please tell me which half the $n $v in, top or bottom", "in which half $v the $n, top or bottom?", NULL};

bool ask_SIDE(struct asker *asker, struct world_question *question)
{
    if (asker->single_count == 0)
        return false;
    int object = asker->singles[pick(&asker->random, asker->single_count)];
    bool horizontal = pick(&asker->random, 2) == 0;
    int place = horizontal ? asker->x[object] : asker->y[object];
    if (abs(place) < CLEARLY_ASIDE)
        return false;
    struct noun noun;
    noun_of_kind(asker->world, asker->scene->objects[object].kind, -1, &noun);
    ask_about(asker, object, horizontal, 0);
    ask_answer(question, horizontal ? (place < 0 ? "left" : "right") : (place < 0 ? "top" : "bottom"));
    question->needed = 1u << object;
    ask_centre(asker, question, 0, object);
    ask_write(asker, question, horizontal ? across : upright, (struct phrase){.first = &noun});
    return true;
}

// The objects that lie in the direction from the reference: `strict` those that everybody would name, `loose`
// those that somebody might, `beyond` all that are past it at all.
static void look_along(const struct asker *asker, int reference, const struct direction *d, uint32_t *strict,
                       uint32_t *loose, uint32_t *beyond)
{
    *strict = *loose = *beyond = 0;
    for (int i = 0; i < asker->scene->object_count; i++) {
        if (i == reference)
            continue;
        int dx = asker->x[i] - asker->x[reference], dy = asker->y[i] - asker->y[reference];
        int along = dx * d->x + dy * d->y, aside = abs(dx * d->y) + abs(dy * d->x);
        *strict |= (uint32_t)(along > BESIDE && 10 * aside < 8 * along) << i;
        *loose |= (uint32_t)(along > 0 && 10 * aside < 13 * along) << i;
        *beyond |= (uint32_t)(along > -BESIDE / 2) << i;
    }
}

static const char *const relation_templates[] = {
    "what is $d the $n?", "which object is $d the $n?", "what object is $d the $n?",
    "what is located $d the $n?", "what can you see $d the $n?", "what do you see $d the $n?",
    REWORDED,
    "name the object $d the $n", "tell me what is $d the $n", "which thing is $d the $n?",
    "what is shown $d the $n?", "please tell me what you see $d the $n",
    "could you tell me which object is $d the $n?", "$d the $n, what is there?", NULL};

bool ask_RELATION(struct asker *asker, struct world_question *question)
{
    if (asker->single_count == 0)
        return false;
    int reference = asker->singles[pick(&asker->random, asker->single_count)];
    const struct direction *d = &directions[pick(&asker->random, 4)];
    uint32_t strict, loose, beyond;
    look_along(asker, reference, d, &strict, &loose, &beyond);
    question->needed = 1u << reference;
    ask_about(asker, reference, (int)(d - directions), 0);
    ask_centre(asker, question, 0, reference);
    if (beyond == 0 && pick(&asker->random, 80) == 0) {
        ask_answer(question, "nothing");
    } else if (count_bits(loose) == 1 && strict == loose) {
        int object = __builtin_ctz(strict);
        ask_answer(question, world_kind_name(asker->world, asker->scene->objects[object].kind));
        question->needed |= strict;
        ask_centre(asker, question, 1, object);
    } else {
        return false;
    }
    struct noun noun;
    noun_of_kind(asker->world, asker->scene->objects[reference].kind, -1, &noun);
    ask_write(asker, question, relation_templates,
              (struct phrase){.first = &noun, .direction = direction_phrase(&asker->random, d)});
    return true;
}

static bool clear_relation(const struct asker *asker, struct random *random, int *first, int *second,
                           const struct direction **direction, bool *holds)
{
    if (asker->single_count < 2)
        return false;
    *first = asker->singles[pick(random, asker->single_count)];
    *second = asker->singles[pick(random, asker->single_count)];
    const struct direction *d = *direction = &directions[pick(random, 4)];
    int dx = asker->x[*first] - asker->x[*second], dy = asker->y[*first] - asker->y[*second];
    int along = dx * d->x + dy * d->y, aside = abs(dx * d->y) + abs(dy * d->x);
    *holds = along > 0;
    return *first != *second && abs(along) >= CLEARLY_BEYOND && 2 * aside <= 5 * abs(along);
}

bool ask_clear_relation(const struct asker *asker, struct random *random, int *first, int *second, const char **phrase,
                        bool *holds)
{
    const struct direction *direction;
    if (!clear_relation(asker, random, first, second, &direction, holds))
        return false;
    *phrase = direction_phrase(random, direction);
    return true;
}

static const char *const check_templates[] = {
    "$v the $n $d the $m?", "$v the $n located $d the $m?", "do you see the $n $d the $m?",
    "can you see the $n $d the $m?",
    REWORDED,
    "the $n $v $d the $m, yes or no?", "can you tell me if the $n $v $d the $m?",
    "please tell me whether the $n $v $d the $m", "is it true that the $n $v $d the $m?",
    "could the $n be $d the $m?", NULL};

bool ask_RELATION_CHECK(struct asker *asker, struct world_question *question)
{
    struct random *random = &asker->random;
    int first, second;
    const struct direction *d;
    bool holds;
    if (!clear_relation(asker, random, &first, &second, &d, &holds))
        return false;
    struct noun nouns[2];
    noun_of_kind(asker->world, asker->scene->objects[first].kind, -1, &nouns[0]);
    noun_of_kind(asker->world, asker->scene->objects[second].kind, -1, &nouns[1]);
    ask_about(asker, first, second, (int)(d - directions));
    ask_answer(question, holds ? "yes" : "no");
    question->needed = 1u << first | 1u << second;
    ask_centre(asker, question, 0, first);
    ask_centre(asker, question, 1, second);
    ask_write(asker, question, check_templates, (struct phrase){.first = &nouns[0], .second = &nouns[1], .direction = direction_phrase(random, d)});
    return true;
}

const struct ask_forms ask_place_forms[] = {
    {.templates = middle_templates},
    {.templates = position_templates, .direction = corner},
    {.templates = across},
    {.templates = upright},
    {.templates = relation_templates, .direction = ask_direction},
    {.templates = check_templates, .direction = ask_direction},
    {0},
};
