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

enum { COUNT_WORDS = sizeof words / sizeof *words, COUNT_FORMS = sizeof forms / sizeof *forms };

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
