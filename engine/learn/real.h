// The number type of training. float in the program; the gradient tests compile the same sources with
// LEARN_DOUBLE, so that central differences are exact enough to find every mistake.
#ifndef TRIMSCOPE_LEARN_REAL_H
#define TRIMSCOPE_LEARN_REAL_H

#include <cblas.h>

#ifdef LEARN_DOUBLE
typedef double real;
#define real_gemm cblas_dgemm
#else
typedef float real;
#define real_gemm cblas_sgemm
#endif

#endif
