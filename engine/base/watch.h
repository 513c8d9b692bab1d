// Somebody who watches long work, and can stop it.
#ifndef TRIMSCOPE_BASE_WATCH_H
#define TRIMSCOPE_BASE_WATCH_H

#include "engine/base/error.h"

// Called now and then by the thread that does the work, with how much of it is done, 0 .. 1. False: stop.
struct watch {
    bool (*go_on)(void *context, double done);
    void *context;
};

// True, also where nobody watches (NULL); false with ERROR_CANCELLED when the work shall stop.
static inline bool watch_go_on(const struct watch *watch, double done, struct error *err)
{
    return !watch || watch->go_on(watch->context, done) || error_set(err, ERROR_CANCELLED, "stopped");
}

#endif
