// A folder of this process's own for files that a test makes; it is removed when the process ends.
#ifndef TRIMSCOPE_TESTS_SUPPORT_SCRATCH_H
#define TRIMSCOPE_TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

// The path of `name` in the folder. The text lives until the program ends.
const char *scratch_path(const char *name);

// Writes a file there and returns its path.
const char *scratch_write(const char *name, const void *bytes, size_t size);

#endif
