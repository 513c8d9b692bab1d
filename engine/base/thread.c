#define _GNU_SOURCE // sched_getaffinity
#include "engine/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

// Waking a thread that sleeps takes tens of microseconds, about as long as a small product: whoever waits looks again so
// many times first (about a tenth of a millisecond).
enum { LOOKS = 2000 };

struct thread_pool {
    int workers, started;
    pthread_t *threads;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    atomic_ulong generation; // these two change under the lock, and are looked at without it
    atomic_int active;       // workers beside the caller that are inside the present jobs
    bool open;  // jobs may still be joined
    bool stop;
    void (*job)(void *context, int index, int worker);
    void *context;
    int count;
    atomic_int next;
};

struct start {
    struct thread_pool *pool;
    int worker;
};

static void relax(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ __volatile__("yield");
#endif
}

static void take_jobs(struct thread_pool *pool, int worker)
{
    for (;;) {
        int index = atomic_fetch_add(&pool->next, 1);
        if (index >= pool->count)
            return;
        pool->job(pool->context, index, worker);
    }
}

static void *thread_main(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    struct thread_pool *pool = start.pool;
    unsigned long seen = 0;
    for (;;) {
        for (int look = 0; look < LOOKS && atomic_load(&pool->generation) == seen; look++)
            relax();
        pthread_mutex_lock(&pool->lock);
        while (!pool->stop && (!pool->open || pool->generation == seen))
            pthread_cond_wait(&pool->work, &pool->lock);
        if (pool->stop)
            break;
        seen = pool->generation;
        pool->active++;
        pthread_mutex_unlock(&pool->lock);
        take_jobs(pool, start.worker);
        pthread_mutex_lock(&pool->lock);
        if (--pool->active == 0)
            pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct thread_pool *thread_pool_new(int workers)
{
    struct thread_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->workers = workers < 1 ? 1 : workers;
    pool->threads = calloc((size_t)pool->workers, sizeof *pool->threads);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (int i = 1; pool->threads && i < pool->workers; i++) {
        struct start *start = malloc(sizeof *start);
        if (!start)
            break;
        *start = (struct start){pool, i};
        if (pthread_create(&pool->threads[i], NULL, thread_main, start) != 0) {
            free(start);
            break;
        }
        pool->started++;
    }
    if (!pool->threads || pool->started != pool->workers - 1) {
        thread_pool_free(pool);
        return NULL;
    }
    return pool;
}

void thread_pool_free(struct thread_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i <= pool->started; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->done);
    free(pool->threads);
    free(pool);
}

int thread_pool_workers(const struct thread_pool *pool)
{
    return pool ? pool->workers : 1;
}

void thread_pool_run(struct thread_pool *pool, void (*job)(void *context, int index, int worker), void *context,
                     int count)
{
    if (!pool || pool->workers == 1) {
        for (int i = 0; i < count; i++)
            job(context, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->job = job;
    pool->context = context;
    pool->count = count;
    atomic_store(&pool->next, 0);
    pool->open = true;
    pool->generation++;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    take_jobs(pool, 0);
    // A worker that has not woken yet (the machine may be busy with others) has nothing left to do: the caller waits
    // only for those that took a job.
    pthread_mutex_lock(&pool->lock);
    pool->open = false;
    pthread_mutex_unlock(&pool->lock);
    for (int look = 0; look < LOOKS && atomic_load(&pool->active) > 0; look++)
        relax();
    pthread_mutex_lock(&pool->lock);
    while (pool->active > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

int thread_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n;
}

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
