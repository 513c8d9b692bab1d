#include "engine/base/memory.h"
#include "engine/text/tokenizer.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char words_json[] =
    "{\"kind\": \"words\", \"tokens\": [\"<s>\", \"<pad>\", \"</s>\", \"<unk>\", \"##s\", \"is\", \"the\", \"dog\","
    " \"mouse\", \"box\", \"cherry\", \"color\", \"what\", \"3\", \"bus\", \"k\xc3\xa4se\", \"don't\", \"boxing\"],"
    " \"forms\": {\"mice\": [\"mouse\", \"##s\"], \"cherries\": [\"cherry\", \"##s\"], \"colour\": [\"color\"], \"what's\": [\"what\", \"is\"]}}";

static struct tokenizer *make(const char *json)
{
    struct error err = {0};
    struct tokenizer *tokenizer = tokenizer_from_json(json, &err);
    assert_string_equal(err.text, "");
    assert_non_null(tokenizer);
    return tokenizer;
}

// Writes what a text became as "token@from-to", unknown ones with a question mark, without <s> and </s>.
static const char *spell(const struct tokenizer *tokenizer, const char *text)
{
    static char out[1024];
    struct token tokens[64];
    int count = tokenizer_encode(tokenizer, text, tokens, 64), at = 0;
    assert_in_range(count, 2, 64);
    assert_int_equal(tokens[0].id, 0);
    assert_int_equal(tokens[count - 1].id, 2);
    assert_true(tokens[0].from == tokens[0].to && tokens[count - 1].from == tokens[count - 1].to);
    out[0] = '\0';
    for (int i = 1; i < count - 1; i++)
        at += snprintf(out + at, sizeof out - (size_t)at, "%s%s%s@%d-%d", i > 1 ? " " : "",
                       tokenizer_text(tokenizer, tokens[i].id), tokens[i].unknown ? "?" : "", tokens[i].from,
                       tokens[i].to);
    return out;
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"", ""},
        {" ?! ", ""},
        {"What is the DOG?", "what@0-4 is@5-7 the@8-11 dog@12-15"},
        {"dogs", "dog@0-3 ##s@3-4"},
        {"boxes", "box@0-3 ##s@3-5"},
        {"Cherries", "cherry@0-5 ##s@5-8"},
        {"bus", "bus@0-3"},                      // a token, not the plural of "bu"
        {"buses", "bus@0-3 ##s@3-5"},
        {"two  mice", "<unk>?@0-3 mouse@5-9 ##s@5-9"},
        {"what's", "what@0-6 is@0-6"},
        {"what\xe2\x80\x99s the colour", "what@0-8 is@0-8 the@9-12 color@13-19"},
        {"'dog'", "dog@1-4"},
        {"don't", "don't@0-5"},
        {"3 dogs/boxing", "3@0-1 dog@2-5 ##s@5-6 boxing@7-13"},
        {"K\xc3\x84SE", "k\xc3\xa4se@0-5"},
        {"##s <s> <unk> s", "<unk>?@2-3 <unk>?@5-6 <unk>?@9-12 <unk>?@14-15"},
        {"dog\xff\xc3the\x80", "dog@0-3 the@5-8"},
        {"\xe6\x97\xa5\xe6\x9c\xac", "<unk>?@0-6"},
    };
    struct tokenizer *tokenizer = make(words_json);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(spell(tokenizer, cases[i].text), cases[i].tokens);
    assert_int_equal(tokenizer_size(tokenizer), 18);
    assert_string_equal(tokenizer_text(tokenizer, 18), "");
    assert_string_equal(tokenizer_text(tokenizer, -1), "");
    tokenizer_free(tokenizer);
}

// A question that is longer than the model reads: where the reading stops.
static void test_cut(void **state)
{
    (void)state;
    struct tokenizer *tokenizer = make(words_json);
    assert_int_equal(tokenizer_cut(tokenizer, "the dog is the mouse", 7), -1);
    assert_int_equal(tokenizer_cut(tokenizer, "the dog is the mouse!?", 7), -1);
    assert_int_equal(tokenizer_cut(tokenizer, "the dog is the mouse", 6), 15);
    assert_int_equal(tokenizer_cut(tokenizer, "the dogs are", 4), 7); // in the middle of a word: its ending is left out
    assert_int_equal(tokenizer_cut(tokenizer, "", 2), -1);
    char *endless = memory_alloc(40000, 1);
    assert_non_null(endless);
    memset(endless, ' ', 39999);
    assert_int_equal(tokenizer_cut(tokenizer, endless, 24), 16384);
    memory_free(endless);
    tokenizer_free(tokenizer);
}

static void test_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"mous", "mouse"},     // a letter missing
        {"chherry", "cherry"}, // one too many
        {"DOH", "dog"},        // a wrong one, whatever the case
        {"muose", "mouse"},    // two swapped
        {"cherrie", "cherries"}, // a form as well
        {"xbo", NULL},
        {"bo", NULL},          // too short to tell
        {"k\xc3\xa4s", "k\xc3\xa4se"},
        {"kase", "k\xc3\xa4se"}, // one character, two bytes
        {"boxng", "boxing"},
        {"busx", "bus"},
        {"zebra", NULL},
        {"", NULL},
    };
    struct tokenizer *tokenizer = make(words_json);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = tokenizer_nearest(tokenizer, cases[i].word, strlen(cases[i].word));
        if (cases[i].nearest)
            assert_string_equal(nearest ? nearest : "nothing", cases[i].nearest);
        else
            assert_null(nearest);
    }
    tokenizer_free(tokenizer);
}

static void test_long_text(void **state)
{
    (void)state;
    struct tokenizer *tokenizer = make(words_json);
    struct token tokens[8];
    assert_int_equal(tokenizer_encode(tokenizer, "dog dog dog dog dogs", tokens, 7), 7);
    assert_int_equal(tokens[5].id, 7); // the ending did not fit
    assert_int_equal(tokens[6].id, 2);
    assert_int_equal(tokenizer_encode(tokenizer, "dog", tokens, 2), 2);
    assert_int_equal(tokens[1].id, 2);
    assert_int_equal(tokenizer_encode(tokenizer, "dog", tokens, 1), 0);
    size_t size = 1 << 20;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'd', size);
    text[size] = '\0';
    assert_int_equal(tokenizer_encode(tokenizer, text, tokens, 8), 3);
    assert_true(tokens[1].unknown);
    free(text);
    tokenizer_free(tokenizer);
}

static void test_completion(void **state)
{
    (void)state;
    struct tokenizer *tokenizer = make(words_json);
    const char *out[32];
    assert_int_equal(tokenizer_complete(tokenizer, "bo", out, 32), 2);
    assert_string_equal(out[0], "box");
    assert_string_equal(out[1], "boxing");
    assert_int_equal(tokenizer_complete(tokenizer, "M", out, 32), 2);
    assert_string_equal(out[0], "mice");
    assert_int_equal(tokenizer_complete(tokenizer, "bo", out, 1), 1);
    assert_int_equal(tokenizer_complete(tokenizer, "boxx", out, 32), 0);
    assert_int_equal(tokenizer_complete(tokenizer, "<", out, 32), 0);
    assert_int_equal(tokenizer_complete(tokenizer, "#", out, 32), 0);
    assert_int_equal(tokenizer_complete(tokenizer, "\xff", out, 32), 0);
    int all = tokenizer_complete(tokenizer, "", out, 32);
    assert_int_equal(all, 17);
    for (int i = 1; i < all; i++)
        assert_true(strcmp(out[i - 1], out[i]) < 0);
    tokenizer_free(tokenizer);
}

// A vocabulary of a few pieces. "Ġ" (U+0120) stands for a space, "Ċ" (U+010A) for a newline, "Ã" "©" for the bytes
// C3 A9 of é: the byte alphabet of GPT-2.
static const char pieces_json[] =
    "{\"kind\": \"roberta\", \"vocab\": {\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3, \"\\u0120\": 4, \"c\": 5,"
    " \"a\": 6, \"t\": 7, \"at\": 8, \"\\u0120c\": 9, \"\\u0120ca\": 10, \"\\u0120cat\": 11, \"'s\": 12,"
    " \"\\u00c3\": 13, \"\\u00a9\": 14, \"\\u010a\": 15, \"aa\": 16, \"<mask>\": 17, \"!\": 18, \"!!\": 19, \"3\": 20},"
    " \"merges\": [\"\\u0120 c\", \"\\u0120c a\", \"\\u0120ca t\", \"a t\", \"' s\", \"a a\", \"! !\", \"3 3\"]}";

static void test_byte_pairs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"", ""},
        {" \n ", ""},
        {"cat", "c@0-1 at@1-3"},
        {" cat", "\xc4\xa0" "cat@1-4"},
        {"cat cat", "c@0-1 at@1-3 \xc4\xa0" "cat@4-7"},
        {"cat's", "c@0-1 at@1-3 's@3-5"},
        {"a  cat", "a@0-1 \xc4\xa0@1-2 \xc4\xa0" "cat@3-6"},
        {"cat ", "c@0-1 at@1-3 \xc4\xa0@3-4"},
        {"a\n\na", "a@0-1 \xc4\x8a@1-2 \xc4\x8a@2-3 a@3-4"}, // \s+(?!\S) leaves the last newline to \s+
        {"aaa", "aa@0-2 a@2-3"},
        {"aaaat", "aa@0-2 a@2-3 at@3-5"}, // "a t" is merged before "a a"
        {"\xc3\xa9", "\xc3\x83@0-2 \xc2\xa9@0-2"},
        {"t!!!", "t@0-1 !!@1-3 !@3-4"},
        {"33", "<unk>?@0-2"}, // merged into what the vocabulary does not hold
        {"x", "<unk>?@0-1"},
        {"a <mask>a</s> <s>", "a@0-1 <mask>@2-8 a@8-9 </s>@9-13 \xc4\xa0@13-14 <s>@14-17"},
        {"a\xff" "a", "a@0-1 a@2-3"},
    };
    struct tokenizer *tokenizer = make(pieces_json);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(spell(tokenizer, cases[i].text), cases[i].tokens);
    const char *out[4];
    assert_int_equal(tokenizer_complete(tokenizer, "c", out, 4), 0);
    tokenizer_free(tokenizer);
}

static void test_refuses_bad_json(void **state)
{
    (void)state;
#define SPECIALS "\"<s>\", \"<pad>\", \"</s>\", \"<unk>\""
#define IDS      "\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3"
    static const struct {
        const char *json, *says;
    } bad[] = {
        {"", "JSON"},
        {"[]", "neither"},
        {"{\"kind\": \"words\"}", "neither"},
        {"{\"kind\": \"bert\", \"vocab\": {}}", "neither"},
        {"{\"kind\": \"bert\", \"tokens\": [\"[PAD]\", \"[UNK]\", \"[CLS]\"]}", "no token \"[SEP]\""},
        {"{\"kind\": \"bert\", \"tokens\": [\"[PAD]\", \"[PAD]\"]}", "token 1"},
        {"{\"kind\": \"words\", \"tokens\": []}", "token 0"},
        {"{\"kind\": \"words\", \"tokens\": [\"<pad>\", \"<s>\", \"</s>\", \"<unk>\"]}", "\"<pad>\", not \"<s>\""},
        {"{\"kind\": \"words\", \"tokens\": [" SPECIALS ", \"a\", \"a\"]}", "token 5"},
        {"{\"kind\": \"words\", \"tokens\": [" SPECIALS ", 5]}", "token 4"},
        {"{\"kind\": \"words\", \"tokens\": [" SPECIALS "], \"forms\": []}", "forms"},
        {"{\"kind\": \"words\", \"tokens\": [" SPECIALS "], \"forms\": {\"mice\": [\"mouse\"]}}", "\"mouse\""},
        {"{\"kind\": \"words\", \"tokens\": [" SPECIALS "], \"forms\": {\"mice\": []}}", "1 to 8"},
        {"{\"kind\": \"words\", \"tokens\": [" SPECIALS "], \"forms\": {\"mice\": [3]}}", "no string"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS ", \"a\": 5}, \"merges\": []}", "0 to 4"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS ", \"a\": 3}, \"merges\": []}", "0 to 4"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS ", \"a\": -1}, \"merges\": []}", "0 to 4"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS ", \"a\": \"4\"}, \"merges\": []}", "0 to 4"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS "}}", "merges"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS "}, \"merges\": [\"a\"]}", "merge 0"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS "}, \"merges\": [\"a b\", \"a b c\"]}", "merge 1"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS "}, \"merges\": [\" b\"]}", "merge 0"},
        {"{\"kind\": \"roberta\", \"vocab\": {" IDS "}, \"merges\": [1]}", "merge 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        struct tokenizer *tokenizer = tokenizer_from_json(bad[i].json, &err);
        if (tokenizer || !strstr(err.text, bad[i].says) || err.code != ERROR_INPUT)
            fail_msg("%s: %s", bad[i].json, tokenizer ? "accepted" : err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),      cmocka_unit_test(test_cut),
        cmocka_unit_test(test_nearest),    cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_completion), cmocka_unit_test(test_byte_pairs),
        cmocka_unit_test(test_refuses_bad_json),
    };
    return cmocka_run_group_tests_name("tokenizer", tests, NULL, NULL);
}
