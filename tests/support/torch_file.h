// Files as torch.save() writes them, made by hand from vlm_spec §2.1 and §2.2: for tests of the reader, and for
// checkpoints of formula weights of any size.
#ifndef TRIMSCOPE_TESTS_SUPPORT_TORCH_FILE_H
#define TRIMSCOPE_TESTS_SUPPORT_TORCH_FILE_H

#include "engine/io/safetensors.h"

#include <stdio.h>

// A zip archive that is written entry by entry: stored, sizes in the directory only, data at multiples of 64 bytes, a
// ZIP64 end record. What is set differently in an entry before zip_file_end() makes the archive hostile.
struct zip_file_entry {
    char name[128];
    uint64_t header, size;
    unsigned flags, method;
};
struct zip_file {
    FILE *stream;
    struct zip_file_entry *entries;
    int count, room;
    bool zip64; // sizes and places in ZIP64 extra fields; of itself where the archive is too large for others
};
void zip_file_begin(struct zip_file *zip, FILE *stream);
// Returns the entry, whose bytes are written behind it by the caller: zip_file_put() or straight to the stream.
struct zip_file_entry *zip_file_add(struct zip_file *zip, const char *name, uint64_t size);
void zip_file_put(struct zip_file *zip, const char *name, const void *bytes, size_t size);
void zip_file_end(struct zip_file *zip); // frees; the stream stays open

// A checkpoint of F32 tensors, each in a storage of its own; `place` is the key that the dictionary of tensors stands
// under, "" for none. `fill` is asked for the elements of one tensor after the other where a source has no data; NULL:
// such tensors are 0, a hole in the file.
void torch_file_write(const char *path, const char *place, const struct tensor_source *tensors, int count,
                      void (*fill)(const struct tensor_source *source, float *out, size_t elements));

#endif
