// Statements about two pictures: what they are about is drawn so that half of them are true, and that neither picture
// alone, nor the words alone, tell which.
#include "engine/world/ask.h"

#include <string.h>

enum { MOST = 6 }; // the largest number that is named

struct judge {
    const struct world *world;
    struct asker side[2];
    struct random random;
    bool truth;     // what the statement shall be
    int meaning[4]; // of the last one: the same in other words is not stated again
};

static const char *const numbers[MOST + 1] = {"no", "one", "two", "three", "four", "five", "six"};
static const char *const places[2][5] = {
    {"left picture", "picture on the left", "first picture", "left image", NULL},
    {"right picture", "picture on the right", "second picture", "right image", NULL},
};

static const char *place(struct judge *judge, int side)
{
    return places[side][pick(&judge->random, 4)];
}

static void about(struct judge *judge, int a, int b, int c)
{
    judge->meaning[1] = a;
    judge->meaning[2] = b;
    judge->meaning[3] = c;
}

static void state(struct judge *judge, struct world_statement *statement, const char *const *templates,
                  struct phrase phrase)
{
    ask_write_text(judge->world, &judge->random, templates, phrase, statement->text);
}

static void needs_kind(const struct judge *judge, struct world_statement *statement, int kind)
{
    for (int s = 0; s < 2; s++)
        statement->needed[s] = judge->side[s].of_kind[kind];
}

// A kind that is in both pictures, in one of them, or, likely enough to be asked for, in neither; -1 where there is none.
static int kind_in(struct judge *judge, int pictures)
{
    struct asker *a = &judge->side[0], *b = &judge->side[1];
    int found[KIND_LIMIT], count = 0;
    if (pictures == 0) {
        struct plan plan[WORLD_OBJECTS];
        int planned = scene_compose(judge->world, &judge->random, plan);
        for (int i = 0; i < planned; i++)
            if (!a->of_kind[plan[i].kind] && !b->of_kind[plan[i].kind])
                found[count++] = plan[i].kind;
    } else {
        for (int k = 0; k < judge->world->kind_count; k++)
            if ((a->of_kind[k] != 0) + (b->of_kind[k] != 0) == pictures)
                found[count++] = k;
    }
    return count ? found[pick(&judge->random, count)] : -1;
}

static bool state_how_many_show(struct judge *judge, struct world_statement *statement, const char *const *templates,
                                int kind)
{
    struct noun noun;
    if (kind < 0)
        return false;
    noun_of_kind(judge->world, kind, -1, &noun);
    about(judge, kind, 0, 0);
    needs_kind(judge, statement, kind);
    state(judge, statement, templates, (struct phrase){.first = &noun});
    return true;
}

static const char *const both_templates[] = {
    "both pictures show $a", "there $v $a in both pictures", "each picture shows $a",
    "both images have $a in them", "there $v $a in each picture", "you can see $a in both images", NULL};

static bool state_BOTH(struct judge *judge, struct world_statement *statement)
{
    // Said of pairs only of which it could be true, or most such statements would be false.
    int both = kind_in(judge, 2);
    return both >= 0 && state_how_many_show(judge, statement, both_templates, judge->truth ? both : kind_in(judge, 1));
}

static const char *const one_templates[] = {
    "only one picture shows $a", "exactly one of the pictures shows $a",
    "only one of the images has $a in it", "there $v $a in only one of the pictures",
    "you can see $a in exactly one picture", NULL};

static bool state_ONE(struct judge *judge, struct world_statement *statement)
{
    int pictures = judge->truth ? 1 : pick(&judge->random, 3) ? 2 : 0;
    return state_how_many_show(judge, statement, one_templates, kind_in(judge, pictures));
}

static const char *const neither_templates[] = {
    "neither picture shows $a", "no picture shows $a", "there are no $p in the two images",
    "neither image has $a in it", "you can see no $p in the two pictures", NULL};

static bool state_NEITHER(struct judge *judge, struct world_statement *statement)
{
    int pictures = judge->truth ? 0 : pick(&judge->random, 3) ? 1 : 2;
    return state_how_many_show(judge, statement, neither_templates, kind_in(judge, pictures));
}

static const char *const side_templates[] = {
    "the $w shows $a", "there $v $a in the $w", "you can see $a in the $w", "the $w has $a in it",
    "in the $w there $v $a", NULL};

// One picture and a thing, half of the time with its colour.
static bool state_SIDE(struct judge *judge, struct world_statement *statement)
{
    int side = pick(&judge->random, 2);
    struct asker *here = &judge->side[side], *there = &judge->side[1 - side];
    int kind = here->kinds[pick(&judge->random, here->kind_count)], color = -1;
    if (judge->world->kinds[kind].colored && pick(&judge->random, 2)) {
        const struct kind *k = &judge->world->kinds[kind];
        color = k->color[pick(&judge->random, k->cell_count)];
        bool has = false;
        for (int i = 0; i < here->scene->object_count; i++)
            has |= here->scene->objects[i].kind == kind && here->scene->objects[i].color == color;
        if (has != judge->truth)
            return false;
    } else if (!judge->truth) {
        kind = ask_only_in(&judge->random, there->of_kind, here->of_kind, judge->world->kind_count);
    }
    struct noun noun;
    if (kind < 0)
        return false;
    noun_of_kind(judge->world, kind, color, &noun);
    about(judge, kind, color, side);
    statement->needed[side] = here->of_kind[kind];
    state(judge, statement, side_templates, (struct phrase){.first = &noun, .where = place(judge, side)});
    return true;
}

// A number near the true one, or the true one.
static int claimed_number(struct judge *judge, int number)
{
    if (judge->truth)
        return number;
    return number <= 1 || pick(&judge->random, 2) ? number + 1 : number - 1;
}

static bool state_number(struct judge *judge, struct world_statement *statement, const char *const *one,
                         const char *const *many, int kind, int number, const char *where)
{
    struct noun noun;
    if (number < 1 || number > MOST)
        return false;
    noun_of_kind(judge->world, kind, -1, &noun);
    if (noun.pair)
        return false;
    state(judge, statement, number == 1 ? one : many,
          (struct phrase){.first = &noun, .number = numbers[number], .where = where});
    return true;
}

static const char *const count_one[] = {
    "there is exactly one $n in the $w", "the $w shows exactly one $n", "in the $w you can see only one $n", NULL};

static const char *const count_many[] = {
    "there are exactly $k $p in the $w", "the $w shows $k $p", "in the $w you can see $k $p",
    "there are $k $p in the $w", NULL};

static bool state_COUNT(struct judge *judge, struct world_statement *statement)
{
    int side = pick(&judge->random, 2);
    struct asker *here = &judge->side[side];
    int kind = here->kinds[pick(&judge->random, here->kind_count)];
    int number = claimed_number(judge, count_bits(here->of_kind[kind]));
    about(judge, kind, number, side);
    statement->needed[side] = here->of_kind[kind];
    return state_number(judge, statement, count_one, count_many, kind, number, place(judge, side));
}

static const char *const total_one[] = {
    "there is exactly one $n in all", "the two pictures show only one $n in all",
    "you can see exactly one $n in all", NULL};

static const char *const total_many[] = {
    "there are $k $p in all", "the two pictures show $k $p in all", "you can see exactly $k $p in all",
    "there are exactly $k $p in the two images", NULL};

static bool state_TOTAL(struct judge *judge, struct world_statement *statement)
{
    int from = pick(&judge->random, 2);
    struct asker *here = &judge->side[from];
    int kind = here->kinds[pick(&judge->random, here->kind_count)];
    int number = claimed_number(judge, count_bits(judge->side[0].of_kind[kind]) + count_bits(judge->side[1].of_kind[kind]));
    about(judge, kind, number, 0);
    needs_kind(judge, statement, kind);
    return state_number(judge, statement, total_one, total_many, kind, number, NULL);
}

static const char *const more_in_one[] = {
    "the $w shows more $p than the other picture", "there are more $p in the $w than in the other image",
    "the $w has more $p than the other one", NULL};

static const char *const fewer_in_one[] = {
    "the $w shows fewer $p than the other picture", "there are fewer $p in the $w than in the other image",
    "the $w has fewer $p than the other one", NULL};

static bool state_COMPARE(struct judge *judge, struct world_statement *statement)
{
    struct asker *any = &judge->side[pick(&judge->random, 2)];
    int kind = any->kinds[pick(&judge->random, any->kind_count)];
    int left = count_bits(judge->side[0].of_kind[kind]), right = count_bits(judge->side[1].of_kind[kind]);
    if (left == right && (judge->truth || pick(&judge->random, 3)))
        return false;
    bool is_more = pick(&judge->random, 2);
    int side = left == right ? pick(&judge->random, 2) : ((left > right) == is_more) == judge->truth ? 0 : 1;
    struct noun noun;
    noun_of_kind(judge->world, kind, -1, &noun);
    about(judge, kind, is_more, side);
    needs_kind(judge, statement, kind);
    state(judge, statement, is_more ? more_in_one : fewer_in_one, (struct phrase){.first = &noun, .where = place(judge, side)});
    return true;
}

static const char *const relation_templates[] = {
    "in the $w the $n $v $d the $m", "the $n $v $d the $m in the $w",
    "in the $w you can see the $n $d the $m", NULL};

static bool state_RELATION(struct judge *judge, struct world_statement *statement)
{
    int side = pick(&judge->random, 2), first, second;
    struct asker *here = &judge->side[side];
    const char *direction;
    bool holds;
    if (!ask_clear_relation(here, &judge->random, &first, &second, &direction, &holds) || holds != judge->truth)
        return false;
    struct noun nouns[2];
    noun_of_kind(judge->world, here->scene->objects[first].kind, -1, &nouns[0]);
    noun_of_kind(judge->world, here->scene->objects[second].kind, -1, &nouns[1]);
    about(judge, first, second, side);
    statement->needed[side] = 1u << first | 1u << second;
    state(judge, statement, relation_templates,
          (struct phrase){.first = &nouns[0], .second = &nouns[1], .direction = direction, .where = place(judge, side)});
    return true;
}

static const char *number(int index)
{
    return index + 2 <= MOST ? numbers[index + 2] : NULL; // one has templates of its own
}

static const char *any_place(int index)
{
    return index < 8 ? places[index / 4][index % 4] : NULL;
}

const struct ask_forms ask_statement_forms[] = {
    {.templates = both_templates},
    {.templates = one_templates},
    {.templates = neither_templates},
    {.templates = side_templates, .where = any_place, .colored = true},
    {.templates = count_one, .where = any_place},
    {.templates = count_many, .number = number, .where = any_place},
    {.templates = total_one},
    {.templates = total_many, .number = number},
    {.templates = more_in_one, .where = any_place},
    {.templates = fewer_in_one, .where = any_place},
    {.templates = relation_templates, .direction = ask_direction, .where = any_place},
    {0},
};

const char *world_statement_name(enum world_statement_family family)
{
    static const char *const names[] = {
#define STATEMENT_NAME(id, name) name,
        WORLD_STATEMENTS(STATEMENT_NAME)
#undef STATEMENT_NAME
    };
    return (unsigned)family < WORLD_STATEMENT_COUNT ? names[family] : "";
}

int world_make_statements(const struct world *world, uint64_t seed, uint64_t index, const struct world_scene scenes[2],
                          struct world_statement *statements, int want)
{
    static bool (*const families[WORLD_STATEMENT_COUNT])(struct judge *, struct world_statement *) = {
#define STATEMENT_ROW(id, name) state_##id,
        WORLD_STATEMENTS(STATEMENT_ROW)
#undef STATEMENT_ROW
    };
    struct judge judge = {.world = world, .side = {{.world = world, .scene = &scenes[0]}, {.world = world, .scene = &scenes[1]}}};
    random_init(&judge.random, seed ^ 0x70616972u, 2 * index + 1);
    ask_look(&judge.side[0]);
    ask_look(&judge.side[1]);
    want = want > WORLD_QUESTIONS ? WORLD_QUESTIONS : want;
    int count = 0, stated[WORLD_QUESTIONS][4];
    for (int tries = 0; count < want && tries < 60 * WORLD_QUESTIONS; tries++) {
        // Family and truth are drawn anew until both succeed together: what is rarely possible does not tilt the balance.
        int family = pick(&judge.random, WORLD_STATEMENT_COUNT);
        struct world_statement *statement = &statements[count];
        judge.truth = pick(&judge.random, 2);
        *statement = (struct world_statement){.family = (enum world_statement_family)family, .truth = judge.truth};
        bool made = false;
        for (int again = 0; !made && again < 20; again++) {
            about(&judge, 0, 0, 0);
            made = families[family](&judge, statement);
        }
        judge.meaning[0] = family;
        if (made && !ask_before(stated, count, judge.meaning))
            memcpy(stated[count++], judge.meaning, sizeof judge.meaning);
    }
    return count;
}
