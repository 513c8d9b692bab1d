// Any bytes as a zip archive: a sentence, or entries that lie in it, each once and apart from the others.
#include "engine/io/zip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    size_t bytes = 0;
    struct zip *zip = zip_open(data, size, &err);
    check(zip || (err.code == ERROR_INPUT && err.text[0]));
    for (int i = 0; zip && i < zip_count(zip); i++) {
        const struct zip_entry *entry = zip_at(zip, i);
        check(entry->data >= data && entry->size <= size && entry->data + entry->size <= data + size);
        size_t head = entry->name_length / 2;
        check(zip_find(zip, entry->name, head, entry->name + head, entry->name_length - head) == entry);
        bytes += entry->size;
    }
    check(bytes <= size);
    zip_close(zip);
    return 0;
}
