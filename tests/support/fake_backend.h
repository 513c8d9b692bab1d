// A backend without a model: it answers at once with sample traces, and remembers what it was asked.
#ifndef TRIMSCOPE_TESTS_SUPPORT_FAKE_BACKEND_H
#define TRIMSCOPE_TESTS_SUPPORT_FAKE_BACKEND_H

#include "ui/backend.h"

enum { FAKE_CHANGES = 64, FAKE_LOG = 4096 };

struct fake_backend {
    struct backend backend; // give this to the screen
    char question[512], policy[TRACE_NAME], note[240], suggestion[240], error[480];
    char picture[64]; // as the trace names it; "": sample.png. It always looks the same
    double least; // told with the note; 0: not told
    double budget;
    struct intervention changes[FAKE_CHANGES];
    int change_count;
    int stages;                     // computed at most so far
    int stages_per_poll;            // 0: all at once
    double seconds_per_stage, next; // a slow one: when the next stage is done
    int wanted;
    bool new_trace, new_picture, new_note, new_attention;
    struct backend_attention_request request;
    char log[FAKE_LOG]; // one line per command
    size_t log_used;
    struct backend_job_news *job_news; // to be polled, oldest first
    int jobs;                          // started so far
    int wake[2];
    struct fake_backend *lanes[BACKEND_LANES]; // those that were opened, from 1 on
};

void fake_backend_init(struct fake_backend *fake);
void fake_backend_free(struct fake_backend *fake);

#endif
