// LayerNorm, softmax, activations and gathering against the C library in double precision.
#include "engine/base/half.h"
#include "tests/math/check.h"

static const int widths[] = {1, 2, 7, 15, 16, 17, 31, 33, 96, 128, 401, 768, 1000};
enum { WIDTHS = sizeof widths / sizeof *widths };

static void expect_layer_norm(const struct math_kernels *kernels, const float *x, int n, float eps,
                              double tolerance)
{
    float *gamma = numbers((size_t)n, 21, 0.5f, 1.5f), *beta = numbers((size_t)n, 22, -1, 1);
    float *y = filled((size_t)n + 1, 9);
    kernels->row->layer_norm(x, n, gamma, beta, eps, y);
    double mean = 0, variance = 0;
    for (int i = 0; i < n; i++)
        mean += (double)x[i] / n;
    for (int i = 0; i < n; i++)
        variance += ((double)x[i] - mean) * ((double)x[i] - mean) / n;
    for (int i = 0; i < n; i++) {
        double wanted =
            ((double)x[i] - mean) / sqrt(variance + (double)eps) * (double)gamma[i] + (double)beta[i];
        expect_near((double)y[i], wanted, tolerance * (1 + fabs(wanted)), kernels->name, n, i);
    }
    assert_true(y[n] == 9);
    memory_free(gamma);
    memory_free(beta);
    memory_free(y);
}

static void test_layer_norm(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    for (int w = 0; w < WIDTHS; w++) {
        float *x = numbers((size_t)widths[w], (uint64_t)w, -3, 5);
        expect_layer_norm(kernels, x, widths[w], 1e-5f, 2e-6);
        expect_layer_norm(kernels, x, widths[w], 1e-12f, 2e-6);
        memory_free(x);
    }
}

// Variance 1e-10: METER's eps of 1e-12 then changes the result by half a percent, 1e-5 by a factor of 300.
// With a mean of 1 the numbers lie a few roundings apart, and a mean rounded to a float would spoil every
// digit.
static void test_layer_norm_of_almost_nothing(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    for (int w = 3; w < WIDTHS; w++)
        for (int around = 0; around < 3; around++) {
            float *x = numbers((size_t)widths[w], (uint64_t)w, -1.7e-5f, 1.7e-5f);
            for (int i = 0; i < widths[w]; i++)
                x[i] += (float)around * 0.7f;
            expect_layer_norm(kernels, x, widths[w], 1e-12f, 4e-6);
            memory_free(x);
        }
}

static void test_layer_norm_strides_and_in_place(void **state)
{
    (void)state;
    enum { ROWS = 5, WIDTH = 37, LDX = 40, LDY = 44 };
    float *x = numbers(ROWS * LDX, 5, -1, 1), *y = filled(ROWS * LDY, 9), *gamma = filled(WIDTH, 1),
          *beta = filled(WIDTH, 0);
    layer_norm(NULL, x, LDX, ROWS, WIDTH, gamma, beta, 1e-5f, y, LDY);
    for (int r = 0; r < ROWS; r++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < WIDTH; i++) {
            sum += (double)y[r * LDY + i];
            squares += (double)y[r * LDY + i] * (double)y[r * LDY + i];
        }
        expect_near(sum / WIDTH, 0, 1e-6, "mean", r, 0);
        expect_near(squares / WIDTH, 1, 1e-3, "variance", r, 0);
        for (int i = WIDTH; i < LDY; i++)
            assert_true(y[r * LDY + i] == 9);
    }
    layer_norm(NULL, x, LDX, ROWS, WIDTH, gamma, beta, 1e-5f, x, LDX);
    for (int r = 0; r < ROWS; r++)
        assert_memory_equal(x + r * LDX, y + r * LDY, WIDTH * sizeof *x);
    memory_free(x);
    memory_free(y);
    memory_free(gamma);
    memory_free(beta);
}

static void expect_softmax(const struct math_kernels *kernels, const float *x, int n, double tolerance)
{
    float *y = filled((size_t)n + 1, 9);
    memcpy(y, x, (size_t)n * sizeof *x);
    kernels->row->softmax(y, n);
    double top = -HUGE_VAL, sum = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, (double)x[i]);
    for (int i = 0; i < n; i++)
        sum += exp((double)x[i] - top);
    for (int i = 0; i < n; i++) {
        double wanted = exp((double)x[i] - top) / sum;
        expect_near((double)y[i], wanted, tolerance * wanted + 1e-37, kernels->name, n, i);
    }
    assert_true(y[n] == 9);
    memory_free(y);
}

static void test_softmax(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    for (int w = 0; w < WIDTHS; w++) {
        float *x = numbers((size_t)widths[w], (uint64_t)w, -10, 10);
        expect_softmax(kernels, x, widths[w], 3e-6);
        for (int i = 0; i < widths[w]; i++)
            x[i] = x[i] * 1000 + 3e6f; // without subtracting the maximum this overflows
        expect_softmax(kernels, x, widths[w], 1e-5);
        x[widths[w] / 2] = -INFINITY; // masked
        if (widths[w] > 1)
            expect_softmax(kernels, x, widths[w], 1e-5);
        memory_free(x);
    }
}

static double reference(double x, enum activation activation)
{
    switch (activation) {
    case ACTIVATION_GELU:
        return 0.5 * x * erfc(-x / sqrt(2));
    case ACTIVATION_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_NONE:
        break;
    }
    return x;
}

// Over the whole range, steps of 1/1024 and some roundings off them.
static void expect_log_sum(const struct math_kernels *kernels, const float *x, int n)
{
    double top = (double)x[0], sum = 0, all = 0, given;
    for (int i = 1; i < n; i++)
        top = fmax(top, (double)x[i]);
    for (int i = 0; i < n; i++) {
        sum += exp((double)x[i] - top);
        all += (double)x[i];
    }
    double got = kernels->row->log_sum_exp(x, n, &given);
    expect_near(got, top + log(sum), 2e-7 * (1 + fabs(top)), kernels->name, n, 0);
    expect_near(given, all, 1e-6 * n, kernels->name, n, 1);
    assert_true(kernels->row->log_sum_exp(x, n, NULL) == got);
}

// A vocabulary of equal terms among them: 30524 of them in one float would lose the last ones.
static void test_log_sum_exp(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    {
        for (int w = 0; w < WIDTHS; w++) {
            float *x = numbers((size_t)widths[w], (uint64_t)w, -40, 40);
            expect_log_sum(kernels, x, widths[w]);
            memory_free(x);
        }
        float *x = numbers(30524, 5, -2, 2);
        expect_log_sum(kernels, x, 30524);
        for (int i = 0; i < 30524; i++)
            x[i] = 3.25f;
        expect_log_sum(kernels, x, 30524);
        memory_free(x);
    }
}

static void test_activations(void **state)
{
    (void)state;
    enum { COUNT = 40001 };
    float *x = memory_alloc(COUNT, sizeof *x), *y = memory_alloc(COUNT, sizeof *y);
    assert_true(x && y);
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)(i - COUNT / 2) / 1024 * 1.0003f;
    FOR_EACH_VARIANT(kernels)
    for (int activation = 0; activation < 5; activation++) {
        memcpy(y, x, COUNT * sizeof *x);
        kernels->row->activate(y, COUNT, (enum activation)activation);
        for (int i = 0; i < COUNT; i++) {
            double wanted = reference((double)x[i], (enum activation)activation);
            expect_near((double)y[i], wanted, 1e-7 + 2.5e-7 * fabs(wanted), kernels->name, activation, i);
        }
    }
    memory_free(x);
    memory_free(y);
}

static void test_activations_at_the_edges(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    for (int activation = 1; activation < 5; activation++) {
        float x[] = {0,    -0.0f, 1e-30f, -1e-30f, 1e-6f,  -1e-6f,  100,
                     -100, 1e4f,  -1e4f,  1e30f,   -1e30f, INFINITY};
        enum { COUNT = sizeof x / sizeof *x };
        float y[COUNT];
        memcpy(y, x, sizeof x);
        kernels->row->activate(y, COUNT, (enum activation)activation);
        for (int i = 0; i < COUNT; i++) {
            double wanted = reference((double)x[i], (enum activation)activation);
            if (isinf(wanted))
                assert_true(isinf(y[i]));
            else // relative for small numbers too
                expect_near((double)y[i], wanted, 3e-7 * fabs(wanted) + (x[i] < -1 ? 1e-7 : 0), kernels->name,
                            activation, i);
        }
        float nan = NAN;
        kernels->row->activate(&nan, 1, (enum activation)activation);
        assert_true(isnan(nan)); // a broken model shows
    }
}

static void test_gather(void **state)
{
    (void)state;
    enum { WIDTH = 3, ROWS = 5 };
    float from[ROWS * WIDTH], to[3 * WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++)
        from[i] = (float)i;
    const int rows[] = {0, 3, 4}, back[] = {4, 1, 1};
    gather_rows(NULL, to, from, back, 3, WIDTH);
    const float wanted_back[] = {12, 13, 14, 3, 4, 5, 3, 4, 5};
    assert_memory_equal(to, wanted_back, sizeof wanted_back);
    gather_rows(NULL, from, from, rows, 3, WIDTH);
    const float wanted[] = {0, 1, 2, 9, 10, 11, 12, 13, 14};
    assert_memory_equal(from, wanted, sizeof wanted);
}

static void test_dot(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    for (int w = 0; w < WIDTHS; w++) {
        int n = widths[w];
        float *x = numbers((size_t)n, 31, -1, 1), *y = numbers((size_t)n, 32, -1, 1);
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += (double)x[i] * (double)y[i];
        expect_near((double)kernels->row->dot(x, y, n), sum, 2e-6 * (1 + fabs(sum)), kernels->name, n, 0);
        memory_free(x);
        memory_free(y);
    }
}

// Enough rows for several threads, the last share short: the same as one thread makes, and nothing behind the last row.
static void test_rows_of_several_threads(void **state)
{
    (void)state;
    enum { ROWS = 407, WIDTH = 401, SIZE = ROWS * WIDTH };
    _Static_assert(SIZE >= (int)THREADS_PAY_FLOATS && ROWS % 32, "shared, and not evenly");
    float *x = numbers(SIZE, 5, -1, 1), *gamma = numbers(WIDTH, 6, 0.5f, 1.5f), *beta = numbers(WIDTH, 7, -1, 1);
    float *alone = filled(SIZE + 1, 9), *shared = filled(SIZE + 1, 9);
    int rows[ROWS];
    struct thread_pool *pool = thread_pool_new(3);
    assert_non_null(pool);
    layer_norm(NULL, x, WIDTH, ROWS, WIDTH, gamma, beta, 1e-5f, alone, WIDTH);
    layer_norm(pool, x, WIDTH, ROWS, WIDTH, gamma, beta, 1e-5f, shared, WIDTH);
    assert_memory_equal(alone, shared, (SIZE + 1) * sizeof *alone);
    for (int r = 0; r < ROWS; r++)
        rows[r] = ROWS - 1 - r;
    gather_rows(NULL, alone, x, rows, ROWS, WIDTH);
    gather_rows(pool, shared, x, rows, ROWS, WIDTH);
    assert_memory_equal(alone, shared, (SIZE + 1) * sizeof *alone);
    for (int r = 0; r < ROWS; r++) // in place, rising: one thread, whatever the pool
        rows[r] = r < ROWS - 1 ? r + 1 : r;
    gather_rows(NULL, alone, x, rows, ROWS, WIDTH);
    gather_rows(pool, x, x, rows, ROWS, WIDTH);
    assert_memory_equal(alone, x, SIZE * sizeof *alone);
    thread_pool_free(pool);
    memory_free(x);
    memory_free(gamma);
    memory_free(beta);
    memory_free(alone);
    memory_free(shared);
}

// Every half there is, against engine/base/half.h, at every place of a vector; NaN keeps being one.
static void test_halves(void **state)
{
    (void)state;
    enum { ALL = 1 << 16, ODD = ALL - 13 };
    uint16_t *half = memory_alloc(ALL, sizeof *half), *back = memory_alloc(ALL, sizeof *back);
    float *wide = filled(ALL, 0);
    assert_true(half && back);
    FOR_EACH_VARIANT(kernels)
    {
        for (int i = 0; i < ALL; i++)
            half[i] = (uint16_t)(i + 5);
        kernels->row->widen(half, wide, ODD);
        for (int i = 0; i < ODD; i++) {
            float value = half_to_float(half[i]);
            assert_true(isnan(value) ? isnan(wide[i]) : !memcmp(&wide[i], &value, sizeof value));
            wide[i] = isfinite(value) ? wide[i] : -0.0f;
        }
        assert_true(kernels->row->narrow(wide, back, ODD));
        for (int i = 0; i < ODD; i++)
            assert_int_equal(back[i], isfinite(half_to_float(half[i])) ? half[i] : 0x8000);
        for (int i = 0; i < 64; i++) { // one that halves cannot hold, anywhere
            wide[i] += 0x1p-30f;
            assert_false(kernels->row->narrow(wide, back, 63 + 1));
            wide[i] = 1;
        }
        wide[3] = 65520;
        assert_false(kernels->row->narrow(wide, back, 17));
    }
    memory_free(half);
    memory_free(back);
    memory_free(wide);
}

static void test_variant_has_a_name(void **state)
{
    (void)state;
    const struct math_kernels *best;
    assert_int_equal(math_kernels_usable(&best, 1), 1);
    assert_string_equal(math_variant(), best->name);
#ifdef __x86_64__
    assert_true(!__builtin_cpu_supports("avx2") || strcmp(best->name, "base") != 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_layer_norm_of_almost_nothing),
        cmocka_unit_test(test_layer_norm_strides_and_in_place),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_log_sum_exp),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_activations_at_the_edges),
        cmocka_unit_test(test_gather),
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_rows_of_several_threads),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_variant_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
