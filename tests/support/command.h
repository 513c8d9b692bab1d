// Running a sub-command inside the test, with what it prints.
#ifndef TRIMSCOPE_TESTS_SUPPORT_COMMAND_H
#define TRIMSCOPE_TESTS_SUPPORT_COMMAND_H

#include <stddef.h>

struct command_output {
    int status;
    char *out, *err; // malloc'ed, whole stdout and stderr
};

// words: argv without the program's name, words[0] is the command's; ends with NULL.
struct command_output command_run(int (*command)(int argc, char **argv), const char *const words[]);
void command_free(struct command_output *output);

#endif
