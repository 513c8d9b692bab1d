// trimscope doctor: what this terminal and machine can do, for people and for bug reports.
#include "app/assets.h"
#include "app/commands.h"
#include "app/screen_options.h"
#include "engine/base/text.h"
#include "engine/base/thread.h"
#include "engine/base/version.h"
#include "engine/math/math.h"
#include "ui/measure.h"
#include "ui/terminal.h"
#include "ui/words.h"

#include <cblas.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NAME_COLUMNS = 20 };

static void row(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void row(const char *name, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_clean(text); // variables and paths are anybody's
    printf("  %s%*s %s\n", name, measure_pad(name, NAME_COLUMNS), "", text);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : _("not set");
}

static const char *color_name(enum block_colors colors)
{
    return colors == BLOCKS_TRUE  ? _("24-bit")
           : colors == BLOCKS_256 ? "256"
           : colors == BLOCKS_8   ? "8"
                                  : _("none");
}

static void tell_terminal(const struct terminal *terminal, const struct screen_options *options)
{
    struct winsize size = {0};
    bool there = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    puts(_("Terminal"));
    if (there)
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    else
        row(_("input and output"), _("no terminal: the screen cannot run here, `trimscope run` can"));
    row("TERM", "%s", environment("TERM"));
    row("COLORTERM", "%s", environment("COLORTERM"));
    row(_("answers"), terminal->answered ? _("yes, in %.1f ms") : _("no (waited %.0f ms)"), terminal->answer_ms);
    row(_("version"), "%s", terminal->version[0] ? terminal->version : _("not told (XTVERSION)"));
    row(_("attributes (DA1)"), "%s", terminal->attributes[0] ? terminal->attributes : _("none"));
    if (there)
        row(_("size"), _("%d x %d cells%s"), size.ws_col, size.ws_row,
            size.ws_col < 80 || size.ws_row < 24 ? _(" (the screen needs 80 x 24)") : "");
    row(_("cell"), _("%d x %d pixels, by %s"), terminal->cell_width, terminal->cell_height, terminal->cell_source);
    row("sixel", "%s", terminal->sixel ? _("yes (attribute 4)") : _("no (attribute 4 is missing)"));
    row(_("largest image"), _("%d x %d pixels%s"), terminal->most_width, terminal->most_height,
        terminal->most_known ? "" : _(", assumed"));
    row(_("colour registers"), terminal->registers > 0 ? "%d" : _("not told"), terminal->registers);
    row(_("delta frames"), "%s", terminal->deltas ? _("yes") : _("no: every frame is sent whole"));
    row(_("synchronized"), "%s", terminal->synchronized ? _("yes (mode 2026)") : _("no"));
    row(_("characters"), "%s", terminal->unicode ? "UTF-8" : _("not UTF-8: ASCII only"));
    row(_("text colours"), "%s", color_name(terminal->block_colors));
    if (terminal->has_background)
        row(_("background"), "#%02x%02x%02x", terminal->background[0], terminal->background[1], terminal->background[2]);
    else
        row(_("background"), _("not told: taken as dark, unless COLORFGBG says otherwise"));
    if (terminal->tmux)
        row("tmux", "%s",
            terminal_tmux_is_ascii() ? _("yes, for ASCII only: attach with `tmux -u`, or with LANG=C.UTF-8 set")
            : terminal->sixel        ? _("yes, with sixel")
                                     : _("yes, without sixel: pictures are drawn in blocks (pixels: tmux 3.4 or newer built "
                                         "with sixel, or outside of tmux)"));
    enum graphics graphics = terminal_graphics(terminal, options->graphics);
    row(_("graphics"), "%s, %s%s", graphics_name(graphics), _(graphics_help(graphics)),
        options->graphics == GRAPHICS_AUTO ? "" : _(" (asked for)"));
}

static void tell_overrides(void)
{
    puts(_("Overrides"));
    static const char *const names[] = {"TRIMSCOPE_GRAPHICS", "TRIMSCOPE_THEME", "NO_COLOR", "OPENBLAS_NUM_THREADS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        row(names[i], "%s", environment(names[i]));
}

static void tell_machine(void)
{
    puts(_("Machine"));
    row(_("processors"), _("%d for this process"), thread_processors());
    row(_("kernels"), "%s", math_variant());
    row("OpenBLAS", "%s", openblas_get_config());
    row(_("memory"), "%.1f GB", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE) / 1e9);
}

static void tell_assets(void)
{
    char folder[ASSETS_PATH], path[ASSETS_PATH + 32];
    struct error err;
    puts(_("Files"));
    if (!assets_find(folder, &err)) {
        row(_("assets"), "%s", err.text);
        return;
    }
    row(_("assets"), "%s", folder);
    static const char *const parts[] = {"world/", "model.safetensors", "pictures/", "trace.schema.json"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        row(parts[i], "%s", access(path, R_OK) == 0 ? _("found") : _("missing"));
    }
}

int cmd_doctor(int argc, char **argv)
{
    struct screen_settings settings = {0};
    struct screen_options options;
    const struct option_row rows[] = {OPTION_ROWS_SCREEN(settings), OPTION_ROW_END};
    const struct option_command command = {
        "doctor", N_("doctor [options]"),
        N_("Says what this terminal and machine can do and what the screen would choose; put it into bug reports."), rows,
        0, 0};
    struct error err = {0};
    int count, status;
    if (!options_parse(&command, argc, argv, NULL, &count, &status))
        return status;
    if (!screen_settings_apply(&settings, &options, &err)) {
        fprintf(stderr, "trimscope doctor: %s\n", err.text);
        return (int)err.code;
    }
    struct terminal terminal;
    terminal_query(&terminal, 2);
    printf("trimscope %s\n", version_text());
    tell_terminal(&terminal, &options);
    tell_overrides();
    tell_machine();
    tell_assets();
    return 0;
}
