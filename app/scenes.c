#include "app/scenes.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char general_question[] = "what can you see in the middle of the picture?";

static bool put(char *to, size_t size, const char *from, struct error *err)
{
    if ((size_t)snprintf(to, size, "%s", from) >= size)
        return error_set(err, ERROR_INPUT, "\"%.60s...\" is too long (%zu bytes at most)", from, size - 1);
    return true;
}

// The part of a path after the last '/'.
static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// Reads lines until one is about the picture (any, when NULL).
static bool find_line(const char *text, const char *picture, const char *folder, struct scene_choice *choice)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        json_t *root = json_loadb(line, length, 0, NULL);
        const char *name = json_string_value(json_object_get(root, "picture"));
        const char *question = json_string_value(json_object_get(root, "question"));
        bool found = name && question && (!picture || !strcmp(name, picture));
        if (found)
            found = (size_t)snprintf(choice->picture, sizeof choice->picture, "%s/%s", folder, name) <
                        sizeof choice->picture &&
                    (size_t)snprintf(choice->question, sizeof choice->question, "%s", question) < sizeof choice->question;
        json_decref(root);
        if (found)
            return true;
        line += length + (line[length] == '\n');
    }
    return false;
}

static bool choose_bundled(struct scene_choice *choice, const char *picture, struct error *err)
{
    char assets[ASSETS_PATH], folder[ASSETS_PATH + 16], list[ASSETS_PATH + 48];
    unsigned char *text;
    size_t size;
    if (!assets_find(assets, err))
        return false;
    snprintf(folder, sizeof folder, "%s/pictures", assets);
    snprintf(list, sizeof list, "%s/questions.jsonl", folder);
    if (!file_read(list, 1 << 24, &text, &size, err))
        return false;
    bool found = find_line((char *)text, picture, folder, choice);
    memory_free(text);
    return found || error_set(err, ERROR_INPUT, "%s names no such picture", list);
}

// Whether the file lies in the folder, whatever way the paths take.
static bool lies_in(const char *path, const char *folder)
{
    char parent[ASSETS_PATH + 4];
    struct stat one, two;
    const char *name = file_name(path);
    int length = (int)(name - path);
    if ((size_t)snprintf(parent, sizeof parent, "%.*s.", length, path) >= sizeof parent)
        return false;
    return stat(parent, &one) == 0 && stat(folder, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

bool scenes_question(const char *path, char question[SCENES_QUESTION])
{
    char assets[ASSETS_PATH], folder[ASSETS_PATH + 16];
    struct scene_choice choice;
    struct error unlisted;
    if (!assets_find(assets, &unlisted))
        return false;
    snprintf(folder, sizeof folder, "%s/pictures", assets);
    if (!lies_in(path, folder) || !choose_bundled(&choice, file_name(path), &unlisted))
        return false;
    memcpy(question, choice.question, sizeof choice.question);
    return true;
}

bool scenes_choose(struct scene_choice *choice, const char *picture, const char *question, struct error *err)
{
    *choice = (struct scene_choice){{0}, {0}};
    if (!picture && !choose_bundled(choice, NULL, err))
        return false;
    // A bundled picture opened by its path has questions of its own.
    if (picture && !question && !scenes_question(picture, choice->question))
        question = general_question;
    if (picture && !put(choice->picture, sizeof choice->picture, picture, err))
        return false;
    return !question || put(choice->question, sizeof choice->question, question, err);
}
