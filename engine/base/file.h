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
// Gives back the memory of the pages within `size` bytes from `data` on, which are read again when somebody looks. What does
// not lie in the map stays as it is.
void file_map_forget(const struct file_map *map, const void *data, size_t size);

// Whether both paths lead to one file that is there.
bool file_same(const char *one, const char *other);

// Reads a whole file of at most `limit` bytes; *data gets one extra 0 byte at its end. Release with memory_free().
bool file_read(const char *path, size_t limit, unsigned char **data, size_t *size, struct error *err);

// Writes a file that appears at `path` with file_writer_commit(), which flushes, syncs and renames it into place. Until
// then it has no name, so that nothing stays behind however the program ends; a temporary one beside `path` where the file
// system knows no files without. After any failure call file_writer_abort(); the old file is untouched. The writer
// itself stays where it is meanwhile: its stream refers to it, and keeps why the first write failed, so that who prints
// into it need not look. file_writer_give_up() is the abort after a failure: it puts the reason of a failed write in the
// place of what *err says of it, and returns false.
struct file_writer {
    FILE *stream;
    char *path, *temporary; // temporary NULL: the file has no name yet
    int descriptor, why;    // why: errno of the first write that failed, or 0
    size_t unsynced;        // bytes since the last sync
};
bool file_writer_open(struct file_writer *writer, const char *path, struct error *err);
bool file_writer_commit(struct file_writer *writer, struct error *err);
bool file_writer_give_up(struct file_writer *writer, struct error *err);
void file_writer_abort(struct file_writer *writer);

#endif
