// The stopwatch and the talk with OpenBLAS.
#include "tests/math/check.h"

#include "engine/math/blas.h"
#include "engine/math/measure.h"

#include <cblas.h>
#include <stdlib.h>
#include <time.h>

static char order[64];
static int runs;

static void note(void *name)
{
    order[runs++] = *(const char *)name;
}

static void test_samples_are_taken_in_turn(void **state)
{
    (void)state;
    runs = 0;
    memset(order, 0, sizeof order);
    char a = 'a', b = 'b';
    struct measure_case cases[] = {{.run = note, .context = &a}, {.run = note, .context = &b}};
    measure_cases(cases, 2, 3, 0, 0);
    assert_string_equal(order, "abababab"); // one round to warm, three samples of one run
}

// Rounds of 1, 30 and 2 ms after a warming one: the median is 2.
static void sleep_unevenly(void *context)
{
    static const int ms[] = {0, 1, 30, 2};
    int *round = context;
    struct timespec t = {.tv_nsec = ms[(*round)++ % 4] * 1000000L};
    nanosleep(&t, NULL);
}

static void test_median_of_wall_and_cpu(void **state)
{
    (void)state;
    int round = 0;
    struct measure_case c = {.run = sleep_unevenly, .context = &round};
    measure_cases(&c, 1, 3, 0, 0);
    assert_int_equal(round, 4);
    assert_true(c.wall_samples[0] >= 1e-3 && c.wall_samples[0] <= c.wall_samples[1]);
    assert_true(c.wall == c.wall_samples[1] && c.wall >= 2e-3);
    assert_true(c.wall_samples[2] >= 30e-3);
    assert_true(c.cpu >= 0 && c.cpu < 1); // it slept: a measure in other units would be far off
}

static void spin(void *context)
{
    int *count = context;
    ++*count;
    double start = clock_seconds();
    while (clock_seconds() - start < 1e-4)
        ;
}

static void test_samples_fill_their_time(void **state)
{
    (void)state;
    int count = 0;
    struct measure_case c = {.run = spin, .context = &count};
    measure_cases(&c, 1, 1, 5e-3, 0);
    assert_true(count >= 2 && c.wall >= 1e-4);
    assert_true((count - 1) * c.wall > 4.999e-3); // without the one that warms
}

static void test_blas_threads(void **state)
{
    (void)state;
    blas_set_threads(1);
    assert_int_equal(openblas_get_num_threads(), 1);
    blas_set_threads(2);
    assert_int_equal(openblas_get_num_threads(), 2);
    assert_string_equal(blas_core(), openblas_get_corename());
}

static void test_a_core_that_is_set_is_obeyed(void **state)
{
    (void)state;
    assert_int_equal(setenv(BLAS_CORE_VARIABLE, "Haswell", 1), 0);
    assert_false(blas_wants_restart());
    assert_int_equal(unsetenv(BLAS_CORE_VARIABLE), 0);
    assert_int_equal(blas_wants_restart(), blas_falls_short());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_are_taken_in_turn),    cmocka_unit_test(test_median_of_wall_and_cpu),
        cmocka_unit_test(test_samples_fill_their_time),      cmocka_unit_test(test_blas_threads),
        cmocka_unit_test(test_a_core_that_is_set_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
