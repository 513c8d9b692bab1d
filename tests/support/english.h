// Finds what is left in English in a text that should be Chinese: words of three letters or more that are no names. Names
// are what is typed (options, commands, policies, keys, actions, settings), units, and proper names of the field.
#ifndef TRIMSCOPE_TESTS_SUPPORT_ENGLISH_H
#define TRIMSCOPE_TESTS_SUPPORT_ENGLISH_H

#include <stdbool.h>
#include <stddef.h>

// The first such word, written to `word` (cut to `size`), and the start of its line in *line; false: there is none. Left out
// are words in capitals (placeholders), what stands in `backquotes`, and what a file, path, number or JSON stands in.
bool english_find(const char *text, char *word, size_t size, const char **line);

#endif
