// .safetensors: a JSON header and raw little-endian tensors. Reading is memory-mapped and validated; a file from
// outside never makes the program read outside its own bytes.
#ifndef TRIMSCOPE_IO_SAFETENSORS_H
#define TRIMSCOPE_IO_SAFETENSORS_H

#include "engine/base/error.h"
#include "engine/base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TENSOR_TYPES(X)                                                                                        \
    X(F32, 4) X(F16, 2) X(BF16, 2) X(F64, 8) X(I64, 8) X(I32, 4) X(I16, 2) X(I8, 1) X(U8, 1) X(BOOL, 1)
#define TENSOR_TYPE_ENUM(name, bytes) TENSOR_##name,
enum tensor_type { TENSOR_TYPES(TENSOR_TYPE_ENUM) TENSOR_TYPE_COUNT };
#undef TENSOR_TYPE_ENUM

enum { TENSOR_RANK = 8 };

struct tensor {
    const char *name;
    enum tensor_type type;
    int rank;
    int64_t shape[TENSOR_RANK];
    size_t elements;
    const void *data; // in the mapping; may lie at any byte: read it with tensor_floats()
};

struct safetensors;

// The tensors live as long as the file is open; an open file may be read by several threads. NULL and one sentence in *err when it is not a valid file.
struct safetensors *safetensors_open(const char *path, struct error *err);
void safetensors_close(struct safetensors *file);
int safetensors_count(const struct safetensors *file);
// In the order of the header; NULL when there is no such index or name.
const struct tensor *safetensors_at(const struct safetensors *file, int index);
const struct tensor *safetensors_find(const struct safetensors *file, const char *name);
// A string of "__metadata__", NULL where there is none.
const char *safetensors_metadata(const struct safetensors *file, const char *key);

// Converts all elements to float (exact for F16, BF16; rounded for F64 and integers).
void tensor_floats(const struct tensor *tensor, float *out);

// Writing: the data begins at a multiple of 64 bytes and has no gaps, as the format demands; F32 tensors come first and
// then F16 ones, each in the given order, so that every element is aligned to its size. With TENSOR_F16 the floats are
// rounded to nearest even; a finite number that F16 cannot hold is an error. The file appears whole or not at all.
struct tensor_source {
    const char *name;
    enum tensor_type stored; // TENSOR_F32 or TENSOR_F16
    int rank;
    int64_t shape[TENSOR_RANK];
    const float *data; // may be NULL when there are no elements
};
struct metadata_pair {
    const char *key, *value;
};
bool safetensors_write(const char *path, const struct tensor_source *tensors, int count,
                       const struct metadata_pair *metadata, int metadata_count, struct error *err);

#endif
