// Keys, clicks, resizes and strange runs into the screen. The first bytes choose the run that the backend
// has, each pair after them is an event. Drawing goes to a pseudo-terminal that nobody looks at.
#include "tests/support/fake_backend.h"
#include "tests/support/sample_trace.h"
#include "ui/screen_state.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <pty.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int drained;
static struct terminal terminal;

static void *drain(void *unused)
{
    char bytes[65536];
    (void)unused;
    while (read(drained, bytes, sizeof bytes) > 0)
        continue;
    return NULL;
}

// The screen's terminal: a pty in the place of standard input and output, the old output kept for reports.
static void take_terminal(void)
{
    struct winsize size = {.ws_row = 30, .ws_col = 100};
    pthread_t thread;
    int slave;
    struct error err = {0};
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    if (openpty(&drained, &slave, NULL, NULL, &size) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0)
        abort();
    if (pthread_create(&thread, NULL, drain, NULL) != 0)
        abort();
    terminal_query(&terminal, 0.01); // nobody answers
    static const char answers[] = "\033P>|XTerm(379)\033\\\033[6;20;10t\033[?62;4;22c";
    terminal_parse(&terminal, answers, sizeof answers - 1, &(struct terminal_window){30, 100, 0, 0});
    if (!terminal_open(&terminal, &err)) {
        fprintf(stderr, "fuzz_keys: %s\n", err.text);
        abort();
    }
}

// ---- strange runs
// ---------------------------------------------------------------------------------------------

struct fuzz_backend {
    struct fake_backend fake;
    uint8_t shape[4];
};

static bool (*fake_poll)(void *context, struct backend_news *news);

static void bend(struct trace *trace, const uint8_t shape[4])
{
    static const int grids[][2] = {{12, 12}, {1, 1}, {3, 40}, {40, 2}, {36, 36}};
    const int *grid = grids[shape[0] % 5];
    trace->pictures[0].grid_rows = grid[0]; // more or fewer patches than the stages tell of
    trace->pictures[0].grid_columns = grid[1];
    if (shape[1] & 1) {
        trace->picture_count = 2;
        trace->pictures[1] = (struct trace_picture){.width = 10, .height = 10, .grid_rows = 1 + shape[1] % 9, .grid_columns = 1 + shape[1] % 14};
    }
    if (shape[1] & 2)
        trace->picture_count = 0;
    if (shape[1] & 4)
        trace_truncate(trace, shape[2] % SAMPLE_STAGES);
    if (shape[1] & 8)
        trace->token_count = trace->token_count > 0 ? shape[2] % trace->token_count : 0;
    if (shape[1] & 16) {
        free(trace->question);
        trace->question = NULL;
    }
    for (int s = 0; s < trace->stage_count; s++) {
        struct stage *stage = &trace->stages[s];
        if (shape[3] & 1)
            stage->heads[0][MODULE_MCA2].count = TRACE_HEADS;
        if (shape[3] & 2)
            stage->macs.dense = stage->macs.spent = (double)NAN;
        if (shape[3] & 4)
            memset(stage->name, 'x', sizeof stage->name - 1);
        if (shape[3] & 8)
            stage->answer_count = 0;
        for (int i = 0; shape[3] & 16 && i < stage->tokens[0].count; i++)
            stage->tokens[0].score[i] = i % 3 ? INFINITY : -INFINITY;
        for (int i = 0; shape[3] & 32 && i < stage->tokens[0].count; i++)
            stage->tokens[0].dropped_at[i] = 999;
        if (shape[3] & 64)
            stage->layer = 1000000;
    }
    if (shape[3] & 128)
        strcpy(trace->model_name, "\033[2J\x9b\xff bad name \xe2\x82");
}

static bool fuzz_poll(void *context, struct backend_news *news)
{
    struct fuzz_backend *fuzz = context;
    bool any = fake_poll(context, news);
    if (news->has_trace)
        bend(&news->trace, fuzz->shape);
    if (news->has_picture[0] && fuzz->shape[0] & 64) {
        news->pictures[0].width = 1 + fuzz->shape[0] % 3;
        news->pictures[0].height = 1;
    }
    return any;
}

// ---- events
// ---------------------------------------------------------------------------------------------------

static void event(struct screen *screen, uint8_t kind, uint8_t value)
{
    static const int codes[] = {
        KEY_UP,   KEY_DOWN,      KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END,   KEY_PPAGE,  KEY_NPAGE,
        KEY_BTAB, KEY_BACKSPACE, KEY_DC,   KEY_ENTER, KEY_F(1), KEY_SLEFT, KEY_SRIGHT, 599};
    static const wchar_t wide[] = {0xFC, 0x732B, 0x1F600, 0x301, 0x200B, 0x7F, 0x9B, 0xFFFD};
    if (kind < 150) {
        if (value != 26) // it would stop this process
            screen_key(screen, value, false);
    } else if (kind < 200) {
        screen_key(screen, (wint_t)codes[value % (sizeof codes / sizeof *codes)], true);
    } else if (kind < 210) {
        screen_key(screen, (wint_t)wide[value % 8], false);
    } else if (kind < 225) {
        MEVENT click = {
            .x = value % 110, .y = kind * 7 % 33, .bstate = value % 3 ? BUTTON1_PRESSED : BUTTON5_PRESSED};
        ungetmouse(&click);
        screen_key(screen, KEY_MOUSE, true);
    } else if (kind < 240) {
        resizeterm(kind == 225 ? 1 : 20 + value % 40, value == 0 ? 1 : 70 + value);
        screen->repaint = true;
    } else if (kind < 245) {
        screen->terminal.cell_width = 4 + value % 30;
        screen->terminal.cell_height = 6 + value % 40;
    } else if (kind < 250) {
        screen_step(screen, (int)value - 128);
    } else {
        screen_take_news(screen);
    }
}

// Two bytes are an event; now and then what came of them is drawn.
static void type_events(struct screen *screen, const uint8_t *data, size_t size)
{
    screen_take_news(screen);
    screen_draw(screen);
    for (size_t i = 0; i + 1 < size && !screen->quit; i += 2) {
        event(screen, data[i], data[i + 1]);
        if (i % 30 == 0) {
            screen_take_news(screen);
            screen_draw(screen);
        }
    }
    screen_draw(screen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) {
        take_terminal();
        ready = true;
    }
    if (size < 5 || size > 160)
        return 0;
    struct fuzz_backend fuzz;
    struct screen *screen = malloc(sizeof *screen);
    struct screen_options options = screen_options_default();
    if (!screen)
        abort();
    fake_backend_init(&fuzz.fake);
    memcpy(fuzz.shape, data, 4);
    fake_poll = fuzz.fake.backend.poll;
    fuzz.fake.backend.poll = fuzz_poll;
    fuzz.fake.stages_per_poll = data[4] % 4;
    // Sixel costs the most and has its own tests: seldom.
    options.graphics = data[4] / 4 % 8 == 0 ? GRAPHICS_SIXEL : data[4] & 4 ? GRAPHICS_BLOCKS : GRAPHICS_ASCII;
    options.theme = data[4] & 128 ? THEME_LIGHT : THEME_DARK;
    resizeterm(30, 100);
    if (screen_begin(screen, &fuzz.fake.backend, &options, &terminal))
        type_events(screen, data + 5, size - 5);
    screen_end(screen);
    free(screen);
    fake_backend_free(&fuzz.fake);
    return 0;
}
