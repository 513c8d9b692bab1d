// attention_apply() against plain loops in double precision, for every kernel variant.
#include "tests/math/check.h"

struct problem {
    struct attention a;
    float *q, *k, *v, *ctx, *probs;
};

enum { GAP = 3 };
static const float UNTOUCHED = 777.5f;

static struct problem problem_new(int queries, int keys, int heads, int size, float spread)
{
    int width = heads * size;
    struct problem p = {.a = {.ldq = width + GAP,
                              .ldk = width + 2 * GAP,
                              .ldv = width + 3 * GAP,
                              .queries = queries,
                              .keys = keys,
                              .heads = heads,
                              .size = size,
                              .ldc = width + 4 * GAP}};
    p.a.q = p.q = numbers((size_t)(queries * p.a.ldq), 11, -spread, spread);
    p.a.k = p.k = numbers((size_t)(keys * p.a.ldk), 12, -1, 1);
    p.a.v = p.v = numbers((size_t)(keys * p.a.ldv), 13, -1, 1);
    p.a.ctx = p.ctx = filled((size_t)(queries * p.a.ldc), UNTOUCHED);
    p.probs = filled((size_t)heads * (size_t)queries * (size_t)keys, UNTOUCHED);
    return p;
}

static void problem_free(struct problem *p)
{
    memory_free(p->q);
    memory_free(p->k);
    memory_free(p->v);
    memory_free(p->ctx);
    memory_free(p->probs);
}

static uint64_t apply(const struct math_kernels *kernels, struct thread_pool *pool, const struct attention *a)
{
    struct math math = math_with(pool, attention_scratch(a->keys, a->size, thread_pool_workers(pool)));
    size_t calls = memory_alloc_calls();
    uint64_t macs = 5;
    attention_apply_with(kernels, &math, a, &macs);
    assert_int_equal(memory_alloc_calls(), calls);
    assert_int_equal(math.scratch.used, 0);
    arena_free(&math.scratch);
    return macs - 5;
}

// One row of probabilities, in double precision.
static void reference_row(const struct attention *a, int h, int q, double *probs)
{
    double top = -HUGE_VAL, sum = 0;
    for (int k = 0; k < a->keys; k++) {
        probs[k] = 0;
        for (int i = 0; i < a->size; i++)
            probs[k] +=
                (double)a->q[q * a->ldq + h * a->size + i] * (double)a->k[k * a->ldk + h * a->size + i];
        probs[k] /= sqrt(a->size);
        top = fmax(top, probs[k]);
    }
    for (int k = 0; k < a->keys; k++)
        sum += probs[k] = exp(probs[k] - top);
    for (int k = 0; k < a->keys; k++)
        probs[k] /= sum;
}

static void expect_head(const struct attention *a, int h, double tolerance, const char *what)
{
    double *row = memory_alloc((size_t)a->keys, sizeof *row);
    assert_non_null(row);
    bool live = !a->live || a->live[h];
    for (int q = 0; q < a->queries; q++) {
        reference_row(a, h, q, row);
        for (int k = 0; a->probs && k < a->keys; k++) {
            float found =
                a->probs[((size_t)h * (size_t)a->queries + (size_t)q) * (size_t)a->keys + (size_t)k];
            if (live)
                expect_near((double)found, row[k], tolerance, what, q, k);
            else
                assert_true(isnan(found));
        }
        for (int i = 0; i < a->size; i++) {
            double wanted = 0;
            for (int k = 0; k < a->keys && live; k++)
                wanted += row[k] * (double)a->v[k * a->ldv + h * a->size + i];
            expect_near((double)a->ctx[q * a->ldc + h * a->size + i], wanted, tolerance, what, q,
                        h * a->size + i);
        }
    }
    memory_free(row);
}

static void expect_result(const struct attention *a, uint64_t macs, double tolerance, const char *what)
{
    uint64_t live = 0;
    for (int h = 0; h < a->heads; h++) {
        live += !a->live || a->live[h];
        expect_head(a, h, tolerance, what);
    }
    assert_int_equal(macs, 2 * live * (uint64_t)a->queries * (uint64_t)a->keys * (uint64_t)a->size);
    for (int q = 0; q < a->queries; q++)
        for (int i = a->heads * a->size; i < a->ldc; i++)
            assert_true(a->ctx[q * a->ldc + i] == UNTOUCHED);
}

static void test_odd_sizes(void **state)
{
    (void)state;
    static const struct {
        int queries, keys, heads, size;
    } cases[] = {{1, 1, 1, 1},      {1, 577, 2, 64},  {577, 1, 1, 32}, {2, 3, 3, 5},     {7, 9, 2, 32},
                 {13, 33, 1, 64},   {14, 32, 2, 16},  {15, 31, 2, 48}, {29, 384, 1, 24}, {16, 385, 2, 64},
                 {116, 137, 2, 32}, {3, 1300, 1, 32}, {5, 6, 1, 401}};
    FOR_EACH_VARIANT(kernels)
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int probs = 0; probs < 2; probs++) {
            struct problem p = problem_new(cases[i].queries, cases[i].keys, cases[i].heads, cases[i].size, 1);
            p.a.probs = probs ? p.probs : NULL;
            expect_result(&p.a, apply(kernels, NULL, &p.a), 1e-6, kernels->name);
            problem_free(&p);
        }
}

// Scores in the hundreds: the maximum must be subtracted, and far keys get exactly nothing.
static void test_large_scores(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    {
        struct problem p = problem_new(20, 50, 2, 64, 300);
        p.a.probs = p.probs;
        expect_result(&p.a, apply(kernels, NULL, &p.a), 3e-4, kernels->name);
        problem_free(&p);
    }
}

static void test_dropped_heads(void **state)
{
    (void)state;
    static const uint8_t patterns[][5] = {
        {0, 0, 0, 0, 0}, {0, 1, 1, 1, 1}, {1, 1, 1, 1, 0}, {0, 1, 0, 1, 0}, {1, 1, 1, 1, 1}};
    FOR_EACH_VARIANT(kernels)
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct problem p = problem_new(19, 21, 5, 32, 1);
        p.a.live = patterns[i];
        p.a.probs = p.probs;
        expect_result(&p.a, apply(kernels, NULL, &p.a), 1e-6, kernels->name);
        problem_free(&p);
    }
}

static void test_bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    struct thread_pool *pool = thread_pool_new(2);
    assert_non_null(pool);
    uint8_t live[5] = {1, 0, 1, 1, 0};
    FOR_EACH_VARIANT(kernels)
    for (int dropped = 0; dropped < 2; dropped++) {
        struct problem one = problem_new(137, 197, 5, 64, 2), two = problem_new(137, 197, 5, 64, 2);
        one.a.probs = one.probs;
        two.a.probs = two.probs;
        one.a.live = two.a.live = dropped ? live : NULL;
        uint64_t macs = apply(kernels, NULL, &one.a);
        assert_true(macs > THREADS_PAY_MACS);
        assert_int_equal(apply(kernels, pool, &two.a), macs);
        assert_memory_equal(one.ctx, two.ctx, (size_t)(137 * one.a.ldc) * sizeof(float));
        assert_memory_equal(one.probs, two.probs, (size_t)(5 * 137 * 197) * sizeof(float));
        problem_free(&one);
        problem_free(&two);
    }
    thread_pool_free(pool);
}

static void test_scratch_grows_with_every_argument(void **state)
{
    (void)state;
    for (int keys = 1; keys < 1400; keys += 13)
        for (int size = 1; size < 500; size += 31) {
            size_t bytes = attention_scratch(keys, size, 2);
            assert_true(attention_scratch(keys + 1, size, 2) >= bytes);
            assert_true(attention_scratch(keys, size + 1, 2) >= bytes);
            assert_true(attention_scratch(keys, size, 3) > bytes);
        }
}

// Each query with its own stretch of the keys, as attention_apply() sees it alone; and the same bits from several threads.
static void test_ragged(void **state)
{
    (void)state;
    enum { ROWS = 40, KEYS = 50, HEADS = 12, SIZE = 64 };
    static const uint8_t live[HEADS] = {1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0};
    struct thread_pool *pool = thread_pool_new(3);
    int first[ROWS], keys[ROWS], all = 0;
    for (int r = 0; r < ROWS; r++) {
        first[r] = r % 7;
        keys[r] = 1 + (r * 11) % (KEYS - 7);
        all += keys[r];
    }
    FOR_EACH_VARIANT(kernels)
    for (int pattern = 0; pattern < 2; pattern++) {
        struct problem p = problem_new(ROWS, KEYS, HEADS, SIZE, 2);
        size_t floats = (size_t)(ROWS * p.a.ldc);
        float *one = filled(floats, UNTOUCHED), *shared = filled(floats, UNTOUCHED);
        struct math math = math_with(NULL, attention_scratch(KEYS, SIZE, 1));
        struct math many = math_with(pool, attention_scratch(KEYS, SIZE, 3));
        uint64_t macs = 0, ignored = 0;
        p.a.live = pattern ? live : NULL;
        for (int r = 0; r < ROWS; r++) {
            struct attention row = p.a;
            row.q += r * p.a.ldq;
            row.k += first[r] * p.a.ldk;
            row.v += first[r] * p.a.ldv;
            row.queries = 1;
            row.keys = keys[r];
            row.ctx = one + r * p.a.ldc;
            attention_apply_with(kernels, &math, &row, &ignored);
        }
        attention_apply_ragged_with(kernels, &math, &p.a, first, keys, &macs);
        assert_int_equal(macs, 2 * all * SIZE * (pattern ? 9 : HEADS));
        assert_int_equal(macs, ignored);
        for (int r = 0; r < ROWS; r++)
            for (int i = 0; i < p.a.ldc; i++)
                expect_near((double)p.ctx[r * p.a.ldc + i], (double)one[r * p.a.ldc + i], 3e-6, kernels->name, r, i);
        p.a.ctx = shared;
        attention_apply_ragged_with(kernels, &many, &p.a, first, keys, &macs);
        assert_memory_equal(shared, p.ctx, floats * sizeof *shared);
        assert_int_equal(math.scratch.used + many.scratch.used, 0);
        arena_free(&math.scratch);
        arena_free(&many.scratch);
        memory_free(one);
        memory_free(shared);
        problem_free(&p);
    }
    thread_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ragged),
        cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_large_scores),
        cmocka_unit_test(test_dropped_heads),
        cmocka_unit_test(test_bits_do_not_depend_on_threads),
        cmocka_unit_test(test_scratch_grows_with_every_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
