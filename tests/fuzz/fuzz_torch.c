// Any bytes as a checkpoint, of any kind: a sentence, or tensors that can be read to their last element.
#include "engine/base/memory.h"
#include "engine/io/torch.h"
#include "tests/support/memory_file.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void use(const struct tensor_list *list, size_t file_size)
{
    for (int i = 0; i < tensor_list_count(list); i++) {
        const struct tensor *tensor = tensor_list_at(list, i);
        check(tensor_list_find(list, tensor->name) == tensor);
        check(tensor_bytes(tensor) <= file_size);
        float *out = memory_alloc(tensor->elements, sizeof *out);
        check(out != NULL);
        tensor_floats(tensor, out);
        memory_free(out);
        tensor_list_forget(list, tensor);
    }
    tensor_list_metadata(list, "calls");
}

// The readers map files, so the bytes become one that lives in memory only.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct tensor_list *list = weights_open(memory_file(data, size), &err);
    if (list)
        use(list, size);
    else
        check(err.code == ERROR_INPUT && err.text[0]);
    tensor_list_close(list);
    return 0;
}
