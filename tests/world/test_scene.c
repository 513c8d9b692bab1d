// Scenes: the same from a seed everywhere, boxes tight, sprite tables refused when broken.
#include "engine/base/thread.h"
#include "engine/world/internal.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"
#include "tests/support/world_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

// FNV-1a over what a scene and its questions hold, field by field (padding is not part of it).
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    for (const unsigned char *p = data; size > 0; p++, size--)
        hash = (hash ^ *p) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_scene(uint64_t seed, uint64_t index)
{
    struct world_scene scene;
    struct world_question questions[WORLD_QUESTIONS];
    uint64_t hash = 0xcbf29ce484222325u;
    if (!world_make_scene(world, seed, index, &scene))
        return hash;
    hash = hash_bytes(hash, scene.pixels, sizeof scene.pixels);
    for (int i = 0; i < scene.object_count; i++) {
        const struct world_object *o = &scene.objects[i];
        int values[] = {o->kind, o->color, o->box.x0, o->box.y0, o->box.x1, o->box.y1};
        hash = hash_bytes(hash, values, sizeof values);
    }
    int count = world_make_questions(world, seed, index, &scene, questions, WORLD_QUESTIONS);
    for (int i = 0; i < count; i++) {
        hash = hash_bytes(hash, questions[i].text, strlen(questions[i].text));
        hash = hash_bytes(hash, questions[i].answer, strlen(questions[i].answer));
        hash = hash_bytes(hash, &questions[i].needed, sizeof questions[i].needed);
    }
    return hash;
}

// A model is trained on one world: whoever changes it must know, train again, and write the new number here.
static void test_world_has_not_changed(void **state)
{
    (void)state;
    uint64_t hash = 0;
    for (uint64_t i = 0; i < 40; i++)
        hash = hash * 31 + hash_scene(20240521 + i / 20, i);
    assert_int_equal(hash, 0x8b374cbfae0a3a27);
}

static void hash_job(void *context, int index, int worker)
{
    (void)worker;
    ((uint64_t *)context)[index] = hash_scene(3, (uint64_t)index / 2);
}

static void test_threads_make_the_same(void **state)
{
    (void)state;
    uint64_t hashes[64];
    struct thread_pool *pool = thread_pool_new(4);
    assert_non_null(pool);
    thread_pool_run(pool, hash_job, hashes, 64);
    thread_pool_free(pool);
    for (int i = 0; i < 64; i++)
        assert_int_equal(hashes[i], hash_scene(3, (uint64_t)i / 2));
    assert_int_not_equal(hashes[0], hashes[2]);
    assert_int_not_equal(hash_scene(4, 0), hash_scene(3, 0));
}

// How many pixels of a rectangle the objects have changed.
static int changed(const struct world_scene *scene, const unsigned char *before, int x0, int y0, int x1,
                   int y1)
{
    int count = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            bool differs = false;
            for (int c = 0; c < 3; c++)
                differs |=
                    scene->pixels[(y * WORLD_SIDE + x) * 3 + c] != before[(y * WORLD_SIDE + x) * 3 + c];
            count += differs;
        }
    return count;
}

// Against the picture before the objects: nothing outside the boxes has changed (beyond the faint edge that a
// box leaves out), and each side of a box has.
static void check_boxes(const struct world_scene *scene, const unsigned char *before, int *sides, int *loose)
{
    enum { FAINT = 2 };
    static unsigned char covered[WORLD_SIDE][WORLD_SIDE];
    memset(covered, 0, sizeof covered);
    for (int i = 0; i < scene->object_count; i++) {
        struct world_box b = scene->objects[i].box;
        assert_true(b.x0 >= 0 && b.y0 >= 0 && b.x1 <= WORLD_SIDE && b.y1 <= WORLD_SIDE);
        assert_in_range(b.x1 - b.x0, 6, 76);
        assert_in_range(b.y1 - b.y0, 6, 76);
        *sides += 4;
        *loose += !changed(scene, before, b.x0, b.y0, b.x0 + 1, b.y1);
        *loose += !changed(scene, before, b.x1 - 1, b.y0, b.x1, b.y1);
        *loose += !changed(scene, before, b.x0, b.y0, b.x1, b.y0 + 1);
        *loose += !changed(scene, before, b.x0, b.y1 - 1, b.x1, b.y1);
        for (int y = clamp(b.y0 - FAINT, 0, WORLD_SIDE); y < clamp(b.y1 + FAINT, 0, WORLD_SIDE); y++)
            for (int x = clamp(b.x0 - FAINT, 0, WORLD_SIDE); x < clamp(b.x1 + FAINT, 0, WORLD_SIDE); x++)
                covered[y][x] = 1;
    }
    int outside = 0;
    for (int y = 0; y < WORLD_SIDE; y++)
        for (int x = 0; x < WORLD_SIDE; x++)
            if (!covered[y][x])
                outside += changed(scene, before, x, y, x + 1, y + 1);
    assert_int_equal(outside, 0);
}

static void test_boxes_are_tight(void **state)
{
    (void)state;
    int sides = 0, loose = 0, most = 0, fewest = WORLD_OBJECTS;
    static unsigned char before[WORLD_SIDE * WORLD_SIDE * 3];
    static struct world_scene scene;
    for (uint64_t i = 0; i < 300; i++) {
        struct random random;
        if (!world_make_scene(world, 11, i, &scene))
            continue;
        random_init(&random, 11, 2 * i);
        background_draw(&random, false, before);
        background_clutter(&random, before);
        check_boxes(&scene, before, &sides, &loose);
        most = scene.object_count > most ? scene.object_count : most;
        fewest = scene.object_count < fewest ? scene.object_count : fewest;
    }
    assert_in_range(sides, 300 * 4 * 4, 300 * 4 * 9);
    assert_in_range(loose, 0, sides / 500); // by chance an edge has the background's colour
    assert_in_range(fewest, 2, 3);
    assert_in_range(most, 8, 9);
}

// An upright sprite against a plain mean over the cell: what is drawn is the cell, scaled.
static void test_sprite_keeps_its_mean(void **state)
{
    (void)state;
    static struct sprite sprite;
    for (int cell = 0; cell < world->cell_count; cell += 7) {
        for (int turn = 0; turn < SPRITE_TURNS; turn += 4) {
            double sums[2][4] = {{0}};
            sprite_draw(world, WORLD_STYLE_NOTO, cell, (struct pose){46, turn, 256, 256}, &sprite); // half of CELL_DRAWN
            for (int i = 0; i < CELL_SIDE * CELL_SIDE; i++)
                for (int c = 0; c < 4; c++)
                    sums[0][c] += (world->cells[WORLD_STYLE_NOTO][cell * CELL_SIDE * CELL_SIDE + i] >> (8 * c) & 255) / 4.0;
            for (int i = 0; i < sprite.side * sprite.side; i++)
                for (int c = 0; c < 4; c++)
                    sums[1][c] += sprite.pixels[i] >> (8 * c) & 255;
            for (int c = 0; c < 4; c++)
                assert_true(sums[1][c] > sums[0][c] * 0.985 - 200 && sums[1][c] < sums[0][c] * 1.015 + 200);
        }
    }
}

static void test_mirrored_and_narrow(void **state)
{
    (void)state;
    static struct sprite plain, mirrored, narrow;
    for (int cell = 0; cell < world->cell_count; cell += 5) {
        struct pose pose = {.longest = 60, .turn = SPRITE_TURNS / 2, .wide = 256, .high = 256};
        sprite_draw(world, WORLD_STYLE_NOTO, cell, pose, &plain);
        pose.wide = -256;
        sprite_draw(world, WORLD_STYLE_NOTO, cell, pose, &mirrored);
        pose.wide = 192;
        sprite_draw(world, WORLD_STYLE_NOTO, cell, pose, &narrow);
        long apart = 0, of = 0;
        for (int y = 0; y < plain.side; y++)
            for (int x = 0; x < plain.side; x++)
                for (int c = 0; c < 32; c += 8, of += 255)
                    apart += labs((long)(plain.pixels[y * plain.side + x] >> c & 255) -
                                  (long)(mirrored.pixels[y * plain.side + plain.side - 1 - x] >> c & 255));
        assert_true(apart * 200 < of);
        int wide = plain.box.x1 - plain.box.x0, high = plain.box.y1 - plain.box.y0;
        assert_true(abs((narrow.box.x1 - narrow.box.x0) * 4 - wide * 3) <= 6);
        assert_true(abs(narrow.box.y1 - narrow.box.y0 - high) <= 1);
    }
}

// Sums of R, G and B over a sprite.
static void sum_channels(const struct sprite *sprite, long sums[3])
{
    memset(sums, 0, 3 * sizeof *sums);
    for (int i = 0; i < sprite->side * sprite->side; i++)
        for (int c = 0; c < 3; c++)
            sums[c] += (long)(sprite->pixels[i] >> (8 * c) & 255);
}

// A variation draws the same silhouette, no colour beyond its opacity, and what is asked for by its colour keeps it.
static void test_variation_keeps_what_is_asked(void **state)
{
    (void)state;
    static struct sprite plain, varied;
    struct random random;
    random_init(&random, 11, 0);
    int changed = 0, hues = 0, kept = 0, of = 0;
    for (int n = 0; n < world->colored_count; n++) {
        const struct kind *kind = &world->kinds[world->colored[n]];
        for (int v = 0; v < kind->cell_count; v++) {
            struct variation variation = variation_choose(&random, true);
            assert_int_equal(variation.turn, 0);
            hues += variation_choose(&random, false).turn != 0;
            struct pose pose = {.longest = 46, .turn = SPRITE_TURNS / 2, .wide = 256, .high = 256};
            sprite_draw(world, WORLD_STYLE_TWEMOJI, kind->first_cell + v, pose, &plain);
            varied = plain;
            variation_paint(&variation, &varied);
            for (int i = 0; i < plain.side * plain.side; i++) {
                assert_int_equal(plain.pixels[i] >> 24, varied.pixels[i] >> 24);
                for (int c = 0; c < 24; c += 8)
                    assert_true((varied.pixels[i] >> c & 255) <= varied.pixels[i] >> 24);
            }
            changed += memcmp(plain.pixels, varied.pixels, sizeof(uint32_t) * (size_t)(plain.side * plain.side)) != 0;
            long before[3], after[3];
            sum_channels(&plain, before);
            sum_channels(&varied, after);
            for (int c = 0; c < 3; c++) { // what leads by a tenth still leads
                long lead = before[c] - before[(c + 1) % 3];
                if (labs(lead) * 10 > before[c])
                    kept += (lead > 0) == (after[c] > after[(c + 1) % 3]), of++;
            }
        }
    }
    assert_true(changed > world->colored_count);
    assert_true(hues > 20);
    assert_true(of > 100);
    assert_int_equal(kept, of);
}

static void test_varied_scenes_show_the_same_things(void **state)
{
    (void)state;
    struct world_options options = WORLD_DEFAULT;
    options.varied = 50;
    struct tokenizer *unused;
    struct world *varied = reading_open(&options, &unused);
    static struct world_scene usual, other;
    int same = 0, pictures = 0, changed = 0;
    for (uint64_t i = 0; i < 60; i++) {
        if (!world_make_scene(world, 3, i, &usual) || !world_make_scene(varied, 3, i, &other))
            continue;
        pictures++;
        changed += memcmp(usual.pixels, other.pixels, sizeof usual.pixels) != 0;
        same += usual.objects[0].kind == other.objects[0].kind && usual.objects[0].color == other.objects[0].color;
    }
    assert_int_equal(same, pictures);
    assert_in_range(changed, pictures / 4, pictures * 3 / 4); // by lot
    tokenizer_free(unused);
    world_free(varied);
}

static void assert_refused(const char *table, const char *message)
{
    static struct world broken;
    struct error err = {0};
    memset(&broken, 0, sizeof broken);
    assert_false(world_read_tables(&broken, scratch_write("kinds.txt", table, strlen(table)), &err));
    if (!strstr(err.text, message))
        fail_msg("\"%s\" lacks \"%s\"", err.text, message);
}

static void test_broken_tables_are_refused(void **state)
{
    (void)state;
    assert_refused("color red\ndog dogs animal x\n", "line 2: \"animal\" is not one of the categories");
    assert_refused("category animal animals\ndog dogs animal red=x\n", "\"red\" is not one of the colors");
    assert_refused("category animal animals\ndog dogs animal x y\n", "needs its color");
    assert_refused("color Red\n", "lower-case");
    assert_refused("color redredredredredred\n", "lower-case");
    assert_refused("category animal\n", "a category line");
    assert_refused("dog\n", "a kind's line");
    assert_refused("a a a a a a a a a a a a a a a a a a a a a a a a\n", "words");
    assert_refused("# nothing\n", "names 0 kinds");
    struct error err = {0};
    char folder[512];
    snprintf(folder, sizeof folder, "%s", scratch_path("none"));
    assert_null(world_open(folder, &WORLD_DEFAULT, &err));
    assert_int_equal(err.code, ERROR_INPUT);
    assert_non_null(strstr(err.text, "kinds.txt"));
}

static void test_sheet_of_wrong_size_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct picture picture;
    static struct world broken;
    memset(&broken, 0, sizeof broken);
    broken.cell_count = world->cell_count;
    assert_true(picture_alloc(&picture, 32, 32, 4, &err));
    const char *path = scratch_path("sheet.png");
    assert_true(picture_save_png(&picture, path, &err));
    picture_free(&picture);
    assert_false(world_read_sprites(&broken, WORLD_STYLE_NOTO, path, &err));
    assert_non_null(strstr(err.text, "32 x 32"));
}

// The plan of a scene does not hang on how its objects are drawn.
static void test_styles_draw_the_same_kinds(void **state)
{
    (void)state;
    static struct world_scene noto, other;
    struct tokenizer *unused;
    struct world_options options = WORLD_DEFAULT;
    options.styles = 1u << WORLD_STYLE_NOTO;
    struct world *plain = reading_open(&options, &unused);
    tokenizer_free(unused);
    for (int s = WORLD_STYLE_NOTO + 1; s < WORLD_STYLE_COUNT; s++) {
        options.styles = 1u << s;
        struct world *styled = reading_open(&options, &unused);
        int same = 0, of = 0;
        for (uint64_t i = 0; i < 30; i++) {
            if (!world_make_scene(plain, 3, i, &noto) || !world_make_scene(styled, 3, i, &other))
                continue;
            assert_memory_not_equal(noto.pixels, other.pixels, sizeof noto.pixels);
            same += noto.objects[0].kind == other.objects[0].kind && noto.objects[0].color == other.objects[0].color;
            of++;
        }
        assert_true(of >= 25);
        assert_int_equal(same, of);
        tokenizer_free(unused);
        world_free(styled);
    }
    world_free(plain);
}

// Mean of the longest sides of the objects of some scenes.
static double mean_size(const struct world_options *options)
{
    struct tokenizer *unused;
    struct world *sized = reading_open(options, &unused);
    static struct world_scene scene;
    double sum = 0;
    int count = 0;
    for (uint64_t i = 0; i < 60; i++) {
        world_make_scene(sized, 5, i, &scene);
        for (int o = 0; o < scene.object_count; o++, count++) {
            struct world_box box = scene.objects[o].box;
            int width = box.x1 - box.x0, height = box.y1 - box.y0;
            sum += width > height ? width : height;
        }
    }
    tokenizer_free(unused);
    world_free(sized);
    return sum / count;
}

static void test_objects_are_drawn_as_large_as_asked(void **state)
{
    (void)state;
    struct world_options options = WORLD_DEFAULT;
    double usual = mean_size(&options);
    options.size_low = options.size_high = 80;
    double small = mean_size(&options) / usual;
    options.size_low = options.size_high = WORLD_SIZE_MOST; // large ones find a place less often
    double large = mean_size(&options) / usual;
    options.size_low = 80;
    double mixed = mean_size(&options) / usual;
    assert_true(small > 0.76 && small < 0.84);
    assert_true(large > 1.2 && large < 1.32);
    assert_true(mixed > small + 0.05 && mixed < large - 0.05);
}

static void test_new_backgrounds_are_of_other_kinds(void **state)
{
    (void)state;
    static unsigned char pixels[WORLD_SIDE * WORLD_SIDE * 3];
    for (int kind = BACKGROUND_USUAL; kind < BACKGROUND_KINDS; kind++) {
        struct random random;
        random_init(&random, 7, (uint64_t)kind);
        background_draw_kind(&random, kind, pixels);
        int changes = 0; // from a pixel to the next: more than a plain one has
        for (int i = 3; i < WORLD_SIDE * WORLD_SIDE * 3; i++)
            changes += pixels[i] != pixels[i - 3];
        assert_true(changes > 2000);
        assert_non_null(background_name(kind));
    }
    assert_null(background_name(BACKGROUND_KINDS));
    struct world_options options = WORLD_DEFAULT;
    options.new_backgrounds = true;
    struct tokenizer *unused;
    struct world *other = reading_open(&options, &unused);
    static struct world_scene usual, changed;
    assert_true(world_make_scene(world, 3, 1, &usual) && world_make_scene(other, 3, 1, &changed));
    assert_memory_not_equal(usual.pixels, changed.pixels, sizeof usual.pixels);
    tokenizer_free(unused);
    world_free(other);
}

static void test_lists(void **state)
{
    (void)state;
    assert_in_range(world_kind_count(world), 100, 200);
    assert_int_equal(world_color_count(world), 9);
    assert_in_range(world_category_count(world), 12, 20);
    for (int i = 0; i < world_kind_count(world); i++) {
        assert_in_range(world_answer_find(world, world_kind_name(world, i)), 0,
                        world_answer_count(world) - 1);
        assert_in_range(world_kind_category(world, i), 0, world_category_count(world) - 1);
    }
    for (int i = 0; i < world_answer_count(world); i++) // each answer once
        assert_int_equal(world_answer_find(world, world_answer(world, i)), i);
    assert_int_equal(world_answer_find(world, "perhaps"), -1);
    assert_string_equal(world_kind_name(world, -1), "");
    assert_int_equal(world_kind_category(world, 9999), -1);
    assert_string_equal(world_family_name(WORLD_ASK_RELATION_CHECK), "relation-check");
    assert_string_equal(world_family_name(WORLD_FAMILY_COUNT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_styles_draw_the_same_kinds),
        cmocka_unit_test(test_objects_are_drawn_as_large_as_asked),
        cmocka_unit_test(test_new_backgrounds_are_of_other_kinds),
        cmocka_unit_test(test_mirrored_and_narrow),
        cmocka_unit_test(test_variation_keeps_what_is_asked),
        cmocka_unit_test(test_varied_scenes_show_the_same_things),
        cmocka_unit_test(test_world_has_not_changed),
        cmocka_unit_test(test_threads_make_the_same),
        cmocka_unit_test(test_boxes_are_tight),
        cmocka_unit_test(test_sprite_keeps_its_mean),
        cmocka_unit_test(test_broken_tables_are_refused),
        cmocka_unit_test(test_sheet_of_wrong_size_is_refused),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
