// Forms of questions: the world's own, whatever their words, and none that it never asks.
#include "engine/io/question_set.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world_reading.h"

#include <stdio.h>
#include <string.h>

enum { SCENES = 150, EACH = 12 };

static struct world *world;
static struct tokenizer *tokenizer;

static int open_world(void **state)
{
    (void)state;
    world = reading_open(&WORLD_DEFAULT, &tokenizer);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    tokenizer_free(tokenizer);
    world_free(world);
    return 0;
}

static void check_form(int pictures, const char *text, bool expected)
{
    if (world_has_form(tokenizer, pictures, text) != expected)
        fail_msg("%d picture(s), \"%s\": %s", pictures, text, expected ? "of no form" : "of a form");
}

static int check_questions(const struct world *from, uint64_t seed)
{
    static struct world_scene scene;
    struct world_question questions[EACH];
    int asked = 0;
    for (uint64_t i = 0; i < SCENES; i++) {
        int count = world_make_scene(from, seed, i, &scene) ? world_make_questions(from, seed, i, &scene, questions, EACH) : 0;
        for (int q = 0; q < count; q++, asked++)
            check_form(1, questions[q].text, true);
    }
    return asked;
}

static void test_questions_of_the_world(void **state)
{
    (void)state;
    assert_true(check_questions(world, 71) > 8 * SCENES);
    struct world_options options = WORLD_DEFAULT;
    options.reworded = false;
    struct tokenizer *other;
    struct world *plain = reading_open(&options, &other);
    assert_true(check_questions(plain, 72) > 8 * SCENES);
    tokenizer_free(other);
    world_free(plain);
}

static void test_statements_of_the_world(void **state)
{
    (void)state;
    static struct world_scene scenes[2];
    struct world_statement statements[EACH];
    int stated = 0;
    for (uint64_t i = 0; i < SCENES; i++) {
        int count = world_make_pair(world, 73, i, scenes) ? world_make_statements(world, 73, i, scenes, statements, EACH) : 0;
        for (int s = 0; s < count; s++, stated++)
            check_form(2, statements[s].text, true);
    }
    assert_true(stated > 8 * SCENES);
}

// What trimscope itself proposes.
static void test_bundled_questions(void **state)
{
    (void)state;
    static const char *const files[] = {"assets/pictures/questions.jsonl", "assets/pictures/statements.jsonl"};
    for (int pictures = 1; pictures <= 2; pictures++) {
        struct question_set set;
        struct error err = {0};
        assert_true(question_set_read(&set, files[pictures - 1], 0, &err));
        for (int q = 0; q < set.count; q++)
            check_form(pictures, set.questions[q].text, true);
        question_set_free(&set);
    }
}

static void test_said_in_other_words(void **state)
{
    (void)state;
    static const char *const questions[] = {
        "How many puppies do you see in this photo, please?", "WHAT COLOUR IS THE HEART", "is a red car in the picture",
        "Which color are the hearts?",  "could you find any animals here?", "what's in the centre?",
        "Is the dog on the left or on the right of the picture?", NULL};
    for (int i = 0; questions[i]; i++)
        check_form(1, questions[i], true);
    static const char *const statements[] = {"There are two hearts in the left photo.", "a dog is in both of the pictures", NULL};
    for (int i = 0; statements[i]; i++)
        check_form(2, statements[i], true);
}

// Forms know the world's colours, those that are names of things too.
static void test_colors(void **state)
{
    (void)state;
    char text[WORLD_TEXT];
    for (int c = 0; c < world_color_count(world); c++) {
        snprintf(text, sizeof text, "is there a %s heart?", world_color_name(world, c));
        check_form(1, text, true);
        snprintf(text, sizeof text, "the left picture shows a %s heart", world_color_name(world, c));
        check_form(2, text, true);
        snprintf(text, sizeof text, "is there a heart %s?", world_color_name(world, c));
        check_form(1, text, false);
    }
    check_form(1, "how many oranges do you see?", true);
}

static void test_never_asked(void **state)
{
    (void)state;
    static const char *const questions[] = {
        "where is the car?", "is the dog red?", "is there a dog and a cat?", "how many red cars are there?", "what do you see?",
        "is the cat on the left?", "how many objects are there?", "what color?", "is it?", "where?", "what is not in the picture?",
        "is there a dog in the top left corner?", "is there a zebra?", "there are two hearts in the left picture", NULL};
    for (int i = 0; questions[i]; i++)
        check_form(1, questions[i], false);
    static const char *const statements[] = {"how many hearts", "what color is the heart?", "is there a heart?",
                                             "the two pictures", "what is over the heart?", NULL};
    for (int i = 0; statements[i]; i++)
        check_form(2, statements[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions_of_the_world), cmocka_unit_test(test_statements_of_the_world),
        cmocka_unit_test(test_bundled_questions),      cmocka_unit_test(test_said_in_other_words),
        cmocka_unit_test(test_colors),                 cmocka_unit_test(test_never_asked),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
