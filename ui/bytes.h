// A growing buffer of bytes on their way to the terminal.
#ifndef TRIMSCOPE_UI_BYTES_H
#define TRIMSCOPE_UI_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data;
    size_t used, capacity;
    bool failed; // no memory: what was added since is missing, and the buffer must not be sent
};

// Room for `more` bytes behind the used ones; NULL when there is no memory.
char *bytes_reserve(struct bytes *bytes, size_t more);
void bytes_add(struct bytes *bytes, const char *data, size_t size);
void bytes_format(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_clear(struct bytes *bytes);
void bytes_free(struct bytes *bytes);

#endif
