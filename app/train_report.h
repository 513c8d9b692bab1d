// What `trimscope train` says while it works: on a terminal one line that rewrites itself, in a log plain lines.
#ifndef TRIMSCOPE_APP_TRAIN_REPORT_H
#define TRIMSCOPE_APP_TRAIN_REPORT_H

#include "engine/learn/trainer.h"

// Somebody who listens instead of a terminal or a log.
struct train_listener {
    void *context;
    void (*step)(void *context, struct trainer *trainer); // after every step
    void (*words)(void *context, const char *words);      // a line
};

struct train_report {
    struct train_listener listener; // step NULL: nobody
    bool terminal, trim;
    int layers;       // fusion layers, for the shares of patches alive
    double said;      // when something was said last
    int steps;        // since then
    bool line_open;   // a status line stands on the terminal
};

struct train_report train_report_new(bool trim, int fusion_layers);

// After each step: says how training goes when it is time to.
void train_report_step(struct train_report *report, struct trainer *trainer);
// Says what has happened since the last report, if anything has.
void train_report_flush(struct train_report *report, struct trainer *trainer);

// Accuracy on held-out scenes, by type of question; of the pruned model also what it spends and what it looks at.
void train_report_validation(struct train_report *report, struct trainer *trainer, int scenes);

// A line of its own.
void train_report_say(struct train_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
