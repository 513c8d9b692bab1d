// The event loop: keys, news of the backend, signals and the clock; a frame whenever something changed and
// the terminal is done with the one before.
#include "ui/screen.h"

#include "engine/base/thread.h"
#include "ui/config.h"
#include "ui/screen_state.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

// How long the answer to a frame is waited for: some times what the last ones took, within these limits. On a slow line
// frames would queue up behind one another otherwise, and keys be answered long after.
static const double patience_least = 0.5, patience_first = 3, patience_most = 20, patience_times = 3;
static const double slow_answer = 3, busy_patience = 0.25, run_patience = 0.15, last_patience = 0.5;

struct screen_options screen_options_default(void)
{
    return (struct screen_options){.graphics = GRAPHICS_AUTO, .theme = THEME_AUTO, .mouse = true, .play_seconds = 0.8};
}

static bool background_is_dark(const struct terminal *terminal)
{
    if (terminal->has_background) {
        const unsigned char *c = terminal->background;
        return c[0] * 77 + c[1] * 150 + c[2] * 29 < 128 * 256;
    }
    const char *hint = getenv("COLORFGBG"), *last = hint ? strrchr(hint, ';') : NULL;
    return !last || atoi(last + 1) < 7 || atoi(last + 1) == 8;
}

void screen_choose_theme(struct screen *screen)
{
    unsigned char background[3];
    enum theme_kind kind = screen->theme_kind;
    screen->dark = kind == THEME_DARK || kind == THEME_CONTRAST ||
                   (kind != THEME_LIGHT && background_is_dark(&screen->terminal));
    memset(background, screen->dark ? 0 : 255, sizeof background);
    if (kind != THEME_CONTRAST && screen->terminal.has_background &&
        background_is_dark(&screen->terminal) == screen->dark)
        memcpy(background, screen->terminal.background, sizeof background);
    bool unicode = screen->terminal.unicode && screen->graphics != GRAPHICS_ASCII;
    bool own = screen->dark != background_is_dark(&screen->terminal) && screen->terminal.has_background;
    theme_init(&screen->theme, kind, screen->dark, own, screen->color, unicode, background,
               screen->config ? screen->config->colors : NULL);
    screen->theme_serial++;
    screen->repaint = screen->dirty = true;
}

bool screen_begin(struct screen *screen, const struct backend *backend, const struct screen_options *options,
                  const struct terminal *terminal)
{
    *screen = (struct screen){.backend = backend, .assets = options->assets, .mouse = options->mouse, .terminal = *terminal};
    screen->paced = terminal->answered;
    screen->view.abilities = backend->abilities;
    screen->view.model = backend->model;
    screen->view.assets = options->assets;
    screen->attention_of = FOCUS_WORDS;
    const char *no_color = getenv("NO_COLOR");
    screen->color = has_colors() && !(no_color && *no_color);
    if (screen->color) {
        start_color();
        use_default_colors();
    }
    screen->graphics = terminal_graphics(&screen->terminal, options->graphics);
    screen->theme_kind = options->theme;
    screen->play_seconds = options->play_seconds;
    screen->config = options->config;
    if (screen->config)
        config_apply_keys(screen->config);
    screen_choose_theme(screen);
    terminal_mouse(screen->mouse);
    if (options->question_first && backend->abilities & BACKEND_ASK)
        prompt_open(&screen->prompt, PROMPT_QUESTION, "");
    screen_place(screen);
    if (!page_push(screen, &page_stepper, NULL))
        return false;
    screen->lives_by_run = !options->page;
    if (options->page)
        page_push(screen, options->page, options->page_argument);
    screen->first_stage = options->stage;
    if (options->notice[0])
        view_say(&screen->view, true, "%s", options->notice);
    else if (!terminal->unicode && terminal->tmux && terminal_tmux_is_ascii())
        view_say(&screen->view, true, "%s", _("This tmux shows ASCII only: attach with `tmux -u`, or with LANG=C.UTF-8 set."));
    return true;
}

void screen_end(struct screen *screen)
{
    page_free_all(screen);
    export_finish(screen);
    compare_forget(screen);
    popup_close(&screen->popup);
    prompt_free(&screen->prompt);
    scene_free(&screen->scene);
    view_free(&screen->view);
    bytes_free(&screen->out);
}

// Goes to the stage that the person started with, once it is there.
static void go_to_first_stage(struct screen *screen)
{
    struct view *view = &screen->view;
    const char *wanted = screen->first_stage;
    int found = view_find_stage(&view->trace, wanted);
    bool complete = view->trace.stage_count >= view->trace.stage_total && view->trace.stage_total > 0;
    if (found >= 0)
        view->stage = found;
    else if (complete)
        view_say(view, true, _("There is no stage %s: it is a number from 1 to %d, or a name below the film strip."), wanted,
                 view->trace.stage_total);
    if (found >= 0 || complete)
        screen->first_stage = NULL;
}

void screen_take_news(struct screen *screen)
{
    struct backend_news news = {0};
    bool had = screen->view.has_trace;
    screen->backend->poll(screen->backend->context, &news);
    if (news.has_error && !had && !news.has_trace && screen->lives_by_run) {
        error_set(&screen->failure, ERROR_INPUT, "%s", news.error);
        screen->quit = true;
    }
    bool new_trace = news.has_trace, new_picture = news.has_picture[0] || news.has_picture[1];
    struct backend_job_news *jobs = news.jobs;
    news.jobs = NULL;
    screen->dirty |= view_take_news(&screen->view, &news);
    if (new_trace && screen->first_stage)
        go_to_first_stage(screen);
    // The whole run is wanted: the film strip shows all of it, and stepping never waits.
    if (new_trace && !screen->cancelled &&
        (screen->view.trace.stage_count < screen->view.trace.stage_total || !had))
        screen_want_run(screen);
    if (new_trace || new_picture)
        page_take_news(screen);
    page_take_jobs(screen, jobs);
    const struct trace *known = view_known(&screen->view);
    if (screen->awaits_run && known && known->stage_count >= known->stage_total)
        screen->awaits_run = false, screen->draw_at = 0;
}

void screen_await_run(struct screen *screen)
{
    if (!view_awaits(&screen->view))
        return;
    screen->awaits_run = screen->dirty = true;
    screen->draw_at = clock_seconds() + run_patience;
}

static void resize(struct screen *screen)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
    terminal_query_size(&screen->terminal, 0.5);
    terminal_give_back_typed(&screen->terminal);
    screen->frame_pending = false; // its answer may have been read among the others
    screen->repaint = screen->dirty = true;
}

// A terminal that has still to say that it drew the last frame would say so to the shell.
static void await_frame(struct screen *screen)
{
    double end = clock_seconds() + last_patience, left;
    while (screen->paced && screen->frame_pending && (left = end - clock_seconds()) > 0) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        poll(&input, 1, (int)(left * 1000) + 1);
        wint_t key;
        int kind;
        while (screen->frame_pending && (kind = get_wch(&key)) != ERR)
            screen->frame_pending = kind != KEY_CODE_YES || key != TERMINAL_FRAME_DONE;
        if (input.revents & (POLLHUP | POLLERR | POLLNVAL))
            return;
    }
}

static void take_signals(struct screen *screen)
{
    int signals = terminal_signals();
    if (signals & SIGNALLED_QUIT)
        screen->quit = true;
    if (signals & SIGNALLED_STOP) {
        await_frame(screen);
        terminal_suspend();
        signals |= terminal_signals();
        terminal_mouse(screen->mouse);
        resize(screen);
    }
    if (signals & SIGNALLED_CONTINUED) { // stopped without our knowledge: the shell has used the terminal
        reset_prog_mode();
        screen->repaint = screen->dirty = true;
    }
    if (signals & SIGNALLED_RESIZE)
        resize(screen);
}

// After Esc: an escape sequence that curses does not know is swallowed whole, so that its characters do
// nothing. Returns whether there was one.
static bool swallow_sequence(void)
{
    wint_t next;
    int kind = get_wch(&next);
    if (kind == ERR)
        return false;
    if (kind != OK || (next != '[' && next != 'O')) {
        if (kind == OK)
            unget_wch((wchar_t)next);
        else
            ungetch((int)next);
        return false;
    }
    while (get_wch(&next) == OK && !(next >= 0x40 && next <= 0x7E))
        continue;
    return true;
}

static double frame_patience(const struct screen *screen)
{
    double patience = patience_times * screen->answer_seconds;
    if (screen->answer_seconds <= 0)
        return patience_first;
    return patience < patience_least ? patience_least : patience < patience_most ? patience : patience_most;
}

// The terminal has drawn the frame. A line that takes seconds for it is told of once.
static void frame_is_done(struct screen *screen, double now)
{
    if (!screen->frame_pending)
        return; // of a frame that was given up
    screen->frame_pending = false;
    double seconds = now - screen->frame_sent, before = screen->answer_seconds;
    // Quick when it gets worse, slow when it gets better: small frames arrive soon on a slow line too.
    screen->answer_seconds = seconds > before ? seconds : 0.9 * before + 0.1 * seconds;
    if (seconds < slow_answer || screen->view.message[0] || screen->slow_told || screen->graphics != GRAPHICS_SIXEL)
        return;
    screen->slow_told = true;
    view_say(&screen->view, false, "%s", _("This line is slow: g draws in blocks, with far fewer bytes; ssh -C compresses them."));
    screen->dirty = true;
}

// An answer that does not come: the next frame goes out; from a terminal that has never given one, none is waited for.
static void give_frame_up(struct screen *screen)
{
    screen->frame_pending = false;
    screen->paced = screen->answer_seconds > 0;
}

// Reads all keys there are. False: the terminal is gone.
static bool take_keys(struct screen *screen, bool hung_up)
{
    wint_t key;
    int kind, count = 0;
    while (!screen->quit && (kind = get_wch(&key)) != ERR) {
        count++;
        if (kind == KEY_CODE_YES && key == TERMINAL_FRAME_DONE) {
            frame_is_done(screen, clock_seconds());
        } else if (kind == OK && key == 27 && swallow_sequence()) {
            continue;
        } else if (!(kind == KEY_CODE_YES && key == KEY_RESIZE)) { // resizes come as signals
            screen_key(screen, key, kind == KEY_CODE_YES);
            screen->dirty = true;
        }
    }
    return !(hung_up && count == 0);
}

static int milliseconds_until(double time, double now, int most)
{
    double left = (time - now) * 1000;
    return left <= 0 ? 0 : left < most ? (int)left + 1 : most;
}

static int wait_time(const struct screen *screen, double now)
{
    int wait = screen->backend->wake_fd < 0 ? 50 : 60000;
    if (screen->busy_since > 0 && !screen->view.busy_for_long)
        wait = milliseconds_until(screen->busy_since + busy_patience, now, wait);
    if (screen->exporting && wait > 30)
        wait = 30;
    if (screen->page_due > 0)
        wait = milliseconds_until(screen->page_due, now, wait);
    if (screen->dirty && now < screen->draw_at)
        wait = milliseconds_until(screen->draw_at, now, wait);
    else if (screen->dirty)
        wait = screen->frame_pending ? milliseconds_until(screen->frame_sent + frame_patience(screen), now, wait) : 0;
    return wait;
}

// Work that takes a moment is told; what is over in a blink would only flicker.
static void watch_work(struct screen *screen, double now)
{
    struct view *view = &screen->view;
    if (!view->busy)
        screen->busy_since = 0;
    else if (screen->busy_since <= 0)
        screen->busy_since = now;
    bool long_now = view->busy && now >= screen->busy_since + busy_patience;
    screen->dirty |= long_now != view->busy_for_long;
    view->busy_for_long = long_now;
}

static void screen_loop(struct screen *screen)
{
    while (!screen->quit) {
        struct pollfd fds[3] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = terminal_signal_fd(), .events = POLLIN},
                                {.fd = screen->backend->wake_fd, .events = POLLIN}};
        poll(fds, 3, wait_time(screen, clock_seconds()));
        take_signals(screen);
        if (!take_keys(screen, fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)))
            break;
        screen_take_news(screen);
        double now = clock_seconds();
        struct page *page = page_top(screen);
        screen->page_due = page->kind->tick ? page->kind->tick(page, now) : 0;
        watch_work(screen, now);
        export_watch(screen);
        if (screen->frame_pending && (!screen->paced || now > screen->frame_sent + frame_patience(screen)))
            give_frame_up(screen);
        if (screen->dirty && !screen->frame_pending && now >= screen->draw_at && !screen->quit)
            screen_draw(screen);
    }
}

bool screen_run(const struct backend *backend, const struct screen_options *options, struct error *err)
{
    struct terminal terminal;
    struct screen *screen = malloc(sizeof *screen);
    if (!screen)
        return error_no_memory(err, "the screen");
    terminal_query(&terminal, 2);
    bool opened = terminal_open(&terminal, err), begun = false;
    if (opened) {
        begun = screen_begin(screen, backend, options, &terminal);
        if (begun)
            screen_loop(screen);
        await_frame(screen);
        terminal_close();
        if (!begun)
            error_no_memory(err, "the screen");
        else if (screen->failure.code)
            *err = screen->failure, begun = false;
        screen_end(screen);
    }
    free(screen);
    int signal_number = opened && !options->outlives_signals ? terminal_quit_signal() : 0;
    if (signal_number) {
        struct sigaction fate = {.sa_handler = SIG_DFL};
        sigaction(signal_number, &fate, NULL);
        raise(signal_number);
    }
    return begun;
}
