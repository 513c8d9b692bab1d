// Composed scenes: exact pixels, order, what can be seen, questions about it, and descriptions from outside.
#include "tests/support/cmocka_all.h"

#include "engine/world/compose.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *world;

static int open_world(void **state)
{
    (void)state;
    struct error err = {0};
    world = world_open("assets", &WORLD_DEFAULT, &err);
    if (!world)
        print_error("%s\n", err.text);
    return world ? 0 : -1;
}

static int close_world(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

static int kind_of(const char *name)
{
    for (int i = 0; i < world_kind_count(world); i++)
        if (!strcmp(world_kind_name(world, i), name))
            return i;
    fail_msg("no %s in the world", name);
    return -1;
}

static struct compose sample(void)
{
    struct compose compose = {.background = 1, .seed = 3, .clutter = true};
    int colors[32];
    assert_true(compose_colors(world, kind_of("heart"), colors) > 1);
    compose_add(&compose, &(struct compose_object){kind_of("heart"), colors[1], 60, 120, 48, 0});
    compose_add(&compose, &(struct compose_object){kind_of("airplane"), -1, 64, 50, 60, -10});
    compose_add(&compose, &(struct compose_object){kind_of("dog"), -1, 150, 130, 68, 16});
    return compose;
}

static uint64_t hash_pixels(const struct world_scene *scene)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof scene->pixels; i++)
        hash = (hash ^ scene->pixels[i]) * 0x100000001b3u;
    return hash;
}

static struct world_scene one, two;

// The same on every machine; a change of the drawing shows here.
static void test_exact_pixels(void **state)
{
    (void)state;
    struct compose compose = sample();
    compose_draw(world, &compose, &one);
    compose_draw(world, &compose, &two);
    assert_memory_equal(one.pixels, two.pixels, sizeof one.pixels);
    assert_int_equal(hash_pixels(&one), 0x3ed682f60f35cef);
    for (int i = 0; i < compose.count; i++) {
        const struct compose_object *o = &compose.objects[i];
        struct world_box box = one.objects[i].box;
        assert_int_equal(one.objects[i].kind, o->kind);
        assert_in_range(box.x1 - box.x0, o->size / 2, o->size * 5 / 4); // an emoji may be narrow
        assert_true(abs((box.x0 + box.x1) / 2 - o->x) <= 1 && abs((box.y0 + box.y1) / 2 - o->y) <= 1);
    }
    compose.seed = 4;
    compose_draw(world, &compose, &two);
    assert_int_not_equal(hash_pixels(&one), hash_pixels(&two));
}

// What an object changes lies around it.
static void test_object_changes_its_place_only(void **state)
{
    (void)state;
    struct compose compose = sample();
    compose_draw(world, &compose, &one);
    compose_remove(&compose, 2);
    compose_draw(world, &compose, &two);
    struct world_box box = one.objects[2].box;
    int changed = 0;
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++) {
            bool differs =
                memcmp(one.pixels + (y * WORLD_SIDE + x) * 3, two.pixels + (y * WORLD_SIDE + x) * 3, 3) != 0;
            bool near = x >= box.x0 - 2 && x < box.x1 + 2 && y >= box.y0 - 2 && y < box.y1 + 2;
            assert_true(near || !differs);
            changed += differs;
        }
    assert_true(changed > 400);
}

static void test_order(void **state)
{
    (void)state;
    struct compose compose = {.background = 6};
    compose_add(&compose, &(struct compose_object){kind_of("dog"), -1, 90, 90, 40, 0});
    compose_add(&compose, &(struct compose_object){kind_of("panda"), -1, 90, 90, 68, 0});
    compose_draw(world, &compose, &one);
    assert_int_equal(compose_at(&one, 90, 90), 1);
    assert_int_equal(compose_at(&one, 1, 1), -1);
    assert_true(one.objects[0].box.x0 >= one.objects[0].box.x1); // wholly behind
    assert_int_equal(compose_ask(world, &one, 1, (struct world_question[4]){0}, 4), 0);
    assert_true(compose_raise(&compose, 0));
    assert_int_equal(compose.objects[1].kind, kind_of("dog"));
    compose_draw(world, &compose, &one);
    assert_true(one.objects[1].box.x0 < one.objects[1].box.x1);
    assert_false(compose_raise(&compose, 2));
    assert_false(compose_remove(&compose, -1));
    while (compose.count < WORLD_OBJECTS)
        assert_true(compose_add(&compose, &(struct compose_object){0, -1, -50, 999, 1, 99}));
    assert_false(compose_add(&compose, &compose.objects[0]));
    const struct compose_object *held = &compose.objects[5];
    assert_true(held->x == 0 && held->y == WORLD_SIDE - 1 && held->size == COMPOSE_LEAST &&
                held->turn == COMPOSE_TURN);
    compose_draw(world, &compose, &one); // at the edge
}

static void test_questions(void **state)
{
    (void)state;
    struct compose compose = sample();
    struct world_question questions[WORLD_QUESTIONS];
    // The mouse hides behind the dog: nothing may be asked for as if it was there.
    struct compose_object hidden = {kind_of("mouse"), -1, 150, 130, 20, 0};
    struct compose with = {.background = compose.background, .seed = 3, .objects = {hidden}, .count = 1};
    for (int i = 0; i < compose.count; i++)
        compose_add(&with, &compose.objects[i]);
    compose_draw(world, &with, &one);
    assert_true(one.objects[0].box.x0 >= one.objects[0].box.x1);
    int asked = 0, needs = 0;
    for (int seed = 0; seed < 40; seed++) {
        int count = compose_ask(world, &one, seed, questions, WORLD_QUESTIONS);
        for (int q = 0; q < count; q++, asked++) {
            assert_true(world_answer_find(world, questions[q].answer) >= 0);
            assert_int_equal(questions[q].needed & 1, 0);
            assert_int_equal(questions[q].needed >> with.count, 0);
            needs += questions[q].needed != 0;
            if (!strcmp(questions[q].text, "is there a mouse?"))
                assert_string_equal(questions[q].answer, "no");
        }
    }
    assert_true(asked > 100 && needs > 50);
}

static bool read_text(const char *text, struct compose_file *file, struct error *err)
{
    *err = (struct error){0};
    return compose_from_json(world, text, strlen(text), file, err);
}

static struct compose_file file, again;

static void test_round_trip(void **state)
{
    (void)state;
    struct error err;
    file = (struct compose_file){.scene = sample(), .question_count = 2};
    strcpy(file.questions[0], "what is over the heart?");
    strcpy(file.questions[1], "\xe6\x98\xaf \"quoted\" \\");
    char *text = compose_to_json(world, &file, "a.jpg");
    assert_non_null(text);
    assert_non_null(strstr(text, "\"box\""));
    assert_non_null(strstr(text, "\"a.jpg\""));
    if (!read_text(text, &again, &err))
        fail_msg("%s", err.text);
    assert_memory_equal(&again.scene.objects, &file.scene.objects, sizeof file.scene.objects);
    assert_true(again.scene.background == 1 && again.scene.seed == 3 && again.scene.clutter &&
                again.scene.count == 3);
    assert_int_equal(again.question_count, 2);
    assert_string_equal(again.questions[1], file.questions[1]);
    free(text);
    assert_true(
        read_text("{\"trimscope_scene\": 1, \"background\": {\"kind\": \"plain\"}, \"objects\": [{\"kind\": "
                  "\"heart\", \"x\": 1, \"y\": 2, \"size\": 30, \"turn\": 7}]}",
                  &again, &err));
    assert_true(again.scene.objects[0].color >= 0 && again.scene.objects[0].turn == 6);
}

static void test_mistakes(void **state)
{
    (void)state;
    struct error err;
#define SCENE(objects)                                                                                       \
    "{\"trimscope_scene\": 1, \"background\": {\"kind\": \"plain\"}, \"objects\": [" objects "]}"
    static const struct {
        const char *text, *says;
    } mistakes[] = {
        {"", "not valid JSON: line 1"},
        {"[]", "not a scene"},
        {"{}", "not a scene"},
        {"{\"trimscope_scene\": 2}", "\"trimscope_scene\" should be a whole number from 1 to 1; found 2"},
        {"{\"trimscope_scene\": 1}", "\"background\" should be an object; found nothing"},
        {"{\"trimscope_scene\": 1, \"background\": {\"kind\": \"sea\"}}", "one of gradient, meadow"},
        {"{\"trimscope_scene\": 1, \"background\": {\"kind\": \"plain\", \"seed\": 1000000}}",
         "\"background.seed\""},
        {"{\"trimscope_scene\": 1, \"background\": {\"kind\": \"plain\", \"clutter\": 1}}", "true or false"},
        {"{\"trimscope_scene\": 1, \"background\": {\"kind\": \"plain\"}}", "\"objects\" should be a list"},
        {"{\"trimscope_scene\": 1, \"backgruond\": {}}", "the scene has an unknown member \"backgruond\""},
        {SCENE("3"), "\"objects[0]\" should be an object; found a whole number"},
        {SCENE("{\"kind\": \"unicorn\"}"), "\"objects[0].kind\" should be a thing of the world"},
        {SCENE("{\"kind\": 3}"), "\"objects[0].kind\""},
        {SCENE("{\"kind\": \"dog\", \"color\": \"red\"}"),
         "left out: a dog has no choice of colors; found \"red\""},
        {SCENE("{\"kind\": \"heart\", \"color\": \"pink\"}"), "\"objects[0].color\" should be one of red,"},
        {SCENE("{\"kind\": \"dog\", \"x\": 192, \"y\": 0, \"size\": 30}"),
         "\"objects[0].x\" should be a whole number from 0 to 191"},
        {SCENE("{\"kind\": \"dog\", \"x\": 1, \"y\": 0, \"size\": 300}"),
         "\"objects[0].size\" should be a whole number from 8 to 68"},
        {SCENE("{\"kind\": \"dog\", \"x\": 1, \"y\": 0, \"siez\": 30}"),
         "\"objects[0]\" has an unknown member \"siez\""},
        {SCENE("{\"kind\": \"dog\", \"x\": 1, \"y\": 0, \"size\": 30, \"turn\": 17}"), "\"objects[0].turn\""},
        {SCENE("1,2,3,4,5,6,7,8,9,10,11,12,13"), "a list of at most 12 elements"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        if (read_text(mistakes[i].text, &file, &err) || !strstr(err.text, mistakes[i].says) ||
            err.code != ERROR_INPUT)
            fail_msg("%s: \"%s\" does not say %s", mistakes[i].text, err.text, mistakes[i].says);
        assert_int_equal(file.scene.count, 0);
    }
}

// What the world asks is found again when a person types it, in whatever case and without the signs; other texts are not.
static void test_typed_questions(void **state)
{
    (void)state;
    struct compose compose = sample();
    static struct world_question questions[WORLD_QUESTIONS], found;
    int asked = 0, same = 0;
    compose_draw(world, &compose, &one);
    for (int seed = 1; seed <= 12; seed++) {
        int count = compose_ask(world, &one, seed, questions, WORLD_QUESTIONS);
        for (int q = 0; q < count; q++, asked++) {
            char typed[WORLD_TEXT];
            for (size_t i = 0; i <= strlen(questions[q].text); i++)
                typed[i] = (char)toupper((unsigned char)questions[q].text[i]);
            typed[strcspn(typed, "?")] = 0;
            if (!compose_find_question(world, &one, typed, &found))
                continue; // about things that are not there: one of hundreds, drawn too seldom
            same++;
            assert_string_equal(found.answer, questions[q].answer);
            assert_int_equal(found.needed, questions[q].needed);
        }
    }
    assert_true(asked > 60 && same >= asked * 9 / 10);
    assert_true(compose_find_question(world, &one, "is there a dog?", &found) && !strcmp(found.answer, "yes"));
    assert_true(compose_find_question(world, &one, "is there a cat", &found) && !strcmp(found.answer, "no"));
    assert_true(compose_find_question(world, &one, "what is above the heart?", &found) && !strcmp(found.answer, "airplane"));
    assert_false(compose_find_question(world, &one, "who painted this?", &found));
    assert_false(compose_find_question(world, &one, "", &found));
    assert_false(compose_find_question(world, &one, "is there a dog in the garden?", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_pixels), cmocka_unit_test(test_object_changes_its_place_only),
        cmocka_unit_test(test_order),        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_typed_questions),
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_mistakes)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
