// Vocabulary files of published models: which is which, what is missing, what is wrong.
#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *put(const char *name, const char *text)
{
    return scratch_write(name, text, strlen(text));
}

// A vocabulary of six GPT-2 tokens, in both forms in which RoBERTa's is published. GPT-2's order: a b ab c Ġ Ġa.
#define VOCAB_JSON                                                                                             \
    "{\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3, \"b\": 4, \"a\": 5, \"\\u0120a\": 6, \"ab\": 7,"        \
    " \"\\u0120\": 8, \"c\": 9, \"madeupword0000\": 10, \"madeupword0001\": 11, \"madeupword0002\": 12,"           \
    " \"<mask>\": 13}"
#define ENCODER_JSON "{\"a\": 0, \"b\": 1, \"ab\": 2, \"c\": 3, \"\\u0120\": 4, \"\\u0120a\": 5}"
#define DICT_TXT     "1 99\n0 98\n5 97\n2 96\n4 95\n3 95\nmadeupword0000 0\nmadeupword0001 0\nmadeupword0002 0\nmadeupword0003 0\n"
#define MERGES_TXT   "#version: 0.2\n\xc4\xa0 a\na b\n"
#define BERT_TXT     "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n"

static char *read_two(enum vocabulary_kind kind, const char *one, const char *two, struct error *err)
{
    *err = (struct error){0};
    return vocabulary_read(kind, (const char *const[]){one, two}, two ? 2 : 1, err);
}

static char *read_well(enum vocabulary_kind kind, const char *const paths[], int count)
{
    struct error err = {0};
    char *json = vocabulary_read(kind, paths, count, &err);
    assert_string_equal(err.text, "");
    assert_non_null(json);
    return json;
}

static void test_both_forms_are_the_same(void **state)
{
    (void)state;
    const char *hf[] = {put("some.json", VOCAB_JSON), put("other.txt", MERGES_TXT)};
    const char *fairseq[] = {put("dict.txt", DICT_TXT), put("e.json", ENCODER_JSON), put("v.bpe", MERGES_TXT)};
    char *one = read_well(VOCABULARY_ROBERTA, hf, 2), *two = read_well(VOCABULARY_ROBERTA, fairseq, 3);
    assert_string_equal(one, two);
    struct error err = {0};
    struct tokenizer *tokenizer = tokenizer_from_json(one, &err);
    struct token tokens[16];
    assert_int_equal(tokenizer_size(tokenizer), 14);
    assert_int_equal(tokenizer_special(tokenizer, TOKENIZER_MASK), 13);
    assert_int_equal(tokenizer_special(tokenizer, TOKENIZER_DECODE), -1);
    assert_int_equal(tokenizer_encode(tokenizer, "abc a", tokens, 16), 5);
    assert_int_equal(tokens[1].id, 7);
    assert_int_equal(tokens[2].id, 9);
    assert_int_equal(tokens[3].id, 6);
    tokenizer_free(tokenizer);
    free(one);
    free(two);
}

// Line ends of another system, a byte order mark, no newline at the end: the same vocabulary.
static void test_odd_but_sound(void **state)
{
    (void)state;
    const char *plain[] = {put("a.json", VOCAB_JSON), put("a.txt", MERGES_TXT)};
    const char *odd[] = {put("b.json", "\xef\xbb\xbf" VOCAB_JSON "\n"), put("b.txt", "#version: 0.2\r\n\xc4\xa0 a\r\na b")};
    char *one = read_well(VOCABULARY_ROBERTA, plain, 2), *two = read_well(VOCABULARY_ROBERTA, odd, 2);
    assert_string_equal(one, two);
    free(one);
    free(two);
    one = read_well(VOCABULARY_BERT, (const char *const[]){put("c.txt", BERT_TXT)}, 1);
    two = read_well(VOCABULARY_BERT,
                    (const char *const[]){put("d.txt", "\xef\xbb\xbf[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na\r\n##b")}, 1);
    assert_string_equal(one, two);
    free(one);
    one = read_well(VOCABULARY_BERT, (const char *const[]){put("e.txt", BERT_TXT "[DEC]\n[ENC]\n")}, 1);
    assert_string_equal(one, two);
    free(one);
    free(two);
}

static void test_tokenizer_json(void **state)
{
    (void)state;
    static const char merges[] = "\"merges\": [[\"\\u0120\", \"a\"], [\"a\", \"b\"]]";
    static const char lines[] = "\"merges\": [\"\\u0120 a\", \"a b\"]";
    char text[2048];
    char *one = read_well(VOCABULARY_ROBERTA,
                          (const char *const[]){put("f.json", VOCAB_JSON), put("f.txt", MERGES_TXT)}, 2);
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "{\"model\": {\"type\": \"BPE\", \"vocab\": %s, %s}}", VOCAB_JSON, i ? lines : merges);
        char *two = read_well(VOCABULARY_ROBERTA, (const char *const[]){put("g.json", text)}, 1);
        assert_string_equal(one, two);
        free(two);
    }
    free(one);
    one = read_well(VOCABULARY_BERT, (const char *const[]){put("h.txt", BERT_TXT)}, 1);
    char *two = read_well(
        VOCABULARY_BERT,
        (const char *const[]){put("h.json", "{\"added_tokens\": [{\"id\": 7, \"content\": \"[DEC]\"}, {\"id\": 0,"
                                            " \"content\": \"[PAD]\"}], \"model\": {\"type\": \"WordPiece\", \"vocab\":"
                                            " {\"[PAD]\": 0, \"[UNK]\": 1, \"[CLS]\": 2, \"[SEP]\": 3, \"[MASK]\": 4,"
                                            " \"a\": 5, \"##b\": 6}}}")},
        1);
    assert_string_equal(one, two);
    free(one);
    free(two);
}

static void test_folders(void **state)
{
    (void)state;
    const char *folder = scratch_path("folder");
    struct error err = {0};
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_false(vocabulary_in_folder(VOCABULARY_ROBERTA, folder));
    assert_null(vocabulary_read(VOCABULARY_ROBERTA, &folder, 1, &err));
    assert_non_null(strstr(err.text, "encoder.json, vocab.bpe and dict.txt"));
    put("folder/encoder.json", ENCODER_JSON);
    put("folder/vocab.bpe", MERGES_TXT);
    assert_true(vocabulary_in_folder(VOCABULARY_ROBERTA, folder));
    assert_false(vocabulary_in_folder(VOCABULARY_BERT, folder));
    assert_null(vocabulary_read(VOCABULARY_ROBERTA, &folder, 1, &err));
    assert_non_null(strstr(err.text, "dict.txt is missing"));
    put("folder/dict.txt", DICT_TXT);
    char *one = read_well(VOCABULARY_ROBERTA, &folder, 1);
    put("folder/vocab.json", VOCAB_JSON); // both forms side by side
    char *two = read_well(VOCABULARY_ROBERTA, &folder, 1);
    assert_string_equal(one, two);
    free(one);
    free(two);
    assert_null(vocabulary_read(VOCABULARY_BERT, &folder, 1, &err));
    assert_non_null(strstr(err.text, "vocab.txt"));
}

static void test_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        enum vocabulary_kind kind;
        const char *one, *two, *says;
    } bad[] = {
        {VOCABULARY_ROBERTA, VOCAB_JSON, NULL, "merges.txt"},
        {VOCABULARY_ROBERTA, MERGES_TXT, NULL, "one alone is not enough"},
        {VOCABULARY_ROBERTA, ENCODER_JSON, MERGES_TXT, "dict.txt is missing"},
        {VOCABULARY_ROBERTA, BERT_TXT, NULL, "as BERT does"},
        {VOCABULARY_ROBERTA, VOCAB_JSON, VOCAB_JSON, "both are what is published as vocab.json"},
        {VOCABULARY_ROBERTA, VOCAB_JSON, "a b\nb a\n", "two: line 2: it makes \"ba\""},
        {VOCABULARY_ROBERTA, VOCAB_JSON, "a b\nb a c\n", "two: line 2: expected two pieces"},
        {VOCABULARY_ROBERTA, VOCAB_JSON, "a b\n\n", "two: line 2"},
        {VOCABULARY_ROBERTA, ENCODER_JSON, DICT_TXT, "merges.txt"},
        {VOCABULARY_ROBERTA, "{\"<s>\": 0, \"a\": 2}", MERGES_TXT, "one does not number its 2 tokens 0 to 1"},
        {VOCABULARY_ROBERTA, "{\"<s>\": 0, \"a\": 0}", MERGES_TXT, "one does not number"},
        {VOCABULARY_ROBERTA, "{\"<s>\": 0, \"<s>\": 1}", MERGES_TXT, "one is not valid JSON: line 1"},
        {VOCABULARY_ROBERTA, "{\"<s>\": 1, \"<pad>\": 0}", "<s> <pad>", "makes \"<s><pad>\""},
        {VOCABULARY_ROBERTA, "{\"<s>\": 1, \"a\": 0}", "#version: 0.2\n", "not \"<s>\""},
        {VOCABULARY_ROBERTA, "{\"a\": ", NULL, "one is not valid JSON"},
        {VOCABULARY_ROBERTA, "[\"a\"]", NULL, "one is a JSON list"},
        {VOCABULARY_BERT, VOCAB_JSON, MERGES_TXT, "no BERT vocabulary"},
        {VOCABULARY_BERT, "[PAD]\n[UNK]\n[CLS]\n", NULL, "no token \"[SEP]\""},
        {VOCABULARY_BERT, BERT_TXT "a\n", NULL, "one: line 8 repeats the token \"a\" of line 6"},
        {VOCABULARY_BERT, "[PAD]\n\n[UNK]\n", NULL, "one: line 2 is empty"},
        {VOCABULARY_BERT, "[PAD]\n\xff\n", NULL, "one is no text in UTF-8: see byte 7, in line 2"},
        {VOCABULARY_BERT, "{\"model\": {\"type\": \"BPE\", \"vocab\": {}}}", NULL, "of the type BPE; expected"},
        {VOCABULARY_BERT, "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {}}}", NULL, "holds 0 tokens"},
        {VOCABULARY_BERT, "{\"model\": {}}", NULL, "expected a vocabulary"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err;
        char *json = read_two(bad[i].kind, put("one", bad[i].one), bad[i].two ? put("two", bad[i].two) : NULL, &err);
        if (json || !strstr(err.text, bad[i].says) || err.code != ERROR_INPUT)
            fail_msg("case %zu: %s", i, json ? "accepted" : err.text);
    }
    struct error err = {0};
    assert_null(vocabulary_read(VOCABULARY_BERT, NULL, 0, &err));
    assert_null(read_two(VOCABULARY_BERT, scratch_path("nowhere"), NULL, &err));
    assert_non_null(strstr(err.text, "cannot open"));
    assert_null(read_two(VOCABULARY_BERT, scratch_write("nul.txt", "[PAD]\n\0\n", 8), NULL, &err));
    assert_non_null(strstr(err.text, "byte 7"));
}

static void test_dictionary(void **state)
{
    (void)state;
    static const struct {
        const char *dict, *says;
    } bad[] = {
        {"1 99\n0 98\n1 97\n", "dict.txt: line 3: GPT-2's token 1 is there for the second time"},
        {"1 99\n6 98\n", "dict.txt: line 2"},
        {"1 99\nx 98\n", "dict.txt: line 2"},
        {"1 99\n0 98\n", "has 2 of the 6 tokens"},
    };
    const char *encoder = put("enc.json", ENCODER_JSON), *merges = put("enc.txt", MERGES_TXT);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        const char *paths[] = {encoder, put("dict.txt", bad[i].dict), merges};
        char *json = vocabulary_read(VOCABULARY_ROBERTA, paths, 3, &err);
        if (json || !strstr(err.text, bad[i].says))
            fail_msg("case %zu: %s", i, json ? "accepted" : err.text);
    }
}

static void test_huge_line(void **state)
{
    (void)state;
    size_t size = 1 << 20;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    struct error err;
    assert_null(read_two(VOCABULARY_BERT, put("huge.txt", text), NULL, &err));
    assert_non_null(strstr(err.text, "line 1 has 1048576 bytes"));
    free(text);
}

// RoBERTa's own vocabulary may not be distributed with this program. TRIMSCOPE_ROBERTA names folders that hold it, in
// any of its forms, with a colon between them.
static void test_equals_roberta(void **state)
{
    (void)state;
    const char *folders = getenv("TRIMSCOPE_ROBERTA");
    if (!folders)
        skip();
    char *list = strdup(folders), *rest = list, *first = NULL;
    for (const char *folder; (folder = strsep(&rest, ":"));) {
        char *json = read_well(VOCABULARY_ROBERTA, &folder, 1);
        if (!first)
            first = strdup(json);
        assert_true(strcmp(first, json) == 0);
        struct error err = {0};
        struct tokenizer *tokenizer = tokenizer_from_json(json, &err);
        json_t *cases = json_load_file("tests/fixtures/tokenizers/tok_roberta.json", 0, NULL), *golden;
        size_t i;
        assert_int_equal(json_array_size(cases), 25);
        json_array_foreach(cases, i, golden)
        {
            struct token tokens[1024];
            const char *text = json_string_value(json_object_get(golden, "text"));
            const json_t *ids = json_object_get(golden, "ids"), *cut = json_object_get(golden, "ids50");
            int count = tokenizer_encode(tokenizer, text, tokens, 1024);
            assert_int_equal(count, json_array_size(ids));
            for (int t = 0; t < count; t++)
                assert_int_equal(tokens[t].id, json_integer_value(json_array_get(ids, (size_t)t)));
            count = tokenizer_encode(tokenizer, text, tokens, 50);
            for (int t = 0; t < 50; t++)
                assert_int_equal(t < count ? tokens[t].id : 1, json_integer_value(json_array_get(cut, (size_t)t)));
        }
        tokenizer_free(tokenizer);
        json_decref(cases);
        free(json);
    }
    free(first);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_forms_are_the_same), cmocka_unit_test(test_odd_but_sound),
        cmocka_unit_test(test_tokenizer_json),          cmocka_unit_test(test_folders),
        cmocka_unit_test(test_says_what_is_wrong),      cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_huge_line),               cmocka_unit_test(test_equals_roberta),
    };
    return cmocka_run_group_tests_name("vocabulary", tests, NULL, NULL);
}
