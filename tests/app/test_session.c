// The session's threads beside the screen.
#include "tests/support/cmocka_all.h"

#include "app/session.h"
#include "tests/support/scratch.h"

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
    char own[32];
    snprintf(own, sizeof own, "%ld", (long)getpid());
    int others = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, own))
            continue;
        unsigned long long mask = blocked_signals(entry->d_name);
        if (!(mask >> (SIGTERM - 1) & 1))
            continue; // a thread of OpenBLAS, or of a sanitizer
        others++;
        static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            assert_int_equal(mask >> (faults[i] - 1) & 1, 0);
    }
    closedir(tasks);
    session_free(session);
    assert_int_equal(others, 3); // the worker, and the pool's two beside it
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_the_worker_reach_their_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
