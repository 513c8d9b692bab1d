// Any bytes as a weights file: a sentence, or tensors that can be found and read to their last element.
#define _GNU_SOURCE // memfd_create

#include "engine/base/memory.h"
#include "engine/io/safetensors.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void use(const struct tensor_list *file)
{
    for (int i = 0; i < tensor_list_count(file); i++) {
        const struct tensor *tensor = tensor_list_at(file, i);
        check(tensor_list_find(file, tensor->name) == tensor);
        float *out = memory_alloc(tensor->elements, sizeof *out);
        check(out != NULL);
        tensor_floats(tensor, out);
        memory_free(out);
    }
    tensor_list_metadata(file, "config");
}

// The reader maps files, so the bytes become one that lives in memory only.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("fuzz", 0);
    check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct error err = {0};
    struct tensor_list *file = safetensors_open(path, &err);
    if (file)
        use(file);
    else
        check(err.code == ERROR_INPUT && err.text[0]);
    tensor_list_close(file);
    close(fd);
    return 0;
}
