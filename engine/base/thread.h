// A fixed pool of threads for data-parallel work, and a monotonic clock.
#ifndef TRIMSCOPE_BASE_THREAD_H
#define TRIMSCOPE_BASE_THREAD_H

#include <stdbool.h>

struct thread_pool;

// Starts `workers` - 1 threads; the caller of thread_pool_run() is the last worker. NULL when none can be had.
struct thread_pool *thread_pool_new(int workers);
void thread_pool_free(struct thread_pool *pool);
int thread_pool_workers(const struct thread_pool *pool);

// Runs job(context, index, worker) for index 0 .. count-1, in any order, worker in 0 .. workers-1, and waits.
// A NULL pool runs everything on the caller as worker 0.
void thread_pool_run(struct thread_pool *pool, void (*job)(void *context, int index, int worker), void *context,
                     int count);

// Processors this process may use (affinity respected), at least 1.
int thread_processors(void);

// Seconds on a monotonic clock.
double clock_seconds(void);

#endif
