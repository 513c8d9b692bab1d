// The session behind the screen: a worker thread owns the model and a run, the screen sends commands and gets copies.
#ifndef TRIMSCOPE_APP_SESSION_H
#define TRIMSCOPE_APP_SESSION_H

#include "app/options.h"
#include "engine/prune/policy.h"
#include "ui/backend.h"

struct session;
struct writing_settings;

struct session_options {
    const char *model;                    // weights file
    bool bundled;                         // it is the bundled one
    const char *pictures[TRACE_PICTURES]; // as many as the model's task needs; the last given is repeated
    const char *question;
    enum policy policy;
    double budget; // NaN: as trained
    bool exact;    // pictures are read to the bit as the model's own code reads them
    int threads;
    const struct writing_settings *writing; // NULL: as published. Must outlive the session
    bool unasked; // the question is none that the person gave: a model of captions needs none
    const struct option_list *changes; // by hand, as app/prepare.h takes them; NULL: none. Must outlive the session
};

// Starts the worker, which opens the model and the picture; what goes wrong there arrives as an error through
// backend.poll(). NULL and *err when no thread can be had. The strings are copied.
struct session *session_new(const struct session_options *options, struct error *err);

// Stops what is going on, waits for the worker, and frees everything.
void session_free(struct session *session);

// The session as the screen's backend; valid until session_free().
struct backend session_backend(struct session *session);

#endif
