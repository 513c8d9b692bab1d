#include "ui/lesson_done.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STATE_BYTES = 16384 };

// The folder of the program's state; "": there is no home either.
static void state_folder(char *out, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    out[0] = 0;
    if (state && state[0] == '/') // the specification leaves out what is relative
        snprintf(out, size, "%s/trimscope", state);
    else if (home && *home)
        snprintf(out, size, "%s/.local/state/trimscope", home);
}

// Makes the folder and those above it.
static void make_folders(const char *folder)
{
    char part[TOUR_PATH];
    for (const char *slash = strchr(folder + 1, '/');; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", slash ? (int)(slash - folder) : (int)sizeof part - 1, folder);
        mkdir(part, 0700); // where it fails, writing says why
        if (!slash)
            return;
    }
}

void lesson_done_read(struct tour *tour)
{
    char path[TOUR_PATH - 16], file[TOUR_PATH];
    unsigned char *data;
    size_t size;
    state_folder(path, sizeof path);
    snprintf(file, sizeof file, "%s/lessons", path);
    memset(tour->done, 0, sizeof tour->done);
    if (!path[0] || !file_read(file, STATE_BYTES, &data, &size, NULL))
        return;
    for (char *rest = (char *)data, *line; (line = strsep(&rest, "\n"));)
        for (int i = 0; i < tour->count; i++)
            tour->done[i] |= !strcmp(line, tour->names[i]);
    memory_free(data);
}

bool lesson_done_write(const struct tour *tour, struct error *err)
{
    char path[TOUR_PATH - 16], file[TOUR_PATH];
    struct file_writer writer;
    state_folder(path, sizeof path);
    if (!path[0])
        return error_set(err, ERROR_INPUT,
                         "neither XDG_STATE_HOME nor HOME says where to remember what is done");
    make_folders(path);
    snprintf(file, sizeof file, "%s/lessons", path);
    if (!file_writer_open(&writer, file, err))
        return false;
    for (int i = 0; i < tour->count; i++)
        if (tour->done[i])
            fprintf(writer.stream, "%s\n", tour->names[i]);
    return file_writer_commit(&writer, err);
}
