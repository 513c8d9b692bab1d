#include "app/recorder.h"

#include "engine/base/file.h"
#include "engine/base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct recorder {
    struct cast cast;
    double start;
    int master;
    int done[2], leave[2]; // pipes: the program has ended; it may go
    pid_t child;
    bool input_open;
};

static int signal_pipe[2];

static void on_signal(int number)
{
    int kept = errno;
    char byte = (char)number;
    if (write(signal_pipe[1], &byte, 1) < 0) {
        // A full pipe wakes the loop as well.
    }
    errno = kept;
}

static void catch_signals(void)
{
    static const int caught[] = {SIGWINCH, SIGHUP, SIGTERM, SIGINT, SIGQUIT};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        sigaction(caught[i], &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTTOU, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done > 0) {
            bytes += done;
            size -= (size_t)done;
        } else if (done < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            poll(&ready, 1, 1000);
        } else if (done < 0 && errno != EINTR) {
            return false;
        }
    }
    return true;
}

static double now(const struct recorder *recorder)
{
    return clock_seconds() - recorder->start;
}

static void take_signals(struct recorder *recorder)
{
    char numbers[32];
    ssize_t count = read(signal_pipe[0], numbers, sizeof numbers);
    for (ssize_t i = 0; i < count; i++) {
        struct winsize size;
        if (numbers[i] != SIGWINCH) {
            kill(recorder->child, numbers[i]);
        } else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
            ioctl(recorder->master, TIOCSWINSZ, &size); // the child gets its SIGWINCH from this
            cast_resize(&recorder->cast, now(recorder), size.ws_col, size.ws_row);
        }
    }
}

// What the program writes, to the terminal and into the recording. False: it has ended.
static bool take_output(struct recorder *recorder)
{
    char bytes[16384];
    ssize_t got = read(recorder->master, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got <= 0)
        return false;
    cast_add(&recorder->cast, now(recorder), bytes, (size_t)got);
    if (!write_all(STDOUT_FILENO, bytes, (size_t)got))
        kill(recorder->child, SIGHUP); // the terminal is gone
    return true;
}

static void take_input(struct recorder *recorder)
{
    char bytes[4096];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got > 0)
        write_all(recorder->master, bytes, (size_t)got);
    else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        recorder->input_open = false;
        kill(recorder->child, SIGHUP);
    }
}

// The program has written its last and waits: when it goes, the kernel hangs its terminal up and throws away what has
// not been read.
static bool take_rest(struct recorder *recorder)
{
    struct pollfd output = {.fd = recorder->master, .events = POLLIN};
    bool running = true;
    while (running && poll(&output, 1, 100) > 0)
        running = take_output(recorder);
    close(recorder->done[0]);
    close(recorder->leave[1]);
    recorder->done[0] = recorder->leave[1] = -1;
    return running;
}

static void pass_through(struct recorder *recorder)
{
    for (bool running = true; running;) {
        struct pollfd fds[4] = {{.fd = recorder->master, .events = POLLIN},
                                {.fd = signal_pipe[0], .events = POLLIN},
                                {.fd = recorder->input_open ? STDIN_FILENO : -1, .events = POLLIN},
                                {.fd = recorder->done[0], .events = POLLIN}};
        if (poll(fds, 4, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents)
            take_signals(recorder);
        if (fds[2].revents)
            take_input(recorder);
        if (fds[0].revents)
            running = take_output(recorder);
        if (running && fds[3].revents)
            running = take_rest(recorder);
    }
}

static int wait_status(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The child's side: its terminal is the new one.
static void run_inside(struct recorder *recorder, int tty, int (*inside)(void *context), void *context)
{
    close(recorder->master);
    close(recorder->done[0]);
    close(recorder->leave[1]);
    close(signal_pipe[0]);
    close(signal_pipe[1]);
    setsid();
    ioctl(tty, TIOCSCTTY, 0);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fd != STDERR_FILENO || isatty(fd)) // messages that go to a file keep going there
            dup2(tty, fd);
    if (tty > STDERR_FILENO)
        close(tty);
    int status = inside(context);
    char byte;
    fflush(stdout);
    close(recorder->done[1]);
    while (read(recorder->leave[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    exit(status);
}

static bool open_pipes(struct recorder *recorder)
{
    int *pipes[] = {signal_pipe, recorder->done, recorder->leave};
    for (int p = 0; p < 3; p++) {
        if (pipe(pipes[p]) < 0)
            return false;
        for (int i = 0; i < 2; i++)
            fcntl(pipes[p][i], F_SETFD, FD_CLOEXEC);
    }
    fcntl(signal_pipe[0], F_SETFL, O_NONBLOCK);
    fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
    return true;
}

static bool record(struct recorder *recorder, const struct termios *before, int tty, int (*inside)(void *context),
                   void *context, int *status, struct error *err)
{
    fflush(stdout);
    recorder->child = fork();
    if (recorder->child < 0) {
        close(tty);
        return error_set(err, ERROR_MACHINE, "cannot start a process to be recorded: %s", strerror(errno));
    }
    if (recorder->child == 0)
        run_inside(recorder, tty, inside, context);
    close(tty);
    close(recorder->done[1]);
    close(recorder->leave[0]);
    catch_signals();
    struct termios raw = *before;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    pass_through(recorder);
    tcsetattr(STDIN_FILENO, TCSADRAIN, before);
    *status = wait_status(recorder->child);
    cast_end(&recorder->cast, now(recorder));
    return true;
}

bool recorder_run(const char *path, const char *title, int (*inside)(void *context), void *context, int *status,
                  struct error *err)
{
    struct recorder recorder = {.input_open = true, .start = clock_seconds()};
    struct termios before;
    struct winsize size;
    struct file_writer file;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0 ||
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return error_set(err, ERROR_USAGE, "a recording needs a terminal for input and output");
    if (!file_writer_open(&file, path, err)) // before anything runs: an unwritable place is told at once
        return false;
    int tty;
    bool ok = open_pipes(&recorder) && openpty(&recorder.master, &tty, NULL, &before, &size) == 0;
    if (!ok) {
        file_writer_abort(&file);
        return error_set(err, ERROR_MACHINE, "cannot make a terminal to record: %s", strerror(errno));
    }
    cast_begin(&recorder.cast, file.stream, size.ws_col, size.ws_row, title);
    fflush(file.stream); // or the child would write it, too
    ok = record(&recorder, &before, tty, inside, context, status, err);
    close(recorder.master);
    if (ok)
        return file_writer_commit(&file, err);
    file_writer_abort(&file);
    return false;
}
