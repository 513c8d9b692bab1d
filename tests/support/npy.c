#include "tests/support/npy.h"

#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_exactly(FILE *stream, void *to, size_t size, const char *path)
{
    if (fread(to, 1, size, stream) != size)
        fail_msg("%s ends too early", path);
}

struct npy npy_read(const char *path, const char *type)
{
    struct npy npy = {.elements = 1};
    unsigned char start[10];
    char header[4096] = "";
    FILE *stream = fopen(path, "rb");
    if (!stream)
        fail_msg("cannot open %s", path);
    read_exactly(stream, start, sizeof start, path);
    size_t length = start[8] | (size_t)start[9] << 8;
    if (memcmp(start, "\x93NUMPY\1", 7) != 0 || length >= sizeof header)
        fail_msg("%s is not a .npy file of version 1", path);
    read_exactly(stream, header, length, path);
    const char *descr = strstr(header, "'descr': '"), *shape = strstr(header, "'shape': (");
    if (!descr || !shape || strstr(header, "'fortran_order': True"))
        fail_msg("%s has an unexpected header: %s", path, header);
    sscanf(descr + strlen("'descr': '"), "%7[^']", npy.type);
    if (strcmp(npy.type, type) != 0)
        fail_msg("%s holds %s, expected %s", path, npy.type, type);
    char *at;
    for (shape += strlen("'shape': ("); *shape != ')' && npy.rank < 8; shape = at + strspn(at, ", ")) {
        npy.shape[npy.rank] = strtoul(shape, &at, 10);
        npy.elements *= npy.shape[npy.rank++];
    }
    size_t size = npy.elements * strtoul(npy.type + 2, NULL, 10);
    npy.data = malloc(size ? size : 1);
    assert_non_null(npy.data);
    read_exactly(stream, npy.data, size, path);
    fclose(stream);
    return npy;
}

void npy_release(struct npy *npy)
{
    free(npy->data);
    *npy = (struct npy){0};
}
