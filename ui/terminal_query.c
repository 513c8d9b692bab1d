// Questions to the terminal and their answers. All are sent in one write with DA1 last: every terminal
// answers DA1, and answers come in order, so the end of DA1's answer is the end of all (measured: terminals
// that know none of the others still end this way; no time-out per question is needed).
#include "ui/terminal.h"

#include "engine/base/thread.h"
#include "ui/words.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const struct {
    const char *name, *help;
} graphics_modes[GRAPHICS_COUNT] = {
#define GRAPHICS_ROW(id, name, help) [GRAPHICS_##id] = {name, help},
    GRAPHICS_MODES(GRAPHICS_ROW)
#undef GRAPHICS_ROW
};

const char *graphics_name(enum graphics graphics)
{
    return graphics == GRAPHICS_AUTO ? "auto" : graphics_modes[graphics].name;
}

const char *graphics_help(enum graphics graphics)
{
    return graphics_modes[graphics].help;
}

bool graphics_parse(const char *name, enum graphics *graphics)
{
    *graphics = GRAPHICS_AUTO;
    if (!strcmp(name, "auto"))
        return true;
    for (int i = 0; i < GRAPHICS_COUNT; i++)
        if (!strcmp(name, graphics_modes[i].name)) {
            *graphics = (enum graphics)i;
            return true;
        }
    return false;
}

// tmux takes a terminal that no locale calls UTF-8 for one of ASCII (`tmux -u` aside) and shows underscores instead, which
// is so after ssh to a machine without a locale. What it thinks of its client cannot be seen from the screen.
bool terminal_tmux_is_ascii(void)
{
    static int known = -1;
    const char *tmux = getenv("TMUX");
    if (known < 0 && tmux && *tmux) {
        char answer[8] = "";
        FILE *client = popen("tmux display-message -p '#{client_utf8}' 2>/dev/null", "r");
        if (client && !fgets(answer, sizeof answer, client))
            answer[0] = 0;
        if (client)
            pclose(client);
        known = answer[0] == '0';
    }
    return known > 0;
}

bool terminal_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (!strcmp(nl_langinfo(CODESET), "UTF-8"))
        return true;
    // Nothing was said about the language at all: today's terminals are UTF-8.
    const char *name = setlocale(LC_CTYPE, NULL);
    if (name && (!strcmp(name, "C") || !strcmp(name, "POSIX")) && !getenv("LC_ALL") && !getenv("LC_CTYPE") &&
        !terminal_tmux_is_ascii())
        return setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    return false;
}

// ---- answers
// --------------------------------------------------------------------------------------------------

// Cell sizes by the three ways that need an answer; the parse picks the best at the end.
struct answers {
    int cell_width, cell_height;         // CSI 16t
    int window_width, window_height;     // CSI 14t
    int geometry_width, geometry_height; // XTSMGRAPHICS: sixel area now
    int most_width, most_height;
    int geometry_seen; // answers about item 2, errors included: they come in the order of the questions
};

// Up to `most` numbers separated by ';' in [from, to). Absent numbers are -1, and a number never passes 2^20.
static int numbers(const char *from, const char *to, int *out, int most)
{
    int count = 0;
    while (count < most) {
        int value = -1;
        for (; from < to && *from >= '0' && *from <= '9'; from++)
            if (value < 1 << 20)
                value = (value < 0 ? 0 : value * 10) + (*from - '0');
        out[count++] = value;
        if (from >= to || *from != ';')
            break;
        from++;
    }
    return count;
}

static void copy_text(char *to, size_t size, const char *from, const char *end)
{
    size_t length = 0;
    for (; from < end && length + 1 < size; from++)
        if (*from >= ' ' && *from < 127) // it will be printed
            to[length++] = *from;
    to[length] = 0;
}

static void read_da1(struct terminal *terminal, const char *from, const char *to)
{
    copy_text(terminal->attributes, sizeof terminal->attributes, from, to);
    int values[32], count = numbers(from, to, values, 32);
    for (int i = 1; i < count; i++)
        terminal->sixel |= values[i] == 4;
    terminal->answered = true;
}

// One CSI sequence: [from, to) between "ESC [" and the final character. False: not an answer to us.
static bool read_csi(struct terminal *terminal, struct answers *answers, const char *from, const char *to,
                     char final)
{
    bool private = from < to && *from == '?';
    if (private)
        from++;
    int v[8] = {0}, count = numbers(from, to, v, 8);
    if (private && final == 'c')
        read_da1(terminal, from, to);
    else if (!private && final == 't' && count >= 3 && v[0] == 6)
        answers->cell_height = v[1], answers->cell_width = v[2];
    else if (!private && final == 't' && count >= 3 && v[0] == 4)
        answers->window_height = v[1], answers->window_width = v[2];
    else if (private && final == 'S' && v[0] == 1)
        terminal->registers = count >= 3 && v[1] == 0 ? v[2] : 0;
    else if (private && final == 'S' && v[0] == 2) {
        bool fine = count >= 4 && v[1] == 0;
        if (answers->geometry_seen++ == 0 && fine)
            answers->geometry_width = v[2], answers->geometry_height = v[3];
        else if (fine)
            answers->most_width = v[2], answers->most_height = v[3];
    } else if (private && final == 'y' && v[0] == 2026)
        terminal->synchronized = count >= 2 && (v[1] == 1 || v[1] == 2);
    else
        return false;
    return true;
}

static void read_background(struct terminal *terminal, const char *from, const char *to)
{
    unsigned value[3];
    char text[40];
    copy_text(text, sizeof text, from, to);
    if (sscanf(text, "11;rgb:%4x/%4x/%4x", &value[0], &value[1], &value[2]) != 3)
        return;
    const char *slash = strchr(text, '/');
    int digits = slash ? (int)(slash - strchr(text, ':')) - 1 : 4;
    for (int i = 0; i < 3; i++)
        terminal->background[i] = (unsigned char)(digits >= 4   ? value[i] >> 8
                                                  : digits == 3 ? value[i] >> 4
                                                                : value[i]);
    terminal->has_background = true;
}

// xterm before 300 and others paint the rest of a P2=1 image white.
static bool draws_deltas(const char *version)
{
    int patch = 0;
    return !strncmp(version, "foot(", 5) || (sscanf(version, "XTerm(%d", &patch) == 1 && patch >= 300);
}

static bool sane_cell(int width, int height)
{
    return width >= 4 && width <= 64 && height >= 6 && height <= 128;
}

static void choose_cell(struct terminal *terminal, const struct answers *a,
                        const struct terminal_window *window)
{
    int rows = window->rows > 0 ? window->rows : 1, columns = window->columns > 0 ? window->columns : 1;
    bool below = a->geometry_width > 0 && a->geometry_width < (a->most_width > 0 ? a->most_width : 1000) &&
                 a->geometry_height > 0 && a->geometry_height < (a->most_height > 0 ? a->most_height : 1000);
    const struct {
        int width, height;
        const char *source;
    } ways[] = {
        {a->cell_width, a->cell_height, "CSI 16t"},
        {a->window_width / columns, a->window_height / rows, "CSI 14t"},
        {below ? a->geometry_width / columns : 0, below ? a->geometry_height / rows : 0, "XTSMGRAPHICS"},
        {window->pixel_width / columns, window->pixel_height / rows, "TIOCGWINSZ"},
        {10, 20, _("a guess")},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (sane_cell(ways[i].width, ways[i].height)) {
            terminal->cell_width = ways[i].width;
            terminal->cell_height = ways[i].height;
            terminal->cell_source = ways[i].source;
            return;
        }
}

static void keep_typed(struct terminal *terminal, const char *from, size_t size)
{
    for (size_t i = 0; i < size && terminal->typed_size < sizeof terminal->typed; i++)
        terminal->typed[terminal->typed_size++] = from[i];
}

// The end of a string sequence (after its ST or BEL); NULL when it is not complete.
static const char *string_end(const char *from, const char *end, const char **text_end)
{
    for (const char *p = from; p < end; p++) {
        *text_end = p;
        if (*p == '\a')
            return p + 1;
        if (*p == 033 && p + 1 < end && p[1] == '\\')
            return p + 2;
    }
    return NULL;
}

// One sequence at `p` ("ESC ..."). Returns what follows it, or NULL when it is no answer to us.
static const char *read_sequence(struct terminal *terminal, struct answers *answers, const char *p,
                                 const char *end)
{
    const char *text_end, *next;
    if (end - p >= 4 && !memcmp(p, "\033P>|", 4) && (next = string_end(p + 4, end, &text_end))) {
        copy_text(terminal->version, sizeof terminal->version, p + 4, text_end);
        return next;
    }
    if (end - p >= 5 && !memcmp(p, "\033]11;", 5) && (next = string_end(p + 2, end, &text_end))) {
        read_background(terminal, p + 2, text_end);
        return next;
    }
    if (end - p < 3 || p[1] != '[')
        return NULL;
    const char *final = p + 2;
    while (final < end && *final >= 0x20 && *final < 0x40)
        final++;
    return final < end && read_csi(terminal, answers, p + 2, final, *final) ? final + 1 : NULL;
}

bool terminal_parse(struct terminal *terminal, const char *bytes, size_t size,
                    const struct terminal_window *window)
{
    struct answers answers = {0};
    const char *p = bytes, *end = bytes + size;
    terminal->typed_size = 0;
    terminal->answered = false;
    while (p < end) {
        const char *next = *p == 033 ? read_sequence(terminal, &answers, p, end) : NULL;
        if (!next) {
            keep_typed(terminal, p, 1);
            next = p + 1;
        }
        p = next;
    }
    choose_cell(terminal, &answers, window);
    if (answers.most_width > 0 && answers.most_height > 0) {
        terminal->most_width = answers.most_width;
        terminal->most_height = answers.most_height;
        terminal->most_known = true;
    } else if (!terminal->most_known) {
        terminal->most_width = terminal->most_height = 1000; // xterm's default
    }
    terminal->deltas = draws_deltas(terminal->version);
    return terminal->answered;
}

// ---- questions
// ------------------------------------------------------------------------------------------------

static const double look_seconds = 0.05; // between looks for signals that wait

static void window_size(struct terminal_window *window)
{
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *window = (struct terminal_window){size.ws_row ? size.ws_row : 24, size.ws_col ? size.ws_col : 80,
                                       size.ws_xpixel, size.ws_ypixel};
}

// Signals that end or stop a program, which wait while the terminal is raw and no handler gives it back.
static void hold_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static bool signal_waits(void)
{
    static const int harmless[] = {SIGWINCH, SIGCHLD, SIGCONT, SIGURG};
    sigset_t waiting;
    sigpending(&waiting);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        sigdelset(&waiting, harmless[i]);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        if (sigismember(&waiting, signal_number) == 1)
            return true;
    return false;
}

// Writes the questions and reads until the answer to DA1 is in, or a held signal wants to be heard.
static void ask(struct terminal *terminal, const char *questions, double seconds)
{
    struct terminal_window window;
    char bytes[TERMINAL_BYTES];
    size_t used = 0;
    window_size(&window);
    double start = clock_seconds(), left;
    if (write(STDOUT_FILENO, questions, strlen(questions)) < 0)
        return;
    struct terminal before = *terminal;
    while (used < sizeof bytes && (left = start + seconds - clock_seconds()) > 0) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        int ready = poll(&input, 1, left < look_seconds ? (int)(left * 1000) + 1 : (int)(look_seconds * 1000));
        if (signal_waits())
            break;
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        ssize_t got = ready > 0 ? read(STDIN_FILENO, bytes + used, sizeof bytes - used) : 0;
        if (got <= 0)
            break;
        used += (size_t)got;
        *terminal = before;
        if (terminal_parse(terminal, bytes, used, &window))
            break;
    }
    if (used == 0)
        terminal_parse(terminal, bytes, 0, &window);
    terminal->answer_ms = (clock_seconds() - start) * 1000;
}

static enum block_colors choose_block_colors(const struct terminal *terminal)
{
    const char *true_color = getenv("COLORTERM"), *term = getenv("TERM");
    bool no_color = getenv("NO_COLOR") && *getenv("NO_COLOR");
    if (!term || !strcmp(term, "dumb") || strstr(term, "mono") || !strncmp(term, "vt", 2) || no_color)
        return BLOCKS_MONO;
    if (true_color && (!strcmp(true_color, "truecolor") || !strcmp(true_color, "24bit")))
        return BLOCKS_TRUE;
    if (!strncmp(terminal->version, "XTerm(", 6) || !strncmp(terminal->version, "foot(", 5))
        return BLOCKS_TRUE;
    return strstr(term, "256") || strstr(term, "direct") ? BLOCKS_256 : BLOCKS_8;
}

void terminal_query(struct terminal *terminal, double seconds)
{
    *terminal = (struct terminal){.unicode = terminal_locale()};
    const char *term = getenv("TERM");
    struct terminal_window window;
    window_size(&window);
    bool dumb = !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !terminal_known();
    struct termios saved, raw;
    if (dumb || tcgetattr(STDIN_FILENO, &saved) < 0) {
        terminal_parse(terminal, "", 0, &window);
    } else {
        raw = saved;
        cfmakeraw(&raw);
        raw.c_oflag = saved.c_oflag;
        sigset_t signals;
        hold_signals(&signals);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
        // The Linux console prints part of an OSC it does not know.
        bool console = !strcmp(term, "linux");
        ask(terminal,
            console ? "\033[c"
                    : "\033[>q\033[16t\033[14t\033[?1;1;0S\033[?2;1;0S\033[?2;4;0S\033[?2026$p\033]11;?"
                      "\033\\\033[c",
            seconds);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
        pthread_sigmask(SIG_SETMASK, &signals, NULL);
    }
    terminal->block_colors = choose_block_colors(terminal);
    terminal->tmux = getenv("TMUX") && *getenv("TMUX");
}

enum graphics terminal_graphics(const struct terminal *terminal, enum graphics wanted)
{
    if (wanted != GRAPHICS_AUTO)
        return wanted;
    if (!terminal->unicode || (!terminal->sixel && terminal->block_colors == BLOCKS_MONO))
        return GRAPHICS_ASCII;
    return terminal->sixel ? GRAPHICS_SIXEL : GRAPHICS_BLOCKS;
}

void terminal_query_size(struct terminal *terminal, double seconds)
{
    if (!terminal->answered) { // it is dead or dumb: do not wait for it again
        struct terminal_window window;
        window_size(&window);
        terminal_parse(terminal, "", 0, &window);
        return;
    }
    ask(terminal, "\033[16t\033[14t\033[?2;1;0S\033[?2;4;0S\033[c", seconds);
    terminal->answered = true; // it was slow this time
}
