// A session as a recording that asciinema plays: what the program writes to the terminal, with the time, and when the
// window changed its size.
#ifndef TRIMSCOPE_APP_RECORDER_H
#define TRIMSCOPE_APP_RECORDER_H

#include "engine/base/error.h"

#include <stddef.h>
#include <stdio.h>

// The writer of asciicast version 2, separate from the terminal. Bytes may be cut anywhere: characters and escape
// sequences are put together again. Questions to the terminal ("where is the cursor?") are left out, because a player
// has nobody to answer them.
enum { CAST_HELD = 128 };
struct cast {
    FILE *out;
    char held[CAST_HELD]; // the beginning of a character or sequence whose end has not come yet
    size_t held_size;
    bool in_string; // inside a device control string (sixel)
    double last;    // times never run backwards
};
void cast_begin(struct cast *cast, FILE *out, int columns, int rows, const char *title);
void cast_add(struct cast *cast, double seconds, const char *bytes, size_t size);
void cast_resize(struct cast *cast, double seconds, int columns, int rows);
// What was still held.
void cast_end(struct cast *cast, double seconds);

// Runs inside(context) in a process of its own on a new terminal of this one's size, passes everything through, and
// writes the recording to `path` when it has ended: whole or not at all. *status gets its exit status. False and *err
// when there was no recording; the program has then run or not, as the sentence says.
bool recorder_run(const char *path, const char *title, int (*inside)(void *context), void *context, int *status,
                  struct error *err);

#endif
