// NumPy's .npy files, read-only: one array each, the dumps that `trimscope verify` compares with.
// Format: numpy.lib.format, versions 1 to 3; little-endian, C order.
#ifndef TRIMSCOPE_IO_NPY_H
#define TRIMSCOPE_IO_NPY_H

#include "engine/base/error.h"
#include "engine/base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NPY_TYPES(X)                                                                                           \
    X(F32, "<f4", 4) X(F64, "<f8", 8) X(I64, "<i8", 8) X(I32, "<i4", 4) X(U8, "|u1", 1) X(BOOL, "|b1", 1)
#define NPY_TYPE_ENUM(name, descr, bytes) NPY_##name,
enum npy_type { NPY_TYPES(NPY_TYPE_ENUM) NPY_TYPE_COUNT };
#undef NPY_TYPE_ENUM

enum { NPY_RANK = 8 };

struct npy {
    enum npy_type type;
    int rank; // 0: a single number
    int64_t shape[NPY_RANK];
    size_t elements;
    const void *data; // in the mapping; may lie at any byte: read it with the functions below
    struct file_map map;
};

// Maps and validates a file. On failure *npy is left empty. Release with npy_close().
bool npy_open(struct npy *npy, const char *path, struct error *err);
void npy_close(struct npy *npy);

// One element, `index` in row-major order; exact but for integers beyond 2^53.
double npy_value(const struct npy *npy, size_t index);
// All elements.
void npy_floats(const struct npy *npy, float *out);

#endif
