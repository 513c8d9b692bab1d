// Reads the .npy files of the fixtures: C order, little-endian. Any surprise ends the test program.
#ifndef TRIMSCOPE_TESTS_SUPPORT_NPY_H
#define TRIMSCOPE_TESTS_SUPPORT_NPY_H

#include <stddef.h>

struct npy {
    char type[8]; // "<f4", "|u1" …
    int rank;
    size_t shape[8], elements;
    void *data;
};

struct npy npy_read(const char *path, const char *type);
void npy_release(struct npy *npy);

#endif
