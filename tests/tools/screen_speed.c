// How long a key takes: from the key press to the last byte of the frame, taken by a pty that is always
// drained, at 160 x 48 with sixel. Also from the start of the program to its first complete frame.
//     screen_speed [-n STEPS] PROGRAM [ARGUMENT ..]
#include "engine/base/thread.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// As xterm would answer; deltas work there.
static const char answers[] =
    "\033P>|XTerm(379)\033\\\033[6;20;10t\033[4;960;1600t\033[?1;0;256S\033[?2;0;1600;960S"
    "\033[?2;0;4096;4096S\033[?2026;0$y\033]11;rgb:0000/0000/0000\033\\\033[?63;1;2;4;6c";

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Reads until the frame's end (the program asks CSI 5n, and is answered) or the questions at the start.
// Returns the bytes read, -1 when the program is gone or nothing came for `wait` ms.
static long read_frame(int pty, int wait)
{
    static char bytes[1 << 20];
    size_t used = 0;
    long total = 0;
    for (;;) {
        struct pollfd fd = {.fd = pty, .events = POLLIN};
        if (poll(&fd, 1, wait) <= 0)
            return -1;
        ssize_t got = read(pty, bytes + used, sizeof bytes - used);
        if (got <= 0)
            return -1;
        used += (size_t)got;
        total += got;
        if (used >= 3 && !memcmp(bytes + used - 3, "\033[c", 3)) {
            if (write(pty, answers, sizeof answers - 1) < 0)
                return -1;
            used = 0;
        }
        if (used >= 4 && !memcmp(bytes + used - 4, "\033[5n", 4))
            return total;
        if (used > sizeof bytes / 2) {
            memcpy(bytes, bytes + used - 16, 16);
            used = 16;
        }
    }
}

static void answer_frame(int pty)
{
    if (write(pty, "\033[0n", 4) < 0)
        exit(1);
}

int main(int argc, char **argv)
{
    int steps = 60, first = 1, pty;
    if (argc > 3 && !strcmp(argv[1], "-n")) {
        steps = atoi(argv[2]);
        first = 3;
    }
    if (first >= argc || steps < 1 || steps > 10000) {
        fprintf(stderr, "usage: screen_speed [-n STEPS] PROGRAM [ARGUMENT ..]\n");
        return 2;
    }
    struct winsize size = {.ws_row = 48, .ws_col = 160};
    double start = clock_seconds();
    pid_t child = forkpty(&pty, NULL, NULL, &size);
    if (child == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execvp(argv[first], argv + first);
        _exit(127);
    }
    double *times = calloc((size_t)steps, sizeof *times), bytes = 0;
    if (child < 0 || !times)
        return 1;
    long got = read_frame(pty, 20000);
    if (got < 0) {
        fprintf(stderr, "screen_speed: no frame came\n");
        return 1;
    }
    printf("first frame %.0f ms, %ld kB\n", 1e3 * (clock_seconds() - start), got / 1000);
    do // what the model still computes
        answer_frame(pty);
    while (read_frame(pty, 1500) >= 0);
    for (int i = 0; i < steps; i++) {
        double press = clock_seconds();
        // Forwards over the stages and back.
        if (write(pty, i / 9 % 2 ? "h" : "l", 1) < 0 || (got = read_frame(pty, 5000)) < 0) {
            fprintf(stderr, "screen_speed: step %d drew nothing\n", i + 1);
            return 1;
        }
        times[i] = 1e3 * (clock_seconds() - press);
        bytes += (double)got;
        answer_frame(pty);
        usleep(3000);
    }
    qsort(times, (size_t)steps, sizeof *times, compare);
    printf("key to the last byte of the frame, %d steps: median %.1f ms, fastest %.1f, slowest %.1f; %.0f kB "
           "a frame\n",
           steps, times[steps / 2], times[0], times[steps - 1], bytes / steps / 1000);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    free(times);
    return 0;
}
