// The building blocks of every layer, each alone, against central differences in double precision: with regard to inputs,
// other stream, masks, gates and parameters. Whole models: test_gradients.c.
#include "engine/learn/blocks.h"

#include "engine/base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <stdint.h>
// cmocka needs the headers above first.
#include <cmocka.h>

// Rows of three samples, some unused; keys of the other stream are wider than the own rows.
enum { SAMPLES = 3, ROWS = 5, KEYS = 4, WIDTH = 6, HEADS = 2, MEMORY = 9, HIDDEN = 7, PARAMETERS = 1024 };
static const int row_count[SAMPLES] = {5, 3, 4}, key_count[SAMPLES] = {4, 2, 4};
static const struct rows rows = {.n = SAMPLES, .stride = ROWS, .count = row_count};
static const struct rows keys = {.n = SAMPLES, .stride = KEYS, .count = key_count};
enum { X = SAMPLES * ROWS * WIDTH, OTHER = SAMPLES * KEYS * MEMORY, MASK = SAMPLES * ROWS, GATES = SAMPLES * HEADS };

// Everything that a block's output hangs on, in one array, so that one loop differentiates by all of it.
struct inputs {
    real x[X], other[OTHER], mask[MASK], gate[GATES], parameters[PARAMETERS];
};
struct setup {
    bool ffn, pre, cross, causal, fused, quick, trimmed;
};

static struct linear_ref linear(size_t *used, int out, int in)
{
    struct linear_ref ref = {*used, *used + (size_t)(out * in), in, out};
    *used += (size_t)(out * in + out);
    return ref;
}

static struct norm_ref norm(size_t *used, int width)
{
    struct norm_ref ref = {*used, *used + (size_t)width, width, 1e-5};
    *used += 2 * (size_t)width;
    return ref;
}

static struct attention_refs attention(const struct setup *s)
{
    size_t used = 0;
    int memory = s->cross ? MEMORY : WIDTH;
    struct attention_refs refs = {.order = s->pre ? NORM_PRE : NORM_POST, .heads = HEADS, .fused = s->fused, .causal = s->causal};
    refs.q = linear(&used, s->fused ? 3 * WIDTH : WIDTH, WIDTH);
    refs.k = linear(&used, WIDTH, memory);
    refs.v = linear(&used, WIDTH, memory);
    refs.out = linear(&used, WIDTH, WIDTH);
    refs.norm = norm(&used, WIDTH);
    refs.context = norm(&used, memory);
    assert_true(used <= PARAMETERS);
    return refs;
}

static struct ffn_refs ffn(const struct setup *s)
{
    size_t used = 0;
    struct ffn_refs refs = {.order = s->pre ? NORM_PRE : NORM_POST, .quick = s->quick};
    refs.in = linear(&used, HIDDEN, WIDTH);
    refs.out = linear(&used, WIDTH, HIDDEN);
    refs.norm = norm(&used, WIDTH);
    return refs;
}

// sum of w_i y_i over the rows in use, and, with `gradients`, its derivative by all inputs.
static real loss(const struct setup *s, const struct inputs *in, const real *w, struct inputs *gradients)
{
    struct tape tape = {.kernels = learn_kernels_get(), .P = in->parameters, .trained = gradients ? PARAMETERS : 0,
                        .G = gradients ? gradients->parameters : NULL};
    struct attention_state attention_state = {0};
    struct ffn_state ffn_state;
    const struct attention_refs attention_refs = attention(s);
    const struct ffn_refs ffn_refs = ffn(s);
    const struct rows other_rows = s->cross ? keys : rows;
    assert_true(arena_init(&tape.arena, 1 << 18));
    const real *y = s->ffn ? block_ffn(&tape, &ffn_refs, &ffn_state, in->x, rows_total(rows))
                           : block_attention(&tape, &attention_refs, &attention_state, in->x, rows,
                                             s->cross ? in->other : NULL, other_rows, s->trimmed ? in->mask : NULL,
                                             s->trimmed ? in->gate : NULL);
    real sum = 0, d[X] = {0};
    for (int i = 0; i < X; i++)
        if (i / WIDTH % ROWS < row_count[i / WIDTH / ROWS]) {
            sum += w[i] * y[i];
            d[i] = w[i];
        }
    if (gradients && s->ffn)
        block_ffn_back(&tape, &ffn_refs, &ffn_state, d, rows_total(rows));
    else if (gradients)
        block_attention_back(&tape, &attention_refs, &attention_state, d, rows, s->cross ? gradients->other : NULL, other_rows,
                             gradients->mask, gradients->gate);
    if (gradients)
        memcpy(gradients->x, d, sizeof d);
    arena_free(&tape.arena);
    return sum;
}

static void check(struct setup setup)
{
    struct inputs in, gradients = {0};
    real w[X], *values = (real *)&in;
    const real *slopes = (const real *)&gradients;
    const int count = (int)(sizeof in / sizeof *values);
    struct random random;
    random_init(&random, 8, 1);
    for (int i = 0; i < count; i++)
        values[i] = (real)random_normal(&random);
    for (int i = 0; i < X; i++)
        w[i] = (real)random_normal(&random);
    for (int i = 0; i < MASK; i++)
        in.mask[i] = 0.1 + (real)random_unit(&random);
    loss(&setup, &in, w, &gradients);
    real largest = 0;
    for (int i = 0; i < count; i++) {
        const real step = 1e-5, was = values[i];
        values[i] = was + step;
        real up = loss(&setup, &in, w, NULL);
        values[i] = was - step;
        real measured = (up - loss(&setup, &in, w, NULL)) / (2 * step);
        values[i] = was;
        largest = fmax(largest, fabs(measured));
        if (fabs(measured - slopes[i]) > 1e-6 * (1 + fabs(measured)))
            fail_msg("number %d of %d: backward %.9g, central difference %.9g", i, count, slopes[i], measured);
    }
    assert_true(largest > 0.1);
}

static void test_self_attention(void **state)
{
    (void)state;
    for (int trimmed = 0; trimmed < 2; trimmed++)
        for (int pre = 0; pre < 2; pre++) {
            check((struct setup){.pre = pre, .trimmed = trimmed});
            check((struct setup){.pre = pre, .trimmed = trimmed, .fused = true});
        }
}

// A row of the decoder looks back only: what comes after it has no gradient from it.
static void test_causal_attention(void **state)
{
    (void)state;
    check((struct setup){.causal = true});
    check((struct setup){.causal = true, .trimmed = true});
}

static void test_cross_attention(void **state)
{
    (void)state;
    for (int trimmed = 0; trimmed < 2; trimmed++)
        for (int pre = 0; pre < 2; pre++)
            check((struct setup){.cross = true, .pre = pre, .trimmed = trimmed});
}

static void test_ffn(void **state)
{
    (void)state;
    for (int pre = 0; pre < 2; pre++)
        for (int quick = 0; quick < 2; quick++)
            check((struct setup){.ffn = true, .pre = pre, .quick = quick});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self_attention),
        cmocka_unit_test(test_causal_attention),
        cmocka_unit_test(test_cross_attention),
        cmocka_unit_test(test_ffn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
