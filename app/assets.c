#include "app/assets.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool holds(const char *folder, const char *file)
{
    char probe[ASSETS_PATH + 64];
    snprintf(probe, sizeof probe, "%s/%s", folder, file);
    return access(probe, R_OK) == 0;
}

// One of two folders beside the program that runs or above it, that holds `file`.
static bool find_beside(char folder[ASSETS_PATH], const char *const names[2], const char *file)
{
    char program[ASSETS_PATH - 64];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n < 0 ? 0 : n] = '\0';
    for (int level = 0; level < 4; level++) { // build/trimscope, bin/trimscope, build/tests/world/test_world
        char *slash = strrchr(program, '/');
        if (!slash)
            break;
        *slash = '\0';
        for (int i = 0; i < 2; i++) {
            snprintf(folder, ASSETS_PATH, "%s/%s", program, names[i]);
            if (holds(folder, file))
                return true;
        }
    }
    return false;
}

bool assets_find(char folder[ASSETS_PATH], struct error *err)
{
    static const char file[] = "world/kinds.txt";
    if (find_beside(folder, (const char *const[]){"assets", "share/trimscope"}, file))
        return true;
    snprintf(folder, ASSETS_PATH, "%s", TRIMSCOPE_ASSETS);
    if (holds(folder, file))
        return true;
    snprintf(folder, ASSETS_PATH, "assets");
    return holds(folder, file) || error_set(err, ERROR_MACHINE,
                                            "the bundled files are neither beside the program nor in %s; "
                                            "install trimscope again or run it in its source folder",
                                            TRIMSCOPE_ASSETS);
}

bool assets_locale(char folder[ASSETS_PATH])
{
    static const char file[] = "zh_CN/LC_MESSAGES/trimscope.mo";
    if (find_beside(folder, (const char *const[]){"locale", "share/locale"}, file))
        return true;
    snprintf(folder, ASSETS_PATH, "%s", TRIMSCOPE_LOCALE);
    return holds(folder, file);
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

const char *assets_picture(const char *name, char path[ASSETS_PATH])
{
    struct error err;
    char folder[ASSETS_PATH];
    if (!*name || strchr(name, '/') || access(name, F_OK) == 0 || !assets_find(folder, &err))
        return name;
    int length = snprintf(path, ASSETS_PATH, "%s/pictures/%s", folder, name);
    return length < ASSETS_PATH && access(path, F_OK) == 0 ? path : name;
}
