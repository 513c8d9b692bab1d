#include "engine/math/blas.h"

#include "engine/math/math.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

const char *blas_core(void)
{
    return openblas_get_corename();
}

const char *blas_version(void)
{
    return openblas_get_config();
}

void blas_set_threads(int threads)
{
    openblas_set_num_threads(threads);
}

bool blas_falls_short(void)
{
    static const char *const without_avx512[] = {"Haswell",     "Zen",     "Excavator",
                                                 "Sandybridge", "Nehalem", "Prescott"};
    if (strcmp(math_variant(), "avx512") != 0)
        return false;
    for (size_t i = 0; i < sizeof without_avx512 / sizeof *without_avx512; i++)
        if (!strcmp(blas_core(), without_avx512[i]))
            return true;
    return false;
}

bool blas_wants_restart(void)
{
    return !getenv(BLAS_CORE_VARIABLE) && blas_falls_short();
}
