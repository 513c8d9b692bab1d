#include "app/screen_options.h"

#include <stdlib.h>
#include <string.h>

static bool take_graphics(struct screen_options *options, const char *name, const char *origin, struct error *err)
{
    return graphics_parse(name, &options->graphics) ||
           error_set(err, ERROR_USAGE, "%s is auto, sixel, blocks or ascii, not \"%s\"", origin, name);
}

static bool take_theme(struct screen_options *options, const char *name, const char *origin, struct error *err)
{
    static const char *const names[] = {"auto", "dark", "light"}; // enum screen_theme
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            options->theme = (enum screen_theme)i;
            return true;
        }
    return error_set(err, ERROR_USAGE, "%s is auto, dark or light, not \"%s\"", origin, name);
}

bool screen_options_environment(struct screen_options *options, struct error *err)
{
    const char *graphics = getenv("TRIMSCOPE_GRAPHICS"), *theme = getenv("TRIMSCOPE_THEME");
    *options = screen_options_default();
    return (!graphics || !*graphics || take_graphics(options, graphics, "TRIMSCOPE_GRAPHICS", err)) &&
           (!theme || !*theme || take_theme(options, theme, "TRIMSCOPE_THEME", err));
}

bool screen_options_take(struct screen_options *options, int option, const char *argument, struct error *err)
{
    if (err)
        err->code = ERROR_NONE;
    if (option == OPTION_GRAPHICS)
        return take_graphics(options, argument, "--graphics", err);
    if (option == OPTION_THEME)
        return take_theme(options, argument, "--theme", err);
    if (option == OPTION_NO_MOUSE)
        options->mouse = false;
    return option == OPTION_NO_MOUSE;
}
