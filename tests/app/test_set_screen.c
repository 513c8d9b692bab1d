// Question sets and sweeps on the screen, with a real model behind: the table, filters, an instance in the stepper and
// back, results read again, the Pareto plot; and the thread that does the work.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "app/set_job.h"
#include "engine/model/model.h"
#include "tests/support/command.h"
#include "tests/support/little_set.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_term.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PICTURES = 10, EACH = 8, QUESTIONS = PICTURES * EACH };

static const char *model_path, *set_path;

static int make_files(void **state)
{
    (void)state;
    const struct little_set make = {"set.jsonl", PICTURES, EACH, "none such", "yes"};
    little_set_write(&make, &model_path, &set_path);
    return 0;
}

#define EVAL(...) command_run(cmd_eval, (const char *const[]){"eval", set_path, "--model", model_path, __VA_ARGS__, NULL})

// ---- the work ---------------------------------------------------------------------------------------------------

// What the screen would know after taking every part.
struct taken {
    struct results *rows;
    struct set_summary *summary;
    int parts;
    enum backend_job_state end;
    struct error err;
};

enum { STOPPED = 1000 }; // after the first part, but waited for

static struct taken take_all(const struct backend_job *request, int cancel_after)
{
    struct taken taken = {.end = JOB_WORKING};
    struct error err = {0};
    struct model *model = model_open(model_path, NULL, &err);
    struct run_options options = run_options_default();
    struct set_job *job = set_job_start(model, model_path, 2, &options, request, &err);
    assert_non_null(job);
    while (taken.end == JOB_WORKING || taken.end == JOB_PART) {
        struct backend_job_news news = {.next = NULL};
        float done = -1;
        char progress[120] = "";
        if (taken.parts == cancel_after)
            break;
        if (cancel_after == STOPPED && taken.parts == 1)
            set_job_cancel(job);
        taken.end = set_job_wait(job, 5, &news, &done, progress, &taken.err);
        assert_true(done >= 0 && done <= 1);
        if (taken.end != JOB_PART && taken.end != JOB_DONE)
            continue;
        taken.parts++;
        if (news.set.rows) {
            assert_null(taken.rows);
            taken.rows = news.set.rows;
            news.set.rows = NULL;
        }
        for (int i = 0; i < news.set.count; i++) {
            assert_non_null(taken.rows);
            assert_true(news.set.places[i] >= 0 && news.set.places[i] < taken.rows->set.count);
            assert_false(taken.rows->evaluations[news.set.places[i]].done); // each answer comes once
            taken.rows->evaluations[news.set.places[i]] = news.set.evaluations[i];
        }
        if (news.set.summary) {
            free(taken.summary);
            taken.summary = news.set.summary;
            news.set.summary = NULL;
        }
        backend_set_result_free(&news.set);
    }
    set_job_free(job);
    model_free(model);
    return taken;
}

static void free_taken(struct taken *taken)
{
    if (taken->rows)
        results_free(taken->rows);
    free(taken->rows);
    free(taken->summary);
}

static void test_job(void **state)
{
    (void)state;
    struct backend_job job = {.kind = JOB_SET};
    static char path[4096], kept[4096];
    snprintf(path, sizeof path, "%s", set_path);
    snprintf(kept, sizeof kept, "%s", scratch_path("kept.jsonl"));
    job.set = (struct backend_set_request){.path = path, .results = kept, .policy = "learned", .budget = (double)NAN};
    struct taken taken = take_all(&job, -1);
    assert_int_equal(taken.end, JOB_DONE);
    assert_int_equal(taken.rows->set.count, QUESTIONS);
    struct evaluation_summary summary;
    assert_true(evaluate_summarize(&taken.rows->set, taken.rows->evaluations, NULL, NULL, &summary, NULL));
    assert_int_equal(summary.questions, QUESTIONS);
    assert_memory_equal(&summary, &taken.summary->all, sizeof summary);
    assert_int_equal(taken.summary->type_count, 2);
    assert_int_equal(taken.summary->by_type[0].questions, QUESTIONS / 2);
    // The file that was kept, read by the same means, says the same.
    job.set = (struct backend_set_request){.path = kept, .budget = (double)NAN};
    struct taken read = take_all(&job, -1);
    assert_int_equal(read.end, JOB_DONE);
    assert_memory_equal(&read.summary->all, &taken.summary->all, sizeof summary);
    assert_string_equal(read.rows->header.policy, "learned");
    free_taken(&taken);
    free_taken(&read);
}

static void test_job_ends_badly(void **state)
{
    (void)state;
    struct backend_job job = {.kind = JOB_SET};
    static char path[4096];
    snprintf(path, sizeof path, "%s", set_path);
    job.set = (struct backend_set_request){.path = path, .policy = "learned", .budget = 0.01};
    struct taken taken = take_all(&job, -1);
    assert_int_equal(taken.end, JOB_FAILED);
    assert_non_null(strstr(taken.err.text, "at least"));
    free_taken(&taken);
    job.set.budget = (double)NAN;
    taken = take_all(&job, 0); // let go of at once: nothing leaks, nothing hangs
    free_taken(&taken);
    taken = take_all(&job, 1);
    free_taken(&taken);
    taken = take_all(&job, STOPPED); // stopped: everything that was answered comes before the end
    if (taken.end == JOB_CANCELLED) {
        int answered = 0;
        for (int i = 0; taken.rows && i < taken.rows->set.count; i++)
            answered += taken.rows->evaluations[i].done;
        assert_true(taken.err.code == ERROR_CANCELLED && taken.summary && answered == taken.summary->all.questions);
    }
    free_taken(&taken);
    snprintf(path, sizeof path, "%s", scratch_path("nowhere.jsonl"));
    taken = take_all(&job, -1);
    assert_int_equal(taken.end, JOB_FAILED);
    assert_non_null(strstr(taken.err.text, "nowhere.jsonl"));
    assert_null(taken.rows);
}

// ---- the screen -------------------------------------------------------------------------------------------------

struct call {
    int (*command)(int argc, char **argv);
    char *words[8];
};

static int run_command(void *context)
{
    struct call *call = context;
    int count = 0;
    while (call->words[count])
        count++;
    return call->command(count, call->words);
}

static void start(struct screen_term *term, struct call *call, int rows, int columns, bool ascii)
{
    static struct screen_term_options options;
    options = (struct screen_term_options){.rows = rows, .columns = columns, .no_color = ascii,
                                           .locale = ascii ? "C" : NULL};
    screen_term_start(term, &options, run_command, call);
}

#define WAIT(term, text)                                                                                       \
    do {                                                                                                       \
        if (!screen_term_wait(term, text)) {                                                                   \
            screen_term_dump(term);                                                                            \
            fail_msg("no \"%s\" on the screen", text);                                                         \
        }                                                                                                      \
    } while (0)

static void finish(struct screen_term *term)
{
    int status = screen_term_finish(term);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(screen_term_restored(term));
    screen_term_free(term);
}

static char *copy(const char *text) { return strdup(text); }

static void free_words(struct call *call)
{
    for (int i = 0; i < 8; i++)
        free(call->words[i]);
}

// No row is drawn twice, and no line runs over another: every row of the table is one question.
static void test_table(void **state)
{
    (void)state;
    struct screen_term term;
    int row, column, again;
    char question[128];
    struct call call = {cmd_eval, {copy("eval"), copy(set_path), copy("--model"), copy(model_path), copy("--screen")}};
    start(&term, &call, 40, 120, false);
    WAIT(&term, "80 questions");
    WAIT(&term, "accuracy by type");
    WAIT(&term, "share of the dense FLOPs");
    screen_term_settle(&term, 200);
    screen_term_type(&term, "w");
    WAIT(&term, "wrong only");
    assert_false(screen_term_find(&term, "right ", &row, &column) && row > 22); // in no row of the table
    screen_term_type(&term, "y");
    WAIT(&term, "even");
    WAIT(&term, "40 of 80 rows, 0 % of them right"); // "none such" is no answer
    screen_term_type(&term, "\033");
    screen_term_settle(&term, 200);
    assert_true(screen_term_wait_gone(&term, "of them right")); // Esc clears the filter first
    screen_term_type(&term, "/P7\r");
    WAIT(&term, "8 of 80 rows");
    WAIT(&term, "p7.png");
    // E writes the rows that are left, and offers nothing of the run behind the table.
    const char *csv = scratch_path("eight.csv");
    unlink(csv);
    screen_term_type(&term, "E");
    WAIT(&term, "the table, as it is filtered and sorted");
    assert_false(screen_term_find(&term, "scores", NULL, NULL));
    screen_term_type(&term, "jjj\r");
    WAIT(&term, "Write to (no ending: .csv): set-table.csv");
    screen_term_type(&term, "\025");
    screen_term_type(&term, csv);
    screen_term_type(&term, "\r");
    WAIT(&term, "Written to ");
    FILE *table = fopen(csv, "r");
    assert_non_null(table);
    int lines = 0;
    for (char line[1024]; fgets(line, sizeof line, table); lines++)
        assert_true(lines == 0 || strstr(line, "p7.png,"));
    fclose(table);
    assert_int_equal(lines, 9);
    screen_term_type(&term, "jj");
    screen_term_settle(&term, 200);
    char before[512], after[512];
    screen_term_row(&term, 36, before, sizeof before); // the chosen row in full
    // In the stepper with that question, and back to the same place.
    term.log_used = 0;
    screen_term_type(&term, "\r");
    WAIT(&term, "Esc goes back to the table; once that is left, what you had comes back.");
    WAIT(&term, "stage 1 of");
    WAIT(&term, "‹ ");
    snprintf(question, sizeof question, "%.*s", (int)strcspn(tiny_questions[2], "?"), tiny_questions[2]);
    WAIT(&term, question);
    assert_true(term.log_used > 0 && term.log_used < sizeof term.log);
    term.log[term.log_used] = 0;
    assert_null(strstr(term.log, "heart")); // what the stepper had before was in no frame
    screen_term_type(&term, "l");
    WAIT(&term, "stage 2 of");
    screen_term_type(&term, "\033");
    WAIT(&term, "8 of 80 rows");
    screen_term_settle(&term, 200);
    screen_term_row(&term, 36, after, sizeof after);
    assert_string_equal(before, after);
    assert_non_null(strstr(before, "(p7.png)"));
    screen_term_type(&term, "\033"); // the filter
    screen_term_settle(&term, 200);
    // Sorted the other way round, the last question is first; the end of the table shows the first.
    screen_term_type(&term, " ");
    screen_term_type(&term, "\033[H");
    screen_term_settle(&term, 200);
    assert_true(screen_term_find(&term, "▼", &row, &again));
    char first[512];
    screen_term_row(&term, row + 1, first, sizeof first);
    assert_non_null(strstr(first, "79 p9.png"));
    screen_term_type(&term, "G");
    screen_term_settle(&term, 200);
    assert_true(screen_term_find(&term, " 0 p0.png", &row, &column));
    term.log_used = 0;
    screen_term_type(&term, "q"); // to the stepper, which has its own run again, where it was
    WAIT(&term, "What the stepper had before the table is back.");
    WAIT(&term, "heart ›");
    WAIT(&term, "stage 1 of");
    term.log[term.log_used < sizeof term.log ? term.log_used : sizeof term.log - 1] = 0;
    assert_null(strstr(term.log, question));
    screen_term_type(&term, "q");
    finish(&term);
    free_words(&call);
}

static void test_small_and_plain(void **state)
{
    (void)state;
    struct screen_term term;
    const char *file = scratch_path("plain.jsonl");
    struct command_output output = EVAL("--results", file);
    assert_int_equal(output.status, 0);
    command_free(&output);
    struct call call = {cmd_browse, {copy("browse"), copy(file), copy("--model"), copy(model_path)}};
    start(&term, &call, 24, 80, true);
    WAIT(&term, "80 questions");
    WAIT(&term, "p0.png");
    screen_term_settle(&term, 200);
    for (int r = 0; r < 24; r++) {
        char text[512];
        screen_term_row(&term, r, text, sizeof text);
        for (const char *c = text; *c; c++)
            if ((unsigned char)*c > 126) {
                screen_term_dump(&term);
                fail_msg("row %d is not plain", r);
            }
    }
    screen_term_type(&term, "\t");
    WAIT(&term, "accuracy by type");
    WAIT(&term, "hard:");
    screen_term_type(&term, "S");
    WAIT(&term, "set or results");
    screen_term_type(&term, "\025/no/such/file\r"); // ^U: the path that stands there goes
    WAIT(&term, "cannot open /no/such/file");
    screen_term_type(&term, "q");
    WAIT(&term, "stage 1 of");
    screen_term_type(&term, "q");
    finish(&term);
    free_words(&call);
}

static void test_sweep(void **state)
{
    (void)state;
    struct screen_term term;
    int row, column;
    struct call call = {cmd_sweep, {copy("sweep"), copy(set_path), copy("--model"), copy(model_path), copy("--screen"),
                                    copy("--policies=none,random,learned"), copy("--budgets=0.9,0.01")}};
    start(&term, &call, 40, 140, false);
    WAIT(&term, "5 points");
    WAIT(&term, "none: accuracy"); // of no budget
    WAIT(&term, "% of the FLOPs, "); // the point chosen
    WAIT(&term, "the policy random can"); // spend so much at least
    assert_true(screen_term_wait_gone(&term, "to come"));
    WAIT(&term, "5 points");
    assert_true(screen_term_find(&term, "share of the dense FLOPs", &row, &column));
    screen_term_type(&term, "x");
    WAIT(&term, "milliseconds a question");
    screen_term_type(&term, "j");
    WAIT(&term, "random 0.9: accuracy");
    screen_term_type(&term, "\r");
    WAIT(&term, "random, budget 90 %");
    WAIT(&term, "80 questions");
    screen_term_type(&term, "\033");
    WAIT(&term, "random 0.9: accuracy");
    screen_term_type(&term, "q");
    WAIT(&term, "stage 1 of");
    screen_term_type(&term, "S");
    WAIT(&term, "set or results");
    screen_term_type(&term, "\033"); // no set after all: nothing is left of the page
    WAIT(&term, "stage 1 of");
    // From the stepper any set can be asked for; its policy and budget are used.
    char path[600];
    snprintf(path, sizeof path, "S%s\r", set_path);
    screen_term_type(&term, path);
    WAIT(&term, "learned, as trained");
    WAIT(&term, "80 questions");
    screen_term_type(&term, "q");
    WAIT(&term, "stage 1 of");
    screen_term_type(&term, "q");
    finish(&term);
    free_words(&call);
}

// Two runs over one set: whose answers differ, and the true answer in the stepper.
static void test_two_runs(void **state)
{
    (void)state;
    struct screen_term term;
    const char *a = scratch_path("run-a.jsonl"), *b = scratch_path("run-b.jsonl");
    const struct little_set make = {"two.jsonl", PICTURES, EACH, "red", "dog"}; // both are right sometimes
    const char *two;
    little_set_write(&make, &model_path, &two);
    struct command_output outputs[] = {
        command_run(cmd_eval, (const char *const[]){"eval", two, "--model", model_path, "--results", a, NULL}),
        command_run(cmd_eval, (const char *const[]){"eval", two, "--model", model_path, "--results", b, "--policy",
                                                    "random", "--budget", "0.6", NULL})};
    struct results_comparison compared;
    struct results first, second;
    char text[128];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(outputs[i].status, 0);
        command_free(&outputs[i]);
    }
    assert_true(results_read(&first, a, NULL, NULL) && results_read(&second, b, NULL, NULL));
    assert_true(results_compare(&first, &second, NULL, &compared, NULL));
    results_free(&first);
    results_free(&second);
    assert_true(compared.only_a > 0 && compared.only_b > 0); // or this test would show little
    struct call call = {cmd_browse, {copy("browse"), copy(a), copy(b), copy("--model"), copy(model_path)}};
    start(&term, &call, 40, 120, false);
    WAIT(&term, "other run: random, budget 60 %");
    snprintf(text, sizeof text, "right: both %d, only this %d, only the other %d, neither %d", compared.both_right,
             compared.only_a, compared.only_b, compared.neither);
    WAIT(&term, text);
    screen_term_type(&term, "d");
    snprintf(text, sizeof text, "%d of 80 rows", compared.only_a + compared.only_b);
    WAIT(&term, text);
    WAIT(&term, "only one of the two right");
    screen_term_type(&term, "d");
    snprintf(text, sizeof text, "%d of 80 rows, 100 %% of them right: this right, the other wrong", compared.only_a);
    WAIT(&term, text);
    screen_term_type(&term, "\r");
    WAIT(&term, "stage 1 of");
    screen_term_type(&term, "G");
    WAIT(&term, "right: the true answer is '");
    screen_term_type(&term, "\033");
    WAIT(&term, "this right, the other wrong");
    screen_term_type(&term, "dr"); // r does nothing here
    WAIT(&term, "this wrong, the other right");
    screen_term_type(&term, "\r");
    WAIT(&term, "stage");
    screen_term_type(&term, "G");
    WAIT(&term, "WRONG: the true answer is '");
    screen_term_type(&term, "\033");
    WAIT(&term, "this wrong, the other right");
    screen_term_type(&term, "v\r"); // nothing beside any more
    assert_true(screen_term_wait_gone(&term, "other run"));
    screen_term_type(&term, "v/no/such\r");
    WAIT(&term, "/no/such");
    // Another policy for the whole set: the run before stands beside.
    screen_term_type(&term, "p\025random\r");
    WAIT(&term, "other run: learned, as trained");
    WAIT(&term, "random, as trained");
    // A sweep asks what it shall be of first; Esc leaves the table as it is.
    screen_term_type(&term, "P");
    WAIT(&term, "learned,cross-attention,random 0.33,");
    screen_term_type(&term, "\033");
    assert_true(screen_term_wait_gone(&term, "learned,cross-attention,random 0.33,"));
    screen_term_type(&term, "P\025learned 0.5,1\r");
    WAIT(&term, "2 points");
    screen_term_type(&term, "q");
    WAIT(&term, "random, as trained");
    screen_term_type(&term, "qq");
    finish(&term);
    free_words(&call);
}

// The first lines of a file in a file of their own.
static void copy_lines(const char *from, const char *to, int lines)
{
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_true(in && out);
    for (int c; lines > 0 && (c = getc(in)) != EOF; lines -= c == '\n')
        putc(c, out);
    fclose(in);
    fclose(out);
}

// A file that cannot be read, or that is not finished, is named, and the others are shown.
static void test_folder_with_a_bad_file(void **state)
{
    (void)state;
    struct screen_term term;
    char folder[600], bad[700], half[700], whole[700];
    snprintf(folder, sizeof folder, "%s", scratch_path("runs"));
    snprintf(bad, sizeof bad, "%s/a-bad.jsonl", folder);
    snprintf(half, sizeof half, "%s/b-half.jsonl", folder);
    snprintf(whole, sizeof whole, "%s/good.jsonl", folder);
    assert_int_equal(mkdir(folder, 0777), 0);
    struct command_output output = EVAL("--results", whole);
    assert_int_equal(output.status, 0);
    command_free(&output);
    FILE *file = fopen(bad, "w");
    fputs("{\"trimscope_results\":1,\"model\":{}}\n", file);
    fclose(file);
    copy_lines(whole, half, 3);
    struct call call = {cmd_browse, {copy("browse"), copy(folder), copy("--model"), copy(model_path)}};
    start(&term, &call, 30, 140, false);
    WAIT(&term, "2 files could not be read");
    WAIT(&term, "? a-bad.jsonl");
    WAIT(&term, "\"name\" is missing"); // it is chosen: why stands below
    screen_term_type(&term, "j");
    WAIT(&term, "holds 2 of 80 answers");
    screen_term_type(&term, "j");
    WAIT(&term, "learned trained: accuracy");
    screen_term_type(&term, "\r");
    WAIT(&term, "80 questions");
    screen_term_type(&term, "qqq");
    finish(&term);
    free_words(&call);
    unlink(bad);
    unlink(half);
    unlink(whole);
    rmdir(folder);
}

static void test_wrong_usage(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        const char *why;
        int status;
    } wrong[] = {
        {{"browse"}, "an argument is missing", 2},
        {{"browse", "/no/such.jsonl"}, "/no/such.jsonl", 1},
        {{"browse", "tests"}, "holds no results", 1},
        {{"browse", "assets/pictures/questions.jsonl"}, "not a file of results", 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct command_output output = command_run(cmd_browse, wrong[i].words);
        if (output.status != wrong[i].status || !strstr(output.err, wrong[i].why))
            fail_msg("%d: %s", output.status, output.err);
        command_free(&output);
    }
    struct command_output output = EVAL("--screen", "--json");
    assert_int_equal(output.status, 2);
    command_free(&output);
    // Without a terminal: what to do instead.
    const char *file = scratch_path("no-terminal.jsonl");
    output = EVAL("--results", file);
    assert_int_equal(output.status, 0);
    command_free(&output);
    output = command_run(cmd_browse, (const char *const[]){"browse", file, NULL});
    assert_int_equal(output.status, 2);
    assert_non_null(strstr(output.err, "trimscope merge"));
    command_free(&output);
    output = command_run(cmd_lessons, (const char *const[]){"lessons", NULL});
    assert_int_equal(output.status, 2);
    assert_non_null(strstr(output.err, "lessons need a terminal"));
    command_free(&output);
    output = EVAL("--screen");
    assert_int_equal(output.status, 2);
    assert_non_null(strstr(output.err, "--screen needs a terminal"));
    command_free(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job),   cmocka_unit_test(test_job_ends_badly), cmocka_unit_test(test_table),
        cmocka_unit_test(test_small_and_plain), cmocka_unit_test(test_sweep), cmocka_unit_test(test_two_runs),
        cmocka_unit_test(test_folder_with_a_bad_file), cmocka_unit_test(test_wrong_usage),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
