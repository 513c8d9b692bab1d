// Files: bounded reads, read-only mappings, and writes that appear whole or not at all.
#ifndef TRIMSCOPE_BASE_FILE_H
#define TRIMSCOPE_BASE_FILE_H

#include "engine/base/error.h"

#include <stddef.h>
#include <stdio.h>

struct file_map {
    const unsigned char *data;
    size_t size;
};

// Maps a regular file for reading. An empty file is an error. Release with file_unmap().
bool file_map(struct file_map *map, const char *path, struct error *err);
void file_unmap(struct file_map *map);

// Reads a whole file of at most `limit` bytes; *data gets one extra 0 byte at its end. Release with memory_free().
bool file_read(const char *path, size_t limit, unsigned char **data, size_t *size, struct error *err);

// Writes to a temporary name beside `path`; file_writer_commit() flushes, syncs and renames it into place.
// After any failure call file_writer_abort(), which removes the temporary file; the old file is untouched. The writer
// itself stays where it is meanwhile: its stream refers to it, and keeps why the first write failed, so that who prints
// into it need not look. file_writer_give_up() is the abort after a failure: it puts the reason of a failed write in the
// place of what *err says of it, and returns false.
struct file_writer {
    FILE *stream;
    char *path, *temporary;
    int descriptor, why; // why: errno of the first write that failed, or 0
};
bool file_writer_open(struct file_writer *writer, const char *path, struct error *err);
bool file_writer_commit(struct file_writer *writer, struct error *err);
bool file_writer_give_up(struct file_writer *writer, struct error *err);
void file_writer_abort(struct file_writer *writer);

#endif
