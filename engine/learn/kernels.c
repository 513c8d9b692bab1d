#include "engine/learn/learn_kernels.h"

VARIANT_DECLARE(struct learn_kernels, learn_kernels);

const struct learn_kernels *learn_kernels_get(void)
{
    return VARIANT_PICK(learn_kernels);
}
