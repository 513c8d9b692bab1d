#include "engine/text/answers.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <stdlib.h>
#include <string.h>

static const char *put(const char *text)
{
    return scratch_write("answers", text, strlen(text));
}

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int labels;
        const char *json;
        int count;
    } cases[] = {
        {"yes\nno\n", 0, "[\"yes\",\"no\"]", 2},
        {"yes\nno", 2, "[\"yes\",\"no\"]", 2},
        {"\xef\xbb\xbfyes\r\nno\r\n", 2, "[\"yes\",\"no\"]", 2},
        {"car\n\ncargo\n", 3, "[\"car\",\"\",\"cargo\"]", 3}, // METER's empty answer
        {"black and white\n\"on\"\n", 2, "[\"black and white\",\"\\\"on\\\"\"]", 2},
        {"[\"yes\", \"\"]", 2, "[\"yes\",\"\"]", 2},
        {"{\"1\": \"no\", \"0\": \"yes\"}", 2, "[\"yes\",\"no\"]", 2},
        {"{\"x\": 1, \"id2label\": {\"1\": \"no\", \"0\": \"yes\"}}", 0, "[\"yes\",\"no\"]", 2},
        {"[PAD]\n", 1, "[\"[PAD]\"]", 1},
        {"\"on\"\noff, or on\n", 2, "[\"\\\"on\\\"\",\"off, or on\"]", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        int count = -1;
        char *json = answers_read(put(cases[i].text), cases[i].labels, &count, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(json, cases[i].json);
        assert_int_equal(count, cases[i].count);
        free(json);
    }
}

static void test_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int labels;
        const char *says;
    } bad[] = {
        {"yes\nno\n", 3, "holds 2 answers, the model has 3: METER's list has an empty answer"},
        {"yes\nno\n", 4, "holds 2 answers, the model has 4"},
        {"yes\n\n", 3, "holds 2 answers, the model has 3"}, // it has an empty one, so that is not what is missing
        {"[]", 0, "holds 0 answers"},
        {"[\"yes\", 1]", 0, "answer 1 is not a string"},
        {"{\"0\": \"a\", \"2\": \"b\"}", 0, "none has the number \"1\""},
        {"{\"0\": \"a\", \"0\": \"b\"}", 0, "not valid JSON"},
        {"{\"0\": [\"a\"]}", 0, "answer 0 is not a string"},
        {"[\"a\"", 0, "not valid JSON"},
        {"[yes, no]\n", 0, "not valid JSON: line 1, column 4"},
        {"[\n  'yes',\n  'no'\n]\n", 0, "not valid JSON: line 2, column 3"},
        {"[ yes ]\n", 0, "not valid JSON: line 1"},
        {"[yes\nno]\n", 0, "not valid JSON: line 1"},
        {"{yes: 0}", 0, "not valid JSON: line 1"},
        {"[", 0, "not valid JSON: line 1"},
        {"\"yes\",\n\"no\"\n", 0, "not valid JSON: line 1"},
        {"yes\n\xff\n", 0, "no text in UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        char *json = answers_read(put(bad[i].text), bad[i].labels, NULL, &err);
        if (json || !strstr(err.text, bad[i].says) || err.code != ERROR_INPUT)
            fail_msg("case %zu: %s", i, json ? "accepted" : err.text);
        if (!strstr(err.text, scratch_path("answers")))
            fail_msg("case %zu names no file: %s", i, err.text);
    }
    struct error err = {0};
    assert_null(answers_read(put("x"), 2, NULL, &err));
    assert_true(err.code == ERROR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_says_what_is_wrong),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
