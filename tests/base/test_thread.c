// Every job exactly once, in pools of any size, run after run: workers that look for work, that sleep, and that come late.
#include "tests/support/cmocka_all.h"

#include "engine/base/thread.h"

#include <stdatomic.h>
#include <time.h>

enum { JOBS = 57, WORKERS = 5 };

struct tally {
    atomic_int done[JOBS];
    atomic_int strangers; // workers that there are not
    int workers;
};

static void count(void *context, int index, int worker)
{
    struct tally *tally = context;
    atomic_fetch_add(&tally->done[index], 1);
    if (worker < 0 || worker >= tally->workers)
        atomic_fetch_add(&tally->strangers, 1);
}

static void run_often(struct thread_pool *pool, int runs, long pause_nanoseconds)
{
    static struct tally tally;
    tally = (struct tally){.workers = thread_pool_workers(pool)};
    for (int r = 0; r < runs; r++) {
        struct timespec pause = {.tv_nsec = pause_nanoseconds};
        int jobs = r % (JOBS + 1); // none is a run, too
        thread_pool_run(pool, count, &tally, jobs);
        for (int i = 0; i < JOBS; i++)
            assert_int_equal(atomic_exchange(&tally.done[i], 0), i < jobs);
        if (pause_nanoseconds)
            nanosleep(&pause, NULL);
    }
    assert_int_equal(tally.strangers, 0);
}

static void test_every_job_once(void **state)
{
    (void)state;
    run_often(NULL, JOBS + 1, 0);
    for (int workers = 1; workers <= WORKERS; workers++) {
        struct thread_pool *pool = thread_pool_new(workers);
        assert_non_null(pool);
        assert_int_equal(thread_pool_workers(pool), workers);
        run_often(pool, 2000, 0);
        run_often(pool, 60, 1000000); // workers have gone to sleep meanwhile
        thread_pool_free(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_job_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
