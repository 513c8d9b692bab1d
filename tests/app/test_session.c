// The session's threads beside the screen.
#include "tests/support/cmocka_all.h"

#include "app/session.h"
#include "engine/io/picture.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long long blocked_signals(const char *thread)
{
    char path[300], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "SigBlk: %llx", &mask);
    if (file)
        fclose(file);
    return mask;
}

// Threads that take no SIGTERM: the worker and its pool, none of OpenBLAS or of a sanitizer. *open says how many of them
// take every fault.
static int count_workers(int *open)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    char own[32];
    int workers = 0;
    snprintf(own, sizeof own, "%ld", (long)getpid());
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    *open = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, own))
            continue;
        unsigned long long mask = blocked_signals(entry->d_name), blocked = 0;
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            blocked |= mask >> (faults[i] - 1) & 1;
        workers += (int)(mask >> (SIGTERM - 1) & 1);
        *open += (mask >> (SIGTERM - 1) & 1) && !blocked;
    }
    closedir(tasks);
    return workers;
}

// Signals that ask for something go to the screen's thread. A fault in the engine must reach the handler that gives
// the terminal back: where it is blocked, the kernel kills at once.
static void test_faults_of_the_worker_reach_their_handler(void **state)
{
    (void)state;
    struct error err = {0};
    struct session_options options = {.model = scratch_path("none.safetensors"), .pictures = {scratch_path("none.png")},
                                      .question = "what?", .policy = POLICY_LEARNED, .budget = (double)NAN, .threads = 3};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    int open = 0, workers = 0;
    for (int wait = 0; wait < 500 && open != 3; wait++) { // a thread starts with everything blocked
        workers = count_workers(&open);
        usleep(10000);
    }
    session_free(session);
    assert_int_equal(workers, 3); // the worker, and the pool's two beside it
    assert_int_equal(open, 3);
}

// A command that replaces a waiting one of its kind must not replace one about the other picture.
static void test_both_pictures_opened_in_a_row(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct error err = {0};
    const char *paths[3];
    static const char *const names[3] = {"old.png", "left.png", "right.png"};
    tiny.task = TASK_NLVR2;
    for (int i = 0; i < 3; i++) {
        struct picture picture = tiny_picture((uint64_t)i);
        paths[i] = scratch_path(names[i]);
        assert_true(picture_save_png(&picture, paths[i], &err));
        picture_free(&picture);
    }
    struct session_options options = {.model = tiny_write("pair.safetensors", &tiny), .pictures = {paths[0]},
                                      .question = "is it red?", .policy = POLICY_LEARNED, .budget = (double)NAN,
                                      .threads = 1};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    struct backend backend = session_backend(session);
    backend.open_picture(backend.context, 0, paths[1]);
    backend.open_picture(backend.context, 1, paths[2]);
    backend.want_stage(backend.context, 100);
    bool both = false, failed = false;
    for (int wait = 0; wait < 1000 && !both && !failed; wait++) {
        struct backend_news news = {0};
        backend.poll(backend.context, &news);
        both = news.has_trace && !strcmp(news.trace.pictures[0].path, paths[1]) &&
               !strcmp(news.trace.pictures[1].path, paths[2]);
        failed = news.has_error;
        backend_news_free(&news);
        usleep(10000);
    }
    session_free(session);
    assert_false(failed);
    assert_true(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_the_worker_reach_their_handler),
        cmocka_unit_test(test_both_pictures_opened_in_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
