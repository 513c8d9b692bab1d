// The screen on a made-up run, for looking at it without a model: screen_demo [sixel|blocks|ascii]
// [dark|light] [SLOW]
#include "tests/support/fake_backend.h"
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct fake_backend fake;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    fake_backend_init(&fake);
    if (argc > 1 && !graphics_parse(argv[1], &options.graphics))
        return ERROR_USAGE;
    if (argc > 2)
        options.theme = !strcmp(argv[2], "light")  ? THEME_LIGHT
                        : !strcmp(argv[2], "dark") ? THEME_DARK
                                                   : THEME_AUTO;
    if (argc > 3)
        fake.stages_per_poll = atoi(argv[3]);
    bool fine = screen_run(&fake.backend, &options, &err);
    fake_backend_free(&fake);
    if (!fine)
        fprintf(stderr, "screen_demo: %s\n", err.text);
    return fine ? 0 : (int)err.code;
}
