// Reading .safetensors: the header is validated in full before any tensor can be reached.
#include "engine/io/safetensors.h"

#include "engine/base/memory.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are mapped, not converted: little-endian only");

// A large model's header has some 200 kB, its tokenizer 2 MB. What JSON of this size can cost in memory is
// bounded too.
enum { HEADER_LIMIT = 8 << 20 };

static const struct {
    const char *name;
    size_t bytes;
} types[TENSOR_TYPE_COUNT] = {
#define TENSOR_TYPE_ROW(name, bytes) {#name, bytes},
    TENSOR_TYPES(TENSOR_TYPE_ROW)
#undef TENSOR_TYPE_ROW
};

struct safetensors {
    struct file_map map;
    json_t *header; // owns the names and the metadata
    struct tensor *tensors;
    const struct tensor **by_name;
    int count;
};

static bool parse_header(struct safetensors *file, size_t *data_start, struct error *err)
{
    uint64_t size;
    if (file->map.size < sizeof size)
        return error_set(err, ERROR_INPUT, "not a safetensors file: it has only %zu bytes", file->map.size);
    memcpy(&size, file->map.data, sizeof size);
    if (size > file->map.size - sizeof size)
        return error_set(
            err, ERROR_INPUT,
            "not a safetensors file, or cut short: its header claims %llu bytes, the file has %zu",
            (unsigned long long)size, file->map.size);
    if (size > HEADER_LIMIT)
        return error_set(err, ERROR_INPUT, "the header has %llu bytes; the limit is %d",
                         (unsigned long long)size, HEADER_LIMIT);
    json_error_t json;
    file->header =
        json_loadb((const char *)file->map.data + sizeof size, (size_t)size, JSON_REJECT_DUPLICATES, &json);
    if (!file->header && json_error_code(&json) == json_error_out_of_memory)
        return error_no_memory(err, "the header");
    if (!file->header)
        return error_set(err, ERROR_INPUT, "the header is not valid JSON at byte %d: %s", json.position,
                         json.text);
    if (!json_is_object(file->header))
        return error_set(err, ERROR_INPUT, "the header is not a JSON object");
    *data_start = sizeof size + (size_t)size;
    return true;
}

static bool check_metadata(const json_t *metadata, struct error *err)
{
    if (!metadata)
        return true;
    if (!json_is_object(metadata))
        return error_set(err, ERROR_INPUT, "\"__metadata__\" is not a JSON object");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(size_t)metadata, key, value) if (!json_is_string(value)) return error_set(
        err, ERROR_INPUT, "\"__metadata__\": the value of \"%.80s\" is not a string", key);
    return true;
}

static bool parse_type(struct tensor *tensor, const json_t *entry, struct error *err)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    if (!name)
        return error_set(err, ERROR_INPUT, "\"dtype\" is missing or not a string");
    for (int i = 0; i < TENSOR_TYPE_COUNT; i++)
        if (!strcmp(types[i].name, name)) {
            tensor->type = (enum tensor_type)i;
            return true;
        }
    return error_set(err, ERROR_INPUT, "the dtype \"%.20s\" is not supported", name);
}

static bool parse_shape(struct tensor *tensor, const json_t *entry, struct error *err)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape))
        return error_set(err, ERROR_INPUT, "\"shape\" is missing or not a list");
    if (json_array_size(shape) > TENSOR_RANK)
        return error_set(err, ERROR_INPUT, "it has %zu dimensions; at most %d are supported",
                         json_array_size(shape), TENSOR_RANK);
    tensor->rank = (int)json_array_size(shape);
    tensor->elements = 1;
    for (int i = 0; i < tensor->rank; i++) {
        const json_t *side = json_array_get(shape, (size_t)i);
        if (!json_is_integer(side) || json_integer_value(side) < 0)
            return error_set(err, ERROR_INPUT,
                             "dimension %d of its shape is not a whole number of at least 0", i);
        tensor->shape[i] = json_integer_value(side);
        if (__builtin_mul_overflow(tensor->elements, (size_t)tensor->shape[i], &tensor->elements))
            return error_set(err, ERROR_INPUT, "its shape has more elements than this machine can count");
    }
    return true;
}

// The data range is checked against `available`, the bytes after the header.
static bool parse_range(struct tensor *tensor, const json_t *entry, const unsigned char *data,
                        size_t available, struct error *err)
{
    const json_t *range = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(range, 0), *last = json_array_get(range, 1);
    if (json_array_size(range) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return error_set(err, ERROR_INPUT, "\"data_offsets\" is missing or not a pair of whole numbers");
    json_int_t from = json_integer_value(first), to = json_integer_value(last);
    if (from < 0 || to < from || (uint64_t)to > available)
        return error_set(err, ERROR_INPUT, "its data_offsets [%lld, %lld] lie outside the %zu bytes of data",
                         from, to, available);
    size_t bytes;
    if (__builtin_mul_overflow(tensor->elements, types[tensor->type].bytes, &bytes) ||
        bytes != (size_t)(to - from))
        return error_set(err, ERROR_INPUT, "its shape holds %zu %s elements, but its data has %lld bytes",
                         tensor->elements, types[tensor->type].name, to - from);
    tensor->data = data + from;
    return true;
}

static bool parse_tensors(struct safetensors *file, size_t data_start, struct error *err)
{
    size_t entries = json_object_size(file->header);
    file->tensors = memory_alloc(entries, sizeof *file->tensors);
    file->by_name = memory_alloc(entries, sizeof *file->by_name);
    if (!file->tensors || !file->by_name)
        return error_no_memory(err, "the list of tensors");
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry)
    {
        if (!strcmp(name, "__metadata__"))
            continue;
        struct tensor *tensor = &file->tensors[file->count];
        tensor->name = name;
        if (!json_is_object(entry))
            return error_set(err, ERROR_INPUT, "tensor \"%.120s\" is not a JSON object", name);
        if (!parse_type(tensor, entry, err) || !parse_shape(tensor, entry, err) ||
            !parse_range(tensor, entry, file->map.data + data_start, file->map.size - data_start, err))
            return error_prefix(err, "tensor \"%.120s\"", name);
        file->by_name[file->count++] = tensor;
    }
    return true;
}

static size_t tensor_bytes(const struct tensor *tensor)
{
    return tensor->elements * types[tensor->type].bytes;
}

static int compare_names(const void *a, const void *b)
{
    const struct tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int compare_places(const void *a, const void *b)
{
    const struct tensor *x = *(const struct tensor *const *)a, *y = *(const struct tensor *const *)b;
    const unsigned char *p = x->data, *q = y->data;
    if (p != q)
        return p < q ? -1 : 1;
    return (tensor_bytes(x) > tensor_bytes(y)) - (tensor_bytes(x) < tensor_bytes(y));
}

// Gaps between tensors are harmless and some writers leave them to align data; two names for the same bytes
// are not.
static bool check_overlaps(struct safetensors *file, struct error *err)
{
    if (file->count == 0)
        return true;
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, compare_places);
    for (int i = 1; i < file->count; i++) {
        const struct tensor *before = file->by_name[i - 1], *here = file->by_name[i];
        if ((const unsigned char *)before->data + tensor_bytes(before) > (const unsigned char *)here->data)
            return error_set(err, ERROR_INPUT, "the tensors \"%.120s\" and \"%.120s\" overlap", before->name,
                             here->name);
    }
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, compare_names);
    return true;
}

struct safetensors *safetensors_open(const char *path, struct error *err)
{
    struct safetensors *file = memory_alloc(1, sizeof *file);
    if (!file) {
        error_no_memory(err, path);
        return NULL;
    }
    size_t data_start;
    if (!file_map(&file->map, path, err)) {
        safetensors_close(file);
        return NULL;
    }
    if (parse_header(file, &data_start, err) &&
        check_metadata(json_object_get(file->header, "__metadata__"), err) &&
        parse_tensors(file, data_start, err) && check_overlaps(file, err))
        return file;
    error_prefix(err, "cannot use %s", path);
    safetensors_close(file);
    return NULL;
}

void safetensors_close(struct safetensors *file)
{
    if (!file)
        return;
    json_decref(file->header);
    memory_free(file->tensors);
    memory_free(file->by_name);
    file_unmap(&file->map);
    memory_free(file);
}

int safetensors_count(const struct safetensors *file)
{
    return file->count;
}

const struct tensor *safetensors_at(const struct safetensors *file, int index)
{
    return index >= 0 && index < file->count ? &file->tensors[index] : NULL;
}

const struct tensor *safetensors_find(const struct safetensors *file, const char *name)
{
    int low = 0, high = file->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(name, file->by_name[middle]->name);
        if (order == 0)
            return file->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *safetensors_metadata(const struct safetensors *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}
