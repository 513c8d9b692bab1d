// Straight-through masks: how often they keep, which gradient they pass; and masked attention, whose forward is exact and
// whose backward has a floor.
#include "tests/support/cmocka_all.h"

#include "engine/learn/trimmer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 8, TOKENS = 20001 };

// A trimmer without weights, so that every token's score is its output bias. One sample of TOKENS rows.
struct fixture {
    struct token_trimmer_refs refs;
    struct tape tape;
    float parameters[256], gradients[256], *x, *mask;
    struct token_trimmer_state state;
};

static void fixture_init(struct fixture *f, float score)
{
    *f = (struct fixture){0};
    f->refs = (struct token_trimmer_refs){.hidden = 4, .norm = {0, 8, WIDTH, 1e-5f}, .self = {16, 48, WIDTH, 4},
                                          .out = {64, 80, 4, 1}};
    f->parameters[80] = score;
    assert_true(arena_init(&f->tape.arena, (size_t)TOKENS * 64 * sizeof(float)));
    f->tape.kernels = learn_kernels_get();
    f->tape.P = f->parameters;
    f->tape.G = f->gradients;
    f->tape.trained = sizeof f->gradients / sizeof *f->gradients;
    f->x = memory_alloc((size_t)TOKENS * WIDTH, sizeof *f->x);
    f->mask = memory_alloc(TOKENS, sizeof *f->mask);
    assert_true(f->x && f->mask);
}

static void fixture_free(struct fixture *f)
{
    arena_free(&f->tape.arena);
    memory_free(f->x);
    memory_free(f->mask);
}

static double keep_rate(float score, float shift, float noise, uint64_t seed)
{
    struct fixture f;
    struct random random;
    struct rows rows = {.n = 1, .stride = TOKENS};
    random_init(&random, seed, 1);
    fixture_init(&f, score);
    struct mask_sampling sampling = {.random = &random, .noise = noise, .shift = shift, .temperature = 1};
    trimmer_tokens(&f.tape, &f.refs, &f.state, f.x, rows, NULL, rows, &sampling, f.mask);
    double kept = 0;
    for (int t = 1; t < TOKENS; t++) {
        assert_true(f.mask[t] == 0 || f.mask[t] == 1);
        kept += (double)f.mask[t];
    }
    assert_true(f.mask[0] == 1); // CLS
    fixture_free(&f);
    return kept / (TOKENS - 1);
}

static void test_keep_rate(void **state)
{
    (void)state;
    const float scores[] = {-3, -1, -0.2f, 0, 0.5f, 2, 4}, noises[] = {1, 0.6f, 0.1f};
    for (int n = 0; n < 3; n++)
        for (int s = 0; s < 7; s++) {
            double p = 1 / (1 + exp(-(double)(scores[s] / noises[n])));
            float shift = (float)(s % 3); // looser thresholds are as higher scores
            double rate = keep_rate(scores[s] - shift, shift, noises[n], (uint64_t)(n * 7 + s));
            double deviation = sqrt(p * (1 - p) / (TOKENS - 1));
            if (fabs(rate - p) > 5 * deviation + 1e-9)
                fail_msg("score %g, noise %g: kept %.4f instead of %.4f +- %.4f", (double)scores[s],
                         (double)noises[n], rate, p, deviation);
        }
    // Without noise: the sign decides, and 0 stays (DESIGN.md: score + shift >= 0).
    struct { float score; double rate; } plain[] = {{-1e-3f, 0}, {0, 1}, {1e-3f, 1}};
    for (int i = 0; i < 3; i++)
        assert_true(keep_rate(plain[i].score, 0, 0, 1) == plain[i].rate);
}

// What reaches the score is the sigmoid's slope at the noisy score, whatever the mask says; CLS and rows beyond the count
// get nothing.
static void test_straight_through(void **state)
{
    (void)state;
    struct fixture f;
    const float score = -0.4f, temperature = 0.7f;
    struct rows rows = {.n = 1, .stride = TOKENS, .count = (int[]){TOKENS - 5}};
    fixture_init(&f, score);
    struct mask_sampling sampling = {.temperature = temperature};
    trimmer_tokens(&f.tape, &f.refs, &f.state, f.x, rows, NULL, rows, &sampling, f.mask);
    float *dmask = memory_alloc(TOKENS, sizeof *dmask), *dx = memory_alloc((size_t)TOKENS * WIDTH, sizeof *dx);
    assert_true(dmask && dx);
    dmask[0] = 100;
    dmask[7] = 2;
    dmask[9] = 0.5f;
    dmask[TOKENS - 2] = 100;
    trimmer_tokens_back(&f.tape, &f.refs, &f.state, dx, rows, NULL, rows, dmask);
    double y = 1 / (1 + exp(0.4 / 0.7));
    assert_true(fabs((double)f.gradients[80] - 2.5 * y * (1 - y) / 0.7) < 1e-6);
    assert_true(f.mask[7] == 0 && f.mask[TOKENS - 2] == 0 && f.mask[0] == 1);
    memory_free(dmask);
    memory_free(dx);
    fixture_free(&f);
}

// ---- masked attention -------------------------------------------------------------------------------------------

enum { ROWS = 5, KEYS = 7 };

// sum_ij w_ij out_ij of masked attention by its definition, in double.
static double reference(const float *a, const double *mask, const float *w, int diagonal)
{
    double total = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int j = 0; j < KEYS; j++)
            sum += (double)a[i * KEYS + j] * (diagonal && i == j ? 1 : mask[j]);
        for (int j = 0; j < KEYS; j++)
            total += (double)(w[i * KEYS + j] * a[i * KEYS + j]) * (diagonal && i == j ? 1 : mask[j]) / sum;
    }
    return total;
}

struct attention_case {
    float a[ROWS * KEYS], w[ROWS * KEYS], mask[KEYS], out[ROWS * KEYS], dmask[KEYS], d[ROWS * KEYS];
};

// `stray`: share of row 2's attention that sits on what the mask keeps.
static void fill_case(struct attention_case *c, float stray)
{
    struct random random;
    random_init(&random, 12, 0);
    const float mask[KEYS] = {1, 0, 1, 0, 0, 1, 0};
    memcpy(c->mask, mask, sizeof mask);
    for (int i = 0; i < ROWS; i++) {
        float kept = 0, lost = 0;
        for (int j = 0; j < KEYS; j++) {
            c->a[i * KEYS + j] = 0.1f + random_unit(&random);
            c->w[i * KEYS + j] = random_normal(&random);
            *(mask[j] > 0 ? &kept : &lost) += c->a[i * KEYS + j];
        }
        float share = i == 2 ? stray : 0.5f;
        for (int j = 0; j < KEYS; j++)
            c->a[i * KEYS + j] *= mask[j] > 0 ? share / kept : (1 - share) / lost;
    }
}

static void differentiate(struct attention_case *c, int diagonal, float floor)
{
    memcpy(c->d, c->w, sizeof c->d);
    memset(c->dmask, 0, sizeof c->dmask);
    learn_kernels_get()->attention_back(c->d, c->a, c->mask, c->dmask, ROWS, KEYS, diagonal, 1, floor);
}

static void check_unfloored(int diagonal)
{
    struct attention_case c;
    fill_case(&c, 0.03f);
    learn_kernels_get()->mask_attention(c.out, c.a, c.mask, ROWS, KEYS, diagonal);
    double value = 0;
    for (int i = 0; i < ROWS * KEYS; i++)
        value += (double)(c.out[i] * c.w[i]);
    double mask[KEYS];
    for (int j = 0; j < KEYS; j++)
        mask[j] = (double)c.mask[j];
    assert_true(fabs(value - reference(c.a, mask, c.w, diagonal)) < 1e-5);
    differentiate(&c, diagonal, 0);
    for (int j = 0; j < KEYS; j++) {
        double sides[2], was = mask[j];
        for (int s = 0; s < 2; s++) {
            mask[j] = was + (s ? -1e-5 : 1e-5);
            sides[s] = reference(c.a, mask, c.w, diagonal);
        }
        mask[j] = was;
        double slope = (sides[0] - sides[1]) / 2e-5;
        if (fabs(slope - (double)c.dmask[j]) > 1e-3 * (1 + fabs(slope)))
            fail_msg("mask %d: backward %g, central difference %g", j, (double)c.dmask[j], slope);
    }
}

static void test_unfloored_gradient(void **state)
{
    (void)state;
    check_unfloored(0);
    check_unfloored(1);
}

static float largest(const float *x, int n)
{
    float top = 0;
    for (int i = 0; i < n; i++)
        top = fmaxf(top, fabsf(x[i]));
    return top;
}

// A row whose attention sat on dropped keys gives exploding gradients; the floor bounds them and leaves the rest alone.
static void test_floor(void **state)
{
    (void)state;
    struct attention_case wild, floored, calm, calm_floored;
    fill_case(&wild, 1e-4f);
    fill_case(&calm, 0.4f);
    floored = wild;
    calm_floored = calm;
    differentiate(&wild, 0, 0);
    differentiate(&floored, 0, 0.1f);
    differentiate(&calm, 0, 0);
    differentiate(&calm_floored, 0, 0.1f);
    print_message("largest mask gradient %.0f without, %.1f with the floor\n", (double)largest(wild.dmask, KEYS),
                  (double)largest(floored.dmask, KEYS));
    assert_true(largest(wild.dmask, KEYS) > 1000);
    assert_true(largest(floored.dmask, KEYS) < 30);
    assert_memory_equal(calm.dmask, calm_floored.dmask, sizeof calm.dmask);
    assert_memory_equal(calm.d, calm_floored.d, sizeof calm.d);
    for (int i = 0; i < ROWS; i++) // rows above the floor are untouched beside the wild one
        if (i != 2)
            assert_memory_equal(wild.d + i * KEYS, floored.d + i * KEYS, KEYS * sizeof *wild.d);
}

// The whole attention step: its forward pass does not know the floor, its backward pass does.
static void test_forward_is_exact(void **state)
{
    (void)state;
    enum { N = 2, HEADS = 2, SIZE = 4, TOTAL = N * ROWS * HEADS * SIZE };
    float q[TOTAL], k[TOTAL], v[TOTAL], d[TOTAL], mask[N * ROWS], contexts[2][TOTAL], gradients[2][TOTAL];
    struct random random;
    random_init(&random, 2, 2);
    for (int i = 0; i < TOTAL; i++) {
        q[i] = 6 * random_normal(&random); // sharp attention: some rows hold hardly anything on kept keys
        k[i] = random_normal(&random);
        v[i] = random_normal(&random);
        d[i] = random_normal(&random);
    }
    for (int i = 0; i < N * ROWS; i++)
        mask[i] = i % 2 == 0;
    for (int floor = 0; floor < 2; floor++) {
        struct tape tape = {.kernels = learn_kernels_get(), .mask_floor = floor ? 0.1f : 0};
        assert_true(arena_init(&tape.arena, 1 << 18));
        struct attention_op op = {.heads = HEADS, .size = SIZE, .q_rows = {.n = N, .stride = ROWS},
                                  .k_rows = {.n = N, .stride = ROWS}, .q = q,
                                  .k = k, .v = v, .ldq = HEADS * SIZE, .ldk = HEADS * SIZE, .key_mask = mask};
        op_attention(&tape, &op);
        memcpy(contexts[floor], op.ctx, sizeof contexts[floor]);
        float dk[TOTAL] = {0}, dv[TOTAL] = {0}, dmask[N * ROWS] = {0};
        op_attention_back(&tape, &op, d, gradients[floor], dk, dv, dmask, NULL);
        arena_free(&tape.arena);
    }
    assert_memory_equal(contexts[0], contexts[1], sizeof contexts[0]);
    assert_true(memcmp(gradients[0], gradients[1], sizeof gradients[0]) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_rate),
        cmocka_unit_test(test_straight_through),
        cmocka_unit_test(test_unfloored_gradient),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_forward_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
