// Files named *_kernels.c are compiled once per instruction set (the Makefile's VARIANTS). Everything in them
// is static but one table, whose name carries the variant; VARIANT_PICK chooses among the tables at run time.
#ifndef TRIMSCOPE_MATH_VARIANT_H
#define TRIMSCOPE_MATH_VARIANT_H

#define VARIANT_JOIN_(name, variant) name##_##variant
#define VARIANT_JOIN(name, variant)  VARIANT_JOIN_(name, variant)
// The table's own name inside a *_kernels.c file.
#define VARIANT_NAME(name) VARIANT_JOIN(name, KERNEL_VARIANT)

#ifdef KERNEL_VARIANTS_3
#define VARIANT_DECLARE(type, name) extern const type name##_avx512, name##_avx2, name##_base
#define VARIANT_PICK(name)                                                                                   \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&                              \
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")                        \
         ? &name##_avx512                                                                                    \
     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &name##_avx2                        \
                                                                       : &name##_base)
#else
#define VARIANT_DECLARE(type, name) extern const type name##_base
#define VARIANT_PICK(name)          (&name##_base)
#endif

#endif
