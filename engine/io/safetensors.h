// .safetensors: a JSON header and raw little-endian tensors. Reading is memory-mapped and validated; a file from
// outside never makes the program read outside its own bytes.
#ifndef TRIMSCOPE_IO_SAFETENSORS_H
#define TRIMSCOPE_IO_SAFETENSORS_H

#include "engine/io/tensors.h"

// NULL and one sentence in *err when it is not a valid file.
struct tensor_list *safetensors_open(const char *path, struct error *err);

// Writing: the data begins at a multiple of 64 bytes and has no gaps, as the format demands; F32 tensors come first and
// then F16 ones, each in the given order, so that every element is aligned to its size. With TENSOR_F16 the floats are
// rounded to nearest even; a finite number that F16 cannot hold is an error. The file appears whole or not at all.
struct tensor_source {
    const char *name;
    enum tensor_type stored; // TENSOR_F32 or TENSOR_F16
    int rank;
    int64_t shape[TENSOR_RANK];
    const float *data;         // may be NULL when there are no elements
};
struct metadata_pair {
    const char *key, *value;
};
bool safetensors_write(const char *path, const struct tensor_source *tensors, int count,
                       const struct metadata_pair *metadata, int metadata_count, struct error *err);

// The same for those who copy, look or stop. A source whose from[i] is not NULL has the elements of that tensor, of
// whatever type, converted as they are written, and no data of its own. `piece` gets what comes next of source i, in order;
// when it returns false, with *err set, nothing has been written.
struct safetensors_watch {
    const struct tensor *const *from;
    bool (*piece)(void *context, int i, const float *values, size_t count, struct error *err);
    void *context;
};
bool safetensors_write_watched(const char *path, const struct tensor_source *tensors, int count,
                               const struct metadata_pair *metadata, int metadata_count,
                               const struct safetensors_watch *watch, struct error *err);

#endif
