// What the view says about a run, counted again here from the trace; and the sentences, number by number.
#include "tests/support/cmocka_all.h"
#include "tests/support/sample_trace.h"
#include "ui/draw.h"
#include "ui/narrate.h"
#include "ui/view.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct view view;

static int set_up(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C.UTF-8");
    struct backend_news news = {.has_trace = true, .done = NAN};
    sample_trace(&news.trace, "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0,
                 SAMPLE_STAGES);
    assert_true(view_take_news(&view, &news));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    view_free(&view);
    return 0;
}

static int count_alive(int stage, int stream, int from)
{
    int alive = 0;
    for (int s = stage; s >= 0; s--) {
        const struct trace_tokens *tokens = &view.trace.stages[s].tokens[stream];
        if (tokens->count == 0)
            continue;
        for (int i = from; i < tokens->count; i++)
            alive += tokens->alive[i];
        return alive;
    }
    return stream == TRACE_TEXT_STREAM ? view.trace.token_count : SAMPLE_GRID * SAMPLE_GRID;
}

static void expect_command(const char *path, const char *begins)
{
    free(view.trace.pictures[0].path);
    view.trace.pictures[0].path = strdup(path);
    char *command = view_make_command(&view, NULL, 0);
    assert_non_null(command);
    if (strncmp(command, begins, strlen(begins)))
        fail_msg("not '%s': %s", begins, command);
    free(command);
}

static void test_command_names_pictures_shortly(void **state)
{
    (void)state;
    char here[4000], path[4096];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/pets/cat.png", here);
    expect_command(path, "trimscope run pets/cat.png 'what");
    snprintf(path, sizeof path, "%s-other/cat.png", here);
    char whole[5000];
    snprintf(whole, sizeof whole, "trimscope run %s 'what", path);
    expect_command(path, whole); // a folder that only begins like this one
    view.assets = "/somewhere/assets";
    expect_command("/somewhere/assets/pictures/no such.jpg", "trimscope run 'no such.jpg' 'what");
    expect_command("/somewhere/assets/pictures/more/cat.jpg", "trimscope run /somewhere/assets/pictures/more/cat.jpg 'what");
    expect_command("/somewhere/assets/pictures/.", "trimscope run /somewhere/assets/pictures/. 'what");
}

// Stages of words alone pass by while a run goes on: the head cursor stays with the patches until somebody is on it.
static void test_the_head_cursor_waits(void **state)
{
    (void)state;
    int words = -1;
    for (int s = 0; s < SAMPLE_STAGES && words < 0; s++)
        if (view_heads(&view, s, TRACE_TEXT_STREAM, MODULE_MSA) && !view_heads(&view, s, 0, MODULE_MSA))
            words = s;
    assert_true(words >= 0);
    view.focus = FOCUS_STAGES;
    view.head = (struct head_place){0, MODULE_MSA, 1};
    view.stage = words;
    view_clamp(&view);
    assert_int_equal(view.head.stream, 0);
    assert_int_equal(view.head.head, 1);
    view.focus = FOCUS_HEADS;
    view_clamp(&view);
    assert_int_equal(view.head.stream, TRACE_TEXT_STREAM);
}

static void test_counts(void **state)
{
    (void)state;
    for (int stage = 0; stage < SAMPLE_STAGES; stage++) {
        int total;
        assert_int_equal(view_alive_count(&view, stage, 0, &total), count_alive(stage, 0, 1));
        assert_int_equal(total, SAMPLE_GRID * SAMPLE_GRID);
        assert_int_equal(view_alive_count(&view, stage, TRACE_TEXT_STREAM, &total),
                         count_alive(stage, TRACE_TEXT_STREAM, 0));
        assert_int_equal(total, view.trace.token_count);
        if (stage > 0 && view.trace.stages[stage].tokens[0].count > 0)
            assert_int_equal(view_dropped_now_count(&view, stage, 0),
                             count_alive(stage - 1, 0, 1) - count_alive(stage, 0, 1));
    }
}

// One table of names: whole, and shorter the less room there is, all of them alike.
static void test_stage_names(void **state)
{
    (void)state;
    static const struct {
        struct stage stage;
        const char *whole, *middle, *least;
    } names[] = {
        {{.kind = STAGE_EMBED, .stream = TRACE_TEXT_STREAM, .layer = -1}, "embed text", "txt0", "t0"},
        {{.kind = STAGE_TEXT, .stream = TRACE_TEXT_STREAM, .layer = 1}, "text 2", "txt2", "t2"},
        {{.kind = STAGE_EMBED, .stream = 0, .layer = -1}, "embed image", "img0", "i0"},
        {{.kind = STAGE_IMAGE, .stream = 0, .layer = 0}, "image 1", "img1", "i1"},
        {{.kind = STAGE_FUSION, .stream = -1, .layer = 11}, "fusion 12", "fus12", "f12"},
        {{.kind = STAGE_MEMORY, .stream = TRACE_TEXT_STREAM, .layer = 0}, "memory", "mem", "m"},
        {{.kind = STAGE_DECODE, .stream = TRACE_TEXT_STREAM, .layer = 1}, "word 2", "dec2", "d2"},
        {{.kind = STAGE_ANSWER, .stream = -1, .layer = -1}, "answer", "ans", "a"},
    };
    enum { COUNT = sizeof names / sizeof *names };
    struct stage stages[COUNT];
    struct trace trace = {.stages = stages, .stage_count = COUNT};
    for (size_t i = 0; i < COUNT; i++)
        stages[i] = names[i].stage;
    for (size_t i = 0; i < COUNT; i++) {
        char name[TRACE_TEXT];
        view_fit_stage_name(&trace, &stages[i], 12, name, sizeof name);
        assert_string_equal(name, names[i].whole);
        view_fit_stage_name(&trace, &stages[i], 10, name, sizeof name); // "embed image" does not fit: all are short
        assert_string_equal(name, names[i].middle);
        view_fit_stage_name(&trace, &stages[i], 5, name, sizeof name);
        assert_string_equal(name, names[i].middle);
        view_fit_stage_name(&trace, &stages[i], 1, name, sizeof name);
        assert_string_equal(name, names[i].least);
    }
}

static void test_scores_of_the_dead(void **state)
{
    (void)state;
    const struct trace_tokens *end = view_tokens(&view, SAMPLE_STAGES - 1, 0);
    int checked = 0;
    for (int i = 1; i < end->count; i++) {
        struct view_score score = view_score(&view, SAMPLE_STAGES - 1, 0, i);
        if (end->alive[i])
            continue;
        assert_int_equal(score.stage, end->dropped_at[i]);
        assert_true(score.total < view_threshold(&view, score.stage, 0));
        checked++;
    }
    assert_true(checked > 50);
}

// A policy whose limit is not told: between the worst kept and the best dropped.
static void test_threshold_of_ranks(void **state)
{
    (void)state;
    strcpy(view.trace.policy, "cls-attention");
    int stage = 6;
    float limit = view_threshold(&view, stage, 0);
    const struct trace_tokens *tokens = &view.trace.stages[stage].tokens[0];
    for (int i = 1; i < tokens->count; i++)
        if (!isnan(tokens->score[i]))
            assert_int_equal(tokens->score[i] >= limit, tokens->alive[i]);
    assert_true(isnan(view_threshold(&view, 0, 0)));
}

static void test_sentences(void **state)
{
    (void)state;
    char text[800], expected[600];
    for (int stage = 0; stage < SAMPLE_STAGES; stage++) {
        narrate_stage(&view, stage, text, sizeof text);
        assert_true(strlen(text) > 20);
        assert_true(text[0] >= 'A' && text[0] <= 'Z');
        assert_null(strstr(text, "nan"));
    }
    narrate_stage(&view, 6, text, sizeof text);
    int before = count_alive(5, 0, 1), after = count_alive(6, 0, 1);
    snprintf(expected, sizeof expected, "Fusion 1 dropped %d of %d patches, %d stay", before - after, before,
             after);
    assert_non_null(strstr(text, expected));
    narrate_stage(&view, SAMPLE_STAGES - 1, text, sizeof text);
    snprintf(expected, sizeof expected, "The answer is '%s' with %.0f %%.", view.trace.answer.text,
             100 * (double)view.trace.answer.p);
    assert_non_null(strstr(text, expected));
    double share = view.trace.spent_macs / view.trace.dense_macs;
    snprintf(expected, sizeof expected, "%.0f %%, %.1f times less.\n%d of 144 patches", 100 * share, 1 / share,
             count_alive(12, 0, 1));
    assert_non_null(strstr(text, expected));
    // The words with the best totals, before and after.
    narrate_stage(&view, 7, text, sizeof text);
    int best = -1;
    const struct trace_tokens *words = &view.trace.stages[7].tokens[TRACE_TEXT_STREAM];
    for (int i = 1; i + 1 < words->count; i++)
        if (words->alive[i] && !isnan(words->score[i]) && (best < 0 || words->score[i] > words->score[best]))
            best = i;
    snprintf(expected, sizeof expected, "'%s' weighs most among the words (score %+.1f)",
             view.trace.tokens[best].text, (double)words->score[best]);
    assert_non_null(strstr(text, expected));
    // However short the room, the text ends.
    for (size_t size = 1; size < 60; size++) {
        char small[64];
        memset(small, 'x', sizeof small);
        narrate_stage(&view, 7, small, size);
        assert_non_null(memchr(small, 0, size));
    }
}

static void test_flops(void **state)
{
    (void)state;
    static const struct {
        double macs;
        const char *text;
    } cases[] = {{0, "0 "},           {250, "500 "},      {500, "1.00 k"},      {6.172e5, "1.23 M"},
                 {6.172e6, "12.3 M"}, {6.172e7, "123 M"}, {4.9999e8, "1.00 G"}, {99.7e9, "199 G"},
                 {(double)NAN, "0 "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[24];
        draw_flops(text, sizeof text, cases[i].macs);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_wrapping(void **state)
{
    (void)state;
    assert_int_equal(draw_rows("", 10), 1);
    assert_int_equal(draw_rows("one two", 7), 1);
    assert_int_equal(draw_rows("one two", 6), 2);
    assert_int_equal(draw_rows("one two three four", 10), 2);
    assert_int_equal(draw_rows("ünïcödé wörds", 7), 2);
    assert_int_equal(draw_width("a猫b"), 4);
    assert_int_equal(draw_width("\xff\xc3(\x01"), 4); // each bad byte is one '?'
}

// What the person did is told apart from what the model did: in the story, and by the token's name.
static void test_changes_by_hand(void **state)
{
    (void)state;
    const struct intervention by_hand[] = {
        {.kind = INTERVENE_TOKEN_DROP, .stage = 7, .stream = 0, .token = 14},
        {.kind = INTERVENE_TOKEN_KEEP, .stage = 8, .stream = TRACE_TEXT_STREAM, .token = 2},
        {.kind = INTERVENE_HEAD_OFF, .stage = 9, .stream = 0, .module = MODULE_MSA, .head = 1},
        {.kind = INTERVENE_HEAD_ON, .stage = 9, .stream = 0, .module = MODULE_MSA, .head = 3},
    };
    char text[800];
    view_free(&view);
    struct backend_news news = {.has_trace = true, .done = NAN};
    sample_trace(&news.trace, "what color is the apple left of the lemon?", "learned", 0.5, by_hand, 4, SAMPLE_STAGES);
    assert_true(view_take_news(&view, &news));
    narrate_stage(&view, 6, text, sizeof text);
    assert_null(strstr(text, "by hand"));
    narrate_stage(&view, 7, text, sizeof text);
    assert_non_null(strstr(text, "; the patch in row 2, column 2 dropped by hand"));
    narrate_stage(&view, 8, text, sizeof text);
    assert_non_null(strstr(text, "; 'color' kept by hand"));
    narrate_stage(&view, 9, text, sizeof text);
    assert_non_null(strstr(text, "; 2 changes by hand"));
    assert_int_equal(view_by_hand(&view, 0, 14), VIEW_DROPPED_BY_HAND);
    assert_int_equal(view_by_hand(&view, TRACE_TEXT_STREAM, 2), VIEW_KEPT_BY_HAND);
    assert_int_equal(view_by_hand(&view, TRACE_TEXT_STREAM, 14), VIEW_NOT_BY_HAND);
}

// Pieces of words have names that can be read on their own.
static void test_word_names(void **state)
{
    (void)state;
    static struct trace_token tokens[] = {{"<s>", 0, 0, false},    {"butterfly", 0, 8, false}, {"##s", 8, 11, false},
                                          {"mouse", 12, 16, false}, {"##s", 12, 16, false},     {"<unk>", 17, 22, true},
                                          {"!", 22, 23, false},     {"</s>", 23, 23, false}};
    static const char *const expected[] = {"<s>", "butterfly", "-ies (butterflies)", "mice", "+s (mice)", "zebra", "!", "</s>", "?"};
    struct trace_token *before = view.trace.tokens;
    char name[TRACE_TEXT], *question = view.trace.question;
    int count = view.trace.token_count;
    view.trace.tokens = tokens;
    view.trace.token_count = 8;
    view.trace.question = (char[]){"butterflies mice zebra!"};
    for (int i = 0; i < 9; i++) {
        view_token_name(&view, TRACE_TEXT_STREAM, i, name, sizeof name);
        assert_string_equal(name, expected[i]);
    }
    view.trace.tokens = before;
    view.trace.question = question;
    view.trace.token_count = count;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_head_cursor_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stage_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_command_names_pictures_shortly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scores_of_the_dead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threshold_of_ranks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sentences, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_word_names, set_up, tear_down),
        cmocka_unit_test(test_flops),
        cmocka_unit_test(test_wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
