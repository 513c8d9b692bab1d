#include "app/screen_options.h"

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
