// The comparison page on made-up runs, through libvterm: what is typed, and what stands beside each other.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/sample_trace.h"
#include "tests/support/screen_test.h"
#include "ui/compare_words.h"
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char first_question[] = "what color is the apple left of the lemon?", other_question[] = "where is the ball?";

static void start(int rows, int columns, bool sixel)
{
    start_fake_screen(rows, columns, sixel, NULL);
    screen_term_type(&term, "v");
    expect("COMPARE A WITH");
}

// Esc needs a moment to be told from the start of a sequence.
static void leave_list(void)
{
    screen_term_type(&term, "\033");
    reject("COMPARE A WITH");
}

// The first entry of the list, with the question that is proposed.
static void add_question(void)
{
    screen_term_type(&term, "\r");
    expect(other_question);
    screen_term_type(&term, "\r");
    expect("where is the ball ›");
}

// Two questions on one picture: the sentence below tells the very counts of the traces, at every stage.
static void test_two_questions(void **state)
{
    (void)state;
    struct trace traces[2];
    struct comparison comparison = {2, {&traces[0], &traces[1]}};
    sample_trace(&traces[0], first_question, "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    sample_trace(&traces[1], other_question, "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    start(48, 160, true);
    add_question();
    reject("COMPARE A WITH");
    for (int stage = 1; stage < SAMPLE_STAGES; stage++) {
        char sentence[480], name[64];
        screen_term_type(&term, "l");
        snprintf(name, sizeof name, "stage %d of %d", stage + 1, SAMPLE_STAGES);
        expect(name);
        compare_tell(&comparison, stage, sentence, sizeof sentence);
        sentence[strcspn(sentence, ".")] = 0; // the first of its sentences: it is in one row
        assert_true(strlen(sentence) > 20);
        expect(sentence);
    }
    finish("qq");
    trace_free(&traces[0]);
    trace_free(&traces[1]);
}

// Keys change the chosen run alone.
static void test_one_run_is_changed(void **state)
{
    (void)state;
    start(48, 160, true);
    add_question();
    screen_term_type(&term, "b0.9\r");
    expect("learned, budget 90 %");
    expect("learned, budget 50 %");
    screen_term_type(&term, "n"); // A
    screen_term_type(&term, "]");
    expect("learned, budget 55 %");
    expect("learned, budget 90 %");
    screen_term_type(&term, "np\033[A\r"); // B: the policy above "learned"
    expect("[B] none");
    screen_term_type(&term, "n"); // A stays
    screen_term_type(&term, "x");
    expect("stays");
    screen_term_type(&term, "nx");
    expect("COMPARE A WITH"); // alone again: what else to compare with?
    reject("[B] none");
    leave_list();
    finish("qq");
}

static void test_without_guidance_at_the_same_share(void **state)
{
    (void)state;
    start(30, 100, true);
    screen_term_type(&term, "\033[B\033[B\033[B\033[B\r");
    expect("learned-self, budget 50 %"); // the first run's
    screen_term_type(&term, "+pict\r");
    expect("OPEN A PICTURE");
    screen_term_type(&term, "\033"); // no: the run that waited for it goes again
    expect("COMPARE A WITH");
    reject("[C]");
    leave_list();
    expect("[B]");
    finish("qq");
}

// Four runs where only two fit: the chosen one is always in sight.
static void test_four_runs_in_a_narrow_window(void **state)
{
    (void)state;
    start(24, 80, true);
    add_question();
    for (int i = 0; i < 2; i++) {
        screen_term_type(&term, "+");
        expect("COMPARE A WITH");
        screen_term_type(&term, i == 0 ? "\033[B\033[B\033[B\033[B\r" : "\033[A\r"); // learned-self, none
        expect(i == 0 ? "[C]" : "[D]");
    }
    reject(" A  learned");
    screen_term_type(&term, "+");
    expect("Four runs are the most");
    expect("runs C–D of 4");
    expect("n next run");
    expect("d marks");
    reject("+ add"); // there is no room for a fifth
    screen_term_type(&term, "n");
    expect("[A]");
    expect("runs A–B of 4");
    expect(" B  learned");
    reject(" D  none");
    screen_term_resize(&term, 48, 160); // room for all
    expect(" D  none");
    expect("[A]");
    reject("of 4");
    screen_term_type(&term, "$");
    expect("in one alone: A ");
    finish("qq");
}

// The cursor is on the same patch of both, and each tells its own scores.
static void test_linked_cursor(void **state)
{
    (void)state;
    int row, column, again;
    start(48, 160, true);
    add_question();
    screen_term_type(&term, "lllllll\t");
    expect("row ");
    screen_term_settle(&term, 150); // the other panel's may be a frame behind
    assert_true(screen_term_find(&term, "row ", &row, &column));
    char text[400], first[24];
    screen_term_row(&term, row, text, sizeof text);
    snprintf(first, sizeof first, "%.16s", strstr(text, "row "));
    const char *second = strstr(strstr(text, "row ") + 4, "row ");
    assert_non_null(second);
    assert_memory_equal(first, second, strcspn(first, ","));
    screen_term_type(&term, "\033[C");
    screen_term_settle(&term, 150);
    assert_true(screen_term_find(&term, "row ", &again, &column));
    char moved[400];
    screen_term_row(&term, again, moved, sizeof moved);
    assert_string_not_equal(moved, text);
    finish("qq");
}

// How often a text is on the screen.
static int occurrences(const char *text)
{
    int count = 0;
    for (int row = 0; row < term.rows; row++) {
        char line[700];
        screen_term_row(&term, row, line, sizeof line);
        for (const char *at = line; (at = strstr(at, text)); at += strlen(text))
            count++;
    }
    return count;
}

// Each run tells score, threshold and margin of what the cursor is on, in narrow panels and in wide ones.
static void test_margins(void **state)
{
    static const struct {
        int rows, columns;
        const char *margin, *threshold;
    } windows[] = {{24, 80, "margin ", "threshold "}, {30, 100, "margin ", "threshold "}, {48, 160, "margin ", "threshold "}, {60, 80, "margin +", " to threshold "}};
    (void)state;
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        start(windows[w].rows, windows[w].columns, true);
        add_question();
        screen_term_type(&term, "$\t");
        expect(windows[w].margin);
        screen_term_settle(&term, 150); // the other panel's may be a frame behind
        assert_int_equal(occurrences(windows[w].margin), 2);
        assert_int_equal(occurrences(windows[w].threshold), 2);
        finish("qq");
    }
}

// A word is the same where it is called the same; in a question without it there is no cursor.
static void test_linked_words(void **state)
{
    (void)state;
    start(48, 160, true);
    add_question(); // B: where is the ball
    screen_term_type(&term, "\t\t");
    expect("The word '");
    screen_term_type(&term, "\033[D\033[D\033[D\033[D\033[D\033[D\033[D\033[C"); // B's first word
    expect("The word 'where'");
    expect("Not in the question of A.");
    expect("no such word here");
    screen_term_type(&term, "\033[C"); // "is" is in both
    expect("The word 'is': ");
    reject("no such word here");
    screen_term_type(&term, "n"); // the cursor is on A's "is" now
    screen_term_type(&term, "\033[D");
    expect("The word 'color'");
    expect("Not in the question of B.");
    finish("qq");
}

// The sentence about a head, and its glyph in both panels, are those of the masks.
static void test_linked_heads(void **state)
{
    (void)state;
    struct trace a, b;
    sample_trace(&a, first_question, "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    sample_trace(&b, first_question, "learned", 0.9, NULL, 0, SAMPLE_STAGES);
    struct comparison comparison = {2, {&a, &b}};
    int stage = 0, stream = 0, module = 0, head = -1;
    for (int i = 0; i < SAMPLE_STAGES * TRACE_STREAMS * MODULES && head < 0; i++) {
        stage = i / (TRACE_STREAMS * MODULES);
        stream = i / MODULES % TRACE_STREAMS;
        module = i % MODULES;
        for (int h = 0; h < a.stages[stage].heads[stream][module].count; h++)
            if (compare_mark(compare_head(&comparison, stage, stream, (enum attention_module)module, h), 0) == COMPARE_ELSEWHERE)
                head = h;
    }
    assert_true(head >= 0); // one that B alone computes
    start(48, 160, true);
    screen_term_type(&term, "budget\r0.9\r");
    expect("learned, budget 90 %");
    for (int i = 0; i < stage; i++)
        screen_term_type(&term, "l");
    screen_term_type(&term, "\t\t\t");
    expect("head 1");
    if (stream == TRACE_TEXT_STREAM)
        screen_term_type(&term, "\033[B");
    for (int i = 0; i < head + module * a.stages[stage].heads[stream][MODULE_MSA].count; i++)
        screen_term_type(&term, "\033[C");
    expect("computed in B; left out in A.");
    int row, column;
    assert_true(screen_term_find(&term, "HEADS", &row, &column));
    char text[700];
    screen_term_row(&term, row + (stream == TRACE_TEXT_STREAM ? 2 : 1), text, sizeof text);
    const char *hollow = strstr(text, "◇"), *full = strstr(text, "◆");
    assert_true(hollow && full);
    finish("qq");
    trace_free(&a);
    trace_free(&b);
}

// The runs are there again when the page is opened anew, as long as the picture is the same.
static void test_runs_are_kept(void **state)
{
    (void)state;
    start(48, 160, true);
    screen_term_type(&term, "budget\r0.9\r");
    expect("learned, budget 90 %");
    screen_term_type(&term, "l"); // what the change did has been read
    expect("--with-budget 0.9");
    screen_term_type(&term, "q");
    expect("QUESTION");
    screen_term_type(&term, "v");
    expect("learned, budget 90 %");
    reject("COMPARE A WITH");
    screen_term_type(&term, "q");
    expect("QUESTION");
    screen_term_type(&term, "o\025other.png\r"); // a picture that the made-up backend takes
    expect("other.png");
    screen_term_type(&term, "v");
    expect("COMPARE A WITH");
    reject("learned, budget 90 %");
    leave_list();
    screen_term_type(&term, "q");
    int status = screen_term_finish(&term);
    assert_int_equal(WEXITSTATUS(status), 0);
    screen_term_free(&term);
}

// Letters narrow the list; what no entry holds leaves nothing to be chosen.
static void test_list_is_narrowed(void **state)
{
    (void)state;
    start(30, 100, true);
    screen_term_type(&term, "prun");
    expect("no pruning at all");
    reject("another question");
    screen_term_type(&term, "x\r");
    expect("Nothing here is called like this.");
    screen_term_type(&term, "\177\177\177\177\177no g"); // what begins so, before "another budget"
    expect("> no guidance");
    expect("another budget");
    screen_term_type(&term, "\177\177\177\177prun\r");
    expect("[B] none");
    // The list of policies is narrowed alike; the policy that the run has already makes no other one.
    screen_term_type(&term, "+poli\r");
    expect("cls-attention");
    screen_term_type(&term, "merg");
    expect("average patches");
    reject("cls-attention");
    screen_term_type(&term, "x\r");
    expect("Nothing here is called like this.");
    screen_term_type(&term, "\177\177\177\177\177learned\r");
    expect("has the policy learned already");
    reject("[C]");
    screen_term_type(&term, "+poli\rmerg\r");
    expect("[C] merging");
    finish("qq");
}

static bool alive(const struct trace *trace, int patch)
{
    const struct trace_tokens *tokens = trace_tokens_at(trace, trace->stage_count - 1, 0);
    return tokens->alive[patch + 1];
}

// A patch that only one run has kept, told by glyph and colour: from the masks, not from what paints them.
static void test_marks_are_where_the_runs_differ(void **state)
{
    (void)state;
    struct trace a, b;
    sample_trace(&a, first_question, "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    sample_trace(&b, first_question, "learned", 0.9, NULL, 0, SAMPLE_STAGES);
    start(48, 160, true);
    screen_term_type(&term, "budget\r0.9\r");
    expect("learned, budget 90 %");
    screen_term_type(&term, "$");
    expect("Answer:");
    screen_term_settle(&term, 200);
    unsigned char rgb[3];
    int x0 = TERM_CELL_WIDTH, y0 = 0, side = 0, x1, marked = 0;
    while (!screen_term_pixel(&term, x0, y0, rgb))
        y0++;
    while (screen_term_pixel(&term, x0 + side, y0, rgb))
        side++;
    for (x1 = x0 + side; !screen_term_pixel(&term, x1, y0, rgb);)
        x1++; // B's picture
    int size = side / SAMPLE_GRID;
    for (int i = 0; i < SAMPLE_GRID * SAMPLE_GRID; i++) {
        int x = i % SAMPLE_GRID * size + size / 2, y = y0 + i / SAMPLE_GRID * size + size / 2;
        bool only_b = alive(&b, i) && !alive(&a, i);
        assert_true(screen_term_pixel(&term, x1 + x, y, rgb));
        bool orange = rgb[0] > 245 && rgb[1] > 155 && rgb[1] < 180 && rgb[2] < 60;
        if (only_b)
            assert_true(orange);
        assert_true(screen_term_pixel(&term, x0 + x, y, rgb));
        bool hole = rgb[0] < 12 && rgb[1] < 12 && rgb[2] < 12; // in the middle of the hollow one
        if (only_b)
            assert_true(hole);
        marked += only_b;
    }
    assert_true(marked > 3);
    finish("qq");
    trace_free(&a);
    trace_free(&b);
}

// The same without sixel: characters in the middle of the patches, taken away by d.
static void test_marks_without_pixels(void **state)
{
    (void)state;
    start(48, 160, false);
    screen_term_type(&term, "budget\r0.9\r");
    expect("learned, budget 90 %");
    screen_term_type(&term, "$");
    expect("Answer:");
    expect("clear: in both");
    screen_term_settle(&term, 200);
    int full = 0, hollow = 0;
    for (int row = 3; row < 34; row++)
        for (int column = 0; column < 160; column++) {
            VTermScreenCell cell = screen_term_cell(&term, row, column);
            full += cell.chars[0] == 0x25C6;
            hollow += cell.chars[0] == 0x25C7;
        }
    assert_true(full > 3);
    assert_int_equal(full, hollow); // each patch that only B keeps is hollow in A
    screen_term_type(&term, "d");
    expect("d marks the differences");
    screen_term_settle(&term, 200);
    reject("◆");
    finish("qq");
}

// ---- the article's figure ----------------------------------------------------------------------------------------

// What the person asks first, then what is known, then a prompt for what is missing; the last row without guidance.
static void test_figure(void **state)
{
    (void)state;
    struct trace guided;
    char number[16];
    int row, column, below;
    sample_trace(&guided, first_question, "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    start_fake_screen(48, 160, true, NULL);
    screen_term_type(&term, "V");
    expect("(a) what color is the apple left of the lemon");
    expect("(b) where is the ball");
    expect("without guidance: ");
    expect("Question: "); // a third one
    screen_term_type(&term, "\025how many are red?\r");
    expect("(c) how many are red");
    expect("(d) what color is");
    assert_true(screen_term_find(&term, "(a) ", &row, &column));
    assert_true(screen_term_find(&term, "(d) what color is", &below, &column));
    assert_true(below > row);
    expect("fusion 6");
    // Patches alive after the last stage, in the last column of row (a).
    const struct trace_tokens *last = trace_tokens_at(&guided, SAMPLE_STAGES - 1, 0);
    int alive = 0, images = term.images;
    for (int i = 1; i < last->count; i++)
        alive += last->alive[i];
    snprintf(number, sizeof number, "%d", alive);
    int answer_column;
    assert_true(screen_term_find(&term, "answer", &below, &answer_column));
    for (below = row + 2; below < row + 12; below++) {
        char text[700];
        screen_term_row(&term, below, text, sizeof text);
        if (strstr(text, number) && strstr(text, "144"))
            break;
    }
    assert_true(below < row + 12);
    assert_true(images >= 4); // one strip of thumbnails for each row
    screen_term_type(&term, "q");
    expect("QUESTION");
    finish("q");
    trace_free(&guided);
}

// In the least window rows scroll; a question that fails leaves the others.
static void test_figure_in_the_least_window(void **state)
{
    (void)state;
    start_fake_screen(24, 80, false, NULL);
    screen_term_type(&term, "V");
    expect("(b) where is the ball");
    expect("Question: ");
    screen_term_type(&term, "\033"); // no third one
    expect("without guidance");
    reject("(d)"); // three rows: (a), (b), and the one without guidance is (c)
    screen_term_type(&term, "a");
    expect("Question: ");
    screen_term_type(&term, "\025how many are red?\r");
    expect("rows 1 to 3 of 4");
    screen_term_type(&term, "jjj");
    expect("rows 2 to 4 of 4");
    expect("(d)");
    reject("(a)");
    finish("qq");
}

static int run_slow_screen(void *context)
{
    struct fake_backend fake;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    (void)context;
    fake_backend_init(&fake);
    fake.stages_per_poll = 1;
    fake.seconds_per_stage = 0.5;
    bool fine = screen_run(&fake.backend, &options, &err);
    fake_backend_free(&fake);
    return fine ? 0 : (int)err.code;
}

// Opened while only words have been computed, when the figure has no column yet.
static void test_figure_before_the_first_column(void **state)
{
    (void)state;
    screen_term_start_xterm(&term, 48, 160, true, run_slow_screen, NULL);
    expect("what color");
    screen_term_type(&term, "V");
    expect("(a) what color is the apple left of the lemon");
    screen_term_settle(&term, 100);
    assert_false(screen_term_find(&term, "no memory", NULL, NULL)); // for a picture of no width
    expect("fusion 1");
    finish("\033qq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_questions),
        cmocka_unit_test(test_one_run_is_changed),
        cmocka_unit_test(test_without_guidance_at_the_same_share),
        cmocka_unit_test(test_four_runs_in_a_narrow_window),
        cmocka_unit_test(test_linked_cursor),
        cmocka_unit_test(test_margins),
        cmocka_unit_test(test_linked_words),
        cmocka_unit_test(test_linked_heads),
        cmocka_unit_test(test_runs_are_kept),
        cmocka_unit_test(test_list_is_narrowed),
        cmocka_unit_test(test_marks_are_where_the_runs_differ),
        cmocka_unit_test(test_marks_without_pixels),
        cmocka_unit_test(test_figure),
        cmocka_unit_test(test_figure_in_the_least_window),
        cmocka_unit_test(test_figure_before_the_first_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
