#include "tests/support/screen_term.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sixel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

enum { WAIT_MS = 20000 }; // only what fails waits this long; machines are busy

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void send_bytes(struct screen_term *term, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(term->pty, bytes, size);
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return;
        if (done > 0)
            bytes += done, size -= (size_t)done;
    }
}

static void answer(struct screen_term *term, const char *text)
{
    if (!term->options.silent)
        send_bytes(term, text, strlen(text));
}

// ---- libvterm
// -------------------------------------------------------------------------------------------------

static void on_output(const char *bytes, size_t size, void *user)
{
    struct screen_term *term = user;
    if (term->options.silent)
        return;
    if (term->hold && size == 4 && !memcmp(bytes, "\033[0n", 4)) {
        term->held++;
        return;
    }
    if (term->options.sixel && size == 7 && !memcmp(bytes, "\033[?1;2c", 7))
        send_bytes(term, "\033[?62;4;22c", 11);
    else
        send_bytes(term, bytes, size);
}

void screen_term_release(struct screen_term *term)
{
    term->hold = false;
    for (; term->held > 0; term->held--)
        send_bytes(term, "\033[0n", 4);
}

static void unpaint(struct screen_term *term, VTermRect rect)
{
    int width = term->columns * TERM_CELL_WIDTH;
    if (rect.end_row > term->rows) // while it changes its size
        rect.end_row = term->rows;
    if (rect.end_col > term->columns)
        rect.end_col = term->columns;
    if (rect.start_col >= rect.end_col)
        return;
    for (int y = rect.start_row * TERM_CELL_HEIGHT; y < rect.end_row * TERM_CELL_HEIGHT; y++)
        memset(term->painted + (size_t)y * width + rect.start_col * TERM_CELL_WIDTH, 0,
               (size_t)(rect.end_col - rect.start_col) * TERM_CELL_WIDTH);
}

static int on_damage(VTermRect rect, void *user)
{
    unpaint(user, rect);
    return 1;
}

static int on_moverect(VTermRect to, VTermRect from, void *user)
{
    struct screen_term *term = user;
    unpaint(term, to);
    unpaint(term, from);
    term->scrolled = true;
    return 0;
}

static int on_property(VTermProp property, VTermValue *value, void *user)
{
    struct screen_term *term = user;
    if (property == VTERM_PROP_CURSORVISIBLE)
        term->cursor_visible = value->boolean;
    else if (property == VTERM_PROP_ALTSCREEN)
        term->alternate = value->boolean;
    return 1;
}

static int on_csi(const char *leader, const long args[], int count, const char *intermediate, char command,
                  void *user)
{
    struct screen_term *term = user;
    char text[64];
    bool private = leader && leader[0] == '?';
    (void)intermediate;
    if (leader && leader[0] == '>' && command == 'q' && term->options.version) {
        snprintf(text, sizeof text, "\033P>|%s\033\\", term->options.version);
        answer(term, text);
    } else if (!leader && command == 't' && count > 0 && CSI_ARG(args[0]) == 16) {
        snprintf(text, sizeof text, "\033[6;%d;%dt", TERM_CELL_HEIGHT, TERM_CELL_WIDTH);
        answer(term, text);
    } else if (private && command == 'S' && count > 1 && CSI_ARG(args[0]) == 2 && term->options.sixel) {
        answer(term, CSI_ARG(args[1]) == 4 ? "\033[?2;0;4000;3000S" : "\033[?2;0;800;480S");
    }
    return 1;
}

static int on_osc(const char *command, size_t size, void *user)
{
    struct screen_term *term = user;
    if (size >= 4 && !memcmp(command, "11;?", 4))
        answer(term,
               term->options.white ? "\033]11;rgb:ffff/ffff/ffff\033\\" : "\033]11;rgb:1010/1010/1414\033\\");
    return 1;
}

static const VTermScreenCallbacks callbacks = {
    .damage = on_damage, .moverect = on_moverect, .settermprop = on_property};
static const VTermParserCallbacks fallbacks = {.csi = on_csi, .osc = on_osc};

// ---- images
// ---------------------------------------------------------------------------------------------------

static void paint(struct screen_term *term)
{
    unsigned char *indices = NULL, *palette = NULL;
    int width, height, colors;
    VTermPos at;
    vterm_state_get_cursorpos(vterm_obtain_state(term->vterm), &at);
    if (SIXEL_FAILED(sixel_decode_raw((unsigned char *)term->dcs, (int)term->dcs_used, &indices, &width,
                                      &height, &palette, &colors, NULL)))
        abort();
    term->images++;
    term->image_bytes += term->dcs_used;
    int plane_width = term->columns * TERM_CELL_WIDTH, plane_height = term->rows * TERM_CELL_HEIGHT;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int to_x = at.col * TERM_CELL_WIDTH + x, to_y = at.row * TERM_CELL_HEIGHT + y,
                index = indices[y * width + x];
            if (index == 0 || index == 255 || index >= colors || to_x >= plane_width || to_y >= plane_height)
                continue; // registers 0 and 255 are never used: nothing was drawn here
            size_t pixel = (size_t)to_y * plane_width + to_x;
            memcpy(term->pixels + pixel * 3, palette + index * 3, 3);
            term->painted[pixel] = 1;
        }
    free(indices);
    free(palette);
}

static void add_dcs(struct screen_term *term, char byte)
{
    if (term->dcs_used == term->dcs_capacity) {
        term->dcs_capacity = term->dcs_capacity * 2 + 4096;
        term->dcs = realloc(term->dcs, term->dcs_capacity);
        if (!term->dcs)
            abort();
    }
    term->dcs[term->dcs_used++] = byte;
}

// Text to libvterm, device control strings to the decoder, in their order.
static void feed(struct screen_term *term, const char *bytes, size_t size)
{
    size_t start = 0;
    for (size_t i = 0; i < size; i++) {
        char byte = bytes[i];
        if (term->in_dcs) {
            add_dcs(term, byte);
            if (term->dcs_escape && byte == '\\') {
                term->in_dcs = false;
                paint(term);
            }
            term->dcs_escape = byte == 033;
            start = i + 1;
        } else if (term->in_escape && byte == 'P') {
            if (i > start + 1)
                vterm_input_write(term->vterm, bytes + start, i - start - 1);
            term->dcs_used = 0;
            add_dcs(term, 033);
            add_dcs(term, 'P');
            term->in_dcs = true;
            term->in_escape = false;
            start = i + 1;
        } else {
            if (term->in_escape && i == start) // the escape ended the last piece and was held back
                vterm_input_write(term->vterm, "\033", 1);
            term->in_escape = byte == 033;
        }
    }
    size_t end = term->in_escape ? size - 1 : size;
    if (!term->in_dcs && end > start)
        vterm_input_write(term->vterm, bytes + start, end - start);
}

static void remember(struct screen_term *term, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (term->log_used == TERM_LOG) {
            memmove(term->log, term->log + TERM_LOG / 2, TERM_LOG / 2);
            term->log_used = TERM_LOG / 2;
        }
        term->log[term->log_used++] = bytes[i];
        term->frames += term->log_used >= 4 && !memcmp(term->log + term->log_used - 4, "\033[5n", 4);
        // libvterm 0.1 reads only the first number of "?1006;1000h": look at the bytes.
        const char *end = term->log + term->log_used - 5;
        if (term->log_used >= 5 && !memcmp(end, "1000", 4) && (end[4] == 'h' || end[4] == 'l'))
            term->mouse = end[4] == 'h';
    }
}

// Waits up to `wait` ms for bytes. Returns how many came, -1 at the end.
static int pump(struct screen_term *term, int wait)
{
    struct pollfd fd = {.fd = term->pty, .events = POLLIN};
    char bytes[16384];
    if (poll(&fd, 1, wait) <= 0)
        return 0;
    ssize_t got = read(term->pty, bytes, sizeof bytes);
    if (got <= 0)
        return -1;
    remember(term, bytes, (size_t)got);
    feed(term, bytes, (size_t)got);
    return (int)got;
}

// ---- the child
// ------------------------------------------------------------------------------------------------

static void set_environment(const struct screen_term_options *options)
{
    static const char *const removed[] = {"COLORTERM", "NO_COLOR", "TMUX",  "COLORFGBG",
                                          "LANG",      "LC_CTYPE", "LINES", "COLUMNS"};
    for (size_t i = 0; i < sizeof removed / sizeof *removed; i++)
        unsetenv(removed[i]);
    setenv("TERM", options->term ? options->term : "xterm-256color", 1);
    setenv("LC_ALL", options->locale ? options->locale : "C.UTF-8", 1);
    if (options->no_color)
        setenv("NO_COLOR", "1", 1);
}

static void make_plane(struct screen_term *term)
{
    size_t pixels = (size_t)term->rows * TERM_CELL_HEIGHT * term->columns * TERM_CELL_WIDTH;
    free(term->pixels);
    free(term->painted);
    term->pixels = calloc(pixels, 3);
    term->painted = calloc(pixels, 1);
    if (!term->pixels || !term->painted)
        abort();
}

void screen_term_start(struct screen_term *term, const struct screen_term_options *options,
                       int (*child)(void *), void *context)
{
    struct winsize size = {.ws_row = (unsigned short)options->rows,
                           .ws_col = (unsigned short)options->columns};
    *term = (struct screen_term){.options = *options, .rows = options->rows, .columns = options->columns};
    if (openpty(&term->pty, &term->tty, NULL, NULL, &size) < 0 || tcgetattr(term->tty, &term->before) < 0)
        abort();
    make_plane(term);
    term->vterm = vterm_new(term->rows, term->columns);
    vterm_set_utf8(term->vterm, 1);
    vterm_output_set_callback(term->vterm, on_output, term);
    term->screen = vterm_obtain_screen(term->vterm);
    vterm_screen_set_callbacks(term->screen, &callbacks, term);
    vterm_screen_set_unrecognised_fallbacks(term->screen, &fallbacks, term);
    vterm_screen_enable_altscreen(term->screen, 1);
    vterm_screen_set_damage_merge(term->screen, VTERM_DAMAGE_CELL);
    vterm_screen_reset(term->screen, 1);
    fflush(stdout);
    fflush(stderr);
    term->pid = fork();
    if (term->pid < 0)
        abort();
    if (term->pid == 0) {
        close(term->pty);
        login_tty(term->tty);
        set_environment(options);
        _exit(child(context));
    }
    fcntl(term->pty, F_SETFL, O_NONBLOCK);
}

void screen_term_start_xterm(struct screen_term *term, int rows, int columns, bool sixel, int (*child)(void *), void *context)
{
    struct screen_term_options options = {.rows = rows, .columns = columns, .sixel = sixel, .version = "XTerm(379)"};
    screen_term_start(term, &options, child, context);
}

void screen_term_settle(struct screen_term *term, int quiet)
{
    double end = now_ms() + WAIT_MS;
    while (now_ms() < end) {
        // Each frame ends in CSI 5n: without it, one is still on its way, however busy the machine is.
        bool whole = term->log_used >= 4 && !memcmp(term->log + term->log_used - 4, "\033[5n", 4);
        int got = pump(term, whole ? quiet : 50);
        if (got < 0 || (got == 0 && whole))
            return;
    }
}

static bool wait_until(struct screen_term *term, const char *text, bool there)
{
    double end = now_ms() + WAIT_MS;
    while (screen_term_find(term, text, NULL, NULL) != there) {
        if (now_ms() > end || pump(term, 200) < 0)
            return screen_term_find(term, text, NULL, NULL) == there;
    }
    return true;
}

bool screen_term_wait(struct screen_term *term, const char *text)
{
    return wait_until(term, text, true);
}

bool screen_term_wait_gone(struct screen_term *term, const char *text)
{
    return wait_until(term, text, false);
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80)
        return (size_t)(out[0] = (char)c, 1);
    if (c < 0x800)
        return (size_t)(out[0] = (char)(0xC0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3F)), 2);
    if (c < 0x10000)
        return (size_t)(out[0] = (char)(0xE0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3F)),
                        out[2] = (char)(0x80 | (c & 0x3F)), 3);
    return (size_t)(out[0] = (char)(0xF0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 0x3F)),
                    out[2] = (char)(0x80 | (c >> 6 & 0x3F)), out[3] = (char)(0x80 | (c & 0x3F)), 4);
}

VTermScreenCell screen_term_cell(const struct screen_term *term, int row, int column)
{
    VTermScreenCell cell;
    VTermPos pos = {row, column};
    vterm_screen_get_cell(term->screen, pos, &cell);
    return cell;
}

void screen_term_row(const struct screen_term *term, int row, char *out, size_t size)
{
    size_t used = 0;
    for (int column = 0; column < term->columns && used + 5 < size; column++) {
        uint32_t character = screen_term_cell(term, row, column).chars[0];
        if (character == (uint32_t)-1)
            continue; // the second half of a wide character
        used += put_utf8(out + used, character ? character : ' ');
    }
    out[used] = 0;
}

bool screen_term_find(const struct screen_term *term, const char *text, int *row, int *column)
{
    char line[4096];
    for (int r = 0; r < term->rows; r++) {
        screen_term_row(term, r, line, sizeof line);
        const char *found = strstr(line, text);
        if (!found)
            continue;
        if (row)
            *row = r;
        if (column) {
            *column = 0;
            for (const char *p = line; p < found; p++)
                *column += (*p & 0xC0) != 0x80;
        }
        return true;
    }
    return false;
}

void screen_term_type(struct screen_term *term, const char *keys)
{
    send_bytes(term, keys, strlen(keys));
}

void screen_term_resize(struct screen_term *term, int rows, int columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    term->rows = rows;
    term->columns = columns;
    make_plane(term);
    vterm_set_size(term->vterm, rows, columns);
    ioctl(term->pty, TIOCSWINSZ, &size);
}

bool screen_term_pixel(const struct screen_term *term, int x, int y, unsigned char rgb[3])
{
    size_t pixel = (size_t)y * term->columns * TERM_CELL_WIDTH + x;
    memcpy(rgb, term->pixels + pixel * 3, 3);
    return term->painted[pixel];
}

int screen_term_finish(struct screen_term *term)
{
    int status = 0;
    double end = now_ms() + 10000;
    while (waitpid(term->pid, &status, WNOHANG) == 0) {
        pump(term, 20); // else the child may wait for us to read
        if (now_ms() > end) {
            kill(term->pid, SIGKILL);
            waitpid(term->pid, &status, 0);
            break;
        }
    }
    while (pump(term, 20) > 0)
        continue;
    return status;
}

bool screen_term_restored(const struct screen_term *term)
{
    struct termios now;
    if (tcgetattr(term->tty, &now) < 0)
        return false;
    return now.c_iflag == term->before.c_iflag && now.c_oflag == term->before.c_oflag &&
           now.c_cflag == term->before.c_cflag && now.c_lflag == term->before.c_lflag &&
           !memcmp(now.c_cc, term->before.c_cc, sizeof now.c_cc);
}

void screen_term_free(struct screen_term *term)
{
    vterm_free(term->vterm);
    close(term->pty);
    close(term->tty);
    free(term->pixels);
    free(term->painted);
    free(term->dcs);
}

void screen_term_dump(const struct screen_term *term)
{
    char line[4096];
    for (int row = 0; row < term->rows; row++) {
        screen_term_row(term, row, line, sizeof line);
        fprintf(stderr, "%2d|%s|\n", row, line);
    }
}
