// What pickle.c and pickle_tree.c share; nobody else includes it.
#ifndef TRIMSCOPE_IO_PICKLE_PRIVATE_H
#define TRIMSCOPE_IO_PICKLE_PRIVATE_H

#include "engine/io/pickle.h"

enum { PICKLE_CHUNK = 1024 };

struct pickle {
    struct pickle_value **chunks; // of PICKLE_CHUNK values each, so that values stay where they are
    size_t count, chunk_room;
    const struct pickle_value *root;
};

// A new value, NULL when there is no memory.
struct pickle_value *pickle_make(struct pickle *pickle, enum pickle_kind kind);
// Adds items (which may not lie in to->items). False when there is no memory.
bool pickle_add_items(struct pickle_value *to, struct pickle_value *const *items, size_t count);

#endif
