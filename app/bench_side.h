// The sides of a comparison that is too long for engine/math/measure.h: whole runs of a model, ours and those of other
// programs (peers), which run as child processes and do one run each time they are told to.
#ifndef TRIMSCOPE_APP_BENCH_SIDE_H
#define TRIMSCOPE_APP_BENCH_SIDE_H

#include "app/assets.h"
#include "app/bench.h"

#include <stdio.h>
#include <sys/types.h>

enum { BENCH_ROUNDS = 32, BENCH_TEXT = 160, BENCH_PATH = 64 };

// Time of one run, seconds; cpu is the sum over the threads of the process that ran.
struct bench_time {
    double wall, cpu;
};

struct bench_side {
    bool (*run)(void *context, struct bench_time *time, struct error *err); // one run
    void *context;
    double seconds;                // out: the median (of CPU time with one thread, of wall time with more)
    double samples[BENCH_ROUNDS];  // out: in rising order
};

// One run of each to warm it, then bench->rounds runs of each, in turn, and in the other order every second time. False as
// soon as one fails.
bool bench_sides(const struct bench *bench, struct bench_side *const sides[], int count, struct error *err);

// The time since bench_clock() gave `start`.
struct bench_time bench_clock(void);
struct bench_time bench_since(struct bench_time start);

// bench_peak_run() as a side; context: struct bench_peak.
bool bench_peak_side(void *context, struct bench_time *time, struct error *err);

// A peer: a script that says "ready VERSION" once it has loaded the model, then answers each line it reads: "values
// NAME" with a few numbers that a run of that name gives, any other with "WALL CPU" of one run of that name. "missing WHAT" instead of "ready" says what
// is not installed.
struct bench_peer {
    pid_t pid;
    FILE *to, *from;
    char version[BENCH_TEXT];
};

// Starts it and waits until it is ready. False and one sentence, which is for people to read and no failure of the
// benchmark, when it cannot run. argv[0] is looked up in PATH. The caller ignores SIGPIPE while it has peers.
bool bench_peer_start(struct bench_peer *peer, const char *const argv[], struct error *err);
void bench_peer_stop(struct bench_peer *peer);
// The line that it answers with, NULL when it is gone. Valid until the next call.
const char *bench_peer_ask(struct bench_peer *peer, const char *line, char answer[], size_t size);

// The first results of a run of this name, at most `count`; returns how many there are.
int bench_peer_values(struct bench_peer *peer, const char *name, float values[], int count);

// A run of this name as a side.
struct bench_peer_run {
    struct bench_peer *peer;
    const char *name;
};
bool bench_peer_side(void *context, struct bench_time *time, struct error *err);

// Peak resident memory of a process (0: this one) in MB, since it began or since bench_peak_memory_reset(); NaN where
// the system does not say.
double bench_peak_memory(pid_t pid);
void bench_peak_memory_reset(void);

// A new folder for temporary files, below $TMPDIR or /tmp.
bool bench_folder(char folder[BENCH_PATH], struct error *err);
// Opens a file (`flags` as open()'s) and removes its name: it lives as long as this process or a child has it open, and
// nothing is left behind whatever happens. `path` is how both reach it. -1 and *err when it cannot be opened.
int bench_take_over(const char *name, int flags, char path[BENCH_PATH], struct error *err);
// A new, empty file of that kind.
int bench_temporary(char path[BENCH_PATH], struct error *err);

// Path of a script of the source tree's tools folder; false and one sentence when this is an installed copy.
bool bench_script(const char *name, char path[], size_t size, struct error *err);

// The model that --model names, or the bundled one. False, a line for people and results["absent"] where there is none.
bool bench_find_model(const struct bench *bench, json_t *results, char path[ASSETS_PATH]);

// A figure with a bar to reach, as an entry of a section's results["bars"].
struct bench_bar {
    const char *what, *unit;
    double value, bar;
    bool at_most; // the bar is an upper one
};
void bench_bar(json_t *results, const struct bench_bar *bar);
// The bars of all sections as a table.
void bench_print_bars(const struct bench *bench, json_t *results);

#endif
