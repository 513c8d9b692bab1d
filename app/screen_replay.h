// A saved run as a backend of the screen: everything is there already, nothing can be computed.
#ifndef TRIMSCOPE_APP_SCREEN_REPLAY_H
#define TRIMSCOPE_APP_SCREEN_REPLAY_H

#include "ui/backend.h"

struct replay {
    struct backend backend; // give this to the screen
    struct trace trace;
    struct backend_picture pictures[TRACE_PICTURES];
    char note[240];
    bool told; // the screen has got all there is
};

// Reads a trace, and the pictures it names where they are found (as written, or beside the trace file); a
// grey board with a note stands for the others.
bool replay_open(struct replay *replay, const char *path, struct error *err);
void replay_close(struct replay *replay);

#endif
