// A short name for what a file holds, to notice that it is another one (not against forgery).
#ifndef TRIMSCOPE_BASE_DIGEST_H
#define TRIMSCOPE_BASE_DIGEST_H

#include "engine/base/error.h"

#include <stddef.h>

enum { DIGEST_SIZE = 17 }; // 16 hexadecimal digits and the final 0

// XXH3 (64 bits) of the file's bytes; runs at the speed of memory.
bool digest_file(char digest[DIGEST_SIZE], const char *path, struct error *err);

// The same of bytes in memory.
void digest_bytes(char digest[DIGEST_SIZE], const void *bytes, size_t size);

#endif
