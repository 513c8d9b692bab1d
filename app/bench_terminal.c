#include "app/bench_terminal.h"

#include "engine/base/thread.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CELL_WIDTH = 10, CELL_HEIGHT = 20 };

// What xterm 379 with sixel answers; sizes are those of 160 x 48 cells of 10 x 20 pixels, below its default limit.
static const struct {
    const char *question, *answer;
} dialogue[] = {
    {"\033[>q", "\033P>|XTerm(379)\033\\"},
    {"\033[16t", "\033[6;20;10t"},
    {"\033[14t", "\033[4;960;1600t"},
    {"\033[?1;1;0S", "\033[?1;0;1024S"},
    {"\033[?2;1;0S", "\033[?2;0;1000;960S"},
    {"\033[?2;4;0S", "\033[?2;0;1000;1000S"},
    {"\033[?2026$p", "\033[?2026;0$y"},
    {"\033]11;?\033", "\033]11;rgb:0000/0000/0000\033\\"},
    {"\033[c", "\033[?63;1;2;4;6;9;15;22;29c"},
    {"\033[5n", "\033[0n"},
};

static void become(const char *const argv[])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    setenv("TERM", "xterm-256color", 1);
    setenv("COLORTERM", "truecolor", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
    unsetenv("TMUX");
    execv(argv[0], (char *const *)(size_t)argv);
    _exit(127);
}

bool bench_terminal_start(struct bench_terminal *terminal, const char *const argv[], int rows, int columns,
                          struct error *err)
{
    struct winsize size = {.ws_row = (unsigned short)rows,
                           .ws_col = (unsigned short)columns,
                           .ws_xpixel = (unsigned short)(columns * CELL_WIDTH),
                           .ws_ypixel = (unsigned short)(rows * CELL_HEIGHT)};
    *terminal = (struct bench_terminal){.pid = -1, .master = -1};
    terminal->pid = forkpty(&terminal->master, NULL, NULL, &size);
    if (terminal->pid == 0)
        become(argv);
    return terminal->pid > 0 ||
           error_set(err, ERROR_MACHINE, "cannot open a pseudo-terminal: %s", strerror(errno));
}

static void answer(struct bench_terminal *terminal)
{
    for (size_t i = 0; i < sizeof dialogue / sizeof *dialogue; i++) {
        if ((size_t)terminal->length != strlen(dialogue[i].question) ||
            memcmp(terminal->sequence, dialogue[i].question, (size_t)terminal->length) != 0)
            continue;
        bench_terminal_type(terminal, dialogue[i].answer);
        if (i == sizeof dialogue / sizeof *dialogue - 1) {
            terminal->frames++;
            terminal->last_frame = terminal->last;
        }
    }
}

static void digest(struct bench_terminal *terminal, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool escape = bytes[i] == 033;
        // The question about the background ends with an ESC of its own.
        if (escape && !(terminal->length == 6 && !memcmp(terminal->sequence, "\033]11;?", 6)))
            terminal->length = 0;
        else if (terminal->length == 0 || terminal->length == BENCH_TERMINAL_SEQUENCE) {
            const char *next = memchr(bytes + i, 033, size - i); // images are long and hold none
            if (!next)
                return;
            i = (size_t)(next - bytes) - 1;
            terminal->length = 0;
            continue;
        }
        terminal->sequence[terminal->length++] = bytes[i];
        terminal->images += terminal->length == 2 && bytes[i] == 'P';
        answer(terminal);
    }
}

bool bench_terminal_take(struct bench_terminal *terminal, long bytes, long frames, double idle, double limit)
{
    char buffer[1 << 16];
    double start = clock_seconds();
    for (;;) {
        double now = clock_seconds(), wait = start + limit - now;
        bool enough = terminal->frames >= frames && terminal->bytes >= bytes;
        double since = terminal->last > start ? terminal->last : start;
        if (enough && since + idle - now < wait)
            wait = since + idle - now;
        if (wait <= 0)
            return true;
        struct pollfd fd = {.fd = terminal->master, .events = POLLIN};
        if (poll(&fd, 1, (int)(wait * 1000) + 1) <= 0)
            continue;
        ssize_t got = read(terminal->master, buffer, sizeof buffer);
        if (got <= 0)
            return got < 0 && errno == EINTR;
        terminal->last = clock_seconds();
        terminal->bytes += got;
        digest(terminal, buffer, (size_t)got);
    }
}

bool bench_terminal_type(struct bench_terminal *terminal, const char *keys)
{
    size_t size = strlen(keys);
    return write(terminal->master, keys, size) == (ssize_t)size;
}

double bench_terminal_cpu(const struct bench_terminal *terminal)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(terminal->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return (double)NAN;
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void bench_terminal_stop(struct bench_terminal *terminal)
{
    if (terminal->pid > 0) {
        kill(terminal->pid, SIGKILL);
        waitpid(terminal->pid, NULL, 0);
    }
    if (terminal->master >= 0)
        close(terminal->master);
    *terminal = (struct bench_terminal){.pid = -1, .master = -1};
}
