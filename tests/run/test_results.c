// Results kept in a file: what is written is read back, a killed run goes on, shards make the whole, runs are compared.
#include "tests/support/cmocka_all.h"

#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/results.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PICTURES = 5, EACH = 4, QUESTIONS = PICTURES * EACH };

static struct model *model;
static const char *weights, *set_path;
static struct question_set set;
static struct evaluation expected[QUESTIONS]; // of one undisturbed run

static struct run_options plain(void)
{
    struct run_options options = run_options_default();
    options.bare = true;
    return options;
}

static int set_up(void **state)
{
    (void)state;
    char text[8192] = "";
    struct tiny_options tiny = tiny_everything();
    struct error err = {0};
    weights = tiny_write("model.safetensors", &tiny);
    assert_non_null(model = model_open(weights, NULL, &err));
    for (int i = 0; i < PICTURES; i++) {
        char name[32];
        struct picture picture = tiny_picture((uint64_t)i);
        snprintf(name, sizeof name, "p%d.png", i);
        assert_true(picture_save_png(&picture, scratch_path(name), NULL));
        picture_free(&picture);
        for (int k = 0; k < EACH; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text),
                     "{\"picture\": \"%s\", \"question\": \"%s\", \"answer\": \"%s\", \"type\": \"%s\", \"needed\": [[16, "
                     "16, 44, 48]], \"others\": [[0, 48, 96, 96]]}\n",
                     name, tiny_questions[k], k % 2 ? "yes" : "no", k ? "odd" : "even");
    }
    set_path = scratch_write("set.jsonl", text, strlen(text));
    assert_true(question_set_read(&set, set_path, 0, &err));
    struct run_options options = plain();
    assert_true(evaluate_set(model, &set, &options, NULL, NULL, expected, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    question_set_free(&set);
    model_free(model);
    return 0;
}

static struct results_header describe(int shard, int shards)
{
    struct results_header header;
    struct run_options options = plain();
    struct error err = {0};
    assert_true(results_describe(&header, weights, "tiny", set_path, &set, &options, shard, shards, &err));
    return header;
}

// Evaluates into a file as `eval --results` does; dies like a killed process after `answers`, if they are not negative.
struct writing {
    struct results_file file;
    int asked, die_after;
};

static bool write_answer(void *context, int index, const struct evaluation *result, const struct trace *trace,
                         struct error *err)
{
    struct writing *w = context;
    if (w->asked++ == w->die_after)
        raise(SIGKILL);
    return results_append(&w->file, index, result, trace, err);
}

static struct writing evaluate_into(const char *path, int shard, int shards, struct evaluation *results, int die_after)
{
    struct writing w = {.die_after = die_after};
    struct results_header header = describe(shard, shards);
    struct run_options options = plain();
    struct error err = {0};
    const struct evaluate_request request = {.run = &options, .shard = shard - 1, .shards = shards,
                                             .answered = write_answer, .context = &w};
    memset(results, 0, QUESTIONS * sizeof *results);
    if (!results_open(&w.file, path, &header, &set, results, &err) || !evaluate_run(model, &set, &request, results, &err))
        fail_msg("%s", err.text);
    struct writing seen = w;
    assert_true(results_close(&w.file, &err));
    return seen;
}

static void check_same(const struct evaluation *a, const struct evaluation *b)
{
    assert_true(a->done && b->done);
    assert_int_equal(a->correct, b->correct);
    assert_string_equal(a->answer, b->answer);
    assert_true(a->p == b->p && a->share == b->share && a->spent == b->spent); // not one bit is lost
    assert_int_equal(a->needed, b->needed);
    assert_int_equal(a->needed_alive, b->needed_alive);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->other, b->other);
    assert_int_equal(a->other_alive, b->other_alive);
}

static struct results read_back(const char *path)
{
    struct results results;
    struct error err = {0};
    if (!results_read(&results, path, NULL, &err))
        fail_msg("%s", err.text);
    return results;
}

static void check_whole(const char *path)
{
    struct results read = read_back(path);
    assert_int_equal(read.set.count, QUESTIONS);
    for (int i = 0; i < QUESTIONS; i++) {
        assert_int_equal(read.ids[i], i);
        check_same(&read.evaluations[i], &expected[i]);
        assert_string_equal(read.set.questions[i].text, set.questions[i].text);
        assert_string_equal(read.set.questions[i].answer, set.questions[i].answer);
        assert_string_equal(read.set.questions[i].type, set.questions[i].type);
        assert_string_equal(strrchr(read.set.questions[i].pictures[0], '/'), strrchr(set.questions[i].pictures[0], '/'));
        assert_int_equal(access(read.set.questions[i].pictures[0], R_OK), 0);
    }
    results_free(&read);
}

// The kept counts of a line against a run of that question.
static void check_keep(const json_t *line)
{
    struct error err = {0};
    int id = (int)json_integer_value(json_object_get(line, "id"));
    struct picture picture = tiny_picture((uint64_t)(id / EACH));
    const struct picture *list[] = {&picture};
    struct run *run = run_new(model, list, 1, tiny_questions[id % EACH], NULL, &err);
    assert_non_null(run);
    tiny_finish(run);
    const struct trace *trace = run_trace(run);
    const json_t *keep = json_object_get(line, "keep"), *image = json_object_get(keep, "image");
    assert_int_equal(json_array_size(image), trace->stage_count);
    assert_null(json_object_get(keep, "image2"));
    for (int s = 0; s < trace->stage_count; s++) {
        const struct trace_tokens *tokens = &trace->stages[s].tokens[0];
        int alive = 0, heads = 0, count = 0;
        for (int i = 0; i < tokens->count; i++)
            alive += tokens->alive[i];
        const json_t *said = json_array_get(image, (size_t)s);
        assert_true(tokens->count ? json_integer_value(said) == alive : json_is_null(said));
        for (int k = 0; k < TRACE_STREAMS * MODULES; k++) {
            const struct trace_heads *h = &trace->stages[s].heads[k / MODULES][k % MODULES];
            count += h->count;
            for (int i = 0; i < h->count; i++)
                heads += h->on[i];
        }
        said = json_array_get(json_object_get(keep, "heads"), (size_t)s);
        assert_true(count ? json_integer_value(said) == heads : json_is_null(said));
    }
    run_free(run);
    picture_free(&picture);
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    struct evaluation results[QUESTIONS];
    const char *path = scratch_path("whole.jsonl");
    evaluate_into(path, 1, 1, results, -1);
    check_whole(path);
    FILE *file = fopen(path, "r");
    char line[8192];
    assert_non_null(fgets(line, sizeof line, file)); // the header
    for (int i = 0; i < QUESTIONS; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        json_t *root = json_loads(line, 0, NULL);
        check_keep(root);
        json_decref(root);
    }
    fclose(file);
}

// Cut at any byte, the file is continued: nothing that was whole is asked again, nothing else is lost.
static void test_resuming_after_any_cut(void **state)
{
    (void)state;
    struct evaluation results[QUESTIONS];
    const char *path = scratch_path("cut.jsonl");
    evaluate_into(path, 1, 1, results, -1);
    struct results whole = read_back(path);
    size_t size = whole.whole;
    results_free(&whole);
    char *bytes = malloc(size);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    for (size_t cut = 0; cut <= size; cut += cut < 12 || cut > size - 12 ? 1 : 397) {
        int lines = 0;
        for (size_t i = 0; i < cut; i++)
            lines += bytes[i] == '\n';
        scratch_write("cut.jsonl", bytes, cut);
        struct writing w = evaluate_into(path, 1, 1, results, -1);
        int had = lines ? lines - 1 : 0;
        assert_int_equal(w.file.resumed, had);
        assert_int_equal(w.asked, QUESTIONS - had);
        for (int i = 0; i < QUESTIONS; i++)
            check_same(&results[i], &expected[i]);
        check_whole(path);
    }
    free(bytes);
}

static void test_a_killed_process_goes_on(void **state)
{
    (void)state;
    struct evaluation results[QUESTIONS];
    const char *path = scratch_path("killed.jsonl");
    int status;
    for (int round = 0; round < 3; round++) {
        pid_t child = fork();
        if (!child) {
            evaluate_into(path, 1, 1, results, 5);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        struct results read = read_back(path);
        assert_int_equal(read.set.count, 5 * (round + 1));
        results_free(&read);
    }
    struct writing w = evaluate_into(path, 1, 1, results, -1);
    assert_int_equal(w.file.resumed, 15);
    assert_int_equal(w.asked, QUESTIONS - 15);
    check_whole(path);
}

// The file keeps its bytes, and the sentence says what differs.
static void refuse(const char *path, const struct results_header *header, const char *why)
{
    struct results_file file;
    struct evaluation results[QUESTIONS] = {{0}};
    struct error err = {0};
    char before[65536] = "", after[65536] = "";
    FILE *in = fopen(path, "rb");
    size_t size = fread(before, 1, sizeof before, in);
    fclose(in);
    assert_false(results_open(&file, path, header, &set, results, &err));
    if (!strstr(err.text, why))
        fail_msg("\"%s\" has no \"%s\"", err.text, why);
    assert_int_equal(err.code, ERROR_INPUT);
    in = fopen(path, "rb");
    assert_int_equal(fread(after, 1, sizeof after, in), size);
    fclose(in);
    assert_memory_equal(before, after, size);
}

static void test_files_of_other_runs_are_refused(void **state)
{
    (void)state;
    struct evaluation results[QUESTIONS];
    const char *path = scratch_path("mine.jsonl");
    evaluate_into(path, 1, 2, results, -1);
    struct results_header h = describe(1, 2);
    strcpy(h.policy, "random");
    refuse(path, &h, "comes from the policy learned, not random");
    h = describe(1, 2);
    h.budget = 0.5;
    refuse(path, &h, "comes from the budget as trained, not 0.5");
    h = describe(1, 2);
    h.seed = 18446744073709551615u;
    refuse(path, &h, "comes from the seed 0, not 18446744073709551615");
    h = describe(2, 2);
    refuse(path, &h, "is shard 1 of 2, and this run is shard 2 of 2");
    h = describe(1, 2);
    h.set_digest[0] = h.set_digest[0] == '0' ? '1' : '0';
    refuse(path, &h, "another question set");
    h = describe(1, 2);
    h.set_questions--;
    refuse(path, &h, "about 20 questions of the set, not 19");
    h = describe(1, 2);
    h.model_digest[0] = h.model_digest[0] == '0' ? '1' : '0';
    refuse(path, &h, "other weights");
    h = describe(1, 2);
    refuse(set_path, &h, "not a file of results");
    refuse(weights, &h, "line 1");
    struct results_file held;
    struct error err = {0};
    assert_true(results_open(&held, path, &h, &set, results, &err));
    refuse(path, &h, "written by another process");
    assert_true(results_close(&held, &err));
    assert_false(results_open(&held, scratch_path("no/where.jsonl"), &h, &set, results, &err));
    assert_non_null(strstr(err.text, "where.jsonl"));
}

static void test_shards_make_the_whole(void **state)
{
    (void)state;
    struct evaluation results[QUESTIONS];
    const char *paths[3];
    struct results parts[3], whole;
    struct error err = {0};
    int sizes = 0;
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "shard%d.jsonl", i);
        paths[2 - i] = scratch_path(name); // in any order
        sizes += evaluate_into(scratch_path(name), i + 1, 3, results, -1).asked;
    }
    assert_int_equal(sizes, QUESTIONS);
    for (int i = 0; i < 3; i++)
        parts[i] = read_back(paths[i]);
    if (!results_merge(&whole, parts, paths, 3, &err))
        fail_msg("%s", err.text);
    struct evaluation_summary a, b;
    for (const char *const *type = (const char *const[]){"even", "odd", NULL};; type++) {
        assert_true(evaluate_summarize(&whole.set, whole.evaluations, *type, NULL, &a, &err));
        assert_true(evaluate_summarize(&set, expected, *type, NULL, &b, &err));
        a.ms = b.ms = 0; // the only thing that differs from run to run
        assert_memory_equal(&a, &b, sizeof a);
        if (!*type)
            break;
    }
    const char *joined = scratch_path("joined.jsonl");
    assert_true(results_join(&whole.header, paths, 3, joined, &err));
    check_whole(joined);
    results_free(&whole);
}

static void refuse_merge(const char *const paths[], int count, const char *why)
{
    struct results parts[3], whole;
    struct error err = {0};
    for (int i = 0; i < count; i++)
        parts[i] = read_back(paths[i]);
    assert_false(results_merge(&whole, parts, paths, count, &err));
    assert_int_equal(whole.set.count, 0);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" has no \"%s\"", err.text, why);
    for (int i = 0; i < count; i++)
        results_free(&parts[i]);
}

static const char *rewritten(const char *from, const char *to, const char *old, const char *new)
{
    static char bytes[65536], changed[65536];
    FILE *file = fopen(scratch_path(from), "rb");
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = 0;
    fclose(file);
    char *at = strstr(bytes, old);
    assert_non_null(at);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - bytes), bytes, new, at + strlen(old));
    return scratch_write(to, changed, strlen(changed));
}

static void test_shards_that_do_not_fit(void **state)
{
    (void)state;
    const char *a = scratch_path("shard0.jsonl"), *b = scratch_path("shard1.jsonl"), *c = scratch_path("shard2.jsonl");
    refuse_merge((const char *const[]){a, c}, 2, "shard 2 of 3 is missing (2 of 3 are here)");
    refuse_merge((const char *const[]){a, b, b}, 3, "are both shard 2 of 3");
    refuse_merge((const char *const[]){scratch_path("whole.jsonl"), a}, 2, "one of 3 shards");
    const char *other = rewritten("shard2.jsonl", "policy.jsonl", "\"learned\"", "\"random\"");
    refuse_merge((const char *const[]){a, b, other}, 3, "do not belong together: ");
    other = rewritten("shard2.jsonl", "exact.jsonl", "\"exact\":false", "\"exact\":true");
    refuse_merge((const char *const[]){a, b, other}, 3, "with --exact, not without");
    // Shard 2 claims the first question too; it is in shard 1.
    other = rewritten("shard2.jsonl", "twice.jsonl", "{\"id\":8,", "{\"id\":0,");
    refuse_merge((const char *const[]){a, b, other}, 3, "question 0 is in two of the shards");
    FILE *file = fopen(scratch_path("policy.jsonl"), "rb"); // half a shard
    char bytes[4096];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    char *text = strstr(bytes, "\"random\"");
    memcpy(text, "\"learned", 8);
    memmove(text + 9, text + 8, (size_t)(bytes + size - text) - 9);
    text[8] = '"';
    other = scratch_write("half.jsonl", bytes, size);
    refuse_merge((const char *const[]){a, b, other}, 3, "of its 4 questions");
}

#define HEADER                                                                                                 \
    "{\"trimscope_results\":1,\"model\":{\"name\":\"m\",\"digest\":\"0\"},\"set\":{\"path\":\"/s/q.jsonl\",\"digest\":"        \
    "\"1\",\"questions\":%d},\"policy\":\"%s\",\"budget\":null,\"seed\":\"0\",\"shard\":[1,1],\"questions\":%d}\n"
#define ROW                                                                                                    \
    "{\"id\":%d,\"picture\":\"%d.png\",\"question\":\"q\",\"type\":\"%s\",\"truth\":\"a\",\"answer\":\"a\",\"right\":%s,\"p\":"    \
    "0.5,\"share\":%g,\"macs\":1e6,\"ms\":1,\"needed\":0,\"needed_alive\":0,\"other\":0,\"other_alive\":0}\n"

// Pictures of `each` questions; right(i) decides.
static struct results made(int pictures, int each, bool (*right)(int id), double share)
{
    size_t size = 1024 + (size_t)pictures * (size_t)each * 320;
    char *text = malloc(size);
    int n = pictures * each, used = snprintf(text, size, HEADER, n, "learned", n);
    struct results results;
    struct error err = {0};
    for (int i = 0; i < n; i++)
        used += snprintf(text + used, size - (size_t)used, ROW, i, i / each, i % 2 ? "odd" : "even",
                         right(i) ? "true" : "false", share);
    if (!results_parse(&results, text, strlen(text), NULL, &err))
        fail_msg("%s", err.text);
    free(text);
    return results;
}

static bool every_other(int id) { return id % 2 == 0; }

struct stopping {
    int calls, most;
    double done;
};

static bool stop_after(void *context, double done)
{
    struct stopping *stopping = context;
    assert_true(done >= stopping->done && done <= 1);
    stopping->done = done;
    return ++stopping->calls <= stopping->most;
}

// Reading and summing up a large file can be watched and stopped; what was asked for is then empty.
static void test_watched(void **state)
{
    (void)state;
    struct results made_up = made(400, 5, every_other, 0.5), read;
    struct evaluation_summary summary, same;
    struct error err = {0};
    size_t size = 0;
    char *text = NULL;
    FILE *stream = open_memstream(&text, &size);
    fprintf(stream, HEADER, 2000, "learned", 2000);
    for (int i = 0; i < 2000; i++)
        fprintf(stream, ROW, i, i / 5, "odd", "true", 0.5);
    fclose(stream);
    struct stopping never_stops = {.most = 100000}, stops = {.most = 2};
    const struct watch watch = {stop_after, &never_stops}, stop = {stop_after, &stops};
    assert_true(results_parse(&read, text, size, &watch, &err));
    assert_true(never_stops.calls >= 5);
    results_free(&read);
    assert_false(results_parse(&read, text, size, &stop, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_true(stops.calls == 3 && read.set.count == 0 && !read.evaluations);
    const char *path = scratch_write("watched.jsonl", text, size);
    struct results_header header;
    assert_true(results_read_header(&header, path, &err));
    assert_true(header.questions == 2000 && !strcmp(header.policy, "learned"));
    assert_false(results_read_header(&header, scratch_write("no-results.jsonl", "{}\n", 3), &err));
    assert_non_null(strstr(err.text, "not a file of results"));
    free(text);
    never_stops = (struct stopping){.most = 100000};
    assert_true(evaluate_summarize(&made_up.set, made_up.evaluations, NULL, &watch, &summary, &err));
    assert_true(evaluate_summarize(&made_up.set, made_up.evaluations, NULL, NULL, &same, &err));
    assert_memory_equal(&summary, &same, sizeof summary);
    stops = (struct stopping){.most = 2};
    assert_false(evaluate_summarize(&made_up.set, made_up.evaluations, NULL, &stop, &summary, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    results_free(&made_up);
}

static bool three_of_four(int id) { return id % 4 != 0; }
static bool whole_pictures(int id) { return id / 5 % 2 == 0; }
static bool never(int id) { return id < 0; }

static void test_comparison(void **state)
{
    (void)state;
    struct results a = made(80, 1, three_of_four, 0.5), b = made(80, 1, every_other, 0.25);
    struct results_comparison c;
    struct error err = {0};
    assert_true(results_compare(&a, &b, NULL, &c, &err));
    assert_int_equal(c.questions, 80);
    assert_int_equal(c.pictures, 80);
    assert_int_equal(c.both_right, 20); // 2 mod 4
    assert_int_equal(c.only_a, 40);     // 1 and 3
    assert_int_equal(c.only_b, 20);     // 0
    assert_int_equal(c.neither, 0);
    assert_true(fabs(c.accuracy.value + 0.25) < 1e-12);
    assert_true(fabs(c.share.value + 0.25) < 1e-12 && c.share.low == c.share.value && c.share.high == c.share.value);
    double sigma = sqrt((0.5 * 1 + 0.25 * 1 - 0.25 * 0.25) / 80); // of a paired difference of -1, 0, 1
    assert_true(fabs(c.accuracy.low - (-0.25 - 1.96 * sigma)) < 0.03);
    assert_true(fabs(c.accuracy.high - (-0.25 + 1.96 * sigma)) < 0.03);
    assert_true(results_compare(&a, &b, "odd", &c, &err));
    assert_int_equal(c.questions, 40);
    assert_int_equal(c.only_a, 40);
    assert_true(results_compare(&a, &b, "none such", &c, &err));
    assert_true(c.questions == 0 && isnan(c.accuracy.value));
    results_free(&a);
    results_free(&b);
    // Questions about one picture that stand or fall together count as one: the interval is sqrt(5) times as wide.
    a = made(80, 5, whole_pictures, 0.5);
    b = made(80, 5, never, 0.5);
    assert_true(results_compare(&a, &b, NULL, &c, &err));
    assert_int_equal(c.pictures, 80);
    assert_true(fabs(c.accuracy.high - c.accuracy.low - 2 * 1.96 * sqrt(0.25 / 80)) < 0.03);
    b.header.set_digest[0] = '2';
    assert_false(results_compare(&a, &b, NULL, &c, &err));
    results_free(&a);
    results_free(&b);
}

static void test_bad_lines(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "no whole line"},
        {"{\"trimscope_results\":1}", "no whole line"},
        {"[1]\n", "line 1"},
        {"{}\n", "not a file of results"},
        {"{\"trimscope_results\":2}\n", "version 2"},
        {"{\"trimscope_results\":1}\n", "\"name\""},
        {"H{\n", "line 2"},
        {"H{\"id\":3}\n", "\"id\""},
        {"H{\"id\":-1}\n", "\"id\""},
        {"H{\"id\":1,\"picture\":7}\n", "picture"},
        {"HRR", "twice"},
        {"H{\"id\":1,\"id\":2}\n", "line 2"},
    };
    char header[512], row[512], text[4096];
    snprintf(header, sizeof header, HEADER, 3, "learned", 3);
    snprintf(row, sizeof row, ROW, 1, 1, "t", "true", 0.5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct results results;
        struct error err = {0};
        text[0] = 0;
        for (const char *p = bad[i][0]; *p; p++)
            if (*p == 'H' || *p == 'R')
                strcat(text, *p == 'H' ? header : row);
            else
                strncat(text, p, 1);
        assert_false(results_parse(&results, text, strlen(text), NULL, &err));
        assert_int_equal(results.set.count, 0);
        if (!strstr(err.text, bad[i][1]))
            fail_msg("\"%s\" has no \"%s\"", err.text, bad[i][1]);
    }
    // A row torn at any byte is left out, and said to be.
    for (size_t cut = 1; cut < strlen(row); cut++) {
        struct results results;
        snprintf(text, sizeof text, "%s%.*s", header, (int)cut, row);
        assert_true(results_parse(&results, text, strlen(text), NULL, NULL));
        assert_true(results.torn && results.set.count == 0 && results.whole == strlen(header));
        results_free(&results);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_resuming_after_any_cut),
        cmocka_unit_test(test_a_killed_process_goes_on),
        cmocka_unit_test(test_files_of_other_runs_are_refused),
        cmocka_unit_test(test_shards_make_the_whole),
        cmocka_unit_test(test_shards_that_do_not_fit),
        cmocka_unit_test(test_watched),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_bad_lines),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
