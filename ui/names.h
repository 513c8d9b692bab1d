// Names in files and on the command line made of the identifiers in tables: NEW_DEAD is written new-dead.
#ifndef TRIMSCOPE_UI_NAMES_H
#define TRIMSCOPE_UI_NAMES_H

#include <stddef.h>

// Writes the name into `out` and returns it; what does not fit is left out.
const char *name_lower(char *out, size_t size, const char *identifier);

// How unlike two names are, for "did you mean": insertions, deletions, changes and swaps of neighbours. Names are
// compared to their first 63 bytes.
int name_distance(const char *a, const char *b);

#endif
