// Where the pickle and the storages lie in PyTorch's two containers (vlm_spec §2.1).
#include "engine/base/memory.h"
#include "engine/io/torch_private.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum tensor_type type;
} classes[] = {
    {"FloatStorage", TENSOR_F32},  {"HalfStorage", TENSOR_F16}, {"BFloat16Storage", TENSOR_BF16},
    {"DoubleStorage", TENSOR_F64}, {"LongStorage", TENSOR_I64}, {"IntStorage", TENSOR_I32},
    {"ShortStorage", TENSOR_I16},  {"CharStorage", TENSOR_I8},  {"ByteStorage", TENSOR_U8},
    {"BoolStorage", TENSOR_BOOL},
};

// How much of a text from the file fits into a sentence.
static int shown(size_t length)
{
    return length > 80 ? 80 : (int)length;
}

bool torch_read_size(const struct pickle_value *value, size_t *size)
{
    *size = value->kind == PICKLE_INT && value->integer >= 0 ? (size_t)value->integer : 0;
    return value->kind == PICKLE_INT && value->integer >= 0;
}

static bool read_class(const struct pickle_value *value, enum tensor_type *type, struct error *err)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (pickle_is_global(value, "torch", classes[i].name)) {
            *type = classes[i].type;
            return true;
        }
    if (value->kind != PICKLE_GLOBAL)
        return error_set(err, ERROR_INPUT, "a storage in it has no class");
    return error_set(err, ERROR_INPUT, "its storage is of the class %.*s.%.*s, which is not supported",
                     shown(value->items[0]->length), value->items[0]->text, shown(value->items[1]->length),
                     value->items[1]->text);
}

// The sixth part of a legacy id: None, or (key, offset, elements) of a part of the storage.
static bool read_view(const struct pickle_value *value, struct torch_id *id)
{
    if (value->kind == PICKLE_NONE)
        return true;
    if (value->kind != PICKLE_TUPLE || value->length != 3 || value->items[0]->kind != PICKLE_TEXT)
        return false;
    id->view = true;
    return torch_read_size(value->items[1], &id->view_offset) && torch_read_size(value->items[2], &id->view_elements);
}

bool torch_read_id(const struct pickle_value *value, struct torch_id *id, struct error *err)
{
    const struct pickle_value *tuple = value->kind == PICKLE_PERSISTENT ? value->items[0] : value;
    *id = (struct torch_id){0};
    if (value->kind != PICKLE_PERSISTENT || tuple->kind != PICKLE_TUPLE || tuple->length < 5 || tuple->length > 6 ||
        !pickle_is_text(tuple->items[0], "storage") || tuple->items[2]->kind != PICKLE_TEXT ||
        !torch_read_size(tuple->items[4], &id->elements) || (tuple->length == 6 && !read_view(tuple->items[5], id)))
        return error_set(err, ERROR_INPUT, "it has no storage where one should be");
    id->key = tuple->items[2]->text;
    id->key_length = tuple->items[2]->length;
    return read_class(tuple->items[1], &id->type, err);
}

// --- zip -----------------------------------------------------------------------------------------------------------

static bool entry_ends_in(const struct zip_entry *entry, const char *end)
{
    size_t length = strlen(end);
    return entry->name_length >= length && !memcmp(entry->name + entry->name_length - length, end, length);
}

static const struct zip_entry *find_entry(const struct torch_file *file, const char *name)
{
    return zip_find(file->zip, file->root, file->root_length, name, strlen(name));
}

// The folder that everything lies in is named after the file that was once written, or "archive".
static const struct zip_entry *find_pickle(struct torch_file *file, struct error *err)
{
    const struct zip_entry *found = NULL;
    for (int i = 0; i < zip_count(file->zip); i++) {
        const struct zip_entry *entry = zip_at(file->zip, i);
        if (!entry_ends_in(entry, "/data.pkl"))
            continue;
        if (found) {
            error_set(err, ERROR_INPUT, "it is a zip archive with two data.pkl, and nothing says which one counts");
            return NULL;
        }
        found = entry;
        file->root = entry->name;
        file->root_length = entry->name_length - strlen("data.pkl");
    }
    if (!found)
        error_set(err, ERROR_INPUT, "it is a zip archive, but not PyTorch's: it has no data.pkl");
    return found;
}

bool torch_open_zip(struct torch_file *file, struct error *err)
{
    size_t used;
    file->zip = zip_open(file->map.data, file->map.size, err);
    if (!file->zip)
        return false;
    const struct zip_entry *data = find_pickle(file, err);
    if (!data)
        return false;
    const struct zip_entry *order = find_entry(file, "byteorder");
    if (order && order->size == 3 && !memcmp(order->data, "big", 3))
        return error_set(err, ERROR_INPUT, "its numbers are big-endian; save it again on a little-endian machine");
    file->pickle = pickle_read(data->data, data->size, &used, err);
    return file->pickle != NULL;
}

bool torch_zip_storage(const struct torch_file *file, const struct torch_id *id, struct torch_storage *storage,
                       struct error *err)
{
    char prefix[256];
    static const char folder[] = "data/";
    const struct zip_entry *entry = NULL;
    size_t length = file->root_length + sizeof folder - 1, bytes;
    if (length <= sizeof prefix) {
        memcpy(prefix, file->root, file->root_length);
        memcpy(prefix + file->root_length, folder, sizeof folder - 1);
        entry = zip_find(file->zip, prefix, length, id->key, id->key_length);
    }
    if (!entry)
        return error_set(err, ERROR_INPUT, "its storage data/%.*s is not in the archive", shown(id->key_length),
                         id->key);
    if (__builtin_mul_overflow(id->elements, tensor_type_size(id->type), &bytes) || bytes != entry->size)
        return error_set(err, ERROR_INPUT,
                         "its storage should hold %zu %s elements, but the archive has %zu bytes of it", id->elements,
                         tensor_type_name(id->type), entry->size);
    *storage = (struct torch_storage){id->type, id->elements, entry->data};
    return true;
}

// --- legacy --------------------------------------------------------------------------------------------------------

// The first bytes of every legacy file: a pickle of the integer 0x1950a86a20f9469cfc6c.
static const unsigned char legacy_start[] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c, 0x46,
                                             0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

bool torch_is_legacy(const unsigned char *data, size_t size)
{
    return size >= sizeof legacy_start && !memcmp(data, legacy_start, sizeof legacy_start);
}

static struct pickle *next_pickle(const struct torch_file *file, size_t *at, struct error *err)
{
    size_t used;
    struct pickle *pickle = pickle_read(file->map.data + *at, file->map.size - *at, &used, err);
    *at += used;
    return pickle;
}

// The protocol's version and what is said of the machine that wrote the file.
static bool read_start(const struct torch_file *file, size_t *at, struct error *err)
{
    struct pickle *version = next_pickle(file, at, err), *machine = NULL;
    bool ok = version && (machine = next_pickle(file, at, err)) != NULL;
    if (ok && (pickle_root(version)->kind != PICKLE_INT || pickle_root(version)->integer != 1001))
        ok = error_set(err, ERROR_INPUT, "it is of a version of PyTorch's container that is not known");
    const struct pickle_value *little = ok ? pickle_get(pickle_root(machine), "little_endian") : NULL;
    if (ok && (!little || little->kind != PICKLE_BOOL || !little->integer))
        ok = error_set(err, ERROR_INPUT, "its numbers are big-endian; save it again on a little-endian machine");
    pickle_free(version);
    pickle_free(machine);
    return ok;
}

static int compare_keys(const void *a, const void *b)
{
    const struct torch_key *x = a, *y = b;
    int order = memcmp(x->key, y->key, x->length < y->length ? x->length : y->length);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static struct torch_key *find_key(const struct torch_file *file, const char *key, size_t length)
{
    const struct torch_key wanted = {.key = key, .length = length};
    return file->key_count ? bsearch(&wanted, file->keys, file->key_count, sizeof wanted, compare_keys) : NULL;
}

// Every storage that the pickle names, once, sorted, so far without its bytes.
static bool collect_keys(struct torch_file *file, struct error *err)
{
    const struct pickle_value *value;
    size_t count = 0;
    for (size_t i = 0; (value = pickle_at(file->pickle, i)); i++)
        count += value->kind == PICKLE_PERSISTENT;
    file->keys = memory_alloc(count, sizeof *file->keys);
    if (!file->keys)
        return error_no_memory(err, "the list of storages");
    for (size_t i = 0; (value = pickle_at(file->pickle, i)); i++) {
        struct torch_id id;
        if (value->kind != PICKLE_PERSISTENT)
            continue;
        if (!torch_read_id(value, &id, err))
            return false;
        file->keys[file->key_count++] = (struct torch_key){id.key, id.key_length, {id.type, id.elements, NULL}};
    }
    if (count)
        qsort(file->keys, count, sizeof *file->keys, compare_keys);
    file->key_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct torch_key *last = &file->keys[file->key_count - (file->key_count > 0)];
        if (!file->key_count || compare_keys(last, &file->keys[i]))
            file->keys[file->key_count++] = file->keys[i];
        else if (last->storage.type != file->keys[i].storage.type ||
                 last->storage.elements != file->keys[i].storage.elements)
            return error_set(err, ERROR_INPUT, "its tensors disagree about a storage that they share");
    }
    return true;
}

// Number of elements and then the elements, for each key of the list.
static bool place_storages(struct torch_file *file, const struct pickle_value *list, size_t at, struct error *err)
{
    if (list->kind != PICKLE_LIST)
        return error_set(err, ERROR_INPUT, "it has no list of its storages");
    for (size_t i = 0; i < list->length; i++) {
        const struct pickle_value *name = list->items[i];
        struct torch_key *key = name->kind == PICKLE_TEXT ? find_key(file, name->text, name->length) : NULL;
        if (!key || key->storage.data)
            return error_set(err, ERROR_INPUT, "storage %zu of its list belongs to no tensor, or comes twice", i);
        uint64_t elements;
        size_t left = file->map.size - at, bytes;
        if (left < sizeof elements)
            return error_set(err, ERROR_INPUT, "it is cut short: storage %zu of %zu is not there", i, list->length);
        memcpy(&elements, file->map.data + at, sizeof elements);
        if (elements != key->storage.elements ||
            __builtin_mul_overflow(elements, tensor_type_size(key->storage.type), &bytes) ||
            bytes > left - sizeof elements)
            return error_set(err, ERROR_INPUT,
                             "it is cut short or damaged: storage %zu of %zu should hold %zu %s "
                             "elements; %llu are announced, and %zu bytes are left",
                             i, list->length, key->storage.elements, tensor_type_name(key->storage.type),
                             (unsigned long long)elements, left - sizeof elements);
        key->storage.data = file->map.data + at + sizeof elements;
        at += sizeof elements + bytes;
    }
    return true;
}

bool torch_open_legacy(struct torch_file *file, struct error *err)
{
    size_t at = sizeof legacy_start;
    if (!read_start(file, &at, err) || !(file->pickle = next_pickle(file, &at, err)) || !collect_keys(file, err))
        return false;
    struct pickle *list = next_pickle(file, &at, err);
    bool ok = list && place_storages(file, pickle_root(list), at, err);
    pickle_free(list);
    return ok;
}

bool torch_legacy_storage(const struct torch_file *file, const struct torch_id *id, struct torch_storage *storage,
                          struct error *err)
{
    const struct torch_key *key = find_key(file, id->key, id->key_length);
    if (!key || !key->storage.data)
        return error_set(err, ERROR_INPUT, "its storage is not in the file");
    *storage = key->storage;
    if (!id->view)
        return true;
    if (id->view_offset > storage->elements || id->view_elements > storage->elements - id->view_offset)
        return error_set(err, ERROR_INPUT, "it is a view of elements %zu to %zu of a storage of %zu", id->view_offset,
                         id->view_offset + id->view_elements, storage->elements);
    storage->data += id->view_offset * tensor_type_size(storage->type);
    storage->elements = id->view_elements;
    return true;
}
