// trimscope [PICTURE [QUESTION]]: the screen on a live model.
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/scenes.h"
#include "app/session.h"
#include "engine/base/thread.h"
#include "ui/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct settings {
    const char *model, *graphics, *theme;
    enum policy policy;
    double budget;
    long threads;
    bool no_mouse;
};

static bool screen_settings(const struct settings *settings, struct screen_options *options, struct error *err)
{
    *options = screen_options_default();
    options->mouse = !settings->no_mouse;
    if (!graphics_parse(settings->graphics, &options->graphics))
        return error_set(err, ERROR_USAGE, "--graphics is sixel, blocks, ascii or auto, not \"%s\"", settings->graphics);
    static const char *const themes[] = {"auto", "dark", "light"};
    for (int t = 0; t < 3; t++)
        if (!strcmp(settings->theme, themes[t])) {
            options->theme = (enum screen_theme)t;
            return true;
        }
    return error_set(err, ERROR_USAGE, "--theme is auto, dark or light, not \"%s\"", settings->theme);
}

static bool show(const struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    struct screen_options options;
    struct scene_choice choice;
    char bundled[ASSETS_PATH];
    if (!screen_settings(settings, &options, err) ||
        !scenes_choose(&choice, count > 0 ? arguments[0] : NULL, count > 1 ? arguments[1] : NULL, err))
        return false;
    if (!settings->model && !assets_model(bundled, err))
        return false;
    struct session_options session_options = {
        .model = settings->model ? settings->model : bundled,
        .pictures = {choice.picture},
        .question = choice.question,
        .policy = settings->policy,
        .budget = settings->budget,
        .threads = (int)settings->threads,
    };
    struct session *session = session_new(&session_options, err);
    if (!session)
        return false;
    struct backend backend = session_backend(session);
    bool ok = screen_run(&backend, &options, err);
    session_free(session);
    return ok;
}

int cmd_screen(int argc, char **argv)
{
    struct settings settings = {.graphics = "auto", .theme = "auto", .policy = POLICY_LEARNED, .budget = (double)NAN,
                                .threads = thread_processors()};
    const struct option_row rows[] = {
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROW_POLICY(&settings.policy),
        OPTION_ROW_BUDGET(&settings.budget),
        {"graphics", OPTION_TEXT, &settings.graphics, "MODE", "sixel, blocks, ascii or auto (default auto: ask the terminal)",
         0, 0},
        {"theme", OPTION_TEXT, &settings.theme, "NAME", "dark, light or auto (default auto)", 0, 0},
        {"no-mouse", OPTION_FLAG, &settings.no_mouse, NULL, "leave the mouse to the terminal, for selecting text", 0, 0},
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROW_END};
    const struct option_command command = {
        "", "[PICTURE [QUESTION]] [options]",
        "Steps through a pruned run, layer by layer: which patches, words and heads the question keeps, what that "
        "costs, and what the model would answer now. What is left out comes bundled; ? explains the keys.",
        rows, 0, 2};
    const char *arguments[2];
    int count, status;
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    if (show(&settings, arguments, count, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope: %s\n", err.text);
    return (int)err.code;
}
