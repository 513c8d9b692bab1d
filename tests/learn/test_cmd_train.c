// The command `train`: what it refuses before any work, and a short run that is interrupted, resumed and finished.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/io/safetensors.h"
#include "engine/learn/settings.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 40, SAID = 1 << 15 };

struct said {
    char out[SAID], err[SAID];
};

static int redirect(int number, const char *path)
{
    int saved = dup(number), file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(saved >= 0 && file >= 0);
    dup2(file, number);
    close(file);
    return saved;
}

static void restore(int number, int saved, char text[SAID])
{
    ssize_t n = pread(number, text, SAID - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    dup2(saved, number);
    close(saved);
}

// Runs `trimscope train` with these words and returns its exit status.
static int train(struct said *said, const char *const words[])
{
    char *copies[WORDS + 1] = {strdup("train")}, *argv[WORDS + 1];
    int argc = 1;
    for (; words[argc - 1]; argc++)
        copies[argc] = strdup(words[argc - 1]);
    memcpy(argv, copies, sizeof argv);
    fflush(stdout);
    int out = redirect(STDOUT_FILENO, scratch_path("stdout")), err = redirect(STDERR_FILENO, scratch_path("stderr"));
    int status = cmd_train(argc, argv);
    fflush(stdout);
    restore(STDOUT_FILENO, out, said->out);
    restore(STDERR_FILENO, err, said->err);
    for (int i = 0; i < argc; i++)
        free(copies[i]);
    return status;
}
#define TRAIN(said, ...) train(said, (const char *const[]){__VA_ARGS__, NULL})

#define CHECK_REFUSED(status, what, ...)                                                                       \
    do {                                                                                                       \
        struct said said;                                                                                      \
        int got = TRAIN(&said, __VA_ARGS__);                                                                   \
        if (got != (status) || !strstr(said.err, what))                                                        \
            fail_msg("status %d, \"%s\"; expected %d and \"%s\"", got, said.err, status, what);                \
        assert_string_equal(said.out, "");                                                                     \
        assert_true(strchr(said.err, '\n') == said.err + strlen(said.err) - 1); /* one sentence */             \
        assert_int_not_equal(access("dense.safetensors.state", F_OK), 0);                                      \
    } while (0)

static void test_refused(void **state)
{
    (void)state;
    const char *config = scratch_write("config.json", "{\"rate\": 7}", 11);
    const char *zero = scratch_write("zero.json", "{}\0{}", 5), *text = scratch_write("text", "no weights", 10);
    CHECK_REFUSED(2, "no option", "--trims");
    CHECK_REFUSED(2, "--threads", "--threads", "0");
    CHECK_REFUSED(2, "--threads", "--threads", "many");
    CHECK_REFUSED(2, "--every", "--every", "-5");
    CHECK_REFUSED(2, "--init", "--trim");
    CHECK_REFUSED(2, "distill and blend are 0", "--teacher", text);
    CHECK_REFUSED(2, "distill and blend are 0", "--trim", "--init", text, "--no-distill", "--teacher", text);
    CHECK_REFUSED(1, "no full model", "distill=1");
    CHECK_REFUSED(1, "no full model", "blend=0.5");
    CHECK_REFUSED(2, "--no-cross", "--no-cross");
    CHECK_REFUSED(2, "--no-heads", "--no-heads");
    CHECK_REFUSED(2, "--no-curriculum", "--no-curriculum");
    CHECK_REFUSED(2, "--score", "--score", "dot");
    CHECK_REFUSED(2, "concat or dot", "--trim", "--init", text, "--score", "sum");
    CHECK_REFUSED(2, "--no-cross", "--trim", "--init", text, "--score", "concat", "--no-cross");
    CHECK_REFUSED(2, "--init", "--freeze-backbone");
    CHECK_REFUSED(2, "--init", "--set", text);
    CHECK_REFUSED(2, "--set", "--held-out", text);
    CHECK_REFUSED(2, "--grow", "--grow", "--init", text, "--set", text);
    CHECK_REFUSED(1, "image_trimmers=1", "--trim", "--init", "assets/dense.safetensors", "target=0.05");
    CHECK_REFUSED(1, "image_trimmers", "image_trimmers=1");
    CHECK_REFUSED(1, "heads", "width=50", "attention_heads=4");
    CHECK_REFUSED(1, "width is 64", "--init", "assets/dense.safetensors", "width=64");
    CHECK_REFUSED(1, "beside the backbone", "--freeze-backbone", "--init", "assets/dense.safetensors", "ground=1");
    CHECK_REFUSED(1, "trimmer_rate", "--freeze-backbone", "--init", "assets/dense.safetensors", "trimmer_rate=0");
    CHECK_REFUSED(1, "nothing to learn", "--freeze-backbone", "--init", "assets/dense.safetensors", "--no-distill", "answer=0");
    CHECK_REFUSED(2, "NAME=VALUE", "picture.jpg");
    CHECK_REFUSED(2, "not a number", "rate=fast");
    CHECK_REFUSED(1, "no training setting", "speed=1");
    CHECK_REFUSED(1, "rate", "rate=1.5");
    CHECK_REFUSED(1, "budgets is a list", "budgets=1");
    CHECK_REFUSED(1, "budgets is a list", "--config", scratch_write("budgets.json", "{\"budgets\": 1}", 14));
    CHECK_REFUSED(1, "patches_low", "patches_low=100", "patches_high=50");
    CHECK_REFUSED(1, "size_low", "size_low=120", "size_high=90");
    CHECK_REFUSED(1, "config.json", "--config", config);
    CHECK_REFUSED(1, "not JSON", "--config", zero);
    CHECK_REFUSED(1, "nowhere.json", "--config", "nowhere.json");
    CHECK_REFUSED(1, "cannot write tests: it is not a file but a folder", "--out", "tests", "total=2");
    CHECK_REFUSED(1, "cannot write nowhere/dense.safetensors", "--out", "nowhere/dense.safetensors", "total=2",
                  "scenes=1", "questions=2");
    CHECK_REFUSED(1, "dense stage", "--trim", "--init", text, "--config", "assets/training/dense.json");
    CHECK_REFUSED(1, "text", "--init", text);
    CHECK_REFUSED(1, "nowhere.safetensors", "--init", "nowhere.safetensors");
}

// The bundled settings are complete: nothing that made the bundled weights is left to defaults that may change.
static void test_bundled_settings(void **state)
{
    (void)state;
    const char *paths[] = {"assets/training/perception.json", "assets/training/dense.json", "assets/training/pruned.json"};
    for (int i = 0; i < 3; i++) {
        bool trim = i == 2;
        struct error err = {0};
        unsigned char *text;
        size_t size;
        struct train_settings settings = train_settings_default(trim);
        assert_true(file_read(paths[i], 1 << 16, &text, &size, &err));
        if (!train_settings_read(&settings, (char *)text, &err) || !train_settings_check(&settings, 6, &err))
            fail_msg("%s", err.text);
#define CHECK_NAMED(type, member, dense, pruned, low, high, help) assert_non_null(strstr((char *)text, "\"" #member "\""));
        TRAIN_SETTINGS(CHECK_NAMED)
#undef CHECK_NAMED
        assert_int_equal(settings.budget_count, trim ? 6 : 0);
        memory_free(text);
    }
}

static int lines_with(const char *text, const char *what)
{
    int lines = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        lines++;
    return lines;
}

static void test_run(void **state)
{
    (void)state;
    struct said said;
    struct error err = {0};
    const char *out = scratch_path("dense.safetensors");
    assert_int_equal(TRAIN(&said, "--out", out, "--threads", "1", "--validate", "1", "scenes=1", "questions=2",
                           "total=4", "patches_low=8", "patches_high=8"),
                     0);
    assert_int_equal(lines_with(said.out, "step 2/2"), 1); // the last report comes once
    assert_int_equal(lines_with(said.out, "step "), 1);
    assert_int_equal(lines_with(said.out, "held-out:"), 1);
    assert_null(strchr(said.out, '\r')); // a log has plain lines
    struct tensor_list *file = safetensors_open(out, &err);
    assert_non_null(file);
    assert_non_null(tensor_list_find(file, "aux.patch.weight"));
    tensor_list_close(file);
    // A longer run of the same command goes on from the state.
    assert_int_equal(TRAIN(&said, "--out", out, "--threads", "1", "--validate", "1", "--half", "scenes=1", "questions=2",
                           "total=6", "patches_low=8", "patches_high=8"),
                     0);
    assert_int_equal(lines_with(said.out, "going on from"), 1);
    assert_int_equal(lines_with(said.out, "step 3/3"), 1);
    file = safetensors_open(out, &err);
    assert_non_null(file);
    assert_null(tensor_list_find(file, "aux.patch.weight"));
    assert_int_equal(tensor_list_find(file, "token_type_embeddings.weight")->type, TENSOR_F16);
    assert_non_null(strstr(tensor_list_metadata(file, "training"), "\"patches_high\":8"));
    tensor_list_close(file);
    // A broken state is named, and --fresh gets past it.
    char path[4096];
    snprintf(path, sizeof path, "%s.state", out);
    FILE *stream = fopen(path, "wb");
    assert_true(stream && fclose(stream) == 0);
    assert_int_equal(TRAIN(&said, "--out", out, "--threads", "1", "total=6"), 1);
    assert_non_null(strstr(said.err, "--fresh"));
    assert_int_equal(TRAIN(&said, "--out", out, "--threads", "1", "--validate", "1", "--fresh", "scenes=1",
                           "questions=2", "total=2", "patches_low=8", "patches_high=8"),
                     0);
}

// A small model whose training takes seconds.
#define SMALL                                                                                                  \
    "--threads", "2", "--validate", "1", "--calibrate", "8", "scenes=2", "questions=2", "width=16", "attention_heads=2", "image_layers=1",  \
        "text_layers=1", "fusion_layers=2", "stem_channels1=8", "stem_channels2=8", "stem_blocks=1", "image_ffn=16", "text_ffn=16", "image_fusion_ffn=16", "text_fusion_ffn=16"

static bool holds(const char *path, const char *tensor)
{
    struct error err = {0};
    struct tensor_list *file = safetensors_open(path, &err);
    assert_non_null(file);
    bool found = tensor_list_find(file, tensor) != NULL;
    tensor_list_close(file);
    return found;
}

static void check_setting(const char *path, const char *text)
{
    struct error err = {0};
    struct tensor_list *file = safetensors_open(path, &err);
    assert_non_null(file);
    if (!strstr(tensor_list_metadata(file, "training"), text))
        fail_msg("%s does not say %s: %s", path, text, tensor_list_metadata(file, "training"));
    tensor_list_close(file);
}

// What the ablations leave out is not in the weights, and the weights say so.
static void test_ablations(void **state)
{
    (void)state;
    struct said said;
    const char *dense = scratch_path("start.safetensors"), *out = scratch_path("pruned.safetensors");
    assert_int_equal(TRAIN(&said, "--out", dense, "total=4", SMALL), 0);
    check_setting(dense, "\"width\":16");
    check_setting(dense, "\"head_hidden\":256"); // left to the default, and said all the same
    assert_int_equal(TRAIN(&said, "--trim", "--init", dense, "--out", out, "--fresh", "total=4", "target=0.9", "--no-cross", "--no-heads",
                           "--no-distill", "--no-curriculum", SMALL),
                     0);
    assert_true(holds(out, "trimmers.fusion_image.0.token.out.weight"));
    assert_false(holds(out, "trimmers.fusion_image.0.token.query.weight"));
    assert_false(holds(out, "trimmers.fusion_image.0.mca.out.weight"));
    check_setting(out, "\"cross\":0");
    check_setting(out, "\"curriculum\":0.0");
    check_setting(out, "\"distill\":0.0");
    assert_null(strstr(said.out, "distill "));
    assert_int_equal(TRAIN(&said, "--trim", "--init", dense, "--out", out, "--fresh", "total=4", "target=0.9", "--score", "concat",
                           "image_trimmers=1", "hidden=5", SMALL),
                     0);
    assert_true(holds(out, "trimmers.image.0.token.mix.weight"));
    assert_false(holds(out, "trimmers.fusion_image.0.token.alpha"));
    check_setting(out, "\"hidden\":5");
    check_setting(out, "\"rank\":2");
    assert_int_equal(TRAIN(&said, "--trim", "--init", dense, "--out", out, "--fresh", "total=4", "target=0.95", "--no-tokens", SMALL), 0);
    assert_false(holds(out, "trimmers.fusion_image.0.token.out.weight"));
    assert_true(holds(out, "trimmers.fusion_image.0.mca.out.weight"));
    assert_int_equal(TRAIN(&said, "--trim", "--init", dense, "--out", out, "--fresh", "--no-tokens", "--no-heads", SMALL), 1);
    assert_non_null(strstr(said.err, "nothing to trim"));
    // A smaller model learns from a larger one.
    assert_int_equal(TRAIN(&said, "--teacher", "assets/dense.safetensors", "--out", dense, "--fresh", "total=4", "distill=1",
                           SMALL),
                     0);
    assert_non_null(strstr(said.out, "distill "));
}

static float first_number(const char *path, const char *tensor)
{
    struct error err = {0};
    struct tensor_list *file = safetensors_open(path, &err);
    assert_non_null(file);
    const struct tensor *found = tensor_list_find(file, tensor);
    assert_non_null(found);
    float *numbers = malloc(found->elements * sizeof *numbers), first;
    assert_non_null(numbers);
    tensor_floats(found, numbers);
    first = numbers[0];
    free(numbers);
    tensor_list_close(file);
    return first;
}

// Only trimmers change and only they are in the state, which another backbone refuses.
static void test_frozen(void **state)
{
    (void)state;
    struct said said;
    const char *dense = scratch_path("frozen_start.safetensors"), *out = scratch_path("frozen.safetensors");
    const char *backbone = "cross_modal_image_layers.1.output.dense.weight", *trimmer = "trimmers.fusion_image.0.token.out.bias";
    char state_path[4096];
    snprintf(state_path, sizeof state_path, "%s.state", out);
    assert_int_equal(TRAIN(&said, "--out", dense, "total=4", SMALL), 0);
    assert_int_equal(TRAIN(&said, "--freeze-backbone", "--init", dense, "--out", out, "total=16", "target=0.9", SMALL), 0);
    assert_non_null(strstr(said.out, "distill "));
    assert_true(first_number(dense, backbone) == first_number(out, backbone));
    assert_true(first_number(out, trimmer) != 4); // where it starts
    assert_true(holds(state_path, trimmer));
    assert_false(holds(state_path, backbone));
    assert_int_equal(TRAIN(&said, "--freeze-backbone", "--init", dense, "--out", out, "total=24", "target=0.9", SMALL), 0);
    assert_non_null(strstr(said.out, "going on from"));
    assert_int_equal(TRAIN(&said, "--out", dense, "--fresh", "total=8", SMALL), 0);
    assert_int_equal(TRAIN(&said, "--freeze-backbone", "--init", dense, "--out", out, "total=32", "target=0.9", SMALL), 1);
    assert_non_null(strstr(said.err, "another backbone"));
}

static void test_changed_settings(void **state)
{
    (void)state;
    struct said said;
    const char *out = scratch_path("changed.safetensors");
    assert_int_equal(TRAIN(&said, "--out", out, "total=4", SMALL), 0);
    assert_int_equal(TRAIN(&said, "--out", out, "total=8", "rate=0.01", SMALL), 1);
    assert_non_null(strstr(said.err, "rate"));
    assert_non_null(strstr(said.err, "--change"));
    assert_int_equal(TRAIN(&said, "--out", out, "total=8", "rate=0.01", "--change", SMALL), 0);
}

static void test_estimate(void **state)
{
    (void)state;
    struct said said;
    assert_int_equal(TRAIN(&said, "--estimate", "total=4000", SMALL), 0);
    assert_non_null(strstr(said.out, "hours"));
    assert_int_equal(TRAIN(&said, "--estimate", "--trim", "total=4000", "target=0.9", SMALL), 0);
    assert_non_null(strstr(said.out, "at most"));
}

static void check_same_file(const char *a, const char *b)
{
    struct error err = {0};
    unsigned char *bytes[2];
    size_t size[2];
    assert_true(file_read(a, 1 << 26, &bytes[0], &size[0], &err) && file_read(b, 1 << 26, &bytes[1], &size[1], &err));
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    memory_free(bytes[0]);
    memory_free(bytes[1]);
}

static struct timespec written(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 ? found.st_mtim : (struct timespec){0};
}

// Killed again and again at any moment, and started again each time, it ends with the very weights of a run that nobody
// disturbed.
static void test_killed(void **state)
{
    (void)state;
    enum { KILLS = 3 };
    const char *out = scratch_path("killed.safetensors"), *calm = scratch_path("calm.safetensors");
    char path[4096];
    snprintf(path, sizeof path, "%s.state", out);
    struct random random;
    random_init(&random, 4, 2);
    int killed = 0;
    for (int i = 0; i < KILLS; i++) {
        struct timespec before = written(path), now = before;
        int status = 0;
        pid_t child = fork(), ended = 0;
        assert_true(child >= 0);
        if (child == 0) {
            struct said said;
            _exit(TRAIN(&said, "--out", out, "--every", "1", "total=1200", SMALL));
        }
        // The first before there is a state: a fast machine is done before it writes another.
        while (i > 0 && !ended && now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec) {
            usleep(2000);
            ended = waitpid(child, &status, WNOHANG);
            now = written(path);
        }
        usleep((useconds_t)random_below(&random, i > 0 ? 900000 : 100000));
        if (!ended) {
            kill(child, SIGKILL);
            assert_int_equal(waitpid(child, &status, 0), child);
        }
        killed += WIFSIGNALED(status);
    }
    struct said said;
    assert_int_equal(TRAIN(&said, "--out", out, "--every", "1", "total=1200", SMALL), 0);
    assert_non_null(strstr(said.out, "going on from"));
    assert_int_equal(TRAIN(&said, "--out", calm, "total=1200", SMALL), 0);
    print_message("killed %d times\n", killed);
    assert_true(killed > 0);
    check_same_file(out, calm);
}

static void test_help(void **state)
{
    (void)state;
    struct said said;
    assert_int_equal(TRAIN(&said, "--help"), 0);
#define CHECK_HELP(type, member, dense, trim, low, high, help) assert_non_null(strstr(said.out, "\n" #member " "));
    TRAIN_SETTINGS(CHECK_HELP)
#undef CHECK_HELP
    assert_string_equal(said.err, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed), // forks: before anything has started threads
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bundled_settings),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_ablations),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_changed_settings),
        cmocka_unit_test(test_estimate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
