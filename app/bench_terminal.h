// A program in a pseudo-terminal that takes every byte at once and answers questions as an xterm with sixel would: what
// remains is the program's own time.
#ifndef TRIMSCOPE_APP_BENCH_TERMINAL_H
#define TRIMSCOPE_APP_BENCH_TERMINAL_H

#include "engine/base/error.h"

#include <sys/types.h>

enum { BENCH_TERMINAL_SEQUENCE = 24 };

struct bench_terminal {
    pid_t pid;
    int master;
    char sequence[BENCH_TERMINAL_SEQUENCE]; // since the last ESC
    int length;
    long bytes, frames, images; // taken so far; frames: those that asked to be acknowledged (CSI 5n); images: sixels
    double last, last_frame; // when the last byte, and the last end of a frame, was taken (clock_seconds())
};

// Starts argv[0] (a path) in a terminal of this size.
bool bench_terminal_start(struct bench_terminal *terminal, const char *const argv[], int rows, int columns,
                          struct error *err);

// Takes output until `bytes` have come and `frames` frames have ended, in all since the start, and then nothing more for
// `idle` seconds; or until `limit` seconds have passed. False when the program has closed the terminal.
bool bench_terminal_take(struct bench_terminal *terminal, long bytes, long frames, double idle, double limit);

// Types; false when the terminal is gone.
bool bench_terminal_type(struct bench_terminal *terminal, const char *keys);

// CPU seconds of the program so far, NaN where they cannot be known.
double bench_terminal_cpu(const struct bench_terminal *terminal);

// Ends the program, whatever it does, and frees the terminal.
void bench_terminal_stop(struct bench_terminal *terminal);

#endif
