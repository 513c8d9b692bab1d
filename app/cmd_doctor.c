// trimscope doctor: what this terminal and machine can do, for people and for bug reports.
#include "app/assets.h"
#include "app/commands.h"
#include "app/screen_options.h"
#include "engine/base/text.h"
#include "engine/base/thread.h"
#include "engine/math/math.h"
#include "ui/terminal.h"

#include <cblas.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void row(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void row(const char *name, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_clean(text); // variables and paths are anybody's
    printf("  %-20s %s\n", name, text);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : "not set";
}

static const char *color_name(enum block_colors colors)
{
    return colors == BLOCKS_TRUE  ? "24-bit"
           : colors == BLOCKS_256 ? "256"
           : colors == BLOCKS_8   ? "8"
                                  : "none";
}

static void tell_terminal(const struct terminal *terminal, const struct screen_options *options)
{
    struct winsize size = {0};
    bool there = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    puts("Terminal");
    if (there)
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    else
        row("input and output", "no terminal: the screen cannot run here, `trimscope run` can");
    row("TERM", "%s", environment("TERM"));
    row("COLORTERM", "%s", environment("COLORTERM"));
    row("answers", terminal->answered ? "yes, in %.1f ms" : "no (waited %.0f ms)", terminal->answer_ms);
    row("version", "%s", terminal->version[0] ? terminal->version : "not told (XTVERSION)");
    row("attributes (DA1)", "%s", terminal->attributes[0] ? terminal->attributes : "none");
    if (there)
        row("size", "%d x %d cells%s", size.ws_col, size.ws_row,
            size.ws_col < 80 || size.ws_row < 24 ? " (the screen needs 80 x 24)" : "");
    row("cell", "%d x %d pixels, by %s", terminal->cell_width, terminal->cell_height, terminal->cell_source);
    row("sixel", "%s", terminal->sixel ? "yes (attribute 4)" : "no (attribute 4 is missing)");
    row("largest image", "%d x %d pixels%s", terminal->most_width, terminal->most_height,
        terminal->most_known ? "" : ", assumed");
    row("colour registers", terminal->registers > 0 ? "%d" : "not told", terminal->registers);
    row("delta frames", "%s", terminal->deltas ? "yes" : "no: every frame is sent whole");
    row("synchronized", "%s", terminal->synchronized ? "yes (mode 2026)" : "no");
    row("characters", "%s", terminal->unicode ? "UTF-8" : "not UTF-8: ASCII only");
    row("text colours", "%s", color_name(terminal->block_colors));
    if (terminal->has_background)
        row("background", "#%02x%02x%02x", terminal->background[0], terminal->background[1], terminal->background[2]);
    else
        row("background", "not told: taken as dark, unless COLORFGBG says otherwise");
    if (terminal->tmux)
        row("tmux", "yes: pictures are drawn in blocks unless it says that it can do sixel");
    row("graphics", "%s%s", graphics_name(terminal_graphics(terminal, options->graphics)),
        options->graphics == GRAPHICS_AUTO ? "" : " (asked for)");
}

static void tell_overrides(void)
{
    puts("Overrides");
    static const char *const names[] = {"TRIMSCOPE_GRAPHICS", "TRIMSCOPE_THEME", "NO_COLOR", "OPENBLAS_NUM_THREADS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        row(names[i], "%s", environment(names[i]));
}

static void tell_machine(void)
{
    puts("Machine");
    row("processors", "%d for this process", thread_processors());
    row("kernels", "%s", math_variant());
    row("OpenBLAS", "%s", openblas_get_config());
    row("memory", "%.1f GB", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE) / 1e9);
}

static void tell_assets(void)
{
    char folder[ASSETS_PATH], path[ASSETS_PATH + 32];
    struct error err;
    puts("Files");
    if (!assets_find(folder, &err)) {
        row("assets", "%s", err.text);
        return;
    }
    row("assets", "%s", folder);
    static const char *const parts[] = {"world", "model.safetensors", "pictures", "trace.schema.json"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        row(parts[i], "%s", access(path, R_OK) == 0 ? "found" : "missing");
    }
}

int cmd_doctor(int argc, char **argv)
{
    struct screen_settings settings = {0};
    struct screen_options options;
    const struct option_row rows[] = {OPTION_ROWS_SCREEN(settings), OPTION_ROW_END};
    const struct option_command command = {
        "doctor", "doctor [options]",
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
    printf("trimscope %s\n", TRIMSCOPE_VERSION);
    tell_terminal(&terminal, &options);
    tell_overrides();
    tell_machine();
    tell_assets();
    return 0;
}
