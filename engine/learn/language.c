#include "engine/learn/language.h"

#include "engine/base/memory.h"
#include "engine/text/tokenizer.h"
#include "engine/world/world.h"

#include <stdlib.h>

// The id of a text that is exactly one known token, else -1.
static int single_word(const struct tokenizer *tokenizer, const char *text)
{
    struct token tokens[4]; // <s> word </s>, and room to see that there is more
    int n = tokenizer_encode(tokenizer, text, tokens, 4);
    return n == 3 && !tokens[1].unknown ? tokens[1].id : -1;
}

bool language_init(struct language *language, const struct world *world, struct error *err)
{
    *language = (struct language){0};
    language->tokenizer_json = world_tokenizer_json(world);
    if (!language->tokenizer_json)
        return error_no_memory(err, "the vocabulary");
    language->tokenizer = tokenizer_from_json(language->tokenizer_json, err);
    language->answers = world_answer_count(world);
    language->kinds = world_kind_count(world);
    language->colors = world_color_count(world);
    language->answer_words = memory_alloc((size_t)language->answers, sizeof *language->answer_words);
    language->kind_words = memory_alloc((size_t)language->kinds, sizeof *language->kind_words);
    if (!language->tokenizer || !language->answer_words || !language->kind_words) {
        if (language->tokenizer)
            error_no_memory(err, "the vocabulary");
        language_free(language);
        return false;
    }
    language->vocabulary = tokenizer_size(language->tokenizer);
    for (int a = 0; a < language->answers; a++)
        language->answer_words[a] = single_word(language->tokenizer, world_answer(world, a));
    for (int k = 0; k < language->kinds; k++) {
        language->kind_words[k] = single_word(language->tokenizer, world_kind_name(world, k));
        if (language->kind_words[k] < 0) {
            error_set(err, ERROR_INPUT, "the world's kind \"%s\" is not a token of its vocabulary",
                      world_kind_name(world, k));
            language_free(language);
            return false;
        }
    }
    return true;
}

void language_free(struct language *language)
{
    free(language->tokenizer_json);
    tokenizer_free(language->tokenizer);
    memory_free(language->answer_words);
    memory_free(language->kind_words);
    *language = (struct language){0};
}
