// Any bytes as a scene's description: a sentence, or a scene that can be drawn, is written and read as the same again.
#include "engine/world/compose.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world *world;
    static struct compose_file file, again;
    static struct world_scene scene;
    struct error err = {0};
    if (!world)
        world = world_open("assets", &WORLD_DEFAULT, NULL);
    check(world != NULL);
    if (!compose_from_json(world, (const char *)data, size, &file, &err)) {
        check(err.code == ERROR_INPUT && err.text[0] && file.scene.count == 0);
        return 0;
    }
    compose_draw(world, &file.scene, &scene);
    char *text = compose_to_json(world, &file, "picture.jpg");
    check(text && compose_from_json(world, text, strlen(text), &again, &err));
    char *second = compose_to_json(world, &again, "picture.jpg");
    check(second && strcmp(text, second) == 0);
    free(text);
    free(second);
    return 0;
}
