#include "engine/world/picture_file.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { QUALITY = 92, BYTES_LIMIT = 1 << 20 };

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);
    return length > end && strcasecmp(path + length - end, ending) == 0 && path[length - end - 1] != '/';
}

bool picture_file_description(const char *picture, char out[PICTURE_FILE_PATH], struct error *err)
{
    size_t ending = ends_in(picture, ".jpg") ? 4 : ends_in(picture, ".jpeg") ? 5 : 0;
    if (!ending)
        return error_set(err, ERROR_USAGE, "\"%s\": the picture's name should end in .jpg", picture);
    const char *slash = strrchr(picture, '/');
    if (!text_is_utf8(slash ? slash + 1 : picture)) // which stands in the description
        return error_set(err, ERROR_USAGE, "\"%s\": the picture's name should be UTF-8", picture);
    if (strlen(picture) + 2 > PICTURE_FILE_PATH)
        return error_set(err, ERROR_USAGE, "the picture's name is too long");
    snprintf(out, PICTURE_FILE_PATH, "%.*s.json", (int)(strlen(picture) - ending), picture);
    return true;
}

bool picture_file_save_scene(const struct world *world, const struct compose_file *file, const char *path,
                             struct error *err)
{
    char description[PICTURE_FILE_PATH];
    const char *slash = strrchr(path, '/');
    if (!picture_file_description(path, description, err))
        return false;
    struct world_scene *scene = malloc(sizeof *scene);
    char *text = compose_to_json(world, file, slash ? slash + 1 : path);
    struct file_writer writer;
    bool ok = ((scene && text) || error_no_memory(err, "the scene")) && file_writer_open(&writer, description, err);
    if (ok) {
        compose_draw(world, &file->scene, scene);
        struct picture picture = {WORLD_SIDE, WORLD_SIDE, 3, scene->pixels};
        // The description is on the disk before the picture is in its place: on a full one neither is changed.
        ok = fprintf(writer.stream, "%s\n", text) > 0 && fflush(writer.stream) == 0 &&
             picture_save_jpeg(&picture, path, QUALITY, err);
        ok = ok ? file_writer_commit(&writer, err) : file_writer_give_up(&writer, err);
    }
    free(scene);
    free(text);
    return ok;
}

bool picture_file_load_scene(const struct world *world, const char *path, struct compose_file *file,
                             struct error *err)
{
    char description[PICTURE_FILE_PATH];
    unsigned char *text;
    size_t size;
    if (!ends_in(path, ".json")) {
        if (!picture_file_description(path, description, NULL))
            return error_set(err, ERROR_INPUT,
                             "%s is no scene: expected its description (.json) or the picture (.jpg) beside it", path);
        path = description;
    }
    if (!file_read(path, BYTES_LIMIT, &text, &size, err))
        return false;
    bool ok = compose_from_json(world, (char *)text, size, file, err) || error_prefix(err, "%s", path);
    memory_free(text);
    return ok;
}

bool picture_file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

bool picture_file_edit(const char *from, const struct edit *edits, int count, const char *to,
                       struct error *err)
{
    struct picture picture;
    bool png = ends_in(to, ".png");
    if (!png && !ends_in(to, ".jpg") && !ends_in(to, ".jpeg"))
        return error_set(err, ERROR_USAGE, "\"%s\": the copy's name should end in .jpg or .png", to);
    if (file_same(from, to))
        return error_set(err, ERROR_USAGE, "%s is the original: give the copy another name", to);
    if (!picture_load(&picture, from, (struct picture_reading){0}, NULL, err))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < count; i++)
        ok = edit_apply(&picture, &edits[i], err);
    if (ok)
        ok = png ? picture_save_png(&picture, to, err) : picture_save_jpeg(&picture, to, QUALITY, err);
    picture_free(&picture);
    return ok;
}
