#include "tests/support/little_set.h"

#include "tests/support/cmocka_all.h"

#include "engine/io/picture.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <stdio.h>
#include <string.h>

void little_set_write(const struct little_set *make, const char **model, const char **set)
{
    static char text[65536];
    struct tiny_options tiny = tiny_everything();
    size_t used = 0;
    *model = tiny_write("model.safetensors", &tiny);
    for (int i = 0; i < make->pictures; i++) {
        char name[32];
        struct picture picture = tiny_picture((uint64_t)i);
        snprintf(name, sizeof name, "p%d.png", i);
        assert_true(picture_save_png(&picture, scratch_path(name), NULL));
        picture_free(&picture);
        for (int k = 0; k < make->each; k++)
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     "{\"picture\": \"%s\", \"question\": \"%s\", \"answer\": \"%s\", \"type\": \"%s\", "
                                     "\"needed\": [[16, 16, 44, 48]], \"others\": [[0, 48, 96, 96]]}\n",
                                     name, tiny_questions[k], k % 2 ? make->odd : make->even, k % 2 ? "odd" : "even");
        assert_true(used < sizeof text);
    }
    *set = scratch_write(make->name, text, used);
}
