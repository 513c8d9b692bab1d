#include "engine/math/kernels.h"
#include "engine/math/variant.h"

VARIANT_DECLARE(struct gemm_kernels, gemm_kernels);
VARIANT_DECLARE(struct row_kernels, row_kernels);

static const struct math_kernels variants[] = {
#ifdef KERNEL_VARIANTS_3
    {"avx512", &gemm_kernels_avx512, &row_kernels_avx512},
    {"avx2", &gemm_kernels_avx2, &row_kernels_avx2},
#endif
    {"base", &gemm_kernels_base, &row_kernels_base},
};
enum { VARIANT_COUNT = sizeof variants / sizeof *variants };

int math_kernels_usable(const struct math_kernels **list, int limit)
{
    const struct gemm_kernels *best = VARIANT_PICK(gemm_kernels);
    int first = 0, count = 0;
    while (variants[first].gemm != best)
        first++;
    for (int i = first; i < VARIANT_COUNT && count < limit; i++)
        list[count++] = &variants[i];
    return count;
}

const struct math_kernels *math_kernels_best(void)
{
    const struct math_kernels *best;
    (void)math_kernels_usable(&best, 1);
    return best;
}

const char *math_variant(void)
{
    return math_kernels_best()->name;
}
