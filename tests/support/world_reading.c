#include "tests/support/world_reading.h"

#include "app/assets.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 64 };

static int kind_find(const struct world *world, const char *name)
{
    for (int i = 0; i < world_kind_count(world); i++)
        if (!strcmp(world_kind_name(world, i), name))
            return i;
    return -1;
}

static int color_find(const struct world *world, const char *name)
{
    for (int i = 0; i < world_color_count(world); i++)
        if (!strcmp(world_color_name(world, i), name))
            return i;
    return -1;
}

static int category_find(const struct world *world, const char *name)
{
    for (int i = 0; i < world_category_count(world); i++)
        if (!strcmp(world_category_name(world, i), name))
            return i;
    return -1;
}

static bool read_direction(struct reading *reading, const char *word)
{
    const struct {
        const char *word;
        bool *flag;
    } known[] = {{"left", &reading->left},     {"right", &reading->right},   {"top", &reading->top},
                 {"bottom", &reading->bottom}, {"middle", &reading->middle}, {"above", &reading->above},
                 {"below", &reading->below},   {"more", &reading->more},     {"fewer", &reading->fewer}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(word, known[i].word))
            return *known[i].flag = true;
    return false;
}

void reading_make(const struct world *world, const struct tokenizer *tokenizer, const char *text,
                  struct reading *reading)
{
    struct token tokens[TOKENS];
    int n = tokenizer_encode(tokenizer, text, tokens, TOKENS);
    *reading = (struct reading){.tokens = n, .color = -1, .category = -1};
    for (int i = 1; i < n - 1; i++) {
        const char *word = tokenizer_text(tokenizer, tokens[i].id),
                   *next = tokenizer_text(tokenizer, tokens[i + 1].id);
        int kind = kind_find(world, word), color = color_find(world, word),
            category = category_find(world, word);
        bool names_color = color >= 0 && kind_find(world, next) >= 0;
        reading->unknown += tokens[i].unknown;
        if (names_color)
            reading->color = color;
        else if (kind >= 0 && reading->kinds < 4)
            reading->kind[reading->kinds++] = kind;
        else if (category >= 0)
            reading->category = category;
        else if (!read_direction(reading, word))
            continue;
        size_t used = strlen(reading->key);
        snprintf(reading->key + used, sizeof reading->key - used, "%s%s ", names_color ? "color " : "", word);
    }
}

struct world *reading_open(const struct world_options *options, struct tokenizer **tokenizer)
{
    struct error err = {0};
    char folder[ASSETS_PATH];
    assert_true(assets_find(folder, &err));
    struct world *world = world_open(folder, options, &err);
    assert_string_equal(err.text, "");
    assert_non_null(world);
    char *json = world_tokenizer_json(world);
    *tokenizer = tokenizer_from_json(json, &err);
    free(json);
    assert_string_equal(err.text, "");
    assert_non_null(*tokenizer);
    return world;
}
