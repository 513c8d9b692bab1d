// The words of the world's language: answers, tokens, and the surface forms that stand for other tokens.
#include "engine/world/internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// The words of questions beside the names of kinds, categories and colours.
static const char *const words[] = {
    "is",      "are",     "there",   "a",     "an",    "any",  "the",    "in",     "on",     "at",    "of",
    "to",      "or",      "and",     "do",    "does",  "can",  "you",    "i",      "see",    "show",  "have",
    "visible", "picture", "what",    "which", "where", "how",  "many",   "count",  "number", "color", "kind",
    "object",  "thing",   "side",    "left",  "right", "top",  "bottom", "middle", "corner", "part",  "half",
    "above",   "below",   "located", "more",  "fewer", "than", "it",     "this",   "with",   "not",   "no",
};

// What reworded questions need besides.
static const char *const more_words[] = {"please", "tell", "me",   "could", "know", "want", "if",   "whether", "find",
                                         "look",   "for",  "name", "yes",   "true", "that", "here", "has",     "got",
                                         "one",    "be",   "two",  "three", "four", "five", "six",  "both",    "each",
                                         "neither", "only", "exactly", "all", "other", "first", "second", "them"};

// Other words for the same; up to two tokens.
static const struct form {
    const char *surface, *tokens[2];
} forms[] = {
    {"colour", {"color", NULL}},  {"colors", {"color", NULL}},     {"colours", {"color", NULL}},
    {"center", {"middle", NULL}}, {"centre", {"middle", NULL}},    {"upper", {"top", NULL}},
    {"lower", {"bottom", NULL}},  {"image", {"picture", NULL}},    {"photo", {"picture", NULL}},
    {"scene", {"picture", NULL}}, {"over", {"above", NULL}},       {"under", {"below", NULL}},
    {"beneath", {"below", NULL}}, {"underneath", {"below", NULL}}, {"less", {"fewer", NULL}},
    {"what's", {"what", "is"}},   {"where's", {"where", "is"}},    {"there's", {"there", "is"}},
    {"type", {"kind", NULL}},     {"sort", {"kind", NULL}},        {"shows", {"show", NULL}},
    {"item", {"object", NULL}},   {"things", {"thing", "##s"}},    {"objects", {"object", "##s"}},
};

// Other names of kinds, and other ways to say the same, that people use and the world's questions do not.
static const struct form more_forms[] = {
    {"puppy", {"dog", NULL}},         {"puppies", {"dog", "##s"}},      {"doggy", {"dog", NULL}},
    {"kitten", {"cat", NULL}},        {"kitty", {"cat", NULL}},         {"bunny", {"rabbit", NULL}},
    {"bunnies", {"rabbit", "##s"}},   {"hare", {"rabbit", NULL}},       {"piglet", {"pig", NULL}},
    {"hen", {"chicken", NULL}},       {"rooster", {"chicken", NULL}},   {"pony", {"horse", NULL}},
    {"ponies", {"horse", "##s"}},     {"ladybird", {"ladybug", NULL}},  {"tortoise", {"turtle", NULL}},
    {"toad", {"frog", NULL}},         {"ape", {"monkey", NULL}},        {"automobile", {"car", NULL}},
    {"auto", {"car", NULL}},          {"lorry", {"truck", NULL}},       {"lorries", {"truck", "##s"}},
    {"van", {"truck", NULL}},         {"bike", {"bicycle", NULL}},      {"motorbike", {"motorcycle", NULL}},
    {"plane", {"airplane", NULL}},    {"aeroplane", {"airplane", NULL}}, {"aircraft", {"airplane", NULL}},
    {"jet", {"airplane", NULL}},      {"ship", {"boat", NULL}},         {"sailboat", {"boat", NULL}},
    {"locomotive", {"train", NULL}},  {"chopper", {"helicopter", NULL}}, {"spaceship", {"rocket", NULL}},
    {"hamburger", {"burger", NULL}},  {"cheeseburger", {"burger", NULL}}, {"doughnut", {"donut", NULL}},
    {"biscuit", {"cookie", NULL}},    {"aubergine", {"eggplant", NULL}}, {"paprika", {"pepper", NULL}},
    {"melon", {"watermelon", NULL}},  {"toadstool", {"mushroom", NULL}}, {"spanner", {"wrench", NULL}},
    {"hatchet", {"axe", NULL}},       {"ax", {"axe", NULL}},            {"telephone", {"phone", NULL}},
    {"smartphone", {"phone", NULL}},  {"mobile", {"phone", NULL}},      {"cellphone", {"phone", NULL}},
    {"lightbulb", {"bulb", NULL}},    {"lamp", {"bulb", NULL}},         {"present", {"gift", NULL}},
    {"mug", {"cup", NULL}},           {"teacup", {"cup", NULL}},        {"fiddle", {"violin", NULL}},
    {"sneaker", {"shoe", NULL}},      {"trainer", {"shoe", NULL}},      {"tshirt", {"shirt", NULL}},
    {"spectacles", {"glasses", NULL}}, {"sunglasses", {"glasses", NULL}}, {"gown", {"dress", NULL}},
    {"home", {"house", NULL}},        {"cottage", {"house", NULL}},     {"chapel", {"church", NULL}},
    {"fire", {"flame", NULL}},        {"crescent", {"moon", NULL}},     {"shamrock", {"clover", NULL}},
    {"disc", {"circle", NULL}},       {"disk", {"circle", NULL}},       {"rhombus", {"diamond", NULL}},
    {"violet", {"purple", NULL}},     {"beast", {"animal", NULL}},      {"veggie", {"vegetable", NULL}},
    {"sweet", {"dessert", NULL}},     {"pastry", {"dessert", NULL}},    {"flora", {"plant", "##s"}},
    {"display", {"show", NULL}},      {"displays", {"show", NULL}},     {"shown", {"show", NULL}},
    {"pic", {"picture", NULL}},       {"snapshot", {"picture", NULL}},  {"drawing", {"picture", NULL}},
    {"pictured", {"show", NULL}},     {"depict", {"show", NULL}},       {"contain", {"have", NULL}},
    {"contains", {"has", NULL}},      {"spot", {"find", NULL}},         {"detect", {"find", NULL}},
    {"beside", {"side", NULL}},       {"greater", {"more", NULL}},      {"larger", {"more", NULL}},
    {"smaller", {"fewer", NULL}},     {"would", {"could", NULL}},       {"will", {"could", NULL}},
    {"may", {"could", NULL}},         {"kindly", {"please", NULL}},     {"identify", {"name", NULL}},
    {"give", {"tell", NULL}},         {"say", {"tell", NULL}},          {"amount", {"number", NULL}},
    {"total", {"number", NULL}},      {"correct", {"true", NULL}},      {"lefthand", {"left", NULL}},
    {"righthand", {"right", NULL}},   {"leftmost", {"left", NULL}},     {"rightmost", {"right", NULL}},
    {"uppermost", {"top", NULL}},     {"central", {"middle", NULL}},    {"area", {"part", NULL}},
    {"region", {"part", NULL}},       {"somewhere", {"there", NULL}},   {"anywhere", {"there", NULL}},
};

enum {
    COUNT_WORDS = sizeof words / sizeof *words,
    COUNT_FORMS = sizeof forms / sizeof *forms,
    COUNT_MORE_WORDS = sizeof more_words / sizeof *more_words,
    COUNT_MORE_FORMS = sizeof more_forms / sizeof *more_forms,
};

void world_list_answers(struct world *world)
{
    static const char *const first[] = {"yes", "no", "left", "right", "top", "bottom", "nothing", "0", "1",
                                        "2",   "3",  "4",    "5",     "6",   "7",      "8",       "9"};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        world->answers[world->answer_count++] = first[i];
    for (int i = 0; i < world->color_count; i++)
        world->answers[world->answer_count++] = world->colors[i];
    for (int i = 0; i < world->kind_count; i++)
        if (world_answer_find(world, world->kinds[i].name) < 0) // orange is a colour already
            world->answers[world->answer_count++] = world->kinds[i].name;
}

bool world_is_question_word(const char *token)
{
    for (int i = 0; i < COUNT_WORDS; i++)
        if (!strcmp(words[i], token))
            return true;
    for (int i = 0; i < COUNT_MORE_WORDS; i++)
        if (!strcmp(more_words[i], token))
            return true;
    return false;
}

// Appends the word unless it is there.
static bool add_token(json_t *tokens, const char *word)
{
    size_t i;
    json_t *value;
    json_array_foreach(tokens, i, value)
    {
        if (!strcmp(json_string_value(value), word))
            return true;
    }
    return json_array_append_new(tokens, json_string(word)) == 0;
}

static bool add_form(json_t *map, const char *surface, const char *first, const char *second)
{
    json_t *list = json_array();
    bool ok = list && json_array_append_new(list, json_string(first)) == 0 &&
              (!second || json_array_append_new(list, json_string(second)) == 0);
    return json_object_set_new(map, surface, list) == 0 && ok;
}

static bool add_plural(json_t *map, const char *name, const char *plural)
{
    return !strcmp(name, plural) || add_form(map, plural, name, "##s");
}

static bool fill_tokens(const struct world *world, json_t *tokens)
{
    static const char *const special[] = {"<s>", "<pad>", "</s>", "<unk>", "##s"};
    bool ok = true;
    for (int i = 0; i < 5; i++)
        ok = ok && add_token(tokens, special[i]);
    for (int i = 0; i < world->kind_count; i++)
        ok = ok && add_token(tokens, world->kinds[i].name);
    for (int i = 0; i < world->category_count; i++)
        ok = ok && (!world->categories[i].askable || add_token(tokens, world->categories[i].name));
    for (int i = 0; i < world->color_count; i++)
        ok = ok && add_token(tokens, world->colors[i]);
    for (int i = 0; i < COUNT_WORDS; i++)
        ok = ok && add_token(tokens, words[i]);
    // At the end, so that weights made without them can be taken over.
    for (int i = 0; world->options.reworded && i < COUNT_MORE_WORDS; i++)
        ok = ok && add_token(tokens, more_words[i]);
    return ok;
}

static bool fill_forms(const struct world *world, json_t *map)
{
    bool ok = true;
    for (int i = 0; i < world->kind_count; i++)
        ok = ok && add_plural(map, world->kinds[i].name, world->kinds[i].plural);
    for (int i = 0; i < world->category_count; i++)
        ok = ok && (!world->categories[i].askable ||
                    add_plural(map, world->categories[i].name, world->categories[i].plural));
    for (int i = 0; i < COUNT_FORMS; i++)
        ok = ok && add_form(map, forms[i].surface, forms[i].tokens[0], forms[i].tokens[1]);
    for (int i = 0; world->options.reworded && i < COUNT_MORE_FORMS; i++)
        ok = ok && add_form(map, more_forms[i].surface, more_forms[i].tokens[0], more_forms[i].tokens[1]);
    return ok;
}

char *world_tokenizer_json(const struct world *world)
{
    json_t *root = json_object(), *tokens = json_array(), *map = json_object();
    bool ok = root && tokens && map && fill_tokens(world, tokens) && fill_forms(world, map);
    ok = json_object_set_new(root, "kind", json_string("words")) == 0 && ok;
    ok = json_object_set_new(root, "tokens", tokens) == 0 && ok;
    ok = json_object_set_new(root, "forms", map) == 0 && ok;
    char *text = ok ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}
