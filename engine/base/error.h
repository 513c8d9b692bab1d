// Errors that travel: what went wrong, in one sentence for the person who has to mend it.
#ifndef TRIMSCOPE_BASE_ERROR_H
#define TRIMSCOPE_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

// The values are the program's exit statuses.
enum error_code {
    ERROR_NONE = 0,
    ERROR_INPUT = 1,   // the input was bad: a picture, checkpoint, question, file
    ERROR_USAGE = 2,   // the command line was wrong
    ERROR_MACHINE = 3, // no memory, disk full, a broken system
    ERROR_CANCELLED = 4,
};

struct error {
    enum error_code code;
    char text[480]; // one sentence without newline; what failed, expected and found, and what to do
};

// Sets *err (which may be NULL) and returns false, so that callers write `return error_set(...)`. The format is looked up
// in the catalogue of the person's language, where the program has chosen one (ui/words.h). Whatever the arguments
// bring from outside, the text is one printable line; when it is too long, its middle is left out (base/text.h).
bool error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same for those who have the arguments as a list.
bool error_set_list(struct error *err, enum error_code code, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

// Puts "prefix: " before the text of *err and returns false; used to say which file an inner error is about.
bool error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ERROR_MACHINE with the usual sentence; `what` names the thing for which there was no memory.
bool error_no_memory(struct error *err, const char *what);

#endif
