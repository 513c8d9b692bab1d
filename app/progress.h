// The progress of a long command on stderr: one line that is written over on a terminal, a line now and then elsewhere.
#ifndef TRIMSCOPE_APP_PROGRESS_H
#define TRIMSCOPE_APP_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>

struct progress {
    bool shown, terminal;
    char what[160]; // what it is about, "learned 0.50"; may be ""
    double start, last;
    int first; // how much had been done before the clock started
};

// Shown on a terminal, or anywhere when it is wished; catches SIGINT and SIGTERM for progress_stopped().
void progress_begin(struct progress *progress, bool wished);
// Another part of the work, of which `done` are done already; the clock starts again.
void progress_start_part(struct progress *progress, const char *what, int done);
// Rate and time left. False when the person, or the machine's scheduler, wants it to stop.
bool progress_show(struct progress *progress, int done, int total);
// The same for work that is not counted in questions: the share that is done.
bool progress_show_share(struct progress *progress, double share);
// Takes the line away again.
void progress_end(struct progress *progress);
// Asked to stop by a signal? And the flag itself, for work that looks more often (struct run_options).
bool progress_stopped(void);
const atomic_bool *progress_stop(void);

#endif
