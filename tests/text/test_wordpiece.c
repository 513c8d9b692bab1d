// BERT's tokenizer against what transformers' own gave (tests/fixtures/tokenizers/tok_bert.json).
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary.h"
#include "tests/support/cmocka_all.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tokenizer *bert;

static struct tokenizer *open_vocabulary(const char *path)
{
    struct error err = {0};
    char *json = vocabulary_read(VOCABULARY_BERT, &path, 1, &err);
    assert_string_equal(err.text, "");
    struct tokenizer *tokenizer = tokenizer_from_json(json, &err);
    assert_string_equal(err.text, "");
    free(json);
    return tokenizer;
}

static int set_up(void **state)
{
    (void)state;
    bert = open_vocabulary("assets/vocabularies/bert");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tokenizer_free(bert);
    return 0;
}

static void check_ids(const struct token *tokens, int count, const json_t *ids)
{
    assert_int_equal(count, json_array_size(ids));
    for (int t = 0; t < count; t++)
        assert_int_equal(tokens[t].id, json_integer_value(json_array_get(ids, (size_t)t)));
}

static void test_equals_transformers(void **state)
{
    (void)state;
    json_t *cases = json_load_file("tests/fixtures/tokenizers/tok_bert.json", 0, NULL), *golden;
    size_t i;
    assert_true(json_array_size(cases) == 25);
    json_array_foreach(cases, i, golden)
    {
        struct token tokens[512];
        int ids[512];
        const char *text = json_string_value(json_object_get(golden, "text"));
        int count = tokenizer_encode(bert, text, tokens, 512);
        check_ids(tokens, count, json_object_get(golden, "ids"));
        for (int t = 0; t < count; t++)
            ids[t] = tokens[t].id;
        char *decoded = tokenizer_decode(bert, ids, count);
        assert_string_equal(decoded, json_string_value(json_object_get(golden, "decoded")));
        free(decoded);
        count = tokenizer_encode(bert, text, tokens, 35);
        check_ids(tokens, count, json_object_get(golden, "ids35"));
    }
    json_decref(cases);
}

static void test_specials(void **state)
{
    (void)state;
    assert_int_equal(tokenizer_size(bert), 30524);
    assert_int_equal(tokenizer_special(bert, TOKENIZER_START), 101);
    assert_int_equal(tokenizer_special(bert, TOKENIZER_END), 102);
    assert_int_equal(tokenizer_special(bert, TOKENIZER_PAD), 0);
    assert_int_equal(tokenizer_special(bert, TOKENIZER_UNKNOWN), 100);
    assert_int_equal(tokenizer_special(bert, TOKENIZER_MASK), 103);
    assert_int_equal(tokenizer_special(bert, TOKENIZER_DECODE), 30522);
    assert_int_equal(tokenizer_special(bert, TOKENIZER_ENCODE), 30523);
}

// Writes what a text became as "token@from-to", unknown ones with a question mark, without [CLS] and [SEP].
static const char *spell(const struct tokenizer *tokenizer, const char *text)
{
    static char out[2048];
    struct token tokens[256];
    int count = tokenizer_encode(tokenizer, text, tokens, 256), at = 0;
    assert_in_range(count, 2, 256);
    out[0] = '\0';
    for (int i = 1; i < count - 1; i++)
        at += snprintf(out + at, sizeof out - (size_t)at, "%s%s%s@%d-%d", i > 1 ? " " : "",
                       tokenizer_text(tokenizer, tokens[i].id), tokens[i].unknown ? "?" : "", tokens[i].from,
                       tokens[i].to);
    return out;
}

static void test_places(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"", ""},
        {" \t\n ", ""},
        {"What's UP?", "what@0-4 '@4-5 s@5-6 up@7-9 ?@9-10"},
        {"caf\xc3\xa9s", "cafes@0-6"},
        {"cafe\xcc\x81 x", "cafe@0-6 x@7-8"},                // the accent as a character of its own
        {"a\xcc\x81", "a@0-3"},
        {"\xcc\x81" "a", "a@2-3"},
        {"!\xcc\x81" "a", "!@0-1 a@3-4"},
        {"unaffable", "una@0-3 ##ffa@3-6 ##ble@6-9"},
        {"x\xe6\x97\xa5\xe6\x9c\xacy", "x@0-1 \xe6\x97\xa5@1-4 \xe6\x9c\xac@4-7 y@7-8"},
        {"don\xe2\x80\x99t", "don@0-3 \xe2\x80\x99@3-6 t@6-7"},
        {"a\x01" "b c", "ab@0-3 c@4-5"},                     // a control character is passed over
        {"a\xe2\x80\xa8" "b", "a@0-1 b@4-5"},                // a line separator parts words
        {"dog\xff\xc3the\x80", "dog@0-3 ##the@5-8"},         // bytes that are no UTF-8 are passed over
        {"[MASK] [mask]", "[MASK]@0-6 [@7-8 mask@8-12 ]@12-13"},
        {"\xf0\x9f\x98\x80 dog", "[UNK]?@0-4 dog@5-8"},
        {"\xc4\xb0", "i@0-2"},
        {"\xea\xb0\x81", "\xe1\x84\x80@0-3 ##\xe1\x85\xa1@0-3 ##\xe1\x86\xa8@0-3"}, // Hangul into three letters
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(spell(bert, cases[i].text), cases[i].tokens);
}

static void test_long_words(void **state)
{
    (void)state;
    char text[512] = "";
    memset(text, 'a', 101);
    assert_string_equal(spell(bert, text), "[UNK]?@0-101");
    text[100] = '\0';
    assert_null(strstr(spell(bert, text), "[UNK]")); // 100 characters are the most
    char endless[20000];
    memset(endless, 'b', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_string_equal(spell(bert, endless), "[UNK]?@0-16384");
    struct token tokens[4];
    assert_int_equal(tokenizer_encode(bert, "one two three four", tokens, 4), 4);
    assert_int_equal(tokens[3].id, 102);
    assert_int_equal(tokenizer_cut(bert, "one two three four", 4), 8);
    assert_int_equal(tokenizer_encode(bert, "one", tokens, 1), 0);
}

// The fixture models' vocabulary: ids come from it, never from constants.
static void test_small_vocabulary(void **state)
{
    (void)state;
    struct tokenizer *mini = open_vocabulary("tests/fixtures/tokenizers/mini_vocab.txt");
    assert_int_equal(tokenizer_size(mini), 134);
    assert_int_equal(tokenizer_special(mini, TOKENIZER_END), 3);
    assert_int_equal(tokenizer_special(mini, TOKENIZER_DECODE), 132);
    assert_int_equal(tokenizer_special(mini, TOKENIZER_ENCODE), 133);
    assert_string_equal(spell(mini, "What color is cat42?"),
                        "what@0-4 color@5-10 is@11-13 cat@14-17 ##4@17-18 ##2@18-19 ?@19-20");
    assert_string_equal(spell(mini, "a%"), "a@0-1 [UNK]?@1-2");
    tokenizer_free(mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_transformers), cmocka_unit_test(test_specials), cmocka_unit_test(test_places),
        cmocka_unit_test(test_long_words), cmocka_unit_test(test_small_vocabulary),
    };
    return cmocka_run_group_tests_name("wordpiece", tests, set_up, tear_down);
}
