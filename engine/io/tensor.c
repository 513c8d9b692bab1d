// The elements of a mapped tensor as floats.
#include "engine/base/half.h"
#include "engine/io/tensors.h"

#include <string.h>

// A file from elsewhere may place data at any byte, hence memcpy: it compiles to a plain load.
#define CONVERT(type, expression)                                                                            \
    for (size_t i = 0; i < tensor->elements; i++) {                                                          \
        type value;                                                                                          \
        memcpy(&value, from + i * sizeof value, sizeof value);                                               \
        out[i] = (expression);                                                                               \
    }                                                                                                        \
    break

static float bfloat_to_float(uint16_t value)
{
    uint32_t bits = (uint32_t)value << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

void tensor_floats(const struct tensor *tensor, float *out)
{
    const unsigned char *from = tensor->data;
    switch (tensor->type) {
    case TENSOR_F32:
        if (tensor->elements)
            memcpy(out, from, tensor->elements * sizeof *out);
        break;
    case TENSOR_F16:
        CONVERT(uint16_t, half_to_float(value));
    case TENSOR_BF16:
        CONVERT(uint16_t, bfloat_to_float(value));
    case TENSOR_F64:
        CONVERT(double, (float)value);
    case TENSOR_I64:
        CONVERT(int64_t, (float)value);
    case TENSOR_I32:
        CONVERT(int32_t, (float)value);
    case TENSOR_I16:
        CONVERT(int16_t, value);
    case TENSOR_I8:
        CONVERT(int8_t, value);
    case TENSOR_U8:
        CONVERT(uint8_t, value);
    case TENSOR_BOOL:
        CONVERT(uint8_t, value != 0);
    case TENSOR_TYPE_COUNT:
        break;
    }
}
