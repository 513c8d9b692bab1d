// IEEE 754 binary16, bit by bit: neither compiler's _Float16 can be relied on for every processor.
#ifndef TRIMSCOPE_BASE_HALF_H
#define TRIMSCOPE_BASE_HALF_H

#include <stdint.h>
#include <string.h>

// Exact.
static inline float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 1023u,
             bits;
    float value;
    if (exponent == 0) { // zero and subnormal: fraction * 2^-24
        value = (float)fraction * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
    } else {
        bits = (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Rounded to nearest, ties to even; what is too large becomes infinite.
static inline uint16_t half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) // 65520, halfway to what would be the next number after 65504
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude <
        0x38800000u) { // below 2^-14: adding 0.5 leaves multiples of 2^-24, rounded by the machine
        float shifted;
        memcpy(&shifted, &magnitude, sizeof shifted);
        shifted += 0.5f;
        memcpy(&magnitude, &shifted, sizeof magnitude);
        return (uint16_t)(sign | (magnitude - 0x3f000000u));
    }
    uint32_t odd = magnitude >> 13 & 1u; // the carry of rounding may run into the exponent, as it should
    return (uint16_t)(sign | (magnitude - 0x38000000u + 0xfffu + odd) >> 13);
}

#endif
