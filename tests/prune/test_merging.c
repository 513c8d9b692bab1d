// Token merging: who is merged into whom, and that a mean stands for all its patches.
#include "tests/support/cmocka_all.h"

#include "engine/base/random.h"
#include "engine/model/model.h"
#include "engine/prune/merging.h"
#include "engine/prune/policy.h"
#include "engine/run/run.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <string.h>

enum { ROWS = 9, WIDTH = 5 };

static void random_rows(float *x)
{
    struct random random;
    random_init(&random, 4, 0);
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = random_normal(&random);
}

static double cosine(const float *a, const float *b)
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < WIDTH; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

// Odd rows name the even row, CLS excepted, that is most like them; even ones outrank all.
static void test_partners(void **state)
{
    (void)state;
    float x[ROWS * WIDTH], score[ROWS];
    int partner[ROWS];
    struct forward forward = {.model = NULL};
    random_rows(x);
    memcpy(x + 3 * WIDTH, x + 6 * WIDTH, WIDTH * sizeof *x); // 3 is like 6
    merging_score(&forward, x, ROWS, WIDTH, score, partner);
    assert_int_equal(partner[3], 6);
    assert_true(fabsf(score[3] + 1) < 1e-6f);
    for (int r = 1; r < ROWS; r++) {
        if (r % 2 == 0) {
            assert_int_equal(partner[r], -1);
            assert_true(score[r] > 1);
            continue;
        }
        for (int b = 2; b < ROWS; b += 2)
            assert_true(cosine(x + r * WIDTH, x + b * WIDTH) <= (double)-score[r] + 1e-6);
        assert_true(partner[r] > 0 && partner[r] % 2 == 0);
    }
    assert_int_equal(forward.macs.trimmer, 4 * 4 * WIDTH); // 4 odd rows, 4 even ones
    assert_int_equal(merging_macs(ROWS, WIDTH), 4 * 4 * WIDTH);
}

// Sums over all patches stay what they were, over two rounds with what has merged already.
static void test_means(void **state)
{
    (void)state;
    float x[ROWS * WIDTH], once[ROWS * WIDTH], twice[ROWS * WIDTH], size[ROWS], size_once[ROWS], size_twice[ROWS];
    int tokens[ROWS] = {0, 2, 3, 4, 5, 6, 8, 9, 11}, kept[] = {0, 3, 5, 6, 8, 11}, later[] = {0, 3, 8};
    int partner[ROWS] = {-1, 2, -1, 4, -1, 6, -1, 6, -1}, partner_later[] = {-1, -1, 1, 4, -1, -1};
    random_rows(x);
    for (int r = 0; r < ROWS; r++)
        size[r] = 1;
    const struct merging_rows first = {x, size, tokens, ROWS};
    merging_gather(&first, WIDTH, kept, 6, partner, once, size_once);
    // 2 into 3; 4 into 5; 6 stays although it had a partner; 9 into 8
    const float expected[] = {1, 2, 2, 1, 2, 1};
    for (int k = 0; k < 6; k++)
        assert_true(size_once[k] == expected[k]);
    for (int i = 0; i < WIDTH; i++) {
        assert_true(fabsf(once[WIDTH + i] - (x[WIDTH + i] + x[2 * WIDTH + i]) / 2) < 1e-6f);
        assert_true(once[3 * WIDTH + i] == x[5 * WIDTH + i]);
        assert_true(fabsf(once[4 * WIDTH + i] - (x[6 * WIDTH + i] + x[7 * WIDTH + i]) / 2) < 1e-6f);
    }
    // 5 (of two) into 3 (of two); 6 into 8 (of two); 11 goes without a partner
    const struct merging_rows second = {once, size_once, kept, 6};
    merging_gather(&second, WIDTH, later, 3, partner_later, twice, size_twice);
    assert_true(size_twice[0] == 1 && size_twice[1] == 4 && size_twice[2] == 3);
    for (int i = 0; i < WIDTH; i++) {
        float four = 0;
        for (int r = 1; r <= 4; r++)
            four += x[r * WIDTH + i] / 4;
        assert_true(fabsf(twice[WIDTH + i] - four) < 1e-6f);
    }
}

// As a policy: it drops what random drops in number, and the states that go on are others.
static void test_policy(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model *model = tiny_model(&tiny);
    const enum policy policies[] = {POLICY_MERGING, POLICY_RANDOM};
    double spent[2], p[2];
    for (int i = 0; i < 2; i++) {
        struct run_options options = run_options_default();
        options.policy = policies[i];
        options.budget = 0.8;
        struct run *run = tiny_run(model, &options, 2);
        tiny_finish(run);
        const struct trace *trace = run_trace(run);
        spent[i] = trace->spent_macs / trace->dense_macs;
        p[i] = (double)trace->stages[trace->stage_count - 1].answers[0].p;
        run_free(run);
    }
    assert_true(fabs(spent[0] - 0.8) < 0.02 && fabs(spent[1] - 0.8) < 0.02);
    assert_true(p[0] != p[1]);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partners),
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
