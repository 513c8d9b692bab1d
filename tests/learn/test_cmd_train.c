// The command `train`: what it refuses before any work, and a short run that is interrupted, resumed and finished.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "engine/learn/settings.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 24, SAID = 1 << 15 };

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
    CHECK_REFUSED(2, "--trim", "--teacher", text);
    CHECK_REFUSED(2, "NAME=VALUE", "picture.jpg");
    CHECK_REFUSED(2, "not a number", "rate=fast");
    CHECK_REFUSED(1, "no training setting", "speed=1");
    CHECK_REFUSED(1, "rate", "rate=1.5");
    CHECK_REFUSED(1, "patches_low", "patches_low=100", "patches_high=50");
    CHECK_REFUSED(1, "config.json", "--config", config);
    CHECK_REFUSED(1, "not JSON", "--config", zero);
    CHECK_REFUSED(1, "nowhere.json", "--config", "nowhere.json");
    CHECK_REFUSED(1, "cannot write nowhere/dense.safetensors.state", "--out", "nowhere/dense.safetensors", "total=2",
                  "scenes=1", "questions=2");
    CHECK_REFUSED(1, "dense stage", "--trim", "--init", text, "--config", "assets/training/dense.json");
    CHECK_REFUSED(1, "text", "--init", text);
    CHECK_REFUSED(1, "nowhere.safetensors", "--init", "nowhere.safetensors");
}

// The bundled settings are complete: nothing that made the bundled weights is left to defaults that may change.
static void test_bundled_settings(void **state)
{
    (void)state;
    const char *paths[] = {"assets/training/dense.json", "assets/training/pruned.json"};
    for (int trim = 0; trim < 2; trim++) {
        struct error err = {0};
        unsigned char *text;
        size_t size;
        struct train_settings settings = train_settings_default(trim);
        assert_true(file_read(paths[trim], 1 << 16, &text, &size, &err));
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

static void test_help(void **state)
{
    (void)state;
    struct said said;
    assert_int_equal(TRAIN(&said, "--help"), 0);
#define CHECK_HELP(type, member, dense, trim, low, high, help) assert_non_null(strstr(said.out, "  " #member " "));
    TRAIN_SETTINGS(CHECK_HELP)
#undef CHECK_HELP
    assert_string_equal(said.err, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bundled_settings),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
