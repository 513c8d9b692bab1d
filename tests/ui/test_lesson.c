// Lessons as files: what is bundled says the same in both languages, and what is wrong is named with its
// line.
#include "tests/support/cmocka_all.h"

#include "tests/support/sample_trace.h"
#include "tests/support/scratch.h"
#include "ui/lesson_done.h"
#include "ui/lesson_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_same(const char *name, const struct lesson *a, const struct lesson *b)
{
    bool same = a->candidate_count == b->candidate_count && !strcmp(a->policy, b->policy) &&
                (a->budget == b->budget || (isnan(a->budget) && isnan(b->budget))) &&
                a->breaks == b->breaks && a->has_stage == b->has_stage &&
                !memcmp(&a->stage, &b->stage, sizeof a->stage) && a->has_cursor == b->has_cursor &&
                a->cursor == b->cursor && a->show == b->show && a->panel_count == b->panel_count &&
                a->notice == b->notice && !a->check == !b->check && a->choice_count == b->choice_count &&
                !a->compare[0] == !b->compare[0];
    for (int i = 0; same && i < a->candidate_count; i++)
        same = !strcmp(a->pictures[i], b->pictures[i]) && !strcmp(a->questions[i], b->questions[i]);
    for (int i = 0; same && i < a->choice_count; i++)
        same = a->choices[i].right == b->choices[i].right;
    if (!same)
        fail_msg("%s is another lesson in the other language", name);
}

static void test_bundled_lessons(void **state)
{
    (void)state;
    static struct tour tour;
    struct error err = {0};
    char path[2 * TOUR_PATH];
    if (!tour_open(&tour, "assets", &err))
        fail_msg("%s", err.text);
    assert_int_equal(tour.count, 10);
    for (int i = 0; i < tour.count; i++) {
        struct lesson lessons[2];
        for (int l = 0; l < 2; l++) {
            snprintf(path, sizeof path, "assets/lessons/%s/%s", l ? "zh_CN" : "en", tour.names[i]);
            if (!lesson_read(&lessons[l], path, &err))
                fail_msg("%s", err.text);
        }
        check_same(tour.names[i], &lessons[0], &lessons[1]);
        assert_non_null(lessons[0].check); // each ends with a question, and has something to try
        assert_non_null(lessons[0].attempt);
        for (int c = 0; c < lessons[0].candidate_count; c++) {
            snprintf(path, sizeof path, "assets/pictures/%s", lessons[0].pictures[c]);
            assert_int_equal(access(path, R_OK), 0);
        }
        lesson_free(&lessons[0]);
        lesson_free(&lessons[1]);
    }
    tour_close(&tour);
}

#define END "text:\nx\n"
static const struct {
    const char *text, *says;
} bad[] = {
    {END, "at least a title"},
    {"title: a\n", "at least a title and a text"},
    {"title: a\ntext:\n", "at least a title and a text"},
    {"title: a\nfoo: b\n" END, "line 2 of the lesson: lessons know no entry of this name: \"foo\""},
    {"title: a\ntitle: b\n" END, "line 2 of the lesson: this is said twice"},
    {"title:\n" END, "line 1 of the lesson: there is nothing behind the colon"},
    {"# a\n\ntitle: a\n b\n c\nwhat\n" END, "line 6 of the lesson: an entry is NAME: VALUE: \"what"},
    {"title: a\nbudget: 2\n" END, "a budget is trained, break, or a share from 0.05 to 1: \"2\""},
    {"title: a\nbudget: break\n" END, "needs a picture, a question and a policy"},
    {"title: a\npolicy: best\n" END, "line 2 of the lesson: there is no policy of this name: \"best\""},
    {"title: a\nstage: fusion x\n" END, "a stage is embed text"},
    {"title: a\nstage: fusion 0\n" END, "a stage is embed text"},
    {"title: a\ncursor: patch\n" END, "a cursor is none, patches, words or heads"},
    {"title: a\nshow: all\n" END, "what is shown is survivors"},
    {"title: a\npanels: words words\n" END, "each once"},
    {"title: a\npicture: ../x.jpg\nquestion: b\n" END, "a picture is the name of a bundled one"},
    {"title: a\npicture: x.jpg\n" END, "a picture goes with a question"},
    {"title: a\nor: x.jpg | b\n" END, "a further candidate stands behind the first"},
    {"title: a\ntry: b {nothing}\n" END,
     "line 2 of the lesson: there is no value of this name: \"{nothing}\""},
    {"title: a\ntry: b {answer\n" END, "there is no value of this name"},
    {"title: a\ntext:\n{answr}\n", "line 2 of the lesson: there is no value of this name"},
    {"title: a\ntry: b\n" END, "go together"},
    {"title: a\ntry: b\nnotice: stage\nnoticed: c\n" END, "that cannot be noticed"},
    {"title: a\ntry: b\nnotice: drop it\nnoticed: c\n" END, "that cannot be noticed"},
    {"title: a\ncheck: b\n" END, "two to four choices"},
    {"title: a\ncheck: b\nright 1: c\nwhy 1: d\nright 2: e\nwhy 2: f\n" END, "one choice is right"},
    {"title: a\ncheck: b\nright 1: c\nwhy 1: d\nwrong 2: e\n" END, "has no `why` behind it"},
    {"title: a\ncheck: b\nright 2: c\n" END, "choices come in order"},
    {"title: a\ncheck: b\nright 5: c\n" END, "numbered from 1 to 4"},
    {"title: a\ncompare: patches\n" END, "two values are compared"},
};

static void test_bad_lessons(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lesson lesson;
        struct error err = {0};
        bool read = lesson_parse(&lesson, bad[i].text, strlen(bad[i].text), &err);
        if (read || !strstr(err.text, bad[i].says) || lesson.bytes)
            fail_msg("case %zu: \"%s\", not \"%s\"", i, err.text, bad[i].says);
    }
}

static void test_lines_are_joined(void **state)
{
    (void)state;
    static const char text[] = "title: two\n   lines\ntext:\n\none\ntwo\n\n中文\n也是\n中文\n";
    struct lesson lesson;
    assert_true(lesson_parse(&lesson, text, strlen(text), NULL));
    assert_string_equal(lesson.title, "two lines");
    assert_string_equal(lesson.text, "one two\n中文也是中文");
    lesson_free(&lesson);
}

static void test_values_are_filled_in(void **state)
{
    (void)state;
    struct view view = {.has_trace = true, .stage = SAMPLE_STAGES - 1};
    struct lesson_memory memory = {.before = {"lemon", 0.25F}, .share_before = 100};
    char out[256], small[8];
    sample_trace(&view.trace, "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0,
                 SAMPLE_STAGES);
    lesson_fill(
        "{patches} of {patches.rows} by {patches.columns}, {policy} {budget}, {before} {before.p}, {{x}",
        &view, &memory, out, sizeof out);
    assert_string_equal(out, "144 of 12 by 12, learned 50 %, lemon 25, {x}");
    snprintf(out, sizeof out, "%.0f", 100 * view.trace.spent_macs / view.trace.dense_macs);
    lesson_fill("{share}", &view, &memory, small, sizeof small);
    assert_string_equal(small, out);
    lesson_fill("{question}", &view, &memory, small, sizeof small);
    assert_string_equal(small, "what co");
    lesson_fill("{score.self}", &view, &memory, small, sizeof small); // no cursor
    assert_string_equal(small, "?");
    view_free(&view);
}

static void test_what_is_done_is_remembered(void **state)
{
    (void)state;
    static struct tour tour;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/deep/er", scratch_path("state"));
    setenv("XDG_STATE_HOME", folder, 1);
    assert_true(tour_open(&tour, "assets", NULL));
    for (int i = 0; i < tour.count; i++)
        assert_false(tour.done[i]);
    tour.done[1] = tour.done[8] = true;
    struct error err = {0};
    if (!lesson_done_write(&tour, &err))
        fail_msg("%s", err.text);
    tour_close(&tour);
    assert_true(tour_open(&tour, "assets", NULL));
    for (int i = 0; i < tour.count; i++)
        assert_int_equal(tour.done[i], i == 1 || i == 8);
    tour_close(&tour);
    setenv("XDG_STATE_HOME", "/dev/null", 1);
    assert_true(tour_open(&tour, "assets", NULL));
    assert_false(lesson_done_write(&tour, &err));
    tour_close(&tour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bundled_lessons),
        cmocka_unit_test(test_bad_lessons),
        cmocka_unit_test(test_lines_are_joined),
        cmocka_unit_test(test_values_are_filled_in),
        cmocka_unit_test(test_what_is_done_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
