// The program as a whole: standard streams that are closed or full, and exit statuses.
#include "tests/support/cmocka_all.h"

#include "tests/support/scratch.h"

int program_main(int argc, char **argv);
#define main program_main
#include "app/main.c"
#undef main

#include <sys/resource.h>
#include <sys/wait.h>

struct streams {
    int closed;         // a standard stream that is closed before the program starts, -1: none
    const char *output; // what stdout is, NULL: a file
    rlim_t file_bytes;  // 0: no limit
};

static const char *const no_words[] = {NULL};

// The exit status in a child process; its stderr is in `said`, its stdout in the file "stdout".
static int program(const struct streams *streams, const char *const words[], char said[1024])
{
    const char *out = streams->output ? streams->output : scratch_path("stdout"), *err = scratch_path("stderr");
    char *argv[16] = {strdup("trimscope")};
    int argc = 1, status;
    for (; *words && argc < 15; words++)
        argv[argc++] = strdup(*words);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        dup2(open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        if (streams->closed >= 0)
            close(streams->closed);
        if (streams->file_bytes)
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){streams->file_bytes, streams->file_bytes});
        status = program_main(argc, argv);
        _exit(status);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    while (argc > 0)
        free(argv[--argc]);
    FILE *file = fopen(err, "r");
    said[file ? fread(said, 1, 1023, file) : 0] = 0;
    if (file)
        fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
#define PROGRAM(streams, said, ...) program(&(streams), (const char *const[]){__VA_ARGS__, NULL}, said)

static const struct streams plain = {.closed = -1}, no_input = {.closed = STDIN_FILENO},
                            no_output = {.closed = STDOUT_FILENO}, no_errors = {.closed = STDERR_FILENO},
                            full = {.closed = -1, .output = "/dev/full"}, limited = {.closed = -1, .file_bytes = 4096};

static void test_output_that_cannot_be_written(void **state)
{
    (void)state;
    char said[1024];
    assert_int_equal(PROGRAM(plain, said, "--version"), ERROR_NONE);
    assert_string_equal(said, "");
    static const char *const words[] = {"--version", "--help", "doctor"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(PROGRAM(full, said, words[i]), ERROR_MACHINE);
        assert_non_null(strstr(said, "cannot write the output: No space left"));
        assert_int_equal(PROGRAM(no_output, said, words[i]), ERROR_MACHINE);
        assert_non_null(strstr(said, "cannot write the output"));
    }
    // Nor is the reason lost where much more would have come.
    assert_int_equal(PROGRAM(full, said, "help", "man"), ERROR_MACHINE);
    assert_non_null(strstr(said, "cannot write the output: No space left"));
    // The files that a command opens must not become its stdout or stderr.
    assert_int_equal(PROGRAM(no_errors, said, "run", "nowhere.png", "what?"), ERROR_INPUT);
    assert_int_equal(PROGRAM(no_input, said, "--version"), ERROR_NONE);
}

// A limit is an error like a full disk: no signal kills, and nothing half is left.
static void test_file_that_may_not_grow(void **state)
{
    (void)state;
    char said[1024], path[4096];
    const char *folder = scratch_path("world");
    assert_int_equal(PROGRAM(limited, said, "world", "1", folder), ERROR_MACHINE);
    assert_non_null(strstr(said, "000000.jpg: File too large"));
    snprintf(path, sizeof path, "%s/000000.jpg", folder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(rmdir(folder), 0); // empty
}

static void test_what_is_no_command(void **state)
{
    (void)state;
    char said[1024];
    assert_int_equal(PROGRAM(plain, said, "\033[31mred\n"), ERROR_USAGE);
    assert_memory_equal(said, "trimscope: \"?[31mred \" is neither", 32);
    assert_int_equal(PROGRAM(plain, said, ""), ERROR_USAGE);
    program(&plain, no_words, said); // no terminal: line by line instead, which is said
    assert_non_null(strstr(said, "line by line"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_that_cannot_be_written),
        cmocka_unit_test(test_file_that_may_not_grow),
        cmocka_unit_test(test_what_is_no_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
