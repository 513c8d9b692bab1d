#include "app/screen_options.h"

#include "app/assets.h"
#include "app/recorder.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The command line decides before the environment; an empty variable says nothing. *origin names who was asked.
static const char *chosen(const char *given, const char *option, const char *variable, const char **origin)
{
    const char *value = given ? given : getenv(variable);
    *origin = given ? option : variable;
    return value && *value ? value : "auto";
}

bool screen_settings_apply(const struct screen_settings *settings, struct screen_options *options, struct error *err)
{
    const char *origin, *name = chosen(settings->graphics, "--graphics", "TRIMSCOPE_GRAPHICS", &origin);
    *options = screen_options_default();
    options->mouse = !settings->no_mouse;
    static char assets[ASSETS_PATH]; // for as long as the program runs
    options->assets = assets_find(assets, NULL) ? assets : NULL;
    if (settings->record && !strcmp(name, "auto"))
        name = "blocks";
    if (!graphics_parse(name, &options->graphics))
        return error_set(err, ERROR_USAGE, "%s is auto, sixel, blocks or ascii, not \"%s\"", origin, name);
    static const char *const themes[] = {"auto", "dark", "light"}; // enum screen_theme
    name = chosen(settings->theme, "--theme", "TRIMSCOPE_THEME", &origin);
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, themes[i])) {
            options->theme = (enum screen_theme)i;
            return true;
        }
    return error_set(err, ERROR_USAGE, "%s is auto, dark or light, not \"%s\"", origin, name);
}

int screen_settings_run(const struct screen_settings *settings, const char *title, int (*show)(void *context),
                        void *context)
{
    struct error err = {0};
    int status = 0;
    if (!settings->record)
        return show(context);
    if (recorder_run(settings->record, title, show, context, &status, &err)) {
        if (status == 0)
            fprintf(stderr, _("recorded: %s (asciinema play shows it)\n"), settings->record);
        return status;
    }
    fprintf(stderr, "trimscope: %s\n", err.text);
    return (int)err.code;
}
