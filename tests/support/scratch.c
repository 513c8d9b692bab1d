#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    char folder[256];
    char **paths;
    size_t count;
    pid_t owner; // a forked child must not remove what its parent uses
} scratch;

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    if (getpid() != scratch.owner)
        return;
    nftw(scratch.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < scratch.count; i++)
        free(scratch.paths[i]);
    free(scratch.paths);
}

static void *must(void *pointer)
{
    if (!pointer) {
        perror("scratch");
        abort();
    }
    return pointer;
}

const char *scratch_path(const char *name)
{
    if (!scratch.folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(scratch.folder, sizeof scratch.folder, "%s/trimscope-test.XXXXXX", base ? base : P_tmpdir);
        must(mkdtemp(scratch.folder));
        scratch.owner = getpid();
        atexit(remove_folder);
    }
    size_t size = strlen(scratch.folder) + strlen(name) + 2;
    char *path = must(malloc(size));
    snprintf(path, size, "%s/%s", scratch.folder, name);
    scratch.paths = must(realloc(scratch.paths, (scratch.count + 1) * sizeof *scratch.paths));
    scratch.paths[scratch.count++] = path;
    return path;
}

const char *scratch_write(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch_path(name);
    FILE *stream = must(fopen(path, "wb"));
    if (fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0)
        must(NULL);
    return path;
}
