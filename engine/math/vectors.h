// Vectors of the widest float registers that the including file is compiled for, and the functions of one
// variable that the kernels share. Only *_kernels.c files include this; everything is inlined into their own
// variant.
#ifndef TRIMSCOPE_MATH_VECTORS_H
#define TRIMSCOPE_MATH_VECTORS_H

#include "engine/base/half.h"

#include <stdint.h>
#include <string.h>

#if defined __AVX512F__
#define VECTOR_BYTES 64
#elif defined __AVX__
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#ifdef __SSE__
#include <immintrin.h>
#endif

enum { LANES = VECTOR_BYTES / 4 };
typedef float vec __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t bits __attribute__((vector_size(VECTOR_BYTES)));

#define INLINE static inline __attribute__((always_inline, unused))

// Before a loop with a constant number of rounds over an array that has to end up in registers.
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

INLINE vec vec_load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void vec_store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

// The first n lanes; the others are `rest`.
INLINE vec vec_load_part(const float *p, int n, float rest)
{
    float lanes[LANES];
    for (int i = 0; i < LANES; i++)
        lanes[i] = rest;
    memcpy(lanes, p, (size_t)n * sizeof *p);
    return vec_load(lanes);
}

INLINE void vec_store_part(float *p, vec v, int n)
{
    memcpy(p, &v, (size_t)n * sizeof *p);
}

// LANES numbers of binary16.
#ifdef __AVX512F__
INLINE vec vec_widen(const uint16_t *half)
{
    return (vec)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)half));
}
INLINE void vec_narrow(uint16_t *half, vec v)
{
    _mm256_storeu_si256((__m256i *)half, _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT));
}
#elif defined __F16C__
INLINE vec vec_widen(const uint16_t *half)
{
    return (vec)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)half));
}
INLINE void vec_narrow(uint16_t *half, vec v)
{
    _mm_storeu_si128((__m128i *)half, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
}
#else
INLINE vec vec_widen(const uint16_t *half)
{
    float lanes[LANES];
    for (int i = 0; i < LANES; i++)
        lanes[i] = half_to_float(half[i]);
    return vec_load(lanes);
}
INLINE void vec_narrow(uint16_t *half, vec v)
{
    for (int i = 0; i < LANES; i++)
        half[i] = half_from_float(v[i]);
}
#endif

INLINE vec vec_splat(float f)
{
    return f - (vec){0};
}

// 0, 1, 2 ...
INLINE bits vec_lanes(void)
{
    bits lanes;
    for (int i = 0; i < LANES; i++)
        lanes[i] = (uint32_t)i;
    return lanes;
}

// Where `mask` (a comparison's result) is set a, elsewhere b.
INLINE vec vec_select(bits mask, vec a, vec b)
{
    return (vec)((mask & (bits)a) | (~mask & (bits)b));
}

// A NaN in b wins, so that clamping `vec_max(limit, x)` lets it through.
INLINE vec vec_max(vec a, vec b)
{
#if defined __AVX512F__
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX__
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined __SSE__
    return (vec)_mm_max_ps((__m128)a, (__m128)b);
#else
    return vec_select((bits)(a > b), a, b);
#endif
}

INLINE vec vec_min(vec a, vec b)
{
#if defined __AVX512F__
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined __AVX__
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined __SSE__
    return (vec)_mm_min_ps((__m128)a, (__m128)b);
#else
    return vec_select((bits)(a < b), a, b);
#endif
}

INLINE vec vec_abs(vec x)
{
    return (vec)((bits)x & 0x7fffffffu);
}

// Lanes are folded in halves: a short chain, and an order that does not depend on the compiler.
typedef float vec4 __attribute__((vector_size(16)));

INLINE vec4 vec4_max(vec4 a, vec4 b)
{
#ifdef __SSE__
    return (vec4)_mm_max_ps((__m128)a, (__m128)b);
#else
    for (int i = 0; i < 4; i++)
        a[i] = a[i] > b[i] ? a[i] : b[i];
    return a;
#endif
}

INLINE float vec_sum(vec v)
{
    vec4 parts[LANES / 4];
    memcpy(parts, &v, sizeof v);
    for (int half = LANES / 8; half; half /= 2)
        for (int i = 0; i < half; i++)
            parts[i] += parts[i + half];
    vec4 p = parts[0];
    return (p[0] + p[2]) + (p[1] + p[3]);
}

INLINE float vec_top(vec v)
{
    vec4 parts[LANES / 4];
    memcpy(parts, &v, sizeof v);
    for (int half = LANES / 8; half; half /= 2)
        for (int i = 0; i < half; i++)
            parts[i] = vec4_max(parts[i], parts[i + half]);
    vec4 p = parts[0];
    float even = p[0] > p[2] ? p[0] : p[2], odd = p[1] > p[3] ? p[1] : p[3];
    return even > odd ? even : odd;
}

// 2^f for |f| <= 1/2. The polynomial is a weighted minimax fit of (2^f - 1) / f, relative error 2e-9 before rounding.
INLINE vec exp2_fraction(vec f)
{
    vec p = f * 0x1.448fa4p-13f + 0x1.5f4774p-10f;
    p = p * f + 0x1.3b29aap-7f;
    p = p * f + 0x1.c6aed0p-5f;
    p = p * f + 0x1.ebfbe0p-3f;
    p = p * f + 0x1.62e430p-1f;
    return p * f + 1.0f;
}

// 2^(n + f) for whole n in -125 .. 127 carried in the low bits of `shifted`.
INLINE vec exp2_parts(bits shifted, vec f)
{
    return (vec)((bits)exp2_fraction(f) + (shifted << 23));
}

// Adding this rounds to a whole number, whose two's complement is then in the low bits.
#define ROUNDING 0x1.8p23f

// 2^t; 0 below t = -125, t <= 127.
#ifdef __AVX512F__
INLINE vec vec_exp2(vec t)
{
    vec n = (t + ROUNDING) - ROUNDING;
    __mmask16 within = _mm512_cmp_ps_mask((__m512)t, _mm512_set1_ps(-125), _CMP_NLT_UQ); // NaN is
    return (vec)_mm512_maskz_scalef_ps(within, (__m512)exp2_fraction(t - n), (__m512)n);
}
#else
INLINE vec vec_exp2(vec t)
{
    vec clamped = vec_max(vec_splat(-125), t);
    vec shifted = clamped + ROUNDING;
    vec y = exp2_parts((bits)shifted, clamped - (shifted - ROUNDING));
    return (vec)(~(bits)(t < -125.0f) & (bits)y);
}
#endif

// e^x within about 1 ulp where there is a fused multiply-add; 0 below x = -86, largest value for x > 87.
// log2(e) in two parts keeps the reduced argument exact.
INLINE vec vec_exp(vec x)
{
    vec clamped = vec_min(vec_splat(87), vec_max(vec_splat(-86), x));
    vec shifted = clamped * 0x1.715476p0f + ROUNDING, n = shifted - ROUNDING;
    vec f = clamped * 0x1.715476p0f - n;
    f += clamped * 0x1.4ae0cp-26f;
    vec y = exp2_parts((bits)shifted, f);
    return (vec)(~(bits)(x < -86.0f) & (bits)y);
}

// x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel, "Gaussian Error Linear Units"), as
// max(x, 0) - |x| Phi(-|x|). The tail Phi(-t) is 2 to a polynomial in t: a minimax fit of log2(erfc(t / sqrt 2) / 2) on
// 0 .. 9, weighted so that t Phi(-t) is off by less than 4e-8; beyond 9 it is below 1e-17 and stays what it is there.
INLINE vec vec_gelu(vec x)
{
    vec t = vec_min(vec_splat(9), vec_abs(x));
    vec g = t * 0x1.93a930p-24f + -0x1.6eaf72p-19f;
    g = g * t + 0x1.f580ccp-16f;
    g = g * t + -0x1.0e65aep-13f;
    g = g * t + -0x1.2c5386p-12f;
    g = g * t + 0x1.dbe52cp-8f;
    g = g * t + -0x1.af2514p-5f;
    g = g * t + -0x1.d62faep-2f;
    g = g * t + -0x1.26af26p+0f;
    g = g * t + -1.0f;
    return vec_max(vec_splat(0), x) - t * vec_exp2(g);
}

INLINE vec vec_quick_gelu(vec x)
{
    return x / (1.0f + vec_exp(x * -1.702f));
}

// (1 - e) / (1 + e), e = exp(-2 |x|); near 0, where that cancels, the odd Taylor series.
INLINE vec vec_tanh(vec x)
{
    vec t = vec_abs(x), e = vec_exp(t * -2.0f);
    vec large = (1.0f - e) / (1.0f + e);
    vec s = x * x;
    vec small = s * (62.0f / 2835) - 17.0f / 315;
    small = small * s + 2.0f / 15;
    small = small * s - 1.0f / 3;
    small = t + t * s * small;
    vec y = vec_select((bits)(t < 0.25f), small, large);
    return (vec)((bits)y | ((bits)x & 0x80000000u));
}

INLINE vec vec_relu(vec x)
{
    return vec_max(vec_splat(0), x);
}

#endif
