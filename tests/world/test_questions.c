// Questions: answers derived again from the text and the objects, shares, balance, and the words they use.
#include "tests/support/cmocka_all.h"
#include "tests/support/world_reading.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct case_ {
    const struct world_scene *scene;
    const struct world_question *question;
    struct reading reading;
};

static double middle_x(const struct case_ *c, int object)
{
    return (c->scene->objects[object].box.x0 + c->scene->objects[object].box.x1) / 2.0;
}

static double middle_y(const struct case_ *c, int object)
{
    return (c->scene->objects[object].box.y0 + c->scene->objects[object].box.y1) / 2.0;
}

static uint32_t all_of_kind(const struct case_ *c, int kind)
{
    uint32_t found = 0;
    for (int i = 0; i < c->scene->object_count; i++)
        found |= (uint32_t)(c->scene->objects[i].kind == kind) << i;
    return found;
}

static uint32_t all_of_category(const struct case_ *c, int category)
{
    uint32_t found = 0;
    for (int i = 0; i < c->scene->object_count; i++)
        found |= (uint32_t)(world_kind_category(world, c->scene->objects[i].kind) == category) << i;
    return found;
}

static int bits(uint32_t mask)
{
    return __builtin_popcount(mask);
}

static void expect(const struct case_ *c, const char *answer, uint32_t needed)
{
    if (strcmp(c->question->answer, answer) != 0 || c->question->needed != needed)
        fail_msg("\"%s\": \"%s\" needing %x, derived \"%s\" needing %x", c->question->text,
                 c->question->answer, c->question->needed, answer, needed);
}

static void expect_number(const struct case_ *c, uint32_t found)
{
    char number[16];
    snprintf(number, sizeof number, "%d", bits(found));
    expect(c, number, found);
}

static void expect_counts(const struct case_ *c, int first, int second)
{
    assert_int_equal(c->question->counts[0], first);
    assert_int_equal(c->question->counts[1], second);
}

// The one object of a kind that the question takes for granted.
static int only_one(const struct case_ *c, int kind)
{
    uint32_t found = all_of_kind(c, kind);
    assert_int_equal(bits(found), 1);
    return __builtin_ctz(found);
}

static void expect_centre(const struct case_ *c, int which, int object)
{
    assert_true(fabs((double)c->question->centres[2 * which] - (middle_x(c, object) / 96 - 1)) < 1e-5);
    assert_true(fabs((double)c->question->centres[2 * which + 1] - (middle_y(c, object) / 96 - 1)) < 1e-5);
}

static void check_exist(const struct case_ *c)
{
    uint32_t found;
    if (c->question->family == WORLD_ASK_EXIST_CATEGORY) {
        found = all_of_category(c, c->reading.category);
    } else {
        assert_int_equal(c->reading.kinds, 1);
        found = all_of_kind(c, c->reading.kind[0]);
    }
    if (c->question->family == WORLD_ASK_EXIST_COLOR) {
        assert_true(c->reading.color >= 0 && found != 0);
        for (int i = 0; i < c->scene->object_count; i++)
            if (c->scene->objects[i].color != c->reading.color)
                found &= ~(1u << i);
    }
    expect(c, found ? "yes" : "no", found);
    expect_counts(c, bits(found), -1);
}

static void check_color(const struct case_ *c)
{
    int object = only_one(c, c->reading.kind[0]);
    expect(c, world_color_name(world, c->scene->objects[object].color), 1u << object);
    expect_centre(c, 0, object);
    expect_counts(c, -1, -1);
}

static void check_count(const struct case_ *c)
{
    uint32_t found = c->question->family == WORLD_ASK_COUNT ? all_of_kind(c, c->reading.kind[0])
                                                            : all_of_category(c, c->reading.category);
    expect_number(c, found);
    expect_counts(c, bits(found), -1);
}

static void check_category(const struct case_ *c)
{
    uint32_t found = all_of_category(c, c->reading.category);
    assert_int_equal(bits(found), 1);
    int object = __builtin_ctz(found);
    expect(c, world_kind_name(world, c->scene->objects[object].kind), found);
    expect_centre(c, 0, object);
}

static void check_compare(const struct case_ *c)
{
    assert_int_equal(c->reading.kinds, 2);
    assert_true(c->reading.more != c->reading.fewer);
    uint32_t a = all_of_kind(c, c->reading.kind[0]), b = all_of_kind(c, c->reading.kind[1]);
    bool yes = c->reading.more ? bits(a) > bits(b) : bits(a) < bits(b);
    expect(c, yes ? "yes" : "no", a | b);
    expect_counts(c, bits(a), bits(b));
}

// In a corner: on its side of both middle lines; in the middle: within a sixth of the picture.
static bool lies_at(const struct case_ *c, int object)
{
    double x = middle_x(c, object) - 96, y = middle_y(c, object) - 96;
    if (c->reading.middle)
        return fabs(x) < 32 && fabs(y) < 32;
    return (c->reading.left ? x < 0 : x > 0) && (c->reading.top ? y < 0 : y > 0);
}

static void check_position(const struct case_ *c)
{
    uint32_t found = 0;
    for (int i = 0; i < c->scene->object_count; i++)
        found |= (uint32_t)lies_at(c, i) << i;
    if (!strcmp(c->question->answer, "nothing")) {
        expect(c, "nothing", found); // found is none
        assert_int_equal(found, 0);
    } else {
        assert_int_equal(bits(found), 1);
        expect(c, world_kind_name(world, c->scene->objects[__builtin_ctz(found)].kind), found);
        expect_centre(c, 0, __builtin_ctz(found));
    }
}

static void check_side(const struct case_ *c)
{
    int object = only_one(c, c->reading.kind[0]);
    assert_true(c->reading.left == c->reading.right && c->reading.top == c->reading.bottom);
    const char *answer = c->reading.left ? (middle_x(c, object) < 96 ? "left" : "right")
                                         : (middle_y(c, object) < 96 ? "top" : "bottom");
    expect(c, answer, 1u << object);
    expect_centre(c, 0, object);
}

// How far `object` lies from `reference` in the direction asked about, and across it.
static double along(const struct case_ *c, int object, int reference, double *aside)
{
    double dx = middle_x(c, object) - middle_x(c, reference),
           dy = middle_y(c, object) - middle_y(c, reference);
    *aside = fabs(c->reading.left || c->reading.right ? dy : dx);
    return c->reading.left ? -dx : c->reading.right ? dx : c->reading.above ? -dy : dy;
}

static void check_relation(const struct case_ *c)
{
    int reference = only_one(c, c->reading.kind[0]), ahead = 0;
    uint32_t cone = 0;
    double aside;
    for (int i = 0; i < c->scene->object_count; i++) {
        double distance = i == reference ? -1 : along(c, i, reference, &aside);
        ahead += distance > 0;
        if (distance > 0 && aside <= distance)
            cone |= 1u << i;
    }
    if (!strcmp(c->question->answer, "nothing")) {
        assert_int_equal(ahead, 0);
        expect(c, "nothing", 1u << reference);
    } else {
        assert_int_equal(bits(cone), 1);
        int object = __builtin_ctz(cone);
        expect(c, world_kind_name(world, c->scene->objects[object].kind), cone | 1u << reference);
        expect_centre(c, 1, object);
    }
    expect_centre(c, 0, reference);
}

static void check_relation_check(const struct case_ *c)
{
    assert_int_equal(c->reading.kinds, 2);
    int first = only_one(c, c->reading.kind[0]), second = only_one(c, c->reading.kind[1]);
    double aside, distance = along(c, first, second, &aside);
    assert_true(fabs(distance) >= 18);
    expect(c, distance > 0 ? "yes" : "no", 1u << first | 1u << second);
    expect_centre(c, 0, first);
    expect_centre(c, 1, second);
}

static void check_question(const struct world_scene *scene, const struct world_question *question)
{
    static void (*const checks[WORLD_FAMILY_COUNT])(const struct case_ *) = {
        [WORLD_ASK_EXIST] = check_exist,          [WORLD_ASK_EXIST_COLOR] = check_exist,
        [WORLD_ASK_EXIST_CATEGORY] = check_exist, [WORLD_ASK_COLOR] = check_color,
        [WORLD_ASK_COUNT] = check_count,          [WORLD_ASK_COUNT_CATEGORY] = check_count,
        [WORLD_ASK_POSITION] = check_position,    [WORLD_ASK_SIDE] = check_side,
        [WORLD_ASK_RELATION] = check_relation,    [WORLD_ASK_RELATION_CHECK] = check_relation_check,
        [WORLD_ASK_CATEGORY] = check_category,    [WORLD_ASK_COMPARE] = check_compare,
    };
    struct case_ c = {.scene = scene, .question = question};
    reading_make(world, tokenizer, question->text, &c.reading);
    if (c.reading.unknown || c.reading.tokens > 22)
        fail_msg("\"%s\": %d unknown words, %d tokens", question->text, c.reading.unknown, c.reading.tokens);
    assert_true(world_answer_find(world, question->answer) >= 0);
    checks[question->family](&c);
}

static void check_answers(void)
{
    static struct world_scene scene;
    struct world_question questions[WORLD_QUESTIONS];
    int checked[WORLD_FAMILY_COUNT] = {0};
    for (uint64_t i = 0; i < 800; i++) {
        if (!world_make_scene(world, 77, i, &scene))
            continue;
        int count = world_make_questions(world, 77, i, &scene, questions, 8);
        for (int q = 0; q < count; q++) {
            check_question(&scene, &questions[q]);
            checked[questions[q].family]++;
            for (int p = 0; p < q; p++)
                assert_string_not_equal(questions[p].text, questions[q].text);
        }
    }
    for (int f = 0; f < WORLD_FAMILY_COUNT; f++)
        assert_in_range(checked[f], 200, 2000);
}

static void test_answers_follow_from_the_scene(void **state)
{
    (void)state;
    check_answers();
}

// Swaps the test's world for another one while a test runs.
// Without the more words.
static const struct world_options PLAIN = {.styles = 1u << WORLD_STYLE_NOTO, .size_low = 100, .size_high = 100};

static void use_world(const struct world_options *options)
{
    tokenizer_free(tokenizer);
    world_free(world);
    world = reading_open(options, &tokenizer);
}

static void test_questions_in_plain_words_have_the_same_answers(void **state)
{
    (void)state;
    use_world(&PLAIN);
    check_answers();
    use_world(&WORLD_DEFAULT);
}

static void test_other_names_and_their_plurals_are_known(void **state)
{
    (void)state;
    struct reading reading;
    reading_make(world, tokenizer, "could you please tell me if there are any puppies or automobiles?", &reading);
    assert_int_equal(reading.unknown, 0);
    assert_int_equal(reading.kinds, 2);
    assert_string_equal(world_kind_name(world, reading.kind[0]), "dog");
    assert_string_equal(world_kind_name(world, reading.kind[1]), "car");
}

// Weights made without the more words can be taken over: their vocabulary comes first.
static void test_more_words_come_last(void **state)
{
    (void)state;
    struct tokenizer *fewer;
    struct world *plain = reading_open(&PLAIN, &fewer);
    assert_true(tokenizer_size(tokenizer) > tokenizer_size(fewer));
    for (int i = 0; i < tokenizer_size(fewer); i++)
        assert_string_equal(tokenizer_text(tokenizer, i), tokenizer_text(fewer, i));
    tokenizer_free(fewer);
    world_free(plain);
}

// What a model could know that sees no picture: for each meaning of a question the answer that it had most
// often.
struct entry {
    char key[WORLD_TEXT + 4];
    short *counts; // per answer
};
enum { TABLE = 1 << 17 };

static struct entry *entry_find(struct entry *table, const char *key, bool add)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *p = key; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
    for (uint64_t at = hash % TABLE;; at = (at + 1) % TABLE) {
        struct entry *entry = &table[at];
        if (!entry->counts && !add)
            return NULL;
        if (!entry->counts) {
            snprintf(entry->key, sizeof entry->key, "%s", key);
            entry->counts = calloc((size_t)world_answer_count(world), sizeof *entry->counts);
            assert_non_null(entry->counts);
            return entry;
        }
        if (!strcmp(entry->key, key))
            return entry;
    }
}

static int likeliest(const struct entry *entry)
{
    int best = 0;
    for (int i = 1; i < world_answer_count(world); i++)
        if (entry->counts[i] > entry->counts[best])
            best = i;
    return best;
}

struct tally {
    int asked[WORLD_FAMILY_COUNT], guessed[WORLD_FAMILY_COUNT], nothing[WORLD_FAMILY_COUNT], total;
};

// Visits `want` questions: learns the table, or, with a tally, guesses from it.
static void visit(struct entry *table, uint64_t seed, int want, struct tally *tally)
{
    static struct world_scene scene;
    struct world_question questions[WORLD_QUESTIONS];
    struct reading reading;
    for (uint64_t i = 0; want > 0; i++) {
        if (!world_make_scene(world, seed, i, &scene))
            continue;
        int count = world_make_questions(world, seed, i, &scene, questions, 8);
        for (int q = 0; q < count && want > 0; q++, want--) {
            char key[WORLD_TEXT + 4], whole[8];
            int family = questions[q].family, answer = world_answer_find(world, questions[q].answer);
            reading_make(world, tokenizer, questions[q].text, &reading);
            snprintf(key, sizeof key, "%d %s", family, reading.key);
            snprintf(whole, sizeof whole, "%d", family);
            if (!tally) {
                entry_find(table, key, true)->counts[answer]++;
                entry_find(table, whole, true)->counts[answer]++;
                continue;
            }
            const struct entry *entry = entry_find(table, key, false);
            tally->total++;
            tally->asked[family]++;
            tally->guessed[family] += likeliest(entry ? entry : entry_find(table, whole, false)) == answer;
            tally->nothing[family] += !strcmp(questions[q].answer, "nothing");
        }
    }
}

// The instrumented build looks for faults; the figures are the plain build's.
#ifdef __SANITIZE_ADDRESS__
enum { LEARNT = 5000, GUESSED = 4000 };
#else
enum { LEARNT = 50000, GUESSED = 20000 };
#endif

static void test_balance(void **state)
{
    (void)state;
    struct entry *table = calloc(TABLE, sizeof *table);
    struct tally tally = {0};
    assert_non_null(table);
    visit(table, 501, LEARNT, NULL);
    visit(table, 502, GUESSED, &tally);
    int guessed = 0;
    for (int f = 0; f < WORLD_FAMILY_COUNT; f++) {
        print_message("%-16s share %.3f guessed %.3f\n", world_family_name(f),
                      1.0 * tally.asked[f] / tally.total, 1.0 * tally.guessed[f] / tally.asked[f]);
        assert_true(tally.asked[f] >= 0.05 * tally.total);
        assert_true(tally.guessed[f] <= 0.58 * tally.asked[f]);
        assert_true(tally.nothing[f] <= 0.05 * tally.asked[f]);
        guessed += tally.guessed[f];
    }
    print_message("all              guessed %.3f\n", 1.0 * guessed / tally.total);
    assert_true(guessed < 0.45 * tally.total);
    for (int i = 0; i < TABLE; i++)
        free(table[i].counts);
    free(table);
}

static void test_words(void **state)
{
    (void)state;
    struct reading reading;
    struct token tokens[16];
    assert_in_range(tokenizer_size(tokenizer), 180, 240);
    assert_string_equal(tokenizer_text(tokenizer, 0), "<s>");
    assert_string_equal(tokenizer_text(tokenizer, 3), "<unk>");
    assert_string_equal(tokenizer_text(tokenizer, 4), "##s");
    const char *plurals[][2] = {{"mice", "mouse"},    {"butterflies", "butterfly"}, {"foxes", "fox"},
                                {"peaches", "peach"}, {"potatoes", "potato"},       {"vehicles", "vehicle"}};
    for (size_t i = 0; i < sizeof plurals / sizeof *plurals; i++) {
        assert_int_equal(tokenizer_encode(tokenizer, plurals[i][0], tokens, 16), 4);
        assert_string_equal(tokenizer_text(tokenizer, tokens[1].id), plurals[i][1]);
        assert_int_equal(tokens[2].id, 4);
    }
    assert_int_equal(tokenizer_encode(tokenizer, "scissors", tokens, 16), 3);
    reading_make(world, tokenizer, "What's the colour of the car under the centre?", &reading);
    assert_int_equal(reading.unknown, 0);
    assert_true(reading.below && reading.middle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_answers_follow_from_the_scene),
        cmocka_unit_test(test_questions_in_plain_words_have_the_same_answers),
        cmocka_unit_test(test_other_names_and_their_plurals_are_known),
        cmocka_unit_test(test_more_words_come_last),
        cmocka_unit_test(test_balance),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
