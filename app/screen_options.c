#include "app/screen_options.h"

#include "app/assets.h"
#include "app/preferences.h"
#include "app/recorder.h"
#include "ui/plain.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The command line decides before the environment, and that before the configuration; an empty variable says nothing.
// *origin names who was asked.
static const char *chosen(const char *given, const char *option, const char *variable, enum config_option configured,
                          const char **origin)
{
    const char *value = given ? given : getenv(variable);
    *origin = given ? option : variable;
    return value && *value ? value : config_value(preferences(), configured);
}

bool screen_settings_apply(const struct screen_settings *settings, struct screen_options *options, struct error *err)
{
    const char *origin, *name = chosen(settings->graphics, "--graphics", "TRIMSCOPE_GRAPHICS", CONFIG_GRAPHICS, &origin);
    *options = screen_options_default();
    static char assets[ASSETS_PATH]; // for as long as the program runs
    options->assets = assets_find(assets, NULL) ? assets : NULL;
    options->mouse = !settings->no_mouse && !strcmp(config_value(preferences(), CONFIG_MOUSE), "on");
    options->play_seconds = config_number(preferences(), CONFIG_PLAY);
    options->config = preferences();
    preferences_fault(options->notice, sizeof options->notice);
    if (settings->record && !strcmp(name, "auto"))
        name = "blocks";
    if (!graphics_parse(name, &options->graphics))
        return error_set(err, ERROR_USAGE, "%s is auto, sixel, blocks or ascii, not \"%s\"", origin, name);
    name = chosen(settings->theme, "--theme", "TRIMSCOPE_THEME", CONFIG_THEME, &origin);
    return theme_parse(name, &options->theme) ||
           error_set(err, ERROR_USAGE, "%s is auto, dark, light, contrast or colorblind, not \"%s\"", origin, name);
}

bool screen_settings_possible(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

bool screen_settings_show(const struct screen_settings *settings, const struct backend *backend,
                          const struct screen_options *options, struct error *err)
{
    if (!settings->plain && screen_settings_possible())
        return screen_run(backend, options, err);
    if (!settings->plain)
        fputs(_("trimscope: there is no screen here, so everything is told line by line; help lists the commands\n"),
              stderr);
    terminal_locale();
    return plain_run(backend, stdin, stdout, isatty(STDIN_FILENO), err);
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
