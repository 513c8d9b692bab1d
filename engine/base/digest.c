#include "engine/base/digest.h"

#include "engine/base/file.h"

#include <stdio.h>

#define XXH_INLINE_ALL // the header alone: no library to load at the start
#include <xxhash.h>

void digest_bytes(char digest[DIGEST_SIZE], const void *bytes, size_t size)
{
    snprintf(digest, DIGEST_SIZE, "%016llx", (unsigned long long)XXH3_64bits(bytes, size));
}

bool digest_file(char digest[DIGEST_SIZE], const char *path, struct error *err)
{
    struct file_map map;
    if (!file_map(&map, path, err))
        return false;
    digest_bytes(digest, map.data, map.size);
    file_unmap(&map);
    return true;
}
