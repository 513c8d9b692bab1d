// Text from outside on its way to a person's terminal.
#ifndef TRIMSCOPE_BASE_TEXT_H
#define TRIMSCOPE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How many bytes the character at the start of `text` (not empty) has, and its code; 0 when it is no UTF-8.
int text_decode(const char *text, uint32_t *code);

// Whether all of it is UTF-8.
bool text_is_utf8(const char *text);

// Makes `text` one line of printable UTF-8, in place: line breaks and tabs become spaces; other control characters
// (C0, DEL, C1: escape sequences start with them), characters that reverse the writing direction, and bytes that are
// no UTF-8 become '?'. The text never grows.
void text_clean(char *text);

// Copies `from` to out[size], cleaned; what does not fit is left out of the middle, marked "...", because both ends of a
// path or a sentence say more than its middle. size is at least 8. Returns `out`.
char *text_fit(char *out, size_t size, const char *from);

#endif
