// trimscope replay: a saved run on the screen, no model needed.
#include "app/commands.h"
#include "app/screen_options.h"
#include "app/screen_replay.h"

#include <stdio.h>

int cmd_replay(int argc, char **argv)
{
    struct screen_settings settings = {0};
    struct screen_options options;
    const struct option_row rows[] = {OPTION_ROWS_SCREEN(settings), OPTION_ROW_END};
    const struct option_command command = {
        "replay", "replay TRACE.json [options]",
        "Shows a run that `trimscope run PICTURE QUESTION --json` has saved, stage by stage. No model is needed; the "
        "picture is shown where it is found under the name in the trace, or beside the trace.",
        rows, 1, 1};
    const char *path;
    struct error err = {0};
    struct replay replay;
    int count, status;
    if (!options_parse(&command, argc, argv, &path, &count, &status))
        return status;
    bool fine = screen_settings_apply(&settings, &options, &err) && replay_open(&replay, path, &err);
    if (fine) {
        fine = screen_run(&replay.backend, &options, &err);
        replay_close(&replay);
    }
    if (!fine)
        fprintf(stderr, "trimscope replay: %s\n", err.text);
    return fine ? 0 : (int)err.code;
}
