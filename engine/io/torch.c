#include "engine/io/torch.h"

#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/io/safetensors.h"
#include "engine/io/torch_private.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { NAME_LIMIT = 400, SUMMED_AT_ONCE = 4 << 20 };

struct reading {
    struct torch_file file;
    struct tensor_list *list;
    struct spill spill; // tensors that were not contiguous
    size_t copied;      // bytes of these
    int others;    // entries that are no tensors
};

static bool read_storage(const struct torch_file *file, const struct pickle_value *value, struct torch_storage *storage,
                         struct error *err)
{
    struct torch_id id;
    return torch_read_id(value, &id, err) &&
           (file->zip ? torch_zip_storage(file, &id, storage, err) : torch_legacy_storage(file, &id, storage, err));
}

// A tensor as it lies in its storage.
struct view {
    struct torch_storage storage;
    size_t offset;
    size_t strides[TENSOR_RANK];
    bool contiguous;
};

static bool read_tuple(const struct pickle_value *tuple, size_t *numbers)
{
    for (size_t i = 0; i < tuple->length; i++)
        if (!torch_read_size(tuple->items[i], &numbers[i]))
            return false;
    return true;
}

static bool read_shape(const struct pickle_value *arguments, struct tensor *tensor, struct view *view,
                       struct error *err)
{
    const struct pickle_value *shape = arguments->items[2], *strides = arguments->items[3];
    size_t sizes[TENSOR_RANK];
    if (shape->kind != PICKLE_TUPLE || strides->kind != PICKLE_TUPLE || shape->length != strides->length)
        return error_set(err, ERROR_INPUT, "its shape and strides are no two tuples of one length");
    if (shape->length > TENSOR_RANK)
        return error_set(err, ERROR_INPUT, "it has %zu dimensions; at most %d are supported", shape->length,
                         TENSOR_RANK);
    if (!torch_read_size(arguments->items[1], &view->offset) || !read_tuple(shape, sizes) ||
        !read_tuple(strides, view->strides))
        return error_set(err, ERROR_INPUT, "its offset, shape or strides are no whole numbers of at least 0");
    tensor->rank = (int)shape->length;
    tensor->elements = 1;
    for (int i = 0; i < tensor->rank; i++) {
        tensor->shape[i] = (int64_t)sizes[i];
        if (__builtin_mul_overflow(tensor->elements, sizes[i], &tensor->elements))
            return error_set(err, ERROR_INPUT, "its shape has more elements than this machine can count");
    }
    return true;
}

// Every element must lie in the storage. Strides of dimensions of one element mean nothing.
static bool check_reach(const struct tensor *tensor, struct view *view, struct error *err)
{
    size_t last = view->offset, expected = 1;
    bool fits = true;
    view->contiguous = true;
    for (int i = tensor->rank; i-- > 0;) {
        size_t size = (size_t)tensor->shape[i], reach = 0;
        if (size <= 1)
            continue;
        view->contiguous = view->contiguous && view->strides[i] == expected;
        expected *= size;
        fits = fits && !__builtin_mul_overflow(size - 1, view->strides[i], &reach) &&
               !__builtin_add_overflow(last, reach, &last);
    }
    if (tensor->elements ? fits && last < view->storage.elements : view->offset <= view->storage.elements)
        return true;
    return error_set(err, ERROR_INPUT, "its shape and strides reach beyond the %zu elements of its storage",
                     view->storage.elements);
}

// A row-major copy: walks over all indexes, the last dimension fastest.
static void copy_view(const struct tensor *tensor, const struct view *view, unsigned char *to)
{
    size_t size = tensor_type_size(tensor->type), at = view->offset, index[TENSOR_RANK] = {0};
    for (size_t n = 0; n < tensor->elements; n++) {
        memcpy(to + n * size, view->storage.data + at * size, size);
        for (int i = tensor->rank; i-- > 0;) {
            at += view->strides[i];
            if (++index[i] < (size_t)tensor->shape[i])
                break;
            at -= view->strides[i] * index[i];
            index[i] = 0;
        }
    }
}

static bool place_tensor(struct reading *r, struct tensor *tensor, const struct view *view, struct error *err)
{
    size_t size = tensor_type_size(tensor->type), left = r->file.map.size - r->copied;
    if (view->contiguous || !tensor->elements) {
        tensor->data = view->storage.data + view->offset * size;
        return true;
    }
    if (tensor->elements > left / size)
        return error_set(err, ERROR_INPUT,
                         "it is not contiguous, and copies of such tensors would take more room than "
                         "the whole file");
    unsigned char *copy = spill_take(&r->spill, tensor->elements * size, r->file.map.size, err);
    if (!copy)
        return false;
    copy_view(tensor, view, copy);
    r->copied += tensor->elements * size;
    tensor->data = copy;
    spill_settle(&r->spill, copy, tensor->elements * size);
    file_map_forget(&r->file.map, view->storage.data, view->storage.elements * size);
    return true;
}

// What stands for a tensor: a call that makes it, or one that makes a parameter of it. NULL: something else.
static const struct pickle_value *find_call(const struct pickle_value *value)
{
    if (pickle_is_call(value, "torch._utils", "_rebuild_parameter") && value->items[1]->length >= 1)
        value = value->items[1]->items[0];
    bool tensor = pickle_is_call(value, "torch._utils", "_rebuild_tensor_v2") ||
                  pickle_is_call(value, "torch._utils", "_rebuild_tensor");
    return tensor && value->items[1]->length >= 4 ? value : NULL;
}

static bool add_tensor(struct reading *r, const char *name, const struct pickle_value *call, struct error *err)
{
    const struct pickle_value *arguments = call->items[1];
    struct tensor tensor = {.name = name};
    struct view view;
    if (!read_storage(&r->file, arguments->items[0], &view.storage, err) ||
        !read_shape(arguments, &tensor, &view, err) || !check_reach(&tensor, &view, err))
        return error_prefix(err, "tensor \"%.120s\"", name);
    tensor.type = view.storage.type;
    if (!place_tensor(r, &tensor, &view, err))
        return error_prefix(err, "tensor \"%.120s\"", name);
    return tensor_list_add(r->list, &tensor) || error_no_memory(err, "the list of tensors");
}

static bool add_entry(struct reading *r, const struct pickle_value *key, const struct pickle_value *value,
                      struct error *err)
{
    char name[NAME_LIMIT + 1];
    const struct pickle_value *call = find_call(value);
    if (!call || key->kind != PICKLE_TEXT) {
        r->others++;
        return true;
    }
    if (key->length > NAME_LIMIT || memchr(key->text, '\0', key->length))
        return error_set(err, ERROR_INPUT, "the name of a tensor has %zu bytes, or a byte 0; at most %d can be read",
                         key->length, NAME_LIMIT);
    memcpy(name, key->text, key->length);
    name[key->length] = '\0';
    return add_tensor(r, name, call, err);
}

// Where the tensors stand: the key, "" for the dictionary itself.
static const struct pickle_value *find_state(const struct pickle_value *root, const char **place)
{
    static const char *const keys[] = {"state_dict", "model"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct pickle_value *state = pickle_get(root, keys[i]);
        *place = keys[i];
        if (state && state->kind == PICKLE_DICT)
            return state;
    }
    *place = "";
    return root;
}

// Names of what the pickle wants to be called, except for what makes tensors.
static void list_calls(const struct pickle *pickle, char *out, size_t size)
{
    const struct pickle_value *value;
    *out = '\0';
    for (size_t i = 0; (value = pickle_at(pickle, i)); i++) {
        char name[128];
        const struct pickle_value *what = value->kind == PICKLE_CALL ? value->items[0] : value;
        if (what == value || what->kind != PICKLE_GLOBAL || pickle_is_text(what->items[0], "torch._utils"))
            continue;
        snprintf(name, sizeof name, "%.*s.%.*s", what->items[0]->length > 60 ? 60 : (int)what->items[0]->length,
                 what->items[0]->text, what->items[1]->length > 60 ? 60 : (int)what->items[1]->length,
                 what->items[1]->text);
        size_t length = strlen(out);
        if (!strstr(out, name) && length + strlen(name) + 3 < size)
            snprintf(out + length, size - length, "%s%s", length ? ", " : "", name);
    }
}

// The keys of the dictionary that the tensors' place is one of, but for that; long ones shortened.
static void list_beside(const struct pickle_value *root, const char *place, char *out, size_t size)
{
    static const char more[] = ", ...";
    char whole[NAME_LIMIT + 1], shown[48];
    *out = '\0';
    for (size_t i = 0; *place && i + 1 < root->length; i += 2) {
        const struct pickle_value *key = root->items[i];
        size_t length = strlen(out);
        if (key->kind != PICKLE_TEXT || !key->length || key->length > NAME_LIMIT || pickle_is_text(key, place) ||
            memchr(key->text, '\0', key->length))
            continue;
        memcpy(whole, key->text, key->length);
        whole[key->length] = '\0';
        if (!text_is_utf8(whole)) // cannot be told
            continue;
        text_fit(shown, sizeof shown, whole);
        if (length + 2 + strlen(shown) + sizeof more > size) { // there is always room for `more`
            strcpy(out + length, more);
            return;
        }
        snprintf(out + length, size - length, "%s%s", length ? ", " : "", shown);
    }
}

static bool describe(struct reading *r, const struct pickle_value *root, const char *place, struct error *err)
{
    char calls[512], others[16], beside[256];
    list_beside(root, place, beside, sizeof beside);
    list_calls(r->file.pickle, calls, sizeof calls);
    snprintf(others, sizeof others, "%d", r->others);
    json_t *object = json_pack("{s:s, s:s}", "container", r->file.zip ? "zip" : "legacy", "place", place);
    bool ok = object != NULL;
    // A name that is no UTF-8 cannot be told.
    if (ok && *calls)
        json_object_set_new(object, "calls", json_string(calls));
    if (ok && *beside)
        json_object_set_new(object, "beside", json_string(beside));
    if (ok && r->others)
        ok = json_object_set_new(object, "others", json_string(others)) == 0;
    tensor_list_own_metadata(r->list, object);
    return ok || error_no_memory(err, "the list of tensors");
}

static bool read_tensors(struct reading *r, struct error *err)
{
    const char *place;
    const struct pickle_value *root = pickle_root(r->file.pickle), *state = find_state(root, &place);
    if (state->kind != PICKLE_DICT)
        return error_set(err, ERROR_INPUT,
                         "it holds no dictionary of tensors but something else; save the model's "
                         "state_dict() instead of the model");
    r->list = tensor_list_new(state->length / 2);
    if (!r->list)
        return error_no_memory(err, "the list of tensors");
    for (size_t i = 0; i + 1 < state->length; i += 2)
        if (!add_entry(r, state->items[i], state->items[i + 1], err))
            return false;
    if (tensor_list_count(r->list) == 0)
        return error_set(err, ERROR_INPUT,
                         "there is no tensor in it, neither at its top nor under \"state_dict\" or "
                         "\"model\"");
    return tensor_list_index(r->list, err) && describe(r, root, place, err);
}

// One flipped bit of a weight shows nowhere else. Pages are given back as it goes: the file may be larger than the memory.
static bool check_entries(const struct torch_file *file, struct error *err)
{
    for (int i = 0; i < zip_count(file->zip); i++) {
        const struct zip_entry *entry = zip_at(file->zip, i);
        struct zip_sum sum = {0};
        for (size_t at = 0; at < entry->size; at += SUMMED_AT_ONCE) {
            size_t left = entry->size - at, count = left < SUMMED_AT_ONCE ? left : SUMMED_AT_ONCE;
            zip_sum_add(&sum, entry->data + at, count);
            file_map_forget(&file->map, entry->data + at, count);
        }
        if (!zip_sum_fits(&sum, entry))
            return error_set(err, ERROR_INPUT, "the entry %.*s does not have the checksum that the archive says: it is damaged, "
                                               "or was not downloaded rightly", (int)entry->name_length, entry->name);
    }
    return true;
}

struct tensor_list *torch_open(const char *path, struct error *err)
{
    struct reading r = {0};
    if (!file_map(&r.file.map, path, err))
        return NULL;
    bool ok;
    if (zip_recognise(r.file.map.data, r.file.map.size))
        ok = torch_open_zip(&r.file, err);
    else if (torch_is_legacy(r.file.map.data, r.file.map.size))
        ok = torch_open_legacy(&r.file, err);
    else
        ok = error_set(err, ERROR_INPUT, "not a file that torch.save() has written");
    ok = ok && read_tensors(&r, err) && (!r.file.zip || check_entries(&r.file, err));
    pickle_free(r.file.pickle);
    zip_close(r.file.zip);
    memory_free(r.file.keys);
    if (ok) {
        tensor_list_own_map(r.list, r.file.map);
        tensor_list_own_spill(r.list, r.spill);
        return r.list;
    }
    tensor_list_close(r.list);
    spill_close(&r.spill);
    file_unmap(&r.file.map);
    error_prefix(err, "cannot use %s", path);
    return NULL;
}

struct tensor_list *weights_open(const char *path, struct error *err)
{
    struct file_map map;
    if (!file_map(&map, path, err))
        return NULL;
    bool torch = zip_recognise(map.data, map.size) || torch_is_legacy(map.data, map.size);
    file_unmap(&map);
    return torch ? torch_open(path, err) : safetensors_open(path, err);
}
