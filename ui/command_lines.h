// A command line broken into rows of a screen that can be selected there and pasted into a shell as they stand.
#ifndef TRIMSCOPE_UI_COMMAND_LINES_H
#define TRIMSCOPE_UI_COMMAND_LINES_H

enum { COMMAND_LINES_LEAST = 16 };

// The command (as command_of_run() and its like write it: words quoted with '...' or not at all) with a backslash and a
// newline wherever a row of `columns` (COMMAND_LINES_LEAST or more) is full: between words, and inside those that are
// wider than a row. POSIX shells, bash, zsh and fish read it as the same words. Malloc'ed; NULL: no memory.
char *command_lines(const char *command, int columns);

#endif
