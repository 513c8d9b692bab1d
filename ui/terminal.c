#include "ui/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

// What the signal handlers need: the only global state of the screen.
static struct {
    volatile sig_atomic_t active;  // the terminal is ours and must be given back
    volatile sig_atomic_t pending; // SIGNALLED_ bits
    volatile sig_atomic_t quit_signal;
    int pipe[2];
    struct termios termios;
    char restore[512]; // bytes that give the terminal back
    size_t restore_size;
} terminal_state = {.pipe = {-1, -1}};

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
static const int quit_signals[] = {SIGTERM, SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE,
                                   SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2};

// Async-signal-safe: only write() and tcsetattr().
static void give_back(void)
{
    if (!terminal_state.active)
        return;
    terminal_state.active = 0;
    size_t sent = 0;
    while (sent < terminal_state.restore_size) {
        ssize_t done =
            write(STDOUT_FILENO, terminal_state.restore + sent, terminal_state.restore_size - sent);
        if (done <= 0)
            break;
        sent += (size_t)done;
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_state.termios);
}

static void on_crash(int signal_number)
{
    give_back();
    // SA_RESETHAND has put the default action back: die of the same signal, core dump and all.
    raise(signal_number);
}

static void on_signal(int signal_number)
{
    int saved_errno = errno, bit = SIGNALLED_QUIT;
    if (signal_number == SIGWINCH)
        bit = SIGNALLED_RESIZE;
    else if (signal_number == SIGTSTP)
        bit = SIGNALLED_STOP;
    else if (signal_number == SIGCONT)
        bit = SIGNALLED_CONTINUED;
    else
        terminal_state.quit_signal = signal_number;
    terminal_state.pending |= bit;
    ssize_t ignored = write(terminal_state.pipe[1], "", 1); // full: there is news already
    (void)ignored;
    errno = saved_errno;
}

static void handle(int signal_number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_flags = flags}, old;
    action.sa_handler = handler;
    sigfillset(&action.sa_mask);
    // A signal that the parent ignores (nohup) stays ignored.
    if (!sigaction(signal_number, NULL, &old) && old.sa_handler == SIG_IGN && signal_number != SIGPIPE)
        return;
    sigaction(signal_number, &action, NULL);
}

static void install_handlers(void)
{
    static char stack[64 * 1024]; // a crash may be a stack overflow
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof crash_signals / sizeof *crash_signals; i++)
        handle(crash_signals[i], on_crash, SA_ONSTACK | (int)SA_RESETHAND | SA_NODEFER);
    for (size_t i = 0; i < sizeof quit_signals / sizeof *quit_signals; i++)
        handle(quit_signals[i], on_signal, 0);
    handle(SIGWINCH, on_signal, 0);
    handle(SIGTSTP, on_signal, 0);
    handle(SIGCONT, on_signal, 0);
}

static void add_restore(const char *text)
{
    size_t size = text ? strlen(text) : 0, used = terminal_state.restore_size;
    if (size > 0 && used + size <= sizeof terminal_state.restore) {
        memcpy(terminal_state.restore + used, text, size);
        terminal_state.restore_size += size;
    }
}

static const char *capability(const char *name)
{
    const char *text = tigetstr(name);
    return text == (const char *)-1 ? NULL : text;
}

// Everything that may have been left half done: a sixel string, a synchronized update, mouse, keypad,
// attributes.
static void prepare_restore(const struct terminal *terminal)
{
    terminal_state.restore_size = 0;
    add_restore("\033\\");
    if (terminal->synchronized)
        add_restore("\033[?2026l");
    add_restore("\033[?1006l\033[?1003l\033[?1002l\033[?1000l");
    add_restore(capability("sgr0"));
    add_restore(capability("rmkx"));
    add_restore(capability("cnorm"));
    const char *leave = capability("rmcup");
    add_restore(leave ? leave : "\r\n");
    add_restore(capability("cnorm")); // see show_cursor()
}

// Sequences beyond terminfo's: our own, and keys of terminals that do not switch them with the keypad.
static const struct {
    const char *bytes;
    int key;
} sequences[] = {
    {"\033[0n", TERMINAL_FRAME_DONE},
    {"\033[A", KEY_UP},
    {"\033[B", KEY_DOWN},
    {"\033[C", KEY_RIGHT},
    {"\033[D", KEY_LEFT},
    {"\033[H", KEY_HOME},
    {"\033[F", KEY_END},
    {"\033OA", KEY_UP},
    {"\033OB", KEY_DOWN},
    {"\033OC", KEY_RIGHT},
    {"\033OD", KEY_LEFT},
    {"\033OH", KEY_HOME},
    {"\033OF", KEY_END},
    {"\033[1~", KEY_HOME},
    {"\033[4~", KEY_END},
    {"\033[5~", KEY_PPAGE},
    {"\033[6~", KEY_NPAGE},
    {"\033[Z", KEY_BTAB},
};

// The key that the bytes start with, and how many they are; an unknown escape sequence is 0, as long as it
// is.
static int read_key(const char *bytes, size_t size, size_t *length)
{
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        *length = strlen(sequences[i].bytes);
        if (*length <= size && !memcmp(bytes, sequences[i].bytes, *length))
            return sequences[i].key;
    }
    *length = 1;
    if (bytes[0] != 033 || size < 2 || (bytes[1] != '[' && bytes[1] != 'O'))
        return (unsigned char)bytes[0];
    for (*length = 2; *length < size && (bytes[*length] < 0x40 || bytes[*length] > 0x7E);)
        ++*length;
    *length += *length < size;
    return 0;
}

void terminal_give_back_typed(struct terminal *terminal)
{
    int keys[sizeof terminal->typed], count = 0;
    for (size_t at = 0, length; at < terminal->typed_size; at += length) {
        int key = read_key(terminal->typed + at, terminal->typed_size - at, &length);
        if (key)
            keys[count++] = key;
    }
    terminal->typed_size = 0;
    while (count > 0) // the last one pushed back is read first; curses would not put sequences together again
        ungetch(keys[--count]);
}

static void set_modes(void)
{
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    meta(stdscr, TRUE);
    // A frame is never left half done because a key is waiting: images are drawn over what doupdate() has
    // finished.
    typeahead(-1);
    // Inserting and deleting lines or characters would drag images along.
    idlok(stdscr, FALSE);
    idcok(stdscr, FALSE);
    scrollok(stdscr, FALSE);
    leaveok(stdscr, FALSE);
    curs_set(0);
}

static bool open_pipe(void)
{
    if (terminal_state.pipe[0] >= 0)
        return true;
    if (pipe(terminal_state.pipe) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(terminal_state.pipe[i], F_SETFL, O_NONBLOCK);
        fcntl(terminal_state.pipe[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

bool terminal_known(void)
{
    const char *term = getenv("TERM");
    int found;
    if (!term || !*term || !strcmp(term, "dumb") || setupterm(term, STDOUT_FILENO, &found) != OK)
        return false;
    del_curterm(cur_term); // newterm() makes its own
    return true;
}

bool terminal_open(struct terminal *terminal, struct error *err)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(
            err, ERROR_USAGE,
            "the screen needs a terminal for input and output; `trimscope run` works without one");
    const char *term = getenv("TERM");
    if (!term || !*term || !strcmp(term, "dumb"))
        return error_set(
            err, ERROR_USAGE,
            "the screen needs a terminal that can place text (TERM is %s); `trimscope run` works without",
            term && *term ? term : "not set");
    if (tcgetattr(STDIN_FILENO, &terminal_state.termios) < 0)
        return error_set(err, ERROR_MACHINE, "cannot read the terminal's settings: %s", strerror(errno));
    if (!open_pipe())
        return error_set(err, ERROR_MACHINE, "cannot make a pipe for signals: %s", strerror(errno));
    install_handlers(); // before curses, which installs its own only where there is none
    set_escdelay(25);
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return error_set(err, ERROR_USAGE,
                         "this system does not know the terminal '%s' (TERM); try TERM=xterm-256color", term);
    prepare_restore(terminal);
    terminal_state.active = 1;
    static bool registered;
    if (!registered) {
        atexit(terminal_close);
        registered = true;
    }
    set_modes();
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        define_key(sequences[i].bytes, sequences[i].key);
    refresh();
    if (terminal->sixel)
        terminal_write("\033[?80l", 6); // images at the cursor
    terminal_give_back_typed(terminal);
    return true;
}

// After the other screen is back: some terminals keep the cursor's visibility with its saved place.
static void show_cursor(void)
{
    const char *visible = capability("cnorm");
    if (visible)
        terminal_write(visible, strlen(visible));
}

void terminal_close(void)
{
    if (!terminal_state.active)
        return;
    mousemask(0, NULL);
    endwin();
    terminal_state.active = 0;
    show_cursor();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_state.termios);
}

void terminal_suspend(void)
{
    def_prog_mode();
    endwin();
    terminal_state.active = 0;
    show_cursor();
    struct sigaction stop = {.sa_handler = SIG_DFL}, old;
    sigaction(SIGTSTP, &stop, &old);
    kill(0, SIGTSTP); // the whole job, so that `make run` stops with us and the shell gets its prompt
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    sigaction(SIGTSTP, &old, NULL);
    terminal_state.active = 1;
    reset_prog_mode();
    refresh();
    curs_set(0);
}

int terminal_signals(void)
{
    char drain[64];
    while (read(terminal_state.pipe[0], drain, sizeof drain) > 0)
        continue;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int pending = terminal_state.pending;
    terminal_state.pending = 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return pending;
}

int terminal_signal_fd(void)
{
    return terminal_state.pipe[0];
}

int terminal_quit_signal(void)
{
    return terminal_state.quit_signal;
}

void terminal_mouse(bool on)
{
    mouseinterval(0);
    mousemask(on ? BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON3_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

bool terminal_write(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, size);
        if (done > 0) {
            bytes += done;
            size -= (size_t)done;
            continue;
        }
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (terminal_state.pending & SIGNALLED_QUIT)
            return false;
        struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
        poll(&output, 1, 1000);
    }
    return true;
}
