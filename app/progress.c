#include "app/progress.h"

#include "engine/base/thread.h"
#include "ui/words.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const double OFTEN = 0.2, SELDOM = 5; // seconds between two lines

static atomic_bool stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = true;
}

void progress_begin(struct progress *progress, bool wished)
{
    // The second time the signal does what it always does.
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
    stopped = false;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    *progress = (struct progress){.terminal = isatty(STDERR_FILENO)};
    progress->shown = wished || progress->terminal;
    progress_start_part(progress, "", 0);
}

void progress_start_part(struct progress *progress, const char *what, int done)
{
    snprintf(progress->what, sizeof progress->what, "%s", what);
    progress->start = progress->last = clock_seconds();
    progress->first = done;
}

static void print_seconds(double seconds, char *out, size_t size)
{
    int s = (int)(seconds + 0.5);
    if (s < 100)
        snprintf(out, size, _("%d s"), s);
    else if (s < 6000)
        snprintf(out, size, _("%d min"), (s + 30) / 60);
    else
        snprintf(out, size, _("%d h %d min"), s / 3600, s % 3600 / 60);
}

// Whether a line is due.
static bool is_due(const struct progress *p, double now, bool whole)
{
    return p->shown && (now - p->last > (p->terminal ? OFTEN : SELDOM) || whole);
}

static void start_line(const struct progress *p)
{
    fputs(p->terminal ? "\r" : "", stderr);
    if (*p->what)
        fprintf(stderr, _("%s: "), p->what);
}

static void end_line(struct progress *p, double now)
{
    fputs(p->terminal ? " \033[K" : "\n", stderr);
    p->last = now;
}

bool progress_show(struct progress *p, int done, int total)
{
    double now = clock_seconds();
    if (is_due(p, now, done == total)) {
        char left[48];
        double rate = (done - p->first) / (now - p->start + 1e-9);
        print_seconds(rate > 0 ? (total - done) / rate : 0, left, sizeof left);
        start_line(p);
        fprintf(stderr, _("%d of %d questions (%d %%), %.0f/s, %s left"), done, total, (int)(100.0 * done / total), rate,
                left);
        end_line(p, now);
    }
    return !stopped;
}

bool progress_show_share(struct progress *p, double share)
{
    double now = clock_seconds();
    if (is_due(p, now, share >= 1)) {
        char left[48];
        print_seconds(share > 0 ? (now - p->start) * (1 - share) / share : 0, left, sizeof left);
        start_line(p);
        fprintf(stderr, _("%d %% written, %s left"), (int)(100 * share), left);
        end_line(p, now);
    }
    return !stopped;
}

void progress_end(struct progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", stderr);
}

bool progress_stopped(void) { return stopped; }

const atomic_bool *progress_stop(void) { return &stopped; }
