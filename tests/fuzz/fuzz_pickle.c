// Any bytes as a pickle: a sentence, or a tree whose values all can be looked at.
#include "engine/io/pickle.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void look(const struct pickle_value *value, const uint8_t *data, size_t size)
{
    if (value->kind == PICKLE_TEXT || value->kind == PICKLE_BYTES || value->kind == PICKLE_LARGE)
        check((const uint8_t *)value->text >= data && value->length <= size &&
              (const uint8_t *)value->text + value->length <= data + size);
    else
        for (size_t i = 0; i < value->length; i++)
            check(value->items[i]->kind <= PICKLE_PERSISTENT);
    if (value->kind == PICKLE_GLOBAL)
        check(value->length == 2 && value->items[0]->kind == PICKLE_TEXT && value->items[1]->kind == PICKLE_TEXT);
    if (value->kind == PICKLE_CALL)
        check(value->length == 2 && value->items[1]->kind == PICKLE_TUPLE);
    if (value->kind == PICKLE_DICT)
        check(value->length % 2 == 0);
    pickle_get(value, "state_dict");
    pickle_is_call(value, "torch._utils", "_rebuild_tensor_v2");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    size_t used = 0;
    struct pickle *pickle = pickle_read(data, size, &used, &err);
    check(used <= size);
    if (!pickle) {
        check(err.code == ERROR_INPUT && err.text[0]);
        return 0;
    }
    check(pickle_root(pickle) != NULL);
    const struct pickle_value *value;
    for (size_t i = 0; (value = pickle_at(pickle, i)); i++)
        look(value, data, size);
    pickle_free(pickle);
    return 0;
}
