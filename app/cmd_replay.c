// trimscope replay: a saved run on the screen, no model needed.
#include "app/commands.h"
#include "app/screen_options.h"
#include "app/screen_replay.h"

#include <getopt.h>
#include <stdio.h>

static void print_help(void)
{
    puts("usage: trimscope replay TRACE.json [OPTION ..]\n"
         "\n"
         "Shows a run that `trimscope run PICTURE QUESTION --json` has saved, stage by stage. No model is needed; "
         "the\n"
         "picture is shown where it is found under the name in the trace, or beside the trace.\n"
         "\n" SCREEN_OPTIONS_HELP "  -h, --help                           this help");
}

static int fail(const struct error *err)
{
    fprintf(stderr, "trimscope replay: %s\n", err->text);
    return (int)err->code;
}

int cmd_replay(int argc, char **argv)
{
    static const struct option known[] = {SCREEN_LONG_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct screen_options options;
    struct error err = {0};
    struct replay replay;
    if (!screen_options_environment(&options, &err))
        return fail(&err);
    optind = 0;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        if (c == 'h') {
            print_help();
            return 0;
        }
        if (!screen_options_take(&options, c, optarg, &err)) {
            if (!err.code)
                error_set(&err, ERROR_USAGE, "unknown or incomplete option %s; see trimscope replay --help", argv[optind - 1]);
            return fail(&err);
        }
    }
    if (optind != argc - 1) {
        error_set(&err, ERROR_USAGE, "one trace file is needed; see trimscope replay --help");
        return fail(&err);
    }
    if (!replay_open(&replay, argv[optind], &err))
        return fail(&err);
    bool fine = screen_run(&replay.backend, &options, &err);
    replay_close(&replay);
    return fine ? 0 : fail(&err);
}
