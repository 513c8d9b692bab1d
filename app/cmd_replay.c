// trimscope replay: a saved run on the screen, no model needed.
#include "app/commands.h"
#include "app/screen_options.h"
#include "app/screen_replay.h"

#include <stdio.h>

struct wish {
    const struct screen_settings *settings;
    const char *path;
};

static int show_replay(void *context)
{
    const struct wish *wish = context;
    struct screen_options options;
    struct error err = {0};
    struct replay replay;
    bool fine = screen_settings_apply(wish->settings, &options, &err) && replay_open(&replay, wish->path, &err);
    if (fine) {
        fine = screen_settings_show(wish->settings, &replay.backend, &options, &err);
        replay_close(&replay);
    }
    if (!fine)
        fprintf(stderr, "trimscope replay: %s\n", err.text);
    return fine ? 0 : (int)err.code;
}

int cmd_replay(int argc, char **argv)
{
    struct screen_settings settings = {0};
    const struct option_row rows[] = {OPTION_ROWS_SCREEN(settings), OPTION_ROW_END};
    const struct option_command command = {
        "replay", N_("replay TRACE.json [options]"),
        N_("Shows a run that `trimscope run PICTURE QUESTION --json` has saved, stage by stage. No model is needed; the "
        "picture is shown where it is found under the name in the trace, or beside the trace."),
        rows, 1, 1};
    const char *path;
    int count, status;
    if (!options_parse(&command, argc, argv, &path, &count, &status))
        return status;
    struct wish wish = {&settings, path};
    return screen_settings_run(&settings, path, show_replay, &wish);
}
