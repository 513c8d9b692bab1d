// What the files torch*.c share; nobody else includes it.
#ifndef TRIMSCOPE_IO_TORCH_PRIVATE_H
#define TRIMSCOPE_IO_TORCH_PRIVATE_H

#include "engine/base/file.h"
#include "engine/io/pickle.h"
#include "engine/io/tensors.h"
#include "engine/io/torch.h"
#include "engine/io/zip.h"

// The bytes behind tensors: `elements` of one type, in the file.
struct torch_storage {
    enum tensor_type type;
    size_t elements;
    const unsigned char *data;
};

// A storage that the legacy container holds.
struct torch_key {
    const char *key; // in the pickle, not ended by a 0 byte
    size_t length;
    struct torch_storage storage;
};

struct torch_file {
    struct file_map map;
    struct pickle *pickle;
    struct zip *zip;  // NULL: the legacy container
    const char *root; // of the archive: what stands before "data.pkl", with its slash
    size_t root_length;
    struct torch_key *keys; // of the legacy container, sorted
    size_t key_count;
};

// A persistent id ('storage', class, key, place, elements[, view]) taken apart; false and *err when it is none.
struct torch_id {
    enum tensor_type type;
    const char *key;
    size_t key_length;
    size_t elements;
    bool view; // a part of the storage, legacy only
    size_t view_offset, view_elements;
};
bool torch_read_id(const struct pickle_value *value, struct torch_id *id, struct error *err);

// A count or offset: an integer of at least 0.
bool torch_read_size(const struct pickle_value *value, size_t *size);

bool torch_open_zip(struct torch_file *file, struct error *err);
bool torch_open_legacy(struct torch_file *file, struct error *err);

// The storage that a persistent value stands for.
bool torch_zip_storage(const struct torch_file *file, const struct torch_id *id, struct torch_storage *storage,
                       struct error *err);
bool torch_legacy_storage(const struct torch_file *file, const struct torch_id *id, struct torch_storage *storage,
                          struct error *err);

#endif
