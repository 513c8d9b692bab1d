// The page "why" on a real run of a tiny model, through a terminal: what it says is what the engine says.
#include "tests/support/cmocka_all.h"

#include "app/session.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/explain.h"
#include "engine/run/intervention_text.h"
#include "engine/run/run.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_test.h"
#include "tests/support/tiny.h"
#include "ui/screen.h"
#include "ui/why_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { SEED = 7 }; // the unpruned model answers otherwise than the pruned one
static const char *model_path, *picture_path;
static int make_files(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.seed = 20;
    model_path = tiny_write("why.safetensors", &tiny);
    struct picture picture = tiny_picture(SEED);
    picture_path = scratch_path("why.png");
    assert_true(picture_save_png(&picture, picture_path, NULL));
    picture_free(&picture);
    return 0;
}

// ---- what the engine says

struct truth {
    struct explain_verdict verdict;
    struct explain_effect effect;
    struct explain_set restore, broken; // the second over heads alone
    struct trace trace;
};

static void find_truth(struct truth *truth, int token)
{
    struct error err = {0};
    struct model *model = model_open(model_path, NULL, &err);
    assert_non_null(model);
    struct run *run = tiny_run(model, NULL, SEED);
    tiny_finish(run);
    struct explainer *e = explain_new(run, &err);
    struct explain_place place = {.stage = run_trace(run)->stage_total - 1, .stream = 0, .token = token};
    struct intervention change;
    assert_true(explain_verdict(e, &place, &truth->verdict, &err) && explain_opposite(&truth->verdict, &change));
    assert_true(explain_what_if(e, &change, 1, &truth->effect, &err));
    assert_true(explain_find_set(e, EXPLAIN_RESTORE, EXPLAIN_ALL, NULL, &truth->restore, &err));
    assert_true(explain_find_set(e, EXPLAIN_BREAK, EXPLAIN_HEADS, NULL, &truth->broken, &err));
    assert_true(trace_copy(&truth->trace, run_trace(run)));
    explain_free(e);
    run_free(run);
    model_free(model);
}

static void forget_truth(struct truth *truth)
{
    explain_set_free(&truth->restore);
    explain_set_free(&truth->broken);
    trace_free(&truth->trace);
}

// ---- the screen

static int run_screen(void *picture)
{
    struct error err = {0};
    struct screen_options options = screen_options_default();
    struct session_options session_options = {.model = model_path, .pictures = {picture ? picture : picture_path},
                                              .question = tiny_questions[SEED % 8], .policy = POLICY_LEARNED,
                                              .budget = (double)NAN, .threads = 1};
    options.graphics = GRAPHICS_BLOCKS;
    struct session *session = session_new(&session_options, &err);
    struct backend backend = session_backend(session);
    bool fine = screen_run(&backend, &options, &err);
    session_free(session);
    return fine ? 0 : 1;
}

// Nothing could be done on a screen without a run.
static void test_picture_that_is_not_there(void **state)
{
    (void)state;
    static char nowhere[] = "nowhere.png";
    screen_term_start_xterm(&term, 30, 100, false, run_screen, nowhere);
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_true(screen_term_restored(&term));
    assert_false(term.alternate);
    screen_term_free(&term);
}

static void start(int rows, int columns)
{
    screen_term_start_xterm(&term, rows, columns, false, run_screen, NULL);
    expect("stage 1 of 10");
    screen_term_type(&term, "G");
    expect("stage 10 of 10");
}

// The cursor to row 1, column 1 of the picture, wherever it was.
static void go_to_first_patch(void)
{
    screen_term_type(&term, "\t");
    for (int i = 0; i < 6; i++)
        screen_term_type(&term, "hk");
}

static void test_the_decision(void **state)
{
    (void)state;
    struct truth truth;
    char text[WHY_TEXT], stage[WHY_STAGE];
    find_truth(&truth, 1);
    start(48, 160);
    go_to_first_patch();
    screen_term_type(&term, "w");
    expect("the patch in row 1, column 1");
    snprintf(text, sizeof text, "in %s: margin %+.3f, threshold %+.3f", why_stage_name(&truth.trace, truth.verdict.stage, stage),
             (double)(truth.verdict.score - truth.verdict.threshold), (double)truth.verdict.threshold);
    expect(text);
    snprintf(text, sizeof text, "rank %d of %d scored there (kept: %d)", truth.verdict.rank, truth.verdict.of,
             truth.verdict.survivors);
    expect(text);
    why_tell_effect(&truth.trace, &truth.verdict, &truth.effect,
                    truth.verdict.died >= 0 ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP, text, sizeof text);
    expect(text);
    expect("WORDS THAT PULL");
    expect("$ trimscope run ");
    expect("why.safetensors"); // not the bundled one
    // Made so, undone, made again.
    screen_term_type(&term, "\r");
    expect("Forced to stay: the patch in row 1, column 1");
    expect("--keep ");
    expect("forced to stay");
    expect("If it had gone: ");
    screen_term_type(&term, "u");
    expect("If it had stayed: ");
    screen_term_type(&term, "U");
    expect("If it had gone: ");
    finish("qq");
    forget_truth(&truth);
}

static void test_the_set(void **state)
{
    (void)state;
    struct truth truth;
    char text[2 * WHY_TEXT];
    find_truth(&truth, 1);
    assert_int_equal(truth.restore.outcome, EXPLAIN_FOUND);
    start(48, 160);
    screen_term_type(&term, "W");
    expect("WHAT MUST COME BACK?");
    expect("Enter make it so"); // once something is found
    why_tell_set(&truth.restore, text, sizeof text);
    text[60] = 0; // it may be broken over two rows
    expect(text);
    for (int i = 0; i < truth.restore.count; i++) {
        why_name_change(&truth.trace, &truth.restore.members[i], text, sizeof text);
        expect(text);
    }
    screen_term_type(&term, "\r");
    expect("The run has it now: u takes it back.");
    snprintf(text, sizeof text, "to '%s'", truth.restore.unpruned.text);
    expect(text);
    screen_term_type(&term, "W");
    snprintf(text, sizeof text, "The answer is the unpruned model's already ('%s'", truth.restore.unpruned.text);
    expect(text);
    assert_true(screen_term_wait_gone(&term, "Enter make it so")); // there is nothing to be made so
    screen_term_type(&term, "u"); // the whole set at once
    snprintf(text, sizeof text, "to '%s'", truth.restore.before.text);
    expect(text);
    screen_term_type(&term, "u");
    expect("There is nothing to undo.");
    screen_term_type(&term, "B");
    expect("WHAT DOES THE ANSWER HANG ON?");
    expect("Enter makes it so; u takes it back");
    screen_term_type(&term, "o");
    expect("W and B try: patches.");
    finish("qq");
    forget_truth(&truth);
}

// From the set w goes to its members, one after the other; Enter there does what is shown: the member comes back. W shows
// the set again without a second search.
static void test_the_members(void **state)
{
    (void)state;
    struct truth truth;
    char text[WHY_TEXT + 8];
    find_truth(&truth, 1);
    const struct intervention *first = &truth.restore.members[0];
    assert_true(first->kind == INTERVENE_TOKEN_KEEP || first->kind == INTERVENE_HEAD_ON);
    start(48, 160);
    screen_term_type(&term, "W");
    expect("Enter make it so");
    for (int i = 0; i < truth.restore.count && i < 3; i++) {
        screen_term_type(&term, "w");
        why_name_change(&truth.trace, &truth.restore.members[i], text, sizeof text);
        expect("WHAT IF");
        expect(text);
        snprintf(text, sizeof text, "stage %d of 10", truth.restore.members[i].stage + 1);
        expect(text);
        expect(truth.restore.members[i].kind == INTERVENE_TOKEN_KEEP ? "If it had stayed: " : "With it: ");
        screen_term_type(&term, "W");
        expect("Enter makes it so; u takes it back");
    }
    screen_term_type(&term, "w\r");
    expect("Forced to stay: ");
    finish("qq");
    forget_truth(&truth);
}

// Each member has its place as commands take it, in the least window, too, where heads have names of two rows.
static void test_places_of_members(void **state)
{
    (void)state;
    struct truth truth;
    char place[96];
    find_truth(&truth, 1);
    assert_int_equal(truth.broken.outcome, EXPLAIN_FOUND);
    assert_true(truth.broken.count > 0 && truth.broken.members[0].kind == INTERVENE_HEAD_OFF);
    start(24, 80);
    screen_term_type(&term, "WoooB");
    expect("WHAT DOES THE ANSWER HANG ON?");
    expect("Enter makes it so; u takes it back");
    for (int i = 0; i < truth.broken.count && i < 3; i++) {
        assert_true(intervention_write(&truth.trace, &truth.broken.members[i], place, sizeof place));
        expect(place);
    }
    finish("qq");
    forget_truth(&truth);
}

// In the least window everything has its place, words and heads can be asked about, and the command line is whole.
static void test_the_least_window(void **state)
{
    (void)state;
    start(24, 80);
    screen_term_type(&term, "\tw");
    expect("the patch in row ");
    screen_term_type(&term, "\t");
    expect("the word '");
    screen_term_type(&term, ",\t");
    expect("head 1 of the patches' self-attention in");
    expect("WHAT IF");
    expect("$ trimscope run");
    screen_term_type(&term, "\t");
    expect("the patch in row ");
    finish("qq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picture_that_is_not_there),
        cmocka_unit_test(test_the_decision),
        cmocka_unit_test(test_the_set),
        cmocka_unit_test(test_the_members),
        cmocka_unit_test(test_places_of_members),
        cmocka_unit_test(test_the_least_window),
    };
    return cmocka_run_group_tests_name("why on the screen", tests, make_files, NULL);
}
