// `trimscope train --screen`: training in a thread of its own, seen on the screen.
#ifndef TRIMSCOPE_APP_TRAIN_SCREEN_H
#define TRIMSCOPE_APP_TRAIN_SCREEN_H

#include "app/screen_options.h"
#include "app/train_report.h"

struct train_screen {
    const struct screen_settings *screen;
    struct trainer *trainer;
    const struct world *world;
    const char *scratch; // file for weights that are looked at and removed again
    bool trim;           // the SmartTrim stage
    int layers;          // fusion layers
    const char *command; // the command line; NULL: not shown
    // The whole training; what it says goes to *report. Runs in the other thread.
    bool (*work)(void *context, struct train_report *report, struct error *err);
    void (*stop)(void *context); // asks work() to keep the state and return, from the screen's thread
    bool (*stopped)(void *context); // whether that has been asked, by anybody
    void *context;
};

// Shows it until the person leaves, which stops training and waits for it. False: what work() returned false for, or the
// screen's own trouble.
bool train_screen_run(const struct train_screen *settings, struct error *err);

#endif
