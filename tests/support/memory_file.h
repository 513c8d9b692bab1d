// Bytes as a file that lies in memory only, for what reads files and maps them.
#ifndef TRIMSCOPE_TESTS_SUPPORT_MEMORY_FILE_H
#define TRIMSCOPE_TESTS_SUPPORT_MEMORY_FILE_H

#include <stddef.h>

// Its path. There is one such file: the next call changes it, and nothing may be mapped of it then.
const char *memory_file(const void *data, size_t size);

#endif
