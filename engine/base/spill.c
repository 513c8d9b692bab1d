#define _GNU_SOURCE // O_TMPFILE
#include "engine/base/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATH = 512 };

static int open_nameless(const char *folder)
{
    char name[PATH];
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (size_t)snprintf(name, sizeof name, "%s/trimscope-XXXXXX", folder) >= sizeof name)
        return file;
    file = mkostemp(name, O_CLOEXEC); // a file system that knows no files without a name
    if (file >= 0)
        unlink(name);
    return file;
}

static bool spill_open(struct spill *spill, size_t most, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    folder = folder && *folder ? folder : "/tmp";
    int file = open_nameless(folder);
    if (file < 0)
        return error_set(err, ERROR_MACHINE, "cannot make a temporary file in %s: %s", folder, strerror(errno));
    void *data = ftruncate(file, (off_t)most) == 0 ? mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (data == MAP_FAILED) {
        error_set(err, ERROR_MACHINE, "a temporary file in %s cannot be used: %s", folder, strerror(errno));
        close(file);
        return false;
    }
    *spill = (struct spill){{data, most}, file, 0};
    return true;
}

void *spill_take(struct spill *spill, size_t bytes, size_t most, struct error *err)
{
    if (!spill->map.data && !spill_open(spill, most, err))
        return NULL;
    size_t from = spill->used;
    if (bytes > spill->map.size - from) {
        error_set(err, ERROR_MACHINE, "the temporary file is full");
        return NULL;
    }
    // Without this a full disk would show as a signal in the middle of writing.
    int full = bytes ? posix_fallocate(spill->file, (off_t)from, (off_t)bytes) : 0;
    if (full) {
        error_set(err, ERROR_MACHINE, "no room for %zu bytes in a temporary file ($TMPDIR names its folder): %s", bytes,
                  strerror(full));
        return NULL;
    }
    spill->used = from + bytes;
    return (unsigned char *)(size_t)spill->map.data + from;
}

void spill_settle(const struct spill *spill, const void *data, size_t bytes)
{
    file_map_forget(&spill->map, data, bytes);
}

void spill_close(struct spill *spill)
{
    if (spill->map.data)
        close(spill->file);
    file_unmap(&spill->map);
}
