#include "app/assets.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool holds_assets(const char *folder)
{
    char probe[ASSETS_PATH + 32];
    snprintf(probe, sizeof probe, "%s/world/kinds.txt", folder);
    return access(probe, R_OK) == 0;
}

bool assets_find(char folder[ASSETS_PATH], struct error *err)
{
    char program[ASSETS_PATH - 64];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n < 0 ? 0 : n] = '\0';
    for (int level = 0; level < 4; level++) { // build/trimscope, bin/trimscope, build/tests/world/test_world
        char *slash = strrchr(program, '/');
        if (!slash)
            break;
        *slash = '\0';
        snprintf(folder, ASSETS_PATH, "%s/assets", program);
        if (holds_assets(folder))
            return true;
        snprintf(folder, ASSETS_PATH, "%s/share/trimscope", program);
        if (holds_assets(folder))
            return true;
    }
    snprintf(folder, ASSETS_PATH, "%s", TRIMSCOPE_ASSETS);
    if (holds_assets(folder))
        return true;
    snprintf(folder, ASSETS_PATH, "assets");
    return holds_assets(folder) || error_set(err, ERROR_MACHINE,
                                             "the bundled files are neither beside the program nor in %s; "
                                             "install trimscope again or run it in its source folder",
                                             TRIMSCOPE_ASSETS);
}

bool assets_model(char path[ASSETS_PATH], struct error *err)
{
    static const char file[] = "/model.safetensors";
    if (!assets_find(path, err))
        return false;
    size_t length = strlen(path);
    if (length + sizeof file > ASSETS_PATH)
        return error_set(err, ERROR_INPUT, "the path of the assets folder is too long: %s", path);
    memcpy(path + length, file, sizeof file);
    return true;
}
