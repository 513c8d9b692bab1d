// The screen in Chinese: nothing that a person reads is left in English but names that have no other, and nothing of
// double width pushes what stands beside it out of its column.
#include "tests/support/cmocka_all.h"

#include "app/assets.h"
#include "tests/support/fake_backend.h"
#include "tests/support/screen_term.h"
#include "ui/measure.h"
#include "ui/screen.h"
#include "ui/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Names: of the program, of the field, of keys, of policies; what comes from the model or a file: the question, answers.
static const char *const names[] = {
    "trimscope", "sample",  "FLOP",      "FLOPs",  "MFLOP",  "kFLOP",    "GFLOP",      "CLS",     "MSA",
    "MCA",       "QKV",     "FFN",       "lens",   "sixel",  "blocks",   "ascii",      "shell",   "tulips",
    "png",       "Tab",     "Esc",       "Enter",  "Home",     "End",        "PgUp",    "PgDn",
    "arrows",    "Left",    "Right",     "Up",     "Down",   "Del",      "Space",      "learned", "self",
    "fixed",     "cls",     "attention", "cross",  "random", "none",     "SmartTrim",  "EViT",    "JPEG",
    "PNG",       "WebP",    "what",      "color",  "is",     "the",      "apple",      "left",    "of",
    "lemon",     "red",     "green",     "yellow", "no",     "yes",      "blue",       "run",     "budget",
    "policy",    "image",   "picture",   "keep",   "drop",   "head",     "on",         "off",     "nothing",
    "ball",      "softmax", "Backspace", "orange", "purple", "two",      "one",        "three",   "right",
    "jpg",       "NO",      "white",     "dark",   "light",  "contrast", "colorblind", "text",       "similarity", "merging",   "ToMe",
};

static bool is_name(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && !strncmp(names[i], word, length))
            return true;
    return false;
}

static int run_screen(void *context)
{
    static struct fake_backend fake;
    struct screen_options options = screen_options_default();
    char folder[ASSETS_PATH];
    (void)context;
    if (!terminal_locale() || !assets_locale(folder) || !words_use(folder, WORDS_ZH_CN))
        return 99;
    fake_backend_init(&fake);
    bool fine = screen_run(&fake.backend, &options, NULL);
    fake_backend_free(&fake);
    return fine ? 0 : 1;
}

static struct screen_term term;

// Fails when a row holds a word of three letters or more that is no name. The command in the last lines is the shell's.
static void check_rows(const char *after)
{
    for (int row = 0; row < term.rows; row++) {
        char text[2048];
        screen_term_row(&term, row, text, sizeof text);
        if (strstr(text, "trimscope run"))
            continue;
        for (const char *p = text; *p;) {
            size_t length = 0;
            while (isalpha((unsigned char)p[length]))
                length++;
            if (length >= 3 && !is_name(p, length)) {
                screen_term_dump(&term);
                fail_msg("after %s: \"%.*s\" is left in English", after, (int)length, p);
            }
            p += length ? length : 1;
        }
    }
}

// Keys, in turn, each from where the one before has led.
static const struct {
    const char *keys, *what;
} steps[] = {
    {"", "the start"},       {"\t", "a cursor on patches"}, {"\t", "a cursor on words"},
    {"lll", "another word"}, {"\t\t", "no cursor"},         {".......", "a fusion layer"},
    {"\t\t\t", "a head"},    {"x", "a head switched off"},  {"\033", "Esc"},
    {"2", "self scores"},    {"3", "cross scores"},         {"4", "total scores"},
    {"1", "survivors"},      {"\t", "patches in a layer"},  {"x", "a patch forced"},
    {"f", "a patch kept"},   {"R", "all reopened"},         {"u", "undone"},
    {"\033", "Esc"},         {"p", "the policies"},         {"\033", "Esc"},
    {"[", "less budget"},    {"G", "the answer"},           {"m", "no mouse"},
    {"t", "another theme"},  {"g", "other graphics"},       {"b", "the budget's prompt"},
    {"\033", "Esc"},
};

static void look(int rows, int columns)
{
    screen_term_start_xterm(&term, rows, columns, false, run_screen, NULL);
    assert_true(screen_term_wait(&term, "问题"));
    assert_true(screen_term_wait(&term, "red"));
    screen_term_settle(&term, 200);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        screen_term_type(&term, steps[i].keys);
        screen_term_settle(&term, 150);
        check_rows(steps[i].what);
    }
    screen_term_type(&term, "q");
    assert_int_equal(screen_term_finish(&term), 0);
    screen_term_free(&term);
}

static void test_nothing_is_left_in_english(void **state)
{
    (void)state;
    look(48, 160);
}

static void test_nor_in_a_small_window(void **state)
{
    (void)state;
    look(24, 80);
}

// Names of different widths, and their values below each other.
static void test_columns_stay_columns(void **state)
{
    (void)state;
    int row, column, below, below_column;
    screen_term_start_xterm(&term, 48, 160, false, run_screen, NULL);
    assert_true(screen_term_wait(&term, "red"));
    screen_term_settle(&term, 200);
    screen_term_type(&term, ".......\t");
    assert_true(screen_term_wait(&term, "跨模态"));
    screen_term_settle(&term, 200);
    assert_true(screen_term_find(&term, "自身", &row, &column));
    assert_true(screen_term_find(&term, "阈值", &below, &below_column));
    assert_int_equal(below, row + 1);
    assert_int_equal(below_column, column);
    assert_true(screen_term_find(&term, "跨模态", &row, &column));
    assert_true(screen_term_find(&term, "余量", &below, &below_column));
    assert_int_equal(below_column, column);
    screen_term_type(&term, "q");
    assert_int_equal(screen_term_finish(&term), 0);
    screen_term_free(&term);
}

static void test_text_is_measured_and_broken(void **state)
{
    (void)state;
    bool all;
    assert_true(terminal_locale());
    assert_int_equal(measure_width("词元 12"), 7);
    assert_int_equal(measure_row("保留了图像块。", 8, &all), (int)strlen("保留了图"));
    assert_false(all);
    assert_int_equal(measure_row("保留图像。好", 8, &all), (int)strlen("保留图")); // no row starts with a full stop
    assert_int_equal(measure_row("共 FLOPs 多少", 6, &all), (int)strlen("共"));    // no word is torn
    assert_int_equal(measure_row("unbreakable", 4, &all), 4);                      // but where it must be
    assert_int_equal(measure_rows("保留了图像块。", 8), 2);
    assert_int_equal(measure_row("abc", 80, &all), 3);
    assert_true(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_measured_and_broken),
        cmocka_unit_test(test_nothing_is_left_in_english),
        cmocka_unit_test(test_nor_in_a_small_window),
        cmocka_unit_test(test_columns_stay_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
