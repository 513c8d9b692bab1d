// Which language is spoken, and that its catalogue is found and read.
#include "tests/support/cmocka_all.h"

#include "app/assets.h"
#include "engine/base/error.h"
#include "ui/terminal.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

static void test_names_of_languages(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool known;
        enum words_language language;
    } cases[] = {
        {"en", true, WORDS_EN},          {"en_GB.UTF-8", true, WORDS_EN}, {"zh_CN", true, WORDS_ZH_CN},
        {"zh", true, WORDS_ZH_CN},       {"zh_CN.UTF-8", true, WORDS_ZH_CN}, {"zh_SG@x", true, WORDS_ZH_CN},
        {"zh-Hans", true, WORDS_ZH_CN},  {"zh_TW", false, WORDS_EN},      {"de_DE.UTF-8", false, WORDS_EN},
        {"", false, WORDS_EN},           {"english", false, WORDS_EN},    {"zhuang", false, WORDS_EN},
        {"C", false, WORDS_EN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum words_language language = WORDS_EN;
        if (words_parse(cases[i].name, &language) != cases[i].known || language != cases[i].language)
            fail_msg("\"%s\"", cases[i].name);
    }
}

static void set(const char *variable, const char *value)
{
    if (value)
        setenv(variable, value, 1);
    else
        unsetenv(variable);
}

static void test_environment(void **state)
{
    (void)state;
    static const struct {
        const char *list, *all, *messages, *lang;
        enum words_language language;
    } cases[] = {
        {NULL, NULL, NULL, NULL, WORDS_EN},
        {NULL, NULL, NULL, "zh_CN.UTF-8", WORDS_ZH_CN},
        {NULL, NULL, "en_US.UTF-8", "zh_CN.UTF-8", WORDS_EN},
        {NULL, "", "zh_CN.UTF-8", "en_US.UTF-8", WORDS_ZH_CN},
        {NULL, "C.UTF-8", "zh_CN.UTF-8", "zh_CN.UTF-8", WORDS_EN},
        {"de:zh_CN:en", NULL, NULL, "en_US.UTF-8", WORDS_ZH_CN},
        {"zh_CN", "C", NULL, NULL, WORDS_EN},
        {"de:fr", NULL, NULL, "zh_CN.UTF-8", WORDS_ZH_CN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set("LANGUAGE", cases[i].list);
        set("LC_ALL", cases[i].all);
        set("LC_MESSAGES", cases[i].messages);
        set("LANG", cases[i].lang);
        if (words_environment() != cases[i].language)
            fail_msg("case %zu", i);
    }
    set("LANGUAGE", NULL);
    set("LC_MESSAGES", NULL);
    set("LANG", NULL);
    set("LC_ALL", "C.UTF-8");
}

// There and back, with errors of the engine, whose sentences error_set() looks up.
static void test_catalogue(void **state)
{
    (void)state;
    char folder[ASSETS_PATH];
    struct error err;
    assert_true(terminal_locale());
    assert_true(assets_locale(folder)); // `make` puts it into the build folder
    assert_false(words_use("/nowhere", WORDS_ZH_CN));
    assert_int_equal(words_now(), WORDS_EN);
    assert_string_equal(_("quit"), "quit");
    assert_true(words_use(folder, WORDS_ZH_CN));
    assert_string_equal(_("quit"), "退出");
    assert_string_equal(_("no such sentence"), "no such sentence");
    error_no_memory(&err, "the screen");
    assert_string_equal(err.text, "内存不足，无法容纳屏幕");
    assert_true(words_use(folder, WORDS_EN));
    assert_string_equal(_("quit"), "quit");
    error_no_memory(&err, "the screen");
    assert_string_equal(err.text, "not enough memory for the screen");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_languages),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
