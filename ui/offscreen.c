#include "ui/offscreen.h"

#include "ui/screen_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A backend that has everything already and does nothing. It claims what the real one can do, so that the footer is the
// screen's own.
struct still {
    const struct trace *trace;
    const struct backend_picture *pictures;
    bool told;
};

static bool still_poll(void *context, struct backend_news *news)
{
    struct still *still = context;
    news->done = NAN;
    if (still->told)
        return false;
    still->told = true;
    news->has_trace = trace_copy(&news->trace, still->trace);
    for (int p = 0; p < still->trace->picture_count; p++)
        news->has_picture[p] = still->pictures[p].rgb && backend_picture_copy(&news->pictures[p], &still->pictures[p]);
    return true;
}

static void still_want_stage(void *context, int stage)
{
    (void)context, (void)stage;
}

static void still_cancel(void *context)
{
    (void)context;
}

bool offscreen_fits(int columns, int rows)
{
    return columns >= LAYOUT_LEAST_COLUMNS && columns <= OFFSCREEN_MOST_COLUMNS && rows >= LAYOUT_LEAST_ROWS &&
           rows <= OFFSCREEN_MOST_ROWS;
}

static struct terminal drawn_terminal(const struct offscreen_options *options)
{
    return (struct terminal){.answered = true,
                             .sixel = true,
                             .cell_width = 10,
                             .cell_height = 20,
                             .most_width = OFFSCREEN_MOST_COLUMNS * 10,
                             .most_height = OFFSCREEN_MOST_ROWS * 20,
                             .registers = 256,
                             .block_colors = BLOCKS_TRUE,
                             .unicode = options->graphics != GRAPHICS_ASCII,
                             .has_background = true,
                             .background = {options->dark ? 16 : 255, options->dark ? 16 : 255,
                                            options->dark ? 20 : 255}};
}

static bool draw(struct frame *frame, const struct backend *backend, const struct offscreen_options *options,
                 struct error *err)
{
    struct screen *screen = malloc(sizeof *screen);
    struct terminal terminal = drawn_terminal(options);
    struct screen_options screen_options = screen_options_default();
    if (!screen)
        return error_no_memory(err, "the frame");
    screen_options.graphics = options->graphics;
    screen_options.theme = options->dark ? THEME_DARK : THEME_LIGHT;
    screen_options.mouse = false;
    bool ok = screen_begin(screen, backend, &screen_options, &terminal);
    if (ok) {
        screen_take_news(screen);
        screen->view.stage = options->stage;
        screen->view.show = options->show;
        ok = screen->view.has_trace && screen_take_frame(screen, false, frame);
    }
    screen_end(screen);
    free(screen);
    return ok || error_no_memory(err, "the frame");
}

bool offscreen_frame(struct frame *frame, const struct trace *trace, const struct backend_picture *pictures,
                     const struct offscreen_options *options, struct error *err)
{
    struct still still = {.trace = trace, .pictures = pictures};
    struct backend backend = {.context = &still,
                              .wake_fd = -1,
                              .abilities = BACKEND_ASK | BACKEND_OPEN | BACKEND_POLICY | BACKEND_INTERVENE |
                                           BACKEND_ATTENTION | BACKEND_COMPLETE,
                              .poll = still_poll,
                              .want_stage = still_want_stage,
                              .cancel = still_cancel};
    *frame = (struct frame){0};
    terminal_locale();
    FILE *nowhere = fopen("/dev/null", "r+");
    if (!nowhere)
        return error_set(err, ERROR_MACHINE, "/dev/null cannot be opened: no frame can be drawn");
    SCREEN *window = newterm("xterm-256color", nowhere, nowhere);
    bool ok = window != NULL;
    if (ok) {
        resizeterm(options->rows, options->columns);
        ok = draw(frame, &backend, options, err);
        endwin();
        delscreen(window);
    } else {
        error_set(err, ERROR_MACHINE, "this system does not know the terminal xterm-256color (package ncurses-base)");
    }
    fclose(nowhere);
    return ok;
}
