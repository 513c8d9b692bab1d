#include "app/scenes.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "ui/figure.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

// Whether a line is about this picture alone (any one, when NULL), or about these two.
static bool is_about(json_t *line, const char *picture, const char *second)
{
    json_t *named = json_object_get(line, "picture");
    if (!second)
        return json_is_string(named) && (!picture || !strcmp(json_string_value(named), picture));
    const char *names[2];
    return json_unpack(named, "[ss!]", &names[0], &names[1]) == 0 && !strcmp(names[0], picture) &&
           !strcmp(names[1], second);
}

// Reads the next line of the list that is about the picture (any, when NULL), or about it and a second one, into
// *choice; *text is behind it then.
static bool find_line(const char **text, const char *picture, const char *second, const char *folder,
                      struct scene_choice *choice)
{
    while (**text) {
        const char *line = *text;
        size_t length = strcspn(line, "\n");
        json_t *root = json_loadb(line, length, 0, NULL);
        const char *name = second ? picture : json_string_value(json_object_get(root, "picture"));
        const char *question = json_string_value(json_object_get(root, "question"));
        bool found = question && is_about(root, picture, second);
        if (found)
            found = (size_t)snprintf(choice->picture, sizeof choice->picture, "%s/%s", folder, name) <
                        sizeof choice->picture &&
                    (size_t)snprintf(choice->question, sizeof choice->question, "%s", question) < sizeof choice->question;
        json_decref(root);
        *text = line + length + (line[length] == '\n');
        if (found)
            return true;
    }
    return false;
}

enum { FOLDER = ASSETS_PATH + 16 };

struct list {
    char folder[FOLDER], path[ASSETS_PATH + 64];
    unsigned char *text;
};

// Of the bundled pictures.
static bool find_folder(char folder[FOLDER], struct error *err)
{
    char assets[ASSETS_PATH];
    if (!assets_find(assets, err))
        return false;
    snprintf(folder, FOLDER, "%s/pictures", assets);
    return true;
}

// The questions about single pictures, or the statements about two.
static bool read_list(struct list *list, bool two, struct error *err)
{
    size_t size;
    if (!find_folder(list->folder, err))
        return false;
    snprintf(list->path, sizeof list->path, "%s/%s.jsonl", list->folder, two ? "statements" : "questions");
    return file_read(list->path, 1 << 24, &list->text, &size, err);
}

static bool choose_bundled(struct scene_choice *choice, const char *picture, struct error *err)
{
    struct list list;
    if (!read_list(&list, false, err))
        return false;
    const char *at = (const char *)list.text;
    bool found = find_line(&at, picture, NULL, list.folder, choice);
    memory_free(list.text);
    return found || error_set(err, ERROR_INPUT, "%s names no such picture", list.path);
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

int scenes_questions(const char *path, const char *second, char out[][SCENES_QUESTION], int most)
{
    struct list list;
    struct scene_choice choice;
    struct error unlisted;
    char bundled[2][ASSETS_PATH];
    int count = 0;
    if (!read_list(&list, second != NULL, &unlisted))
        return 0;
    path = assets_picture(path, bundled[0]);
    second = second ? assets_picture(second, bundled[1]) : NULL;
    const char *at = (const char *)list.text;
    bool both = lies_in(path, list.folder) && (!second || lies_in(second, list.folder));
    while (both && count < most && find_line(&at, file_name(path), second ? file_name(second) : NULL, list.folder, &choice))
        memcpy(out[count++], choice.question, sizeof choice.question);
    memory_free(list.text);
    return count;
}

static bool is_bundled(const char *path)
{
    char folder[FOLDER], bundled[ASSETS_PATH];
    struct error unfound;
    return find_folder(folder, &unfound) && lies_in(assets_picture(path, bundled), folder);
}

bool scenes_question(const char *path, const char *second, char question[SCENES_QUESTION])
{
    if (scenes_questions(path, second, (char(*)[SCENES_QUESTION])question, 1) == 1)
        return true;
    if (second || !is_bundled(path))
        return false;
    snprintf(question, SCENES_QUESTION, "%s", figure_general_question(1, 0)); // a half of a pair
    return true;
}

static bool names_picture(const char *text)
{
    char bundled[ASSETS_PATH];
    struct stat status;
    return stat(assets_picture(text, bundled), &status) == 0;
}

bool scenes_choose(struct scene_choice *choice, const char *const arguments[], int count, struct error *err)
{
    bool two = count > 2 || (count == 2 && names_picture(arguments[1]));
    const char *picture = count > 0 ? arguments[0] : NULL, *second = two ? arguments[1] : "";
    const char *question = count > 1 + two ? arguments[1 + two] : NULL;
    *choice = (struct scene_choice){.unasked = !question};
    if (!picture && !choose_bundled(choice, NULL, err))
        return false;
    // Bundled pictures opened by their paths have questions of their own.
    if (picture && !question && !scenes_question(picture, two ? second : NULL, choice->question))
        question = figure_general_question(two ? 2 : 1, 0);
    if (picture && !put(choice->picture, sizeof choice->picture, picture, err))
        return false;
    return put(choice->second, sizeof choice->second, second, err) &&
           (!question || put(choice->question, sizeof choice->question, question, err));
}
