// Reading .safetensors: the header is validated in full before any tensor can be reached.
#include "engine/io/safetensors.h"

#include "engine/base/memory.h"
#include "engine/io/torch.h"
#include "engine/io/zip.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are mapped, not converted: little-endian only");

// A large model's header has some 200 kB, its tokenizer 2 MB. What JSON of this size can cost in memory is
// bounded too.
enum { HEADER_LIMIT = 8 << 20 };

// What is known while a file is being read.
struct reading {
    struct file_map map;
    json_t *header;
    size_t data_start;
};

static bool parse_header(struct reading *file, struct error *err)
{
    static const char lfs[] = "version https://git-lfs";
    uint64_t size;
    if (zip_recognise(file->map.data, file->map.size) || torch_is_legacy(file->map.data, file->map.size))
        return error_set(err, ERROR_INPUT,
                         "this is a checkpoint of PyTorch; `trimscope import` makes a weights file of it");
    if (file->map.size < sizeof size)
        return error_set(err, ERROR_INPUT, "not a safetensors file: it has only %zu bytes", file->map.size);
    memcpy(&size, file->map.data, sizeof size);
    if (file->map.size > sizeof lfs && !memcmp(file->map.data, lfs, sizeof lfs - 1))
        return error_set(err, ERROR_INPUT, "this is a pointer of Git LFS, not the file itself; `git lfs pull` brings that");
    bool whole = size <= file->map.size - sizeof size;
    if (!whole && size > HEADER_LIMIT)
        return error_set(err, ERROR_INPUT, "this is no weights file: neither safetensors nor what torch.save() writes");
    if (!whole)
        return error_set(
            err, ERROR_INPUT,
            "not a safetensors file, or cut short: its header claims %llu bytes, the file has %zu",
            (unsigned long long)size, file->map.size);
    if (size > HEADER_LIMIT)
        return error_set(err, ERROR_INPUT, "the header has %llu bytes; the limit is %d", (unsigned long long)size,
                         HEADER_LIMIT);
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
    file->data_start = sizeof size + (size_t)size;
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
        if (!strcmp(tensor_type_name((enum tensor_type)i), name)) {
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
    if (from < 0 || to < from)
        return error_set(err, ERROR_INPUT, "its data_offsets [%lld, %lld] are no place in a file", from, to);
    if ((uint64_t)to > available)
        return error_set(err, ERROR_INPUT,
                         "its data end at byte %lld, the file's at %zu: it is cut short, or was not downloaded in full", to,
                         available);
    size_t bytes;
    if (__builtin_mul_overflow(tensor->elements, tensor_type_size(tensor->type), &bytes) ||
        bytes != (size_t)(to - from))
        return error_set(err, ERROR_INPUT, "its shape holds %zu %s elements, but its data has %lld bytes",
                         tensor->elements, tensor_type_name(tensor->type), to - from);
    tensor->data = data + from;
    return true;
}

static bool parse_tensors(const struct reading *file, struct tensor_list *list, struct error *err)
{
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry)
    {
        struct tensor tensor = {.name = name};
        if (!strcmp(name, "__metadata__"))
            continue;
        if (!json_is_object(entry))
            return error_set(err, ERROR_INPUT, "tensor \"%.120s\" is not a JSON object", name);
        if (!parse_type(&tensor, entry, err) || !parse_shape(&tensor, entry, err) ||
            !parse_range(&tensor, entry, file->map.data + file->data_start, file->map.size - file->data_start, err))
            return error_prefix(err, "tensor \"%.120s\"", name);
        if (!tensor_list_add(list, &tensor))
            return error_no_memory(err, "the list of tensors");
    }
    return tensor_list_index(list, err);
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
static bool check_overlaps(const struct tensor_list *list, struct error *err)
{
    int count = tensor_list_count(list);
    if (count == 0)
        return true;
    const struct tensor **places = memory_alloc((size_t)count, sizeof *places);
    if (!places)
        return error_no_memory(err, "the list of tensors");
    for (int i = 0; i < count; i++)
        places[i] = tensor_list_at(list, i);
    qsort(places, (size_t)count, sizeof *places, compare_places);
    bool ok = true;
    for (int i = 1; ok && i < count; i++)
        if ((const unsigned char *)places[i - 1]->data + tensor_bytes(places[i - 1]) >
            (const unsigned char *)places[i]->data)
            ok = error_set(err, ERROR_INPUT, "the tensors \"%.120s\" and \"%.120s\" overlap", places[i - 1]->name,
                           places[i]->name);
    memory_free(places);
    return ok;
}

static struct tensor_list *read_list(const struct reading *file, struct error *err)
{
    json_t *metadata = json_object_get(file->header, "__metadata__");
    if (!check_metadata(metadata, err))
        return NULL;
    struct tensor_list *list = tensor_list_new(json_object_size(file->header));
    if (!list) {
        error_no_memory(err, "the list of tensors");
        return NULL;
    }
    tensor_list_own_metadata(list, metadata ? json_incref(metadata) : NULL);
    if (parse_tensors(file, list, err) && check_overlaps(list, err))
        return list;
    tensor_list_close(list);
    return NULL;
}

struct tensor_list *safetensors_open(const char *path, struct error *err)
{
    struct reading file = {0};
    if (!file_map(&file.map, path, err))
        return NULL;
    struct tensor_list *list = parse_header(&file, err) ? read_list(&file, err) : NULL;
    json_decref(file.header);
    if (list) {
        tensor_list_own_map(list, file.map);
        return list;
    }
    error_prefix(err, "cannot use %s", path);
    file_unmap(&file.map);
    return NULL;
}
