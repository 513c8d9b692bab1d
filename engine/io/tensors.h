// Named tensors, whatever file they come from: what readers of weights files give, and what models are read from.
#ifndef TRIMSCOPE_IO_TENSORS_H
#define TRIMSCOPE_IO_TENSORS_H

#include "engine/base/error.h"
#include "engine/base/file.h"
#include "engine/base/spill.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t; // jansson's

#define TENSOR_TYPES(X)                                                                                                \
    X(F32, 4) X(F16, 2) X(BF16, 2) X(F64, 8) X(I64, 8) X(I32, 4) X(I16, 2) X(I8, 1) X(U8, 1) X(BOOL, 1)
#define TENSOR_TYPE_ENUM(name, bytes) TENSOR_##name,
enum tensor_type { TENSOR_TYPES(TENSOR_TYPE_ENUM) TENSOR_TYPE_COUNT };
#undef TENSOR_TYPE_ENUM

enum { TENSOR_RANK = 8 };

// Row-major, little-endian.
struct tensor {
    const char *name;
    enum tensor_type type;
    int rank;
    int64_t shape[TENSOR_RANK];
    size_t elements;
    const void *data; // may lie at any byte: read it with tensor_floats()
};

const char *tensor_type_name(enum tensor_type type); // "F32", as safetensors spells it
size_t tensor_type_size(enum tensor_type type);
size_t tensor_bytes(const struct tensor *tensor);

// Converts all elements to float (exact for F16, BF16; rounded for F64 and integers).
void tensor_floats(const struct tensor *tensor, float *out);

// The tensors live as long as the list; several threads may read one list.
struct tensor_list;

void tensor_list_close(struct tensor_list *list);
int tensor_list_count(const struct tensor_list *list);
// In the order of the file; NULL when there is no such index or name.
const struct tensor *tensor_list_at(const struct tensor_list *list, int index);
const struct tensor *tensor_list_find(const struct tensor_list *list, const char *name);
// A text that the file carries beside its tensors, NULL where there is none.
const char *tensor_list_metadata(const struct tensor_list *list, const char *key);
// Gives the memory of a tensor's pages back, which are read again when somebody looks; of another list's tensor nothing.
void tensor_list_forget(const struct tensor_list *list, const struct tensor *tensor);

// For those who make a list: room for `most` tensors; add each (name and all are copied, the data is not); end with
// tensor_list_index(), which refuses names that come twice. What the data lies in is handed over, to be released with
// the list. A list of tensors of another list must not outlive it. NULL or false: no memory, unless *err says otherwise.
struct tensor_list *tensor_list_new(size_t most);
bool tensor_list_add(struct tensor_list *list, const struct tensor *tensor);
bool tensor_list_index(struct tensor_list *list, struct error *err);
void tensor_list_own_map(struct tensor_list *list, struct file_map map);
void tensor_list_own_spill(struct tensor_list *list, struct spill spill);
void tensor_list_own_metadata(struct tensor_list *list, struct json_t *object); // its strings are the metadata

#endif
