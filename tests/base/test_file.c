// What may be read and what may be replaced.
#include "tests/support/cmocka_all.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_refused(const char *path, const char *why)
{
    struct error err = {0};
    struct file_writer writer;
    assert_false(file_writer_open(&writer, path, &err));
    if (err.code != ERROR_INPUT || !strstr(err.text, why))
        fail_msg("status %d, \"%s\"; expected \"%s\"", err.code, err.text, why);
}

static void test_only_files_are_replaced(void **state)
{
    (void)state;
    const char *pipe = scratch_path("pipe"), *folder = scratch_path("folder");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    check_refused(pipe, "device or pipe"); // as root, /dev/null would be gone
    check_refused(folder, "folder");
    check_refused(scratch_path("nowhere/file"), "No such file");
    rmdir(folder);
}

// What cannot be read is called by its name, or by what is wrong with it.
static void test_unreadable(void **state)
{
    (void)state;
    static const struct {
        const char *path, *said;
    } cases[] = {{"", "no file is named"}, {"/", "/ is not a file but a folder"}, {"/dev/null", "device or pipe"},
                 {"/nowhere", "cannot open /nowhere: No such file"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        unsigned char *data;
        size_t size;
        assert_false(file_read(cases[i].path, 100, &data, &size, &err));
        assert_int_equal(err.code, ERROR_INPUT);
        assert_non_null(strstr(err.text, cases[i].said));
    }
}

static void test_written_whole_or_not_at_all(void **state)
{
    (void)state;
    struct error err = {0};
    struct file_writer writer;
    unsigned char *data;
    size_t size;
    const char *path = scratch_write("old", "old", 3);
    assert_true(file_writer_open(&writer, path, &err));
    fputs("half of the n", writer.stream);
    file_writer_abort(&writer);
    assert_true(file_read(path, 100, &data, &size, &err));
    assert_string_equal((char *)data, "old");
    memory_free(data);
    assert_true(file_writer_open(&writer, path, &err));
    fputs("new", writer.stream);
    assert_true(file_writer_commit(&writer, &err));
    assert_true(file_read(path, 100, &data, &size, &err));
    assert_string_equal((char *)data, "new");
    memory_free(data);
}

static int others_in_scratch(void)
{
    struct dirent **names;
    int count = scandir(scratch_path("."), &names, NULL, NULL);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return count;
}

// However the program ends in the midst of it: the old file is there, and no other.
static void test_killed_while_writing(void **state)
{
    (void)state;
    struct error err = {0};
    struct file_writer writer;
    int status;
    const char *path = scratch_write("kept", "old", 3);
    int before = others_in_scratch();
    assert_true(file_writer_open(&writer, path, &err));
    bool named = writer.temporary != NULL;
    file_writer_abort(&writer);
    if (named)
        skip(); // this file system knows no files without a name
    pid_t child = fork();
    if (child == 0) {
        if (file_writer_open(&writer, path, &err))
            fputs("half of the n", writer.stream);
        fflush(writer.stream);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(others_in_scratch(), before);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
}

// Of many writes an early one fails, and nobody looks: the reason is told all the same, and nothing stays behind.
static void test_why_it_could_not_be_written(void **state)
{
    (void)state;
    struct error err = {0};
    struct file_writer writer;
    struct rlimit before, small;
    const char *path = scratch_path("large");
    int before_writing = others_in_scratch();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){100000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    for (int committed = 0; committed < 2; committed++) {
        assert_true(file_writer_open(&writer, path, &err));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        for (int i = 0; i < 100000; i++)
            fputs("beyond the limit", writer.stream);
        error_set(&err, ERROR_INPUT, "what the library thought");
        assert_false(committed ? file_writer_commit(&writer, &err) : file_writer_give_up(&writer, &err));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(err.code, ERROR_MACHINE);
        assert_non_null(strstr(err.text, strerror(EFBIG)));
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_equal(others_in_scratch(), before_writing);
    }
    signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_files_are_replaced),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_written_whole_or_not_at_all),
        cmocka_unit_test(test_killed_while_writing),
        cmocka_unit_test(test_why_it_could_not_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
