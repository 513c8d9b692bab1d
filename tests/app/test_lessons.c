// The guided tour from end to end in a terminal, in both languages: each lesson's task is done with keys and
// noticed, its question answered, and what the person had comes back.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "app/language.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static int run_lessons(void *context)
{
    char *arguments[] = {(char[]){"lessons"}, (char[]){"--graphics"}, (char[]){"blocks"}, NULL};
    return language_use(context, NULL) ? cmd_lessons(3, arguments) : 99;
}

// The keys that do what each lesson asks for.
static const char *const tasks[] = {
    "G",
    "x",
    "3",
    "awhat is in the bottom right corner?\r",
    "x",
    "[",
    "pj\r",
    "ahow many onions are in the picture?\r",
    NULL, // the budget, step by step
    "obus.jpg\r",
};
enum { LESSONS = sizeof tasks / sizeof *tasks };

struct words {
    const char *language, *list, *title, *behind, *attempt, *right; // title and behind: around the number
};

static bool find(const struct screen_term *term, const char *text)
{
    int row, column;
    return screen_term_find(term, text, &row, &column);
}

// Waits until the list of what is done, as it is remembered, holds so many lines.
static bool is_done(struct screen_term *term, const char *path, int lessons)
{
    for (int tries = 0; tries < 40; tries++) {
        char text[2048] = "";
        FILE *file = fopen(path, "r");
        text[file ? fread(text, 1, sizeof text - 1, file) : 0] = 0;
        if (file)
            fclose(file);
        int lines = 0;
        for (const char *p = text; (p = strchr(p, '\n')); p++)
            lines++;
        if (lines == lessons)
            return true;
        screen_term_settle(term, 100);
    }
    return false;
}

static void do_lesson(struct screen_term *term, const struct words *words, int lesson)
{
    char title[64];
    snprintf(title, sizeof title, "%s%d%s", words->title, lesson + 1, words->behind);
    assert_true(screen_term_wait(term, title));
    if (!screen_term_wait(term, words->attempt)) {
        screen_term_dump(term);
        fail_msg("lesson %d says not what to try", lesson + 1);
    }
    screen_term_settle(term, 100);
    // The answer first: it counts only once the task was done, too.
    for (const char *key = "ABC"; *key && !find(term, words->right); key++) {
        screen_term_type(term, (char[]){*key, 0});
        screen_term_settle(term, 100);
    }
    assert_true(find(term, words->right));
    if (tasks[lesson]) {
        screen_term_type(term, tasks[lesson]);
    } else {
        for (int i = 0; i < 19; i++) {
            screen_term_type(term, "]");
            screen_term_settle(term, 150);
        }
    }
    screen_term_settle(term, 200);
}

static void tour(const struct words *words)
{
    struct screen_term term;
    struct screen_term_options options = {.rows = 48, .columns = 160};
    char folder[4096], path[8192], language[16];
    snprintf(folder, sizeof folder, "%s-%s", scratch_path("state"), words->language);
    snprintf(path, sizeof path, "%s/trimscope/lessons", folder);
    snprintf(language, sizeof language, "%s", words->language);
    setenv("XDG_STATE_HOME", folder, 1);
    screen_term_start(&term, &options, run_lessons, language);
    assert_true(screen_term_wait(&term, words->list));
    assert_true(screen_term_wait(&term, "10"));
    screen_term_settle(&term, 300);
    assert_true(find(&term, "↑↓") && !find(&term, "Tab")); // the list's own keys, not the stepper's
    screen_term_type(&term, "\r");
    for (int i = 0; i < LESSONS; i++) {
        do_lesson(&term, words, i);
        if (!is_done(&term, path, i + 1)) {
            screen_term_dump(&term);
            fail_msg("lesson %d (%s) is not done", i + 1, words->language);
        }
        if (i + 1 < LESSONS)
            screen_term_type(&term, " ");
    }
    // Back to the picture, question and stage from before.
    screen_term_type(&term, "\033");
    assert_true(screen_term_wait(&term, "airplane.jpg"));
    screen_term_settle(&term, 300);
    assert_true(find(&term, "what is over the heart"));
    assert_true(find(&term, "1/13") || find(&term, "1 of 13"));
    screen_term_type(&term, "q");
    assert_int_equal(screen_term_finish(&term), 0);
    assert_true(screen_term_restored(&term));
    screen_term_free(&term);
}

static void test_tour_in_english(void **state)
{
    (void)state;
    static const struct words words = {"en", "LESSONS", "LESSON ", " of 10", "Try: ", "Right."};
    tour(&words);
}

static void test_tour_in_chinese(void **state)
{
    (void)state;
    static const struct words words = {"zh_CN", "课程", "第 ", " 课", "试一试：", "正确。"};
    tour(&words);
}

// Where the text takes two pages, the question and its answers are on one of them.
static void test_question_is_not_torn_apart(void **state)
{
    (void)state;
    struct screen_term term;
    struct screen_term_options options = {.rows = 24, .columns = 80};
    char language[] = "en";
    setenv("XDG_STATE_HOME", scratch_path("narrow"), 1);
    screen_term_start(&term, &options, run_lessons, language);
    assert_true(screen_term_wait(&term, "Enter open"));
    screen_term_settle(&term, 300);
    screen_term_type(&term, "\r");
    assert_true(screen_term_wait(&term, "space: more"));
    screen_term_settle(&term, 300);
    assert_true(find(&term, "Try: ") && !find(&term, "Where are the patches more alike"));
    screen_term_type(&term, " ");
    assert_true(screen_term_wait(&term, "space: next lesson"));
    screen_term_settle(&term, 300);
    assert_true(find(&term, "Where are the patches more alike") && find(&term, "A  ") && find(&term, "B  "));
    screen_term_type(&term, " ");
    assert_true(screen_term_wait(&term, "LESSON 2 of 10"));
    screen_term_type(&term, "\033");
    assert_true(screen_term_wait(&term, "airplane.jpg"));
    screen_term_type(&term, "q");
    assert_int_equal(screen_term_finish(&term), 0);
    screen_term_free(&term);
}

// In the list a digit opens its lesson, and the help tells the keys that do something there.
static void test_list(void **state)
{
    (void)state;
    struct screen_term term;
    struct screen_term_options options = {.rows = 40, .columns = 120};
    char language[] = "en";
    setenv("XDG_STATE_HOME", scratch_path("list"), 1);
    screen_term_start(&term, &options, run_lessons, language);
    assert_true(screen_term_wait(&term, "Enter open"));
    screen_term_type(&term, "?");
    assert_true(screen_term_wait(&term, "a digit opens that of its number"));
    screen_term_settle(&term, 200); // a frame may be read in parts
    assert_true(find(&term, "the lesson below") && find(&term, "this help"));
    assert_false(find(&term, "next stage") || find(&term, "survivors: dropped"));
    screen_term_type(&term, "\033");
    assert_true(screen_term_wait_gone(&term, "the lesson below"));
    screen_term_type(&term, "3");
    assert_true(screen_term_wait(&term, "LESSON 3 of 10"));
    screen_term_settle(&term, 300);
    screen_term_type(&term, "?"); // in a lesson the stepper's keys work again
    assert_true(screen_term_wait(&term, "HELP"));
    assert_true(screen_term_wait(&term, "next stage"));
    screen_term_type(&term, "\033");
    screen_term_settle(&term, 300);
    screen_term_type(&term, "\033");
    assert_true(screen_term_wait(&term, "airplane.jpg"));
    screen_term_type(&term, "q");
    assert_int_equal(screen_term_finish(&term), 0);
    screen_term_free(&term);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_question_is_not_torn_apart),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_tour_in_english),
        cmocka_unit_test(test_tour_in_chinese),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
