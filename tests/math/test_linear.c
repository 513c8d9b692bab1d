// linear_apply() against a plain loop in double precision, for every kernel variant.
#include "engine/base/half.h"
#include "engine/math/transposed.h"
#include "tests/math/check.h"

struct shape {
    int out, in, out_block, in_block;
};

static double reference_activation(double x, enum activation activation)
{
    switch (activation) {
    case ACTIVATION_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
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

struct problem {
    struct shape shape;
    int rows, ldx, ldy, ldr;
    float *w, *b, *x, *y, *residual;
    const uint8_t *out_live, *in_live;
    enum activation activation;
};

enum { GAP = 5 };
static const float UNTOUCHED = 12345.5f;

static struct problem problem_new(struct shape shape, int rows)
{
    struct problem p = {.shape = shape,
                        .rows = rows,
                        .ldx = shape.in + GAP,
                        .ldy = shape.out + GAP,
                        .ldr = shape.out + 2 * GAP};
    float scale = 1 / sqrtf((float)shape.in);
    p.w = numbers((size_t)shape.out * (size_t)shape.in, 1, -scale, scale);
    p.b = numbers((size_t)shape.out, 2, -1, 1);
    p.x = numbers((size_t)(rows * p.ldx), 3, -2, 2);
    p.y = filled((size_t)(rows * p.ldy), UNTOUCHED);
    p.residual = numbers((size_t)(rows * p.ldr), 4, -3, 3);
    return p;
}

static void problem_free(struct problem *p)
{
    memory_free(p->w);
    memory_free(p->b);
    memory_free(p->x);
    memory_free(p->y);
    memory_free(p->residual);
}

static uint64_t apply(const struct math_kernels *kernels, struct thread_pool *pool, struct problem *p,
                      const float *residual, int ldr)
{
    struct linear linear;
    assert_true(linear_init_with(kernels, &linear, p->w, p->b, p->shape.out, p->shape.in, p->shape.out_block,
                                 p->shape.in_block));
    struct math math = math_with(pool, linear_scratch(p->shape.in, thread_pool_workers(pool)));
    size_t calls = memory_alloc_calls();
    uint64_t macs = 1000;
    linear_apply(&math, &linear, p->x, p->ldx, p->rows, p->y, p->ldy, p->activation, residual, ldr,
                 p->out_live, p->in_live, &macs);
    assert_int_equal(memory_alloc_calls(), calls);
    assert_int_equal(math.scratch.used, 0);
    arena_free(&math.scratch);
    linear_free(&linear);
    return macs - 1000;
}

static bool out_is_live(const struct problem *p, int column)
{
    return !p->out_live || p->out_live[column / p->shape.out_block];
}

// old: what y held before, where residual is y.
static void expect_result(const struct problem *p, const float *residual, int ldr, uint64_t macs,
                          const char *what)
{
    uint64_t live_in = 0, live_out = 0;
    for (int k = 0; k < p->shape.in; k++)
        live_in += !p->in_live || p->in_live[k / p->shape.in_block];
    for (int c = 0; c < p->shape.out; c++)
        live_out += out_is_live(p, c);
    assert_int_equal(macs, (uint64_t)p->rows * live_in * live_out);
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->ldy; c++) {
            if (c >= p->shape.out) {
                assert_true(p->y[r * p->ldy + c] == UNTOUCHED);
                continue;
            }
            double sum = (double)p->b[c];
            for (int k = 0; k < p->shape.in; k++)
                if (!p->in_live || p->in_live[k / p->shape.in_block])
                    sum += (double)p->x[r * p->ldx + k] * (double)p->w[c * p->shape.in + k];
            double wanted = reference_activation(sum, p->activation);
            wanted += residual ? (double)residual[r * ldr + c] : 0;
            if (!out_is_live(p, c))
                wanted = residual == p->y ? (double)residual[r * ldr + c] : (double)UNTOUCHED;
            expect_near((double)p->y[r * p->ldy + c], wanted, 3e-6 * (1 + fabs(wanted)), what, r, c);
        }
}

static const struct shape shapes[] = {
    {1, 1, 0, 0},       {3, 5, 0, 0},       {17, 31, 0, 0},    {64, 64, 16, 16},
    {96, 128, 32, 32},  {130, 96, 0, 24},   {60, 400, 20, 40}, {33, 769, 0, 0},
    {192, 768, 64, 64}, {45, 900, 15, 100}, {50, 70, 20, 30}, // last blocks shorter than the others
};
static const int row_counts[] = {1, 2, 7, 8, 9, 13, 14, 15, 29, 116, 137};

static void test_dense(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t r = 0; r < sizeof row_counts / sizeof *row_counts; r++) {
            struct problem p = problem_new(shapes[s], row_counts[r]);
            p.activation = (enum activation)((s + r) % 5);
            const float *residual = r % 2 ? p.residual : NULL;
            expect_result(&p, residual, p.ldr, apply(kernels, NULL, &p, residual, p.ldr), kernels->name);
            problem_free(&p);
        }
}

// More rows and columns than one block of rows holds.
static void test_many_rows(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    {
        struct problem p = problem_new((struct shape){34, 3072, 0, 0}, 131);
        expect_result(&p, NULL, 0, apply(kernels, NULL, &p, NULL, 0), kernels->name);
        problem_free(&p);
        p = problem_new((struct shape){20, 40, 0, 0}, 1301);
        p.activation = ACTIVATION_GELU;
        expect_result(&p, p.residual, p.ldr, apply(kernels, NULL, &p, p.residual, p.ldr), kernels->name);
        problem_free(&p);
    }
}

static void set_live(uint8_t *live, int count, int pattern)
{
    for (int i = 0; i < count; i++)
        live[i] = (uint8_t)(pattern == 0   ? i != 0
                            : pattern == 1 ? i != count - 1
                            : pattern == 2 ? i % 2
                            : pattern == 3 ? 1
                                           : 0);
}

static void test_blocks_skipped(void **state)
{
    (void)state;
    uint8_t out_live[64], in_live[64];
    FOR_EACH_VARIANT(kernels)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int pattern = 0; pattern < 25; pattern++) {
            struct problem p = problem_new(shapes[s], 9 + pattern);
            set_live(out_live, 64, 3);
            set_live(in_live, 64, 3);
            if (p.shape.out_block)
                set_live(out_live, (p.shape.out + p.shape.out_block - 1) / p.shape.out_block, pattern % 5);
            if (p.shape.in_block)
                set_live(in_live, (p.shape.in + p.shape.in_block - 1) / p.shape.in_block, pattern / 5);
            p.out_live = p.shape.out_block ? out_live : NULL;
            p.in_live = p.shape.in_block ? in_live : NULL;
            p.activation = pattern % 2 ? ACTIVATION_GELU : ACTIVATION_NONE;
            // Dropped columns are not read: what is there must not matter.
            for (int k = 0; k < p.shape.in; k++)
                for (int r = 0; p.in_live && !in_live[k / p.shape.in_block] && r < p.rows; r++)
                    p.x[r * p.ldx + k] = NAN;
            expect_result(&p, NULL, 0, apply(kernels, NULL, &p, NULL, 0), kernels->name);
            problem_free(&p);
        }
}

static void test_residual_is_y(void **state)
{
    (void)state;
    uint8_t out_live[64];
    FOR_EACH_VARIANT(kernels)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int activation = 0; activation < 5; activation++) {
            struct problem p = problem_new(shapes[s], 17);
            p.activation = (enum activation)activation;
            set_live(out_live, 64, 2);
            p.out_live = p.shape.out_block && activation % 2 ? out_live : NULL;
            for (int r = 0; r < p.rows; r++)
                memcpy(p.y + r * p.ldy, p.residual + r * p.ldr, (size_t)p.shape.out * sizeof(float));
            float *before = memory_alloc((size_t)(p.rows * p.ldy), sizeof *before);
            assert_non_null(before);
            memcpy(before, p.y, (size_t)(p.rows * p.ldy) * sizeof(float));
            uint64_t macs = apply(kernels, NULL, &p, p.y, p.ldy);
            // What is dropped keeps its old value, which here is the residual.
            for (int r = 0; r < p.rows; r++)
                for (int c = 0; c < p.shape.out; c++)
                    if (!out_is_live(&p, c)) {
                        assert_true(p.y[r * p.ldy + c] == before[r * p.ldy + c]);
                        p.y[r * p.ldy + c] = UNTOUCHED;
                    }
            expect_result(&p, before, p.ldy, macs, kernels->name);
            memory_free(before);
            problem_free(&p);
        }
}

// The same bits whatever the number of threads, and whatever rows go together: gathered equals masked
// exactly.
static void test_bits_do_not_depend_on_company(void **state)
{
    (void)state;
    struct thread_pool *pool = thread_pool_new(2), *many = thread_pool_new(5);
    assert_non_null(pool);
    assert_non_null(many);
    FOR_EACH_VARIANT(kernels)
    {
        struct problem one = problem_new((struct shape){256, 512, 64, 64}, 137);
        struct problem two = problem_new(one.shape, one.rows), five = problem_new(one.shape, one.rows);
        struct problem few = problem_new(one.shape, 3);
        one.activation = two.activation = five.activation = few.activation = ACTIVATION_GELU;
        memcpy(few.x, one.x + 100 * one.ldx, (size_t)(3 * one.ldx) * sizeof(float));
        uint64_t macs = apply(kernels, NULL, &one, NULL, 0);
        assert_true(macs > THREADS_PAY_MACS);
        assert_int_equal(apply(kernels, pool, &two, NULL, 0), macs);
        assert_int_equal(apply(kernels, many, &five, NULL, 0), macs);
        (void)apply(kernels, NULL, &few, NULL, 0);
        size_t bytes = (size_t)(one.rows * one.ldy) * sizeof(float);
        assert_memory_equal(one.y, two.y, bytes);
        assert_memory_equal(one.y, five.y, bytes);
        assert_memory_equal(one.y + 100 * one.ldy, few.y, (size_t)(3 * one.ldy) * sizeof(float));
        problem_free(&one);
        problem_free(&two);
        problem_free(&five);
        problem_free(&few);
    }
    thread_pool_free(pool);
    thread_pool_free(many);
}

// y of the rows of p, and x pulled back through the layer from a row of ones, by weights as floats or as halves.
static void apply_wide_or_narrow(const struct math_kernels *kernels, struct thread_pool *pool, const struct problem *p,
                                 bool narrow, float *y, float *pulled)
{
    struct linear linear;
    uint64_t macs = 0;
    assert_true(linear_init_with(kernels, &linear, p->w, p->b, p->shape.out, p->shape.in, p->shape.out_block,
                                 p->shape.in_block));
    if (narrow)
        assert_true(linear_narrow(&linear));
    assert_int_equal(linear.halves != NULL, narrow);
    assert_int_equal(linear.packed != NULL, !narrow);
    struct math math =
        math_with(pool, linear_scratch(p->shape.in, thread_pool_workers(pool)) + (size_t)p->shape.out * sizeof(float));
    linear_apply(&math, &linear, p->x, p->ldx, p->rows, y, p->ldy, p->activation, NULL, 0, p->out_live, p->in_live, &macs);
    if (!p->shape.out_block) {
        float *ones = filled((size_t)p->shape.out, 1);
        linear_apply_transposed(&math, &linear, ones, 1, p->shape.out, pulled, &macs);
        memory_free(ones);
    }
    arena_free(&math.scratch);
    linear_free(&linear);
}

// Halves that hold the weights exactly give the same bits, by whatever way they go.
static void test_halves(void **state)
{
    (void)state;
    static const struct shape wide[] = {{350, 770, 0, 0}, {384, 768, 64, 0}, {90, 3072, 0, 64}};
    static const int rows[] = {1, 5, 14, 17, 28, 29, 50, 137};
    static const uint8_t live[64] = {1, 0, 1, 1, 0, [10] = 1, [40] = 1, [47] = 1};
    struct thread_pool *pool = thread_pool_new(3);
    assert_non_null(pool);
    FOR_EACH_VARIANT(kernels)
    for (size_t s = 0; s < sizeof wide / sizeof *wide; s++)
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            struct problem p = problem_new(wide[s], rows[r]);
            size_t bytes = (size_t)(p.rows * p.ldy) * sizeof(float), in = (size_t)p.shape.in;
            float *y = filled((size_t)(p.rows * p.ldy), UNTOUCHED), *pulled = filled(2 * in, 0);
            for (size_t i = 0; i < (size_t)p.shape.out * in; i++)
                p.w[i] = half_to_float(half_from_float(p.w[i]));
            p.out_live = p.shape.out_block && r % 2 ? live : NULL;
            p.in_live = p.shape.in_block && r % 2 ? live : NULL;
            apply_wide_or_narrow(kernels, NULL, &p, false, p.y, pulled);
            apply_wide_or_narrow(kernels, r % 3 ? pool : NULL, &p, true, y, pulled + in);
            assert_memory_equal(p.y, y, bytes);
            assert_memory_equal(pulled, pulled + in, in * sizeof(float));
            memory_free(y);
            memory_free(pulled);
            problem_free(&p);
        }
    thread_pool_free(pool);
}

// One weight that halves cannot hold, and a layer that a cache holds anyway: both stay as they are.
static void test_halves_only_where_they_pay(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    {
        float *w = filled(512 * 1024, 0.5f);
        struct linear large, small;
        w[512 * 1024 - 3] = 0.1f;
        assert_true(linear_init_with(kernels, &large, w, NULL, 512, 1024, 0, 0) && linear_narrow(&large));
        assert_true(linear_init_with(kernels, &small, w, NULL, 64, 64, 0, 0) && linear_narrow(&small));
        assert_true(large.packed && !large.halves && small.packed && !small.halves);
        linear_free(&large);
        linear_free(&small);
        memory_free(w);
    }
}

static void test_no_bias_and_no_rows(void **state)
{
    (void)state;
    FOR_EACH_VARIANT(kernels)
    {
        float w[6] = {1, 2, 3, 4, 5, 6}, x[3] = {1, 10, 100}, y[2] = {7, 7};
        struct linear linear;
        assert_true(linear_init_with(kernels, &linear, w, NULL, 2, 3, 0, 0));
        struct math math = math_with(NULL, linear_scratch(3, 1));
        uint64_t macs = 0;
        linear_apply(&math, &linear, x, 3, 0, y, 2, ACTIVATION_NONE, NULL, 0, NULL, NULL, &macs);
        assert_true(y[0] == 7 && y[1] == 7 && macs == 0);
        linear_apply(&math, &linear, x, 3, 1, y, 2, ACTIVATION_NONE, NULL, 0, NULL, NULL, &macs);
        assert_true(y[0] == 321 && y[1] == 654 && macs == 6);
        arena_free(&math.scratch);
        linear_free(&linear);
    }
}

static void test_scratch_grows_with_every_argument(void **state)
{
    (void)state;
    for (int in = 1; in < 4000; in += 37)
        for (int workers = 1; workers < 4; workers++) {
            size_t bytes = linear_scratch(in, workers);
            assert_true(linear_scratch(in + 37, workers) >= bytes);
            assert_true(linear_scratch(in, workers + 1) > bytes);
        }
}

static void test_stride_spreads_rows(void **state)
{
    (void)state;
    for (int in = 1; in < 4000; in++) {
        int stride = linear_stride(in);
        assert_true(stride >= in && stride <= in + 32);
        assert_int_equal(stride % 16, 1);
        assert_int_equal(stride / 16 % 2, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_blocks_skipped),
        cmocka_unit_test(test_residual_is_y),
        cmocka_unit_test(test_bits_do_not_depend_on_company),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_halves_only_where_they_pay),
        cmocka_unit_test(test_no_bias_and_no_rows),
        cmocka_unit_test(test_stride_spreads_rows),
        cmocka_unit_test(test_scratch_grows_with_every_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
