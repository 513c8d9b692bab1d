#include "app/screen_replay.h"

#include "app/assets.h"
#include "app/screen_picture.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRACE_BYTES = 1 << 28, PATH_BYTES = 4096 };

static bool replay_poll(void *context, struct backend_news *news)
{
    struct replay *replay = context;
    news->done = NAN;
    if (replay->told)
        return false;
    replay->told = true;
    news->has_trace = trace_copy(&news->trace, &replay->trace);
    if (!news->has_trace) {
        news->has_error = true;
        snprintf(news->error, sizeof news->error, "%s", _("no memory for the saved run"));
    }
    for (int p = 0; p < replay->trace.picture_count; p++) {
        news->has_picture[p] = true;
        news->pictures[p] = replay->pictures[p]; // the screen owns it now
        replay->pictures[p].rgb = NULL;
    }
    news->has_note = true;
    snprintf(news->note, sizeof news->note, "%s", replay->note);
    return true;
}

static void ignore(void *context)
{
    (void)context;
}

static void ignore_stage(void *context, int stage)
{
    (void)context, (void)stage;
}

// The file a picture was read from: as the trace writes it, else the same name beside the trace, or a bundled one's.
static bool find_picture(const char *written, const char *trace_path, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s", written);
    if (written[0] == '/' || access(out, R_OK) == 0)
        return access(out, R_OK) == 0;
    const char *slash = strrchr(trace_path, '/');
    int folder = slash ? (int)(slash - trace_path) + 1 : 0;
    snprintf(out, PATH_BYTES, "%.*s%s", folder, trace_path, written);
    if (access(out, R_OK) == 0)
        return true;
    const char *name = strrchr(written, '/');
    snprintf(out, PATH_BYTES, "%.*s%s", folder, trace_path, name ? name + 1 : written);
    if (access(out, R_OK) == 0)
        return true;
    char bundled[ASSETS_PATH];
    return snprintf(out, PATH_BYTES, "%s", assets_picture(written, bundled)) < PATH_BYTES && access(out, R_OK) == 0;
}

static void load_pictures(struct replay *replay, const char *trace_path)
{
    snprintf(replay->note, sizeof replay->note, "%s", _("A saved run: step through it; questions need the model."));
    for (int p = 0; p < replay->trace.picture_count; p++) {
        const struct trace_picture *picture = &replay->trace.pictures[p];
        const char *written = picture->path ? picture->path : "";
        char path[PATH_BYTES];
        struct error err = {0};
        if (!written[0] || !find_picture(written, trace_path, path))
            snprintf(replay->note, sizeof replay->note,
                     _("The picture %.120s was not found: a grey board stands for it."), written);
        else if (!screen_picture_load(&replay->pictures[p], path, picture, &err))
            snprintf(replay->note, sizeof replay->note, _("A grey board stands for the picture: %.180s"),
                     err.text);
    }
}

bool replay_open(struct replay *replay, const char *path, struct error *err)
{
    unsigned char *text;
    size_t size;
    *replay = (struct replay){0};
    if (!file_read(path, TRACE_BYTES, &text, &size, err))
        return false;
    bool read = trace_from_json(&replay->trace, (const char *)text, size, err);
    memory_free(text);
    if (!read)
        return error_prefix(err, "%s", path);
    if (replay->trace.stage_count == 0) {
        trace_free(&replay->trace);
        return error_set(err, ERROR_INPUT, "%s: this saved run has no stages to show", path);
    }
    load_pictures(replay, path);
    replay->backend = (struct backend){
        .context = replay, .wake_fd = -1, .poll = replay_poll, .want_stage = ignore_stage, .cancel = ignore};
    return true;
}

void replay_close(struct replay *replay)
{
    trace_free(&replay->trace);
    for (int p = 0; p < TRACE_PICTURES; p++)
        free(replay->pictures[p].rgb);
    *replay = (struct replay){0};
}
