// What the tests of engine/math share: numbers to work on, and every kernel variant that this processor runs.
#ifndef TRIMSCOPE_TESTS_MATH_CHECK_H
#define TRIMSCOPE_TESTS_MATH_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/base/thread.h"
#include "engine/math/kernels.h"

#include <math.h>
#include <string.h>

static inline float *numbers(size_t count, uint64_t seed, float low, float high)
{
    float *x = memory_alloc(count, sizeof *x);
    assert_non_null(x);
    struct random random;
    random_init(&random, seed, 0);
    for (size_t i = 0; i < count; i++)
        x[i] = random_range(&random, low, high);
    return x;
}

static inline float *filled(size_t count, float value)
{
    float *x = memory_alloc(count, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < count; i++)
        x[i] = value;
    return x;
}

// Fails with the place and both numbers; NaN never passes.
static inline void expect_near(double found, double wanted, double tolerance, const char *what, int row,
                               int column)
{
    if (!(fabs(found - wanted) <= tolerance))
        fail_msg("%s: [%d, %d] is %.9g, should be %.9g within %g", what, row, column, found, wanted,
                 tolerance);
}

static inline struct math math_with(struct thread_pool *pool, size_t scratch)
{
    struct math math = {.pool = pool};
    assert_true(arena_init(&math.scratch, scratch));
    return math;
}

#define FOR_EACH_VARIANT(kernels)                                                                            \
    const struct math_kernels *variants_[8];                                                                 \
    int variant_count_ = math_kernels_usable(variants_, 8);                                                  \
    assert_true(variant_count_ > 0);                                                                         \
    const struct math_kernels *kernels = variants_[0];                                                       \
    for (int variant_ = 0; variant_ < variant_count_ && (kernels = variants_[variant_], true); variant_++)

#endif
