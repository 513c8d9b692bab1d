// The token trimmer's scores against plain loops in double precision, and its multiply-adds against the formulas: of a
// layer whose query is multiplied with every row, of one where it is folded into the key, and of an MLP over both.
#include "engine/prune/flops.h"
#include "engine/prune/trimmer.h"
#include "tests/math/check.h"

enum { ROWS = 300, FEW = 37 }; // in two blocks, and in one

struct shape {
    int width, hidden, rank;
    bool concat;
};

// A trimmer and the plain numbers that it is made of.
struct sample {
    struct shape shape;
    struct token_trimmer trimmer;
    float *gamma, *beta, *self, *self_bias, *out, *query, *key, *mix, *x, *context;
};

static void sample_init(struct sample *s, struct shape shape)
{
    size_t width = (size_t)shape.width, hidden = (size_t)shape.hidden, rank = (size_t)shape.rank;
    *s = (struct sample){.shape = shape};
    s->gamma = numbers(width, 1, 0.5f, 1.5f);
    s->beta = numbers(width, 2, -0.5f, 0.5f);
    s->self = numbers(hidden * width, 3, -0.1f, 0.1f);
    s->self_bias = numbers(hidden, 4, -1, 1);
    s->out = numbers(hidden, 5, -1, 1);
    s->query = numbers(rank * width, 6, -0.1f, 0.1f);
    s->key = numbers(rank * width, 7, -0.1f, 0.1f);
    s->mix = numbers(rank, 8, -1, 1);
    s->x = numbers(ROWS * width, 9, -2, 2);
    s->context = numbers(width, 10, -2, 2);
    struct norm norm = {s->gamma, s->beta, 1e-5f};
    s->trimmer = (struct token_trimmer){.present = true, .guided = true, .norm = norm, .context_norm = norm, .alpha = 1.7f};
    assert_true(linear_init(&s->trimmer.self, s->self, s->self_bias, shape.hidden, shape.width, 0, 0));
    assert_true(linear_init(&s->trimmer.out, s->out, NULL, 1, shape.hidden, 0, 0));
    assert_true(linear_init(&s->trimmer.query, s->query, NULL, shape.rank, shape.width, 0, 0));
    assert_true(linear_init(&s->trimmer.key, s->key, NULL, shape.rank, shape.width, 0, 0));
    assert_true(!shape.concat || linear_init(&s->trimmer.mix, s->mix, NULL, 1, shape.rank, 0, 0));
}

static void sample_free(struct sample *s)
{
    float *const all[] = {s->gamma, s->beta, s->self, s->self_bias, s->out, s->query, s->key, s->mix, s->x, s->context};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        memory_free(all[i]);
    linear_free(&s->trimmer.self);
    linear_free(&s->trimmer.out);
    linear_free(&s->trimmer.query);
    linear_free(&s->trimmer.key);
    linear_free(&s->trimmer.mix);
}

static void normed(const struct sample *s, const float *x, double *z)
{
    int n = s->shape.width;
    double mean = 0, variance = 0;
    for (int i = 0; i < n; i++)
        mean += (double)x[i] / n;
    for (int i = 0; i < n; i++)
        variance += ((double)x[i] - mean) * ((double)x[i] - mean) / n;
    for (int i = 0; i < n; i++)
        z[i] = ((double)x[i] - mean) / sqrt(variance + 1e-5) * (double)s->gamma[i] + (double)s->beta[i];
}

static double row_of(const float *w, int row, int n, const double *z)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)w[row * n + i] * z[i];
    return sum;
}

static double gelu(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static void expect_scores(const struct sample *s, int rows, const float *self, const float *cross)
{
    enum { WIDEST = 1024 };
    double z[WIDEST], c[WIDEST], k[WIDEST], squares = 0;
    normed(s, s->context, c);
    for (int i = 0; i < s->shape.rank; i++) {
        k[i] = row_of(s->key, i, s->shape.width, c);
        squares += k[i] * k[i];
    }
    for (int r = 0; r < rows; r++) {
        double own = 0, both = 0;
        normed(s, s->x + (size_t)r * (size_t)s->shape.width, z);
        for (int i = 0; i < s->shape.hidden; i++)
            own += (double)s->out[i] * gelu(row_of(s->self, i, s->shape.width, z) + (double)s->self_bias[i]);
        for (int i = 0; i < s->shape.rank; i++) {
            double q = row_of(s->query, i, s->shape.width, z);
            both += s->shape.concat ? (double)s->mix[i] * gelu(q + k[i]) : 1.7 * q * k[i] / (sqrt(squares) + 1e-6);
        }
        expect_near((double)self[r], own, 2e-5 * (1 + fabs(own)), "self", r, 0);
        expect_near((double)cross[r], both, 2e-5 * (1 + fabs(both)), "cross", r, 0);
    }
}

static void check(struct shape shape, int rows, struct thread_pool *pool)
{
    struct sample s;
    struct model_config config = {.architecture = ARCHITECTURE_METER, .width = shape.width};
    int workers = thread_pool_workers(pool);
    size_t block = forward_scoring_scratch(shape.width, shape.hidden, shape.rank, rows);
    struct math math = math_with(pool, linear_scratch(shape.width, workers) + (size_t)workers * block + (1 << 16));
    struct forward forward = {.math = &math};
    struct macs macs = {0};
    float self[ROWS], cross[ROWS];
    sample_init(&s, shape);
    trimmer_score_tokens(&forward, &s.trimmer, s.x, rows, s.context, self, cross);
    expect_scores(&s, rows, self, cross);
    config.trimmers[STACK_FUSION_IMAGE][0] =
        (struct trimmer_config){.hidden = shape.hidden, .rank = shape.rank, .concat = shape.concat};
    flops_token_trimmer(&config, STACK_FUSION_IMAGE, 0, rows, true, &macs);
    assert_int_equal(forward.macs.trimmer, macs.trimmer);
    assert_int_equal(math.scratch.used, 0);
    arena_free(&math.scratch);
    sample_free(&s);
}

static void test_scores(void **state)
{
    (void)state;
    static const struct shape shapes[] = {{96, 12, 12, false}, {768, 96, 96, false}, {96, 12, 12, true}, {768, 96, 96, true}};
    struct thread_pool *pool = thread_pool_new(2);
    assert_true(!flops_query_folds(shapes[0].width, shapes[0].rank) && flops_query_folds(shapes[1].width, shapes[1].rank));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int rows = FEW; rows <= ROWS; rows += ROWS - FEW) {
            check(shapes[i], rows, NULL);
            check(shapes[i], rows, pool);
        }
    }
    thread_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scores)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
