// The values of a pickle: where they live, and how they are looked at.
#include "engine/base/memory.h"
#include "engine/io/pickle_private.h"

#include <stdlib.h>
#include <string.h>

struct pickle_value *pickle_make(struct pickle *pickle, enum pickle_kind kind)
{
    size_t chunk = pickle->count / PICKLE_CHUNK;
    if (chunk == pickle->chunk_room) {
        size_t room = pickle->chunk_room ? 2 * pickle->chunk_room : 16;
        struct pickle_value **chunks = realloc(pickle->chunks, room * sizeof *chunks);
        if (!chunks)
            return NULL;
        memset(chunks + pickle->chunk_room, 0, (room - pickle->chunk_room) * sizeof *chunks);
        pickle->chunks = chunks;
        pickle->chunk_room = room;
    }
    if (!pickle->chunks[chunk] && !(pickle->chunks[chunk] = calloc(PICKLE_CHUNK, sizeof **pickle->chunks)))
        return NULL;
    struct pickle_value *value = &pickle->chunks[chunk][pickle->count++ % PICKLE_CHUNK];
    value->kind = kind;
    return value;
}

bool pickle_add_items(struct pickle_value *to, struct pickle_value *const *items, size_t count)
{
    size_t length = to->length + count;
    if (count == 0)
        return true;
    if (length > to->room) {
        size_t room = to->room ? 2 * length : length;
        struct pickle_value **grown = realloc(to->items, room * sizeof *grown);
        if (!grown)
            return false;
        to->items = grown;
        to->room = room;
    }
    memcpy(to->items + to->length, items, count * sizeof *items);
    to->length = length;
    return true;
}

void pickle_free(struct pickle *pickle)
{
    if (!pickle)
        return;
    for (size_t i = 0; i < pickle->count; i++)
        free(pickle->chunks[i / PICKLE_CHUNK][i % PICKLE_CHUNK].items);
    for (size_t i = 0; i < pickle->chunk_room; i++)
        free(pickle->chunks[i]);
    free(pickle->chunks);
    memory_free(pickle);
}

const struct pickle_value *pickle_root(const struct pickle *pickle)
{
    return pickle->root;
}

const struct pickle_value *pickle_at(const struct pickle *pickle, size_t index)
{
    return index < pickle->count ? &pickle->chunks[index / PICKLE_CHUNK][index % PICKLE_CHUNK] : NULL;
}

bool pickle_is_text(const struct pickle_value *value, const char *text)
{
    return value->kind == PICKLE_TEXT && value->length == strlen(text) && !memcmp(value->text, text, value->length);
}

bool pickle_is_global(const struct pickle_value *value, const char *module, const char *name)
{
    return value->kind == PICKLE_GLOBAL && pickle_is_text(value->items[0], module) &&
           pickle_is_text(value->items[1], name);
}

bool pickle_is_call(const struct pickle_value *value, const char *module, const char *name)
{
    return value->kind == PICKLE_CALL && pickle_is_global(value->items[0], module, name);
}

const struct pickle_value *pickle_get(const struct pickle_value *value, const char *key)
{
    if (value->kind != PICKLE_DICT)
        return NULL;
    for (size_t i = value->length; i >= 2; i -= 2)
        if (pickle_is_text(value->items[i - 2], key))
            return value->items[i - 1];
    return NULL;
}
