// Input that begins with '{' is a tokenizer's JSON, a 0 byte and a text; other input is a text for the tokenizers of
// this file. Tokens must lie in the text, in order, with ids that exist.
#include "engine/text/tokenizer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDS "\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3"
static const char words[] = "{\"kind\": \"words\", \"tokens\": [\"<s>\", \"<pad>\", \"</s>\", \"<unk>\", \"##s\", \"dog\","
                            " \"berry\", \"don't\"], \"forms\": {\"mice\": [\"dog\", \"##s\"]}}";
static const char bert[] = "{\"kind\": \"bert\", \"tokens\": [\"[PAD]\", \"[UNK]\", \"[CLS]\", \"[SEP]\", \"[MASK]\","
                           " \"a\", \"##a\", \"berry\", \"!\"]}";
static const char pieces[] = "{\"kind\": \"roberta\", \"vocab\": {" IDS ", \"a\": 4, \"aa\": 5, \"\\u0120\": 6,"
                             " \"\\u0120a\": 7, \"<mask>\": 8}, \"merges\": [\"\\u0120 a\", \"a a\", \"aa aa\"]}";

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void encode(const struct tokenizer *tokenizer, const char *text)
{
    struct token tokens[40];
    const char *words_found[8];
    for (int max = 2; max <= 40; max += 19) {
        int count = tokenizer_encode(tokenizer, text, tokens, max), length = (int)strlen(text);
        check(count >= 2 && count <= max && tokens[0].id == tokenizer_special(tokenizer, TOKENIZER_START) &&
              tokens[count - 1].id == tokenizer_special(tokenizer, TOKENIZER_END));
        for (int i = 0; i < count; i++) {
            check(tokens[i].id >= 0 && tokens[i].id < tokenizer_size(tokenizer));
            check(tokens[i].from >= 0 && tokens[i].from <= tokens[i].to && tokens[i].to <= length);
            check(i == 0 || tokens[i].from >= tokens[i - 1].from);
        }
    }
    tokenizer_complete(tokenizer, text, words_found, 8);
}

// Under each rule that a model's own code may have for its questions, tokens lie in the question as it was typed.
static void encode_ruled(struct tokenizer *tokenizer, const char *text)
{
    struct token tokens[40];
    for (int rule = TEXT_RULE_NONE; rule <= TEXT_RULE_CAPTION; rule++) {
        tokenizer_set_rule(tokenizer, (enum text_rule)rule, 10);
        int count = tokenizer_encode_question(tokenizer, text, tokens, 40), length = (int)strlen(text);
        check(count >= 2 && count <= 40);
        for (int i = 1; i < count; i++)
            check(tokens[i].from >= 0 && tokens[i].from <= tokens[i].to && tokens[i].to <= length);
        int cut = tokenizer_cut(tokenizer, text, 40);
        check(cut >= -1 && cut <= length);
    }
}

static void encode_with(const char *json, const char *text)
{
    struct error err = {0};
    struct tokenizer *tokenizer = tokenizer_from_json(json, &err);
    if (tokenizer) {
        encode(tokenizer, text);
        encode_ruled(tokenizer, text);
    }
    else
        check(err.code == ERROR_INPUT && err.text[0]);
    tokenizer_free(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 2, 1); // a second 0 byte, for JSON that no text follows
    check(text != NULL);
    if (size)
        memcpy(text, data, size);
    if (text[0] == '{') {
        encode_with(text, text + strlen(text) + 1);
    } else {
        encode_with(words, text);
        encode_with(pieces, text);
        encode_with(bert, text);
    }
    free(text);
    return 0;
}
