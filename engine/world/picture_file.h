// Writing pictures that a person asked for: composed scenes with their description beside them, edited
// copies.
#ifndef TRIMSCOPE_WORLD_PICTURE_FILE_H
#define TRIMSCOPE_WORLD_PICTURE_FILE_H

#include "engine/io/edit.h"
#include "engine/world/compose.h"

enum { PICTURE_FILE_PATH = 4096, PICTURE_FILE_EDITS = 64 };

// Where the description of a scene's picture lies: PICTURE.json instead of .jpg or .jpeg. A name that ends in
// neither is an ERROR_USAGE.
bool picture_file_description(const char *picture, char out[PICTURE_FILE_PATH], struct error *err);

// Draws the scene to a JPEG and writes the description beside it; each whole or not at all, the picture
// first.
bool picture_file_save_scene(const struct world *world, const struct compose_file *file, const char *path,
                             struct error *err);

// Reads a description; `path` may name it or the picture beside it.
bool picture_file_load_scene(const struct world *world, const char *path, struct compose_file *file,
                             struct error *err);

bool picture_file_exists(const char *path);

// Opens the picture whole, applies the changes (in its own pixels, upright) in order and writes it as JPEG or
// PNG, by the name. `to` must not be `from`.
bool picture_file_edit(const char *from, const struct edit *edits, int count, const char *to,
                       struct error *err);

#endif
