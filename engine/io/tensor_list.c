#include "engine/base/memory.h"
#include "engine/io/tensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct tensor_list {
    struct tensor *tensors; // their names are owned
    const struct tensor **by_name;
    int count, most;
    struct file_map map;
    struct spill spill; // where tensors lie that do not lie in the map as they are
    json_t *metadata;
};

static const struct {
    const char *name;
    size_t bytes;
} types[TENSOR_TYPE_COUNT] = {
#define TENSOR_TYPE_ROW(name, bytes) {#name, bytes},
    TENSOR_TYPES(TENSOR_TYPE_ROW)
#undef TENSOR_TYPE_ROW
};

const char *tensor_type_name(enum tensor_type type)
{
    return types[type].name;
}

size_t tensor_type_size(enum tensor_type type)
{
    return types[type].bytes;
}

size_t tensor_bytes(const struct tensor *tensor)
{
    return tensor->elements * types[tensor->type].bytes;
}

struct tensor_list *tensor_list_new(size_t most)
{
    struct tensor_list *list = memory_alloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->tensors = memory_alloc(most, sizeof *list->tensors);
    list->by_name = memory_alloc(most, sizeof *list->by_name);
    list->most = (int)most;
    if (list->tensors && list->by_name)
        return list;
    tensor_list_close(list);
    return NULL;
}

void tensor_list_close(struct tensor_list *list)
{
    if (!list)
        return;
    for (int i = 0; i < list->count; i++)
        memory_free((void *)(size_t)list->tensors[i].name);
    spill_close(&list->spill);
    json_decref(list->metadata);
    memory_free(list->tensors);
    memory_free(list->by_name);
    file_unmap(&list->map);
    memory_free(list);
}

bool tensor_list_add(struct tensor_list *list, const struct tensor *tensor)
{
    char *name = list->count < list->most ? memory_alloc(strlen(tensor->name) + 1, 1) : NULL;
    if (!name)
        return false;
    strcpy(name, tensor->name);
    list->tensors[list->count] = *tensor;
    list->tensors[list->count++].name = name;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    const struct tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

bool tensor_list_index(struct tensor_list *list, struct error *err)
{
    for (int i = 0; i < list->count; i++)
        list->by_name[i] = &list->tensors[i];
    if (list->count)
        qsort(list->by_name, (size_t)list->count, sizeof *list->by_name, compare_names);
    for (int i = 1; i < list->count; i++)
        if (!strcmp(list->by_name[i - 1]->name, list->by_name[i]->name))
            return error_set(err, ERROR_INPUT, "there are two tensors of the name \"%.120s\"", list->by_name[i]->name);
    return true;
}

void tensor_list_own_map(struct tensor_list *list, struct file_map map)
{
    list->map = map;
}

void tensor_list_own_spill(struct tensor_list *list, struct spill spill)
{
    list->spill = spill;
}

void tensor_list_own_metadata(struct tensor_list *list, json_t *object)
{
    list->metadata = object;
}

int tensor_list_count(const struct tensor_list *list)
{
    return list->count;
}

const struct tensor *tensor_list_at(const struct tensor_list *list, int index)
{
    return index >= 0 && index < list->count ? &list->tensors[index] : NULL;
}

const struct tensor *tensor_list_find(const struct tensor_list *list, const char *name)
{
    int low = 0, high = list->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(name, list->by_name[middle]->name);
        if (order == 0)
            return list->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *tensor_list_metadata(const struct tensor_list *list, const char *key)
{
    return json_string_value(json_object_get(list->metadata, key));
}

void tensor_list_forget(const struct tensor_list *list, const struct tensor *tensor)
{
    file_map_forget(&list->map, tensor->data, tensor_bytes(tensor));
    spill_settle(&list->spill, tensor->data, tensor_bytes(tensor));
}
