// The command `export`, the writer of recordings, and the recorder on a terminal.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "app/recorder.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/picture.h"
#include "engine/run/trace.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_term.h"

#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PICTURE "assets/pictures/airplane.jpg"
#define QUESTION "what is over the heart"

static int export_with(const char *const more[], char said[512])
{
    const char *words[32] = {"export"};
    int count = 1;
    for (; *more; more++)
        words[count++] = *more;
    words[count] = NULL;
    struct command_output output = command_run(cmd_export, words);
    snprintf(said, 512, "%s%s", output.out, output.err);
    int status = output.status;
    command_free(&output);
    return status;
}
#define EXPORT(said, ...) export_with((const char *const[]){__VA_ARGS__, NULL}, said)

static char *read_text(const char *path)
{
    unsigned char *text;
    size_t size;
    struct error err = {0};
    if (!file_read(path, 1 << 24, &text, &size, &err))
        fail_msg("%s", err.text);
    return (char *)text;
}

// ---- the command ------------------------------------------------------------------------------------------------

static void test_every_kind(void **state)
{
    (void)state;
    static const struct {
        const char *name, *what, *begins;
    } kinds[] = {
        {"run.html", "run", "<!DOCTYPE html>"}, {"run.json", "run", "{ \"trimscope\": 1"},
        {"frame.svg", "frame", "<?xml"},        {"frame.png", "frame", "\x89PNG"},
        {"frame.ansi", "frame", "\033["},       {"figure.svg", "figure", "<?xml"},
        {"figure.png", "figure", "\x89PNG"},    {"scores.csv", "scores", "stage,name,stream,token"},
        {"heads.csv", "heads", "stage,name,stream,module"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char said[512];
        const char *path = scratch_path(kinds[i].name);
        int status = EXPORT(said, PICTURE, QUESTION, "--to", path, "--what", kinds[i].what, "--size", "100x30");
        if (status != 0)
            fail_msg("%s: %s", kinds[i].name, said);
        assert_non_null(strstr(said, kinds[i].name));
        char *text = read_text(path);
        assert_memory_equal(text, kinds[i].begins, strlen(kinds[i].begins));
        memory_free(text);
    }
}

// A saved run gives the same table as the run itself, and the JSON is a trace that can be read.
static void test_saved_run(void **state)
{
    (void)state;
    char said[512];
    const char *json = scratch_path("saved.json");
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", json), 0);
    assert_int_equal(EXPORT(said, json, "--to", scratch_path("from_saved.csv")), 0);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", scratch_path("from_run.csv")), 0);
    char *saved = read_text(scratch_path("from_saved.csv")), *run = read_text(scratch_path("from_run.csv"));
    assert_string_equal(saved, run);
    memory_free(saved);
    memory_free(run);
    assert_int_equal(EXPORT(said, json, json, "--to", scratch_path("two.svg"), "--what", "figure"), 0);
    char *figure = read_text(scratch_path("two.svg"));
    assert_non_null(strstr(figure, "(b)"));
    memory_free(figure);
    assert_int_equal(EXPORT(said, json, json, "--to", scratch_path("two.html")), 0);
    assert_int_equal(EXPORT(said, json, json, "--to", scratch_path("two.json")), ERROR_USAGE);
    assert_int_equal(EXPORT(said, json, "--to", scratch_path("x.svg"), "--article"), ERROR_USAGE);
}

static void test_figure_rows(void **state)
{
    (void)state;
    char said[512];
    const char *path = scratch_path("rows.svg");
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", path, "--with-question", "where is the boat", "--with-policy",
                            "random", "--columns", "4", "--width", "120"),
                     0);
    char *text = read_text(path);
    assert_non_null(strstr(text, "(c)"));
    assert_null(strstr(text, "(d)"));
    assert_non_null(strstr(text, "where is the boat"));
    assert_non_null(strstr(text, "random"));
    assert_non_null(strstr(text, "width=\"340.157pt\"")); // 120 mm
    assert_non_null(strstr(text, "fusion 6"));
    assert_null(strstr(text, "fusion 5"));
    memory_free(text);
}

// All runs stand in the page, side by side; a picture that no questions are known about has four rows, too, and that is said.
static void test_runs_beside_each_other(void **state)
{
    (void)state;
    char said[512];
    const char *path = scratch_path("beside.html"), *figure = scratch_path("own.svg");
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", path, "--with-question", "where is the boat", "--and-budget",
                            "0.4"),
                     0);
    char *text = read_text(path);
    assert_non_null(strstr(text, "\"question\": \"where is the boat\""));
    assert_non_null(strstr(text, "\"told\":[\"Embed text: "));
    memory_free(text);
    unsigned char *bytes;
    size_t size;
    assert_true(file_read(PICTURE, 1 << 24, &bytes, &size, NULL));
    const char *own = scratch_write("own.jpg", bytes, size);
    memory_free(bytes);
    assert_int_equal(EXPORT(said, own, QUESTION, "--to", figure, "--article"), 0);
    assert_non_null(strstr(said, "no questions are known about this picture"));
    text = read_text(figure);
    assert_non_null(strstr(text, "(d)"));
    memory_free(text);
}

// The table of results: a line for each question; nothing else can be made of them.
static void test_table(void **state)
{
    (void)state;
    char said[512];
    const char *results = scratch_path("few.jsonl"), *csv = scratch_path("table.csv");
    unlink(results);
    struct command_output output = command_run(
        cmd_eval, (const char *const[]){"eval", "assets/pictures/questions.jsonl", "--limit", "3", "--results", results, NULL});
    assert_int_equal(output.status, 0);
    command_free(&output);
    assert_int_equal(EXPORT(said, results, "--to", csv), 0);
    assert_non_null(strstr(said, "the table of all questions"));
    char *text = read_text(csv);
    int lines = 0;
    for (const char *at = text; (at = strstr(at, "\r\n")); at += 2)
        lines++;
    assert_int_equal(lines, 4);
    assert_int_equal(strncmp(text, "id,picture,picture2,question,type,truth,answer,right,p,share,macs,ms\r\n", 70), 0);
    assert_non_null(strstr(text, ",what is over the heart?,relation,airplane,airplane,1,0."));
    memory_free(text);
    assert_int_equal(EXPORT(said, results, "--to", scratch_path("table.png")), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", csv, "--what", "table"), ERROR_USAGE);
}

static void test_stages(void **state)
{
    (void)state;
    char said[512];
    const char *path = scratch_path("stage.svg");
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", path, "--what", "frame", "--stage", "fusion 3"), 0);
    char *text = read_text(path);
    assert_non_null(strstr(text, "stage 9 of 13"));
    memory_free(text);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", path, "--what", "frame", "--stage", "2"), 0);
    text = read_text(path);
    assert_non_null(strstr(text, "stage 2 of 13"));
    memory_free(text);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", path, "--what", "frame", "--stage", "fusion 9"), ERROR_USAGE);
    assert_non_null(strstr(said, "fusion 9"));
}

static void test_bad_usage(void **state)
{
    (void)state;
    char said[512];
    const char *png = scratch_path("never.png");
    assert_int_equal(EXPORT(said, PICTURE, QUESTION), ERROR_USAGE);
    assert_non_null(strstr(said, "--to"));
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", "x.docx"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", png, "--what", "scores"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", png, "--what", "poem"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", png, "--size", "10x10"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", png, "--size", "99999x99999"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", png, "--size", "big"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", png, "--theme", "pink"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", png, "--graphics", "auto"), ERROR_USAGE);
    assert_int_equal(EXPORT(said, PICTURE, "--to", png), ERROR_USAGE);
    assert_int_equal(EXPORT(said, "none.jpg", QUESTION, "--to", png), ERROR_INPUT);
    assert_int_equal(EXPORT(said, PICTURE, QUESTION, "--to", "/nowhere/at/all.png"), ERROR_INPUT);
    assert_true(access(png, F_OK) != 0);
}

// ---- recordings -------------------------------------------------------------------------------------------------

struct events {
    json_t *header;
    char output[4096]; // all of it
    int count;
    bool resized;
};

// Checks every line: JSON, times that do not fall.
static void read_cast(const char *text, struct events *events)
{
    double last = 0;
    *events = (struct events){0};
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        json_error_t error;
        json_t *json = json_loadb(line, (size_t)(end - line), JSON_ALLOW_NUL, &error);
        if (!json)
            fail_msg("%.*s: %s", (int)(end - line), line, error.text);
        if (!events->header) {
            events->header = json;
            continue;
        }
        double time = json_real_value(json_array_get(json, 0));
        const char *kind = json_string_value(json_array_get(json, 1)), *data = json_string_value(json_array_get(json, 2));
        assert_true(time >= last);
        last = time;
        events->count++;
        if (!strcmp(kind, "o"))
            strncat(events->output, data, sizeof events->output - strlen(events->output) - 1);
        else if (!strcmp(kind, "r"))
            events->resized = !strcmp(data, "90x30");
        else
            fail_msg("an event of kind %s", kind);
        json_decref(json);
    }
    assert_int_equal(json_integer_value(json_object_get(events->header, "version")), 2);
}

// What was written comes out whole, wherever it is cut; questions to the terminal are left out.
static void test_cast(void **state)
{
    (void)state;
    static const char written[] = "\033[c\033[>q\033[16t\033[?2026$p\033[?2;1S\033]11;?\033\\"
                                  "a\"\\\t\033[1;31mé─🍎\033[0m\033[5n\033[2S\033]0;title\007\033P0;1q#1;2;0;0;0~~\033\\z";
    static const char wanted[] = "a\"\\\t\033[1;31mé─🍎\033[0m\033[2S\033]0;title\007\033P0;1q#1;2;0;0;0~~\033\\z";
    for (size_t cut = 1; cut < sizeof written; cut++) {
        char *text = NULL;
        size_t size;
        struct cast cast;
        struct events events;
        FILE *out = open_memstream(&text, &size);
        cast_begin(&cast, out, 80, 24, "a \"title\" \x01\xff");
        for (size_t at = 0; at < sizeof written - 1; at += cut) {
            size_t piece = sizeof written - 1 - at < cut ? sizeof written - 1 - at : cut;
            cast_add(&cast, 1.5 - (double)at / 100, written + at, piece); // a clock that runs backwards
        }
        cast_resize(&cast, 2, 90, 30);
        cast_end(&cast, 3);
        fclose(out);
        read_cast(text, &events);
        assert_string_equal(events.output, wanted);
        assert_true(events.resized);
        assert_int_equal(json_integer_value(json_object_get(events.header, "width")), 80);
        assert_string_equal(json_string_value(json_object_get(events.header, "title")), "a \"title\" \x01");
        json_decref(events.header);
        free(text);
    }
}

static void test_cast_of_rubbish(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    struct cast cast;
    struct events events;
    FILE *out = open_memstream(&text, &size);
    cast_begin(&cast, out, 80, 24, "");
    unsigned seed = 7;
    for (int i = 0; i < 400; i++) {
        char bytes[64];
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (char)((seed = seed * 1103515245 + 12345) >> 16);
        bytes[i % 64] = 033;
        bytes[(i + 1) % 64] = (char)("[]P\033"[i % 4]);
        cast_add(&cast, i, bytes, sizeof bytes);
    }
    cast_add(&cast, 500, "\xf0\x9f", 2); // half a character at the end
    cast_end(&cast, 501);
    fclose(out);
    read_cast(text, &events);
    assert_true(events.count > 100);
    json_decref(events.header);
    free(text);
}

static const char *cast_path;

static int inside(void *context)
{
    (void)context;
    char line[64] = "";
    signal(SIGWINCH, SIG_DFL); // curses' handler, from an earlier test, would break off the reading
    printf("ready\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 9;
    printf("got %s", line);
    return 4;
}

static int record(void *context)
{
    struct error err = {0};
    int status = 0;
    (void)context;
    if (!recorder_run(cast_path, "a test", inside, NULL, &status, &err)) {
        printf("error: %s\n", err.text);
        status = 100 + (int)err.code;
    }
    printf("over\n");
    fflush(stdout);
    char line[8];
    return fgets(line, sizeof line, stdin) ? status : 0; // its end would throw away what has not been read
}

static void test_recorder(void **state)
{
    (void)state;
    static struct screen_term term;
    struct screen_term_options options = {.rows = 24, .columns = 80, .silent = true};
    cast_path = scratch_path("session.cast");
    screen_term_start(&term, &options, record, NULL);
    assert_true(screen_term_wait(&term, "ready"));
    screen_term_resize(&term, 30, 90);
    screen_term_type(&term, "hello\r");
    if (!screen_term_wait(&term, "got hello")) {
        screen_term_dump(&term);
        fail_msg("it did not get its line");
    }
    assert_true(screen_term_wait(&term, "over"));
    screen_term_type(&term, "\r");
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 4); // that of what was recorded
    assert_true(screen_term_restored(&term));
    screen_term_free(&term);
    struct events events;
    char *text = read_text(cast_path);
    read_cast(text, &events);
    assert_non_null(strstr(events.output, "ready"));
    assert_non_null(strstr(events.output, "got hello"));
    assert_true(events.resized);
    json_decref(events.header);
    memory_free(text);
}

// A place that cannot be written to is told before anything runs.
static void test_recorder_nowhere(void **state)
{
    (void)state;
    static struct screen_term term;
    struct screen_term_options options = {.rows = 24, .columns = 80, .silent = true};
    cast_path = "/nowhere/session.cast";
    screen_term_start(&term, &options, record, NULL);
    assert_true(screen_term_wait(&term, "error: cannot write /nowhere/session.cast"));
    screen_term_type(&term, "\r");
    assert_int_equal(WEXITSTATUS(screen_term_finish(&term)), 100 + ERROR_INPUT);
    assert_true(screen_term_wait_gone(&term, "ready"));
    screen_term_free(&term);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),      cmocka_unit_test(test_saved_run), cmocka_unit_test(test_figure_rows),
        cmocka_unit_test(test_runs_beside_each_other), cmocka_unit_test(test_table),
        cmocka_unit_test(test_stages),          cmocka_unit_test(test_bad_usage), cmocka_unit_test(test_cast),
        cmocka_unit_test(test_cast_of_rubbish), cmocka_unit_test(test_recorder),
        cmocka_unit_test(test_recorder_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
