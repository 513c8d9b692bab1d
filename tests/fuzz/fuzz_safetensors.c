// Any bytes as a weights file: a sentence, or tensors that can be found and read to their last element.
#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "tests/support/memory_file.h"

#include <stdint.h>
#include <stdlib.h>

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
    struct error err = {0};
    struct tensor_list *file = safetensors_open(memory_file(data, size), &err);
    if (file)
        use(file);
    else
        check(err.code == ERROR_INPUT && err.text[0]);
    tensor_list_close(file);
    return 0;
}
