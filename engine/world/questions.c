#include "engine/world/ask.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// How often each family is tried, chosen so that what succeeds has the shares that the tests ask for: many
// scenes allow no unambiguous question about a relation or a corner.
static const int weights[WORLD_FAMILY_COUNT] = {
    [WORLD_ASK_EXIST] = 45,           [WORLD_ASK_EXIST_COLOR] = 150,
    [WORLD_ASK_EXIST_CATEGORY] = 55,  [WORLD_ASK_COLOR] = 310,
    [WORLD_ASK_COUNT] = 290,          [WORLD_ASK_COUNT_CATEGORY] = 270,
    [WORLD_ASK_POSITION] = 440,       [WORLD_ASK_SIDE] = 90,
    [WORLD_ASK_RELATION] = 1000,      [WORLD_ASK_CATEGORY] = 190,
    [WORLD_ASK_RELATION_CHECK] = 210, [WORLD_ASK_COMPARE] = 190,
};

enum { TEMPLATES_LIMIT = 64, FIND_TRIES = 1500 }; // of each family

static const char *article_for(const char *word)
{
    return strchr("aeiou", word[0]) ? "an" : "a";
}

static void noun_write(struct noun *noun, const char *adjective, const char *singular, const char *plural,
                       bool pair)
{
    const char *gap = adjective[0] ? " " : "";
    snprintf(noun->singular, sizeof noun->singular, "%s%s%s", adjective, gap, singular);
    snprintf(noun->plural, sizeof noun->plural, "%s%s%s", adjective, gap, plural);
    if (pair)
        snprintf(noun->article, sizeof noun->article, "%s", noun->plural);
    else
        snprintf(noun->article, sizeof noun->article, "%s %s", article_for(noun->singular), noun->singular);
    noun->pair = pair;
}

void noun_of_kind(const struct world *world, int kind, int color, struct noun *noun)
{
    const struct kind *k = &world->kinds[kind];
    noun_write(noun, color < 0 ? "" : world->colors[color], k->name, k->plural, k->pair);
}

void noun_of_category(const struct world *world, int category, struct noun *noun)
{
    noun_write(noun, "", world->categories[category].name, world->categories[category].plural, false);
}

static const char *phrase_part(struct phrase phrase, char key)
{
    switch (key) {
    case 'a':
        return phrase.first->article;
    case 'n':
        return phrase.first->singular;
    case 'p':
        return phrase.first->plural;
    case 'm':
        return phrase.second->singular;
    case 'q':
        return phrase.second->plural;
    case 'v':
        return phrase.first->pair ? "are" : "is";
    case 'k':
        return phrase.number;
    case 'w':
        return phrase.where;
    default:
        return phrase.direction;
    }
}

void ask_plain(const char *text, char out[ASK_PLAIN])
{
    size_t used = 0;
    for (bool gap = false; *text && used + 2 < ASK_PLAIN; text++) {
        bool word = isalnum((unsigned char)*text) || *text == '\'';
        if (word && gap && used)
            out[used++] = ' ';
        if (word)
            out[used++] = (char)tolower((unsigned char)*text);
        gap = !word;
    }
    out[used] = 0;
}

// Goes over `part` in the wanted text: NULL where it says something else. Signs that are no words do not count.
static const char *pass(const char *wanted, const char *part, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (part[i] == '?' || part[i] == ',' || part[i] == '.')
            continue;
        if (*wanted++ != tolower((unsigned char)part[i]))
            return NULL;
    }
    return wanted;
}

static bool is_wanted(const char *template, struct phrase phrase, const char *wanted)
{
    for (; wanted && *template; template++) {
        const char *part = *template == '$' ? phrase_part(phrase, *++template) : template;
        wanted = pass(wanted, part, part == template ? 1 : strlen(part));
    }
    return wanted && !*wanted;
}

void ask_write_text(const struct world *world, struct random *random, const char *const *templates, struct phrase phrase,
                    char text[WORLD_TEXT])
{
    const char *choice[TEMPLATES_LIMIT];
    int n = 0;
    bool all = world->options.reworded;
    for (int i = 0; templates[i] && n < TEMPLATES_LIMIT && (all || *templates[i]); i++)
        if (*templates[i])
            choice[n++] = templates[i];
    size_t used = 0;
    for (const char *from = choice[pick(random, n)]; *from; from++) {
        char one[2] = {*from, '\0'};
        const char *part = *from == '$' ? phrase_part(phrase, *++from) : one;
        size_t length = strlen(part);
        if (used + length >= WORLD_TEXT)
            break;
        memcpy(text + used, part, length);
        used += length;
    }
    text[used] = '\0';
}

void ask_write(struct asker *asker, struct world_question *question, const char *const *templates,
               struct phrase phrase)
{
    if (asker->wanted) { // in whichever words
        asker->found = false;
        for (int i = 0; templates[i] && !asker->found; i++)
            asker->found = *templates[i] && is_wanted(templates[i], phrase, asker->wanted);
        return;
    }
    ask_write_text(asker->world, &asker->random, templates, phrase, question->text);
}

void ask_answer(struct world_question *question, const char *answer)
{
    snprintf(question->answer, sizeof question->answer, "%s", answer);
}

void ask_answer_number(struct world_question *question, int number)
{
    snprintf(question->answer, sizeof question->answer, "%d", number);
}

void ask_centre(const struct asker *asker, struct world_question *question, int which, int object)
{
    question->centres[2 * which] = (float)asker->x[object] / (float)WORLD_SIDE;
    question->centres[2 * which + 1] = (float)asker->y[object] / (float)WORLD_SIDE;
}

void ask_look(struct asker *asker)
{
    const struct world_scene *scene = asker->scene;
    for (int i = 0; i < scene->object_count; i++) {
        const struct world_object *object = &scene->objects[i];
        if (!asker->of_kind[object->kind])
            asker->kinds[asker->kind_count++] = object->kind;
        asker->of_kind[object->kind] |= 1u << i;
        asker->of_category[asker->world->kinds[object->kind].category] |= 1u << i;
        asker->x[i] = object->box.x0 + object->box.x1 - WORLD_SIDE;
        asker->y[i] = object->box.y0 + object->box.y1 - WORLD_SIDE;
    }
    for (int i = 0; i < scene->object_count; i++)
        if (count_bits(asker->of_kind[scene->objects[i].kind]) == 1)
            asker->singles[asker->single_count++] = i;
}

bool ask_before(int asked[][4], int count, const int meaning[4])
{
    for (int i = 0; i < count; i++)
        if (!memcmp(asked[i], meaning, sizeof asked[i]))
            return true;
    return false;
}

static enum world_family choose_family(struct random *random)
{
    int total = 0;
    for (int i = 0; i < WORLD_FAMILY_COUNT; i++)
        total += weights[i];
    int at = pick(random, total), family = 0;
    while (at >= weights[family])
        at -= weights[family++];
    return (enum world_family)family;
}

static bool (*const ask[WORLD_FAMILY_COUNT])(struct asker *, struct world_question *) = {
#define ASK_ROW(id, name) ask_##id,
    WORLD_FAMILIES(ASK_ROW)
#undef ASK_ROW
};

static void begin_question(struct asker *asker, enum world_family family, struct world_question *question)
{
    *question = (struct world_question){.family = family, .counts = {-1, -1}, .centres = {NAN, NAN, NAN, NAN}};
    asker->meaning[0] = (int)family;
    ask_about(asker, 0, 0, 0);
}

bool world_find_question(const struct world *world, const struct world_scene *scene, const char *text,
                         struct world_question *question)
{
    char wanted[ASK_PLAIN];
    struct asker asker = {.world = world, .scene = scene, .wanted = wanted};
    ask_plain(text, wanted);
    random_init(&asker.random, 1, 0);
    ask_look(&asker);
    // Every family is asked the same number of times: what it asks about is drawn, its words are not.
    for (int tries = 0; tries < FIND_TRIES; tries++)
        for (int f = 0; f < WORLD_FAMILY_COUNT; f++) {
            begin_question(&asker, (enum world_family)f, question);
            asker.found = false;
            if (ask[f](&asker, question) && asker.found) {
                snprintf(question->text, sizeof question->text, "%s", text);
                return true;
            }
        }
    return false;
}

int world_make_questions(const struct world *world, uint64_t seed, uint64_t index,
                         const struct world_scene *scene, struct world_question *questions, int want)
{
    struct asker asker = {.world = world, .scene = scene};
    random_init(&asker.random, seed, 2 * index + 1);
    ask_look(&asker);
    want = want > WORLD_QUESTIONS ? WORLD_QUESTIONS : want;
    int count = 0, asked[WORLD_QUESTIONS][4];
    for (int tries = 0; count < want && tries < 60 * WORLD_QUESTIONS; tries++) {
        struct world_question *question = &questions[count];
        enum world_family family = choose_family(&asker.random);
        begin_question(&asker, family, question);
        if (ask[family](&asker, question) && !ask_before(asked, count, asker.meaning))
            memcpy(asked[count++], asker.meaning, sizeof asker.meaning);
    }
    return count;
}
