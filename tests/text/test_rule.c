// What METER's and BLIP's own code does to a question; expected texts are those of Python's str and re.
#include "engine/text/rule.h"
#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        enum text_rule rule;
        int words;
        const char *text, *ruled;
    } cases[] = {
        {TEXT_RULE_NONE, 0, " A. b\xff", " A. b"},
        {TEXT_RULE_STRIP, 0, " \t\xe3\x80\x80" "A man.\xc2\xa0\n", "A man."},
        {TEXT_RULE_STRIP, 0, " \n ", ""},
        {TEXT_RULE_QUESTION, 50, "What's the man's name?", "what's the man's name?"},
        {TEXT_RULE_QUESTION, 50, " Is it 3:50, or \"(4.5)\"!#*;~  ", " is it 350, or 45"},
        {TEXT_RULE_QUESTION, 3, "one two three four", "one two three"},
        {TEXT_RULE_QUESTION, 3, "one  two three", "one  two"}, // an empty word counts
        {TEXT_RULE_QUESTION, 3, "one two three", "one two three"},
        {TEXT_RULE_QUESTION, 50, "a b\n", "a b\n"},            // rstrip(" ") leaves it
        {TEXT_RULE_QUESTION, 50, "t-shirt/black", "t-shirt/black"},
        {TEXT_RULE_QUESTION, 50, "\xce\x9f\xce\x94\xce\x9f\xce\xa3 \xce\xa3\xce\x91", "\xce\xbf\xce\xb4\xce\xbf\xcf\x82 \xcf\x83\xce\xb1"},
        {TEXT_RULE_QUESTION, 50, "A\xce\xa3'", "a\xcf\x82'"},  // an apostrophe does not matter
        {TEXT_RULE_QUESTION, 50, "A\xce\xa3'B", "a\xcf\x83'b"},
        {TEXT_RULE_QUESTION, 50, "\xce\xa3", "\xcf\x83"},
        {TEXT_RULE_QUESTION, 50, "\xc4\xb0 \xe1\xba\x9e", "i\xcc\x87 \xc3\x9f"},
        {TEXT_RULE_CAPTION, 40, " A dog.  Two (big) cats;\n", "a dog two big cats"},
        {TEXT_RULE_CAPTION, 40, "a\nb\n\nc", "a\nb c"},        // one newline stays, two become a space
        {TEXT_RULE_CAPTION, 40, "...", ""},
        {TEXT_RULE_CAPTION, 40, "a.b", "a b"},
        {TEXT_RULE_CAPTION, 2, "a b c", "a b"},
        {TEXT_RULE_CAPTION, 40, "dog\n", "dog"},
        {TEXT_RULE_CAPTION, 40, "dog .\n", "dog"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ruled_text ruled;
        assert_true(ruled_text_make(&ruled, cases[i].rule, cases[i].words, cases[i].text, strlen(cases[i].text)));
        assert_string_equal(ruled.text, cases[i].ruled);
        assert_int_equal(ruled.length, strlen(cases[i].ruled));
        for (size_t b = 0; b < ruled.length; b++) {
            assert_true(ruled.from[b] < ruled.to[b] && ruled.to[b] <= (int)strlen(cases[i].text));
            assert_true(b == 0 || ruled.from[b] >= ruled.from[b - 1]);
        }
        ruled_text_free(&ruled);
    }
}

// Tokens lie in the question as it was typed.
static void test_places(void **state)
{
    (void)state;
    struct error err = {0};
    const char *path = "assets/vocabularies/bert";
    char *json = vocabulary_read(VOCABULARY_BERT, &path, 1, &err);
    struct tokenizer *tokenizer = tokenizer_from_json(json, &err);
    assert_string_equal(err.text, "");
    tokenizer_set_rule(tokenizer, TEXT_RULE_QUESTION, 3);
    static const char text[] = " (A) caf\xc3\xa9, 3:50 more";
    static const int places[][2] = {{0, 0}, {2, 3}, {5, 10}, {10, 11}, {12, 12}};
    struct token tokens[16];
    int count = tokenizer_encode_question(tokenizer, text, tokens, 16);
    assert_int_equal(count, 5); // " a café," are three words, the first empty
    for (int t = 0; t < count; t++) {
        assert_int_equal(tokens[t].from, places[t][0]);
        assert_int_equal(tokens[t].to, places[t][1]);
    }
    assert_int_equal(tokenizer_encode(tokenizer, text, tokens, 16), 11); // an answer follows no rule
    assert_int_equal(tokenizer_cut(tokenizer, text, 4), 10);
    assert_int_equal(tokenizer_cut(tokenizer, text, 16), 12); // the fourth word
    assert_int_equal(tokenizer_cut(tokenizer, "two words.", 16), -1);
    tokenizer_free(tokenizer);
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
