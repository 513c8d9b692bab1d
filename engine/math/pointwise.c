#include "engine/base/thread.h"
#include "engine/math/kernels.h"

#include <string.h>

// Rows that a thread takes at a time: as many as keep taking them cheap and the shares of the threads alike.
enum { JOB_ROWS = 32 };

struct rows_task {
    const float *x, *gamma, *beta;
    float *y, eps;
    int ldx, ldy, rows, width;
    const float *v;  // of dot_rows()
    const int *from; // of gather_rows()
};

static void run_rows(struct thread_pool *pool, void (*job)(void *context, int index, int worker), struct rows_task *task)
{
    bool pays = (size_t)task->rows * (size_t)task->width >= THREADS_PAY_FLOATS;
    thread_pool_run(pays ? pool : NULL, job, task, (task->rows + JOB_ROWS - 1) / JOB_ROWS);
}

static int job_end(const struct rows_task *task, int index)
{
    int end = (index + 1) * JOB_ROWS;
    return end < task->rows ? end : task->rows;
}

static void norm_job(void *context, int index, int worker)
{
    (void)worker;
    const struct rows_task *t = context;
    const struct row_kernels *row = math_kernels_best()->row;
    for (int r = index * JOB_ROWS; r < job_end(t, index); r++)
        row->layer_norm(t->x + (size_t)r * (size_t)t->ldx, t->width, t->gamma, t->beta, t->eps,
                        t->y + (size_t)r * (size_t)t->ldy);
}

static void dot_job(void *context, int index, int worker)
{
    (void)worker;
    const struct rows_task *t = context;
    const struct row_kernels *row = math_kernels_best()->row;
    for (int r = index * JOB_ROWS; r < job_end(t, index); r++)
        t->y[r] = row->dot(t->x + (size_t)r * (size_t)t->ldx, t->v, t->width);
}

static void gather_job(void *context, int index, int worker)
{
    (void)worker;
    const struct rows_task *t = context;
    size_t width = (size_t)t->width;
    for (int r = index * JOB_ROWS; r < job_end(t, index); r++)
        memmove(t->y + (size_t)r * width, t->x + (size_t)t->from[r] * width, width * sizeof(float));
}

void layer_norm(struct thread_pool *pool, const float *x, int ldx, int rows, int width, const float *gamma, const float *beta,
                float eps, float *y, int ldy)
{
    struct rows_task task = {
        .x = x, .gamma = gamma, .beta = beta, .y = y, .eps = eps, .ldx = ldx, .ldy = ldy, .rows = rows, .width = width};
    run_rows(pool, norm_job, &task);
}

void dot_rows(struct thread_pool *pool, const float *x, int rows, int width, const float *v, float *y)
{
    struct rows_task task = {.x = x, .v = v, .y = y, .ldx = width, .rows = rows, .width = width};
    run_rows(pool, dot_job, &task);
}

void activate(float *x, int n, enum activation activation)
{
    math_kernels_best()->row->activate(x, n, activation);
}

void softmax_rows(float *x, int rows, int n, int ldx)
{
    const struct row_kernels *row = math_kernels_best()->row;
    for (int r = 0; r < rows && n > 0; r++)
        row->softmax(x + (size_t)r * (size_t)ldx, n);
}

double log_sum_exp(const float *x, int n, double *sum)
{
    return math_kernels_best()->row->log_sum_exp(x, n, sum);
}

void gather_rows(struct thread_pool *pool, float *to, const float *from, const int *rows, int count, int width)
{
    struct rows_task task = {.x = from, .y = to, .rows = count, .width = width, .from = rows};
    run_rows(to == from ? NULL : pool, gather_job, &task); // in place the order of the rows counts
}
