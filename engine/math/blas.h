// OpenBLAS is the trainer's matrix multiplication and the yardstick of `trimscope bench`; inference does not
// need it.
#ifndef TRIMSCOPE_MATH_BLAS_H
#define TRIMSCOPE_MATH_BLAS_H

#include <stdbool.h>

// The kernels that OpenBLAS chose when it was loaded, for example "Haswell". Static storage of the library.
const char *blas_core(void);

// Its version and how it was built, for people to read. Static storage of the library.
const char *blas_version(void);

// Threads for every later call in this process; the library's default is one for each processor.
void blas_set_threads(int threads);

// True when the processor has AVX-512 and OpenBLAS runs kernels without, at half speed: a library older than
// the processor takes it for its nearest known ancestor, and some systems set BLAS_CORE_VARIABLE for
// everybody.
bool blas_falls_short(void);

// True when it falls short of its own choice. That can only be overruled by an environment variable set
// before the library is loaded: main() then sets BLAS_CORE_VARIABLE to BLAS_CORE_VALUE and executes the
// program again. False once the variable is set, whatever its value: who has set it is obeyed, and the
// restart happens at most once.
bool blas_wants_restart(void);

#define BLAS_CORE_VARIABLE "OPENBLAS_CORETYPE"
#define BLAS_CORE_VALUE    "SkylakeX"

#endif
