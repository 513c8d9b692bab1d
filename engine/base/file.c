#define _GNU_SOURCE // fopencookie, O_TMPFILE
#include "engine/base/file.h"

#include "engine/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OWN_FILES "/proc/self/fd"

enum { SYNC_BYTES = 64 << 20, NAME_TRIES = 100 };

static enum error_code code_of_errno(void)
{
    return errno == ENOMEM || errno == ENOSPC || errno == EIO || errno == EDQUOT ? ERROR_MACHINE : ERROR_INPUT;
}

static int open_regular(const char *path, size_t *size, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (!*path) {
        error_set(err, ERROR_INPUT, "no file is named: the path is empty");
    } else if (fd < 0 || fstat(fd, &st) < 0) {
        error_set(err, code_of_errno(), "cannot open %s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        error_set(err, ERROR_INPUT, "%s is not a file but a %s", path,
                  S_ISDIR(st.st_mode) ? "folder" : "device or pipe");
    } else if (st.st_size == 0) {
        error_set(err, ERROR_INPUT, "%s is empty", path);
    } else {
        *size = (size_t)st.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

bool file_same(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool file_map(struct file_map *map, const char *path, struct error *err)
{
    *map = (struct file_map){0};
    size_t size;
    int fd = open_regular(path, &size, err);
    if (fd < 0)
        return false;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return error_set(err, code_of_errno(), "cannot map %s: %s", path, strerror(errno));
    *map = (struct file_map){data, size};
    return true;
}

void file_unmap(struct file_map *map)
{
    if (map->data)
        munmap((void *)(size_t)map->data, map->size);
    *map = (struct file_map){0};
}

void file_map_forget(const struct file_map *map, const void *data, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)data, start = (uintptr_t)map->data;
    if (!map->data || first < start || first >= start + map->size)
        return;
    uintptr_t from = (first + page - 1) / page * page, to = (first + size) / page * page;
    if (to > from)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

bool file_read(const char *path, size_t limit, unsigned char **data, size_t *size, struct error *err)
{
    struct file_map map;
    *data = NULL;
    if (!file_map(&map, path, err))
        return false;
    if (map.size > limit) {
        error_set(err, ERROR_INPUT, "%s has %zu bytes; the limit is %zu", path, map.size, limit);
    } else if (!(*data = memory_alloc(map.size + 1, 1))) {
        error_no_memory(err, path);
    } else {
        memcpy(*data, map.data, map.size);
        *size = map.size;
    }
    file_unmap(&map);
    return *data != NULL;
}

// What exists and is no file is not replaced: with the right to do so, renaming would put a file in the place of a device.
static bool may_replace(const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
        return true;
    return error_set(err, ERROR_INPUT, "cannot write %s: it is not a file but a %s", path,
                     S_ISDIR(st.st_mode) ? "folder" : "device or pipe");
}

// Of a large file the disk gets a piece at a time: kept for the commit, all of it would take that many seconds, in which
// nobody could stop it.
static bool sync_some(struct file_writer *writer, size_t written)
{
    writer->unsynced += written;
    if (writer->unsynced < SYNC_BYTES)
        return true;
    writer->unsynced = 0;
    return fdatasync(writer->descriptor) == 0;
}

// stdio forgets why a write failed as soon as the next one is tried.
static ssize_t write_some(void *cookie, const char *bytes, size_t size)
{
    struct file_writer *writer = cookie;
    size_t sent = 0;
    while (sent < size) {
        ssize_t done = write(writer->descriptor, bytes + sent, size - sent);
        if (done > 0) {
            sent += (size_t)done;
        } else if (done == 0 || errno != EINTR) {
            if (!writer->why)
                writer->why = done == 0 ? ENOSPC : errno;
            return 0; // what fopencookie() wants for an error
        }
    }
    if (!sync_some(writer, size)) {
        writer->why = writer->why ? writer->why : errno;
        return 0;
    }
    return (ssize_t)size;
}

static int close_descriptor(void *cookie)
{
    return close(((struct file_writer *)cookie)->descriptor);
}

// A file without a name in the folder of `path`, to be named through /proc. -1: there is no such thing here.
static int open_unnamed(char *path)
{
    char *slash = strrchr(path, '/');
    const char *folder = !slash ? "." : slash == path ? "/" : path;
    if (access(OWN_FILES, X_OK) != 0)
        return -1;
    if (slash && slash != path)
        *slash = '\0';
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (slash)
        *slash = '/';
    return fd;
}

static char *temporary_name(const char *path)
{
    size_t n = strlen(path) + sizeof ".XXXXXX";
    char *name = malloc(n);
    if (name)
        snprintf(name, n, "%s.XXXXXX", path);
    return name;
}

static int open_named(struct file_writer *writer)
{
    int fd = (writer->temporary = temporary_name(writer->path)) ? mkstemp(writer->temporary) : -1;
    if (fd >= 0) {
        // mkstemp makes the file private; give it the mode that open() would have given.
        mode_t mask = umask(0);
        umask(mask);
        fchmod(fd, 0666 & ~mask);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
}

bool file_writer_open(struct file_writer *writer, const char *path, struct error *err)
{
    *writer = (struct file_writer){0};
    if (!*path)
        return error_set(err, ERROR_INPUT, "no file is named: the path is empty");
    if (!may_replace(path, err))
        return false;
    writer->path = strdup(path);
    if (!writer->path)
        return error_no_memory(err, path);
    writer->descriptor = open_unnamed(writer->path);
    if (writer->descriptor < 0)
        writer->descriptor = open_named(writer);
    if (writer->descriptor >= 0)
        writer->stream = fopencookie(writer, "wb", (cookie_io_functions_t){.write = write_some, .close = close_descriptor});
    if (writer->stream)
        return true;
    error_set(err, code_of_errno(), "cannot write %s: %s", path, strerror(errno));
    if (writer->descriptor >= 0)
        close(writer->descriptor);
    file_writer_abort(writer);
    return false;
}

// Renaming replaces an older file, which linking cannot: the file needs a name for that moment.
static bool give_name(struct file_writer *writer)
{
    char own[64];
    snprintf(own, sizeof own, OWN_FILES "/%d", writer->descriptor);
    for (int try = 0; try < NAME_TRIES; try++) {
        char *name = temporary_name(writer->path);
        if (!name)
            return false;
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        snprintf(name + strlen(name) - 6, 7, "%06x", (unsigned)(now.tv_nsec ^ getpid() << 8) & 0xffffff);
        if (linkat(AT_FDCWD, own, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
            writer->temporary = name;
            return true;
        }
        bool taken = errno == EEXIST;
        free(name);
        if (!taken)
            return false;
    }
    return false;
}

bool file_writer_give_up(struct file_writer *writer, struct error *err)
{
    if (writer->why)
        error_set(err, ERROR_MACHINE, "cannot write %s: %s", writer->path, strerror(writer->why));
    file_writer_abort(writer);
    return false;
}

bool file_writer_commit(struct file_writer *writer, struct error *err)
{
    if (fflush(writer->stream) != 0 && !writer->why)
        writer->why = errno;
    if (!writer->why && fsync(writer->descriptor) != 0)
        writer->why = errno;
    if (!writer->why && !writer->temporary && !give_name(writer))
        writer->why = errno;
    if (fclose(writer->stream) != 0 && !writer->why)
        writer->why = errno;
    writer->stream = NULL;
    if (!writer->why && rename(writer->temporary, writer->path) != 0)
        writer->why = errno;
    if (writer->why)
        return file_writer_give_up(writer, err);
    free(writer->path);
    free(writer->temporary);
    *writer = (struct file_writer){0};
    return true;
}

void file_writer_abort(struct file_writer *writer)
{
    if (writer->stream)
        fclose(writer->stream);
    if (writer->temporary)
        unlink(writer->temporary);
    free(writer->path);
    free(writer->temporary);
    *writer = (struct file_writer){0};
}
