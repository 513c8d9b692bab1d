// Families about what is there: existence, colour, number, category, comparison.
#include "engine/world/ask.h"

#include <string.h>

static const char *const exist_one[] = {"is there $a?",
                                        "is there $a in the picture?",
                                        "can you see $a?",
                                        "can you see $a in the image?",
                                        "do you see $a?",
                                        "does the picture show $a?",
                                        "is $a visible?",
                                        "do you see $a in the picture?",
                                        "are there any $p?",
                                        "are there any $p in the image?",
                                        "do you see any $p?",
                                        "can you see any $p?",
                                        REWORDED,
                                        "any $p?",
                                        "any $p here?",
                                        "is $a there?",
                                        "is $a shown here?",
                                        "is there $a in this picture?",
                                        "does this picture have $a in it?",
                                        "does the picture have any $p?",
                                        "are any $p visible?",
                                        "can you find $a?",
                                        "can you find any $p in this image?",
                                        "can you tell me if there is $a?",
                                        "please tell me if you see $a",
                                        "could you please tell me whether there are any $p?",
                                        "i want to know if there is $a",
                                        "tell me whether you can see any $p",
                                        "look for $a, is there one?",
                                        NULL};
static const char *const exist_pair[] = {"are there any $p?",         "are there any $p in the picture?",
                                         "can you see $p?",           "do you see any $p?",
                                         "does the picture show $p?",
                                         REWORDED,
                                         "any $p?",
                                         "any $p here?",
                                         "are $p shown here?",
                                         "are there any $p in this picture?",
                                         "can you find any $p?",
                                         "can you tell me if there are any $p?",
                                         "please tell me if you see any $p",
                                         "could you please tell me whether there are any $p?",
                                         NULL};

int ask_only_in(struct random *random, const uint32_t *here, const uint32_t *there, int n)
{
    int found[KIND_LIMIT], count = 0;
    for (int i = 0; i < n; i++)
        if (here[i] && !there[i])
            found[count++] = i;
    return count ? found[pick(random, count)] : -1;
}

// What a scene like this one might have held, as far as the families ask for it.
struct decoy {
    uint32_t of_kind[KIND_LIMIT], of_category[CATEGORY_LIMIT];
};

static void decoy_draw(struct asker *asker, struct decoy *decoy)
{
    struct plan plan[WORLD_OBJECTS];
    int count = scene_compose(asker->world, &asker->random, plan);
    memset(decoy, 0, sizeof *decoy);
    for (int i = 0; i < count; i++) {
        decoy->of_kind[plan[i].kind] = 1;
        if (asker->world->categories[asker->world->kinds[plan[i].kind].category].askable)
            decoy->of_category[asker->world->kinds[plan[i].kind].category] = 1;
    }
}

static void answer_exist(struct world_question *question, uint32_t found)
{
    ask_answer(question, found ? "yes" : "no");
    question->needed = found;
    question->counts[0] = count_bits(found);
}

bool ask_EXIST(struct asker *asker, struct world_question *question)
{
    struct decoy decoy;
    struct noun noun;
    decoy_draw(asker, &decoy);
    bool yes = pick(&asker->random, 2) == 0;
    int kind = ask_only_in(&asker->random, yes ? asker->of_kind : decoy.of_kind,
                       yes ? decoy.of_kind : asker->of_kind, asker->world->kind_count);
    if (kind < 0)
        return false;
    noun_of_kind(asker->world, kind, -1, &noun);
    ask_about(asker, kind, 0, 0);
    answer_exist(question, asker->of_kind[kind]);
    ask_write(asker, question, noun.pair ? exist_pair : exist_one, (struct phrase){.first = &noun});
    return true;
}

// A kind of many colours that is there; the colour named is one it has, or another one of its series.
bool ask_EXIST_COLOR(struct asker *asker, struct world_question *question)
{
    const struct world *world = asker->world;
    const struct world_scene *scene = asker->scene;
    int kind = asker->kinds[pick(&asker->random, asker->kind_count)];
    if (!world->kinds[kind].colored)
        return false;
    bool yes = pick(&asker->random, 2) == 0;
    int candidates[COLOR_LIMIT], count = 0;
    for (int c = 0; c < world->kinds[kind].cell_count; c++) {
        bool has = false;
        for (int i = 0; i < scene->object_count; i++)
            has |= scene->objects[i].kind == kind && scene->objects[i].color == world->kinds[kind].color[c];
        if (has == yes)
            candidates[count++] = world->kinds[kind].color[c];
    }
    if (count == 0)
        return false;
    int color = candidates[pick(&asker->random, count)];
    uint32_t found = 0;
    for (int i = 0; i < scene->object_count; i++)
        if (scene->objects[i].kind == kind && scene->objects[i].color == color)
            found |= 1u << i;
    struct noun noun;
    noun_of_kind(world, kind, color, &noun);
    ask_about(asker, kind, color, 0);
    answer_exist(question, found);
    ask_write(asker, question, noun.pair ? exist_pair : exist_one, (struct phrase){.first = &noun});
    return true;
}

bool ask_EXIST_CATEGORY(struct asker *asker, struct world_question *question)
{
    struct decoy decoy;
    struct noun noun;
    uint32_t here[CATEGORY_LIMIT];
    decoy_draw(asker, &decoy);
    for (int c = 0; c < asker->world->category_count; c++)
        here[c] = asker->world->categories[c].askable ? asker->of_category[c] : 0;
    bool yes = pick(&asker->random, 16) < 9; // a little more than half, because it fails more often
    int category = ask_only_in(&asker->random, yes ? here : decoy.of_category, yes ? decoy.of_category : here,
                           asker->world->category_count);
    if (category < 0)
        return false;
    noun_of_category(asker->world, category, &noun);
    ask_about(asker, category, 0, 0);
    answer_exist(question, asker->of_category[category]);
    ask_write(asker, question, exist_one, (struct phrase){.first = &noun});
    return true;
}

static const char *const color_templates[] = {
    "what color $v the $n?", "what color $v the $n in the picture?", "what colour $v the $n?",
    "what is the color of the $n?", "which color $v the $n?", "the $n $v what color?",
    REWORDED,
    "color of the $n?", "the color of the $n please", "tell me the color of the $n",
    "please tell me what color the $n $v", "could you tell me which color the $n has?",
    "what color has the $n got?", "which color does the $n have?", "name the color of the $n",
    "what is the color of the $n in this picture?", "i want to know what color the $n $v", NULL};

bool ask_COLOR(struct asker *asker, struct world_question *question)
{
    if (asker->single_count == 0)
        return false;
    int object = asker->singles[pick(&asker->random, asker->single_count)];
    const struct world_object *o = &asker->scene->objects[object];
    if (o->color < 0)
        return false;
    struct noun noun;
    noun_of_kind(asker->world, o->kind, -1, &noun);
    ask_about(asker, o->kind, 0, 0);
    ask_answer(question, asker->world->colors[o->color]);
    question->needed = 1u << object;
    ask_centre(asker, question, 0, object);
    ask_write(asker, question, color_templates, (struct phrase){.first = &noun});
    return true;
}

static const char *const count_templates[] = {"how many $p are there?",
                                              "how many $p are there in the picture?",
                                              "how many $p can you see?",
                                              "how many $p do you see in the image?",
                                              "how many $p are in the picture?",
                                              "how many $p are visible?",
                                              "what is the number of $p?",
                                              "count the $p",
                                              REWORDED,
                                              "how many $p?",
                                              "number of $p?",
                                              "please count the $p",
                                              "could you count the $p in this picture?",
                                              "tell me how many $p there are",
                                              "please tell me the number of $p",
                                              "how many $p does the picture have?",
                                              "how many $p are shown here?",
                                              "how many $p can you find?",
                                              "how many $p do you count?",
                                              "i want to know how many $p there are",
                                              "what number of $p can you see?",
                                              NULL};

static void answer_count(struct asker *asker, struct world_question *question, uint32_t found,
                         const struct noun *noun)
{
    ask_answer_number(question, count_bits(found));
    question->needed = found;
    question->counts[0] = count_bits(found);
    ask_write(asker, question, count_templates, (struct phrase){.first = noun});
}

// A number from 0 to 6, the ones that scenes seldom offer most often.
static int choose_number(struct random *random)
{
    static const int chances[] = {6, 10, 16, 20, 26, 30, 30};
    int at = pick(random, 138), number = 0;
    while (at >= chances[number])
        at -= chances[number++];
    return number;
}

bool ask_COUNT(struct asker *asker, struct world_question *question)
{
    int number = choose_number(&asker->random), kind = -1;
    if (number == 0) {
        struct decoy decoy;
        decoy_draw(asker, &decoy);
        kind = ask_only_in(&asker->random, decoy.of_kind, asker->of_kind, asker->world->kind_count);
    } else {
        int found[WORLD_OBJECTS], count = 0;
        for (int i = 0; i < asker->kind_count; i++)
            if (count_bits(asker->of_kind[asker->kinds[i]]) == number)
                found[count++] = asker->kinds[i];
        kind = count ? found[pick(&asker->random, count)] : -1;
    }
    if (kind < 0)
        return false;
    struct noun noun;
    noun_of_kind(asker->world, kind, -1, &noun);
    ask_about(asker, kind, 0, 0);
    answer_count(asker, question, asker->of_kind[kind], &noun);
    return true;
}

// An askable category with this many objects, or -1.
static int category_with(struct asker *asker, int number)
{
    int found[CATEGORY_LIMIT], count = 0;
    for (int c = 0; c < asker->world->category_count; c++)
        if (asker->world->categories[c].askable && count_bits(asker->of_category[c]) == number)
            found[count++] = c;
    return count ? found[pick(&asker->random, count)] : -1;
}

bool ask_COUNT_CATEGORY(struct asker *asker, struct world_question *question)
{
    int number = choose_number(&asker->random), category;
    if (number == 0) {
        struct decoy decoy;
        decoy_draw(asker, &decoy);
        category =
            ask_only_in(&asker->random, decoy.of_category, asker->of_category, asker->world->category_count);
    } else {
        category = category_with(asker, number);
    }
    if (category < 0)
        return false;
    struct noun noun;
    noun_of_category(asker->world, category, &noun);
    ask_about(asker, category, 0, 0);
    answer_count(asker, question, asker->of_category[category], &noun);
    return true;
}

static const char *const category_templates[] = {
    "what $n is in the picture?", "which $n is in the image?", "what $n can you see?",
    "what kind of $n is there?", "which $n is visible?", "what $n is there?",
    "what kind of $n is in the picture?", "which $n do you see?",
    REWORDED,
    "which $n?", "name the $n", "tell me which $n you see", "what $n is shown here?",
    "which $n can you find?", "please tell me what $n there is", "what kind of $n is this?",
    "which $n is in this picture?", "could you name the $n in the image?", NULL};

bool ask_CATEGORY(struct asker *asker, struct world_question *question)
{
    int category = category_with(asker, 1);
    if (category < 0)
        return false;
    struct noun noun;
    noun_of_category(asker->world, category, &noun);
    ask_about(asker, category, 0, 0);
    question->needed = asker->of_category[category];
    int object = __builtin_ctz(question->needed);
    ask_answer(question, world_kind_name(asker->world, asker->scene->objects[object].kind));
    ask_centre(asker, question, 0, object);
    ask_write(asker, question, category_templates, (struct phrase){.first = &noun});
    return true;
}

static const char *const compare_templates[][16] = {
    {"are there more $p than $q?", "are there more $p than $q in the picture?",
     "can you see more $p than $q?", "do you see more $p than $q?",
     "does the picture show more $p than $q?", REWORDED, "more $p than $q?",
     "are more $p than $q shown here?", "is the number of $p more than the number of $q?",
     "please tell me if there are more $p than $q", "does this picture have more $p than $q?",
     "can you tell me whether there are more $p than $q?", NULL},
    {"are there fewer $p than $q?", "are there fewer $p than $q in the picture?",
     "can you see fewer $p than $q?", "do you see fewer $p than $q?",
     "does the picture show fewer $p than $q?", REWORDED, "fewer $p than $q?",
     "are fewer $p than $q shown here?", "is the number of $p less than the number of $q?",
     "please tell me if there are fewer $p than $q", "does this picture have fewer $p than $q?",
     "can you tell me whether there are fewer $p than $q?", NULL}};

// Two kinds; the answer is drawn first, then which of the two is named first.
bool ask_COMPARE(struct asker *asker, struct world_question *question)
{
    struct random *random = &asker->random;
    int first = asker->kinds[pick(random, asker->kind_count)],
        second = asker->kinds[pick(random, asker->kind_count)];
    if (pick(random, 8) == 0) {
        struct decoy decoy;
        decoy_draw(asker, &decoy);
        second = ask_only_in(random, decoy.of_kind, asker->of_kind, asker->world->kind_count);
    }
    if (second < 0 || first == second)
        return false;
    bool more = pick(random, 2) == 0, yes = pick(random, 2) == 0;
    int a = count_bits(asker->of_kind[first]), b = count_bits(asker->of_kind[second]);
    if (a == b && (yes || pick(random, 5) > 0))
        return false;
    if (a != b && ((a > b) == more) != yes) {
        int swap = first;
        first = second;
        second = swap;
    }
    struct noun nouns[2];
    noun_of_kind(asker->world, first, -1, &nouns[0]);
    noun_of_kind(asker->world, second, -1, &nouns[1]);
    ask_about(asker, first, second, more);
    ask_answer(question, yes ? "yes" : "no");
    question->needed = asker->of_kind[first] | asker->of_kind[second];
    question->counts[0] = count_bits(asker->of_kind[first]);
    question->counts[1] = count_bits(asker->of_kind[second]);
    ask_write(asker, question, compare_templates[more ? 0 : 1],
              (struct phrase){.first = &nouns[0], .second = &nouns[1]});
    return true;
}

const struct ask_forms ask_things_forms[] = {
    {.templates = exist_one, .colored = true},
    {.templates = exist_pair, .colored = true},
    {.templates = color_templates},
    {.templates = count_templates},
    {.templates = category_templates},
    {.templates = compare_templates[0]},
    {.templates = compare_templates[1]},
    {0},
};
