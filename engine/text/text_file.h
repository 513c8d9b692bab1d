// Text files from outside: vocabularies and lists of answers.
#ifndef TRIMSCOPE_TEXT_TEXT_FILE_H
#define TRIMSCOPE_TEXT_TEXT_FILE_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct text_file {
    char *text;    // the file without its byte order mark, ended by a 0 byte; text_file_split() cuts it into lines
    size_t length;
    char **lines;  // NULL before text_file_split()
    size_t line_count;
    unsigned char *bytes; // owner of the text
};

enum { TEXT_FILE_LINE = 4096 }; // bytes of a line at most: no token and no answer is longer

// False and one sentence that begins with the path where the file cannot be read, is above 64 MB, or is no text in UTF-8
// (a NUL byte, bytes that are none).
bool text_file_open(struct text_file *file, const char *path, struct error *err);
void text_file_close(struct text_file *file);

// Whether the text is a JSON list or object, told by its first characters. ("[PAD]" is none.)
bool text_file_is_json(const struct text_file *file);

// Cuts the text into lines, without their ends (\n, \r\n, or \r alone); what follows the last end is no line where it is
// empty. False and one sentence where a line is too long.
bool text_file_split(struct text_file *file, const char *path, struct error *err);

#endif
