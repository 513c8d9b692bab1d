// Statements about two pictures: their truth follows from the scenes, read back from the text alone; half are true.
#include "engine/world/world.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world_reading.h"

#include <stdlib.h>
#include <string.h>

enum { PAIRS = 600, EACH = 6 };

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

static int count_kind(const struct world_scene *scene, int kind, int color)
{
    int count = 0;
    for (int i = 0; i < scene->object_count; i++)
        count += scene->objects[i].kind == kind && (color < 0 || scene->objects[i].color == color);
    return count;
}

static bool has(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

// The picture that the statement names: before the word "picture" or "image", or after "on the".
static int named_side(const char *text)
{
    static const char *const left[] = {"left picture", "picture on the left", "first picture", "left image"};
    for (int i = 0; i < 4; i++)
        if (has(text, left[i]))
            return 0;
    return 1;
}

static int named_number(const char *text)
{
    static const char *const names[] = {"two ", "three ", "four ", "five ", "six "};
    // "the two pictures show one dog in all": the number stands before the noun, the last one named.
    int number = 1;
    const char *last = text;
    for (int i = 0; i < 5; i++)
        for (const char *at = text; (at = strstr(at, names[i])); at++)
            if (at >= last && strncmp(at, "two pictures", 12) != 0 && strncmp(at, "two images", 10) != 0) {
                number = i + 2;
                last = at;
            }
    return number;
}

static int place_of(const struct world_scene *scene, int kind, bool across)
{
    for (int i = 0; i < scene->object_count; i++)
        if (scene->objects[i].kind == kind)
            return across ? scene->objects[i].box.x0 + scene->objects[i].box.x1
                          : scene->objects[i].box.y0 + scene->objects[i].box.y1;
    return 0;
}

// Without the name of the picture, whose left and right are not the relation's.
static bool relation_holds(const char *text, const struct world_scene *scene, const struct reading *reading)
{
    bool left = has(text, "left of") || has(text, "left side of"), right = has(text, "right of") || has(text, "right side of");
    bool across = left || right;
    int first = place_of(scene, reading->kind[0], across), second = place_of(scene, reading->kind[1], across);
    return left || has(text, "above") || has(text, " over ") ? first < second : first > second;
}

static bool judge(const struct world_scene scenes[2], const struct world_statement *statement)
{
    const char *text = statement->text;
    struct reading reading;
    reading_make(world, tokenizer, text, &reading);
    if (reading.unknown || reading.tokens > 24 || reading.kinds < 1)
        fail_msg("\"%s\": %d unknown, %d tokens, %d kinds", text, reading.unknown, reading.tokens, reading.kinds);
    int kind = reading.kind[0], side = named_side(text);
    int left = count_kind(&scenes[0], kind, reading.color), right = count_kind(&scenes[1], kind, reading.color);
    int here = side ? right : left, there = side ? left : right;
    switch (statement->family) {
    case WORLD_STATE_BOTH:
        return left && right;
    case WORLD_STATE_ONE:
        return !left != !right;
    case WORLD_STATE_NEITHER:
        return !left && !right;
    case WORLD_STATE_SIDE:
        return here > 0;
    case WORLD_STATE_COUNT:
        return here == named_number(text);
    case WORLD_STATE_TOTAL:
        return left + right == named_number(text);
    case WORLD_STATE_COMPARE:
        return reading.more ? here > there : here < there;
    default:
        return relation_holds(text, &scenes[side], &reading);
    }
}

static void test_truth_follows_from_the_scenes(void **state)
{
    (void)state;
    struct world_scene *scenes = calloc(2, sizeof *scenes);
    struct world_statement statements[WORLD_QUESTIONS];
    int made[WORLD_STATEMENT_COUNT] = {0}, held[WORLD_STATEMENT_COUNT] = {0};
    for (uint64_t i = 0; i < PAIRS; i++) {
        if (!world_make_pair(world, 5, i, scenes))
            continue;
        int count = world_make_statements(world, 5, i, scenes, statements, EACH);
        for (int s = 0; s < count; s++) {
            if (judge(scenes, &statements[s]) != statements[s].truth)
                fail_msg("pair %d: \"%s\" is not %d", (int)i, statements[s].text, statements[s].truth);
            for (int p = 0; p < s; p++)
                assert_string_not_equal(statements[p].text, statements[s].text);
            made[statements[s].family]++;
            held[statements[s].family] += statements[s].truth;
        }
    }
    for (int f = 0; f < WORLD_STATEMENT_COUNT; f++) {
        assert_in_range(made[f], PAIRS / 4, 2 * PAIRS);
        if (held[f] * 100 < made[f] * 38 || held[f] * 100 > made[f] * 62)
            fail_msg("%s: %d of %d are true", world_statement_name((enum world_statement_family)f), held[f], made[f]);
    }
    free(scenes);
}

// The same from a seed, and other pictures than the single scenes of it.
static void test_pairs_follow_from_the_seed(void **state)
{
    (void)state;
    struct world_scene *scenes = calloc(5, sizeof *scenes);
    assert_true(world_make_pair(world, 9, 4, scenes));
    assert_true(world_make_pair(world, 9, 4, scenes + 2));
    assert_memory_equal(scenes[0].pixels, scenes[2].pixels, sizeof scenes[0].pixels);
    assert_memory_equal(scenes[1].pixels, scenes[3].pixels, sizeof scenes[1].pixels);
    assert_memory_not_equal(scenes[0].pixels, scenes[1].pixels, sizeof scenes[0].pixels);
    world_make_scene(world, 9, 4, scenes + 4);
    assert_memory_not_equal(scenes[0].pixels, scenes[4].pixels, sizeof scenes[0].pixels);
    free(scenes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth_follows_from_the_scenes),
        cmocka_unit_test(test_pairs_follow_from_the_seed),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
